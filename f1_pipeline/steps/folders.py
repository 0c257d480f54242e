"""Fill a folder that takes the place of another one when it is complete.

Belongs here: the order of renames that loses nothing. Neighbours: `episodes.py` and `warehouse_export.py` fill such
folders, and say which ones may be replaced.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from f1_pipeline.errors import DataError


@contextmanager
def replacing_folder(folder: Path, check: Callable[[Path], None]) -> Generator[Path]:
    """Give a folder to fill, which takes the place of another when all is well, and vanishes otherwise.

    Parameters
    ----------
    folder : Path
        The place; it need not exist.
    check : callable
        Raises a `UsageError` when what is at that place must stay; asked before and after.

    Yields
    ------
    Path
        An empty folder on the same disk.

    Raises
    ------
    UsageError
        What is there must stay.
    DataError
        The folder cannot be written.
    """
    target = folder.resolve()
    try:
        check(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as beside:
            made, old = Path(beside) / "made", Path(beside) / "old"
            made.mkdir()
            yield made
            # Minutes may have passed.
            check(target)
            try:
                if target.exists():
                    target.rename(old)
                made.rename(target)
            finally:
                # Whatever stops it, an interrupt too, must not take what was there before.
                if old.exists() and not target.exists():
                    old.rename(target)
    except OSError as error:
        raise DataError(f"{folder}: expected a folder that can be written, found {error}") from error

"""Files that people open: written whole or not at all.

Neighbours: `pages.py`, `pictures.py`, `agents.py` and `documents.py` write what their names say, each with this.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from f1_pipeline.errors import UsageError


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; folders that are missing are made.

    Parameters
    ----------
    path : Path
    content : bytes

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UsageError(f"{path}: expected a place to write to, found {error.strerror}") from error

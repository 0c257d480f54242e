"""Files that people open: written whole or not at all.

Neighbours: `pages.py`, `pictures.py`, `agents.py` and `documents.py` write what their names say, each with this.
"""

from __future__ import annotations

import secrets
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
    # A name of its own, for the daemon and a person may write one page at once; unlike those of `tempfile` such a file
    # can be read by whom the page is for.
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UsageError(f"{path}: expected a place to write to, found {error.strerror}") from error

"""Who holds the warehouse, asked without waiting for it.

Belongs here: reading the lock file that `connection.py` writes. Nothing is locked by it for longer than the question.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class LockHolder:
    """A process that writes the warehouse.

    Attributes
    ----------
    process_id : str
        As it stands in the lock file.
    command : str
        How it was started; empty where the system does not say.
    since : datetime
        When it took the lock, UTC.
    """

    process_id: str
    command: str
    since: datetime


def lock_holder(warehouse_path: Path) -> LockHolder | None:
    """Say who holds the warehouse.

    Parameters
    ----------
    warehouse_path : Path
        The DuckDB file.

    Returns
    -------
    LockHolder or None
        None when nobody does.
    """
    path = warehouse_path.with_suffix(".lock")
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None  # nobody has ever written
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        process_id = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        since = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
        return LockHolder(process_id, _command(process_id), since)
    finally:
        os.close(descriptor)
    return None


def _command(process_id: str) -> str:
    try:
        words = Path("/proc", process_id, "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return " ".join(Path(word).name if at < 2 else word for at, word in enumerate(words) if word)

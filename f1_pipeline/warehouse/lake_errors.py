"""What DuckLake and its catalog say when something is wrong, as one line that says what to do.

Belongs here: which of their words mean what. Neighbours: `lake.py` opens lakes, `writer.py` tries again after what
passes. No message has a password, and none is chained to one that has.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager

import duckdb

from f1_pipeline.errors import UsageError, WarehouseError


class LostConnectionError(WarehouseError):
    """The catalog's database is not there, or went away in the middle: what was begun did not happen."""


_NOT_CONNECTED = "Unable to connect to Postgres"
_CONFLICT = ("Transaction conflict", "could not serialize access", "deadlock detected")
_LOST = (
    _NOT_CONNECTED,
    "server closed the connection",
    "terminating connection",
    "connection to server was lost",
    "no connection to the server",
    "Connection reset",
    "Broken pipe",
    "could not receive data from server",
    "could not send data to server",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    "the database system is",  # starting up, shutting down, in recovery mode
    'Failed to execute query "ROLLBACK"',
)
# of what cannot connect: no patience helps
_REFUSED = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry", "invalid ")
_HINTS = (
    (
        ("explicitly disabled", "does not exist - and creating"),
        "expected a warehouse, found none; `make run` builds it",
    ),
    (
        ("catalog version mismatch", "Unsupported DuckLake version", "Unknown DuckLake version"),
        "the catalog is of another DuckLake version: install the version of duckdb that wrote it, or attach it once "
        "with AUTOMATIC_MIGRATION after a back-up (docs/scale.md)",
    ),
    (
        ("does not match existing data path",),
        "F1_WAREHOUSE_DATA is not where the catalog's files are: leave it empty, or give the catalog's own",
    ),
    (("lock timeout",), "another writer holds the table; try again when it has finished"),
    (("Could not set lock", "Unique file handle conflict"), "another process has it open"),
    (("No space left", "Could not write", "Disk quota"), "check the disk and its space"),
    (("NoSuchBucket",), "expected the bucket of its tables, found none"),
    (
        ("No such file", "404 (", "HTTP 404", "NoSuchKey", "Not Found"),
        "files of its tables are missing; is the data path mounted and whole? Bring the files back from a back-up",
    ),
    (("Permission denied", "Cannot open file", "HTTP"), "its files cannot be read or written"),
    (("Failed to load existing DuckLake", "DuckLakeMetadata"), "its database holds no catalog of DuckLake"),
)
_OTHER_TABLES = (
    "expected the tables of this version; computed by an earlier one, or not yet computed, it lacks some: "
    "`f1-pipeline run` computes what is missing"
)
# what repeats the address
_REPEATED = re.compile(
    r'(Failed to attach DuckLake MetaData "[^"]*" at path \+ |Unable to connect to Postgres at )"[^"]*":? ?'
)
LONGEST = 400  # characters of what DuckDB says
_NO_SNAPSHOT = "No snapshot found"
_FALLBACK = "the lake cannot be used"


def is_conflict(error: BaseException) -> bool:
    """Whether another writer was faster, so that the transaction may be tried again."""
    is_ours = isinstance(error, duckdb.ProgrammingError) or not isinstance(error, duckdb.Error)
    return not is_ours and any(words in str(error) for words in _CONFLICT)


def is_just_made(error: BaseException) -> bool:
    """Whether somebody else has made the lake at the same moment, so that it may be attached now."""
    return "Failed to initialize DuckLake" in str(error) and "already exists" in str(error)


def is_lost(error: BaseException) -> bool:
    """Whether the catalog's database is away, and may come back; what is wrong with a statement never says so."""
    if isinstance(error, duckdb.ProgrammingError):
        return False
    text = str(error)
    is_away = isinstance(error, duckdb.Error) and any(words in text for words in _LOST)
    return is_away and not (_NOT_CONNECTED in text and any(words in text for words in _REFUSED))


@contextmanager
def translated(name: str) -> Generator[None]:
    """Turn DuckDB's errors about a lake into ones that name it.

    Parameters
    ----------
    name : str
        The lake, for people.

    Raises
    ------
    LostConnectionError
        The catalog's database is away.
    WarehouseError
        Anything else that is wrong with the lake, its files or its tables.
    UsageError
        It has no state of the moment that was asked for.
    """
    try:
        yield
    except duckdb.Error as error:
        found = _named(name, error)
        if found is None:
            raise
        raise found from error


def _named(name: str, error: duckdb.Error) -> Exception | None:
    text = str(error)
    reason = _REPEATED.sub("", " ".join(text.split("\nLINE")[0].split()))[:LONGEST]
    if is_conflict(error):
        return WarehouseError(f"{name}: other writers changed the same tables again and again; try again: {reason}")
    if _NO_SNAPSHOT in text:
        return UsageError(f"{name}: has no state of that moment, only later ones: {reason}")
    if is_lost(error):
        return LostConnectionError(f"{name}: the database of its catalog cannot be reached, or went away: {reason}")
    if _NOT_CONNECTED in text:
        return WarehouseError(f"{name}: the database of its catalog refuses: {reason}")
    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException)) and "DuckLake" not in text:
        hint = "another process has it open" if "Unique file handle" in text else _OTHER_TABLES
        return WarehouseError(f"{name}: {hint}: {reason}")
    for words, hint in _HINTS:
        if any(word in text for word in words):
            return WarehouseError(f"{name}: {hint}: {reason}")
    is_of_the_lake = isinstance(error, (duckdb.IOException, duckdb.HTTPException, duckdb.TransactionException))
    if is_of_the_lake or type(error) is duckdb.Error or "DuckLake" in text:
        return WarehouseError(f"{name}: {_FALLBACK}: {reason}")
    return None

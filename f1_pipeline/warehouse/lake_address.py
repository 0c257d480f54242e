"""The address of a warehouse on DuckLake, which never holds a password.

Belongs here: text only, so that the settings may ask. Neighbours: `lake.py` attaches what it names.

An address is DuckLake's own attach string: `ducklake:postgres:dbname=f1 host=db.example` with libpq's parameters or a
`postgresql://` URL for a catalog in PostgreSQL, `ducklake:f1.ducklake` for one in a file, which one process at a time
may open. Where the tables' files lie is told apart from it, and kept in the catalog.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import UsageError

SCHEME, POSTGRES = "ducklake:", "postgres:"
EXPECTED = "expected an address such as `ducklake:postgres:dbname=f1 host=db` or `ducklake:/folder/f1.ducklake`"
WITHOUT_PASSWORD = (
    "expected an address without a password, which libpq reads from PGPASSWORD or from the file that PGPASSFILE names; "
    "found one that may hold one"
)
_STORES = re.compile(r"[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True)
class LakeAddress:
    """Where a lake is.

    Attributes
    ----------
    catalog : str
        What DuckLake is told after `ducklake:`.
    data_path : str
        Folder or URL of the tables' files, with a slash at the end; empty for the one that the catalog names.
    """

    catalog: str
    data_path: str = ""

    @property
    def attach_string(self) -> str:
        """The address as DuckDB is told."""
        return SCHEME + self.catalog

    @property
    def is_shared(self) -> bool:
        """Whether several processes may use it at once."""
        return self.catalog.startswith(POSTGRES)

    @property
    def path(self) -> Path:
        """The file of a catalog that is not shared."""
        return Path(self.catalog)

    @property
    def is_remote(self) -> bool:
        """Whether the tables' files are in an object store."""
        return _STORES.match(self.data_path) is not None

    def __str__(self) -> str:
        return self.attach_string


def read_address(text: str, data_path: str = "") -> LakeAddress:
    """Read the address of a lake.

    Parameters
    ----------
    text : str
        With `ducklake:` before it.
    data_path : str
        A folder, or the URL of one in an object store.

    Returns
    -------
    LakeAddress
        Its paths are absolute. The files of a catalog in a file lie beside it, unless told otherwise.

    Raises
    ------
    UsageError
        It is no such address, or may hold a password, and is then not repeated.
    """
    if _may_hold_password(text) or _may_hold_password(data_path):
        raise UsageError(WITHOUT_PASSWORD)
    catalog = text.removeprefix(SCHEME)
    if not text.startswith(SCHEME) or not catalog.strip():
        raise UsageError(f"{EXPECTED}, found {text!r}")
    if not catalog.startswith(POSTGRES):
        if re.match(r"[a-z0-9]{2,}:", catalog):
            raise UsageError(f"{EXPECTED}, found {text!r}: a catalog is in PostgreSQL or in a file")
        catalog = str(Path(catalog).resolve())
        data_path = data_path or f"{catalog}.files"
    elif not _is_conninfo(catalog.removeprefix(POSTGRES).strip()):
        raise UsageError(f"{EXPECTED}, found {text!r}")
    if data_path and not _STORES.match(data_path):
        data_path = str(Path(data_path).resolve())
    return LakeAddress(catalog, data_path and data_path.rstrip("/") + "/")


def _may_hold_password(text: str) -> bool:
    """Whether a connection string has one in its parameters, or between a colon and the @ of its URL."""
    _, _, rest = text.partition("://")
    return re.search(r"password\s*=", text, re.IGNORECASE) is not None or re.search(r":.*@", rest) is not None


def _is_conninfo(text: str) -> bool:
    """Whether a text is a URL of libpq's, or its `name=value` pairs; none at all leaves it to PGHOST and the like."""
    pair = r"[a-z_]+\s*=\s*(?:'(?:[^'\\]|\\.)*'|[^\s']*)"
    return re.fullmatch(rf"(?:postgres(?:ql)?://\S*|(?:{pair}(?:\s+{pair})*)?)", text) is not None

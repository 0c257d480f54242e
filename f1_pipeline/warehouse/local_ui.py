"""DuckDB's own user interface in the browser, where its extension is installed.

Belongs here: asking for the extension, and keeping the interface up. It is never downloaded from here: whoever wants it
installs it once, with a network, and its pages come from DuckDB's own site.
"""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb

ADDRESS = "http://localhost:4213"
INSTALL = """python -c "import duckdb; duckdb.execute('install ui')\""""


def has_local_ui() -> bool:
    """Say whether the extension is installed on this computer."""
    with duckdb.connect() as connection:
        rows = connection.execute("select installed from duckdb_extensions() where extension_name = 'ui'").fetchall()
    return bool(rows and rows[0][0])


def serve_local_ui(path: Path) -> None:
    """Serve a warehouse, read-only, until the process is interrupted.

    Parameters
    ----------
    path : Path
        The DuckDB file.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("load ui")
        connection.execute("call start_ui_server()")
        threading.Event().wait()

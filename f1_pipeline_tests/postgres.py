"""A real PostgreSQL of the tests' own, on loopback and a socket, in a folder that goes with it.

Belongs here: starting, restarting and stopping the server, databases in it. Neighbours: `conftest.py` has the fixture
`postgres`, one server for all tests of a process. Without PostgreSQL's binaries the tests are skipped, saying so.

    with running_postgres() as postgres:
        database = postgres.new_database()
        database.conninfo   # "host=... port=... dbname=...", for libpq, psycopg and DuckDB; the password is apart:
        database.password   # as PGPASSWORD in an environment, or in
        database.url        # "postgresql://user:password@127.0.0.1:port/name", for SQLAlchemy
        database.ask("select count(*) from ducklake_snapshot")
        postgres.restart()  # at once, like after a crash: whoever is connected loses his connection
        postgres.stop()
        postgres.start()    # on the same port
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

OWNERS_FOR_ROOT = ("postgres", "nobody")  # PostgreSQL refuses to run as root
SUPERUSER = "f1"
START_S = 60
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "fsync": "off",  # tests kill the server, never the machine
    "log_statement": "none",
}


@dataclass(frozen=True)
class Database:
    """One database of a server; `password` is the same in all of them."""

    server: Postgres
    name: str

    @property
    def password(self) -> str:
        return self.server.password

    @property
    def conninfo(self) -> str:
        """What libpq is told, without the password."""
        return f"host=127.0.0.1 port={self.server.port} user={SUPERUSER} dbname={self.name}"

    @property
    def url(self) -> str:
        """The address with the password in it."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.server.port}/{self.name}"

    def ask(self, sql: str) -> list[list[str]]:
        """Run SQL with psql; the rows of its answer, as text."""
        answer = self.server.run("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-d", self.conninfo, "-c", sql)
        return [line.split("\t") for line in answer.splitlines()]


@dataclass(frozen=True)
class Postgres:
    """One server; see the module's description.

    Attributes
    ----------
    binaries : Path
        Folder of `initdb`, `pg_ctl` and `psql`.
    folder : Path
        Its data, socket and log.
    port : int
        On 127.0.0.1.
    owner : str or None
        The account that it runs under; None is the tests' own.
    password : str
    """

    binaries: Path
    folder: Path
    port: int
    owner: str | None
    password: str = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        options += f" -p {self.port} -k {self.folder}"
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop; connections end. `immediate` is like a crash, and the next start recovers."""
        self._control("stop", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        """Stop and start on the same port."""
        self._control("restart", "-m", mode, "-l", str(self.folder / "log"))

    def new_database(self) -> Database:
        """Create an empty database."""
        name = f"test_{next(self._numbers)}"
        Database(self, "postgres").ask(f"create database {name}")
        return Database(self, name)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's owner; what it printed."""
        environment = {"PGPASSWORD": self.password, "PATH": os.defpath, "LC_ALL": "C"}
        done = subprocess.run(
            [self.binaries / program, *arguments],
            capture_output=True,
            text=True,
            cwd="/",  # that of the tests may be closed to the owner
            env=environment,
            check=False,
            **_as(self.owner),
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}: {done.stderr or done.stdout}"
        return done.stdout

    def _control(self, action: str, *arguments: str) -> None:
        self.run("pg_ctl", action, "-w", "-t", str(START_S), "-s", "-D", str(self.folder / "data"), *arguments)


def why_no_postgres() -> str:
    """Say why tests cannot have a server here; empty when they can."""
    if _binaries() is None:
        return "PostgreSQL's server is not installed: initdb is neither on the path nor in /usr/lib/postgresql"
    if os.geteuid() == 0 and _owner() is None:
        return f"PostgreSQL refuses to run as root, and there is none of the accounts {', '.join(OWNERS_FOR_ROOT)}"
    return ""


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Make a server, and leave nothing of it; skip the test where there can be none."""
    if reason := why_no_postgres():
        pytest.skip(reason)
    binaries = _binaries()
    assert binaries is not None
    # not in pytest's own folder: that is closed to other accounts, and too long a path for a socket
    folder = Path(tempfile.mkdtemp(prefix="f1-pg-"))
    server = Postgres(binaries, folder, _free_port(), _owner(), secrets.token_urlsafe(12))
    try:
        _initialise(server)
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():  # else the test itself has stopped it
                server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _initialise(server: Postgres) -> None:
    if server.owner is not None:
        account = pwd.getpwnam(server.owner)
        os.chown(server.folder, account.pw_uid, account.pw_gid)
    password_file = server.folder / "password"
    password_file.write_text(server.password, encoding="ascii")
    password_file.chmod(0o644)  # its folder is open to the owner alone
    how = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--encoding=UTF8", "--locale=C"]
    server.run("initdb", f"--username={SUPERUSER}", *how, "-D", str(server.folder / "data"))
    password_file.unlink()


def _binaries() -> Path | None:
    """Find the folder of the programs: that of the `initdb` on the path, else the newest that Debian installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return max(installed, key=lambda path: int(path.parts[-3])).parent if installed else None


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name for account in pwd.getpwall()}
    return next((name for name in OWNERS_FOR_ROOT if name in accounts), None)


def _as(owner: str | None) -> dict[str, object]:
    """Arguments of `subprocess.run` that make a program another account's."""
    if owner is None:
        return {}
    return {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]

"""A PostgreSQL server in a folder of its own, on loopback.

Belongs here: finding the programs, making the server, starting and stopping it, and its databases. PostgreSQL refuses
to run as root: root starts it as another account, which then owns the folder.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from f1_pipeline.errors import ServiceError

OWNERS_FOR_ROOT = ("postgres", "nobody")
SUPERUSER = "f1"
HOST = "127.0.0.1"
START_S = 60
OPTIONS: Mapping[str, str] = {"listen_addresses": HOST, "max_connections": "100", "log_statement": "none"}


@dataclass(frozen=True)
class Database:
    """One database of a server; `password` is the same in all of them."""

    server: Postgres
    name: str

    @property
    def password(self) -> str:
        """The password of the server's one account."""
        return self.server.password

    @property
    def conninfo(self) -> str:
        """What libpq is told, without the password."""
        return f"host={HOST} port={self.server.port} user={SUPERUSER} dbname={self.name}"

    @property
    def url(self) -> str:
        """The address with the password in it."""
        return f"postgresql://{SUPERUSER}:{self.password}@{HOST}:{self.server.port}/{self.name}"

    def ask(self, sql: str) -> list[list[str]]:
        """Run SQL with psql; the rows of its answer, as text."""
        answer = self.server.run("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-d", self.conninfo, "-c", sql)
        return [line.split("\t") for line in answer.splitlines()]


@dataclass(frozen=True)
class Postgres:
    """One server.

    Attributes
    ----------
    binaries : Path
        Folder of `initdb`, `pg_ctl` and `psql`.
    folder : Path
        Its data and log.
    port : int
        On 127.0.0.1.
    owner : str or None
        The account that it runs under; None is one's own.
    password : str
    options : mapping of str to str
        Of the server.
    """

    binaries: Path
    folder: Path
    port: int
    owner: str | None
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=lambda: OPTIONS)

    @classmethod
    def in_folder(cls, folder: Path, port: int, options: Mapping[str, str] = OPTIONS) -> Self:
        """Describe the server of a folder, which is made if there is none yet.

        Parameters
        ----------
        folder : Path
            Made when it is missing; its parents must let the server's account pass.
        port : int
        options : mapping of str to str

        Returns
        -------
        Postgres
            Not started.

        Raises
        ------
        ServiceError
            There can be none here, or it cannot be made.
        """
        if reason := why_no_postgres():
            raise ServiceError(reason)
        folder.mkdir(parents=True, exist_ok=True)
        secret = _secret(folder)
        if not secret.exists():
            descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(secrets.token_urlsafe(18))
        binaries = postgres_binaries()
        assert binaries is not None
        server = cls(binaries, folder, port, server_account(), secret.read_text(encoding="ascii"), options)
        if not (folder / "data" / "PG_VERSION").exists():
            server.initialise()
        return server

    @property
    def secret(self) -> Path:
        """The file with the password, which only who started the server may read."""
        return _secret(self.folder)

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    @property
    def is_left_over(self) -> bool:
        """Whether a process has it, or had it and was killed."""
        return (self.folder / "data" / "postmaster.pid").exists()

    def initialise(self) -> None:
        """Make the data folder."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)  # what an interrupted start may have left
        if self.owner is not None:
            account = pwd.getpwnam(self.owner)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._require_way_in(self.owner)
        self.folder.chmod(0o700)  # before the file is there, which is then open to the owner alone
        password_file = self.folder / "password"
        password_file.write_text(self.password, encoding="ascii")
        password_file.chmod(0o644)  # root writes what the owner reads
        try:
            how = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync", "--encoding=UTF8", "--locale=C"]
            self.run("initdb", f"--username={SUPERUSER}", *how, "-D", str(self.folder / "data"))
        finally:
            password_file.unlink()

    def _require_way_in(self, owner: str) -> None:
        if subprocess.run(["test", "-w", self.folder], cwd="/", check=False, **_as(owner)).returncode:
            raise ServiceError(
                f"{self.folder}: expected a folder that PostgreSQL's account {owner} can reach, found one above it "
                f"that is closed to others; open that one (chmod o+x), or choose another place"
            )

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self.options.items())
        # without a socket: the path of one must be short
        self._control("start", "-l", str(self.folder / "log"), "-o", f"{options} -p {self.port} -k ''")

    def stop(self, mode: str = "fast") -> None:
        """Stop; connections end. `immediate` is like a crash, and the next start recovers."""
        self._control("stop", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        """Stop and start on the same port."""
        self._control("restart", "-m", mode, "-l", str(self.folder / "log"))

    def clear_left_over(self) -> None:
        """End a server that an earlier start left behind, or forget one that was killed."""
        if self.is_left_over and self._status() == 0:
            self.stop("immediate")
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def database(self, name: str) -> Database:
        """Return a database, made when it is missing."""
        maintenance = Database(self, "postgres")
        if [name] not in maintenance.ask("select datname from pg_database"):
            maintenance.ask(f"create database {name}")
        return Database(self, name)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's owner; what it printed.

        Raises
        ------
        ServiceError
            It ended with an error.
        """
        done = self._run(program, *arguments)
        if done.returncode:
            raise ServiceError(f"{program} ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.binaries / program, *arguments],
            capture_output=True,
            text=True,
            cwd="/",  # the folder one is in may be closed to the owner
            env={"PGPASSWORD": self.password, "PATH": os.defpath, "LC_ALL": "C"},
            check=False,
            **_as(self.owner),
        )

    def _status(self) -> int:
        return self._run("pg_ctl", "status", "-D", str(self.folder / "data")).returncode

    def _control(self, action: str, *arguments: str) -> None:
        self.run("pg_ctl", action, "-w", "-t", str(START_S), "-s", "-D", str(self.folder / "data"), *arguments)


def why_no_postgres() -> str:
    """Say why there can be no server here; empty when there can."""
    if postgres_binaries() is None:
        return "PostgreSQL's server is not installed: initdb is neither on the path nor in /usr/lib/postgresql"
    if os.geteuid() == 0 and server_account() is None:
        return f"PostgreSQL refuses to run as root, and there is none of the accounts {', '.join(OWNERS_FOR_ROOT)}"
    return ""


def postgres_binaries() -> Path | None:
    """Find the folder of the programs: that of the `initdb` on the path, else the newest that Debian installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return max(installed, key=lambda path: int(path.parts[-3])).parent if installed else None


def server_account() -> str | None:
    """Name the account that a server runs under: None for one's own."""
    if os.geteuid() != 0:
        return None
    accounts = {account.pw_name for account in pwd.getpwall()}
    return next((name for name in OWNERS_FOR_ROOT if name in accounts), None)


def free_port(preferred: int = 0) -> int:
    """Find a free port of loopback: the preferred one, or any."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, preferred))
        except OSError:
            listener.bind((HOST, 0))
        return listener.getsockname()[1]


def _secret(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.password")


def _as(owner: str | None) -> dict[str, Any]:
    """Arguments of `subprocess.run` that make a program another account's."""
    if owner is None:
        return {}
    return {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}

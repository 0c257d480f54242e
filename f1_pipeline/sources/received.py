"""The store of payloads as they were received: nothing is parsed here, nothing is ever thrown away.

Belongs here: bytes, and the index of when they came. Neighbours: `feed` puts payloads in before anything reads them,
`feed_history` reads them all. A file of a payload is named by its digest, so the same content is kept once; the index
has a line per receipt, in order, so what an address said and when is never lost: that is the history of corrections.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import json
import os
import re
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from f1_pipeline.errors import DataError
from f1_pipeline.sources.source import Say

FOLDER = "feed"
INDEX_NAME = "index.jsonl"
NEW, CONFIRMED = 200, 304
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Received:
    """One receipt.

    Attributes
    ----------
    number : int
        Line of the index, from 1: the order of receipts, whatever clocks said.
    path : str
        What was asked for, below the base address, such as ``/drivers/2_en.json``.
    url : str
        The whole address.
    received_at : datetime
        Aware, UTC.
    sha256 : str
        Digest of the content, uncompressed.
    byte_count : int
    etag, last_modified : str or None
        What the server said of it.
    status : int
        200, or 304 where the server confirmed content that was received before.
    """

    number: int
    path: str
    url: str
    received_at: datetime
    sha256: str
    byte_count: int
    etag: str | None
    last_modified: str | None
    status: int = NEW


class ReceivedStore:
    """The payloads of the feed below a folder.

    Parameters
    ----------
    root : Path
        Everything is in its folder ``feed``, which is made with the first payload; reading makes nothing.
    say : callable
        Told of a line that a crash left half written.

    Raises
    ------
    DataError
        The index cannot be read, or is damaged.
    """

    def __init__(self, root: Path, say: Say) -> None:
        self.folder = root / FOLDER
        self._index = self.folder / INDEX_NAME
        self._say = say
        with _disk_errors(self.folder):
            text = self._index.read_bytes() if self._index.exists() else b""
        whole, _, torn = text.rpartition(b"\n")
        if torn:
            say(f"The last line of {self._index} is half written; what it stood for will be asked for again.")
        lines = whole.split(b"\n") if whole else []
        self._receipts = [_parse(line, number, self._index) for number, line in enumerate(lines, 1)]

    @property
    def receipts(self) -> tuple[Received, ...]:
        """Every receipt, oldest first."""
        return tuple(self._receipts)

    def history(self, path: str) -> tuple[Received, ...]:
        """List the receipts of one path.

        Parameters
        ----------
        path : str

        Returns
        -------
        tuple of Received
            Oldest first; a payload that changed has another digest than the one before.
        """
        return tuple(receipt for receipt in self._receipts if receipt.path == path)

    def keep(
        self, path: str, url: str, body: bytes, received_at: datetime, etag: str | None, last_modified: str | None
    ) -> Received:
        """Put a payload in, as it came.

        Parameters
        ----------
        path, url : str
        body : bytes
        received_at : datetime
            Aware.
        etag, last_modified : str or None

        Returns
        -------
        Received

        Raises
        ------
        DataError
            It cannot be written.
        """
        digest = hashlib.sha256(body).hexdigest()
        at = received_at.astimezone(UTC)
        with _disk_errors(self.folder):
            self._write(digest, body)
            return self._append(Received(0, path, url, at, digest, len(body), etag, last_modified))

    def confirm(self, receipt: Received, received_at: datetime) -> Received:
        """Note that the server calls a payload still good.

        Parameters
        ----------
        receipt : Received
            Of that payload.
        received_at : datetime
            Aware.

        Returns
        -------
        Received

        Raises
        ------
        DataError
            It cannot be written.
        """
        with _disk_errors(self.folder):
            return self._append(replace(receipt, received_at=received_at.astimezone(UTC), status=CONFIRMED))

    def read(self, receipt: Received) -> bytes:
        """Return a payload as it came.

        Parameters
        ----------
        receipt : Received

        Returns
        -------
        bytes

        Raises
        ------
        DataError
            The file is missing or damaged.
        """
        path = self._path(receipt.sha256)
        try:
            # no further than it should go: a few kilobytes can be made to unpack to gigabytes
            with gzip.open(path) as stream:
                body = stream.read(receipt.byte_count + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: the payload of {receipt.path} cannot be read: {error}") from error
        if hashlib.sha256(body).hexdigest() != receipt.sha256:
            raise DataError(f"{path}: the payload of {receipt.path} is not what its name says")
        return body

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.gz"

    def _write(self, digest: str, body: bytes) -> None:
        """Write a payload in one move; one that is there is written again, for it may be damaged."""
        path = self._path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f"{path.name}.new")
        try:
            staged.write_bytes(gzip.compress(body, mtime=0))
            staged.replace(path)
        except OSError:
            staged.unlink(missing_ok=True)
            raise

    def _append(self, receipt: Received) -> Received:
        """Add a line, in one system call, after cutting off what an interrupted one left."""
        descriptor = os.open(self._index, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            text = self._index.read_bytes()
            os.ftruncate(descriptor, text.rfind(b"\n") + 1)
            numbered = replace(receipt, number=text.count(b"\n") + 1)
            fields = asdict(numbered) | {"received_at": numbered.received_at.isoformat()}
            del fields["number"]
            line = json.dumps(fields).encode("utf-8") + b"\n"
            if os.write(descriptor, line) < len(line):  # the next line cuts off what a full disk took of this one
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._index))
        finally:
            os.close(descriptor)  # also gives the lock back
        self._receipts.append(numbered)
        return numbered


def _parse(line: bytes, number: int, index: Path) -> Received:
    error: Exception | None = None
    try:
        fields = json.loads(line)
        receipt = Received(**fields | {"number": number, "received_at": datetime.fromisoformat(fields["received_at"])})
        if _is_sound(receipt):
            return receipt
    except (ValueError, TypeError, KeyError, RecursionError) as caught:
        error = caught
    raise DataError(
        f"{index} line {number}: expected a receipt, found {line[:60]!r}; take the line out to go on without it"
    ) from error


def _is_sound(receipt: Received) -> bool:
    """Whether a receipt that was read has values of its types; the digest names a file, so it must be one."""
    texts = (receipt.path, receipt.url, receipt.sha256)
    return (
        all(isinstance(text, str) for text in texts)
        and _DIGEST.fullmatch(receipt.sha256) is not None
        and receipt.received_at.tzinfo is not None
        and type(receipt.byte_count) is int
        and receipt.byte_count >= 0
        and all(text is None or isinstance(text, str) for text in (receipt.etag, receipt.last_modified))
        and receipt.status in (NEW, CONFIRMED)
    )


@contextmanager
def _disk_errors(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{folder}: payloads cannot be kept: {error.strerror} ({error.filename})") from error

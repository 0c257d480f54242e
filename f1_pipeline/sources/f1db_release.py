"""Get an F1DB release: a file where it lies, or a download that can be taken up again and is checked before it counts.

Belongs here: one zip file and what is known about it. Neighbours: `download` talks to the server, `f1db` reads the zip,
`f1db_merge` makes facts of it. The release at hand stays in place until a newer one is complete and can be read;
what has arrived of that one waits beside it as ``.part`` for the next call.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import requests

from f1_pipeline.errors import DataError, SourceError
from f1_pipeline.sources.download import HttpClient, TryAgainError, chunks, unexpected
from f1_pipeline.sources.f1db import read_f1db
from f1_pipeline.sources.source import Say

ZIP_NAME = "f1db-csv.zip"
MAX_RELEASE_BYTES = 200_000_000  # a release of 2026 has 4 MB
_VERSION_IN_URL = re.compile(r"/download/v?(\d{4}(?:\.\d+)+)/")
_VERSION_IN_NAME = re.compile(r"(\d{4}(?:\.\d+)+)")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(frozen=True)
class Release:
    """An F1DB CSV release on disk that can be read.

    Attributes
    ----------
    path : Path
    sha256 : str
    byte_count : int
    origin : str
        Path or address it was asked for by.
    version : str or None
        Such as 2026.6.0, where its address or file name says it.
    was_modified : bool
        Whether it is another one than the last download; of a path nothing is remembered, so always.
    """

    path: Path
    sha256: str
    byte_count: int
    origin: str
    version: str | None
    was_modified: bool


@dataclass(frozen=True)
class _Origin:
    """Where bytes on disk came from; the digest is that of a complete file."""

    url: str
    etag: str | None
    last_modified: str | None
    version: str | None = None
    sha256: str | None = None

    @property
    def validator(self) -> str | None:
        """What proves that a rest belongs to its beginning (RFC 9110, section 13.1.5: no weak ETag)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


def fetch_release(location: str, cache_dir: Path, client: HttpClient, say: Say) -> Release:
    """Get the release that a path or address names.

    Parameters
    ----------
    location : str
        Path of a zip file, used where it is, or its https address.
    cache_dir : Path
        Where a download is kept; made if need be.
    client : HttpClient
    say : callable
        Told of each step and of progress.

    Returns
    -------
    Release

    Raises
    ------
    SourceError
        There is no such file or address, or it holds no F1DB release that can be read. A release downloaded earlier
        is untouched, and the message says of when it is.
    """
    if "://" not in location:
        path = Path(location).expanduser()
        say(f"Checking {path}.")
        _check(path, location)
        version = _VERSION_IN_NAME.search(path.name)
        return Release(path, _digest(path), path.stat().st_size, location, version and version[1], True)
    try:
        download = _Download(location, cache_dir, say)
        try:
            return download.run(client)
        except SourceError as error:
            raise SourceError(f"{error}{download.what_is_left()}") from error
    except OSError as error:
        raise SourceError(f"{cache_dir}: the release cannot be kept: {error.strerror} ({error.filename})") from error


class _Download:
    """One address, and the files of one folder that go with it."""

    def __init__(self, url: str, cache_dir: Path, say: Say) -> None:
        self.url, self.say = url, say
        self.path = cache_dir / ZIP_NAME
        self.part = cache_dir / f"{ZIP_NAME}.part"
        cache_dir.mkdir(parents=True, exist_ok=True)
        self.known = self._known()

    def run(self, client: HttpClient) -> Release:
        """Have the newest release in place."""
        self.say(f"Asking for the F1DB release at {self.url}.")
        origin = client.exchange(self.url, self._headers, self._receive)
        if origin is None:
            assert self.known is not None
            assert self.known.sha256 is not None
            self.say("The F1DB release at hand is the newest.")
            return self._release(self.known, self.known.sha256, was_modified=False)
        try:
            _check(self.part, self.url)
        except SourceError:
            self._drop_part()
            raise
        digest, before = _digest(self.part), self.known.sha256 if self.known else None
        _sync(self.part)
        self.part.replace(self.path)
        _write_origin(self.path, _Origin(origin.url, origin.etag, origin.last_modified, origin.version, digest))
        self._drop_part()
        return self._release(origin, digest, was_modified=digest != before)

    def what_is_left(self) -> str:
        """Say which release is still there."""
        if not self.path.exists():
            return ""
        written = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        return f"; the release downloaded at {written:%Y-%m-%d %H:%M} UTC is untouched ({self.path})"

    def _known(self) -> _Origin | None:
        """Describe the release at hand, if it is what was once downloaded from this address."""
        origin = _read_origin(self.path)
        if origin is None or not self.path.exists() or origin.url != self.url or origin.sha256 != _digest(self.path):
            return None
        return origin

    def _release(self, origin: _Origin, digest: str, was_modified: bool) -> Release:
        return Release(self.path, digest, self.path.stat().st_size, self.url, origin.version, was_modified)

    def _begun(self) -> _Origin | None:
        """Describe the beginning at hand, if its rest can be asked for."""
        origin = _read_origin(self.part)
        if origin is None or origin.url != self.url or not origin.validator:
            return None
        return origin if self.part.exists() and self.part.stat().st_size else None

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept-Encoding": "identity"}  # lengths and ranges are those of the file
        begun = self._begun()
        if begun and begun.validator:
            return headers | {"Range": f"bytes={self.part.stat().st_size}-", "If-Range": begun.validator}
        asked = {"If-None-Match": self.known.etag, "If-Modified-Since": self.known.last_modified} if self.known else {}
        return headers | {name: value for name, value in asked.items() if value}

    def _receive(self, response: requests.Response, trail: tuple[str, ...]) -> _Origin | None:
        """Write what comes; None if nothing is newer than what is known."""
        if response.status_code == 304 and self.known:
            return None
        if response.status_code == 206:
            return self._append(response)
        if response.status_code == 416:
            self._drop_part()
            raise TryAgainError("the rest of the file cannot be had")
        if response.status_code != 200:
            raise unexpected(self.url, (200, 206, 304), response)
        version = next((found[1] for url in trail if (found := _VERSION_IN_URL.search(url))), None)
        origin = _Origin(self.url, response.headers.get("ETag"), response.headers.get("Last-Modified"), version)
        # nothing may look like the beginning of this file while its origin is being written
        self._drop_part()
        _write_origin(self.part, origin)
        self._write(response, 0, _stated_length(response))
        return origin

    def _append(self, response: requests.Response) -> _Origin:
        size, begun = self.part.stat().st_size, self._begun()
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if begun is None or found is None or int(found[1]) != size:
            self._drop_part()
            raise TryAgainError(f"expected the bytes from {size} on, found {response.headers.get('Content-Range')!r}")
        self._write(response, size, int(found[2]))
        return begun

    def _write(self, response: requests.Response, size: int, total: int | None) -> None:
        if size:
            self.say(f"Going on with the download after {size / 1e6:.1f} MB.")
        told = _quarter(size, total)
        try:
            with self.part.open("ab") as stream:
                for chunk in chunks(response, MAX_RELEASE_BYTES - size):
                    stream.write(chunk)
                    size += len(chunk)
                    if total and _quarter(size, total) > told:
                        told = _quarter(size, total)
                        self.say(f"Downloaded {25 * told} % of {total / 1e6:.1f} MB.")
        except SourceError:
            self._drop_part()  # too large: its rest is never wanted
            raise

    def _drop_part(self) -> None:
        self.part.unlink(missing_ok=True)
        _origin_path(self.part).unlink(missing_ok=True)


def _quarter(size: int, total: int | None) -> int:
    return 4 * size // total if total else 0


def _check(path: Path, location: str) -> None:
    try:
        read_f1db(path)
    except DataError as error:
        if path.exists():
            found = "a web page" if _is_page(path) else str(error).rstrip(".")
        else:
            found = "a path that does not exist"
        raise SourceError(f"{location}: expected an F1DB CSV release (f1db-csv.zip), found {found}") from error


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(200).lstrip().startswith(b"<")


def _stated_length(response: requests.Response) -> int | None:
    stated = response.headers.get("Content-Length", "")
    return int(stated) if stated.isdecimal() else None


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _origin_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_origin(path: Path) -> _Origin | None:
    """Read what is known of a file; a note that is missing or damaged only costs a whole download."""
    try:
        return _Origin(**json.loads(_origin_path(path).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _write_origin(path: Path, origin: _Origin) -> None:
    staged = path.with_name(f"{path.name}.json.new")
    staged.write_text(json.dumps(asdict(origin), indent=1) + "\n", encoding="utf-8")
    staged.replace(_origin_path(path))


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())

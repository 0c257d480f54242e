"""One polite HTTP client for every source: identified, one request at a time, patient, bounded.

Belongs here: how to ask a server for bytes. Neighbours: `f1db_release` and `feed` know what to ask for, `received`
keeps what comes. Whatever goes wrong on the way (a status, a timeout, a lost connection, an answer that breaks off) is
tried again by the one loop in :meth:`HttpClient.exchange`, or becomes a `SourceError` that names the address.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from f1_pipeline import __version__
from f1_pipeline.errors import SourceError

T = TypeVar("T")

USER_AGENT = f"f1-pipeline/{__version__} (open-source F1 Fantasy research)"
MAX_PAYLOAD_BYTES = 20_000_000
_MAX_REDIRECTS = 5
_CHUNK_BYTES = 8 * 1024  # also the most that is lost of an answer that breaks off
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NOT_THERE = (404, 410)
# Beside every 5xx: the server was too slow to hear the request, heard it too early, or hears too many.
_PASSING = (408, 425, 429)
_FAULTS = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class NotThereError(SourceError):
    """The server has nothing under this address."""


class TryAgainError(Exception):
    """This exchange failed, the next may not; carries how long the server asks to be left alone, in seconds."""

    def __init__(self, cause: str, rest_s: float = 0.0) -> None:
        super().__init__(cause)
        self.rest_s = rest_s


@dataclass(frozen=True)
class Patience:
    """How long to wait for what.

    Attributes
    ----------
    pause_s : float
        Rest between two requests to the same host.
    connect_timeout_s, read_timeout_s : float
        Longest wait for a connection, and for the next bytes of an answer.
    answer_timeout_s : float
        Longest wait for a whole answer: a server that sends a byte now and then never exceeds the one before.
    attempts : int
        Requests before giving up, the first included.
    first_wait_s, longest_wait_s : float
        Back-off before the second attempt, which doubles, and its limit; also the longest rest that a server may ask
        for: one that wants to be left alone for longer is not asked again.
    """

    pause_s: float = 1.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    answer_timeout_s: float = 600.0
    attempts: int = 4
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclass(frozen=True)
class Payload:
    """What came back: 200 with a body, or 304 and none."""

    status: int
    body: bytes
    etag: str | None
    last_modified: str | None


Receive = Callable[[requests.Response, tuple[str, ...]], T]
"""Makes something of an answer, given the addresses it came by; may raise `TryAgainError` to have it asked again."""


class HttpClient:
    """Asks one thing at a time; a context manager, closing gives the connections back.

    Parameters
    ----------
    patience : Patience
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._one_at_a_time = threading.Lock()
        self._left_s: dict[str, float] = {}
        first_s, longest_s = self.patience.first_wait_s, self.patience.longest_wait_s
        self._back_off = wait_exponential(multiplier=first_s, max=longest_s) + wait_random(0, first_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that were kept open."""
        self._session.close()

    def get(
        self,
        url: str,
        etag: str | None = None,
        last_modified: str | None = None,
        max_bytes: int = MAX_PAYLOAD_BYTES,
    ) -> Payload:
        """Get a small document.

        Parameters
        ----------
        url : str
            https; http is for this computer only.
        etag, last_modified : str, optional
            Of the copy at hand; the answer is 304 without a body if it is still good.
        max_bytes : int
            Largest body that is accepted, decompressed.

        Returns
        -------
        Payload

        Raises
        ------
        NotThereError
            404 or 410: not asked again.
        SourceError
            The address is unsafe, or there is no good answer after all attempts.
        """
        known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in known.items() if value}

        def receive(response: requests.Response, _: tuple[str, ...]) -> Payload:
            accepted = (200, 304) if headers else (200,)
            if response.status_code not in accepted:
                raise unexpected(url, accepted, response)
            body = b"" if response.status_code == 304 else b"".join(chunks(response, max_bytes))
            return Payload(
                response.status_code, body, response.headers.get("ETag"), response.headers.get("Last-Modified")
            )

        return self.exchange(url, lambda: headers, receive)

    def exchange(self, url: str, headers: Callable[[], Mapping[str, str]], receive: Receive[T]) -> T:
        """Ask until there is an answer to make something of.

        Parameters
        ----------
        url : str
        headers : callable
            Called before each attempt: what to ask for may depend on what came before.
        receive : callable
            Given each answer that is not an error, with its body still to be read.

        Returns
        -------
        object
            What `receive` made of it.

        Raises
        ------
        NotThereError
            404 or 410.
        SourceError
            The address is unsafe, or there is no good answer after all attempts.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TryAgainError),
            stop=stop_after_attempt(self.patience.attempts),
            wait=self._wait,
            reraise=True,
        )
        try:
            return retrying(self._attempt, url, headers, receive)
        except TryAgainError as error:
            raise SourceError(f"{url}: {error}, in each of {self.patience.attempts} attempts") from error

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(self._back_off(state), error.rest_s if isinstance(error, TryAgainError) else 0.0)

    def _attempt(self, url: str, headers: Callable[[], Mapping[str, str]], receive: Receive[T]) -> T:
        with self._one_at_a_time:
            try:
                with self._follow(url, headers()) as (response, trail):
                    self._refuse_errors(url, response)
                    return receive(response, trail)
            except _FAULTS as error:
                raise TryAgainError(_fault(error)) from error
            except requests.RequestException as error:
                raise SourceError(f"{url}: the request cannot be made: {error}") from error
            except ValueError as error:  # an address or a length that is none; not all of them pass through requests
                raise SourceError(f"{url}: the answer cannot be understood: {error}") from error

    @contextmanager
    def _follow(self, url: str, headers: Mapping[str, str]) -> Generator[tuple[requests.Response, tuple[str, ...]]]:
        """Ask, and follow redirects to safe addresses only."""
        trail = [url]
        while True:
            with self._sent(trail[-1], headers) as response:
                if not response.is_redirect:
                    yield response, tuple(trail)
                    return
                trail.append(urljoin(trail[-1], response.headers["Location"]))
            if len(trail) > _MAX_REDIRECTS:
                raise SourceError(f"{url}: more than {_MAX_REDIRECTS} redirects, the last to {trail[-1]}")

    @contextmanager
    def _sent(self, url: str, headers: Mapping[str, str]) -> Generator[requests.Response]:
        host = _safe_host(url)
        time.sleep(max(0.0, self._left_s.get(host, -math.inf) + self.patience.pause_s - time.monotonic()))
        timeout = (self.patience.connect_timeout_s, self.patience.read_timeout_s)
        try:
            with (
                self._session.get(
                    url, headers=dict(headers), timeout=timeout, stream=True, allow_redirects=False
                ) as response,
                _cut_after(response, self.patience.answer_timeout_s),
            ):
                yield response
        finally:
            self._left_s[host] = time.monotonic()

    def _refuse_errors(self, url: str, response: requests.Response) -> None:
        status = response.status_code
        if status in _NOT_THERE:
            raise NotThereError(f"{url}: expected a document, found {_status(response)}")
        if status in _PASSING or status >= 500:
            rest_s = _rest_s(response.headers.get("Retry-After"))
            if rest_s > self.patience.longest_wait_s:
                raise SourceError(f"{url}: {_status(response)}; the server asks to be left alone for {rest_s:.0f} s")
            raise TryAgainError(f"expected a document, found {_status(response)}", rest_s)


@contextmanager
def _cut_after(response: requests.Response, longest_s: float) -> Generator[None]:
    """Hang up on an answer that takes too long, whose reader then waits no more."""
    is_cut = threading.Event()

    def cut() -> None:
        is_cut.set()
        response.raw.shutdown()

    timer = threading.Timer(longest_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _FAULTS:
        if not is_cut.is_set():
            raise
    finally:
        timer.cancel()
    if is_cut.is_set():  # without a stated length what was read looks whole
        raise TryAgainError(f"no whole answer in {longest_s:g} s")


def chunks(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """Read the body of an answer piece by piece.

    Parameters
    ----------
    response : requests.Response
        Not read yet.
    max_bytes : int
        Largest body that is accepted, decompressed.

    Yields
    ------
    bytes

    Raises
    ------
    SourceError
        The body is larger; a stated length is believed before the first byte is read.
    """
    stated = response.headers.get("Content-Length", "")
    received = int(stated) if stated.isdecimal() else 0
    if received <= max_bytes:
        received = 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            received += len(chunk)
            if received > max_bytes:
                break
            yield chunk
        else:
            return
    raise SourceError(f"{response.url}: expected at most {max_bytes} bytes, found {received} or more")


def unexpected(url: str, accepted: tuple[int, ...], response: requests.Response) -> SourceError:
    """Make the error of an answer whose status nobody asked for."""
    return SourceError(f"{url}: expected status {' or '.join(map(str, accepted))}, found {_status(response)}")


def _safe_host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceError(f"expected an https:// address, found {url!r}: {error}") from error
    host = parts.hostname or ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        raise SourceError(f"expected an https:// address (http:// for this computer only), found {url!r}")
    return parts.netloc


def _rest_s(retry_after: str | None) -> float:
    """Read Retry-After, which is seconds or a date (RFC 9110, section 10.2.3); one that is neither asks for nothing."""
    if not retry_after:
        return 0.0
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _status(response: requests.Response) -> str:
    known = {status.value: status.phrase for status in HTTPStatus}
    return f"{response.status_code} {known.get(response.status_code, response.reason)}"


def _fault(error: requests.RequestException) -> str:
    """Say in few words what happened to a connection."""
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer breaks off before its end"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return f"no connection ({str(reason).rpartition(': ')[2]})"

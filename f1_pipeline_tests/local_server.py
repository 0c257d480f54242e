"""A real HTTP server on 127.0.0.1 that answers as a test tells it to, and remembers what it was asked.

Belongs here: serving bytes under any path, the misbehaviour of servers, the record of requests. Neighbours:
`feed_server.py` makes payloads of the official feed for it, `release.py` makes F1DB releases.

    with LocalServer() as server:
        server.serve("/a.json", b"{}", etag='"1"')                       # 200, 304 and 206 as HTTP has it
        server.answer_next("/a.json", Answer(500), Answer(429, {"Retry-After": "1"}))  # these first, then the document
        server.answer_next("/a.json", Answer(cut_after=10))              # the document, ending too early
        server.answer_always("/b.json", Answer(stalls=True))             # never a byte
        ...                                                              # ask for server.url + "/a.json"
        server.asked("/a.json")[0].headers["User-Agent"]
        server.most_at_once

A path that is not served is 404. A request for a stalled answer is let go when the server closes.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer of the server.

    Attributes
    ----------
    status : int or None
        None answers with the path's document: 200, or 304 or 206 where the request's headers ask for it.
    headers : mapping of str to str
    body : bytes
        Ignored when `status` is None.
    cut_after : int or None
        Bytes of the body that are sent before the connection closes; Content-Length states all of them.
    stalls : bool
        Send nothing until the server closes.
    drips_s : float
        Rest before each byte of the body; 0 sends it at once.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_after: int | None = None
    stalls: bool = False
    drips_s: float = 0.0


@dataclass(frozen=True)
class Document:
    """What a path holds."""

    body: bytes
    content_type: str = "application/json"
    etag: str | None = None
    last_modified: str | None = None
    has_ranges: bool = True


@dataclass
class Asked:
    """One request as it came; times are of `time.monotonic`, in seconds; the second is when its answer began."""

    path: str
    headers: Message
    asked_s: float
    answered_s: float | None = None
    body: bytes = b""


class LocalServer:
    """See the module's description; a context manager, its `url` has no slash at the end."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._next: defaultdict[str, list[Answer]] = defaultdict(list)
        self._always: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self.most_at_once = 0
        self.requests: list[Asked] = []
        self.closing = threading.Event()
        self._http = _Listener(self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> LocalServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.drop_connections()
        self._http.server_close()
        self._thread.join()

    def serve(self, path: str, body: bytes, **of_document: Any) -> None:
        """Hold a document from now on; see :class:`Document` for what else it may have."""
        with self._lock:
            self._documents[path] = Document(body, **of_document)

    def document(self, path: str) -> Document:
        """Return what a path holds."""
        with self._lock:
            return self._documents[path]

    def withdraw(self, path: str) -> None:
        """Hold nothing under a path any more."""
        with self._lock:
            del self._documents[path]

    def answer_next(self, path: str, *answers: Answer) -> None:
        """Give these answers, one per request, before anything else."""
        with self._lock:
            self._next[path].extend(answers)

    def answer_always(self, path: str, answer: Answer) -> None:
        """Give this answer instead of the path's document."""
        with self._lock:
            self._always[path] = answer

    def asked(self, path: str | None = None) -> list[Asked]:
        """List the requests so far, those of one path if one is given, in their order."""
        with self._lock:
            return [request for request in self.requests if path in (None, request.path)]

    def forget(self) -> None:
        """Start the record of requests anew."""
        with self._lock:
            self.requests.clear()

    def choose(self, path: str) -> tuple[Answer, Document | None]:
        """Choose the answer to a request for a path."""
        with self._lock:
            document = self._documents.get(path)
            if self._next[path]:
                return self._next[path].pop(0), document
            return self._always.get(path, Answer() if document else Answer(404)), document

    def begin(self, path: str, headers: Message, body: bytes = b"") -> Asked:
        """Keep a request, and count how many wait for an answer at once."""
        request = Asked(path, headers, time.monotonic(), body=body)
        with self._lock:
            self.requests.append(request)
            self.most_at_once = max(self.most_at_once, sum(one.answered_s is None for one in self.requests))
        return request


class _Listener(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, local: LocalServer) -> None:
        self.local = local
        self._connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that has gone is none of the server's business
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        """End connections that clients keep alive, or closing would wait for them."""
        for connection in self._connections:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client to acknowledge its headers

    def do_POST(self) -> None:
        """Answer as to a GET; what was posted is kept with the request."""
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        assert isinstance(self.server, _Listener)
        local = self.server.local
        request = local.begin(self.path, self.headers, body)
        answer, document = local.choose(self.path)
        # before the first byte: a client that has its answer, or gave up, may ask again at once
        request.answered_s = time.monotonic()
        if answer.stalls:
            local.closing.wait()
            self.close_connection = True
            return
        if answer.status is None:
            assert document is not None, f"{self.path} is to be answered by a document, and has none"
            self._send_document(document, answer)
        else:
            self._send(answer.status, answer.headers, answer.body, answer.cut_after, answer.drips_s)

    def _send_document(self, document: Document, answer: Answer) -> None:
        known = {"ETag": document.etag, "Last-Modified": document.last_modified}
        headers = {name: value for name, value in known.items() if value} | dict(answer.headers)
        if self._is_known(document):
            return self._send(304, headers, b"", answer.cut_after)
        headers["Content-Type"] = document.content_type
        first = self._first_byte(document)
        if first is None:
            return self._send(200, headers, document.body, answer.cut_after)
        size = len(document.body)
        if first >= size:
            return self._send(416, headers | {"Content-Range": f"bytes */{size}"}, b"", answer.cut_after)
        headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        return self._send(206, headers, document.body[first:], answer.cut_after)

    def _is_known(self, document: Document) -> bool:
        if document.etag and "If-None-Match" in self.headers:
            return self.headers["If-None-Match"] == document.etag
        return bool(document.last_modified) and self.headers["If-Modified-Since"] == document.last_modified

    def _first_byte(self, document: Document) -> int | None:
        wanted = self.headers["Range"]
        if not wanted or not document.has_ranges:
            return None
        if "If-Range" in self.headers and self.headers["If-Range"] not in (document.etag, document.last_modified):
            return None
        return int(wanted.removeprefix("bytes=").split("-")[0])

    def _send(
        self, status: int, headers: Mapping[str, str], body: bytes, cut_after: int | None, drips_s: float = 0.0
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304 and "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if drips_s:
            self._drip(body, drips_s)
        else:
            self.wfile.write(body if cut_after is None else body[:cut_after])
        if cut_after is not None:
            self.close_connection = True

    def _drip(self, body: bytes, drips_s: float) -> None:
        assert isinstance(self.server, _Listener)
        for at in range(len(body)):
            if self.server.local.closing.wait(drips_s):
                break
            try:
                self.wfile.write(body[at : at + 1])
            except ConnectionError:  # the client hung up
                break
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet; the record of requests is the log."""

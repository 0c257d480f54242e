"""Asking servers: politely, patiently, safely. A real server on 127.0.0.1 answers as told."""

from __future__ import annotations

import dataclasses
import gzip
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from f1_pipeline import __version__
from f1_pipeline.errors import SourceError
from f1_pipeline.sources.download import HttpClient, NotThereError, Patience, Payload
from f1_pipeline_tests.local_server import Answer, LocalServer

HASTY = Patience(
    pause_s=0.0, connect_timeout_s=2.0, read_timeout_s=0.2, attempts=3, first_wait_s=0.001, longest_wait_s=1.5
)
BODY = b'{"Data": {"Value": []}}'


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as local:
        local.serve("/a.json", BODY)
        yield local


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(HASTY) as hasty:
        yield hasty


def test_a_document_comes_with_what_the_server_says_of_it(server: LocalServer, client: HttpClient) -> None:
    server.serve("/b.json", BODY, etag='"7"', last_modified="Sun, 15 Mar 2026 13:46:24 GMT")
    assert client.get(server.url + "/b.json") == Payload(200, BODY, '"7"', "Sun, 15 Mar 2026 13:46:24 GMT")


def test_requests_say_who_asks(server: LocalServer, client: HttpClient) -> None:
    client.get(server.url + "/a.json")
    (asked,) = server.asked()
    assert asked.headers["User-Agent"] == f"f1-pipeline/{__version__} (open-source F1 Fantasy research)"


def test_a_copy_that_is_still_good_is_not_sent_again(server: LocalServer, client: HttpClient) -> None:
    server.serve("/b.json", BODY, etag='"7"')
    assert client.get(server.url + "/b.json", etag='"7"') == Payload(304, b"", '"7"', None)
    assert client.get(server.url + "/b.json", etag='"6"').status == 200
    changed = "Sun, 15 Mar 2026 13:46:24 GMT"
    server.serve("/c.json", BODY, last_modified=changed)
    assert client.get(server.url + "/c.json", last_modified=changed).status == 304


def test_a_confirmation_nobody_asked_for_is_refused(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/a.json", Answer(304))
    with pytest.raises(SourceError, match=r"/a\.json: expected status 200, found 304 Not Modified$"):
        client.get(server.url + "/a.json")


def test_what_is_not_there_is_asked_for_once(server: LocalServer, client: HttpClient) -> None:
    with pytest.raises(NotThereError, match=r"^http://127.*/none\.json: expected a document, found 404 Not Found$"):
        client.get(server.url + "/none.json")
    assert len(server.asked("/none.json")) == 1


def test_a_refusal_is_final(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/a.json", Answer(403))
    with pytest.raises(SourceError, match="expected status 200, found 403 Forbidden"):
        client.get(server.url + "/a.json")
    assert len(server.asked()) == 1


def test_a_server_error_that_passes_is_outwaited(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/a.json", Answer(500), Answer(503))
    assert client.get(server.url + "/a.json").body == BODY
    assert len(server.asked()) == 3


def test_a_server_error_that_stays_is_given_up(server: LocalServer, client: HttpClient) -> None:
    server.answer_always("/a.json", Answer(500, body=b"<html>oops</html>"))
    message = r"/a\.json: expected a document, found 500 Internal Server Error, in each of 3 attempts$"
    with pytest.raises(SourceError, match=message):
        client.get(server.url + "/a.json")
    assert len(server.asked()) == 3


def test_a_server_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says(
    server: LocalServer, client: HttpClient
) -> None:
    server.answer_next("/a.json", Answer(429, {"Retry-After": "1"}))
    assert client.get(server.url + "/a.json").body == BODY
    first, second = server.asked()
    assert second.asked_s - first.asked_s >= 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_wants_a_long_rest_is_not_asked_again(
    server: LocalServer, client: HttpClient, status: int
) -> None:
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    for retry_after in ("3600", in_an_hour):
        server.answer_next("/a.json", Answer(status, {"Retry-After": retry_after}))
        with pytest.raises(SourceError, match=rf"{status} .*the server asks to be left alone for (3600|359\d) s$"):
            client.get(server.url + "/a.json")
    assert len(server.asked()) == 2


@pytest.mark.parametrize("retry_after", ["soon", "Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 -0000"])
def test_a_rest_that_is_over_or_unreadable_is_no_rest(
    server: LocalServer, client: HttpClient, retry_after: str
) -> None:
    server.answer_next("/a.json", Answer(429, {"Retry-After": retry_after}))
    assert client.get(server.url + "/a.json").body == BODY


def test_a_server_that_does_not_answer_is_given_up(server: LocalServer, client: HttpClient) -> None:
    server.answer_always("/a.json", Answer(stalls=True))
    with pytest.raises(SourceError, match=r"/a\.json: no answer in time, in each of 3 attempts$"):
        client.get(server.url + "/a.json")
    assert len(server.asked()) == 3


def test_a_server_that_is_not_there_is_given_up(client: HttpClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and it refuses
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.json"
        with pytest.raises(SourceError, match=r"no connection \(\[Errno 111\] Connection refused\), in each of 3"):
            client.get(url)


def test_an_answer_that_breaks_off_is_asked_for_again(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/a.json", Answer(cut_after=5), Answer(cut_after=0))
    assert client.get(server.url + "/a.json").body == BODY
    assert len(server.asked()) == 3


def test_an_answer_that_always_breaks_off_is_given_up(server: LocalServer, client: HttpClient) -> None:
    server.answer_always("/a.json", Answer(cut_after=5))
    with pytest.raises(SourceError, match=r"the answer breaks off before its end, in each of 3 attempts$"):
        client.get(server.url + "/a.json")


def test_a_body_that_is_too_large_is_refused(server: LocalServer, client: HttpClient) -> None:
    server.serve("/big.json", bytes(2001))
    with pytest.raises(SourceError, match=r"/big\.json: expected at most 2000 bytes, found 2001 or more$"):
        client.get(server.url + "/big.json", max_bytes=2000)
    assert len(client.get(server.url + "/big.json", max_bytes=2001).body) == 2001


def test_a_body_that_grows_too_large_when_unpacked_is_refused(server: LocalServer, client: HttpClient) -> None:
    packed = gzip.compress(bytes(1_000_000))
    server.answer_always("/bomb.json", Answer(200, {"Content-Encoding": "gzip"}, packed))
    assert len(packed) < 2000
    with pytest.raises(SourceError, match="expected at most 2000 bytes"):
        client.get(server.url + "/bomb.json", max_bytes=2000)
    assert len(client.get(server.url + "/bomb.json").body) == 1_000_000


@pytest.mark.parametrize(
    "url", ["http://example.org/a.json", "ftp://127.0.0.1/a.json", "file:///etc/passwd", "https:///a.json", "a.json"]
)
def test_an_unsafe_address_is_not_asked(client: HttpClient, url: str) -> None:
    with pytest.raises(SourceError, match=r"expected an https:// address \(http:// for this computer only\), found"):
        client.get(url)


def test_redirects_are_followed_to_safe_addresses_only(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/old.json", Answer(302, {"Location": "/a.json"}))
    assert client.get(server.url + "/old.json").body == BODY
    server.answer_next("/old.json", Answer(302, {"Location": "http://example.org/a.json"}))
    with pytest.raises(SourceError, match=r"found 'http://example\.org/a\.json'"):
        client.get(server.url + "/old.json")


@pytest.mark.parametrize("location", ["https://[::1", "https://" + 80 * "a" + ".org/"])
def test_a_redirect_to_no_address_is_refused(server: LocalServer, client: HttpClient, location: str) -> None:
    server.answer_next("/old.json", Answer(302, {"Location": location}))
    with pytest.raises(SourceError, match=r"Invalid IPv6 URL|label empty or too long"):
        client.get(server.url + "/old.json")


def test_a_length_that_is_no_number_a_computer_knows_is_refused(server: LocalServer, client: HttpClient) -> None:
    server.answer_next("/a.json", Answer(200, {"Content-Length": 5000 * "9"}, BODY))
    with pytest.raises(SourceError, match="the answer cannot be understood: Exceeds the limit"):
        client.get(server.url + "/a.json")


def test_redirects_that_never_end_are_given_up(server: LocalServer, client: HttpClient) -> None:
    server.answer_always("/round.json", Answer(302, {"Location": "/round.json"}))
    with pytest.raises(SourceError, match="more than 5 redirects"):
        client.get(server.url + "/round.json")


def test_a_host_is_asked_one_thing_at_a_time_with_a_pause_between(server: LocalServer) -> None:
    with HttpClient(Patience(pause_s=0.05)) as client:
        threads = [threading.Thread(target=client.get, args=(server.url + "/a.json",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert server.most_at_once == 1
    asked = server.asked()
    assert len(asked) == 4
    assert all(later.asked_s - (earlier.answered_s or 0.0) >= 0.05 for earlier, later in pairwise(asked))


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "identity"}], ids=["stated length", "no length"])
def test_an_answer_that_drips_is_given_up_although_every_byte_comes_in_time(headers: dict[str, str]) -> None:
    patience = dataclasses.replace(HASTY, attempts=2, answer_timeout_s=0.3)
    with LocalServer() as server, HttpClient(patience) as client:
        server.answer_always("/slow.json", Answer(200, headers, b"{" * 200, drips_s=0.05))
        with pytest.raises(SourceError, match=r"no whole answer in 0\.3 s, in each of 2 attempts"):
            client.get(server.url + "/slow.json")
        assert len(server.asked("/slow.json")) == 2

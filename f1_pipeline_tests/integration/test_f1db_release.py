"""Getting an F1DB release: in parts, checked before it counts, and never at the cost of the one at hand."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from f1_pipeline.errors import SourceError
from f1_pipeline.sources.download import HttpClient, Patience
from f1_pipeline.sources.f1db import F1DB_COLUMNS, read_f1db
from f1_pipeline.sources.f1db_release import Release, fetch_release
from f1_pipeline_tests.local_server import Answer, LocalServer
from f1_pipeline_tests.release import write_release

LATEST = "/f1db/releases/latest/download/f1db-csv.zip"
V5, V6 = "/f1db/releases/download/v2026.5.0/f1db-csv.zip", "/f1db/releases/download/v2026.6.0/f1db-csv.zip"
HASTY = Patience(pause_s=0.0, connect_timeout_s=2.0, read_timeout_s=0.2, attempts=3, first_wait_s=0.001)
MANY = 4000


def release_bytes(folder: Path, name: str, grands_prix: int = MANY) -> bytes:
    """Make a release of about 300 kB whose content depends on its name: text that does not compress."""
    rows: dict[str, list[dict[str, str]]] = {file: [] for file in F1DB_COLUMNS}
    rows["grands-prix"] = [
        {"id": f"gp-{number}", "fullName": hashlib.sha256(f"{name}{number}".encode()).hexdigest()}
        for number in range(grands_prix)
    ]
    return write_release(folder / f"{name}.zip", rows).read_bytes()


class Mirror:
    """A server that redirects the latest release to a numbered one, and a folder to download into."""

    def __init__(self, server: LocalServer, client: HttpClient, folder: Path) -> None:
        self.server, self.client, self.cache = server, client, folder / "cache"
        self.v5, self.v6 = release_bytes(folder, "v5"), release_bytes(folder, "v6")
        self.said: list[str] = []

    def publish(self, path: str, body: bytes, etag: str | None, has_ranges: bool = True) -> None:
        """Let the latest release be the one at a path."""
        self.server.answer_always(LATEST, Answer(302, {"Location": path}))
        self.server.serve(path, body, content_type="application/zip", etag=etag, has_ranges=has_ranges)

    def fetch(self) -> Release:
        self.said.clear()
        return fetch_release(self.server.url + LATEST, self.cache, self.client, self.said.append)

    def at_hand(self) -> bytes:
        return (self.cache / "f1db-csv.zip").read_bytes()

    def files(self) -> list[str]:
        return sorted(path.name for path in self.cache.iterdir())


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with LocalServer() as server, HttpClient(HASTY) as client:
        yield Mirror(server, client, tmp_path)


@pytest.fixture
def with_v5(mirror: Mirror) -> Mirror:
    """The mirror after a download of 2026.5.0, its record of requests empty."""
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.fetch()
    mirror.server.forget()
    return mirror


def test_a_release_on_disk_is_used_where_it_is(mirror: Mirror, tmp_path: Path) -> None:
    path = tmp_path / "f1db-csv-2026.5.zip"
    path.write_bytes(mirror.v5)
    release = fetch_release(str(path), mirror.cache, mirror.client, mirror.said.append)
    digest = hashlib.sha256(mirror.v5).hexdigest()
    assert release == Release(path, digest, len(mirror.v5), str(path), "2026.5", True)
    assert not mirror.cache.exists()
    assert mirror.server.asked() == []


def test_a_file_that_is_no_release_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"none\.zip: expected an F1DB CSV release [^;]*, found a path that does not exist$"
    ):
        fetch_release(str(tmp_path / "none.zip"), mirror.cache, mirror.client, mirror.said.append)


def test_a_release_is_downloaded_with_its_version(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    release = mirror.fetch()
    digest = hashlib.sha256(mirror.v5).hexdigest()
    path = mirror.cache / "f1db-csv.zip"
    assert release == Release(path, digest, len(mirror.v5), mirror.server.url + LATEST, "2026.5.0", True)
    assert mirror.at_hand() == mirror.v5
    assert mirror.files() == ["f1db-csv.zip", "f1db-csv.zip.json"]
    assert len(read_f1db(release.path)["grands-prix"]) == MANY


def test_progress_is_told(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.fetch()
    told = [text for text in mirror.said if "%" in text]
    assert told == [f"Downloaded {percent} % of 0.3 MB." for percent in (25, 50, 75, 100)]


def test_a_release_that_is_not_new_is_not_downloaded_again(with_v5: Mirror) -> None:
    release = with_v5.fetch()
    assert not release.was_modified
    assert release.version == "2026.5.0"
    (asked,) = with_v5.server.asked(V5)
    assert asked.headers["If-None-Match"] == '"five"'


def test_a_newer_release_replaces_the_one_at_hand(with_v5: Mirror) -> None:
    with_v5.publish(V6, with_v5.v6, '"six"')
    release = with_v5.fetch()
    assert (release.version, release.was_modified) == ("2026.6.0", True)
    assert with_v5.at_hand() == with_v5.v6


def test_the_same_release_under_a_new_tag_is_no_change(with_v5: Mirror) -> None:
    with_v5.publish(V5, with_v5.v5, '"five again"')
    assert not with_v5.fetch().was_modified


def test_a_download_that_breaks_off_is_taken_up_where_it_ended(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.server.answer_next(V5, Answer(cut_after=100_000), Answer(cut_after=10_000))
    assert mirror.fetch().byte_count == len(mirror.v5)
    assert mirror.at_hand() == mirror.v5
    asked = mirror.server.asked(V5)
    assert [request.headers["Range"] for request in asked] == [None, "bytes=98304-", "bytes=106496-"]
    assert [request.headers["If-Range"] for request in asked] == [None, '"five"', '"five"']
    assert {request.headers["Accept-Encoding"] for request in asked} == {"identity"}
    assert "Going on with the download after 0.1 MB." in mirror.said


def test_a_download_that_was_given_up_is_taken_up_by_the_next_call(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.server.answer_next(V5, *(Answer(cut_after=32_768) for _ in range(3)))
    with pytest.raises(SourceError, match=r"breaks off before its end, in each of 3 attempts$"):
        mirror.fetch()
    assert mirror.files() == ["f1db-csv.zip.part", "f1db-csv.zip.part.json"]
    mirror.server.forget()
    assert mirror.fetch().version == "2026.5.0"
    assert mirror.server.asked(V5)[0].headers["Range"] == "bytes=98304-"
    assert mirror.at_hand() == mirror.v5


def test_a_download_starts_anew_when_the_release_has_changed_meanwhile(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.server.answer_next(V5, *(Answer(cut_after=32_768) for _ in range(3)))
    with pytest.raises(SourceError):
        mirror.fetch()
    mirror.publish(V6, mirror.v6, '"six"')
    assert mirror.fetch().version == "2026.6.0"
    assert mirror.at_hand() == mirror.v6


def test_a_download_starts_anew_where_the_server_has_no_ranges(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"', has_ranges=False)
    mirror.server.answer_next(V5, Answer(cut_after=100_000))
    mirror.fetch()
    assert mirror.at_hand() == mirror.v5


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_a_download_starts_anew_where_nothing_proves_that_its_parts_belong_together(
    mirror: Mirror, etag: str | None
) -> None:
    mirror.publish(V5, mirror.v5, etag)
    mirror.server.answer_next(V5, Answer(cut_after=100_000))
    mirror.fetch()
    assert [request.headers["Range"] for request in mirror.server.asked(V5)] == [None, None]
    assert mirror.at_hand() == mirror.v5


def test_a_part_that_is_longer_than_the_file_is_thrown_away(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    mirror.server.answer_next(V5, *(Answer(cut_after=32_768) for _ in range(3)))
    with pytest.raises(SourceError):
        mirror.fetch()
    (mirror.cache / "f1db-csv.zip.part").write_bytes(mirror.v5 + b"more")
    mirror.server.forget()
    mirror.fetch()
    assert [request.headers["Range"] for request in mirror.server.asked(V5)] == [f"bytes={len(mirror.v5) + 4}-", None]
    assert mirror.at_hand() == mirror.v5


def test_the_wrong_bytes_are_not_appended(mirror: Mirror) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    wrong = Answer(206, {"Content-Range": f"bytes 0-99/{len(mirror.v5)}"}, mirror.v5[:100])
    mirror.server.answer_next(V5, Answer(cut_after=100_000), wrong)
    mirror.fetch()
    assert mirror.at_hand() == mirror.v5


def repacked(body: bytes, folder: Path, lacking: str = "") -> bytes:
    """Pack a release again, one file left out."""
    old, new = folder / "old.zip", folder / "new.zip"
    old.write_bytes(body)
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != lacking:
                target.writestr(name, source.read(name))
    return new.read_bytes()


def test_what_is_no_release_never_replaces_the_one_at_hand(with_v5: Mirror, tmp_path: Path) -> None:
    spoiled, unpackable = bytearray(with_v5.v6), bytearray(repacked(with_v5.v6, tmp_path))
    spoiled[60_000:60_100] = bytes(100)
    unpackable[30 + len("f1db-circuits.csv")] = 0xFF  # the first packed byte: a block of a type that is not in use
    bad = {
        "a web pag": b"<!DOCTYPE html><html>Rate limited</html>",
        r"f1db-csv\.zip\.part is not a readable zip archive": with_v5.v6[:100_000],
        r"f1db-csv\.zip\.part lacks f1db-races\.csv": repacked(with_v5.v6, tmp_path, "f1db-races.csv"),
        r"f1db-csv\.zip\.part is not a readable zip archive: Bad CRC-32": bytes(spoiled),
        "(Error -3|f1db-csv.zip.part is not a readable zip).*invalid block typ": bytes(unpackable),
    }
    for number, (found, body) in enumerate(bad.items()):
        with_v5.publish(V6, body, f'"bad {number}"')
        untouched = r"[^.]; the release downloaded at \d{4}-\d\d-\d\d \d\d:\d\d UTC is untouched \(.*f1db-csv\.zip\)$"
        with pytest.raises(
            SourceError, match=f"latest/download/f1db-csv.zip: expected an F1DB.*found {found}.*{untouched}"
        ):
            with_v5.fetch()
        assert with_v5.at_hand() == with_v5.v5
        assert with_v5.files() == ["f1db-csv.zip", "f1db-csv.zip.json"]
    with_v5.publish(V6, with_v5.v6, '"six"')
    with_v5.fetch()
    assert with_v5.at_hand() == with_v5.v6


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(404), "found 404 Not Found"),
        (Answer(500), "found 500 Internal Server Error, in each of 3"),
        (Answer(429, {"Retry-After": "600"}), "left alone for 600 s"),
        (Answer(stalls=True), "no answer in time, in each of 3"),
        (Answer(200, {"Content-Length": "300000000"}), "expected at most 200000000 bytes, found 300000000"),
    ],
)
def test_trouble_with_the_server_leaves_the_one_at_hand(with_v5: Mirror, answer: Answer, cause: str) -> None:
    with_v5.server.answer_always(LATEST, answer)
    with pytest.raises(SourceError, match=f"{cause}.*; the release downloaded at .* is untouched"):
        with_v5.fetch()
    assert with_v5.at_hand() == with_v5.v5


def test_trouble_with_nothing_at_hand_promises_nothing(mirror: Mirror) -> None:
    with pytest.raises(SourceError, match=r"found 404 Not Found$"):
        mirror.fetch()
    assert mirror.files() == []


def test_a_release_that_was_damaged_on_disk_is_downloaded_again(with_v5: Mirror) -> None:
    (with_v5.cache / "f1db-csv.zip").write_bytes(b"damaged")
    assert with_v5.fetch().was_modified
    assert with_v5.at_hand() == with_v5.v5
    (with_v5.cache / "f1db-csv.zip.json").write_text("{half a no")
    with_v5.fetch()
    assert [request.headers["If-None-Match"] for request in with_v5.server.asked(V5)] == [None, None]


def test_another_address_is_another_release(with_v5: Mirror) -> None:
    with_v5.server.serve("/mine.zip", with_v5.v6, etag='"five"')
    release = fetch_release(with_v5.server.url + "/mine.zip", with_v5.cache, with_v5.client, with_v5.said.append)
    assert (release.version, release.sha256) == (None, hashlib.sha256(with_v5.v6).hexdigest())


def test_an_unsafe_address_is_not_asked(mirror: Mirror) -> None:
    with pytest.raises(SourceError, match="expected an https:// address"):
        fetch_release("http://example.org/f1db-csv.zip", mirror.cache, mirror.client, mirror.said.append)


def test_a_folder_that_cannot_be_written_is_named(mirror: Mirror, tmp_path: Path) -> None:
    mirror.publish(V5, mirror.v5, '"five"')
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"cache: the release cannot be kept: File exists"):
        mirror.fetch()

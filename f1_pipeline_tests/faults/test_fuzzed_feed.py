"""Spoilt payloads of the official feed, as its readers meet them, and a spoilt store of what it sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.feed_history import stated_assets
from f1_pipeline.sources.feed_payloads import check_meetings, items_of, read_drivers, read_playerstats
from f1_pipeline.sources.feed_schedule import read_schedule
from f1_pipeline.sources.received import FOLDER, INDEX_NAME, ReceivedStore
from f1_pipeline_tests.faults.fuzzing import PAYLOADS, fuzz
from f1_pipeline_tests.faults.mutations import any_bytes, any_json
from f1_pipeline_tests.small_game import ANTONELLI, MERCEDES, RUSSELL, small_game
from f1_pipeline_tests.support import DATA

URL = "https://fantasy.formula1.com/feeds/some.json"
SCHEDULE = "/schedule/raceday_en.json"
DOCUMENTS = small_game().documents()
pytestmark = pytest.mark.faults


def spoilt(*paths: str) -> Callable[[Random], bytes]:
    return lambda random: any_json(random, DOCUMENTS[random.choice(paths)])


def test_a_spoilt_schedule_is_read_or_refused(scaled: Callable[[int], int]) -> None:
    tally = fuzz("schedule", spoilt(SCHEDULE), lambda body: read_schedule(body, URL), scaled(PAYLOADS))
    assert tally.refused


def test_spoilt_assets_are_read_or_refused(scaled: Callable[[int], int]) -> None:
    meetings = read_schedule(DOCUMENTS[SCHEDULE], URL)
    paths = ("/drivers/1_en.json", "/drivers/2_en.json", "/drivers/3_en.json")
    tally = fuzz("drivers", spoilt(*paths), lambda body: read_drivers(body, URL, meetings[2]), scaled(PAYLOADS))
    assert tally.refused


def test_spoilt_items_are_read_or_refused(scaled: Callable[[int], int]) -> None:
    meetings = read_schedule(DOCUMENTS[SCHEDULE], URL)
    rules = {2026: load_rules(DATA, 2026)}

    def read(body: bytes) -> None:
        stats = read_playerstats(body, URL, ANTONELLI)
        check_meetings(stats, meetings, URL)
        items_of(stats, meetings, rules)

    paths = [f"/popup/playerstats_{player}.json" for player in (ANTONELLI, RUSSELL, MERCEDES)]
    assert fuzz("playerstats", spoilt(*paths), read, scaled(PAYLOADS)).refused


def test_a_spoilt_store_of_what_was_received_is_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    store = ReceivedStore(tmp_path, lambda text: None)
    at = datetime(2026, 3, 16, tzinfo=UTC)
    for path in (SCHEDULE, "/drivers/2_en.json", SCHEDULE):
        store.keep(path, URL + path, DOCUMENTS[path], at, '"etag"', None)
    index = (tmp_path / FOLDER / INDEX_NAME).read_bytes()
    lines = [json.dumps(json.loads(line)).encode() for line in index.splitlines()]
    files = {path: path.read_bytes() for path in sorted((tmp_path / FOLDER).glob("*/*.gz"))}

    def make(random: Random) -> tuple[bytes, dict[Path, bytes]]:
        spoilt_lines = [any_json(random, line) if random.random() < 0.4 else line for line in lines]
        path = random.choice(list(files))
        body = gzip.compress(any_json(random, DOCUMENTS[SCHEDULE])) if random.random() < 0.3 else files[path]
        return b"\n".join(spoilt_lines) + b"\n", files | {path: any_bytes(random, body)}

    def read(payload: tuple[bytes, dict[Path, bytes]]) -> None:
        (tmp_path / FOLDER / INDEX_NAME).write_bytes(payload[0])
        for path, content in payload[1].items():
            path.write_bytes(content)
        stated_assets(ReceivedStore(tmp_path, lambda text: None), lambda text: None)

    assert fuzz("received", make, read, scaled(PAYLOADS)).refused

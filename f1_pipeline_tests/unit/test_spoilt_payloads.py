"""A few hundred spoilt payloads for readers whose ten thousand are in `faults/`, and what those have found."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.f1db import F1DB_COLUMNS, read_f1db
from f1_pipeline.sources.received import FOLDER, INDEX_NAME, ReceivedStore
from f1_pipeline.warehouse.model_file import read_model
from f1_pipeline_tests.faults.fuzzing import fuzz
from f1_pipeline_tests.faults.mutations import NASTY_TEXTS, NASTY_TOML, any_json, any_lines
from f1_pipeline_tests.support import DATA, REPO

COUNT = 200


def test_spoilt_rules_and_models_are_read_or_refused(tmp_path: Path) -> None:
    rules, model = tmp_path / "rules" / "2022.toml", tmp_path / "core" / "race.sql"
    for path, good, nasty, between in (
        (rules, DATA / "rules" / "2022.toml", NASTY_TOML, "= "),
        (model, REPO / "dbt_like_sql" / "core" / "race.sql", NASTY_TEXTS, ": "),
    ):
        path.parent.mkdir()
        content, mutate = good.read_bytes(), any_lines(nasty, between)

        def read(payload: bytes, path: Path = path) -> None:
            path.write_bytes(payload)
            load_rules(tmp_path, 2022) if path == rules else read_model(path)

        assert fuzz(path.name, lambda random, of=content, by=mutate: by(random, of), read, COUNT).refused


def test_a_spoilt_receipt_is_read_or_refused(tmp_path: Path) -> None:
    ReceivedStore(tmp_path, pytest.fail).keep("/a.json", "https://a/a.json", b"{}", datetime.now(UTC), None, None)
    index = tmp_path / FOLDER / INDEX_NAME
    line = index.read_bytes().rstrip()

    def read(payload: bytes) -> None:
        index.write_bytes(payload + b"\n")
        ReceivedStore(tmp_path, lambda text: None)

    assert fuzz("receipt", lambda random: any_json(random, line), read, COUNT).refused


@pytest.mark.parametrize("content", [b"season = 2022\xff", b"season = " + b"[" * 5000, b"season = 0000-99-99"])
def test_rules_that_choke_a_parser_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "2022.toml").write_bytes(content)
    with pytest.raises(RuleError, match=r"2022\.toml is not valid TOML: "):
        load_rules(tmp_path, 2022)


def test_a_kind_of_rules_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    text = (DATA / "rules" / "2026.toml").read_text(encoding="utf-8")
    spoilt = text.replace('kind = "time_band"', "kind = { a = 1 }")
    assert spoilt != text
    (tmp_path / "rules" / "2026.toml").write_text(spoilt, encoding="utf-8")
    with pytest.raises(RuleError, match=r"2026\.toml: key pit_stops\.kind: expected .* found \{'a': 1\}"):
        load_rules(tmp_path, 2026)


def test_a_model_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "race.sql").write_bytes(b"-- description: caf\xe9\nselect 1\n")
    with pytest.raises(DataError, match=r"race\.sql: expected UTF-8 text"):
        read_model(tmp_path / "race.sql")


def test_a_payload_that_unpacks_to_more_than_was_received_is_refused(tmp_path: Path) -> None:
    store = ReceivedStore(tmp_path, pytest.fail)
    receipt = store.keep("/a.json", "https://a/a.json", b"{}", datetime.now(UTC), None, None)
    digest = hashlib.sha256(b"{}").hexdigest()
    (tmp_path / FOLDER / digest[:2] / f"{digest}.gz").write_bytes(gzip.compress(b"0" * 50_000_000))
    with pytest.raises(DataError, match="is not what its name says"):
        store.read(receipt)


def test_an_archive_that_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "f1db-csv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in list(F1DB_COLUMNS)[:11]:
            with archive.open(f"f1db-{name}.csv", "w") as stream:
                stream.write(b"a\n" * 5_000_000)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(DataError, match=r"f1db-csv\.zip unpacks to 110000000 bytes; expected at most 100000000"):
        read_f1db(path)

"""Spoilt F1DB releases: archives as they are read, values as they are merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.f1db import F1DB_COLUMNS, read_f1db
from f1_pipeline.sources.f1db_merge import merge_release
from f1_pipeline.sources.fact_frames import read_facts
from f1_pipeline_tests.faults.fuzzing import PAYLOADS, fuzz
from f1_pipeline_tests.faults.mutations import NASTY_TEXTS, any_csv, any_zip
from f1_pipeline_tests.faults.small_facts import release_of, small_facts
from f1_pipeline_tests.release import release_frames
from f1_pipeline_tests.support import DATA

pytestmark = pytest.mark.faults


def test_a_spoilt_archive_is_read_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    path = tmp_path / "f1db-csv.zip"
    members = {
        f"f1db-{name}.csv": frame.head(3).to_csv(index=False, lineterminator="\n").encode("utf-8")
        for name, frame in release_frames(release_of(DATA)).items()
    }

    def read(content: bytes) -> None:
        path.write_bytes(content)
        read_f1db(path)

    tally = fuzz("F1DB archive", lambda random: any_zip(random, members, any_csv), read, scaled(PAYLOADS))
    assert tally.read
    assert tally.refused
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_release_with_spoilt_values_is_merged_or_refused(scaled: Callable[[int], int], tmp_path: Path) -> None:
    facts = read_facts(small_facts(tmp_path / "data"))
    frames = release_frames(release_of(DATA))
    rules = {2026: load_rules(DATA, 2026)}

    def make(random: Random) -> dict[str, pd.DataFrame]:
        changed = dict(frames)
        for _ in range(random.choice((1, 1, 2, 5))):
            name = random.choice(list(F1DB_COLUMNS))
            frame = changed[name].copy()
            if len(frame):
                column, row = random.choice(list(frame.columns)), random.randrange(len(frame))
                others = list(frame[column])
                how = random.randrange(4)
                if how == 0:
                    frame = frame.drop(frame.index[row]).reset_index(drop=True)
                elif how == 1:
                    frame = pd.concat([frame, frame.iloc[[row]]], ignore_index=True)
                else:
                    frame.loc[row, column] = random.choice(NASTY_TEXTS if how == 2 else others)
                changed[name] = frame
        return changed

    count = scaled(PAYLOADS)
    tally = fuzz("F1DB values", make, lambda release: merge_release(facts, release, rules, lambda text: None), count)
    assert tally.read
    assert tally.refused

"""What is said of a race that has locked while its results are not in data/: a moved clock, the real calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from f1_pipeline.report.lineups import locked_in_words
from f1_pipeline.report.pages import true_minus
from f1_pipeline.sources.calendar import read_calendar
from f1_pipeline_tests.support import DATA, NEXT_RACE


def test_a_race_that_has_locked_asks_for_a_refresh_until_its_results_are_there() -> None:
    race = read_calendar(DATA).get(NEXT_RACE)
    before, after = race.lock_at - timedelta(seconds=1), race.lock_at + timedelta(days=200)
    assert locked_in_words(race, before) is None
    said = locked_in_words(race, after)
    assert said is not None
    assert said.startswith(f"This race locked on {race.lock_at.day} {race.lock_at:%B %Y}")
    assert said.endswith("its results are not in data/ yet: f1-pipeline refresh")
    assert locked_in_words(replace(race, is_finished=True), after) is None


def test_only_minus_signs_become_minus_signs() -> None:
    assert true_minus("-3.5 points, from -2 to 1 (-4)") == "−3.5 points, from −2 to 1 (−4)"
    assert true_minus("2025-26, FP1-3, v2-1") == "2025-26, FP1-3, v2-1"

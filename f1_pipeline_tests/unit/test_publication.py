"""Published forecasts: draws and figures by hand, what the hash notices, and which version counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.forecast.evaluation import QUANTILES
from f1_pipeline.forecast.publication import content_hash, figures, forecast_draws, versions

QUICK = settings(derandomize=True, database=None, deadline=None, max_examples=20)
DEADLINE = datetime(2026, 3, 7, 5, tzinfo=UTC)
BEFORE, AFTER = DEADLINE - timedelta(hours=3), DEADLINE + timedelta(hours=3)


# Draws.


def test_draws_are_moved_to_the_expectation_by_hand():
    draws = np.array([[0, 10, 20], [5, 5, 8]], dtype=np.int16)
    found = forecast_draws(draws, np.array([12.5, -3.0]), np.array([1.0, 1.0]))
    # means 10 and 6: 2.5 more, 9 less; in tenths
    assert found.tolist() == [[25, 125, 225], [-40, -40, -10]]
    assert found.dtype == np.int16


def test_draws_are_scaled_around_the_expectation_by_hand():
    draws = np.array([[0, 10, 20], [0, 10, 20], [0, 10, 20]], dtype=np.int16)
    found = forecast_draws(draws, np.array([10.0, 10.0, 10.0]), np.array([0.5, 2.0, 0.0]))
    assert found.tolist() == [[50, 100, 150], [-100, 100, 300], [100, 100, 100]]


def test_halves_of_tenths_go_to_even_and_enormous_points_stay_in_a_smallint():
    found = forecast_draws(np.array([[0, 0]]), np.array([0.25]), np.array([1.0]))
    assert found.tolist() == [[2, 2]]
    found = forecast_draws(np.array([[-9000, 9000]]), np.array([0.0]), np.array([5.0]))
    assert found.tolist() == [[-32_000, 32_000]]


ASSETS = st.lists(st.lists(st.integers(-60, 150), min_size=6, max_size=6), min_size=1, max_size=5)


@QUICK
@given(draws=ASSETS, expected=st.floats(-40, 90), scale=st.floats(0.2, 3))
def test_ranks_and_what_happens_together_are_kept(draws, expected, scale):
    draws = np.array(draws, dtype=np.int16)
    found = forecast_draws(draws, np.full(len(draws), expected), np.full(len(draws), scale))
    # a point more is at least two tenths more, and equal draws stay equal
    for own, moved in zip(draws, found, strict=True):
        np.testing.assert_array_equal(np.sign(np.subtract.outer(own, own)), np.sign(np.subtract.outer(moved, moved)))
    assert np.abs(found.mean(axis=1) / 10 - expected).max() <= 0.05 + 1e-9
    spread = scale * draws.astype(float).std(axis=1)
    np.testing.assert_allclose(found.std(axis=1) / 10, spread, atol=0.051)


@QUICK
@given(draws=ASSETS, seed=st.integers(0, 99))
def test_the_same_shift_for_every_draw_changes_nothing(draws, seed):
    draws = np.array(draws, dtype=np.int16)
    generator = np.random.default_rng(seed)
    expected, scale = generator.normal(10, 5, len(draws)), generator.uniform(0.5, 2, len(draws))
    np.testing.assert_array_equal(forecast_draws(draws + 7, expected, scale), forecast_draws(draws, expected, scale))


def test_figures_by_hand():
    # 0.0, 0.1, … 10.0 points: quantiles are themselves, the variance of 101 steps of 0.1 is (101² - 1) / 12 / 100
    found = figures(np.array([np.arange(101), np.full(101, -30)], dtype=np.int16))
    assert found.columns.tolist() == ["sd_points", "p05", "p10", "p25", "p50", "p75", "p90", "p95"]
    assert found.loc[0].tolist() == pytest.approx([np.sqrt(8.5), 0.5, 1.0, 2.5, 5.0, 7.5, 9.0, 9.5])
    assert found.loc[1].tolist() == [0.0, *[-3.0] * 7]


@QUICK
@given(draws=ASSETS)
def test_quantiles_are_in_order(draws):
    found = figures(np.array(draws, dtype=np.int16))[list(QUANTILES)].to_numpy()
    assert (np.diff(found, axis=1) >= 0).all()


# The hash.


@pytest.fixture
def forecast():
    return pd.DataFrame(
        {
            "race_key": "2026-one",
            "phase": "at_lock",
            "candidate": "ridge",
            "asset_type": ["driver", "driver", "constructor"],
            "asset_id": ["ann", "bob", "red"],
            "expected_points": [10.0, 20.0, 40.0],
        }
    )


@pytest.fixture
def draws():
    return np.arange(12, dtype=np.int16).reshape(3, 4)


def test_the_hash_is_of_the_content_alone(forecast, draws):
    base = content_hash(forecast, draws, "f" * 64)
    assert len(base) == 64
    more = forecast.assign(model_uri="models:/points_forecast/7")[[*forecast.columns[::-1], "model_uri"]]
    assert content_hash(more.set_index(pd.Index([7, 8, 9])), draws, "f" * 64) == base
    assert content_hash(forecast, draws.astype(np.int64), "f" * 64) == base
    assert content_hash(forecast, np.asfortranarray(draws), "f" * 64) == base


def test_the_hash_notices_every_ingredient(forecast, draws):
    marks = [content_hash(forecast, draws, "f" * 64), content_hash(forecast, draws, "e" + "f" * 63)]
    for column in ("race_key", "phase", "candidate", "asset_type", "asset_id"):
        for at in range(3):
            changed = forecast.astype({column: object})
            changed.loc[at, column] = f"{changed.loc[at, column]}x"
            marks.append(content_hash(changed, draws, "f" * 64))
    for at in range(3):
        changed = forecast.copy()
        changed.loc[at, "expected_points"] = np.nextafter(changed.loc[at, "expected_points"], np.inf)
        marks.append(content_hash(changed, draws, "f" * 64))
    for at in np.ndindex(draws.shape):
        nudged = draws.copy()
        nudged[at] += 1
        marks.append(content_hash(forecast, nudged, "f" * 64))
    marks.append(content_hash(forecast.iloc[::-1], draws, "f" * 64))
    marks.append(content_hash(forecast.iloc[:2], draws[:2], "f" * 64))
    assert len(set(marks)) == len(marks)


# Versions.


def made(content, deadline=DEADLINE):
    """A forecast of two assets."""
    return pd.DataFrame(
        {
            "race_key": "2026-one",
            "phase": "at_lock",
            "asset_id": ["ann", "bob"],
            "expected_points": [float(len(content)), 1.0],
            "content_hash": content,
            "deadline_at": pd.Timestamp(deadline),
        }
    )


def nothing():
    columns = made("x").assign(version=1, made_at=BEFORE, is_live=True, is_current=True)
    return columns.iloc[:0]


def after(*forecasts):
    """Publish (content, clock) one after another."""
    stored = nothing()
    for content, now in forecasts:
        stored = versions(stored, made(content), now)
    return stored


def story(stored):
    """List (version, content, live, current); every version has both assets."""
    columns = ["version", "content_hash", "is_live", "is_current"]
    assert stored.groupby("version")["asset_id"].apply(list).map(lambda ids: ids == ["ann", "bob"]).all()
    return [tuple(row) for row in stored[columns].drop_duplicates().itertuples(index=False)]


def test_a_first_forecast_is_live_before_its_deadline_and_a_replay_from_it_on():
    assert story(after(("a", BEFORE))) == [(1, "a", True, True)]
    assert story(after(("a", AFTER))) == [(1, "a", False, True)]
    assert story(after(("a", DEADLINE))) == [(1, "a", False, True)]
    assert story(after(("a", DEADLINE - timedelta(microseconds=1)))) == [(1, "a", True, True)]
    assert after(("a", BEFORE))["made_at"].tolist() == [BEFORE, BEFORE]


def test_the_clock_is_compared_across_time_zones():
    east = timezone(timedelta(hours=9))
    assert story(after(("a", (DEADLINE - timedelta(minutes=1)).astimezone(east)))) == [(1, "a", True, True)]


def test_a_live_forecast_after_a_live_one_is_a_new_version_beside_it():
    stored = after(("a", BEFORE), ("b", BEFORE + timedelta(hours=1)))
    assert story(stored) == [(1, "a", True, False), (2, "b", True, True)]
    assert stored["made_at"].tolist() == [BEFORE, BEFORE, *[BEFORE + timedelta(hours=1)] * 2]


def test_a_replay_never_counts_beside_a_live_one():
    assert story(after(("a", BEFORE), ("b", AFTER))) == [(1, "a", True, True), (2, "b", False, False)]


def test_a_replay_takes_the_place_of_a_replay():
    assert story(after(("a", AFTER), ("b", AFTER))) == [(1, "b", False, True)]
    stored = after(("a", BEFORE), ("b", AFTER), ("c", AFTER))
    assert story(stored) == [(1, "a", True, True), (2, "c", False, False)]


def test_a_live_forecast_counts_before_an_older_replay():
    # a deadline may be moved, or a clock was wrong
    assert story(after(("a", AFTER), ("b", BEFORE))) == [(1, "a", False, False), (2, "b", True, True)]


@pytest.mark.parametrize("now", [BEFORE + timedelta(hours=1), AFTER])
@pytest.mark.parametrize("first", [BEFORE, AFTER])
def test_the_same_content_again_changes_nothing(first, now):
    stored = after(("a", first))
    pd.testing.assert_frame_equal(versions(stored, made("a"), now), stored)


def test_what_was_stored_is_not_altered_in_place():
    stored = after(("a", BEFORE))
    copy, new = stored.copy(), made("b")
    versions(stored, new, BEFORE)
    pd.testing.assert_frame_equal(stored, copy)
    pd.testing.assert_frame_equal(new, made("b"))


STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-5, 5)), min_size=1, max_size=8)


def check_step(before, after_step, content, now):
    """Check one publication against the rules, told in other words."""
    rows = {row[0]: row for row in story(after_step)}
    was = {row[0]: row for row in story(before)} if len(before) else {}
    live = [version for version, _, is_live, _ in rows.values() if is_live]
    # one version counts: the newest live one, else the only replay
    current = [version for version, *_, is_current in rows.values() if is_current]
    assert current == ([max(live)] if live else list(rows))
    assert sum(not is_live for _, _, is_live, _ in rows.values()) <= 1
    assert content in {own for _, own, *_ in rows.values()}
    # what was live is as it was, in every column but which one counts
    columns = [name for name in after_step.columns if name != "is_current"]
    kept = before.loc[before["is_live"].astype(bool), columns].reset_index(drop=True)
    found = after_step.loc[
        after_step["is_live"].astype(bool) & after_step["version"].isin(kept["version"]), columns
    ].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, kept, check_dtype=False)
    # a live forecast may return to what an older one said; a replay of what is there is none
    same_as = {own for _, own, _, is_current in was.values() if is_current or now >= DEADLINE}
    if content in same_as:
        assert rows == was
    else:
        newest = max(rows)
        assert rows[newest][1:3] == (content, now < DEADLINE)
        # a live one is added to all, a replay to what is live
        expected = set(was) if now < DEADLINE else {version for version, _, is_live, _ in was.values() if is_live}
        assert set(rows) - {newest} == expected


@QUICK
@given(steps=STEPS)
def test_a_live_forecast_is_never_overwritten_whatever_comes(steps):
    stored = nothing()
    for content, hours in steps:
        now = DEADLINE + timedelta(hours=hours)
        new = versions(stored, made(content), now)
        check_step(stored, new, content, now)
        stored = new


@QUICK
@given(steps=STEPS)
def test_as_time_goes_by_the_last_new_live_forecast_counts(steps):
    ordered = sorted(steps, key=lambda step: step[1])
    stored = after(*((content, DEADLINE + timedelta(hours=hours)) for content, hours in ordered))
    made_live = [content for content, hours in ordered if hours < 0]
    live = [content for at, content in enumerate(made_live) if at == 0 or content != made_live[at - 1]]
    replays = [content for content, hours in ordered if hours >= 0 and content not in live]
    found = story(stored)
    assert [own for _, own, is_live, _ in found if is_live] == live
    # of the replays the last that was not there already
    expected = [own for at, own in enumerate(replays) if at == 0 or own != replays[at - 1]][-1:]
    assert [own for _, own, is_live, _ in found if not is_live] == expected
    assert [own for _, own, _, is_current in found if is_current] == [live[-1] if live else expected[0]]
    assert [version for version, *_ in found] == list(range(1, len(found) + 1))

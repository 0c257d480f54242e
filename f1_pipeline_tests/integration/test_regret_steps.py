"""What hindsight would have made more of finished races, pick by pick and part by part, on real races."""

from __future__ import annotations

import numpy as np
import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.sql.given import broken_rows

RACE = "2026-canada"
MISSED = """
    select rev.race_key, rev.hindsight_points - rev.actual_points, sum(pic.missed_points), count(*),
        sum(pic.hindsight_multiplier), sum(pic.recommended_multiplier)
    from lineups.lineup_review as rev
    inner join lineups.pick_review as pic using (race_key)
    group by all
    order by rev.race_key
"""
PARTS = """
    select par.part, par.points, par.p10_points, par.p90_points, rev.hindsight_points - rev.actual_points
    from lineups.regret_part as par
    inner join lineups.lineup_review as rev using (race_key)
    order by par.race_key, par.part
"""
BY_HAND = """
    select pic.asset_id, pic.pit, pic.price_change_musd, fcs.draws, pic.total_points, pic.expected_points,
        fcs.expected_points
    from lineups.pick_review as pic
    inner join predictions.asset_forecast as fcs using (race_key, asset_type, asset_id)
    where pic.race_key = $race_key and fcs.is_current and fcs.phase = 'at_lock' and pic.hindsight_multiplier = 2
"""


def rows(pipeline: Pipeline, query: str, **parameters: object) -> list[tuple]:
    with pipeline.warehouse.read() as connection:
        return connection.execute(query, parameters).fetchall()


def test_what_was_missed_pick_by_pick_is_the_whole_regret(complete: Pipeline) -> None:
    missed = rows(complete, MISSED)
    assert len(missed) == len(complete.calendar.finished)
    for _, regret, picks, count, in_hindsight, recommended in missed:
        assert picks == pytest.approx(regret)
        assert 7 <= count <= 14
        assert in_hindsight == recommended == 8  # seven assets, one of them boosted


def test_parts_add_up_and_luck_has_a_range(complete: Pipeline) -> None:
    found = rows(complete, PARTS)
    assert [row[0] for row in found[:3]] == ["choice", "forecast", "luck"]
    for choice, forecast, luck in zip(*(found[at::3] for at in range(3)), strict=True):
        assert choice[1] == 0.0  # without a team of your own the recommended line-up counts
        assert choice[1] + forecast[1] + luck[1] == pytest.approx(luck[4])
        assert luck[2] < luck[1] < luck[3]
        assert forecast[2:4] == choice[2:4] == (None, None)


def test_a_pick_is_placed_in_its_forecast(complete: Pipeline) -> None:
    ((asset_id, pit, change, draws, scored, expected, forecast),) = rows(complete, BY_HAND, race_key=RACE)
    points = np.array(draws) / 10
    assert pit == pytest.approx((points < scored).mean() + (points == scored).mean() / 2)
    assert expected == forecast
    prices = """
        select fantasy_price_musd from staging.price
        where asset_id = $asset_id and list_contains(['2026-canada', '2026-monaco'], race_key)
        order by race_key
    """
    (before,), (after,) = rows(complete, prices, asset_id=asset_id)
    assert change == after - before


def test_sums_that_do_not_fit_are_named() -> None:
    pick = {"race_key": RACE, "total_points": 10.0, "counted_multiplier": 2, "counted_transfer_points": -10.0}
    review = {"race_key": RACE, "actual_points": 10.0, "hindsight_points": 40.0, "transfer_points": -10.0}
    parts = [
        {"race_key": RACE, "part": part, "points": points}
        for part, points in (("choice", 0.0), ("luck", 25.0), ("forecast", 5.0))
    ]
    test, given = "assert_regret_parts_add_up", {"lineups__lineup_review": [review], "lineups__pick_review": [pick]}
    assert broken_rows(test, [RACE], lineups__regret_part=parts, **given) == []
    (found,) = broken_rows(test, [RACE], lineups__regret_part=parts[:2], **given)
    assert found == {"race_key": RACE, "points": 25.0, "regret_points": 30.0}
    test, pick = "assert_picks_make_the_points_of_the_line_up", pick | {"recommended_multiplier": 2}
    assert broken_rows(test, [RACE], lineups__pick_review=[pick], lineups__lineup_review=[review]) == []
    worse = review | {"actual_points": 12.0}
    (found,) = broken_rows(test, [RACE], lineups__pick_review=[pick], lineups__lineup_review=[worse])
    assert (found["actual_points"], found["points_of_picks"]) == (12.0, 10.0)

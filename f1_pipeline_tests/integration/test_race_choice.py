"""Line-ups of a real race for your team and your wishes: what the game makes of them, and what the graph stores.

Belongs here: `steps.race_choice` and `steps.lineups` on a computed warehouse. The solvers have tests of their own; how
wishes are written and shown is tested with the command.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from f1_pipeline.errors import DataError, SolverError, UsageError
from f1_pipeline.game.decisions import Decision, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER
from f1_pipeline.optimize.risk import AtLeast, MeanMinusDeviation, Quantile
from f1_pipeline.sources.my_team import MyTeam, write_my_team
from f1_pipeline.sources.rival_team import read_rival
from f1_pipeline.steps.lineup_wishes import Adjustment, LineupWishes, Rival
from f1_pipeline.steps.lineups import LINEUP_TABLE, stored_choice
from f1_pipeline.steps.my_team import ENTERED_TABLE, TEAM_TABLE, team_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.publish import FORECAST_TABLE
from f1_pipeline.steps.race_choice import RaceChoice, choose
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.steps.regret import REGRET_TABLE
from f1_pipeline.steps.review import PICK_TABLE, REVIEW_TABLE
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline_tests.support import NEXT_RACE, rows_of

DRIVEN = "2026-canada"
BEFORE_LOCK = datetime(2026, 6, 6, 13, tzinfo=UTC)  # Monaco locks at 14:00
AFTER_LOCK = datetime(2026, 6, 6, 15, tzinfo=UTC)
STORED = "select * from lineups.optimal_lineup where race_key = $race_key and rank = 1"
REVIEWED = "select * from lineups.lineup_review where race_key = $race_key"
ITEMS = """
    select asset_type, asset_id, event_type, scoring_item, points from staging.event_score
    where race_key = $race_key
"""
PARTS = "select part, points from lineups.regret_part where race_key = $race_key"
COUNTED = """
    select seat, counted_multiplier from lineups.pick_review
    where race_key = $race_key and counted_multiplier > 0
"""
CHIPS_LEFT = ("extra_boost", "limitless", "wildcard")


@pytest.fixture
def home(complete: Pipeline, tmp_path: Path) -> Pipeline:
    """The computed warehouse, seen from a home where a team file can be kept; only to be read."""
    shutil.copytree(complete.settings.home / "dbt_like_sql", tmp_path / "dbt_like_sql")
    return Pipeline(replace(complete.settings, home=tmp_path))


@pytest.fixture
def own_warehouse(home: Pipeline, tmp_path: Path) -> Pipeline:
    """The same with a copy of the warehouse that the test may write."""
    folder = tmp_path / "warehouse"
    folder.mkdir()
    shutil.copy(home.settings.warehouse_path, folder)
    shutil.copytree(home.settings.warehouse_dir / "mlflow", folder / "mlflow")
    return Pipeline(replace(home.settings, warehouse_dir=folder))


def team_like(choice: RaceChoice, place: int, **changes: object) -> MyTeam:
    """Make a team that holds the line-up of some place."""
    lineup = choice.lineups[place].ranked.lineup
    team = MyTeam(
        race_key=choice.forecast.menu.race_key,
        drivers=tuple(driver_of(seat) for seat in lineup.drivers),
        constructors=lineup.constructors,
        boosted=driver_of(lineup.boosted_driver),
        bank_tenths=3,
        free_transfers=1,
        chips_left=CHIPS_LEFT,
        races_played=4,
    )
    return replace(team, **changes)


def ask(pipeline: Pipeline, query: str, race_key: str) -> list[tuple[Any, ...]]:
    with pipeline.warehouse.read() as connection:
        return connection.execute(query, {"race_key": race_key}).fetchall()


def test_without_wishes_it_is_what_the_graph_has_stored(complete: Pipeline) -> None:
    found = choose(complete, NEXT_RACE, LineupWishes(count=10))
    for rank in (1, 10):
        stored = stored_choice(complete, NEXT_RACE, rank).lineups[0]
        assert stored == found.lineups[rank - 1]
        assert stored.p10_points < stored.ranked.points < stored.p90_points
    with pytest.raises(UsageError, match=f"{NEXT_RACE} has no line-up of rank 11"):
        stored_choice(complete, NEXT_RACE, 11)
    with pytest.raises(UsageError, match=r"no line-up for 2026-hungary yet: `f1-pipeline run --race 2026-hungary`"):
        stored_choice(complete, "2026-hungary")


def test_draws_are_those_of_the_forecast_moved_to_its_points(complete: Pipeline) -> None:
    choice = choose(complete, NEXT_RACE, LineupWishes(count=1))
    points = [*choice.problem.driver_points, *choice.problem.constructor_points]
    np.testing.assert_allclose(choice.draws.mean(axis=0), points, atol=1e-9)
    assert choice.draws.std(axis=0).min() > 1


def test_a_race_without_prices_is_named(complete: Pipeline) -> None:
    with pytest.raises(UsageError, match="2026-austria: expected prices, there are none yet"):
        choose(complete, "2026-austria", LineupWishes())


def test_your_team_pays_for_transfers_what_the_game_takes(home: Pipeline) -> None:
    fresh = choose(home, NEXT_RACE, LineupWishes(count=200))
    mine = team_like(fresh, 199)
    write_my_team(home.settings.team_path, mine)
    choice = choose(home, NEXT_RACE, LineupWishes(count=5))
    team = team_for(home, mine, choice.forecast.menu)
    assert choice.team == team
    for judged in choice.lineups:
        ranked = judged.ranked
        locked = team.apply(Decision(ranked.lineup), choice.forecast.menu)
        incoming, outgoing = choice.transfers(ranked)
        assert len(incoming) == len(outgoing) == ranked.transfer_count == locked.transfer_count
        assert ranked.transfer_points == locked.transfer_points
        assert choice.bank_tenths(ranked) == locked.kept.bank_tenths
    assert choose(home, NEXT_RACE, LineupWishes(ignores_team=True)).lineups[0] == fresh.lineups[0]


def test_chips_add_what_playing_them_adds(home: Pipeline) -> None:
    write_my_team(home.settings.team_path, team_like(choose(home, NEXT_RACE, LineupWishes(count=200)), 199))
    plain = choose(home, NEXT_RACE, LineupWishes())
    assert tuple(plain.chips) == CHIPS_LEFT
    best = plain.lineups[0].ranked.points
    for chip in CHIPS_LEFT:
        played = choose(home, NEXT_RACE, LineupWishes(chip=chip))
        assert played.lineups[0].ranked.points - best == pytest.approx(plain.chips[chip].points)
        assert played.chips[chip].points == plain.chips[chip].points
        assert (played.bank_tenths(played.lineups[0].ranked) is None) == (chip == "limitless")
    with pytest.raises(UsageError, match=r"Chip: expected one that can be played, extra_boost, .*, found 'autopilot'"):
        choose(home, NEXT_RACE, LineupWishes(chip="autopilot"))
    with pytest.raises(UsageError, match="Final Fix follows qualifying"):
        choose(home, NEXT_RACE, LineupWishes(chip="final_fix"))


def test_every_chip_is_weighed_for_who_starts_afresh(complete: Pipeline) -> None:
    plain = choose(complete, NEXT_RACE, LineupWishes())
    assert set(plain.chips) == set(plain.forecast.rules.chips.names)
    for chip in ("no_negative", "autopilot"):
        played = choose(complete, NEXT_RACE, LineupWishes(chip=chip)).lineups[0]
        assert played.ranked.points - plain.lineups[0].ranked.points == pytest.approx(plain.chips[chip].points)
        assert played.p10_points < played.ranked.points < played.p90_points


def test_wishes_change_the_problem_and_the_draws(home: Pipeline) -> None:
    plain = choose(home, NEXT_RACE, LineupWishes(count=1))
    best = plain.lineups[0].ranked
    gone, ids = best.lineup.drivers[0], plain.problem.driver_ids
    wanted = next(seat for seat in ids if seat not in best.lineup.drivers)
    wishes = LineupWishes(
        count=20,
        locks=(driver_of(wanted),),
        bans=(gone,),
        most_per_team=2,
        min_difference=2,
        adjustments=(
            Adjustment(driver_of(wanted), 5.0, is_shift=True),
            Adjustment(best.lineup.constructors[0], 9.0, False),
        ),
        budget_tenths=1100,
    )
    choice = choose(home, NEXT_RACE, wishes)
    moved = choice.problem.driver_points - plain.problem.driver_points
    assert moved.tolist() == pytest.approx([5.0 * (seat == wanted) for seat in ids])
    constructor = choice.problem.asset_keys.index((CONSTRUCTOR, best.lineup.constructors[0]))
    assert choice.draws[:, constructor].mean() == pytest.approx(9.0)
    teams = [set(entry.ranked.lineup.asset_keys) for entry in choice.lineups]
    for place, team in enumerate(teams):
        assert (DRIVER, wanted) in team
        assert (DRIVER, gone) not in team
        assert max(Counter(choice.problem.team_of[key] for key in team).values()) <= 2
        assert all(len(team - other) >= 2 for other in teams[:place])
        assert 0 <= choice.bank_tenths(choice.lineups[place].ranked) <= 1100


def test_wishes_of_the_moment_win_over_those_of_the_file(home: Pipeline) -> None:
    best = choose(home, NEXT_RACE, LineupWishes(count=1))
    driver = driver_of(best.lineups[0].ranked.lineup.drivers[0])
    write_my_team(home.settings.team_path, team_like(best, 0, banned=(driver,)))
    with_file = choose(home, NEXT_RACE, LineupWishes(count=1))
    assert driver not in {driver_of(seat) for seat in with_file.lineups[0].ranked.lineup.drivers}
    again = choose(home, NEXT_RACE, LineupWishes(count=1, locks=(driver,)))
    assert driver in {driver_of(seat) for seat in again.lineups[0].ranked.lineup.drivers}


def test_solvers_agree_for_your_team(home: Pipeline) -> None:
    write_my_team(home.settings.team_path, team_like(choose(home, NEXT_RACE, LineupWishes(count=200)), 199))
    points = {
        solver: [entry.ranked.points for entry in choose(home, NEXT_RACE, LineupWishes(count=3, solver=solver)).lineups]
        for solver in ("enumeration", "cbc", "highs")
    }
    assert points["cbc"] == pytest.approx(points["enumeration"], abs=1e-4)
    assert points["highs"] == pytest.approx(points["enumeration"], abs=1e-4)


@pytest.mark.parametrize(
    "risk", [MeanMinusDeviation(0.5), Quantile(0.2), AtLeast(200.0)], ids=lambda risk: type(risk).__name__
)
def test_a_line_up_by_risk_is_no_worse_by_it_than_the_best_by_mean(complete: Pipeline, risk) -> None:
    by_mean = choose(complete, NEXT_RACE, LineupWishes(count=1))
    by_risk = choose(complete, NEXT_RACE, LineupWishes(count=1, risk=risk)).lineups[0]
    assert by_risk.ranked.points <= by_mean.lineups[0].ranked.points + 1e-9
    best = by_mean.lineups[0]
    value = {
        MeanMinusDeviation: best.ranked.points - 0.5 * best.deviation_points,
        Quantile: best.p10_points,
        AtLeast: 0.0,
    }[type(risk)]
    assert by_risk.objective >= value - 1e-6


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_rival_is_beaten_more_often_than_not(home: Pipeline, tmp_path: Path, suffix: str) -> None:
    choice = choose(home, NEXT_RACE, LineupWishes(count=200))
    path = tmp_path / f"rival.{suffix}"
    if suffix == "toml":
        write_my_team(path, team_like(choice, 199))
    else:
        lineup = choice.lineups[199].ranked.lineup
        rival = {"drivers": lineup.drivers, "constructors": lineup.constructors, "boosted": lineup.boosted_driver}
        path.write_text(json.dumps(rival), encoding="utf-8")
    assert 0.5 < choose(home, NEXT_RACE, LineupWishes(risk=Rival(path))).lineups[0].objective <= 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("drivers = 3", "rival.toml: drivers: expected names, found 3"),
        ('drivers = ["a"]\nconstructors = ["b"]', "rival.toml: boosted: expected a name, found None"),
        ("drivers = [", "rival.toml: expected toml: "),
    ],
)
def test_a_rival_that_cannot_be_read_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rival.toml"
    with pytest.raises(UsageError, match="Rival: expected a file at "):
        read_rival(path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_rival(path)
    assert message in str(error.value)


def test_wishes_that_contradict_each_other_are_told_apart(complete: Pipeline) -> None:
    with pytest.raises(SolverError, match="expected nothing both locked and banned, found constructor mclaren"):
        choose(complete, NEXT_RACE, LineupWishes(locks=("mclaren",), bans=("mclaren",)))
    with pytest.raises(UsageError, match="expected a driver or constructor such as "):
        choose(complete, NEXT_RACE, LineupWishes(locks=("nobody",)))


def test_shadow_values_have_ranges_over_forecasts_that_might_have_been(complete: Pipeline) -> None:
    choice = choose(complete, NEXT_RACE, LineupWishes(count=1))
    shadow = choice.shadow()
    assert shadow == choice.shadow()
    assert shadow.best == choice.lineups[0].ranked
    more = shadow.million_more
    assert more is not None
    assert more.points >= 0
    assert 0 <= (more.p10_points or 0.0) < (more.p90_points or 0.0)


@pytest.mark.parametrize(("race_key", "idle"), [(DRIVEN, ()), ("2025-japan", ("yuki-tsunoda@racing-bulls",))])
def test_the_line_up_of_your_team_is_stored_and_reviewed_as_the_game_counts(
    own_warehouse: Pipeline, race_key: str, idle: tuple[str, ...]
) -> None:
    pipeline, steps = own_warehouse, build_steps(own_warehouse)
    mine = team_like(choose(pipeline, race_key, LineupWishes(count=200)), 199, free_transfers=0)
    drivers = (*(driver for driver in mine.drivers if driver == mine.boosted), *idle)
    others = [driver for driver in mine.drivers if driver not in drivers]
    mine = replace(mine, drivers=(*drivers, *others[: len(mine.drivers) - len(drivers)]))
    write_my_team(pipeline.settings.team_path, mine)
    for table in (TEAM_TABLE, LINEUP_TABLE, REVIEW_TABLE, PICK_TABLE, REGRET_TABLE):
        steps[table].run(pipeline, table, [race_key])
    choice = stored_choice(pipeline, race_key)
    ranked, team, menu = choice.lineups[0].ranked, choice.team, choice.forecast.menu
    assert team is not None
    assert len(choice.notes) == len(choice.problem.only_if_held) == len(idle)
    locked = team.apply(Decision(ranked.lineup), menu)
    with pipeline.warehouse.read() as connection:
        stored, review, items = (
            read_frame(connection, query, {"race_key": race_key}) for query in (STORED, REVIEWED, ITEMS)
        )
    row, judged = stored.iloc[0], review.iloc[0]
    assert stored["is_own_team"].all()
    assert (row["transfer_count"], row["transfer_points"]) == (locked.transfer_count, locked.transfer_points)
    assert round(float(row["bank_musd"]) * 10) == locked.kept.bank_tenths
    assert row["lineup_points"] == pytest.approx(ranked.points)
    _, result = locked.settle(items, menu.prices)
    assert judged["actual_points"] == result.total_points
    assert judged["transfer_points"] == locked.transfer_points
    assert judged["predicted_points"] == pytest.approx(ranked.points)
    assert judged["hindsight_points"] >= judged["actual_points"]
    # what you hold is what counted: a team that nobody touches locks as it is
    _, as_held = team.apply(Decision(team.lineup), menu).settle(items, menu.prices)
    parts = dict(ask(pipeline, PARTS, race_key))
    assert parts["choice"] == pytest.approx(judged["actual_points"] - as_held.total_points)
    assert sum(parts.values()) == pytest.approx(judged["hindsight_points"] - as_held.total_points)
    counted = dict(ask(pipeline, COUNTED, race_key))
    assert set(counted) == {*team.drivers, *team.constructors}
    assert {seat for seat, multiplier in counted.items() if multiplier == 2} == {team.boosted_driver}.difference(idle)


def test_a_stored_line_up_outlives_the_team_it_was_made_for(own_warehouse: Pipeline) -> None:
    pipeline, steps = own_warehouse, build_steps(own_warehouse)
    fresh = choose(pipeline, NEXT_RACE, LineupWishes(count=1))
    write_my_team(pipeline.settings.team_path, team_like(fresh, 0))
    for table in (TEAM_TABLE, LINEUP_TABLE):
        report = steps[table].run(pipeline, table, [NEXT_RACE])
    shown = report.details[NEXT_RACE]
    assert {"line_up", "chips_now", "limits", "p10_points"} <= set(shown)
    picture = str(shown["picture"]).partition("base64,")[2].removesuffix(")")
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert stored_choice(pipeline, NEXT_RACE).problem.held is not None
    pipeline.settings.team_path.unlink()
    steps[TEAM_TABLE].run(pipeline, TEAM_TABLE, [NEXT_RACE])
    # Its assets can still be bought, in a fresh start.
    assert stored_choice(pipeline, NEXT_RACE).problem.held is None


def test_what_was_recommended_in_time_stays_when_it_is_made_again_after_the_lock(own_warehouse: Pipeline) -> None:
    fresh = choose(own_warehouse, NEXT_RACE, LineupWishes(count=200))
    path, file = own_warehouse.settings.warehouse_path, own_warehouse.settings.team_path

    def run(now: datetime, *tables: str) -> None:
        at = replace(own_warehouse, clock=lambda: now)
        steps = build_steps(at)
        for table in tables:
            steps[table].run(at, table, [NEXT_RACE])

    with duckdb.connect(str(path)) as connection:
        # the same forecast made in time would be no other version than the replay
        connection.execute("delete from predictions.asset_forecast where race_key = $race_key", {"race_key": NEXT_RACE})
    write_my_team(file, team_like(fresh, 199))
    run(BEFORE_LOCK, FORECAST_TABLE, "predictions.asset_points", TEAM_TABLE, ENTERED_TABLE, LINEUP_TABLE)
    recommended, held = (rows_of(path, table, NEXT_RACE) for table in (LINEUP_TABLE, TEAM_TABLE))
    assert rows_of(path, ENTERED_TABLE) == []
    with duckdb.connect(str(path)) as connection:
        connection.execute("update predictions.asset_points set expected_points = -expected_points")
    write_my_team(file, team_like(fresh, 150))
    run(AFTER_LOCK, TEAM_TABLE, ENTERED_TABLE, LINEUP_TABLE)
    assert rows_of(path, LINEUP_TABLE, NEXT_RACE) == recommended
    assert rows_of(path, TEAM_TABLE, NEXT_RACE) == held
    entered = rows_of(path, ENTERED_TABLE, NEXT_RACE)
    assert {row[2] for row in entered} == {*team_like(fresh, 150).drivers, *team_like(fresh, 150).constructors}
    file.unlink()
    run(AFTER_LOCK, TEAM_TABLE, ENTERED_TABLE)
    assert rows_of(path, TEAM_TABLE, NEXT_RACE) == held
    assert rows_of(path, ENTERED_TABLE, NEXT_RACE) == entered
    run(BEFORE_LOCK, TEAM_TABLE)  # a race that was moved to later is open again
    assert rows_of(path, TEAM_TABLE, NEXT_RACE) == []

"""Between the lock and the race: what was recommended stays, what you enter is told apart, and Final Fix is advised."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.game.chips import FinalFix
from f1_pipeline.game.decisions import driver_of
from f1_pipeline.sources.my_team import MyTeam, write_my_team
from f1_pipeline.steps.chips import CHIP_PLAN_TABLE
from f1_pipeline.steps.final_fix import FINAL_FIX_TABLE, locked_team, stored_advice
from f1_pipeline.steps.lineup_wishes import LineupWishes
from f1_pipeline.steps.lineups import LINEUP_TABLE, stored_choice
from f1_pipeline.steps.my_team import ENTERED_TABLE, TEAM_TABLE, entered_team, held_team
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.plans import PLAN_TABLE
from f1_pipeline.steps.publish import FORECAST_TABLE
from f1_pipeline.steps.race_choice import choose, race_forecasts
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.steps.weekends import SESSION_SCORE_TABLE
from f1_pipeline_tests.support import NEXT_RACE, Row, read_rows, rewrite, rows_of

BEFORE_LOCK = datetime(2026, 6, 6, 13, tzinfo=UTC)  # Monaco locks at 14:00, when qualifying begins
AFTER_QUALIFYING = datetime(2026, 6, 6, 16, tzinfo=UTC)
LAST_RACE = "2026-canada"
pytestmark = pytest.mark.faults  # learns the weekend three times, half a minute
RESULTS = ("raw.qualifying_results", SESSION_SCORE_TABLE)


def run_next_lineup(pipeline: Pipeline, now: datetime, changed: set[str]) -> Pipeline:
    """Run what is run before a race and hangs on some tables, without the plans, which take longer than all of it."""
    at = replace(pipeline, clock=lambda: now)
    steps = build_steps(at)
    for table in forecast_tables(steps):
        if table in changed or changed.intersection(steps[table].reads):
            changed = changed | {table}
            if table not in (PLAN_TABLE, CHIP_PLAN_TABLE):
                steps[table].run(at, table, [NEXT_RACE])
    return at


def forget_forecast(path: Path) -> None:
    """Forget what was replayed of the race: the same forecast made in time would be no other version."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from predictions.asset_forecast where race_key = $race_key", {"race_key": NEXT_RACE})


def qualify(facts: Path) -> None:
    """Let Monaco qualify as the race before did, but for the first, who comes last."""

    def with_monaco(rows: list[Row]) -> list[Row]:
        last = [row for row in rows if row["race_key"] == LAST_RACE and row["session"] == "qualifying"]
        places = [row["position"] for row in last]
        moved = [
            row | {"race_key": NEXT_RACE, "position": place, "position_text": place}
            for row, place in zip(last, [*places[-1:], *places[:-1]], strict=True)
        ]
        return [*rows, *moved]

    rewrite(facts / "qualifying_results.csv", with_monaco)


def drive(facts: Path) -> None:
    """Let Monaco be driven as the race before was; the game has not published its points yet."""
    for name in ("race_results.csv", "starting_grids.csv"):
        rewrite(
            facts / name,
            lambda rows: [
                *rows,
                *(
                    row | {"race_key": NEXT_RACE}
                    for row in rows
                    if row["race_key"] == LAST_RACE and row["session"] == "race"
                ),
            ],
        )


def team_like(pipeline: Pipeline, place: int) -> MyTeam:
    lineup = choose(pipeline, NEXT_RACE, LineupWishes(count=200, ignores_team=True)).lineups[place].ranked.lineup
    return MyTeam(
        race_key=NEXT_RACE,
        drivers=tuple(driver_of(seat) for seat in lineup.drivers),
        constructors=lineup.constructors,
        boosted=driver_of(lineup.boosted_driver),
        bank_tenths=5,
        free_transfers=1,
        chips_left=("final_fix", "wildcard"),
        races_played=4,
    )


@pytest.fixture(scope="module")
def weekend(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, dict[str, list]]:
    """Your team before the lock, another one entered after it, then qualifying; and what was stored at the lock."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(complete.settings.home / "dbt_like_sql", home / "dbt_like_sql")
    shutil.copytree(complete.settings.data_dir, home / "data")
    shutil.copytree(complete.settings.warehouse_dir, home / "warehouse")
    settings = replace(complete.settings, home=home, data_dir=home / "data", warehouse_dir=home / "warehouse")
    pipeline = Pipeline(settings)
    write_my_team(settings.team_path, team_like(pipeline, 199))
    forget_forecast(settings.warehouse_path)
    run_next_lineup(pipeline, BEFORE_LOCK, {FORECAST_TABLE, TEAM_TABLE})
    path = settings.warehouse_path
    at_lock = {table: rows_of(path, table, NEXT_RACE) for table in (LINEUP_TABLE, TEAM_TABLE, FINAL_FIX_TABLE)}
    qualify(settings.data_dir)
    write_my_team(settings.team_path, team_like(pipeline, 150))
    qualified = run_next_lineup(Pipeline(settings), AFTER_QUALIFYING, {TEAM_TABLE, *RESULTS})
    publish_snapshot(qualified)
    return qualified, at_lock


def test_what_was_recommended_at_the_lock_stays(weekend: tuple[Pipeline, dict[str, list]]) -> None:
    pipeline, at_lock = weekend
    path = pipeline.settings.warehouse_path
    assert len(at_lock[LINEUP_TABLE]) == 70
    assert rows_of(path, LINEUP_TABLE, NEXT_RACE) == at_lock[LINEUP_TABLE]
    assert rows_of(path, TEAM_TABLE, NEXT_RACE) == at_lock[TEAM_TABLE]
    assert stored_choice(pipeline, NEXT_RACE).team == held_team(pipeline, NEXT_RACE)


def test_what_you_enter_stands_beside_the_team_that_went_into_the_race(
    weekend: tuple[Pipeline, dict[str, list]],
) -> None:
    pipeline, _ = weekend
    entered, mine = entered_team(pipeline, NEXT_RACE), team_like(pipeline, 150)
    assert entered is not None
    assert {driver_of(seat) for seat in entered.drivers} == set(mine.drivers)
    assert len(rows_of(pipeline.settings.warehouse_path, ENTERED_TABLE, NEXT_RACE)) == 7
    assert held_team(pipeline, NEXT_RACE) != entered


def test_final_fix_is_advised_once_qualifying_is_known(weekend: tuple[Pipeline, dict[str, list]]) -> None:
    pipeline, at_lock = weekend
    assert at_lock[FINAL_FIX_TABLE] == []
    advice = stored_advice(pipeline, NEXT_RACE)
    assert advice is not None
    assert advice["is_live"]
    assert advice["is_own_team"]
    locked = locked_team(pipeline, race_forecasts(pipeline, [NEXT_RACE])[NEXT_RACE])
    assert locked is not None
    assert locked.fielded == entered_team(pipeline, NEXT_RACE).lineup
    outgoing, incoming = str(advice["outgoing_seat"]), str(advice["incoming_seat"])
    assert locked.final_fix(FinalFix(outgoing, incoming)).chip == FinalFix(outgoing, incoming)
    assert advice["p10_points"] < advice["gain_points"] < advice["p90_points"]
    assert advice["is_advised"] == (advice["gain_points"] >= advice["keep_points"])
    assert str(advice["advice"]).startswith("Play Final Fix" if advice["is_advised"] else "Keep Final Fix")


def test_the_command_tells_the_advice(weekend: tuple[Pipeline, dict[str, list]], monkeypatch) -> None:
    pipeline, _ = weekend
    settings = pipeline.settings
    environ = {"F1_WAREHOUSE_DIR": str(settings.warehouse_dir), "F1_DATA_DIR": str(settings.data_dir)}
    shown = CliRunner().invoke(main, ["lineup", "--race", NEXT_RACE, "--format", "json"], env=environ)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["final_fix"]["advice"] == stored_advice(pipeline, NEXT_RACE)["advice"]


def test_the_race_itself_moves_nothing(weekend: tuple[Pipeline, dict[str, list]]) -> None:
    pipeline, at_lock = weekend
    path = pipeline.settings.warehouse_path
    before = rows_of(path, FINAL_FIX_TABLE, NEXT_RACE)
    drive(pipeline.settings.data_dir)
    again = run_next_lineup(Pipeline(pipeline.settings), AFTER_QUALIFYING, set(RESULTS))
    assert read_rows(again.settings.data_dir / "race_results.csv")[1][-1]["race_key"] == NEXT_RACE
    assert rows_of(path, FINAL_FIX_TABLE, NEXT_RACE) == before
    assert rows_of(path, LINEUP_TABLE, NEXT_RACE) == at_lock[LINEUP_TABLE]

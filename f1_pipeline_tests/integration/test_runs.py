"""Whole runs from the command line, recorded by a real Dagster instance, tracked by a real MLflow store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.errors import WarehouseError
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline_tests.support import fingerprints, make_settings, race_fingerprints, rows_of

RACE = "2023-australia"  # the third race: two before it, so that models have something to learn from
KILLED_AFTER = (20, 75)  # writes: while the two races before it are filled in, and in the race's own job
NUMBERED = ("predictions.candidate_points", "predictions.asset_forecast", "predictions.asset_points")


def _run(pipeline: Pipeline, *arguments: str) -> Result:
    environ = {"F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir), "F1_LOCK_WAIT_S": "1"}
    return CliRunner().invoke(main, list(arguments), env=environ)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A warehouse, empty before, after `f1-pipeline run --race` of a finished race."""
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("ran") / "warehouse"))
    result = _run(pipeline, "run", "--race", RACE, "--format", "json", "--quiet")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["race_key"] == RACE
    assert len(answer["assets"]) == 7
    assert answer["cost_musd"] + answer["bank_musd"] == pytest.approx(100.0)
    return pipeline


def test_a_run_writes_every_table_of_the_race(ran: Pipeline) -> None:
    path = ran.settings.warehouse_path
    for table in finished_tables(build_steps(ran)):
        contract = ran.contracts[table]
        if contract.partitioned_by:
            assert rows_of(path, table, RACE), table


def test_a_run_is_recorded_with_its_partition(ran: Pipeline) -> None:
    with open_instance(ran.settings) as instance:
        for table in (LINEUP_TABLE, REVIEW_TABLE):
            assert instance.get_materialized_partitions(asset_key(table)) == {RACE}
        # what chips offered at earlier races rests on the forecasts of those
        assert RACE in instance.get_materialized_partitions(asset_key("predictions.asset_forecast"))
        event = instance.get_latest_materialization_event(asset_key(REVIEW_TABLE))
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    assert {"capture_share", "reward", "dagster/partition_row_count"} <= set(materialization.metadata)


def test_running_twice_leaves_identical_tables(ran: Pipeline) -> None:
    before = fingerprints(ran.settings.warehouse_path)
    assert _run(ran, "run", "--race", RACE, "--quiet").exit_code == 0
    assert fingerprints(ran.settings.warehouse_path) == before


def test_the_review_counts_what_was_scored(ran: Pipeline) -> None:
    with ran.warehouse.read() as connection:
        expected = connection.execute(
            "select sum(lea.total_points * if(lin.is_boosted, 2, 1)) from lineups.optimal_lineup as lin"
            " inner join marts.race_leaderboard as lea using (race_key, asset_type, asset_id)"
            " where lin.rank = 1 and race_key = $race_key",
            {"race_key": RACE},
        ).fetchall()
        review = connection.table("lineups.lineup_review").filter(f"race_key = '{RACE}'").df().iloc[0]
    assert review["actual_points"] == expected[0][0]
    assert review["capture_share"] == pytest.approx(review["actual_points"] / review["hindsight_points"])
    assert review["reward"] == pytest.approx(review["actual_points"] - review["mean_affordable_points"])


def test_models_learn_from_strictly_earlier_races(ran: Pipeline) -> None:
    with ran.warehouse.read() as connection:
        rows = connection.execute(
            "select candidate, last_training_race_key, training_row_count from models.points_model"
            " where race_key = $race_key and training_row_count is not null order by all",
            {"race_key": RACE},
        ).fetchall()
    # two races at three phases, 20 drivers and 10 constructors each
    assert rows == [("boosting", "2023-saudi-arabia", 180), ("ridge", "2023-saudi-arabia", 180)]


def test_history_is_filled_before_a_race_on_an_empty_warehouse(ran: Pipeline) -> None:
    races = {row[0] for row in rows_of(ran.settings.warehouse_path, "core.driver_race_performance")}
    assert races == {"2023-bahrain", "2023-saudi-arabia", RACE}
    reviews = rows_of(ran.settings.warehouse_path, REVIEW_TABLE)
    assert [row[0] for row in reviews] == [RACE]


def test_a_step_refuses_a_race_whose_past_is_missing(tmp_path: Path) -> None:
    pipeline = Pipeline(make_settings(tmp_path / "warehouse"))
    steps = build_steps(pipeline)
    for table in ("raw.races", "raw.circuits", "core.race"):
        steps[table].run(pipeline, table, [])
    with pytest.raises(WarehouseError, match=r"2023-australia needs every race before it.*2023-bahrain"):
        steps["core.driver_race_performance"].run(pipeline, "core.driver_race_performance", [RACE])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--race", "2026-monte-carlo"), "unknown race '2026-monte-carlo'"),
        (("run", "--season", "2022"), "no finished race in season 2022"),
        (("run", "--race", RACE, "--season", "2023"), "exclude each other"),
        (("run", "--race", "2026-austria"), "there are no prices yet"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(ran: Pipeline, arguments: tuple[str, ...], message: str) -> None:
    before = fingerprints(ran.settings.warehouse_path)
    result = _run(ran, *arguments, "--quiet")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    after = fingerprints(ran.settings.warehouse_path)
    assert after == before


@pytest.mark.faults  # half a minute; `faults/test_runs_in_trouble.py` kills many more
def test_a_run_that_is_killed_leaves_good_tables_and_the_next_run_succeeds(
    history_copy: Pipeline, ran: Pipeline
) -> None:
    path = history_copy.settings.warehouse_path
    before, wanted = race_fingerprints(path), race_fingerprints(ran.settings.warehouse_path)
    new = {key: state for key, state in wanted.items() if key not in before and not _is_numbered(key[0])}
    made = set()
    for commits in KILLED_AFTER:
        _kill_run(history_copy, commits)
        found = race_fingerprints(path)
        for key, state in found.items():
            assert _is_numbered(key[0]) or state in (before.get(key), wanted.get(key)), key
        assert before.keys() <= found.keys()
        assert made <= found.keys(), "rows that were complete have gone"
        made = new.keys() & found.keys()
    assert made, "no run was killed after its first new rows"
    assert made < new.keys(), "no run was killed before its last new rows"
    result = _run(history_copy, "run", "--race", RACE, "--quiet")
    assert result.exit_code == 0, result.output
    # as on a warehouse that knows no later race
    found = race_fingerprints(path)
    assert {key: found[key] for key in new} == new


def _is_numbered(table: str) -> bool:
    """Tell whether rows depend on how many runs were killed: by a model's number in the registry, or by the time."""
    return table.startswith("models.") or table in NUMBERED


def _kill_run(pipeline: Pipeline, commits: int) -> None:
    """Start a run and kill it when it has written so many times."""
    path = pipeline.settings.warehouse_path
    log = path.with_name(path.name + ".wal")  # what a run has committed, until it ends or DuckDB finds the log too long
    environ = os.environ | {"F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir)}
    command = [str(Path(sys.executable).parent / "f1-pipeline"), "run", "--race", RACE, "--quiet"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        size = seen = 0
        while seen < commits and process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.01)
            before, size = size, log.stat().st_size if log.exists() else 0
            seen += size > before
        process.send_signal(signal.SIGKILL)

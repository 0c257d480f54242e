"""Whole runs from the command line, recorded by a real Dagster instance, tracked by a real MLflow store."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.errors import WarehouseError
from f1_pipeline.steps.export import export_training_tables
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import LINEUP_TABLE, REVIEW_TABLE, build_steps, finished_tables
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import NEXT_RACE, fingerprints, make_settings, rows_of

RACE = "2023-australia"  # the third race: two before it, so that models have something to learn from
KILLS = 4
NUMBERED = ("predictions.candidate_points", "predictions.asset_forecast", "predictions.asset_points")


def _pipeline(history: History, folder: Path) -> Pipeline:
    settings = make_settings(folder)
    folder.mkdir(exist_ok=True)
    shutil.copy(history.path, settings.warehouse_path)
    return Pipeline(settings)


def _run(pipeline: Pipeline, *arguments: str) -> Result:
    environ = {"F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir), "F1_LOCK_WAIT_S": "1"}
    return CliRunner().invoke(main, list(arguments), env=environ)


@pytest.fixture(scope="module")
def ran(history: History, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A warehouse after `f1-pipeline run --race` of a finished race."""
    pipeline = _pipeline(history, tmp_path_factory.mktemp("ran"))
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


def test_history_is_filled_before_a_race_on_an_empty_warehouse(tmp_path: Path) -> None:
    pipeline = Pipeline(make_settings(tmp_path / "warehouse"))
    result = _run(pipeline, "run", "--race", RACE, "--quiet", "--format", "json")
    assert result.exit_code == 0, result.output
    races = {row[0] for row in rows_of(pipeline.settings.warehouse_path, "core.driver_race_performance")}
    assert races == {"2023-bahrain", "2023-saudi-arabia", RACE}
    reviews = rows_of(pipeline.settings.warehouse_path, REVIEW_TABLE)
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


def test_a_run_that_is_killed_leaves_good_tables_and_the_next_run_succeeds(
    history: History, ran: Pipeline, tmp_path: Path
) -> None:
    pipeline = _pipeline(history, tmp_path / "killed")
    before = fingerprints(pipeline.settings.warehouse_path)
    wanted = fingerprints(ran.settings.warehouse_path)
    rng = random.Random(2026)
    environ = os.environ | {"F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir)}
    command = [str(Path(sys.executable).parent / "f1-pipeline"), "run", "--race", RACE, "--quiet"]
    for _ in range(KILLS):
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.uniform(2.0, 9.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = fingerprints(pipeline.settings.warehouse_path)
        for table, state in found.items():
            # A model's number in the registry depends on how many runs were killed before it, and so does the time at
            # which a forecast was made.
            learnt = table.startswith("models.") or table in NUMBERED
            assert learnt or state in (before.get(table, (0, "")), wanted[table]), table
    result = _run(pipeline, "run", "--race", RACE, "--quiet")
    assert result.exit_code == 0, result.output
    assert fingerprints(pipeline.settings.warehouse_path)[LINEUP_TABLE] == wanted[LINEUP_TABLE]
    assert fingerprints(pipeline.settings.warehouse_path)[REVIEW_TABLE] == wanted[REVIEW_TABLE]


def test_training_tables_are_exported(complete: Pipeline, tmp_path: Path) -> None:
    import pandas as pd

    written = export_training_tables(complete, tmp_path)
    assert sorted(path.name for path, _ in written) == [
        "constructor_training.csv",
        "constructor_training.parquet",
        "driver_training.csv",
        "driver_training.parquet",
    ]
    rows = pd.read_parquet(tmp_path / "driver_training.parquet")
    assert list(rows.columns[:4]) == ["race_key", "race_date", "asset_id", "group"]
    assert rows.columns[-1] == "points"
    assert set(rows["group"]) == {2025, 2026}
    assert NEXT_RACE not in set(rows["race_key"])
    assert rows["points"].notna().all()
    assert len(rows) == len(pd.read_csv(tmp_path / "driver_training.csv"))

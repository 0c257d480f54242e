"""Points models in a real MLflow store: logged, found again, loaded, promoted; nothing half-done is reused."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast.fingerprint import fingerprint
from f1_pipeline.forecast.points_model import predict, train
from f1_pipeline.forecast.tracking import CHAMPION, Tracking
from f1_pipeline_tests.forecast_rows import training_rows

EARLY = ("2024-race-03", "2024-03-22")
LATE = ("2024-race-05", "2024-04-05")


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def tracking(store_dir):
    return Tracking(store_dir)


@pytest.fixture(scope="module")
def client(tracking):
    return MlflowClient(tracking.uri, tracking.uri)


@pytest.fixture(scope="module")
def rows():
    return {asset_type: training_rows({2023: 6, 2024: 6}, asset_type) for asset_type in ("driver", "constructor")}


def log(tracking: Tracking, rows: pd.DataFrame, asset_type: str, target: tuple[str, str]) -> tuple[str, str]:
    mark = fingerprint(rows, asset_type, *target)
    uri = tracking.log_training(train(rows, asset_type, *target), mark)
    tracking.promote(uri)
    return uri, mark


@pytest.fixture(scope="module")
def logged(tracking, rows):
    """A driver model of the later race: its URI and fingerprint."""
    return log(tracking, rows["driver"], "driver", LATE)


def test_loaded_model_forecasts_exactly_as_trained(tracking, rows, logged):
    trained = train(rows["driver"], "driver", *LATE)
    menu = rows["driver"][rows["driver"]["race_key"] == LATE[0]]
    loaded = tracking.load_forecaster(logged[0])
    pd.testing.assert_frame_equal(predict(loaded, menu), predict(trained, menu), check_exact=True)
    assert loaded.feature_names == trained.feature_names
    assert loaded.spread == trained.spread
    assert tracking.load_model(logged[0]).named_steps["ridge"].alpha == trained.alpha


def test_run_holds_settings_window_metrics_features_and_plot(tracking, client, rows, logged):
    trained = train(rows["driver"], "driver", *LATE)
    run = client.get_run(client.get_model_version("driver_points", logged[0].rsplit("/", 1)[1]).run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["half_life_races"] == "60.0"
    assert run.data.params["train_last_race_key"] == "2024-race-04"
    assert run.data.params["train_row_count"] == "110"
    assert run.data.metrics["cv_mae"] == trained.metrics["cv_mae"]
    assert run.data.metrics["cv_rmse/2023"] == trained.fold_metrics["2023"]["cv_rmse"]
    assert run.data.tags["race_key"] == LATE[0]
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"features.json", "residuals.png"}
    listing = json.loads(Path(client.download_artifacts(run.info.run_id, "features.json")).read_text())
    assert listing["features"] == list(trained.feature_names)
    assert Path(client.download_artifacts(run.info.run_id, "residuals.png")).read_bytes()[:4] == b"\x89PNG"


def test_model_is_stored_in_skops_format_with_a_signature(store_dir, logged):
    folders = [path.parent for path in store_dir.rglob("MLmodel")]
    assert folders
    for folder in folders:
        assert (folder / "model.skops").is_file()
        assert not list(folder.glob("*.pkl"))
        text = (folder / "MLmodel").read_text()
        assert "serialization_format: skops" in text
        assert "practice_gap_pct" in text
        assert "scikit-learn==" in (folder / "requirements.txt").read_text()


def test_same_fingerprint_is_found_again_also_by_another_process(tracking, store_dir, logged):
    uri, mark = logged
    assert tracking.find(mark) == uri
    reopened = Tracking(store_dir)
    assert reopened.prefetch() >= 1
    assert reopened.find(mark) == uri
    assert reopened.find("0" * 64) is None


def test_summary_is_the_same_from_memory_and_from_the_store(tracking, store_dir, rows, logged):
    trained = train(rows["driver"], "driver", *LATE)
    expected = {
        "training_row_count": 110,
        "first_training_race_key": "2023-race-00",
        "last_training_race_key": "2024-race-04",
        "cv_mae_points": trained.metrics["cv_mae"],
        "cv_rmse_points": trained.metrics["cv_rmse"],
    }
    assert tracking.summary(logged[0]) == expected
    assert Tracking(store_dir).summary(logged[0]) == expected


def test_a_model_without_history_is_logged_and_loaded(tracking, rows):
    first = ("2023-race-00", "2023-03-01")
    uri, mark = log(tracking, rows["driver"], "driver", first)
    assert tracking.find(mark) == uri
    assert tracking.summary(uri) == {
        "training_row_count": 0,
        "first_training_race_key": None,
        "last_training_race_key": None,
        "cv_mae_points": None,
        "cv_rmse_points": None,
    }
    menu = rows["driver"][rows["driver"]["race_key"] == first[0]].reset_index(drop=True)
    expected = predict(tracking.load_forecaster(uri), menu)["expected_points"]
    assert expected.tolist() == pytest.approx(menu["ewma_price_prior_points"].tolist())


def test_champion_is_the_model_of_the_latest_race_not_the_last_one_trained(tracking, rows):
    frame = rows["constructor"]
    assert tracking.champion("constructor") is None
    late, _ = log(tracking, frame, "constructor", LATE)
    early, _ = log(tracking, frame, "constructor", EARLY)
    assert tracking.champion("constructor") == late
    assert tracking.promote(early) is False
    restated = frame.assign(points=frame["points"] + 1.0)
    again, _ = log(tracking, restated, "constructor", LATE)
    assert tracking.champion("constructor") == again
    assert tracking.promote(late) is True
    assert tracking.champion("constructor") == late


def test_outcome_of_the_race_is_added_to_its_run_once(tracking, client, logged):
    run_id = client.get_model_version("driver_points", logged[0].rsplit("/", 1)[1]).run_id
    for _ in range(2):
        tracking.record_outcome(logged[0], {"race_mae": 7.5})
    assert client.get_run(run_id).data.metrics["race_mae"] == 7.5
    assert len(client.get_metric_history(run_id, "race_mae")) == 1
    assert client.get_run(run_id).info.status == "FINISHED"


def test_run_that_did_not_finish_is_never_reused(tracking, client, store_dir, logged):
    experiment = client.get_experiment_by_name("driver_points").experiment_id
    tags = {"fingerprint": "f" * 64, "model_uri": logged[0], "model_path": str(store_dir)}
    running = client.create_run(experiment, tags=tags)
    assert Tracking(store_dir).find("f" * 64) is None
    client.set_terminated(running.info.run_id, "KILLED")
    assert Tracking(store_dir).find("f" * 64) is None


def test_finished_run_whose_file_is_gone_is_not_reused(tracking, rows, store_dir):
    uri, mark = log(tracking, rows["driver"], "driver", EARLY)
    newest = max(store_dir.rglob("model.skops"), key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    assert tracking.find(mark) is None
    with pytest.raises(WarehouseError, match=r"model\.skops"):
        tracking.load_model(uri)


def test_failed_training_leaves_a_failed_run_and_no_champion(tmp_path, rows):
    tracking = Tracking(tmp_path)
    (tmp_path / "artifacts").write_text("a file where a folder is needed")
    with pytest.raises(OSError, match="artifacts"):
        log(tracking, rows["driver"], "driver", LATE)
    client = MlflowClient(tracking.uri, tracking.uri)
    experiment = client.get_experiment_by_name("driver_points").experiment_id
    assert [run.info.status for run in client.search_runs([experiment])] == ["FAILED"]
    assert tracking.champion("driver") is None
    (tmp_path / "artifacts").unlink()
    uri, mark = log(tracking, rows["driver"], "driver", LATE)
    assert tracking.find(mark) == uri
    assert tracking.champion("driver") == uri
    assert client.get_model_version_by_alias("driver_points", CHAMPION).tags["race_key"] == LATE[0]


def test_unknown_models_are_named(tracking):
    with pytest.raises(UsageError, match="runs:/x"):
        tracking.load_model("runs:/x")
    with pytest.raises(WarehouseError, match="models:/driver_points/999"):
        tracking.load_model("models:/driver_points/999")


def test_only_an_opened_store_imports_mlflow_and_without_telemetry(tracking, store_dir):
    code = """
import sys
from f1_pipeline.forecast import baselines, evaluation, feature_sets, fingerprint, points_model, tracking
assert "mlflow" not in sys.modules
from pathlib import Path
tracking.Tracking(Path(sys.argv[1]))
from mlflow.telemetry import get_telemetry_client
assert get_telemetry_client() is None
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(store_dir)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""Models in a real MLflow store: logged, nested, found again, loaded, promoted; nothing half-done is reused."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from mlflow import MlflowClient
from sklearn.preprocessing import FunctionTransformer
from skops.io.exceptions import UntrustedTypesFoundException

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.forecast.feature_sets import FEATURES
from f1_pipeline.forecast.grouped_regressor import GroupedRegressor
from f1_pipeline.forecast.model_records import (
    WEEKEND_FILE,
    average_record,
    points_fingerprint,
    points_record,
    weekend_record,
)
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.forecast.points_model import BOOSTING, KINDS, RIDGE, expected_points, train, training_window
from f1_pipeline.forecast.tracking import REGISTERED_NAME, Tracking
from f1_pipeline.forecast.weekend_files import read_weekend
from f1_pipeline_tests.forecast_rows import training_rows, weekend_model

FIRST = ("2023-race-00", "2023-03-01")
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
    return training_rows({2023: 6, 2024: 6})


@pytest.fixture(scope="module")
def records(rows):
    """One record per candidate of the later race."""
    made = {kind: points(rows, kind, LATE) for kind in KINDS}
    made["strength"] = weekend_record(weekend_model(LATE[0]), LATE[1])
    made["average"] = average_record(*LATE, {"strength": "models:/points_forecast/1", "ewma": "ewma"})
    return made


def points(rows, kind, target):
    trained = train(rows, kind, *target)
    mark = points_fingerprint(rows, kind, *target, trained.settings)
    return points_record(trained, training_window(rows, target[1]), mark)


@pytest.fixture(scope="module")
def logged(tracking, records):
    """URIs of all candidates, nested in the run of the weekend model as the pipeline does it."""
    uris = {"strength": tracking.log_model(records["strength"])}
    for name in (*KINDS, "average"):
        uris[name] = tracking.log_model(records[name], uris["strength"])
    return uris


@pytest.fixture(scope="module")
def strengths(tracking):
    """Weekend models of the earlier and of the later race."""
    return {
        target: tracking.log_model(weekend_record(weekend_model(target[0], seed=7), target[1]))
        for target in (EARLY, LATE)
    }


def version_of(client, uri):
    name, number = uri.removeprefix("models:/").split("/")
    return client.get_model_version(name, number)


def run_of(client, uri):
    return client.get_run(version_of(client, uri).run_id)


def statuses(client):
    experiment = client.get_experiment_by_name(REGISTERED_NAME).experiment_id
    return [run.info.status for run in client.search_runs([experiment])]


# What is stored.


@pytest.mark.parametrize("kind", KINDS)
def test_loaded_model_forecasts_exactly_as_trained(tracking, store_dir, rows, records, logged, kind):
    menu = rows[rows["race_key"] == LATE[0]]
    expected = expected_points(records[kind].estimator, menu)
    assert np.ptp(expected - menu["ewma_price_prior_points"]) > 0.1
    for store in (tracking, Tracking(store_dir)):
        loaded = store.load_estimator(logged[kind])
        assert isinstance(loaded, GroupedRegressor)
        np.testing.assert_array_equal(expected_points(loaded, menu), expected)
    assert set(loaded.estimators_) == set(records[kind].estimator.estimators_)


def test_a_weekend_model_is_stored_byte_by_byte(tracking, records, logged):
    path = tracking.model_file(logged["strength"], WEEKEND_FILE)
    assert path.read_bytes() == records["strength"].files[WEEKEND_FILE]
    drivers, _, outlooks, _ = read_weekend(path)
    model = weekend_model(LATE[0])
    assert drivers == model.drivers
    np.testing.assert_array_equal(outlooks[AT_LOCK].strength_mean, model.outlooks[AT_LOCK].strength_mean)


def test_run_of_a_ridge_holds_settings_window_metrics_features_and_plot(client, records, logged):
    run = run_of(client, logged[RIDGE])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == f"{LATE[0]} {RIDGE}"
    assert run.data.params == {name: str(value) for name, value in records[RIDGE].params.items()}
    assert run.data.params["train_last_race_key"] == "2024-race-04"
    assert run.data.params["train_row_count"] == str(11 * 40)
    assert run.data.metrics == records[RIDGE].metrics
    assert {"cv_mae/driver", "cv_rmse/constructor", "cv_prior_mae/driver"} <= set(run.data.metrics)
    own = {"candidate": RIDGE, "race_key": LATE[0], "race_date": LATE[1], "notes": ""}
    assert own.items() <= run.data.tags.items()
    assert own.items() <= version_of(client, logged[RIDGE]).tags.items()
    files = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert files == {"features.json", "residuals.png"}
    listing = json.loads(Path(client.download_artifacts(run.info.run_id, "features.json")).read_text())
    assert listing["features"] == list(FEATURES)
    assert Path(client.download_artifacts(run.info.run_id, "residuals.png")).read_bytes()[:4] == b"\x89PNG"


def test_run_of_a_weekend_model_says_how_sure_it_is_and_why_not_surer(client, records, logged):
    run = run_of(client, logged["strength"])
    assert run.data.metrics == pytest.approx(records["strength"].metrics)
    outlook = weekend_model(LATE[0]).outlooks[AT_LOCK]
    assert run.data.metrics["strength_sd/at_lock"] == pytest.approx(
        np.sqrt(np.diag(outlook.strength_covariance)).mean()
    )
    assert run.data.params["known_until/at_lock"] == "2026-03-07 04:00:00+00:00"
    assert run.data.params["known_until/before_practice"] == "None"
    assert run.data.params["driver_count"] == "4"
    assert run.data.tags["notes"] == "no practice known; new team: zebra"


def test_candidates_of_a_race_are_nested_in_the_run_of_its_weekend_model(client, logged):
    parent = run_of(client, logged["strength"])
    assert "mlflow.parentRunId" not in parent.data.tags
    children = {name: run_of(client, logged[name]).data.tags["mlflow.parentRunId"] for name in (*KINDS, "average")}
    assert children == dict.fromkeys((*KINDS, "average"), parent.info.run_id)
    # all of one registered model
    assert [uri.rsplit("/", 1)[0] for uri in logged.values()] == [f"models:/{REGISTERED_NAME}"] * 4
    assert len(set(logged.values())) == 4


def test_a_parent_that_does_not_exist_is_refused_before_a_run_begins(tracking, client, records, logged):
    before = len(statuses(client))
    with pytest.raises(WarehouseError, match="models:/points_forecast/999"):
        tracking.log_model(records["average"], "models:/points_forecast/999")
    assert len(statuses(client)) == before


def test_estimators_are_stored_in_skops_format_with_a_signature(tracking, logged):
    for kind in KINDS:
        folder = tracking.model_file(logged[kind], "MLmodel").parent
        card = (folder / "MLmodel").read_text()
        assert "serialization_format: skops" in card
        assert all(f'"{name}"' in card.replace("\\", "") for name in ("asset_type", "phase", *FEATURES))
        assert "scikit-learn==" in (folder / "requirements.txt").read_text()
        assert tracking.model_file(logged[kind], "model.skops").stat().st_size < 200_000


def test_there_are_no_pickles_in_the_store(store_dir, logged):
    files = [path for path in store_dir.rglob("*") if path.is_file() and path.parent != store_dir]
    assert {"model.skops", WEEKEND_FILE, "average.json", "MLmodel"} <= {path.name for path in files}
    for path in files:
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".cloudpickle")
        # protocols 2 to 5 begin with these bytes
        assert not path.read_bytes().startswith(tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))


def test_other_types_than_ours_are_not_built_even_if_the_file_trusts_itself(tracking, records, tmp_path):
    harmful = replace(records[RIDGE], fingerprint="a" * 64)
    uri = tracking.log_model(harmful)
    path = tracking.model_file(uri, "model.skops")
    mark = tmp_path / "mark"
    skops.io.dump(GroupedRegressor(FunctionTransformer(os.mkdir, kw_args={"path": str(mark)}), ["a"], ["b"]), path)
    card = path.with_name("MLmodel")
    card.write_text(card.read_text().replace("numpy.dtype", "posix.mkdir"))
    with pytest.raises(UntrustedTypesFoundException, match="mkdir"):
        tracking.load_estimator(uri)
    assert not mark.exists()


# Found again.


def test_same_fingerprint_is_found_again_also_by_another_process(tracking, store_dir, records, logged):
    reopened, prefetched = Tracking(store_dir), Tracking(store_dir)
    assert prefetched.prefetch() >= len(logged)
    for store in (tracking, reopened, prefetched):
        assert {name: store.find(records[name].fingerprint) for name in logged} == logged
        assert store.find("0" * 64) is None


def test_what_is_logged_after_a_prefetch_is_found(store_dir, tracking, records, logged):
    store = Tracking(store_dir)
    store.prefetch()
    record = replace(records["average"], fingerprint="b" * 64)
    assert store.find(record.fingerprint) is None
    uri = store.log_model(record)
    assert store.find(record.fingerprint) == uri == tracking.find(record.fingerprint)


def test_of_two_runs_with_one_fingerprint_the_older_is_found(store_dir, records):
    store = Tracking(store_dir)
    record = replace(records["average"], fingerprint="c" * 64)
    first, second = store.log_model(record), store.log_model(record)
    assert first != second
    assert store.find(record.fingerprint) == first


def test_run_that_did_not_finish_is_never_reused(client, store_dir, tracking, logged):
    experiment = client.get_experiment_by_name(REGISTERED_NAME).experiment_id
    folder = tracking.model_file(logged[RIDGE], "MLmodel").parent
    tags = {"fingerprint": "d" * 64, "model_uri": logged[RIDGE], "model_path": str(folder), "model_files": "MLmodel"}
    running = client.create_run(experiment, tags=tags)

    def found():
        prefetched = Tracking(store_dir)
        prefetched.prefetch()
        return Tracking(store_dir).find("d" * 64), prefetched.find("d" * 64)

    assert found() == (None, None)
    for status in ("KILLED", "FAILED"):
        client.set_terminated(running.info.run_id, status)
        assert found() == (None, None)
    # the control: the same run, finished
    client.set_terminated(running.info.run_id, "FINISHED")
    assert found() == (logged[RIDGE], logged[RIDGE])


@pytest.mark.parametrize("step", ["_store_model", "_register", "_log_figures"])
@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_an_interrupted_run_is_a_failed_run_and_is_logged_again(store_dir, client, records, monkeypatch, step, stop):
    store, mark = Tracking(store_dir), f"{step}{stop.__name__}".ljust(64, "0")
    store.prefetch()
    record = replace(records["average"], fingerprint=mark)

    def break_off(*_args, **_kwargs):
        raise stop("no more")

    with monkeypatch.context() as patched:
        patched.setattr(Tracking, step, break_off)
        # an error of the disk is named as one
        with pytest.raises(WarehouseError if stop is OSError else stop, match="no more"):
            store.log_model(record)
    assert statuses(client)[0] == "FAILED"
    assert store.find(mark) is Tracking(store_dir).find(mark) is None
    uri = store.log_model(record)
    assert store.find(mark) == Tracking(store_dir).find(mark) == uri


def test_finished_run_whose_files_are_gone_is_not_reused(tracking, rows):
    record = points(rows, RIDGE, EARLY)
    uri = tracking.log_model(record)
    folder = tracking.model_file(uri, "MLmodel").parent
    assert tracking.find(record.fingerprint) == uri
    (folder / "MLmodel").unlink()
    assert tracking.find(record.fingerprint) is None
    (folder / "model.skops").unlink()
    with pytest.raises(WarehouseError, match=r"model\.skops"):
        tracking.load_estimator(uri)


def test_a_model_without_history_is_logged_and_loaded(tracking, client, rows):
    record = points(rows, RIDGE, FIRST)
    uri = tracking.log_model(record)
    assert tracking.find(record.fingerprint) == uri
    run = run_of(client, uri)
    assert run.data.metrics == {}
    assert (run.data.params["train_row_count"], run.data.params["train_first_race_key"]) == ("0", "None")
    assert run.data.tags["notes"] == "no earlier race: the forecast is the baseline's"
    menu = rows[rows["race_key"] == FIRST[0]]
    np.testing.assert_array_equal(expected_points(tracking.load_estimator(uri), menu), menu["ewma_price_prior_points"])


# Aliases and outcomes.


def test_an_alias_never_moves_to_an_earlier_race(tracking, client, strengths, logged):
    early, late = strengths[EARLY], strengths[LATE]
    assert tracking.holder("test_champion") is None
    assert tracking.promote(early, "test_champion", {"why": "first"}) is True
    assert tracking.holder("test_champion") == early
    assert tracking.promote(late, "test_champion", {"why": "later"}) is True
    assert tracking.holder("test_champion") == late
    assert tracking.promote(early, "test_champion", {"why": "again"}) is False
    assert tracking.holder("test_champion") == late
    # what was refused is not written down either
    assert version_of(client, early).tags["why"] == "first"
    assert version_of(client, late).tags["why"] == "later"
    # another model of the same race may take its place, and the first again
    for uri in (logged[RIDGE], late):
        assert tracking.promote(uri, "test_champion", {}) is True
        assert tracking.holder("test_champion") == uri
    assert client.get_model_version_by_alias(REGISTERED_NAME, "test_champion").tags["race_key"] == LATE[0]


def test_aliases_do_not_disturb_each_other(tracking, strengths):
    assert tracking.promote(strengths[LATE], "test_one", {}) is True
    assert tracking.promote(strengths[EARLY], "test_two", {}) is True
    assert (tracking.holder("test_one"), tracking.holder("test_two")) == (strengths[LATE], strengths[EARLY])


def test_outcome_of_the_race_is_added_to_its_run_once(tracking, client, logged):
    run = run_of(client, logged[BOOSTING])
    for _ in range(2):
        tracking.record_outcome(logged[BOOSTING], {"race_mae": 7.5})
    assert run_of(client, logged[BOOSTING]).data.metrics["race_mae"] == 7.5
    assert len(client.get_metric_history(run.info.run_id, "race_mae")) == 1
    # a correction of the points counts, whichever way it goes
    for mae in (6.5, 9.5, 6.5, 6.5):
        tracking.record_outcome(logged[BOOSTING], {"race_mae": mae, "lineup_capture_share": 0.9})
        after = run_of(client, logged[BOOSTING])
        assert after.data.metrics["race_mae"] == mae
    assert [own.value for own in client.get_metric_history(run.info.run_id, "race_mae")] == [7.5, 6.5, 9.5, 6.5]
    assert after.data.metrics["lineup_capture_share"] == 0.9
    assert (after.info.status, after.info.end_time) == ("FINISHED", run.info.end_time)


@pytest.mark.parametrize(
    "use",
    [
        lambda store, uri: store.load_estimator(uri),
        lambda store, uri: store.model_file(uri, "MLmodel"),
        lambda store, uri: store.promote(uri, "test_unknown", {}),
        lambda store, uri: store.record_outcome(uri, {"race_mae": 1.0}),
    ],
)
def test_unknown_models_are_named(tracking, use):
    for uri in ("runs:/x", "models:/points_forecast/latest", "models:/points_forecast/1/", ""):
        with pytest.raises(UsageError, match=f"found '{uri}'"):
            use(tracking, uri)
    with pytest.raises(WarehouseError, match="models:/points_forecast/999"):
        use(tracking, "models:/points_forecast/999")
    with pytest.raises(WarehouseError, match="models:/other/1"):
        use(tracking, "models:/other/1")
    assert tracking.holder("test_unknown") is None


def test_a_file_that_is_not_there_is_named(tracking, logged):
    with pytest.raises(WarehouseError, match=r"weekend\.npz"):
        tracking.model_file(logged[RIDGE], WEEKEND_FILE)
    with pytest.raises(WarehouseError, match=r"model\.skops"):
        tracking.load_estimator(logged["strength"])


# The library.


def test_only_an_opened_store_imports_mlflow_and_without_telemetry(tracking, store_dir):
    code = """
import pkgutil, sys
from importlib import import_module
from f1_pipeline import forecast
names = [module.name for module in pkgutil.iter_modules(forecast.__path__)]
assert {"tracking", "model_records", "weekend_model", "gate", "publication"} <= set(names)
for name in names:
    import_module(f"f1_pipeline.forecast.{name}")
assert "mlflow" not in sys.modules
from pathlib import Path
forecast.tracking.Tracking(Path(sys.argv[1]))
from mlflow.telemetry import get_telemetry_client
assert get_telemetry_client() is None
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(store_dir)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""What the doctor looks at in the stores: the warehouse and who holds it, its published copy, the models in MLflow.

Belongs here: checks of what runs have made, each of which reads only. Neighbours: `doctor.py` says what a check is and
has those of the machine, `defs.health` those of Dagster's own storage.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from f1_pipeline.steps.doctor import Check, looked, shortened
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.restore import COMPLETE, refuse_interrupted
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline.warehouse.checkup import TableState, read_everything, stored_columns
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline.warehouse.dry_run import column_types
from f1_pipeline.warehouse.frames import has_table
from f1_pipeline.warehouse.lock_holder import lock_holder

LONG_RUN = timedelta(hours=3)  # every season from nothing takes minutes, seasons by agents less than an hour
REBUILD = "`f1-pipeline rebuild` puts the file aside and computes everything again"
MEND_LAKE = "docs/scale.md says how to bring a lake back"
DROP = "drop them in the lake, `f1-pipeline run` computes them again"
SHARE_MODELS = "copy the folder from the machine that trained them, or share a server by F1_MLFLOW"
RUN = "`f1-pipeline run`"
WORKERS = "`dask scheduler`, and `dask worker` with the same package on each machine; or unset F1_DASK"
CANDIDATE_TABLE = "predictions.candidate_points"
MODELS_OF = "select distinct model_uri from predictions.candidate_points where race_key = $race_key order by model_uri"


def store_checks(pipeline: Pipeline) -> Iterator[Check]:
    """Look at the warehouse and at MLflow; what needs a warehouse that can be read is left out without one."""
    yield check_lock(pipeline)
    yield looked("restore", lambda: check_restore(pipeline), COMPLETE)
    found: dict[str, TableState] = {}
    if pipeline.settings.lake is None:
        warehouse = looked("warehouse", lambda: check_warehouse(pipeline, found), REBUILD)
    else:
        warehouse = looked("warehouse", lambda: check_lake(pipeline, found), MEND_LAKE)
    yield warehouse
    if warehouse.status == "ok":
        yield looked("columns", lambda: check_columns(pipeline), _rebuild_or(DROP, pipeline))
        yield looked("races", lambda: check_races(pipeline), RUN)
        yield looked("published", lambda: check_published(pipeline, found), RUN)
        yield looked("models", lambda: check_models(pipeline), RUN)
    if pipeline.settings.dask:
        yield looked("dask", lambda: check_cluster(pipeline), WORKERS)


def _rebuild_or(words: str, pipeline: Pipeline) -> str:
    """Say what to do: a lake, which cannot be rebuilt, has words of its own."""
    return words if pipeline.settings.lake else REBUILD


def check_lock(pipeline: Pipeline) -> Check:
    """Say who writes the warehouse, and since when."""
    lake = pipeline.settings.lake
    if lake is not None and lake.is_shared:
        return Check("lock", "ok", "the writers of a lake take turns, nobody keeps others out")
    holder = lock_holder(pipeline.settings.warehouse_path if lake is None else lake.path)
    if holder is None:
        return Check("lock", "ok", "nobody writes the warehouse")
    command = f" ({holder.command})" if holder.command else ""
    sentence = f"process {holder.process_id}{command} writes the warehouse since {holder.since:%Y-%m-%dT%H:%M} UTC"
    if pipeline.clock() - holder.since > LONG_RUN:
        return Check("lock", "warn", sentence, f"if it hangs, end it: kill {holder.process_id}")
    return Check("lock", "ok", sentence)


def check_restore(pipeline: Pipeline) -> Check:
    """Say whether a restore was interrupted, which nothing may be computed upon."""
    refuse_interrupted(pipeline.settings)
    return Check("restore", "ok", "no restore was interrupted")


def check_warehouse(pipeline: Pipeline, found: dict[str, TableState]) -> Check:
    """Read every row of the warehouse, which DuckDB holds against its checksums.

    Parameters
    ----------
    pipeline : Pipeline
    found : dict of str to TableState
        Filled with what was read, by table; it takes seconds and is wanted twice.
    """
    path = pipeline.settings.warehouse_path
    if not path.exists():
        return Check("warehouse", "warn", f"{path}: nothing has been computed yet", RUN)
    if lock_holder(path) is not None:
        return Check("warehouse", "warn", f"{path}: being written, not looked at", "look again when the run is over")
    with pipeline.warehouse.read() as connection:
        found.update(read_everything(connection, str(path)))
    row_count, size = sum(count for count, _ in found.values()), path.stat().st_size
    return Check("warehouse", "ok", f"{path}: {len(found)} tables, {row_count} rows, {size / 1e6:.0f} MB")


def check_lake(pipeline: Pipeline, found: dict[str, TableState]) -> Check:
    """Reach the catalog of a lake, and read every row of its tables; see `check_warehouse`."""
    from f1_pipeline.warehouse.lake import describe

    name = pipeline.warehouse.name
    if not pipeline.warehouse.exists():
        return Check("warehouse", "warn", f"{name}: nothing has been computed yet", RUN)
    with pipeline.warehouse.read() as connection:
        lake = describe(connection)
        found.update(read_everything(connection, name))
    row_count = sum(count for count, _ in found.values())
    sentence = f"{name}: {len(found)} tables, {row_count} rows, {lake.state_count} states, DuckLake {lake.version}"
    return Check("warehouse", "ok", f"{sentence}, files in {lake.data_path}")


def check_columns(pipeline: Pipeline) -> Check:
    """Hold the columns of every table against its model."""
    expected = column_types(pipeline.models)
    with pipeline.warehouse.read() as connection:
        stored = stored_columns(connection)
    # seasons are played when somebody asks for them
    played = {name for name, contract in pipeline.contracts.items() if contract.partition == "season"}
    missing = sorted(set(expected) - set(stored) - played)
    other = sorted(name for name in set(expected) & set(stored) if stored[name] != expected[name])
    if other:
        sentence = f"tables with other columns than their models: {shortened(other)}"
        return Check("columns", "fail", sentence, _rebuild_or(DROP, pipeline))
    if missing:
        return Check("columns", "warn", f"tables that are not there yet: {shortened(missing)}", RUN)
    return Check("columns", "ok", "every table has the columns of its model")


def check_races(pipeline: Pipeline) -> Check:
    """Say which finished races have not been computed, and whether the next one has a line-up."""
    finished = [race.race_key for race in pipeline.calendar.finished]
    coming = pipeline.calendar.next_race
    with pipeline.warehouse.read() as connection:
        reviewed = pipeline.race_keys_in(connection, REVIEW_TABLE)
        chosen = pipeline.race_keys_in(connection, LINEUP_TABLE)
    missing = [key for key in finished if key not in reviewed]
    if missing:
        return Check("races", "warn", f"finished, but not computed: {shortened(missing)}", RUN)
    if coming is not None and coming.has_prices and coming.race_key not in chosen:
        return Check("races", "warn", f"{coming.race_key} has no line-up yet", RUN)
    return Check("races", "ok", f"all {len(finished)} finished races are computed")


def check_published(pipeline: Pipeline, own: Mapping[str, TableState]) -> Check:
    """Hold the published copy against what was read of the warehouse, row by row."""
    path = pipeline.settings.published_path
    if not path.exists():
        return Check("published", "warn", f"{path}: there is no published copy yet", RUN)
    with Warehouse(path, pipeline.settings.lock_wait_s).read() as connection:
        published = read_everything(connection, str(path))
    made = f"{path}: published {datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%dT%H:%M} UTC"
    other = sorted(name for name, state in own.items() if published.get(name) != state)
    if other:
        return Check("published", "warn", f"{made}, since then others: {shortened(other)}", RUN)
    return Check("published", "ok", f"{made}, the same rows as the warehouse")


def check_models(pipeline: Pipeline) -> Check:
    """Open MLflow and find the files of every model that forecast the next race."""
    settings, coming = pipeline.settings, pipeline.calendar.next_race
    with pipeline.warehouse.read() as connection:
        has_models = has_table(connection, CANDIDATE_TABLE)
        key = {"race_key": "" if coming is None else coming.race_key}
        uris = [row[0] for row in connection.execute(MODELS_OF, key).fetchall()] if has_models else []
    mend = _rebuild_or(SHARE_MODELS, pipeline)
    fault = None if settings.mlflow else _model_store_fault(settings.tracking_dir / "mlflow.db", has_models, mend)
    if fault is not None:
        return fault
    store = pipeline.tracking.uri.removeprefix("sqlite:///")
    if coming is None:
        return Check("models", "ok", f"{store} opens; there is no next race")
    if not uris and coming.has_prices:
        return Check("models", "warn", f"{store} opens; no model has forecast {coming.race_key} yet", RUN)
    for uri in uris:
        pipeline.tracking.model_file(uri, "MLmodel")
    return Check("models", "ok", f"{store} opens and has the {len(uris)} models of {coming.race_key}")


def _model_store_fault(path: Path, has_models: bool, mend: str) -> Check | None:
    """Say what is wrong with the file of a store of models, if anything is."""
    if not path.exists():
        sentence = f"{path}: expected the store of models, found none"
        return Check("models", "fail", sentence, mend) if has_models else Check("models", "warn", sentence, RUN)
    fault = sqlite_fault(path, "model_versions")
    return Check("models", "fail", fault, f"restore {path} from a back-up, or {mend}") if fault else None


def check_cluster(pipeline: Pipeline) -> Check:
    """Count the workers of the Dask cluster, and hold their versions against those here."""
    from f1_pipeline.steps.dask_workers import checked_workers

    address = pipeline.settings.dask
    return Check("dask", "ok", f"{address}: {checked_workers(address)} workers, all with the versions of this process")


def sqlite_fault(path: Path, table: str) -> str | None:
    """Say what is wrong with an SQLite file.

    Parameters
    ----------
    path : Path
        Opened read-only.
    table : str
        One that it must have.

    Returns
    -------
    str or None
        A sentence that names the file; None when it is whole.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            (answer,) = connection.execute("pragma quick_check(1)").fetchone()
            names = {name for (name,) in connection.execute("select name from sqlite_master")}
    except sqlite3.Error as error:
        return f"{path}: the file is damaged: {error}"
    if answer != "ok":
        return f"{path}: the file is damaged: {answer}"
    return None if table in names else f"{path}: expected a table {table}, found none"

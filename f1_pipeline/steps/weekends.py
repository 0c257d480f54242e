"""Steps that learn weekends: session scores, the weekend model of each race, what it learnt, and its simulation.

Neighbours: `forecast.weekend_model` learns, `forecast.simulation` draws, `forecast.tracking` stores. Races before 2023
are no partitions, so the scores of all sessions are read from the fact files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.phases import PHASES
from f1_pipeline.forecast.simulated_points import BelievedRace, simulated_points
from f1_pipeline.game.rules import SeasonRules, load_rules, rule_seasons
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.forecast.session_scores import SessionFacts
    from f1_pipeline.forecast.weekend_model import WeekendHistory

SESSION_SCORE_TABLE = "core.session_score"
WEEKEND_MODEL_TABLE = "models.weekend_model"
FEATURE_FILE = "features.parquet"
RACES = """
    select race_key, race_date, season, circuit_id, has_sprint
    from core.race
    where not is_cancelled
    order by race_date
"""
ENTRIES = """
    select race_key, asset_type, asset_id, constructor_id, lineage_id
    from core.race_entry
    where list_contains($race_keys, race_key)
    order by race_key, asset_type, asset_id
"""
OVERTAKES = """
    -- In a sprint weekend of 2024 the passes of both sessions are one figure, which tells neither.
    select sco.race_key, sco.event_type as session, sco.driver_id, sco.frequency as overtakes_count
    from core.driver_event_score as sco
    where
        sco.scoring_item in ('race_overtakes', 'sprint_overtakes')
        and sco.race_key not in (
            select race_key from core.driver_event_score where scoring_item = 'weekend_overtakes'
        )
    order by sco.race_key, session, sco.driver_id
"""
STOPS = """
    select per.race_key, con.lineage_id,
        coalesce(sum(sco.points) filter (where sco.scoring_item like 'pit_stop%'), 0) as points
    from core.constructor_race_performance as per
    inner join core.constructor as con using (constructor_id)
    left join core.constructor_event_score as sco using (race_key, constructor_id)
    group by per.race_key, con.lineage_id
    order by per.race_key, con.lineage_id
"""
HISTORY = (
    "core.driver_event_score",
    "core.constructor_event_score",
    "core.constructor_race_performance",
)
_FACTS = {
    "races": "races",
    "sessions": "sessions",
    "constructors": "constructors",
    "practice": "practice_results",
    "qualifying": "qualifying_results",
    "grids": "starting_grids",
    "results": "race_results",
}


def score_sessions(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Score every session since 2018 that has results.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `core.session_score`.
    race_keys : sequence of str
        Ignored: the table is replaced whole.

    Returns
    -------
    WriteReport

    Raises
    ------
    DataError
        When a fact file is malformed.
    """
    from f1_pipeline.forecast.session_scores import session_scores

    return run_model(pipeline, table, race_keys, with_nulls(session_scores(session_facts(pipeline))))


def session_facts(pipeline: Pipeline) -> SessionFacts:
    """Read the fact files that session scores are made of, of all races since 2018."""
    from f1_pipeline.forecast.session_scores import SessionFacts

    data_dir = pipeline.settings.data_dir
    return SessionFacts(**{own: load_fact_table(data_dir, name).to_pandas() for own, name in _FACTS.items()})


def learn_weekend_models(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Learn the weekend model of each race from what was known, and store it.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `models.weekend_model`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With a link to each model.

    Raises
    ------
    WarehouseError
        When points of an earlier race are missing.
    """
    from f1_pipeline.forecast.model_records import weekend_record
    from f1_pipeline.forecast.weekend_model import learn_weekends

    models = learn_weekends(weekend_history(pipeline, race_keys), race_keys)
    rows = []
    for race_key, model in models.items():
        record = weekend_record(model, pipeline.calendar.get(race_key).race_date.isoformat())
        record = replace(record, files={**record.files, FEATURE_FILE: _parquet(model.features)})
        uri = pipeline.tracking.find(record.fingerprint) or pipeline.tracking.log_model(record)
        rows.append(
            {
                "race_key": race_key,
                "model_uri": uri,
                "fingerprint": record.fingerprint,
                "phase_count": len(model.outlooks),
                **{f"{phase}_notes": None for phase in PHASES},
                **{f"{phase}_notes": "; ".join(notes) for phase, notes in model.notes.items()},
            }
        )
    report = run_model(pipeline, table, race_keys, pd.DataFrame(rows))
    details = {row["race_key"]: {"model": f"`{row['model_uri']}`", "notes": row["at_lock_notes"]} for row in rows}
    return replace(report, details=details)


def weekend_history(pipeline: Pipeline, race_keys: Sequence[str]) -> WeekendHistory:
    """Read what the weekends of some races are learnt from.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Returns
    -------
    WeekendHistory

    Raises
    ------
    WarehouseError
        When points of an earlier race are missing.
    """
    from f1_pipeline.forecast.weekend_model import WeekendHistory

    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, HISTORY, race_keys)
        return WeekendHistory(
            sessions=read_table(connection, SESSION_SCORE_TABLE),
            overtakes=read_frame(connection, OVERTAKES),
            stops=read_frame(connection, STOPS),
            races=_all_races(pipeline, read_frame(connection, RACES)),
            entries=read_frame(connection, ENTRIES, {"race_keys": list(race_keys)}),
            rules=_all_rules(pipeline),
        )


def _all_races(pipeline: Pipeline, of_the_game: pd.DataFrame) -> pd.DataFrame:
    """List the races of the game, and those before it from the fact file."""
    facts = load_fact_table(pipeline.settings.data_dir, "races").to_pandas()
    older = facts[~facts["is_cancelled"].astype(bool) & ~facts["race_key"].isin(of_the_game["race_key"])]
    races = pd.concat([older[list(of_the_game.columns)], of_the_game], ignore_index=True)
    return races.assign(race_date=pd.to_datetime(races["race_date"]))


def _all_rules(pipeline: Pipeline) -> Mapping[int, SeasonRules]:
    data_dir = pipeline.settings.data_dir
    return {season: load_rules(data_dir, season) for season in rule_seasons(data_dir)}


def _parquet(rows: pd.DataFrame) -> bytes:
    import pyarrow.parquet as pq

    target = pa.BufferOutputStream()
    pq.write_table(with_nulls(rows), target)
    return target.getvalue().to_pybytes()


def list_weekend_features(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """List what each weekend model has learnt of every asset.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `features.weekend_feature`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a race has no weekend model.
    """
    tracking = pipeline.tracking
    parts = [pd.read_parquet(tracking.model_file(uri, FEATURE_FILE)) for _, uri in weekend_models(pipeline, race_keys)]
    return run_model(pipeline, table, race_keys, with_nulls(pd.concat(parts, ignore_index=True)))


def weekend_models(pipeline: Pipeline, race_keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name the weekend model of each race.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Yields
    ------
    tuple of str
        Race and model URI.

    Raises
    ------
    WarehouseError
        When a race has none.
    """
    with pipeline.warehouse.read() as connection:
        models = read_table(connection, WEEKEND_MODEL_TABLE).set_index("race_key")["model_uri"]
    for race_key in race_keys:
        if race_key not in models.index:
            raise WarehouseError(f"{race_key}: expected a weekend model, found none; materialize it first")
        yield race_key, models[race_key]


def simulate_weekends(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Simulate each race at each phase, and score the weekends by the rules of the season.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.simulated_points`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When a race has no weekend model.
    """
    columns: dict[str, list[np.ndarray]] = {}
    for race in spread(pipeline.settings, simulated_points, believed_races(pipeline, race_keys)):
        for name, values in race.items():
            columns.setdefault(name, []).append(values)
    together = {name: np.concatenate(parts) for name, parts in columns.items()}
    draws, remaining = together.pop("draws"), together.pop("race_expectation_draws")
    rows = with_nulls(pd.DataFrame(together))
    rows = rows.append_column("draws", list_column(draws))
    rows = rows.append_column("race_expectation_draws", pa.array(remaining, pa.list_(pa.int16())))
    return run_model(pipeline, table, race_keys, rows)


def believed_races(pipeline: Pipeline, race_keys: Sequence[str]) -> Iterator[BelievedRace]:
    """Read the weekend model of each race, as far as its simulation needs it.

    Parameters
    ----------
    pipeline : Pipeline
    race_keys : sequence of str

    Yields
    ------
    BelievedRace

    Raises
    ------
    WarehouseError
        When a race has no weekend model.
    """
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.weekend_files import read_weekend

    for race_key, uri in weekend_models(pipeline, race_keys):
        drivers, constructors, outlooks, _ = read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))
        day = pipeline.calendar.get(race_key).race_date.toordinal()
        yield BelievedRace(race_key, day, drivers, constructors, outlooks, pipeline.rules(race_key))


def list_column(values: np.ndarray) -> pa.Array:
    """Pack rows of whole numbers into one column of lists.

    Parameters
    ----------
    values : ndarray of int16, shape (rows, k)

    Returns
    -------
    pyarrow.ListArray
    """
    ends = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    flat = pa.array(np.ascontiguousarray(values, dtype=np.int16).ravel())
    return pa.ListArray.from_arrays(pa.array(ends), flat)


def list_values(column: pa.ChunkedArray) -> np.ndarray:
    """Unpack a column of lists of one length, shape (rows, k)."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), -1)

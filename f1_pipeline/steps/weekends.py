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
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.game.rules import SeasonRules, load_rules, rule_seasons
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.forecast.session_scores import SessionFacts
    from f1_pipeline.forecast.simulation import SimulatedWeekends
    from f1_pipeline.forecast.weekend_model import WeekendHistory
    from f1_pipeline.game.scoring_arrays import Weekends

SESSION_SCORE_TABLE = "core.session_score"
WEEKEND_MODEL_TABLE = "models.weekend_model"
FEATURE_FILE = "features.parquet"
DRAWS, STORED_DRAWS = 4000, 1000
"""Weekends that are simulated per race and phase, and how many of them are stored: the mean of 4000 is sure to about a
quarter of a point, and a thousand joint draws are enough to choose a team on."""

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
    from f1_pipeline.forecast.model_records import WEEKEND_FILE
    from f1_pipeline.forecast.simulation import simulate_points
    from f1_pipeline.forecast.weekend_files import read_weekend

    columns: dict[str, list] = {}
    draws: list[np.ndarray] = []
    remaining: list[np.ndarray | None] = []
    for race_key, uri in weekend_models(pipeline, race_keys):
        drivers, constructors, outlooks, _ = read_weekend(pipeline.tracking.model_file(uri, WEEKEND_FILE))
        rules = pipeline.rules(race_key)
        for phase in PHASES:
            if phase not in outlooks:
                continue
            # chips are played at the lock
            is_lock = phase == AT_LOCK
            seed = simulation_seed(pipeline, race_key, phase)
            drawn = simulate_points(outlooks[phase], rules, DRAWS, seed, no_negative=is_lock, with_items=is_lock)
            points = np.concatenate([drawn.driver_points, drawn.constructor_points], axis=1).T
            draws.append(points[:, :STORED_DRAWS])
            remaining += [*_remaining(drawn, rules), *[None] * len(constructors)] if is_lock else [None] * len(points)
            summary = _summary(points, drawn.weekends, len(constructors))
            for name, values in (summary | {"no_negative_points": no_negative_points(drawn)}).items():
                columns.setdefault(name, []).append(values)
            size = len(drivers) + len(constructors)
            for name, value in (
                ("race_key", np.repeat(race_key, size)),
                ("phase", np.repeat(phase, size)),
                ("asset_type", np.repeat(["driver", "constructor"], [len(drivers), len(constructors)])),
                ("asset_id", np.array([*drivers, *constructors])),
            ):
                columns.setdefault(name, []).append(value)
    rows = with_nulls(pd.DataFrame({name: np.concatenate(parts) for name, parts in columns.items()}))
    rows = rows.append_column("draws", list_column(np.concatenate(draws)))
    rows = rows.append_column("race_expectation_draws", pa.array(remaining, pa.list_(pa.int16())))
    return run_model(pipeline, table, race_keys, rows)


def simulation_seed(pipeline: Pipeline, race_key: str, phase: str) -> tuple[int, int]:
    """Return the seed of the simulation of a race at a phase."""
    return pipeline.calendar.get(race_key).race_date.toordinal(), PHASES.index(phase)


def no_negative_points(drawn: SimulatedWeekends) -> np.ndarray:
    """Average the points of every asset under the chip No Negative; NaN where they were not asked for."""
    of_drivers, of_constructors = drawn.scores.driver_no_negative, drawn.scores.constructor_no_negative
    if of_drivers is None or of_constructors is None:
        return np.full(drawn.driver_points.shape[1] + drawn.constructor_points.shape[1], np.nan)
    return np.concatenate([of_drivers.mean(axis=0), of_constructors.mean(axis=0)])


def _remaining(drawn: SimulatedWeekends, rules: SeasonRules) -> np.ndarray:
    """Say draw by draw what will be expected of each driver after qualifying, in tenths, one row per driver."""
    from f1_pipeline.forecast.remaining_points import expected_after_qualifying, points_after_qualifying

    assert drawn.scores.driver_items is not None
    points = points_after_qualifying(drawn.scores.driver_items, rules, drawn.weekends.sprint is not None)
    expected = expected_after_qualifying(points, drawn.qualifying_position)
    return np.rint(TENTHS * expected[:STORED_DRAWS].T).astype(np.int16)


def _summary(points: np.ndarray, weekends: Weekends, constructor_count: int) -> dict[str, np.ndarray]:
    """Sum up simulated weekends: points of every asset, places of drivers."""
    p10, p50, p90 = np.quantile(points, (0.1, 0.5, 0.9), axis=1)
    qualifying, race = weekends.qualifying.position, weekends.race
    is_classified = (race.position > 0) & ~race.is_disqualified
    places = np.where(is_classified, race.position, 0)
    of_drivers = {
        "qualifying_position_mean": _mean_place(qualifying),
        "race_position_mean": _mean_place(places),
        "win_probability": (places == 1).mean(axis=0),
        "podium_probability": (is_classified & (places <= 3)).mean(axis=0),
        "not_classified_probability": 1.0 - is_classified.mean(axis=0),
    }
    none = np.full(constructor_count, np.nan)
    return {
        "mean_points": points.mean(axis=1),
        "sd_points": points.std(axis=1),
        "p10": p10,
        "p50": p50,
        "p90": p90,
        **{name: np.concatenate([values, none]) for name, values in of_drivers.items()},
    }


def _mean_place(places: np.ndarray) -> np.ndarray:
    """Average the places of each driver where he has one."""
    met = (places > 0).sum(axis=0)
    return np.where(met > 0, places.sum(axis=0) / np.maximum(met, 1), np.nan)


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

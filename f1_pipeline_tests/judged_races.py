"""Two small races with every forecast that `steps.evaluation` judges, in a warehouse made for the test.

Belongs here: rows only, and how they get into the file; the tests say what must come of them. Bahrain was replayed,
before practice and at the lock; Saudi Arabia was forecast live, at the lock. Both count: three made-up races come
before them. Everybody costs 10 million, so that every line-up of five drivers and two constructors is affordable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from f1_pipeline.forecast.baselines import BASELINES
from f1_pipeline.steps.evaluation import (
    CANDIDATE_ERROR_TABLE,
    CANDIDATE_LINEUP_TABLE,
    ERROR_TABLE,
    EVENT_TABLE,
    LINEUP_SCORE_TABLE,
    score_candidate_lineups,
    score_candidates,
    score_events,
    score_forecasts,
    score_lineups,
)
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model

BAHRAIN, JEDDAH = "2023-bahrain", "2023-saudi-arabia"
BEFORE, LOCK = "before_practice", "at_lock"
PHASES = {BAHRAIN: (BEFORE, LOCK), JEDDAH: (LOCK,)}
MAX, ALEX = "max-verstappen", "alexander-albon"
OUT = {MAX: 0.1, "bob": 0.3, "ann": 0.2}  # how likely each is not classified
DRIVERS = {MAX: "red-bull", ALEX: "williams", "ann": "red", "bob": "red", "cat": "blue", "dan": "blue"}
CONSTRUCTORS = ("williams", "red", "blue")
ASSETS = [*(("driver", name) for name in DRIVERS), *(("constructor", name) for name in CONSTRUCTORS)]
EXPECTED = {MAX: 30, ALEX: 20, "ann": 15, "bob": 10, "cat": 5, "dan": 1, "williams": 10, "red": 20, "blue": 30}

# Ann took no part in Bahrain.
ACTUAL = {
    BAHRAIN: {MAX: 10, ALEX: 4, "bob": -2, "cat": 8, "dan": 40, "williams": 50, "red": 5, "blue": 7},
    JEDDAH: {MAX: 20, ALEX: 0, "ann": 30, "bob": 4, "cat": 8, "dan": 50, "williams": 10, "red": 40, "blue": 9},
}
QUANTILES = {"p05": 0.0, "p10": 9.5, "p25": 11.0, "p50": 16.0, "p75": 21.0, "p90": 26.0, "p95": 29.0}
RACES = [
    *((f"2023-test-{day}", f"2023-01-{day:02d}") for day in (1, 8, 15)),
    (BAHRAIN, "2023-03-05"),
    (JEDDAH, "2023-03-19"),
]
AGGREGATES = (
    "counted_race",
    "forecast_accuracy",
    "lineup_accuracy",
    "return_class_error",
    "pit_histogram",
    "probability_calibration",
    "probability_score",
)

Row = dict[str, Any]
ASSET_TYPES = {"race_key": "varchar", "asset_type": "varchar", "asset_id": "varchar"}


def make_warehouse(pipeline: Pipeline) -> None:
    """Write everything upstream of `evaluation` into a new file."""
    pipeline.settings.warehouse_dir.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(pipeline.settings.warehouse_path)) as connection:
        _facts(connection)
        _forecasts(connection)
        _probabilities(connection)


def judge(pipeline: Pipeline) -> None:
    """Run every step of `evaluation`, upstream first."""
    for table, step in (
        (CANDIDATE_ERROR_TABLE, score_candidates),
        (CANDIDATE_LINEUP_TABLE, score_candidate_lineups),
        (ERROR_TABLE, score_forecasts),
        (LINEUP_SCORE_TABLE, score_lineups),
        (EVENT_TABLE, score_events),
    ):
        step(pipeline, table, [BAHRAIN, JEDDAH])
    for name in AGGREGATES:
        run_model(pipeline, f"evaluation.{name}", [])


def stored(pipeline: Pipeline, table: str, **wanted: object) -> list[Row]:
    """Read the rows of a table that have these values, in a fixed order."""
    with duckdb.connect(str(pipeline.settings.warehouse_path), read_only=True) as connection:
        relation = connection.table(table).order("all")
        rows = [dict(zip(relation.columns, values, strict=True)) for values in relation.fetchall()]
    return [row for row in rows if row | wanted == row]


def _store(
    connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    given = pa.Table.from_pylist([dict(row) for row in rows])
    columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
    connection.execute(f"create schema if not exists {table.split('.')[0]}")
    connection.from_arrow(given).project(columns).create(table)


def _facts(connection: duckdb.DuckDBPyConnection) -> None:
    races = [{"race_key": key, "season": 2023, "race_date": day, "is_cancelled": False} for key, day in RACES]
    types = {"race_key": "varchar", "season": "integer", "race_date": "date", "is_cancelled": "boolean"}
    _store(connection, "core.race", types, races)
    entries = [
        {
            "race_key": race_key,
            "asset_type": kind,
            "asset_id": name,
            "constructor_id": DRIVERS.get(name, name),
            "fantasy_price_musd": 10.0,
        }
        for race_key in ACTUAL
        for kind, name in ASSETS
    ]
    types = {**ASSET_TYPES, "constructor_id": "varchar", "fantasy_price_musd": "decimal(5, 1)"}
    _store(connection, "core.race_entry", types, entries)
    for kind, own in (("driver", DRIVERS), ("constructor", CONSTRUCTORS)):
        performances = [
            {
                "race_key": race_key,
                f"{kind}_id": name,
                "total_points": points,
                "was_race_classified": name != "bob",
            }
            for race_key, scored in ACTUAL.items()
            for name, points in scored.items()
            if name in own
        ]
        types = {"race_key": "varchar", f"{kind}_id": "varchar", "total_points": "integer"}
        extra = {"was_race_classified": "boolean"} if kind == "driver" else {}
        _store(connection, f"core.{kind}_race_performance", types | extra, performances)


def _forecasts(connection: duckdb.DuckDBPyConnection) -> None:
    baselines = [
        {"race_key": race_key, "asset_type": kind, "asset_id": name, "baseline": baseline, "expected_points": 10.0}
        for race_key in ACTUAL
        for kind, name in ASSETS
        for baseline in BASELINES
    ]
    types = {**ASSET_TYPES, "baseline": "varchar", "expected_points": "double"}
    _store(connection, "predictions.baseline_points", types, baselines)
    at = [
        {"race_key": race_key, "phase": phase, "asset_type": kind, "asset_id": name}
        for race_key, phases in PHASES.items()
        for phase in phases
        for kind, name in ASSETS
    ]
    keys = {**ASSET_TYPES, "phase": "varchar"}
    simulated = [row | {"draws": [4, 6, 8, 10]} for row in at]
    _store(connection, "predictions.simulated_points", keys | {"draws": "smallint[]"}, simulated)
    candidates = [
        row | {"candidate": name, "expected_points": 12.0 if name == "ridge" else float(EXPECTED[row["asset_id"]])}
        for row in at
        for name in ("strength", "ridge")
    ]
    types = keys | {"candidate": "varchar", "expected_points": "double"}
    _store(connection, "predictions.candidate_points", types, candidates)
    scales = [
        {"race_key": race_key, "phase": phase, "candidate": name, "asset_type": kind, "scale": 2.0}
        for race_key, phases in PHASES.items()
        for phase in phases
        for name in ("strength", "ridge")
        for kind in ("driver", "constructor")
    ]
    types = dict.fromkeys(("race_key", "phase", "candidate", "asset_type"), "varchar") | {"scale": "double"}
    _store(connection, "models.spread_scale", types, scales)
    # An older version that does not count, and in Saudi Arabia nothing of Dan, who came on sale too late.
    published = [
        row
        | QUANTILES
        | {
            "expected_points": float(EXPECTED[row["asset_id"]]) if is_current else 0.0,
            "draws": [300, 0, 200, 100],
            "is_live": row["race_key"] == JEDDAH,
            "is_current": is_current,
            "not_classified_probability": OUT.get(row["asset_id"]) if row["phase"] == LOCK else None,
        }
        for row in at
        for is_current in (True, False)
        if (row["race_key"], row["asset_id"]) != (JEDDAH, "dan")
    ]
    types = keys | dict.fromkeys(("expected_points", *QUANTILES), "double")
    types |= {"draws": "smallint[]", "is_live": "boolean", "is_current": "boolean"}
    types |= {"not_classified_probability": "double"}
    _store(connection, "predictions.asset_forecast", types, published)


def _probabilities(connection: duckdb.DuckDBPyConnection) -> None:
    # The facts have prices of Max, 26.9, 27.0 and 27.1 million; of Ann they have none.
    steps = [
        {
            "race_key": race_key,
            "phase": LOCK,
            "asset_type": "driver",
            "asset_id": name,
            "step_musd": step,
            "probability": share,
        }
        for race_key in ACTUAL
        for name in (MAX, "ann")
        for step, share in ((-0.1, 0.1), (0.0, 0.4), (0.1, 0.5))
    ]
    types = {**ASSET_TYPES, "phase": "varchar", "step_musd": "decimal(5, 1)", "probability": "double"}
    _store(connection, "predictions.price_step_probability", types, steps)

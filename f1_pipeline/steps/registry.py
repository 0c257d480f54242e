"""Every step of the graph: which table it makes, from what, for which races or seasons.

Belongs here: the whole list in order, derived from the fact files, the SQL models and `python_steps`, and which tables
of it a race or a season needs. Neighbours: `defs.assets` makes one asset of each step, `benchmarks.backfill` runs them
in order without Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import wraps
from graphlib import TopologicalSorter

from f1_pipeline.errors import DataError
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.steps.again import again_when_lost
from f1_pipeline.steps.agents import TRAINING_TABLE
from f1_pipeline.steps.ahead import LATER_TABLE
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.my_team import TEAM_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import PRICE_STEP_TABLE
from f1_pipeline.steps.python_steps import OUTLOOK_TABLE, PRICE_FORECAST_TABLE, python_steps
from f1_pipeline.steps.step import Run, Step
from f1_pipeline.steps.tables import land_facts, run_model
from f1_pipeline.warehouse.contract import Partition
from f1_pipeline.warehouse.lineage import tables_of, upstream_tables
from f1_pipeline.warehouse.model_file import SqlModel
from f1_pipeline.warehouse.writer import WriteReport


def build_steps(pipeline: Pipeline) -> dict[str, Step]:
    """List every step, upstream first.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    dict of str to Step
        By full table name, each after what it reads.

    Raises
    ------
    DataError
        When a step reads a table that no step makes or that is not there when it runs, when it is not partitioned as
        its table is, or when a model fed by Python has no step.
    """
    raw = [
        Step(
            f"raw.{name}",
            land_facts,
            reads=_tested_with(pipeline, f"raw.{name}"),
            partition="race" if facts.is_partitioned else None,
            kinds=("csv", "duckdb"),
            reads_facts=True,
        )
        for name, facts in FACT_TABLES.items()
    ]
    sql = [_sql_step(pipeline, model) for model in pipeline.models.values() if not model.is_fed_by_python]
    steps = {step.table: step for step in [*raw, *sql, *python_steps()]}
    for name in pipeline.models:
        if name not in steps:
            raise DataError(f"{pipeline.models[name].path.name}: expects rows from Python, but no step makes {name}")
    for step in steps.values():
        _check_step(step, steps, pipeline.contracts[step.table].partition)
    order = TopologicalSorter({step.table: step.reads for step in steps.values()}).static_order()
    ordered = {table: replace(steps[table], run=again_when_lost(_alone(steps[table].run))) for table in order}
    for table in season_tables(ordered):
        if ordered[table].partition == "race":
            raise DataError(f"{table}: expected a table of races to need none of whole seasons, which come after them")
    return ordered


def _alone(run: Run) -> Run:
    """Let a step have its partitions to itself: what it reads of its own table must be there when it writes."""

    @wraps(run)
    def alone(pipeline: Pipeline, table: str, partition_keys: Sequence[str]) -> WriteReport:
        with pipeline.warehouse.alone_with(table, partition_keys if pipeline.contracts[table].partition else ()):
            return run(pipeline, table, partition_keys)

    return alone


def _check_step(step: Step, steps: Mapping[str, Step], partition: Partition | None) -> None:
    if step.partition != partition:
        raise DataError(f"{step.table}: expected partition {partition!r} as in its header, found {step.partition!r}")
    for table in step.reads:
        if table not in steps:
            raise DataError(f"{step.table}: reads {table}, which no step makes")
        if steps[table].is_for_coming_race and (not step.is_for_coming_race or table in step.earlier):
            raise DataError(f"{step.table}: reads {table}, which is made for coming races only")


def _sql_step(pipeline: Pipeline, model: SqlModel) -> Step:
    table = model.contract.full_name
    return Step(
        table=table,
        run=run_model,
        reads=tuple(sorted({*upstream_tables(model), *_tested_with(pipeline, table)})),
        strictly_before=model.strictly_before,
        up_to_and_including=model.up_to_and_including,
        partition=model.contract.partition,
        kinds=("sql", "duckdb"),
    )


def _tested_with(pipeline: Pipeline, table: str) -> tuple[str, ...]:
    """Name the other tables that the SQL tests of a table read."""
    read = {name for test in pipeline.tests_of(table) for name in tables_of(test.body, test.path.name)}
    return tuple(sorted(read - {table}))


def forecast_tables(steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Name the tables of a race that can be made before it is driven: your team, its line-up and plans, the outlook."""
    plans = {table for table, step in steps.items() if step.is_for_coming_race}
    known = {LINEUP_TABLE, TEAM_TABLE, PRICE_STEP_TABLE, PRICE_FORECAST_TABLE, OUTLOOK_TABLE, LATER_TABLE}
    return _with_upstream(steps, known | plans)


def finished_tables(steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Name the tables of a finished race: all but plans for a coming one and what is of whole seasons."""
    seasons = season_tables(steps)
    return tuple(table for table, step in steps.items() if table not in seasons and not step.is_for_coming_race)


def history_tables(steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Name the tables of a finished race that later races read: its points, features and baselines."""
    seasons = season_tables(steps)
    earlier = (step.earlier for table, step in steps.items() if table not in seasons)
    return _with_upstream(steps, set().union(*earlier))


def season_tables(steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Name the tables of whole seasons, and what is made of them."""
    found: list[str] = []
    for table, step in steps.items():
        if step.partition == "season" or not set(found).isdisjoint(step.reads):
            found.append(table)
    return tuple(found)


def agent_tables(steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Name the tables of whole seasons about agents, and what is made of them."""
    found: set[str] = {TRAINING_TABLE}
    for table in season_tables(steps):
        if not found.isdisjoint(steps[table].reads):
            found.add(table)
    return tuple(table for table in season_tables(steps) if table in found)


def _with_upstream(steps: Mapping[str, Step], tables: set[str]) -> tuple[str, ...]:
    found: set[str] = set()
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table not in found:
            found.add(table)
            waiting += [upstream for upstream in steps[table].reads if upstream not in steps[table].strictly_before]
    return tuple(table for table in steps if table in found)

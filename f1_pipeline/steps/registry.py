"""Every step of the graph: which table it makes, from what, for which races or seasons.

Belongs here: the list, derived from the fact files and the SQL models, plus the few steps that Python computes.
Neighbours: `defs.assets` makes one asset of each step, `benchmarks.backfill` runs them in order without Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from graphlib import TopologicalSorter

from f1_pipeline.errors import DataError
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.steps.again import again_when_lost
from f1_pipeline.steps.agent_seasons import AGENT_SEASON_TABLE, evaluate_agents
from f1_pipeline.steps.agents import TRAINING_TABLE, train_agents
from f1_pipeline.steps.ahead import LATER_TABLE, forecast_later_races
from f1_pipeline.steps.backtest import BACKTEST_TABLE, HINDSIGHT_TABLE, find_season_paths, play_policies
from f1_pipeline.steps.chips import CHIP_PLAN_TABLE, plan_chips, record_chip_gains
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
from f1_pipeline.steps.final_fix import FINAL_FIX_TABLE, advise_final_fix
from f1_pipeline.steps.forecast import HISTORY as PERFORMANCES
from f1_pipeline.steps.forecast import LEARNT_FROM, forecast_baselines, forecast_candidates, train_candidates
from f1_pipeline.steps.knowledge import GAIN_TABLE
from f1_pipeline.steps.lineups import LINEUP_TABLE, choose_lineups
from f1_pipeline.steps.my_team import ENTERED_TABLE, TEAM_TABLE, land_entered_team, land_my_team
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.plans import PLAN_TABLE, plan_transfers
from f1_pipeline.steps.prices import POINTS_TABLES, PRICE_STEP_TABLE, list_price_steps, price_by_rules
from f1_pipeline.steps.publish import (
    CANDIDATE_FIGURES,
    FORECAST_TABLE,
    choose_champions,
    price_forecasts,
    publish_forecasts,
)
from f1_pipeline.steps.refresh import STATEMENT_TABLE, land_feed_statements
from f1_pipeline.steps.regret import REGRET_TABLE, split_regrets
from f1_pipeline.steps.review import PICK_TABLE, REVIEW_TABLE, review_lineups, review_picks
from f1_pipeline.steps.scores import RESCORED_TABLE, rescore_every_race, score_by_rules, total_rescored_races
from f1_pipeline.steps.tables import land_facts, run_model
from f1_pipeline.steps.weekends import HISTORY as WEEKEND_HISTORY
from f1_pipeline.steps.weekends import (
    SESSION_SCORE_TABLE,
    WEEKEND_MODEL_TABLE,
    learn_weekend_models,
    list_weekend_features,
    score_sessions,
    simulate_weekends,
)
from f1_pipeline.warehouse.contract import Partition
from f1_pipeline.warehouse.lineage import tables_of, upstream_tables
from f1_pipeline.warehouse.model_file import SqlModel
from f1_pipeline.warehouse.writer import WriteReport

Run = Callable[[Pipeline, str, Sequence[str]], WriteReport]

OUTLOOK_TABLE = "predictions.driver_outlook"
PRICE_FORECAST_TABLE = "predictions.price_step_probability"
# what decisions are made from, and what they are scored by
DECISION_FORECASTS = (LATER_TABLE, FORECAST_TABLE, "predictions.simulated_points", "predictions.baseline_points")
DECISION_RESULTS = ("staging.event_score", "staging.price", *POINTS_TABLES)


@dataclass(frozen=True)
class Step:
    """One table and how it is made.

    Attributes
    ----------
    table : str
        Full name of the table.
    run : callable
        `run(pipeline, table, partition_keys)` replaces the rows of these partitions.
    reads : tuple of str
        Tables it reads.
    strictly_before, up_to_and_including : frozenset of str
        Those of `reads` of which earlier races are read, without or with the race itself.
    partition : {'race', 'season'} or None
        What its rows belong to, as the header of its table says; None for a table that is replaced whole.
    kinds : tuple of str
        What it is made with, as the Dagster UI labels it.
    reads_facts : bool
        Whether it reads files of data/, the facts or what was received.
    is_for_coming_race : bool
        Whether it is made before a race only: a plan, which nobody needs of every race of the past.
    """

    table: str
    run: Run
    reads: tuple[str, ...] = ()
    strictly_before: frozenset[str] = frozenset()
    up_to_and_including: frozenset[str] = frozenset()
    partition: Partition | None = "race"
    kinds: tuple[str, ...] = ("duckdb",)
    reads_facts: bool = False
    is_for_coming_race: bool = False

    @property
    def earlier(self) -> frozenset[str]:
        """Tables of which it reads earlier races."""
        return self.strictly_before | self.up_to_and_including


def _python_steps() -> tuple[Step, ...]:
    return (
        *_rule_steps(),
        # Both ask whether a race is settled, which an earlier run has said: the forecast of this one is not waited for.
        Step(TEAM_TABLE, land_my_team, partition=None, kinds=("python", "duckdb")),
        Step(ENTERED_TABLE, land_entered_team, reads=(TEAM_TABLE,), partition=None, kinds=("python", "duckdb")),
        Step(STATEMENT_TABLE, land_feed_statements, partition=None, kinds=("json", "duckdb"), reads_facts=True),
        Step(
            "predictions.baseline_points",
            forecast_baselines,
            reads=("core.race", "core.race_entry", "core.constructor", *PERFORMANCES),
            strictly_before=frozenset(PERFORMANCES),
            kinds=("python", "numpy", "duckdb"),
        ),
        *_forecast_steps(),
        *_evaluation_steps(),
        *_decision_steps(),
        *_season_steps(),
        Step(
            LINEUP_TABLE,
            choose_lineups,
            reads=(
                "core.race",
                "core.driver",
                "core.constructor",
                TEAM_TABLE,
                "staging.price",
                *POINTS_TABLES,
                "features.driver_race_feature",
                "features.constructor_race_feature",
                "predictions.asset_points",
                "predictions.simulated_points",
                FORECAST_TABLE,
                LATER_TABLE,
                OUTLOOK_TABLE,
                PRICE_FORECAST_TABLE,
            ),
            strictly_before=frozenset(POINTS_TABLES),
            kinds=("python", "numpy", "pulp", "duckdb"),
        ),
        *_review_steps(),
    )


def _review_steps() -> tuple[Step, ...]:
    """List the steps that say what the line-ups of finished races were worth."""
    kinds = ("python", "numpy", "duckdb")
    scored = (
        LINEUP_TABLE,
        TEAM_TABLE,
        ENTERED_TABLE,
        "core.race",
        "core.race_entry",
        "staging.price",
        *POINTS_TABLES,
        "marts.race_leaderboard",
        "predictions.asset_points",
    )
    drawn = ("predictions.simulated_points", FORECAST_TABLE)
    strictly_before = frozenset(POINTS_TABLES)
    return (
        Step(REVIEW_TABLE, review_lineups, reads=scored, strictly_before=strictly_before, kinds=kinds),
        Step(
            PICK_TABLE,
            review_picks,
            reads=(REVIEW_TABLE, *scored, *drawn),
            strictly_before=strictly_before,
            kinds=kinds,
            reads_facts=True,
        ),
        Step(
            REGRET_TABLE,
            split_regrets,
            reads=(REVIEW_TABLE, PICK_TABLE, "core.driver", "core.constructor", LATER_TABLE, *scored, *drawn),
            strictly_before=strictly_before,
            kinds=kinds,
        ),
    )


def _decision_steps() -> tuple[Step, ...]:
    """List the steps that plan ahead."""
    kinds = ("python", "numpy", "duckdb")
    results, forecasts = DECISION_RESULTS, DECISION_FORECASTS
    known = ("core.race", *forecasts)
    return (
        Step(
            GAIN_TABLE,
            record_chip_gains,
            reads=(*known, *results),
            strictly_before=frozenset({"staging.event_score", *POINTS_TABLES}),
            up_to_and_including=frozenset({*forecasts, "staging.price"}),
            kinds=kinds,
        ),
        Step(
            CHIP_PLAN_TABLE,
            plan_chips,
            reads=(TEAM_TABLE, GAIN_TABLE, *known, *results),
            strictly_before=frozenset({GAIN_TABLE, "staging.event_score", *POINTS_TABLES}),
            kinds=kinds,
            is_for_coming_race=True,
        ),
        Step(
            PLAN_TABLE,
            plan_transfers,
            reads=(TEAM_TABLE, GAIN_TABLE, *known, *results),
            strictly_before=frozenset({GAIN_TABLE, "staging.event_score", *POINTS_TABLES}),
            kinds=("python", "pulp", "duckdb"),
            is_for_coming_race=True,
        ),
        Step(
            FINAL_FIX_TABLE,
            advise_final_fix,
            reads=(LINEUP_TABLE, ENTERED_TABLE, TEAM_TABLE, GAIN_TABLE, WEEKEND_MODEL_TABLE, *known, *results),
            strictly_before=frozenset({GAIN_TABLE, "staging.event_score", *POINTS_TABLES}),
            kinds=kinds,
            is_for_coming_race=True,
        ),
    )


def _season_steps() -> tuple[Step, ...]:
    """List the steps that play seasons again."""
    results, known = DECISION_RESULTS, ("core.race", *DECISION_FORECASTS)
    return (
        Step(HINDSIGHT_TABLE, find_season_paths, reads=results, partition="season", kinds=("python", "pulp", "duckdb")),
        Step(
            BACKTEST_TABLE,
            play_policies,
            reads=(GAIN_TABLE, *known, *results),
            partition="season",
            kinds=("python", "pulp", "duckdb"),
        ),
        Step(
            TRAINING_TABLE,
            train_agents,
            reads=(
                "core.race",
                "core.constructor",
                WEEKEND_MODEL_TABLE,
                "staging.price",
                *PERFORMANCES,
                *POINTS_TABLES,
            ),
            partition="season",
            kinds=("python", "numpy", "mlflow"),
        ),
        Step(
            AGENT_SEASON_TABLE,
            evaluate_agents,
            reads=(TRAINING_TABLE, "core.constructor", WEEKEND_MODEL_TABLE, *PERFORMANCES, *known, *results),
            partition="season",
            kinds=("python", "pulp", "duckdb"),
        ),
    )


def _forecast_steps() -> tuple[Step, ...]:
    """List the steps from session scores to the published forecast."""
    kinds = ("python", "numpy", "duckdb")
    learning = ("python", "scikitlearn", "mlflow")
    return (
        Step(SESSION_SCORE_TABLE, score_sessions, partition=None, kinds=kinds, reads_facts=True),
        Step(
            WEEKEND_MODEL_TABLE,
            learn_weekend_models,
            reads=(SESSION_SCORE_TABLE, "core.race", "core.race_entry", "core.constructor", *WEEKEND_HISTORY),
            strictly_before=frozenset(WEEKEND_HISTORY),
            kinds=learning,
        ),
        Step("features.weekend_feature", list_weekend_features, reads=(WEEKEND_MODEL_TABLE,), kinds=kinds),
        Step("predictions.simulated_points", simulate_weekends, reads=(WEEKEND_MODEL_TABLE,), kinds=kinds),
        Step(
            "models.points_model",
            train_candidates,
            reads=("core.race", WEEKEND_MODEL_TABLE, *LEARNT_FROM, *PERFORMANCES),
            strictly_before=frozenset({*LEARNT_FROM, *PERFORMANCES}),
            kinds=learning,
        ),
        Step(
            "predictions.candidate_points",
            forecast_candidates,
            reads=("core.race", "models.points_model", *LEARNT_FROM),
            kinds=("python", "scikitlearn", "duckdb"),
        ),
        Step(
            "models.champion",
            choose_champions,
            reads=("models.points_model", "predictions.candidate_points", *CANDIDATE_FIGURES),
            strictly_before=frozenset(CANDIDATE_FIGURES),
            kinds=("python", "mlflow", "duckdb"),
        ),
        Step(
            FORECAST_TABLE,
            publish_forecasts,
            reads=(
                "core.race",
                "raw.sessions",
                SESSION_SCORE_TABLE,
                WEEKEND_MODEL_TABLE,
                "models.points_model",
                "models.champion",
                "models.spread_scale",
                "predictions.candidate_points",
                "predictions.simulated_points",
            ),
            kinds=kinds,
        ),
        Step(
            PRICE_FORECAST_TABLE,
            price_forecasts,
            reads=("staging.price", FORECAST_TABLE, *POINTS_TABLES),
            strictly_before=frozenset(POINTS_TABLES),
            kinds=kinds,
        ),
        Step(
            LATER_TABLE,
            forecast_later_races,
            reads=(
                "core.race",
                "staging.price",
                WEEKEND_MODEL_TABLE,
                "predictions.simulated_points",
                FORECAST_TABLE,
                *POINTS_TABLES,
            ),
            strictly_before=frozenset(POINTS_TABLES),
            kinds=kinds,
        ),
    )


def _evaluation_steps() -> tuple[Step, ...]:
    """List the steps that judge forecasts of finished races."""
    kinds = ("python", "numpy", "duckdb")
    history = (*PERFORMANCES, "predictions.baseline_points")
    return (
        Step(
            CANDIDATE_ERROR_TABLE,
            score_candidates,
            reads=(
                "core.race",
                *history,
                "predictions.candidate_points",
                "predictions.simulated_points",
                "models.spread_scale",
            ),
            up_to_and_including=frozenset(history),
            kinds=kinds,
        ),
        Step(
            CANDIDATE_LINEUP_TABLE,
            score_candidate_lineups,
            reads=("core.race", "core.race_entry", *history, "predictions.candidate_points"),
            kinds=kinds,
        ),
        Step(
            ERROR_TABLE,
            score_forecasts,
            reads=("core.race", *PERFORMANCES, FORECAST_TABLE, CANDIDATE_ERROR_TABLE),
            kinds=kinds,
        ),
        Step(
            LINEUP_SCORE_TABLE,
            score_lineups,
            reads=("core.race", "core.race_entry", *PERFORMANCES, FORECAST_TABLE, CANDIDATE_LINEUP_TABLE),
            kinds=kinds,
        ),
        Step(
            EVENT_TABLE,
            score_events,
            reads=(
                "core.race_entry",
                "core.driver_race_performance",
                FORECAST_TABLE,
                PRICE_FORECAST_TABLE,
            ),
            kinds=kinds,
            reads_facts=True,
        ),
    )


def _rule_steps() -> tuple[Step, ...]:
    """List the steps that apply the rules of the game to facts."""
    kinds = ("python", "numpy", "duckdb")
    return (
        Step(
            "staging.engine_score",
            score_by_rules,
            reads=("staging.session_result", "raw.starting_grids", "raw.event_scores"),
            kinds=kinds,
        ),
        Step(
            "staging.engine_price",
            price_by_rules,
            reads=("raw.prices", *POINTS_TABLES),
            strictly_before=frozenset(POINTS_TABLES),
            up_to_and_including=frozenset({"raw.prices"}),
            kinds=kinds,
        ),
        Step(
            PRICE_STEP_TABLE,
            list_price_steps,
            reads=("staging.price", *POINTS_TABLES),
            strictly_before=frozenset(POINTS_TABLES),
            kinds=kinds,
        ),
        Step(RESCORED_TABLE, rescore_every_race, partition=None, kinds=kinds, reads_facts=True),
        Step(
            "marts.rescored_race_points",
            total_rescored_races,
            reads=(RESCORED_TABLE,),
            partition=None,
            kinds=("python", "duckdb"),
        ),
    )


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
    steps = {step.table: step for step in [*raw, *sql, *_python_steps()]}
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

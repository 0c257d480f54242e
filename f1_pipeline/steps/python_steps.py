"""The steps whose rows are computed in Python: which function makes which table, from what.

Belongs here: the list, one function a subject; a new table of this kind is one entry. Neighbours: `step.py` says what
an entry is, `registry.py` adds the steps of facts and of SQL models, and puts all in order.
"""

from __future__ import annotations

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
from f1_pipeline.steps.step import Step
from f1_pipeline.steps.weekends import HISTORY as WEEKEND_HISTORY
from f1_pipeline.steps.weekends import (
    SESSION_SCORE_TABLE,
    WEEKEND_MODEL_TABLE,
    learn_weekend_models,
    list_weekend_features,
    score_sessions,
    simulate_weekends,
)

OUTLOOK_TABLE = "predictions.driver_outlook"
PRICE_FORECAST_TABLE = "predictions.price_step_probability"
# what decisions are made from, and what they are scored by
DECISION_FORECASTS = (LATER_TABLE, FORECAST_TABLE, "predictions.simulated_points", "predictions.baseline_points")
DECISION_RESULTS = ("staging.event_score", "staging.price", *POINTS_TABLES)


def python_steps() -> tuple[Step, ...]:
    """List them, in no particular order.

    Returns
    -------
    tuple of Step
    """
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
        *_model_steps(),
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


def _model_steps() -> tuple[Step, ...]:
    """List the steps from session scores to the champion of a race."""
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
    )


def _forecast_steps() -> tuple[Step, ...]:
    """List the steps that publish forecasts: of points, of prices, of later races."""
    kinds = ("python", "numpy", "duckdb")
    return (
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

"""Steps that judge: how far off each forecast of a finished race was, what its line-up scored, what came about.

Belongs here: bringing forecasts and outcomes together, for many races at once. Neighbours: `forecast.evaluation` has
the figures, `optimize.enumeration` finds the line-ups; the tables of `evaluation` that sum up over races are SQL. A
forecast is judged as it was published: nothing is fitted here, and the distribution that a baseline lacks is made of
the errors it had made in strictly earlier races.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.baselines import BASELINES
from f1_pipeline.forecast.evaluation import (
    INTERVALS,
    Floats,
    capture_share,
    crps,
    ensemble_quantiles,
    is_within,
    past_error_ensemble,
    pit,
    return_class,
)
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.game.lineup import ASSET_TYPES, AssetKey, LineupRules, lineup_points
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.steps.lineups import lineup_rules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline.warehouse.writer import WriteReport

CANDIDATE_ERROR_TABLE = "evaluation.candidate_error"
CANDIDATE_LINEUP_TABLE = "evaluation.candidate_lineup"
ERROR_TABLE = "evaluation.asset_error"
LINEUP_SCORE_TABLE = "evaluation.lineup_score"
EVENT_TABLE = "evaluation.event_outcome"

PUBLISHED = "published"

ASSET = ["asset_type", "asset_id"]
KEYS = ["race_key", "phase", *ASSET]
HISTORY = ("core.driver_race_performance", "core.constructor_race_performance", "predictions.baseline_points")
# Both up to the last race asked for: a baseline's distribution is made of its earlier errors.
ACTUAL = """
    select per.race_key, rac.race_date, 'driver' as asset_type, per.driver_id as asset_id,
        per.total_points as actual_points
    from core.driver_race_performance as per
    inner join core.race as rac using (race_key)
    where rac.race_date <= (select max(race_date) from core.race where list_contains($race_keys, race_key))
    union all
    select per.race_key, rac.race_date, 'constructor' as asset_type, per.constructor_id as asset_id,
        per.total_points as actual_points
    from core.constructor_race_performance as per
    inner join core.race as rac using (race_key)
    where rac.race_date <= (select max(race_date) from core.race where list_contains($race_keys, race_key))
    order by race_date, race_key, asset_type, asset_id
"""
BASELINE_POINTS = """
    select bas.race_key, bas.baseline as forecast, bas.asset_type, bas.asset_id, bas.expected_points
    from predictions.baseline_points as bas
    inner join core.race as rac using (race_key)
    where rac.race_date <= (select max(race_date) from core.race where list_contains($race_keys, race_key))
"""
# A candidate without a scale has no distribution: its figures are NaN, which the contract refuses.
CANDIDATES = """
    select can.race_key, can.phase, can.candidate as forecast, can.asset_type, can.asset_id, can.expected_points,
        spr.scale
    from predictions.candidate_points as can
    left join models.spread_scale as spr using (race_key, phase, candidate, asset_type)
    where list_contains($race_keys, can.race_key)
    order by can.candidate, can.race_key, can.phase, can.asset_type, can.asset_id
"""
SIMULATED = """
    select race_key, phase, asset_type, asset_id, draws
    from predictions.simulated_points
    where list_contains($race_keys, race_key)
    order by race_key, phase, asset_type, asset_id
"""
PUBLISHED_FORECASTS = """
    select race_key, phase, asset_type, asset_id, expected_points, p05, p10, p25, p50, p75, p90, p95, draws
    from predictions.asset_forecast
    where is_current and list_contains($race_keys, race_key)
    order by race_key, phase, asset_type, asset_id
"""
CANDIDATE_ERRORS = """
    select * from evaluation.candidate_error
    where list_contains($race_keys, race_key)
"""
CANDIDATE_LINEUPS = """
    select * from evaluation.candidate_lineup
    where list_contains($race_keys, race_key)
"""
LIVE = """
    select race_key, phase, bool_and(is_live) as is_live
    from predictions.asset_forecast
    where is_current and list_contains($race_keys, race_key)
    group by race_key, phase
    order by race_key, phase
"""
MENU = """
    select race_key, asset_type, asset_id, fantasy_price_musd
    from core.race_entry
    where list_contains($race_keys, race_key)
    order by race_key, asset_type, asset_id
"""
# The baselines know no phase: one forecast stands for all.
EXPECTED_BY_CANDIDATES = """
    select race_key, phase, candidate as forecast, asset_type, asset_id, expected_points
    from predictions.candidate_points
    where list_contains($race_keys, race_key)
    union all
    select race_key, '' as phase, baseline as forecast, asset_type, asset_id, expected_points
    from predictions.baseline_points
    where list_contains($race_keys, race_key)
    order by race_key, forecast, phase, asset_type, asset_id
"""
EXPECTED_BY_PUBLISHED = """
    select race_key, phase, 'published' as forecast, asset_type, asset_id, expected_points
    from predictions.asset_forecast
    where is_current and list_contains($race_keys, race_key)
    order by race_key, phase, asset_type, asset_id
"""
NOT_CLASSIFIED = """
    select fct.race_key, fct.phase, 'not_classified' as event, fct.asset_type, fct.asset_id,
        'not_classified' as outcome, fct.not_classified_probability as probability,
        not per.was_race_classified as has_happened
    from predictions.asset_forecast as fct
    inner join core.driver_race_performance as per on fct.race_key = per.race_key and fct.asset_id = per.driver_id
    where
        fct.is_current and fct.not_classified_probability is not null and list_contains($race_keys, fct.race_key)
"""
PRICE_STEPS = """
    select ste.race_key, ste.phase, ste.asset_type, ste.asset_id, ent.constructor_id, ste.probability,
        cast(ste.step_musd * 10 as integer) as step_tenths
    from predictions.price_step_probability as ste
    inner join core.race_entry as ent using (race_key, asset_type, asset_id)
    where list_contains($race_keys, ste.race_key)
"""


def score_candidates(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Hold the forecasts of candidates and baselines against the points of the assets that took part.

    What is published rests on these figures of earlier races, so they know nothing of what was published.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.candidate_error`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the mean CRPS of each candidate at the lock, points.

    Raises
    ------
    WarehouseError
        When a race has no candidates, baselines or points, or those of an earlier race are missing.
    """
    parameters = {"race_keys": list(race_keys)}
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, HISTORY, race_keys)
        actual = read_frame(connection, ACTUAL, parameters)
        candidates = read_frame(connection, CANDIDATES, parameters)
        simulated = read_frame(connection, SIMULATED, parameters)
        baselines = read_frame(connection, BASELINE_POINTS, parameters)
    _require(actual, race_keys, HISTORY[0])
    _require(candidates, race_keys, "predictions.candidate_points")
    _require(baselines, race_keys, "predictions.baseline_points")
    past = actual.merge(baselines, on=["race_key", *ASSET])
    phases = candidates[["race_key", "phase"]].drop_duplicates()
    of_all_phases = _baseline_errors(past, race_keys).merge(phases, on="race_key")
    rows = pd.concat([*_candidate_errors(candidates, simulated, actual), of_all_phases], ignore_index=True)
    report = run_model(pipeline, table, race_keys, _with_return_class(rows))
    shown = rows[(rows["phase"] == AT_LOCK) & ~rows["forecast"].isin(BASELINES)]
    figures = shown.groupby(["race_key", shown["forecast"] + "_crps_points"])["crps_points"].mean()
    return replace(report, details=_details(figures.unstack()))


def score_candidate_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Find the line-up that each candidate and baseline would have held, and score it.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.candidate_lineup`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the points of each candidate's line-up at the lock.

    Raises
    ------
    WarehouseError
        When a race has no candidates or points.
    SolverError
        When no legal line-up fits the budget.
    """
    rows = _lineup_rows(pipeline, race_keys, EXPECTED_BY_CANDIDATES, "predictions.candidate_points")
    has_phase = rows["phase"] != ""
    phases = rows.loc[has_phase, ["race_key", "phase"]].drop_duplicates()
    of_all_phases = rows[~has_phase].drop(columns="phase").merge(phases, on="race_key")
    report = run_model(pipeline, table, race_keys, pd.concat([rows[has_phase], of_all_phases], ignore_index=True))
    shown = rows[rows["phase"] == AT_LOCK]
    figures = shown.set_index(["race_key", shown["forecast"] + "_lineup_points"])["lineup_points"]
    return replace(report, details=_details(figures.unstack()))


def score_forecasts(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Hold the published forecast against the points of the assets that took part, beside candidates and baselines.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.asset_error`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the published forecast's errors at the lock, points.

    Raises
    ------
    WarehouseError
        When a race has no published forecast or its candidates have not been scored.
    """
    parameters = {"race_keys": list(race_keys)}
    with pipeline.warehouse.read() as connection:
        live = _live(connection, race_keys)
        actual = read_frame(connection, ACTUAL, parameters)
        published = read_frame(connection, PUBLISHED_FORECASTS, parameters)
        others = read_frame(connection, CANDIDATE_ERRORS, parameters)
    _require(actual, race_keys, HISTORY[0])
    _require(others, race_keys, CANDIDATE_ERROR_TABLE)
    own = _with_return_class(_published_errors(published, actual))
    report = run_model(pipeline, table, race_keys, _with_live(pd.concat([own, others], ignore_index=True), live))
    shown = own[own["phase"] == AT_LOCK]
    errors = pd.DataFrame(
        {
            "race_key": shown["race_key"],
            "mae_points": (shown["median_points"] - shown["actual_points"]).abs(),
            "crps_points": shown["crps_points"],
        }
    )
    return replace(report, details=_details(errors.groupby("race_key").mean()))


def score_lineups(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Find the line-up that the published forecast would have held, and score it, beside candidates and baselines.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.lineup_score`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the published forecast's line-up points and capture share at the lock.

    Raises
    ------
    WarehouseError
        When a race has no published forecast, or the line-ups of its candidates have not been scored.
    SolverError
        When no legal line-up fits the budget.
    """
    with pipeline.warehouse.read() as connection:
        live = _live(connection, race_keys)
        others = read_frame(connection, CANDIDATE_LINEUPS, {"race_keys": list(race_keys)})
    _require(others, race_keys, CANDIDATE_LINEUP_TABLE)
    own = _lineup_rows(pipeline, race_keys, EXPECTED_BY_PUBLISHED, "predictions.asset_forecast")
    rows = _with_live(pd.concat([own, others], ignore_index=True), live)
    report = run_model(pipeline, table, race_keys, rows)
    shown = own[own["phase"] == AT_LOCK].set_index("race_key")
    return replace(report, details=_details(shown[["lineup_points", "capture_share"]]))


def score_events(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Say which of the events that were given a probability came about.

    What a price did is read from the facts, not from the warehouse: the price of the race after these, which the same
    run may not have landed yet.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `evaluation.event_outcome`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the Brier score of each event at the lock.

    Raises
    ------
    WarehouseError
        When a race has no published forecast.
    """
    parameters = {"race_keys": list(race_keys)}
    with pipeline.warehouse.read() as connection:
        live = _live(connection, race_keys)
        not_classified = read_frame(connection, NOT_CLASSIFIED, parameters)
        steps = read_frame(connection, PRICE_STEPS, parameters)
    events = pd.concat([not_classified, _price_outcomes(steps, price_moves(pipeline))], ignore_index=True)
    rows = _with_live(events, live)
    report = run_model(pipeline, table, race_keys, rows)
    shown = rows[rows["phase"] == AT_LOCK]
    squares = (shown["probability"] - shown["has_happened"].astype(float)) ** 2
    scores = squares.groupby([shown["race_key"], shown["event"] + "_brier_score"]).mean().unstack()
    return replace(report, details=_details(scores))


def _details(figures: pd.DataFrame) -> dict[str, dict[str, float | str | None]]:
    """Give the known figures of each race, one row per race."""
    return {str(race_key): row.dropna().to_dict() for race_key, row in figures.iterrows()}


def _live(connection, race_keys: Sequence[str]) -> pd.DataFrame:
    """Read the phases that were published of each race, and whether in time; refuse a race without any."""
    live = read_frame(connection, LIVE, {"race_keys": list(race_keys)})
    _require(live, race_keys, "predictions.asset_forecast")
    return live


def _require(rows: pd.DataFrame, race_keys: Sequence[str], table: str) -> None:
    missing = sorted(set(race_keys) - set(rows["race_key"]))
    if missing:
        raise WarehouseError(f"{table}: expected rows for {', '.join(missing)}, found none; materialize it first")


def _with_live(rows: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """Mark the rows of each race and phase; a phase that was not published was not live either."""
    marked = rows.merge(live, on=["race_key", "phase"], how="left")
    return marked.assign(is_live=marked["is_live"].eq(True))


def _with_return_class(rows: pd.DataFrame) -> pd.DataFrame:
    is_driver = (rows["asset_type"] == "driver").to_numpy()
    classes = {kind: return_class(rows["actual_points"], kind) for kind in ASSET_TYPES}
    return rows.assign(return_class=np.where(is_driver, classes["driver"], classes["constructor"]))


def _errors(rows: pd.DataFrame, members: Floats, quantiles: pd.DataFrame) -> pd.DataFrame:
    """Judge distributions, one row of members and of quantiles per row of scores."""
    actual = rows["actual_points"].to_numpy(dtype=float)
    inside = {
        f"is_in_{level}": is_within(quantiles[low], quantiles[high], actual) for level, (low, high) in INTERVALS.items()
    }
    return rows.assign(crps_points=crps(members, actual), pit=pit(members, actual), **inside)


def _published_errors(published: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """Judge the published forecast by the quantiles and draws that it published."""
    rows = published.merge(actual, on=["race_key", *ASSET])
    judged = _errors(rows.assign(forecast=PUBLISHED), _stack(rows["draws"]) / TENTHS, rows)
    return judged.assign(median_points=rows["p50"]).drop(columns="draws")


def _candidate_errors(candidates: pd.DataFrame, simulated: pd.DataFrame, actual: pd.DataFrame) -> list[pd.DataFrame]:
    """Judge each candidate: the shape of its distribution is that of the simulated points, moved and stretched."""
    draws = _stack(simulated["draws"]).astype(float)
    draws -= draws.mean(axis=1, keepdims=True)
    places = simulated[KEYS].assign(place=np.arange(len(simulated)))
    rows = candidates.merge(actual, on=["race_key", *ASSET]).merge(places, on=KEYS)
    found = []
    for _, own in rows.groupby("forecast"):
        own = own.reset_index(drop=True)
        level, scale = (own[name].to_numpy(dtype=float)[:, None] for name in ("expected_points", "scale"))
        members = level + scale * draws[own["place"].to_numpy()]
        quantiles = ensemble_quantiles(members)
        found.append(_errors(own, members, quantiles).assign(median_points=quantiles["p50"]))
    return found


def _stack(draws: pd.Series) -> np.ndarray:
    """Lay the draws of all rows out as one array."""
    return np.stack(list(draws)) if len(draws) else np.empty((0, 1))


def _baseline_errors(past: pd.DataFrame, race_keys: Sequence[str]) -> pd.DataFrame:
    """Judge the baselines of these races, each by the errors it had made before.

    Parameters
    ----------
    past : DataFrame
        race_key, race_date, forecast, asset_type, asset_id, expected_points, actual_points; races by date.
    race_keys : sequence of str

    Returns
    -------
    DataFrame
        One row per race, baseline and asset, without phase.
    """
    wanted = set(race_keys)
    found = []
    for baseline, asset_type in product(BASELINES, ASSET_TYPES):
        rows = past[(past["forecast"] == baseline) & (past["asset_type"] == asset_type)]
        expected, actual = (rows[name].to_numpy(dtype=float) for name in ("expected_points", "actual_points"))
        dates = rows["race_date"].to_numpy()
        for race_key, own in rows.groupby("race_key", sort=False):
            if race_key not in wanted:
                continue
            known = int(np.searchsorted(dates, own["race_date"].to_numpy()[0]))  # rows of strictly earlier races
            members = past_error_ensemble(expected[:known], actual[:known], own["expected_points"], asset_type)
            own = own.reset_index(drop=True)
            found.append(_errors(own, members, ensemble_quantiles(members)))
    errors = pd.concat(found, ignore_index=True).drop(columns="race_date")
    return errors.assign(median_points=errors["expected_points"])


def _lineup_rows(pipeline: Pipeline, race_keys: Sequence[str], expected_query: str, table: str) -> pd.DataFrame:
    """Score the line-ups that follow from expected points; `table` is where they must be of every race."""
    parameters = {"race_keys": list(race_keys)}
    with pipeline.warehouse.read() as connection:
        menus = read_frame(connection, MENU, parameters)
        actual = read_frame(connection, ACTUAL, parameters)
        expected = read_frame(connection, expected_query, parameters)
    _require(actual, race_keys, HISTORY[0])
    _require(expected[expected["phase"] != ""], race_keys, table)
    menus = menus.merge(actual, on=["race_key", *ASSET], how="left")
    # Who was on sale and then took no part scores nothing for those who hold him.
    menus["actual_points"] = menus["actual_points"].fillna(0)
    menus["price_tenths"] = (menus["fantasy_price_musd"] * 10).round().astype("int64")
    forecasts = dict(list(expected.groupby("race_key")))
    scores = [
        _lineup_scores(menu, forecasts[race_key], lineup_rules(pipeline, str(race_key)))
        for race_key, menu in menus.groupby("race_key")
    ]
    return pd.concat(scores, ignore_index=True)


def _lineup_scores(menu: pd.DataFrame, expected: pd.DataFrame, rules: LineupRules) -> pd.DataFrame:
    """Score the line-up of every forecast of one race; equal forecasts are solved once."""
    race_key = str(menu["race_key"].iloc[0])
    actual = LineupProblem.from_frame(menu.assign(points=menu["actual_points"]), rules, race_key=race_key)
    hindsight = best_lineups(actual, 1)[0].points
    points: dict[AssetKey, float] = menu.set_index(ASSET)["actual_points"].to_dict()
    wide = expected.pivot(index=ASSET, columns=["forecast", "phase"], values="expected_points")
    wide = wide.reindex(pd.MultiIndex.from_frame(menu[ASSET]))
    solved: dict[bytes, float] = {}
    rows = []
    for forecast, phase in wide.columns.to_list():
        own = wide[forecast, phase]
        mark = own.to_numpy().tobytes()
        if mark not in solved:
            chosen = best_lineups(_problem(menu, own, actual), 1)[0].lineup
            solved[mark] = float(lineup_points(chosen, points, rules))
        share = capture_share(solved[mark], hindsight)
        rows.append((race_key, phase, forecast, solved[mark], hindsight, share))
    names = ["race_key", "phase", "forecast", "lineup_points", "hindsight_points", "capture_share"]
    return pd.DataFrame(rows, columns=names).astype({"capture_share": "Float64"})  # without one it is null, not NaN


def _problem(menu: pd.DataFrame, expected: pd.Series, actual: LineupProblem) -> LineupProblem:
    """Put expected points on the menu; who came on sale after the forecast was made cannot be chosen."""
    known = expected.notna().to_numpy()
    if known.all():
        return actual.with_points(expected.to_dict())
    forecast = menu.assign(points=expected.to_numpy())[known]
    return LineupProblem.from_frame(forecast, actual.rules, race_key=actual.race_key)


def price_moves(pipeline: Pipeline) -> pd.DataFrame:
    """Say by how much each official price moved up to the asset's next sale in the season.

    A driver who changes team is another asset, as for the price rules; the newest price of an asset has no move yet.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    DataFrame
        race_key, asset_type, asset_id, constructor_id, move_tenths (of a million).
    """
    races = pd.DataFrame(
        [(race.race_key, race.season, number) for number, race in enumerate(pipeline.calendar.races)],
        columns=["race_key", "season", "number"],
    )
    prices = load_fact_table(pipeline.settings.data_dir, "prices").to_pandas().merge(races, on="race_key")
    prices["tenths"] = (prices["price_musd"].astype(float) * 10).round()
    prices = prices.sort_values("number")
    following = prices.groupby(["season", *ASSET, "constructor_id"])["tenths"].shift(-1)
    moves = prices.assign(move_tenths=following - prices["tenths"]).dropna(subset=["move_tenths"])
    return moves[["race_key", *ASSET, "constructor_id", "move_tenths"]]


def _price_outcomes(steps: pd.DataFrame, moves: pd.DataFrame) -> pd.DataFrame:
    rows = steps.merge(moves, on=["race_key", *ASSET, "constructor_id"])
    return rows.assign(
        event="price_step",
        outcome=[f"{tenths / 10:+.1f}" for tenths in rows["step_tenths"]],
        has_happened=rows["step_tenths"] == rows["move_tenths"],
    )

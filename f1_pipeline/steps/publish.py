"""Steps that choose and publish: the champion of each race and phase, its forecast with draws, and price steps.

Neighbours: `forecast.gate` decides, `forecast.publication` makes versions, `game.prices` moves prices. Champions are
chosen on races that were over, and a forecast that was made before its deadline stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import WarehouseError
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE
from f1_pipeline.forecast.publication import TENTHS
from f1_pipeline.game.price_history import SeasonPrices
from f1_pipeline.game.prices import band_steps, price_rules_known_at, step_probabilities
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.prices import POINTS_TABLES, season_prices
from f1_pipeline.steps.tables import run_model, with_nulls
from f1_pipeline.steps.weekends import list_column, list_values
from f1_pipeline.warehouse.frames import read_frame, read_table
from f1_pipeline.warehouse.writer import WriteReport

if TYPE_CHECKING:
    from f1_pipeline.forecast.gate import Decision

FORECAST_TABLE = "predictions.asset_forecast"
CANDIDATE_FIGURES = ("evaluation.candidate_error", "evaluation.candidate_lineup")
ALIASES = {
    AT_LOCK: "champion",
    BEFORE_PRACTICE: "champion_before_practice",
    AFTER_QUALIFYING: "champion_after_qualifying",
}
"""Alias in MLflow by phase; the one that line-ups are made from is called just so."""

FIGURES = """
    -- decimals, because the order of threads must not move the last bits of a mean
    select err.race_key, err.phase, err.forecast as candidate,
        avg(cast(err.crps_points as decimal(18, 9))) as crps_points,
        any_value(lin.lineup_points) as lineup_points
    from evaluation.candidate_error as err
    inner join evaluation.candidate_lineup as lin using (race_key, phase, forecast)
    where err.forecast in (select candidate from predictions.candidate_points)
    group by err.race_key, err.phase, err.forecast
    order by err.race_key, err.phase, err.forecast
"""
CHOSEN = """
    select can.race_key, can.phase, can.candidate, can.asset_type, can.asset_id, can.expected_points, can.model_uri,
        sca.scale, sim.draws, sim.not_classified_probability, poi.fingerprint,
        case can.phase
            when 'before_practice' then wee.before_practice_notes
            when 'at_lock' then wee.at_lock_notes
            else wee.after_qualifying_notes
        end as notes
    from models.champion as cha
    inner join predictions.candidate_points as can using (race_key, phase, candidate)
    inner join predictions.simulated_points as sim using (race_key, phase, asset_type, asset_id)
    inner join models.spread_scale as sca using (race_key, phase, candidate, asset_type)
    inner join models.points_model as poi using (race_key, candidate)
    inner join models.weekend_model as wee using (race_key)
    where cha.is_champion and list_contains($race_keys, cha.race_key)
    order by can.race_key, can.phase, can.asset_type desc, can.asset_id
"""
MOMENTS = """
    select rac.race_key, rac.lock_at, rac.race_start_at,
        (select min(ses.starts_at) from raw.sessions as ses where ses.race_key = rac.race_key) as first_session_at,
        (
            select max(sco.ends_at) from core.session_score as sco
            where sco.race_date < rac.race_date
        ) as before_practice,
        (
            select max(sco.ends_at) from core.session_score as sco
            where sco.race_date < rac.race_date or (sco.race_key = rac.race_key and sco.is_before_lock)
        ) as at_lock,
        (
            select max(sco.ends_at) from core.session_score as sco
            where sco.race_date < rac.race_date or (sco.race_key = rac.race_key and sco.is_by_qualifying)
        ) as after_qualifying
    from core.race as rac
    where list_contains($race_keys, rac.race_key)
"""
STORED = """
    select * from predictions.asset_forecast
    where list_contains($race_keys, race_key)
    order by all
"""
DRAWS = """
    select race_key, phase, asset_type, asset_id, draws
    from predictions.asset_forecast
    where is_current and list_contains($race_keys, race_key)
    order by race_key, phase, asset_type desc, asset_id
"""


def choose_champions(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Choose whose forecast of each race and phase is published, and move the aliases.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `models.champion`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With each decision in words.

    Raises
    ------
    WarehouseError
        When an earlier race has not been evaluated, or a race has no candidates.
    """
    from f1_pipeline.forecast.gate import decide

    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, CANDIDATE_FIGURES, race_keys)
        known = pipeline.race_keys_in(connection, CANDIDATE_FIGURES[0])
        figures = read_frame(connection, FIGURES) if known else _no_figures()
        models = read_table(connection, "models.points_model").set_index(["race_key", "candidate"])["model_uri"]
        forecast = read_table(connection, "predictions.candidate_points")[["race_key", "phase"]].drop_duplicates()
    order = [race.race_key for race in pipeline.calendar.races]
    phases_of = forecast.groupby("race_key")["phase"].agg(set).to_dict()
    missing = [race_key for race_key in race_keys if race_key not in phases_of]
    if missing:
        raise WarehouseError(f"{missing[0]}: expected forecasts of candidates, found none; materialize them first")
    rows = []
    for phase, alias in ALIASES.items():
        decisions = dict(zip(order, decide(figures[figures["phase"] == phase], order), strict=True))
        for race_key in race_keys:
            if phase in phases_of[race_key]:
                rows += _champion_rows(race_key, phase, decisions[race_key])
        latest = max(
            (key for key in race_keys if phase in phases_of[key]),
            key=lambda key: pipeline.calendar.get(key).race_date,
            default=None,
        )
        if latest is not None:
            chosen = decisions[latest]
            pipeline.tracking.promote(models[latest, chosen.champion], alias, {"decision": chosen.sentence()})
    report = run_model(pipeline, table, race_keys, with_nulls(pd.DataFrame(rows)))
    said = pd.DataFrame([row for row in rows if row["is_champion"]])
    details = {
        str(key): dict(zip(group["phase"], group["decision"], strict=True)) for key, group in said.groupby("race_key")
    }
    return replace(report, details=details)


def _no_figures() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in ("race_key", "phase", "candidate", "crps_points", "lineup_points")})


def _champion_rows(race_key: str, phase: str, decision: Decision) -> list[dict[str, object]]:
    """Lay out a decision: the champion before, then every challenger."""
    common = {"race_key": race_key, "phase": phase, "decision": decision.sentence()}
    count = max((each.race_count for each in decision.comparisons), default=0)
    rows: list[dict[str, object]] = [common | {"candidate": decision.previous, "race_count": count}]
    for each in decision.comparisons:
        numbers = {
            "crps_gain_points": each.crps_gain,
            "crps_gain_se_points": each.crps_gain_se,
            "lineup_gain_points": each.lineup_gain,
            "lineup_gain_se_points": each.lineup_gain_se,
        }
        known = {name: value for name, value in numbers.items() if np.isfinite(value)}
        rows.append(common | {"candidate": each.candidate, "race_count": each.race_count} | known)
    for row in rows:
        row["is_champion"] = row["candidate"] == decision.champion
        row["is_promoted"] = bool(row["is_champion"]) and decision.is_promotion
    blank = dict.fromkeys(("crps_gain_points", "crps_gain_se_points", "lineup_gain_points", "lineup_gain_se_points"))
    return [blank | row for row in rows]


def publish_forecasts(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Publish the champion's forecast of each race and phase as a version beside those that are stored.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.asset_forecast`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport
        With the state of each phase: live or replayed, and the number of versions.

    Raises
    ------
    WarehouseError
        When a race has no champion or no simulation.
    """
    with pipeline.warehouse.read() as connection:
        chosen = _arrow(connection, CHOSEN, race_keys)
        moments = read_frame(connection, MOMENTS, {"race_keys": list(race_keys)}).set_index("race_key")
        stored = _stored(pipeline, connection, table, race_keys)
    made = _made(chosen, moments)
    now = pipeline.clock()
    parts = []
    for race_key in race_keys:
        if (race_key, AT_LOCK) not in made:
            raise WarehouseError(
                f"{race_key}: expected a champion and a simulation, found none; materialize them first"
            )
    for key in sorted({*made, *stored}):
        parts.append(_version(stored.get(key), made.get(key), now))
    rows = pd.concat(parts, ignore_index=True)
    report = run_model(pipeline, table, race_keys, _with_draws(rows))
    return replace(report, details=_published_details(rows))


def _arrow(connection, query: str, race_keys: Sequence[str]) -> pa.Table:
    return connection.execute(query, {"race_keys": list(race_keys)}).to_arrow_table()


def _frame(table: pa.Table) -> pd.DataFrame:
    """Make a frame of a table with draws: one array per row."""
    frame = table.drop_columns(["draws"]).to_pandas()
    return frame.assign(draws=list(list_values(table["draws"])) if len(frame) else [])


def by_race_and_phase(rows: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Split rows by race_key and phase."""
    split: dict[tuple[str, str], pd.DataFrame] = {}
    for name, own in rows.groupby(rows["race_key"] + "/" + rows["phase"]):
        race_key, _, phase = str(name).partition("/")
        split[race_key, phase] = own
    return split


def _stored(
    pipeline: Pipeline, connection, table: str, race_keys: Sequence[str]
) -> dict[tuple[str, str], pd.DataFrame]:
    """Read the versions that are there, by race and phase."""
    if not pipeline.race_keys_in(connection, table):
        return {}
    return by_race_and_phase(_frame(_arrow(connection, STORED, race_keys)))


def _made(chosen: pa.Table, moments: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """Make the forecast of each race and phase from its champion's expectations and the simulation."""
    from f1_pipeline.forecast.publication import content_hash, figures, forecast_draws

    frame = chosen.drop_columns(["draws"]).to_pandas()
    simulated = list_values(chosen["draws"]) if len(frame) else np.empty((0, 0), dtype=np.int16)
    made = {}
    for (race_key, phase), rows in by_race_and_phase(frame).items():
        expected = rows["expected_points"].to_numpy(dtype=float)
        draws = forecast_draws(simulated[rows.index], expected, rows["scale"].to_numpy(dtype=float))
        moment = moments.loc[race_key]
        deadline = {BEFORE_PRACTICE: "first_session_at", AT_LOCK: "lock_at", AFTER_QUALIFYING: "race_start_at"}[phase]
        own = rows.drop(columns=["scale", "fingerprint"]).reset_index(drop=True)
        made[race_key, phase] = pd.concat([own, figures(draws)], axis=1).assign(
            draws=list(draws),
            content_hash=content_hash(rows, draws, rows["fingerprint"].iloc[0]),
            data_watermark_at=moment[phase],
            deadline_at=moment[deadline],
        )
    return made


def _version(stored: pd.DataFrame | None, made: pd.DataFrame | None, now: datetime) -> pd.DataFrame:
    from f1_pipeline.forecast.publication import versions

    if made is None:
        assert stored is not None
        return stored
    return versions(made.iloc[:0].assign(version=0, is_live=False) if stored is None else stored, made, now)


def _with_draws(rows: pd.DataFrame) -> pa.Table:
    plain = with_nulls(rows.drop(columns="draws"))
    return plain.append_column("draws", list_column(np.stack(rows["draws"].to_list())))


def _published_details(rows: pd.DataFrame) -> dict[str, dict[str, float | str | None]]:
    details: dict[str, dict[str, float | str | None]] = {}
    for (race_key, phase), group in by_race_and_phase(rows).items():
        current = group[group["is_current"]].iloc[0]
        kind = "live" if current["is_live"] else "replayed"
        text = f"{current['candidate']}, {kind}, version {current['version']} of {group['version'].nunique()}"
        details.setdefault(race_key, {})[phase] = text
    return details


def price_forecasts(pipeline: Pipeline, table: str, race_keys: Sequence[str]) -> WriteReport:
    """Say how likely each race moves each price by how much, from the joint draws of its forecast.

    Parameters
    ----------
    pipeline : Pipeline
    table : str
        `predictions.price_step_probability`.
    race_keys : sequence of str

    Returns
    -------
    WriteReport

    Raises
    ------
    WarehouseError
        When points of an earlier race are missing.
    """
    with pipeline.warehouse.read() as connection:
        pipeline.require_history(connection, POINTS_TABLES, race_keys)
        table_of_draws = _arrow(connection, DRAWS, race_keys)
    seasons = season_prices(pipeline, race_keys)
    named = table_of_draws.drop_columns(["draws"]).to_pandas()
    draws = list_values(table_of_draws["draws"])
    parts = []
    for (race_key, _), rows in by_race_and_phase(named).items():
        season = seasons[pipeline.calendar.get(race_key).season]
        parts.append(_step_rows(pipeline, season, race_key, rows, draws[rows.index]))
    return run_model(pipeline, table, race_keys, pd.concat(parts, ignore_index=True))


def _step_rows(
    pipeline: Pipeline, season: SeasonPrices, race_key: str, rows: pd.DataFrame, draws: np.ndarray
) -> pd.DataFrame:
    """Give every step that the price of each forecast asset can take its share of the draws, 0 included.

    Who came on sale after the forecast was made has no draws and no rows; the others are priced without him.
    """
    place = season.race_keys.index(race_key)
    on_sale = season.assets[season.on_sale(place)]
    at = pd.MultiIndex.from_frame(rows[["asset_type", "asset_id"]]).get_indexer(
        pd.MultiIndex.from_frame(on_sale[["asset_type", "asset_id"]])
    )
    points = np.where(at >= 0, np.rint(draws[at].T / TENTHS), np.nan)
    assets = season.at_lock(place)
    rules = price_rules_known_at(pipeline.rules(race_key).prices, race_key, season.race_keys)
    steps = band_steps(assets.prices, rules)
    named = rows.iloc[at.repeat(steps.shape[1])].assign(
        step_musd=steps.ravel() / 10, probability=step_probabilities(assets, points, rules).ravel()
    )
    # floor and ceiling give two bands one step
    keys = ["race_key", "phase", "asset_type", "asset_id", "step_musd"]
    return named[(at >= 0).repeat(steps.shape[1])].groupby(keys, as_index=False)["probability"].sum()

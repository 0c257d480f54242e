"""What the page of a race says beside the line-up: scores, ownership, prices, other line-ups, plan, chips, origin.

Belongs here: reading tables of one race into texts and figures for the page. What is not stored is None or empty.
Neighbours: `lineups.py` reads the line-up itself, `race_outcome.py` what came of it, `race_page.py` puts them together.
"""

from __future__ import annotations

from typing import Any

from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.report.page_rows import Reader, Row, by_asset, drivers_first, key_of
from f1_pipeline.report.pages import money, number, percent, place_name, signed, true_minus
from f1_pipeline.report.sections import Section
from f1_pipeline.steps.chip_lines import chip_lines, chip_name

RECENT = """
    select lea.race_key, lea.asset_type, lea.asset_id, lea.total_points
    from marts.race_leaderboard as lea
    inner join core.race as rac using (race_key)
    where rac.race_date < (select race_date from core.race where race_key = $race_key)
    qualify row_number() over (partition by lea.asset_type, lea.asset_id order by rac.race_date desc) <= 2
    order by lea.asset_type, lea.asset_id, rac.race_date desc
"""
OWNED = """
    select own.race_key, own.asset_type, own.asset_id, own.selected_pct
    from raw.ownership as own
    inner join core.race as rac using (race_key)
    inner join core.race as now on now.race_key = $race_key
    where rac.season = now.season and rac.race_date <= now.race_date and own.selected_pct is not null
    qualify row_number() over (partition by own.asset_type, own.asset_id order by rac.race_date desc) = 1
    order by own.asset_type, own.asset_id
"""
STEPS = """
    select
        stp.asset_type, stp.asset_id, cast(stp.step_musd as double) as step_musd, stp.points_from, stp.points_to,
        pro.probability
    from marts.price_step as stp
    left join predictions.price_step_probability as pro
        on
            stp.race_key = pro.race_key and stp.asset_type = pro.asset_type and stp.asset_id = pro.asset_id
            and stp.step_musd = pro.step_musd and pro.phase = 'at_lock'
    where stp.race_key = $race_key
    order by stp.asset_type, stp.asset_id, stp.step_musd
"""
LINEUPS = """
    select
        rank, asset_type, asset_id, seat, is_boosted, is_own_team, lineup_points, price_musd, transfer_count,
        transfer_points
    from lineups.optimal_lineup
    where race_key = $race_key
    order by rank, expected_points desc, asset_id
"""
PLAN = """
    select *
    from lineups.transfer_plan
    where race_key = $race_key and rank = 1
    order by races_ahead, asset_type desc, asset_id
"""
CHIPS = """
    select chip, target_race_key as race_key, is_playable, gain_points, keep_points
    from lineups.chip_plan as lcp
    where lcp.race_key = $race_key
    order by lcp.chip, lcp.races_ahead
"""
ORIGIN = """
    select candidate, model_uri, version, data_watermark_at, made_at, is_live, content_hash, notes
    from predictions.asset_forecast
    where race_key = $race_key and phase = 'at_lock' and is_current
    order by asset_type, asset_id
    limit 1
"""
FINAL_FIX = "select advice, is_advised from lineups.final_fix_advice where race_key = $race_key"
CIRCUIT = "select * from core.race where race_key = $race_key"


def circuit(reader: Reader, race_key: str) -> Row | None:
    """Read what the calendar says of a race and its circuit."""
    return next(iter(reader.rows(("core.race",), CIRCUIT, race_key=race_key)), None)


def recent_scores(reader: Reader, race_key: str, season: int) -> dict[AssetKey, list[str]]:
    """Say what each asset scored in its last two races before one, the newest first."""
    rows = by_asset(reader.rows(("marts.race_leaderboard",), RECENT, race_key=race_key))
    return {
        key: [f"{number(row['total_points'])} in {place_name(row['race_key'], season)}" for row in own]
        for key, own in rows.items()
    }


def ownership(reader: Reader, race_key: str) -> dict[AssetKey, str]:
    """Say by how many of the game's teams each asset was held when that was last known, this season."""
    found = {}
    for row in reader.rows(("raw.ownership",), OWNED, race_key=race_key):
        when = "" if row["race_key"] == race_key else f" ({place_name(row['race_key'])})"
        found[key_of(row)] = f"{percent(row['selected_pct'] / 100)}{when}"
    return found


def price_steps(reader: Reader, race_key: str) -> dict[AssetKey, list[Row]]:
    """List the steps that each price can take: the move, the points that bring it, and how likely it is."""
    tables = ("marts.price_step", "predictions.price_step_probability")
    rows = by_asset(reader.rows(tables, STEPS, race_key=race_key))
    for own in rows.values():
        likeliest = max(own, key=lambda row: row["probability"] or 0.0)
        for row in own:
            row["needs"] = _needs(row["points_from"], row["points_to"])
            row["is_likeliest"] = row is likeliest and bool(row["probability"])
    return rows


def _needs(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "any" if low is high else f"≤ {number(high)}" if low is None else f"≥ {number(low)}"
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def alternatives(reader: Reader, race_key: str, names: dict[AssetKey, str]) -> Section:
    """List the ten best line-ups, what each costs against the best one, and in what it differs."""
    by_rank: dict[int, list[Row]] = {}
    for row in reader.rows(("lineups.optimal_lineup",), LINEUPS, race_key=race_key):
        by_rank.setdefault(row["rank"], []).append(row)
    best = by_rank[min(by_rank)]
    is_held = best[0]["is_own_team"]
    rows = [_alternative(rank, own, best, names, is_held) for rank, own in by_rank.items()]
    columns = ("Rank", "Points", "Costs", "$M", *(["Transfers"] if is_held else []), "Boost", "Comes in", "Goes out")
    last = len(columns) - 1
    texts = frozenset({last - 2, last - 1, last})
    return Section("The ten best line-ups", columns, tuple(rows), texts=texts, is_stacked=True)


def _alternative(
    rank: int, own: list[Row], best: list[Row], names: dict[AssetKey, str], is_held: bool
) -> tuple[str, ...]:
    seats, best_seats = ({(row["asset_type"], row["seat"]) for row in rows} for rows in (own, best))
    comes = [names[key_of(row)] for row in drivers_first(own) if (row["asset_type"], row["seat"]) not in best_seats]
    goes = [names[key_of(row)] for row in drivers_first(best) if (row["asset_type"], row["seat"]) not in seats]
    boosted = next(names[key_of(row)] for row in own if row["is_boosted"])
    first = own[0]
    transfers = f"{first['transfer_count']} ({number(first['transfer_points'])})" if is_held else ""
    return (
        str(rank),
        number(first["lineup_points"], 1),
        number(best[0]["lineup_points"] - first["lineup_points"], 1) if own is not best else "–",
        f"{sum(float(row['price_musd']) for row in own):.1f}",
        *([transfers] if is_held else []),
        boosted,
        ", ".join(comes) or "–",
        ", ".join(goes) or "–",
    )


def plan(reader: Reader, race_key: str, names: dict[AssetKey, str]) -> dict[str, Any] | None:
    """Lay out the best plan of the coming races, race by race; None when none is stored."""
    by_race: dict[str, list[Row]] = {}
    for row in reader.rows(("lineups.transfer_plan",), PLAN, race_key=race_key):
        by_race.setdefault(row["target_race_key"], []).append(row)
    if not by_race:
        return None
    races = list(by_race.values())
    first = races[0][0]
    title = f"{number(first['plan_points'])} points expected over {len(races)} races"
    columns = ("Race", "Points", "Buy", "Sell", "Boost", "Chip", "Bank")
    rows = tuple(_planned(key, own, names) for key, own in by_race.items())
    return {
        "table": Section(title, columns, rows, texts=frozenset({2, 3, 4, 5}), is_stacked=True),
        "is_own_team": first["is_own_team"],
        "gap": percent(first["gap_share"], 1),
        "chip_now": None if first["chip"] is None else chip_name(first["chip"]),
        "moves": [
            f"{row['action']} {names[key_of(row)]} {percent(row['move_share'])}"
            for row in races[0]
            if row["move_share"] is not None
        ],
    }


def _planned(race_key: str, own: list[Row], names: dict[AssetKey, str]) -> tuple[str, ...]:
    def named(action: str) -> str:
        return ", ".join(names[key_of(row)] for row in own if row["action"] == action) or "–"

    boosts = [names[key_of(row)] for row in own if row["is_boosted"] or row["is_extra_boosted"]]
    first = own[0]
    penalty = f" ({signed(first['transfer_points'])})" if first["transfer_points"] else ""
    return (
        place_name(race_key),
        number(first["race_points"], 1) + penalty,
        named("buy"),
        named("sell"),
        ", ".join(boosts),
        "–" if first["chip"] is None else chip_name(first["chip"]),
        money(float(first["bank_musd"])),
    )


def chips(reader: Reader, race_key: str) -> Section | None:
    """Lay out when to play each chip that is left; None when that is not stored."""
    rows = reader.rows(("lineups.chip_plan",), CHIPS, race_key=race_key)
    if not rows:
        return None
    columns = ("Chip", "Adds now", "Play if it adds", "Best later race", "Adds there", "Now?")
    lines = tuple(
        (
            chip_name(line.chip),
            number(line.gain_points, 1),
            "not known yet" if line.keep_points is None else number(line.keep_points, 1),
            "any" if line.best_race_key is None else place_name(line.best_race_key),
            number(line.best_gain_points, 1),
            line.advice,
        )
        for line in chip_lines(rows)
    )
    return Section("When to play each chip", columns, lines, texts=frozenset({3, 5}))


def final_fix(reader: Reader, race_key: str) -> Row | None:
    """Say whether to play Final Fix after qualifying; None before that, or where it cannot be played."""
    rows = reader.rows(("lineups.final_fix_advice",), FINAL_FIX, race_key=race_key)
    return next((row | {"advice": true_minus(row["advice"])} for row in rows), None)


def origin(reader: Reader, race_key: str) -> Row | None:
    """Say which forecast the line-up rests on; None when there is none."""
    return next(iter(reader.rows(("predictions.asset_forecast",), ORIGIN, race_key=race_key)), None)

"""What the page of a season says: race by race, money, decisions, what cost points.

Belongs here: reading tables of one season into figures, charts and tables. What is not stored is None or empty.
Neighbours: `season_page.py` puts them together, `page_charts.py` measures the charts, `track_record.py` has accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from f1_pipeline.report.page_charts import Chart, Line, race_places, value_scale
from f1_pipeline.report.page_rows import Reader, Row
from f1_pipeline.report.pages import money, number, percent, place_name, price_move
from f1_pipeline.report.race_outcome import PART_WORDS
from f1_pipeline.report.sections import Section
from f1_pipeline.steps.chip_lines import chip_name

RACES = """
    select
        rac.race_key, rac.name, rac.lock_at, row_number() over (order by rac.race_date) as race_number,
        rev.predicted_points, rev.actual_points, rev.hindsight_points, rev.capture_share, rev.mean_affordable_points
    from core.race as rac
    left join lineups.lineup_review as rev using (race_key)
    where rac.season = $season and not rac.is_cancelled
    order by rac.race_date
"""
PARTS = """
    select reg.part, sum(reg.points) as points, count(*) as race_count
    from lineups.regret_part as reg
    inner join core.race as rac using (race_key)
    where rac.season = $season
    group by reg.part
    order by array_position(['choice', 'forecast', 'luck'], reg.part)
"""
OWN_TEAMS = """
    select
        cur.race_key, sum(cast(cur.price_musd as double)) as value_musd,
        any_value(cast(cur.bank_musd as double)) as bank_musd, any_value(cur.chips_left) as chips_left,
        list(drv.name order by drv.name) as names
    from core.current_lineup as cur
    inner join core.race as rac using (race_key)
    left join (
        select 'driver' as asset_type, driver_id as asset_id, name from core.driver
        union all
        select 'constructor' as asset_type, constructor_id as asset_id, name from core.constructor
    ) as drv using (asset_type, asset_id)
    where rac.season = $season
    group by cur.race_key, rac.race_date
    order by rac.race_date
"""
POLICIES = """
    select policy, race_key, race_number, chip, transfer_count, total_points, budget_musd, season_points
    from lineups.season_backtest
    where season = $season and start = 0
    order by policy, race_number
"""
LINE_STYLES = ("s1", "s2", "s3", "s4")


def season_races(reader: Reader, season: int) -> list[Row]:
    """List the races of a season in order, with what the recommended line-up scored in those that are over."""
    return reader.rows(("lineups.lineup_review",), RACES, season=season)


def points_chart(races: Sequence[Row], count: int) -> Chart:
    """Draw what the line-up of each race scored, beside the best possible and the mean line-up.

    Parameters
    ----------
    races : sequence of dict
        Those that are over.
    count : int
        Races of the season.

    Returns
    -------
    Chart
    """
    places, width = race_places(count), 60.0 / max(count, 1)
    columns = ("actual_points", "hindsight_points", "mean_affordable_points")
    scale = value_scale([row[column] for row in races for column in columns])
    zero = scale.at(0)

    def left(row: Row) -> float:
        return round(places[row["race_number"] - 1] - width / 2, 2)

    bars = []
    for row in races:
        top = scale.at(row["actual_points"])
        says = f"{row['name']}: {number(row['actual_points'])} points"
        bars.append((left(row), min(top, zero), round(abs(zero - top), 2), says))
    marks = tuple(
        (label, style, tuple((left(row), scale.at(row[column])) for row in races))
        for label, style, column in (
            ("best possible", "best", "hindsight_points"),
            ("mean line-up", "mean", "mean_affordable_points"),
        )
    )
    text = "Points by race: " + "; ".join(
        f"{place_name(row['race_key'])} {number(row['actual_points'])} of {number(row['hindsight_points'])}"
        for row in races
    )
    return Chart(text, _numbers(races, places), scale, (), tuple(bars), "recommended line-up", round(width, 2), marks)


def running_chart(races: Sequence[Row], count: int) -> Chart:
    """Draw the points of the season so far: recommended, best possible, mean line-up."""
    series = {
        "best possible": ("best", "hindsight_points"),
        "recommended line-ups": ("main", "actual_points"),
        "mean line-up": ("mean", "mean_affordable_points"),
    }
    sums = {label: list(accumulate(row[column] for row in races)) for label, (_, column) in series.items()}
    at = [row["race_number"] for row in races]
    lines = [(label, series[label][0], list(zip(at, values, strict=True))) for label, values in sums.items()]
    said = ", ".join(f"{label} {number(values[-1])}" for label, values in sums.items())
    return line_chart(lines, count, f"Points of the season so far: {said}")


def line_chart(
    lines: Sequence[tuple[str, str, list[tuple[int, float]]]],
    count: int,
    text: str,
    *,
    digits: int = 0,
    with_zero: bool = True,
) -> Chart:
    """Draw lines over the races of a season.

    Parameters
    ----------
    lines : sequence of (str, str, list of (int, float))
        Label, style, and for each race its number and a value.
    count : int
        Races of the season.
    text : str
        What the chart shows.
    digits : int
        Of the last value.
    with_zero : bool
        Whether the upright scale begins at zero.

    Returns
    -------
    Chart
    """
    places = race_places(count)
    scale = value_scale([value for _, _, points in lines for _, value in points], with_zero=with_zero)
    drawn = tuple(
        Line(
            label,
            style,
            tuple((places[race - 1], scale.at(value)) for race, value in points),
            number(points[-1][1], digits),
        )
        for label, style, points in lines
    )
    races = sorted({race for _, _, points in lines for race, _ in points})
    return Chart(text, tuple((places[race - 1], str(race)) for race in races), scale, drawn)


def _numbers(races: Sequence[Row], places: Sequence[float]) -> tuple[tuple[float, str], ...]:
    return tuple((places[row["race_number"] - 1], str(row["race_number"])) for row in races)


def race_table(races: Sequence[Row], links: Sequence[str | None]) -> Section:
    """List the races that are over, each leading to its page where there is one."""
    rows: list[tuple[str, ...]] = [
        (
            f"{row['race_number']} {place_name(row['race_key'])}",
            number(row["predicted_points"]),
            number(row["actual_points"]),
            number(row["hindsight_points"]),
            number(row["hindsight_points"] - row["actual_points"]),
            percent(row["capture_share"]),
            number(row["mean_affordable_points"]),
        )
        for row in races
    ]
    totals = [sum(row[name] for row in races) for name in ("predicted_points", "actual_points", "hindsight_points")]
    share = percent(totals[1] / totals[2]) if totals[2] > 0 else percent(None)
    mean = number(sum(row["mean_affordable_points"] for row in races))
    rows.append(("Together", *map(number, totals), number(totals[2] - totals[1]), share, mean))
    columns = ("Race", "Expected", "Scored", "Best possible", "Behind it", "Captured", "Mean line-up")
    return Section("The recommended line-ups", columns, tuple(rows), frozenset({len(races) - 1}), links=(*links, None))


def regret_table(reader: Reader, season: int) -> Section | None:
    """Sum up what cost points over the season; None when that is not stored."""
    rows = reader.rows(("lineups.regret_part",), PARTS, season=season)
    if not rows:
        return None
    lines = []
    for row in rows:
        name, meaning = PART_WORDS.get(row["part"], (row["part"], ""))
        lines.append((name, number(row["points"]), number(row["points"] / row["race_count"], 1), meaning))
    return Section("What cost points", ("Part", "Points", "A race", ""), tuple(lines), texts=frozenset({3}))


def own_teams(reader: Reader, season: int) -> list[Row]:
    """Read your own teams of a season, race by race."""
    return reader.rows(("core.current_lineup",), OWN_TEAMS, season=season)


def policies(reader: Reader, season: int) -> dict[str, list[Row]]:
    """Read how policies played the season, race by race, from a start of their own; empty when none did."""
    found: dict[str, list[Row]] = {}
    for row in reader.rows(("lineups.season_backtest",), POLICIES, season=season):
        found.setdefault(row["policy"], []).append(row)
    return found


def budget_chart(teams: Sequence[Row], played: dict[str, list[Row]], races: Sequence[Row]) -> Chart | None:
    """Draw how the money grew: of your own teams and of policies; None when there are neither."""
    place = {row["race_key"]: row["race_number"] for row in races}
    lines: list[tuple[str, str, list[tuple[int, float]]]] = []
    if teams:
        own = [
            (place[row["race_key"]], row["value_musd"] + row["bank_musd"]) for row in teams if row["race_key"] in place
        ]
        lines.append(("your team", "main", own))
    for style, (policy, rows) in zip(LINE_STYLES, played.items(), strict=False):
        lines.append((policy, style, [(place[row["race_key"]], float(row["budget_musd"])) for row in rows]))
    lines = [line for line in lines if line[2]]
    if not lines:
        return None
    said = ", ".join(f"{label} {money(points[-1][1])}" for label, _, points in lines)
    return line_chart(lines, len(races), f"Money for a team, million dollars: {said}", digits=1, with_zero=False)


def own_decisions(teams: Sequence[Row]) -> Section | None:
    """List what you changed from race to race, and the chips that you played; None without two teams."""
    rows = []
    for before, after in pairwise(teams):
        old, new = set(before["names"]), set(after["names"])
        chips = _chips(before) - _chips(after)
        rows.append(
            (
                place_name(after["race_key"]),
                ", ".join(sorted(new - old)) or "–",
                ", ".join(sorted(old - new)) or "–",
                ", ".join(chip_name(name) for name in sorted(chips)) or "–",
                money(after["value_musd"] + after["bank_musd"]),
            )
        )
    if not rows:
        return None
    columns = ("Before", "Bought", "Sold", "Chip since the race before", "Money")
    return Section("Your own decisions", columns, tuple(rows), texts=frozenset({1, 2, 3}))


def _chips(team: Row) -> set[str]:
    return {name.strip() for name in (team["chips_left"] or "").split(",") if name.strip()}


def policy_table(played: dict[str, list[Row]]) -> Section | None:
    """Sum up how policies played the season; None when none did."""
    if not played:
        return None
    rows = []
    for policy, own in sorted(played.items(), key=lambda item: -item[1][-1]["season_points"]):
        chips = [f"{chip_name(row['chip'])} in {place_name(row['race_key'])}" for row in own if row["chip"]]
        growth = float(own[-1]["budget_musd"]) - float(own[0]["budget_musd"])
        transfers = number(sum(row["transfer_count"] for row in own))
        rows.append((policy, number(own[-1]["season_points"]), price_move(growth), transfers, ", ".join(chips) or "–"))
    columns = ("Policy", "Points", "Money", "Transfers", "Chips")
    return Section("How policies played the season", columns, tuple(rows), texts=frozenset({4}))

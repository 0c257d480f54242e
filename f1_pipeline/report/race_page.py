"""The page of a race: before it the line-up to enter and why, afterwards what came of it; one file, to be passed on.

Belongs here: putting together what the page shows. Neighbours: `lineups.py` reads the line-up, `race_facts.py` what
stands beside it, `race_outcome.py` what came of it, `track_record.py` how far to trust it; `templates/race.html` lays
it out.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from f1_pipeline.report.lineups import SCENARIOS_IN_WORDS, read_lineup, transfers_in_words
from f1_pipeline.report.page_charts import Scale, tight_scale
from f1_pipeline.report.page_rows import Reader, Row, key_of
from f1_pipeline.report.pages import (
    INDEX_NAME,
    instant,
    number,
    percent,
    race_page_name,
    render,
    season_page_name,
    signed,
    span,
    true_minus,
    write_page,
)
from f1_pipeline.report.race_facts import (
    alternatives,
    chips,
    circuit,
    final_fix,
    origin,
    ownership,
    plan,
    price_steps,
    recent_scores,
)
from f1_pipeline.report.race_outcome import Outcome, outcome, pick_table
from f1_pipeline.report.sections import Section
from f1_pipeline.report.team_colours import TEAM_COLOURS
from f1_pipeline.report.track_record import track_record
from f1_pipeline.sources.calendar import CalendarRace
from f1_pipeline.steps.chip_lines import chip_name
from f1_pipeline.steps.pipeline import Pipeline

REVIEWED = """
    select rev.race_key
    from lineups.lineup_review as rev
    inner join core.race as rac using (race_key)
    where rac.season = $season
    limit 1
"""


def write_race_page(pipeline: Pipeline, race_key: str) -> Path:
    """Write the page of a race into the folder of pages.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        The race is unknown, or its line-up has not been computed.
    WarehouseError
        There is no warehouse.
    """
    path = pipeline.settings.reports_dir / race_page_name(race_key)
    return write_page(path, render_race_page(pipeline, race_key))


def render_race_page(pipeline: Pipeline, race_key: str, *, is_linked: bool = True) -> str:
    """Make the page of a race.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    is_linked : bool
        Whether it lies among other pages and leads to them.

    Returns
    -------
    str
        HTML; the same warehouse gives the same text.

    Raises
    ------
    UsageError, WarehouseError
        As for `write_race_page`.
    """
    race = pipeline.calendar.get(race_key)
    answer = read_lineup(pipeline, race_key)
    with pipeline.warehouse.read() as connection:
        reader = Reader(connection)
        names = reader.asset_names()
        found = outcome(reader, race_key, names, answer["assets"]) if race.is_finished else None
        facts = {
            "circuit": circuit(reader, race_key),
            "alternatives": alternatives(reader, race_key, names),
            "plan": plan(reader, race_key, names),
            "chips": chips(reader, race_key),
            "final_fix": final_fix(reader, race_key),
            "origin": origin(reader, race_key),
            "record": track_record(reader, race.season),
        }
        picks = _picks(answer["assets"], reader, race, found)
        links = _links(reader, race.season) if is_linked else []
    return render(
        "race.html",
        links=links,
        race=race,
        answer=answer,
        picks=picks,
        scale=_scale(picks),
        lead=_lead(answer, race, found),
        headline=_headline(answer, race, found, facts["plan"]),
        transfers=transfers_in_words(answer["transfers"]) if answer["is_own_team"] else None,
        chips_now=_chips_now(answer),
        limits=_limits(answer),
        limits_note=SCENARIOS_IN_WORDS,
        outcome=found,
        whole=None if found is None else _whole(answer, found),
        pick_table=None if found is None else pick_table(found, answer["assets"]),
        **facts,
    )


def _links(reader: Reader, season: int) -> list[tuple[str, str]]:
    """Lead to the index and, once a race of the season has been reviewed, to the season."""
    has_season = reader.rows(("lineups.lineup_review",), REVIEWED, season=season)
    return [("All pages", INDEX_NAME), *([(f"Season {season}", season_page_name(season))] if has_season else [])]


def _picks(assets: list[Row], reader: Reader, race: CalendarRace, found: Outcome | None) -> list[Row]:
    """Add to each pick what its card shows."""
    recent = recent_scores(reader, race.race_key, race.season)
    owned = ownership(reader, race.race_key)
    steps = price_steps(reader, race.race_key)
    picks = []
    for asset in assets:
        key = key_of(asset)
        actual = None if found is None else found.actual(asset)
        team_id = asset["seat"].rpartition("@")[2]
        scored = "" if actual is None else f", scored {number(actual)}"
        picks.append(
            asset
            | {
                "colour": TEAM_COLOURS.get(team_id),
                "reason": true_minus(asset.get("reason", "")),
                "recent": recent.get(key, []),
                "owned": owned.get(key),
                "steps": steps.get(key, []) if asset["is_active"] else [],
                "figures": _figures(asset, actual),
                "text": f"{asset['name']}: {number(asset['expected_points'], 1)} points expected, "
                f"{span(asset['p10'], asset['p90'])} in 8 weekends of 10{scored}",
            }
        )
    return picks


def _figures(asset: Row, actual: float | None, marks: tuple[tuple[str, float], ...] = ()) -> Row:
    """Say where the marks of a row's drawing lie."""
    figures = {"low": asset["p10"], "high": asset["p90"], "expected": asset["expected_points"]}
    return figures | {"actual": actual, "marks": marks}


def _values(figures: Row) -> list[float]:
    found = [figures["low"], figures["high"], figures["expected"], *(value for _, value in figures["marks"])]
    return found if figures["actual"] is None else [*found, figures["actual"]]


def _scale(picks: list[Row]) -> Scale:
    return tight_scale([value for pick in picks for value in _values(pick["figures"])])


def _whole(answer: Row, found: Outcome) -> Row:
    """Lay out the drawing of the whole line-up: range, points, the best that was possible and the mean line-up."""
    review = found.review
    marks = (("best", review["hindsight_points"]), ("mean", review["mean_affordable_points"]))
    figures = _figures(answer | {"expected_points": review["predicted_points"]}, review["actual_points"], marks)
    text = (
        f"Line-up: {number(review['predicted_points'])} points expected, {span(answer['p10'], answer['p90'])} in 8 "
        f"weekends of 10, scored {number(review['actual_points'])}; best possible "
        f"{number(review['hindsight_points'])}, mean line-up {number(review['mean_affordable_points'])}"
    )
    return {"figures": figures, "scale": tight_scale(_values(figures)), "text": text}


def _lead(answer: Row, race: CalendarRace, found: Outcome | None) -> str:
    if found is None:
        points = number(answer["expected_points"])
        whose = "from the team you hold" if answer["is_own_team"] else "from a fresh start"
        return f"The line-up for the lock of {instant(race.lock_at)}, {whose}: {points} points expected."
    review = found.review
    difference = review["actual_points"] - review["predicted_points"]
    side = "more" if difference >= 0 else "less"
    inside = answer["p10"] <= review["actual_points"] <= answer["p90"]
    where = "within" if inside else "above" if difference > 0 else "below"
    return (
        f"The recommended line-up scored {number(review['actual_points'])} points, {number(abs(difference))} {side} "
        f"than expected and {where} its range of 8 weekends in 10. The mean line-up for the same money scored "
        f"{number(review['mean_affordable_points'])}."
    )


def _headline(
    answer: Row, race: CalendarRace, found: Outcome | None, planned: Row | None
) -> list[tuple[str, str, str]]:
    """Say the figures at the head of the page: what, how much, and what belongs to it."""
    expected = ("Expected", number(answer["expected_points"]), f"{span(answer['p10'], answer['p90'])} in 8 of 10")
    bank = "" if answer["bank_musd"] is None else f"${answer['bank_musd']:.1f}M left"
    cost = ("Cost", f"${answer['cost_musd']:.1f}M", bank)
    how = "live" if answer["is_live"] else "replayed"
    origin_text = "made before the lock" if answer["is_live"] else "from what was known at the lock"
    forecast = ("Forecast", how, origin_text)
    if found is not None:
        review = found.review
        share = review["capture_share"]
        captured = "" if share is None else f"{percent(share)} captured"
        best = ("Best possible", number(review["hindsight_points"]), captured)
        return [("Scored", number(review["actual_points"]), "points"), expected, best, forecast]
    lock: datetime = race.lock_at
    locks = ("Locks", f"{lock:%H:%M} UTC", f"{lock.day} {lock:%B %Y}")
    chip = [] if planned is None else [("Chip", planned["chip_now"] or "none", "by the plan below")]
    return [expected, locks, cost, *chip, forecast]


def _chips_now(answer: Row) -> Section | None:
    found = answer.get("chips_now")
    if not found:
        return None
    rows = tuple((chip_name(name), f"+{number(points, 1)}") for name, points in found.items())
    return Section("Points over the best line-up without a chip", ("Chip", "Adds now"), rows)


def _limits(answer: Row) -> Section | None:
    if not answer.get("limits"):
        return None
    rows = tuple(
        (
            f"{change['limit'][0].upper()}{change['limit'][1:]}",
            signed(change["points"], 1),
            f"{signed(change['p10'], 1)} to {signed(change['p90'], 1)}",
        )
        for change in answer["limits"]
    )
    return Section("What limits are worth", ("Limit", "Points", "8 in 10"), rows)

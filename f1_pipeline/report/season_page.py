"""The page of a season: points race by race, what cost them, money, decisions, accuracy, and its races.

Belongs here: putting together what the page shows. Neighbours: `season_facts.py` reads and draws it, `race_page.py` has
the pages of its races; `templates/season.html` lays it out.
"""

from __future__ import annotations

from pathlib import Path

from f1_pipeline.errors import UsageError
from f1_pipeline.report.page_rows import Reader, Row
from f1_pipeline.report.pages import (
    INDEX_NAME,
    number,
    percent,
    race_page_name,
    render,
    season_page_name,
    write_page,
)
from f1_pipeline.report.season_facts import (
    budget_chart,
    own_decisions,
    own_teams,
    points_chart,
    policies,
    policy_table,
    race_table,
    regret_table,
    running_chart,
    season_races,
)
from f1_pipeline.report.track_record import track_record
from f1_pipeline.steps.pipeline import Pipeline


def write_season_page(pipeline: Pipeline, season: int) -> Path:
    """Write the page of a season into the folder of pages; its races lead to their pages that are there by then.

    Parameters
    ----------
    pipeline : Pipeline
    season : int

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        The season is unknown, or no race of it has been reviewed.
    WarehouseError
        There is no warehouse.
    """
    path = pipeline.settings.reports_dir / season_page_name(season)
    return write_page(path, render_season_page(pipeline, season))


def render_season_page(pipeline: Pipeline, season: int, *, is_linked: bool = True) -> str:
    """Make the page of a season.

    Parameters
    ----------
    pipeline : Pipeline
    season : int
    is_linked : bool
        Whether it lies among other pages and leads to them.

    Returns
    -------
    str
        HTML; the same warehouse and the same pages beside it give the same text.

    Raises
    ------
    UsageError, WarehouseError
        As for `write_season_page`.
    """
    pipeline.calendar.season(season)
    with pipeline.warehouse.read() as connection:
        reader = Reader(connection)
        races = season_races(reader, season)
        over = [row for row in races if row["actual_points"] is not None]
        if not over:
            raise UsageError(f"no race of {season} has been reviewed yet: `f1-pipeline run --season {season}` does so")
        teams, played = own_teams(reader, season), policies(reader, season)
        facts = {
            "regret": regret_table(reader, season),
            "record": track_record(reader, season),
        }
    targets = {row["race_key"]: _target(pipeline, row["race_key"]) if is_linked else None for row in races}
    return render(
        "season.html",
        links=[("All pages", INDEX_NAME)] if is_linked else [],
        season=season,
        headline=_headline(over, len(races)),
        points=points_chart(over, len(races)),
        running=running_chart(over, len(races)),
        races=race_table(over, [targets[row["race_key"]] for row in over]),
        coming=[row | {"target": targets[row["race_key"]]} for row in races if row["actual_points"] is None],
        budget=budget_chart(teams, played, races),
        decisions=[table for table in (own_decisions(teams), policy_table(played)) if table],
        **facts,
    )


def _target(pipeline: Pipeline, race_key: str) -> str | None:
    name = race_page_name(race_key)
    return name if (pipeline.settings.reports_dir / name).exists() else None


def _headline(over: list[Row], count: int) -> list[tuple[str, str, str]]:
    points, best, mean, expected = (
        sum(row[name] for row in over)
        for name in ("actual_points", "hindsight_points", "mean_affordable_points", "predicted_points")
    )
    captured = f"{percent(points / best)} captured" if best > 0 else ""
    return [
        ("Scored", number(points), f"{number(points / len(over))} a race"),
        ("Best possible", number(best), captured),
        ("Expected", number(expected), "by the forecast"),
        ("Mean line-up", number(mean), "for the same money"),
        ("Races", f"{len(over)}", f"of {count}"),
    ]

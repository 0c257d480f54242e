"""Which pages belong together, and the page that leads to all in the folder.

Belongs here: choosing what to write. Neighbours: `race_page.py` and `season_page.py` write one page each;
`templates/index.html` lays out the one here.
"""

from __future__ import annotations

from pathlib import Path

from f1_pipeline.errors import UsageError
from f1_pipeline.report.pages import ACCURACY_NAME, INDEX_NAME, race_page_name, render, season_page_name, write_page
from f1_pipeline.report.race_page import render_race_page, write_race_page
from f1_pipeline.report.season_page import render_season_page, write_season_page
from f1_pipeline.sources.calendar import CalendarRace
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.review import REVIEW_TABLE

RACE, SEASON, INDEX = "race", "season", "index"

Written = tuple[str, str, Path]
"""What a page is about (`race`, `season` or `index`), which one, and its file."""


def write_pages(pipeline: Pipeline, race_key: str | None = None, season: int | None = None) -> list[Written]:
    """Write the pages of a race, or of a season, and those that lead to them.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str or None
        The race; with neither race nor season the next one and the last finished one.
    season : int or None

    Returns
    -------
    list of Written
        Races, seasons, then the index.

    Raises
    ------
    UsageError
        A race or season is unknown, or nothing of it has been computed.
    WarehouseError
        There is no warehouse.
    """
    with pipeline.warehouse.read() as connection:
        computed = pipeline.race_keys_in(connection, LINEUP_TABLE)
    seasons = set(reviewed_seasons(pipeline))
    if season is not None:
        races, shown = [], [season]
    else:
        races = _default_races(pipeline, computed) if race_key is None else [pipeline.calendar.get(race_key)]
        shown = sorted({race.season for race in races} & seasons)
    written = [(RACE, race.race_key, write_race_page(pipeline, race.race_key)) for race in races]
    written += [(SEASON, str(year), write_season_page(pipeline, year)) for year in shown]
    return [*written, (INDEX, INDEX, write_index(pipeline))]


def reviewed_seasons(pipeline: Pipeline) -> list[int]:
    """List the seasons that have a race with a review, which a page of a season needs, in order."""
    with pipeline.warehouse.read() as connection:
        reviewed = pipeline.race_keys_in(connection, REVIEW_TABLE)
    return sorted({race.season for race in pipeline.calendar.finished if race.race_key in reviewed})


def write_one_page(pipeline: Pipeline, path: Path, race_key: str | None = None, season: int | None = None) -> Written:
    """Write the page of one race, the next one by default, or of one season by itself, without links to others.

    Parameters
    ----------
    pipeline : Pipeline
    path : Path
        A file that ends in `.html`; folders that are missing are made.
    race_key : str or None
    season : int or None

    Returns
    -------
    Written

    Raises
    ------
    UsageError
        The file has another ending or cannot be written; or as for `write_pages`.
    WarehouseError
        There is no warehouse.
    """
    if path.suffix.lower() != ".html":
        raise UsageError(f"--out: expected a path that ends in .html, found {path.name!r}")
    if season is not None:
        return SEASON, str(season), write_page(path, render_season_page(pipeline, season, is_linked=False))
    if race_key is None:
        if pipeline.calendar.next_race is None:
            raise UsageError("the season is over: name a race with --race, or a season with --season")
        race_key = pipeline.calendar.next_race.race_key
    return RACE, race_key, write_page(path, render_race_page(pipeline, race_key, is_linked=False))


def _default_races(pipeline: Pipeline, computed: set[str]) -> list[CalendarRace]:
    calendar = pipeline.calendar
    wanted = [*([calendar.next_race] if calendar.next_race else []), *calendar.finished[-1:]]
    found = [race for race in wanted if race.race_key in computed]
    if not found:
        names = " and ".join(race.race_key for race in wanted) or "any race"
        raise UsageError(f"no line-up of {names} yet: `f1-pipeline run` makes it")
    return found


def write_index(pipeline: Pipeline) -> Path:
    """Write the page that leads to every page that is there, the newest race first.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    Path

    Raises
    ------
    UsageError
        When it cannot be written.
    """
    folder = pipeline.settings.reports_dir
    races = [race for race in reversed(pipeline.calendar.races) if (folder / race_page_name(race.race_key)).exists()]
    years = sorted({race.season for race in pipeline.calendar.races}, reverse=True)
    seasons = [
        {
            "season": season,
            "target": season_page_name(season) if (folder / season_page_name(season)).exists() else None,
            "races": [(race, race_page_name(race.race_key)) for race in races if race.season == season],
        }
        for season in years
    ]
    shown = [each for each in seasons if each["target"] or each["races"]]
    accuracy = ACCURACY_NAME if (folder / ACCURACY_NAME).exists() else None
    return write_page(folder / INDEX_NAME, render("index.html", links=(), seasons=shown, accuracy=accuracy))

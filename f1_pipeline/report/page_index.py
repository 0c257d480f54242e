"""The page that leads to all others in the folder of pages.

Neighbours: `race_page.py` and `season_page.py` write those; `templates/index.html` lays it out.
"""

from __future__ import annotations

from pathlib import Path

from f1_pipeline.report.pages import ACCURACY_NAME, INDEX_NAME, race_page_name, render, season_page_name, write_page
from f1_pipeline.steps.pipeline import Pipeline


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

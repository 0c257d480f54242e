"""How every page is made: one Jinja environment that escapes whatever it shows, and how figures read on a page.

Belongs here: the environment and its filters. What pages look like is in `templates/`: `base.html` is the frame of all
of them, `style.css` the look, `parts.html` tables and notes, `charts.html` drawings. Neighbours: `race_page.py`,
`season_page.py`, `page_index.py` and `accuracy_page.py` say what is on a page; `page_charts.py` measures drawings.

A page is one file: no script, nothing fetched, the same figures give the same bytes.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from f1_pipeline.report.files import write_file
from f1_pipeline.report.themes import DARK, LIGHT
from f1_pipeline.steps.chip_lines import chip_name

INDEX_NAME = "index.html"
ACCURACY_NAME = "accuracy.html"
MINUS = "−"
ASCII_MINUS = re.compile(r"(?<![\w-])-(?=\d)")
NOT_KNOWN = "–"


def race_page_name(race_key: str) -> str:
    """Name the file of a race's page."""
    return f"{race_key}.html"


def season_page_name(season: int) -> str:
    """Name the file of a season's page."""
    return f"season-{season}.html"


def render(template: str, **context: object) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        Name of a file in `templates/`.
    **context
        What it shows; every text is escaped.

    Returns
    -------
    str
        HTML.
    """
    return _environment().get_template(template).render(context, light=LIGHT, dark=DARK)


def write_page(path: Path, text: str) -> Path:
    """Write a page whole or not at all, and return its path.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    write_file(path, text.encode())
    return path


def number(value: float | None, digits: int = 0) -> str:
    """Write a number with a true minus; a dash for what is not known."""
    if value is None or value != value:
        return NOT_KNOWN
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def signed(value: float | None, digits: int = 0) -> str:
    """Write a number with its sign, plus included."""
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.") else text


def percent(value: float | None, digits: int = 0) -> str:
    """Write a share as percent."""
    return NOT_KNOWN if value is None or value != value else f"{value:.{digits}%}".replace("-", MINUS)


def money(value: float | None) -> str:
    """Write million dollars."""
    return NOT_KNOWN if value is None or value != value else f"${value:.1f}M"


def price_move(value: float | None) -> str:
    """Write how a price moves, million dollars."""
    return NOT_KNOWN if value is None or value != value else f"{signed(value, 1)}M"


def span(low: float | None, high: float | None) -> str:
    """Write a range of points."""
    return f"{number(low)} to {number(high)}"


def instant(value: datetime | None) -> str:
    """Write an instant in UTC."""
    return NOT_KNOWN if value is None else f"{value.day} {value:%B %Y, %H:%M} UTC"


def true_minus(text: str) -> str:
    """Put the minus of the page's figures before the negative numbers of a text."""
    return ASCII_MINUS.sub(MINUS, text)


def place_name(race_key: str, season: int | None = None) -> str:
    """Name a race by its place, with the year when it is of another season than the page."""
    year, _, place = race_key.partition("-")
    name = " ".join(word.capitalize() for word in place.split("-"))
    return name if season is None or year == str(season) else f"{name} {year}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("f1_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for shown in (number, signed, percent, money, price_move, span, instant, place_name, chip_name):
        environment.filters[shown.__name__] = shown
    return environment

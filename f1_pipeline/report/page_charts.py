"""Where the marks of a drawing on a page lie, in percent of its width and height.

Belongs here: scales, ticks, bars and lines as numbers; `templates/charts.html` draws them as SVG in the page, which
takes its colours from the page and its width from the window. Neighbours: `pictures.py` draws with matplotlib what is
too much for this.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FEWEST_TICKS = 4
LEAST_SPAN = 0.01  # points; values closer together than that are one
LEFT, RIGHT, TOP, BOTTOM = 9.0, 99.0, 4.0, 90.0  # percent: room for the figures at the axes


@dataclass(frozen=True)
class Scale:
    """A range of values laid out from 0 to 100 percent, or from one percentage to another.

    Attributes
    ----------
    low, high : float
        The values at both ends.
    start, end : float
        Percent where they lie.
    ticks : tuple of float
        Round values between them.
    """

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Return where a value lies, percent; the nearest end when it lies outside."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 2)


@dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes
    ----------
    label : str
    style : str
        `main`, `best`, `mean`, or a number from 1: a colour and a dash of the style sheet.
    points : tuple of (float, float)
        Percent from the left and from the top.
    end : str
        The last value, in words.
    """

    label: str
    style: str
    points: tuple[tuple[float, float], ...]
    end: str


@dataclass(frozen=True)
class Chart:
    """A chart over the races of a season.

    Attributes
    ----------
    text : str
        What it shows, for those who do not see it.
    x : tuple of (float, str)
        Where each race lies, percent, and its number.
    y : Scale
    lines : tuple of Line
    bars : tuple of (float, float, float, str)
        From the left, from the top and height, percent; what it says.
    bar_label : str
    width : float
        Of a bar, percent.
    marks : tuple of (str, str, tuple of (float, float))
        Label, style and places of level marks over the bars.
    """

    text: str
    x: tuple[tuple[float, str], ...]
    y: Scale
    lines: tuple[Line, ...] = ()
    bars: tuple[tuple[float, float, float, str], ...] = ()
    bar_label: str = ""
    width: float = 0.0
    marks: tuple[tuple[str, str, tuple[tuple[float, float], ...]], ...] = ()


def round_scale(values: Iterable[float], start: float = 0.0, end: float = 100.0, *, with_zero: bool = True) -> Scale:
    """Make a scale over values, its ends on round ticks.

    Parameters
    ----------
    values : iterable of float
        At least one when zero does not belong to it.
    start, end : float
        Percent where the lowest and the highest value lie.
    with_zero : bool
        Whether zero belongs to it in any case.

    Returns
    -------
    Scale
    """
    found = [*values, *([0.0] if with_zero else [])]
    low, high = min(found), max(found)
    if high - low < LEAST_SPAN:
        low, high = low - 1.0, high + 1.0
    step = _round_step((high - low) / FEWEST_TICKS)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(round(place * step, 6) for place in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def tight_scale(values: Sequence[float], margin: float = 0.04) -> Scale:
    """Make a scale from the lowest to the highest value, zero included, with a margin and round ticks inside."""
    outer = round_scale(values)
    low, high = min([0.0, *values]), max([0.0, *values])
    if high - low < LEAST_SPAN:
        return outer
    room = margin * (high - low)
    low, high = low - room, high + room
    return Scale(low, high, ticks=tuple(tick for tick in outer.ticks if low <= tick <= high))


def race_places(count: int) -> tuple[float, ...]:
    """Say where the races of a season lie from left to right, percent."""
    step = (RIGHT - LEFT) / max(count, 1)
    return tuple(round(LEFT + (place + 0.5) * step, 2) for place in range(count))


def value_scale(values: Iterable[float], *, with_zero: bool = True) -> Scale:
    """Make the upright scale of a chart."""
    return round_scale(values, BOTTOM, TOP, with_zero=with_zero)


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)

"""Draw a line-up: what each asset may score, as bars from a bad weekend to a good one.

Belongs here: one small picture for the page of an asset in the UI, made without pyplot and its global state.
Neighbours: `race_choice` finds the line-up, `lineups` shows the picture.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DOTS_PER_INCH = 90
WIDTH_INCHES = 6.5
ROW_INCHES = 0.36
BLUE, GREY = "#1f4e79", "#b8c7d6"


@dataclass(frozen=True)
class Bar:
    """An asset of the line-up, its boost counted.

    Attributes
    ----------
    label : str
    low, expected, high : float
        Points in a bad weekend of ten, on average, and in a good one of ten.
    """

    label: str
    low: float
    expected: float
    high: float


def lineup_png(title: str, bars: Sequence[Bar]) -> bytes:
    """Draw a line-up.

    Parameters
    ----------
    title : str
    bars : sequence of Bar
        From top to bottom.

    Returns
    -------
    bytes
        A PNG.
    """
    figure = Figure(figsize=(WIDTH_INCHES, 1.1 + ROW_INCHES * len(bars)), dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    rows = range(len(bars))
    axes.barh(rows, [bar.high - bar.low for bar in bars], left=[bar.low for bar in bars], height=0.5, color=GREY)
    axes.plot([bar.expected for bar in bars], rows, "o", color=BLUE)
    for row, bar in enumerate(bars):
        axes.annotate(f"{bar.expected:.0f}", (bar.expected, row), (0, 6), textcoords="offset points", ha="center")
    axes.margins(x=0.03)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(rows, [bar.label for bar in bars])
    axes.set_ylim(len(bars) - 0.5, -0.7)
    axes.set_xlabel("points: expected, and in 8 weekends of 10")
    axes.set_title(title, fontsize=10, loc="left")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    target = BytesIO()
    FigureCanvasAgg(figure).print_png(target)
    return target.getvalue()


def as_markdown(png: bytes, text: str) -> str:
    """Put a picture into Markdown itself, so that it needs no file.

    Parameters
    ----------
    png : bytes
    text : str
        What it shows, for those who do not see it.

    Returns
    -------
    str
    """
    return f"![{text}](data:image/png;base64,{base64.b64encode(png).decode('ascii')})"

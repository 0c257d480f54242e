"""The look of every picture: colours of paper, text and series, and figures as bytes.

Belongs here: what pictures share; the same figures give the same bytes. Colours are those of Okabe and Ito, told apart
by the colour-blind. Neighbours: `accuracy_picture.py`, `plans.py` and `backtest.py` draw.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from f1_pipeline.report.accuracy import write_file

PNG_DPI = 110


@dataclass(frozen=True)
class Theme:
    """Colours of a picture: of the paper and the text, of phases in order, of two kinds of series, of references."""

    paper: str
    text: str
    faint: str
    phases: tuple[str, str, str]
    first: str
    second: str
    reference: str


LIGHT = Theme("#ffffff", "#1c2128", "#d8dde3", ("#E69F00", "#0072B2", "#009E73"), "#0072B2", "#D55E00", "#6b7480")
DARK = Theme("#14181d", "#e6eaef", "#363e47", ("#F0B429", "#56B4E9", "#2BC79B"), "#56B4E9", "#F2844B", "#98a2ad")


def drawn_in(theme: Theme) -> AbstractContextManager[None]:
    """Set matplotlib to a theme while a picture is drawn."""
    # A fixed salt, and no font outlines: the same figures are the same file.
    settings: Any = {
        "svg.hashsalt": "f1-pipeline",
        "svg.fonttype": "none",
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": theme.reference,
        "axes.facecolor": theme.paper,
        "figure.facecolor": theme.paper,
        "text.color": theme.text,
        "axes.labelcolor": theme.text,
        "axes.titlecolor": theme.text,
        "xtick.color": theme.text,
        "ytick.color": theme.text,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": theme.faint,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 8.0,
    }
    return matplotlib.rc_context(settings)


def figure_bytes(figure: Figure, kind: str, title: str) -> bytes:
    """Save a figure, without date and name of the program.

    Parameters
    ----------
    figure : Figure
    kind : str
        `svg` or `png`.
    title : str
        Title of the file, for readers of SVG.

    Returns
    -------
    bytes
    """
    metadata = {"svg": {"Date": None, "Title": title}, "png": {"Software": None}}[kind]
    stream = BytesIO()
    figure.savefig(stream, format=kind, metadata=metadata, dpi=PNG_DPI)
    return stream.getvalue()


def write_figure(figure: Figure, path: Path, title: str) -> None:
    """Write a figure to a file whose ending says its kind, whole or not at all.

    Raises
    ------
    UsageError
        When it cannot be written there.
    """
    write_file(path, figure_bytes(figure, path.suffix.lower().removeprefix("."), title))

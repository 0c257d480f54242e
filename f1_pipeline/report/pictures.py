"""The look of every picture: matplotlib set to a theme, and figures as bytes.

Belongs here: what pictures share; the same figures give the same bytes. Neighbours: `themes.py` has the colours,
`accuracy_picture.py`, `plans.py` and `backtest.py` draw.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from f1_pipeline.report.files import write_file
from f1_pipeline.report.themes import Theme

PNG_DPI = 110


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

"""Draw the errors of a points model on rows it had not seen.

Belongs here: one picture, made without pyplot and its global state, so that nothing is left open in a long-lived
process. What is drawn comes from `forecast.cross_validation`; where it is kept is for `forecast.tracking`.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DOTS_PER_INCH = 80
_GRID_POINTS = 10.0
_BLUE = "#1f4e79"


class ResidualPlot:
    """A figure that is drawn again and again: most of the time of a first drawing goes into making axes and ticks."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=(6, 4), dpi=_DOTS_PER_INCH)
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_subplot()
        (self._dots,) = self._axes.plot([], [], ".", markersize=3, alpha=0.5, color=_BLUE)
        (self._low,) = self._axes.plot([], [], "--", linewidth=1.0, color=_BLUE)
        (self._high,) = self._axes.plot([], [], "--", linewidth=1.0, color=_BLUE)
        self._axes.axhline(0.0, linewidth=0.8, color="black")
        self._axes.set_xlabel("expected points")
        self._axes.set_ylabel("scored minus expected")

    def png(self, held: pd.DataFrame, title: str) -> bytes | None:
        """Plot scored minus expected against expected points, with the band that holds eight of ten.

        Parameters
        ----------
        held : DataFrame
            `predicted` and `actual` points of rows that the model had not seen.
        title : str
            What is shown.

        Returns
        -------
        bytes or None
            A PNG of 480 x 320 pixels; None when there are no rows and so nothing honest to draw.
        """
        if held.empty:
            return None
        expected = held["predicted"].to_numpy(dtype=float)
        residual = held["actual"].to_numpy(dtype=float) - expected
        ends = np.array([expected.min(), expected.max()])
        low, high = np.quantile(residual, (0.1, 0.9))
        self._dots.set_data(expected, residual)
        self._low.set_data(ends, [low, low])
        self._high.set_data(ends, [high, high])
        self._axes.set_xlim(*_rounded_limits(expected))
        self._axes.set_ylim(*_rounded_limits(residual))
        self._axes.set_title(f"{title}: {len(expected)} rows", fontsize=10)
        target = BytesIO()
        self._canvas.print_png(target)
        return target.getvalue()


def _rounded_limits(values: np.ndarray) -> tuple[float, float]:
    """Widen a range to the grid, so that pictures of neighbouring races can be laid side by side."""
    low, high = np.floor(values.min() / _GRID_POINTS), np.ceil(values.max() / _GRID_POINTS)
    return float(low * _GRID_POINTS), float(max(high, low + 1) * _GRID_POINTS)

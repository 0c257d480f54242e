"""Draw the errors of a points model on rows it had not seen.

Belongs here: one picture, made without pyplot and its global state, so that nothing is left open in a long-lived
process. What is drawn comes from `forecast.points_model`; where it is kept is for `forecast.tracking`.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from f1_pipeline.forecast.points_model import TrainedPointsModel

_DOTS_PER_INCH = 80


def residual_png(model: TrainedPointsModel) -> bytes | None:
    """Plot scored minus expected points against expected points, with the 80 % band of the model's spread.

    Parameters
    ----------
    model : TrainedPointsModel
        Its `out_of_fold` rows are drawn.

    Returns
    -------
    bytes or None
        A PNG of 480 x 320 pixels; None when there was no cross-validation and so nothing honest to draw.
    """
    if model.out_of_fold.empty:
        return None
    expected = model.out_of_fold["predicted"].to_numpy(dtype=float)
    residual = model.out_of_fold["actual"].to_numpy(dtype=float) - expected
    level = np.linspace(expected.min(), expected.max(), 50)
    scale = model.spread.scale(level)
    figure = Figure(figsize=(6, 4), dpi=_DOTS_PER_INCH)
    axes = figure.add_subplot()
    axes.plot(expected, residual, ".", markersize=3, alpha=0.5, color="#1f4e79")
    axes.fill_between(level, model.spread.q10 * scale, model.spread.q90 * scale, alpha=0.15, color="#1f4e79")
    axes.axhline(0.0, linewidth=0.8, color="black")
    axes.set_xlabel("expected points")
    axes.set_ylabel("scored minus expected")
    axes.set_title(f"{model.asset_type} before {model.target_race_key}: {len(expected)} unseen rows")
    target = BytesIO()
    FigureCanvasAgg(figure).print_png(target)
    return target.getvalue()

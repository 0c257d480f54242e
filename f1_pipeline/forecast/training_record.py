"""What is written down about a training: tags, parameters, metrics, files, and the figures shown beside a forecast.

Belongs here: the content, as plain values. Where it goes is the neighbour `forecast.tracking`; what it describes is
made by `forecast.points_model`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from f1_pipeline.forecast.feature_sets import FEATURE_SET_VERSION
from f1_pipeline.forecast.points_model import TrainedPointsModel, settings_dict


def tags(model: TrainedPointsModel) -> dict[str, str]:
    """Say which race a run, model or version is for; `race_date` decides about the champion.

    Parameters
    ----------
    model : TrainedPointsModel
        From `points_model.train`.

    Returns
    -------
    dict
        Plain texts.
    """
    return {
        "race_key": model.target_race_key,
        "race_date": model.target_race_date.isoformat(),
        "asset_type": model.asset_type,
        "feature_set_version": FEATURE_SET_VERSION,
        "no_cv_reason": model.no_cv_reason or "",
    }


def params(model: TrainedPointsModel) -> dict[str, object]:
    """List every setting, what was chosen, and the data window.

    Parameters
    ----------
    model : TrainedPointsModel
        From `points_model.train`.

    Returns
    -------
    dict
        Plain values.
    """
    return {
        **settings_dict(model.settings),
        "alpha": model.alpha,
        "ridge_weight": round(model.ridge_weight, 6),
        "feature_set_version": FEATURE_SET_VERSION,
        "feature_count": len(model.feature_names),
        "train_row_count": model.row_count,
        "train_race_count": model.race_count,
        "train_first_race_key": model.first_race_key,
        "train_last_race_key": model.last_race_key,
        "spread_origin": model.spread.origin,
    }


def metrics(model: TrainedPointsModel) -> dict[str, float]:
    """List the means over folds, each fold (`cv_mae/2024`) and the spread.

    Parameters
    ----------
    model : TrainedPointsModel
        From `points_model.train`.

    Returns
    -------
    dict
        Numbers by name.
    """
    folds = {f"{key}/{fold}": value for fold, row in model.fold_metrics.items() for key, value in row.items()}
    numbers = {key: value for key, value in asdict(model.spread).items() if key != "origin"}
    return {**(model.metrics or {}), **folds, **{f"spread/{key}": value for key, value in numbers.items()}}


def summary(params: Mapping[str, object], metrics: Mapping[str, float]) -> dict[str, str | int | float | None]:
    """Pick the figures that are shown beside a forecast.

    Parameters
    ----------
    params : mapping of str
        From `params`, or read back from a run as texts.
    metrics : mapping of str to float
        From `metrics`, or read back.

    Returns
    -------
    dict
        training_row_count, first_training_race_key and last_training_race_key (None without history), cv_mae_points
        and cv_rmse_points (None without cross-validation).
    """
    first, last = (str(params[f"train_{end}_race_key"]) for end in ("first", "last"))
    return {
        "training_row_count": int(str(params["train_row_count"])),
        "first_training_race_key": None if first == "None" else first,
        "last_training_race_key": None if last == "None" else last,
        "cv_mae_points": metrics.get("cv_mae"),
        "cv_rmse_points": metrics.get("cv_rmse"),
    }


def write_files(folder: Path, model: TrainedPointsModel, picture: bytes | None) -> None:
    """Leave the feature list with its coefficients, and the residual plot, among a run's artifacts.

    Parameters
    ----------
    folder : Path
        Made if absent.
    model : TrainedPointsModel
        From `points_model.train`.
    picture : bytes or None
        PNG of its residuals, if there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = model.pipeline.named_steps["prepare"].get_feature_names_out()
    coefficients = model.pipeline.named_steps["ridge"].coef_
    listing = {
        "feature_set_version": FEATURE_SET_VERSION,
        "features": list(model.feature_names),
        "points_per_standard_deviation": {str(n): float(c) for n, c in zip(names, coefficients, strict=True)},
    }
    (folder / "features.json").write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    if picture is not None:
        (folder / "residuals.png").write_bytes(picture)

"""What is written down about a model: names, parameters, metrics, pictures and files, ready for the store.

Belongs here: the content, as plain values, and the fingerprint by which a model is found again. Where it goes is the
neighbour `forecast.tracking`; models are made by `forecast.weekend_model` and `forecast.points_model`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import sklearn

from f1_pipeline.forecast.cross_validation import MIN_RACES, cross_validated_metrics, out_of_fold
from f1_pipeline.forecast.feature_sets import FEATURE_SET_VERSION, FEATURES
from f1_pipeline.forecast.grouped_regressor import GroupedRegressor
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.forecast.points_model import (
    DEFAULT_SETTINGS,
    RIDGE,
    PointsModelSettings,
    TrainedPointsModel,
    inputs,
    train,
    training_window,
)
from f1_pipeline.forecast.strength import DEFAULT_STRENGTH, StrengthSettings
from f1_pipeline.forecast.weekend_files import weekend_bytes
from f1_pipeline.forecast.weekend_model import WeekendModel

if TYPE_CHECKING:
    from f1_pipeline.forecast.residual_plot import ResidualPlot

STRENGTH, AVERAGE = "strength", "average"
AVERAGE_PARTS = (STRENGTH, RIDGE, "ewma_price_prior")
"""Unlike forecasts whose plain mean is a candidate of its own: a simulation, a linear model, a baseline."""

WEEKEND_FILE = "weekend.npz"
_RECIPE_VERSION = 2
"""Changes whenever the same rows and settings would give another model than before."""


@dataclass(frozen=True)
class ModelRecord:
    """A model and everything that is said of it.

    Attributes
    ----------
    candidate : str
        strength, ridge, boosting or average; or the name of an agent.
    race_key, race_date : str
        The race that it forecasts, or the first race of the season that an agent plays; the date decides whether an
        alias may move.
    fingerprint : str
        SHA-256 of everything that determines the model.
    params, metrics : mapping
        For the run.
    estimator : GroupedRegressor or None
        Stored with skops.
    files : mapping of str to bytes
        Stored beside it, part of the model.
    artifacts : mapping of str to bytes
        Pictures and lists of the run.
    notes : str
        Why something is missing or less sure; empty when nothing is.
    curve : sequence of mapping of str to float
        Metrics step by step, as they were learnt.
    """

    candidate: str
    race_key: str
    race_date: str
    fingerprint: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    estimator: GroupedRegressor | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    notes: str = ""
    curve: Sequence[Mapping[str, float]] = ()

    def tags(self) -> dict[str, str]:
        """Say what a run, a model or a version is, in plain texts."""
        return {
            "candidate": self.candidate,
            "race_key": self.race_key,
            "race_date": self.race_date,
            "notes": self.notes,
        }


def weekend_record(model: WeekendModel, race_date: str, settings: StrengthSettings = DEFAULT_STRENGTH) -> ModelRecord:
    """Write down a weekend model; its fingerprint is that of its content, features included.

    Parameters
    ----------
    model : WeekendModel
    race_date : str
        ISO date.
    settings : StrengthSettings
        As learnt with.

    Returns
    -------
    ModelRecord
    """
    content = weekend_bytes(model)
    race = next(iter(model.outlooks.values())).race
    metrics = {
        "retirement_probability_mean": float(np.mean(1 / (1 + np.exp(-race.retirement_logit)))),
        "overtakes_mean": float(race.overtakes[1:, 1:].mean()),
        **{
            f"strength_sd/{phase}": float(np.sqrt(np.diag(outlook.strength_covariance)).mean())
            for phase, outlook in model.outlooks.items()
        },
    }
    until = {f"known_until/{phase}": str(at) for phase, at in model.known_until.items()}
    own = {name: value for name, value in asdict(settings).items() if name != "noise"}
    noise = {f"noise/{session}": value for session, value in settings.noise.items()}
    params = {
        "recipe_version": _RECIPE_VERSION,
        "driver_count": len(model.drivers),
        "constructor_count": len(model.constructors),
        **until,
        **own,
        **noise,
    }
    notes = "; ".join(dict.fromkeys(note for own in model.notes.values() for note in own))
    learnt = model.features.to_csv(index=False).encode()
    mark = hashlib.sha256(f"weekend {_RECIPE_VERSION} {model.race_key} ".encode() + content + learnt).hexdigest()
    return ModelRecord(
        STRENGTH, model.race_key, race_date, mark, params, metrics, files={WEEKEND_FILE: content}, notes=notes
    )


def points_record(trained: TrainedPointsModel, rows: pd.DataFrame, fingerprint: str) -> ModelRecord:
    """Write down a points model, with its errors on seasons it had not seen where that is quick.

    Parameters
    ----------
    trained : TrainedPointsModel
    rows : DataFrame
        Its training window.
    fingerprint : str
        From `points_fingerprint`.

    Returns
    -------
    ModelRecord
        The ridge comes with grouped cross-validation by season and a plot of residuals; boosting would take minutes
        for all races, and its walk-forward errors are in `evaluation.asset_error` like everybody's.
    """
    metrics: dict[str, float] = {}
    listing = {"feature_set_version": FEATURE_SET_VERSION, "features": list(FEATURES)}
    artifacts = {"features.json": json.dumps(listing, indent=2).encode()}
    notes = "" if trained.row_count else "no earlier race: the forecast is the baseline's"
    if trained.kind == RIDGE:
        held = out_of_fold(rows[rows["phase"] == AT_LOCK], trained.kind, trained.settings)
        metrics = cross_validated_metrics(held)
        picture = _plot().png(held, f"{trained.kind} before {trained.target_race_key}, unseen seasons")
        artifacts |= {} if picture is None else {"residuals.png": picture}
        if held.empty and trained.row_count:
            notes = f"no cross-validation: {trained.race_count} earlier races, {MIN_RACES} needed"
    return ModelRecord(
        trained.kind,
        trained.target_race_key,
        trained.target_race_date.isoformat(),
        fingerprint,
        points_params(trained),
        metrics,
        estimator=trained.estimator,
        artifacts=artifacts,
        notes=notes,
    )


@dataclass(frozen=True)
class Lesson:
    """A points model that is to be trained.

    Attributes
    ----------
    kind : str
        `ridge` or `boosting`.
    race_key : str
        The race to forecast.
    race_date : date
        Its date; only earlier rows are used.
    fingerprint : str
        Of what it will be.
    row_count : int
        Training rows.
    last_race_key : str or None
        Race of the newest of them.
    """

    kind: str
    race_key: str
    race_date: date
    fingerprint: str
    row_count: int
    last_race_key: str | None


def lessons(kinds: Sequence[str], race_key: str, race_date: date, rows: pd.DataFrame) -> list[Lesson]:
    """List the points models of a race, with what determines them.

    Parameters
    ----------
    kinds : sequence of str
    race_key : str
    race_date : date
    rows : DataFrame
        Training rows of any races, as for `points_model.train`.

    Returns
    -------
    list of Lesson
        One for each kind.
    """
    window = training_window(rows, race_date)
    last = window["race_key"].iloc[-1] if len(window) else None
    return [
        Lesson(
            kind,
            race_key,
            race_date,
            points_fingerprint(window, kind, race_key, race_date, DEFAULT_SETTINGS),
            len(window),
            last,
        )
        for kind in kinds
    ]


def taught(lesson: Lesson, rows: pd.DataFrame) -> ModelRecord:
    """Train a points model, and write it down.

    Parameters
    ----------
    lesson : Lesson
    rows : DataFrame
        Training rows of any races, as for `points_model.train`.

    Returns
    -------
    ModelRecord
    """
    window = training_window(rows, lesson.race_date)
    trained = train(window, lesson.kind, lesson.race_key, lesson.race_date)
    return points_record(trained, window, lesson.fingerprint)


@cache
def _plot() -> ResidualPlot:
    """Make the figure that is drawn on again and again; matplotlib takes seconds to import, so only when needed."""
    from f1_pipeline.forecast.residual_plot import ResidualPlot

    return ResidualPlot()


def points_params(trained: TrainedPointsModel) -> dict[str, object]:
    """List every setting and the data window of a points model."""
    return {
        **asdict(trained.settings),
        "feature_set_version": FEATURE_SET_VERSION,
        "feature_count": len(FEATURES),
        "train_row_count": trained.row_count,
        "train_race_count": trained.race_count,
        "train_first_race_key": trained.first_race_key,
        "train_last_race_key": trained.last_race_key,
    }


def average_record(race_key: str, race_date: str, parts: Mapping[str, str]) -> ModelRecord:
    """Write down an average of other candidates.

    Parameters
    ----------
    race_key, race_date : str
        The race.
    parts : mapping of str to str
        Fingerprint of a candidate, or name of a baseline, by part; all weigh the same. The fingerprints are those of
        the runs beside it.

    Returns
    -------
    ModelRecord
    """
    content = json.dumps({"parts": dict(parts), "weight": 1 / len(parts)}, indent=2, sort_keys=True).encode()
    mark = hashlib.sha256(f"average {_RECIPE_VERSION} {race_key} ".encode() + content).hexdigest()
    files = {"average.json": content}
    return ModelRecord(AVERAGE, race_key, race_date, mark, dict(parts), {}, files=files)


def points_fingerprint(
    training: pd.DataFrame, kind: str, target_race_key: str, target_race_date: object, settings: PointsModelSettings
) -> str:
    """Hash the training rows, target, settings, feature set and library versions of a points model.

    Parameters
    ----------
    training, kind, target_race_key, target_race_date, settings
        As for `points_model.train`.

    Returns
    -------
    str
        SHA-256 in hexadecimal; the same in every process and on every machine.

    Raises
    ------
    DataError
        When a column is missing or not numeric.
    """
    rows = training_window(training, target_race_date)
    seen = inputs(rows)
    hashed = pd.concat([rows[["race_key", "season", "asset_id", "points"]].astype({"season": str}), seen], axis=1)
    recipe = {
        "recipe": _RECIPE_VERSION,
        "kind": kind,
        "target": [target_race_key, str(pd.Timestamp(str(target_race_date)).date())],
        "settings": asdict(settings),
        "features": [FEATURE_SET_VERSION, *FEATURES],
        "versions": [sklearn.__version__, np.__version__],
    }
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for name in hashed.columns:
        digest.update(_column_bytes(hashed[name]))
    return digest.hexdigest()


def _column_bytes(values: pd.Series) -> bytes:
    """Spell a column out: numbers as little-endian doubles, texts with a separator that no key contains."""
    if values.dtype == "float64":
        return values.to_numpy().astype("<f8").tobytes()
    return "\x1f".join(values.tolist()).encode()

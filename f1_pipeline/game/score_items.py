"""Add up scoring items under No Negative, and collect them as one sorted frame.

Only the shape of a score belongs here; what scores is :mod:`f1_pipeline.game.weekend_scoring`. Arrays, because a frame
per item costs a hundred times the arithmetic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.game.chip_rules import FLOOR_TOTAL

SCORE_COLUMNS = [
    "race_key",
    "asset_id",
    "constructor_id",
    "event_type",
    "scoring_item",
    "points",
    "position",
    "frequency",
]
_TEXTS = ("race_key", "asset_id", "constructor_id", "event_type", "scoring_item")
_NUMBERS = {"points": np.int64, "position": np.float64, "frequency": np.int64}

Objects = npt.NDArray[np.object_]


def floored_points(items: Sequence[Any], floor: str) -> Any:
    """Add up an asset's items under No Negative.

    Parameters
    ----------
    items : sequence of number or numpy.ndarray
        Points of each item, any shape, the same for all.
    floor : str
        ``total`` or ``category``, see :class:`f1_pipeline.game.chip_rules.NoNegativeRules`.

    Returns
    -------
    number or numpy.ndarray
        Points, 0 or more.

    References
    ----------
    Section ``chips.no_negative`` of ``data/rules``.
    """
    if floor == FLOOR_TOTAL:
        return np.maximum(sum(items), 0)
    return sum(np.maximum(points, 0) for points in items)


@dataclass(frozen=True)
class Entries:
    """Who an item belongs to: race, asset and team, one element per entry."""

    race_key: Objects
    asset_id: Objects
    constructor_id: Objects

    @classmethod
    def of(cls, frame: pd.DataFrame, asset_column: str) -> "Entries":
        """Read entries from a frame with race_key, constructor_id and the asset's column."""
        names = ("race_key", asset_column, "constructor_id")
        return cls(*(frame[name].to_numpy(dtype=object) for name in names))

    def __len__(self) -> int:
        return len(self.race_key)


def _no_rows() -> dict[str, list[npt.NDArray]]:
    return {name: [np.empty(0, dtype=_NUMBERS.get(name, object))] for name in SCORE_COLUMNS}


@dataclass
class ScoreItems:
    """Items under collection, column by column."""

    _columns: dict[str, list[npt.NDArray]] = field(default_factory=_no_rows)

    def add(
        self,
        entries: Entries,
        event_type: str,
        scoring_item: str | Sequence[str],
        points: npt.ArrayLike,
        position: npt.ArrayLike = np.nan,
        frequency: npt.ArrayLike = 1,
    ) -> None:
        """Add one item per entry.

        Parameters
        ----------
        entries : Entries
            n entries.
        event_type : str
            Session.
        scoring_item : str or sequence of str
            One for all or one per entry.
        points, position, frequency : array_like
            Numbers, one for all or one per entry; a position may be NaN.
        """
        size = len(entries)
        values = {
            "race_key": entries.race_key,
            "asset_id": entries.asset_id,
            "constructor_id": entries.constructor_id,
            "event_type": np.broadcast_to(np.asarray(event_type, dtype=object), size),
            "scoring_item": np.broadcast_to(np.asarray(scoring_item, dtype=object), size),
            **{
                name: np.broadcast_to(np.asarray(numbers, dtype=_NUMBERS[name]), size)
                for name, numbers in (("points", points), ("position", position), ("frequency", frequency))
            },
        }
        for name, column in self._columns.items():
            column.append(values[name])

    def frame(self) -> pd.DataFrame:
        """Return the items as ``SCORE_COLUMNS``, sorted by race, asset, event and item."""
        columns = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        keys = [columns[name].tolist() for name in ("race_key", "asset_id", "event_type", "scoring_item")]
        keyed = list(zip(*keys, strict=True))
        order = np.array(sorted(range(len(keyed)), key=keyed.__getitem__), dtype=np.int64)
        data: dict[str, object] = {name: pd.array(columns[name][order].tolist(), dtype="str") for name in _TEXTS}
        data["points"] = columns["points"][order]
        data["position"] = pd.array(columns["position"][order], dtype="Float64").astype("Int64")
        data["frequency"] = columns["frequency"][order]
        return pd.DataFrame(data, columns=SCORE_COLUMNS)

"""Collect scoring items as arrays and give them out as one sorted frame.

Only the shape of a score belongs here; what scores is :mod:`f1_pipeline.game.scoring` and
:mod:`f1_pipeline.game.constructor_scoring`. Arrays, because a frame per item costs a hundred times the arithmetic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

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

Objects = npt.NDArray[np.object_]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


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

    def take(self, mask: Mask) -> "Entries":
        """Return the entries that a mask marks."""
        return Entries(self.race_key[mask], self.asset_id[mask], self.constructor_id[mask])

    def __len__(self) -> int:
        return len(self.race_key)


@dataclass
class ScoreItems:
    """Items under collection, column by column."""

    _columns: dict[str, list[npt.NDArray]] = field(default_factory=lambda: {name: [] for name in SCORE_COLUMNS})

    def add(
        self,
        entries: Entries,
        event_type: str | Sequence[str],
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
        event_type, scoring_item : str or sequence of str
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
            "points": np.broadcast_to(np.asarray(points, dtype=np.int64), size),
            "position": np.broadcast_to(np.asarray(position, dtype=np.float64), size),
            "frequency": np.broadcast_to(np.asarray(frequency, dtype=np.int64), size),
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

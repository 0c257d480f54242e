"""Turn columns of frames into the rows, columns and values of arrays.

Belongs here: what packing results and packing scores share; nothing here is a rule of the game. Neighbours:
:mod:`f1_pipeline.game.score_packing` and :mod:`f1_pipeline.game.score_team_packing`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from f1_pipeline.errors import UsageError
from f1_pipeline.game.score_items import Objects
from f1_pipeline.game.scoring_arrays import Mask

DISQUALIFIED, DID_NOT_START = "DSQ", "DNS"


@dataclass(frozen=True)
class RaceRows:
    """Races as rows of arrays.

    Parameters
    ----------
    race_keys
        Shape (n,), in order of date when a calendar is given.
    is_season_start
        Shape (n,), races that open a season; None without a calendar.
    """

    race_keys: Objects
    is_season_start: Mask | None

    @classmethod
    def of(cls, frames: Iterable[pd.DataFrame], calendar: Sequence[str] | None) -> "RaceRows":
        """List the races of some frames.

        Raises
        ------
        UsageError
            The calendar lacks one of them.
        """
        found = {key for frame in frames for key in frame["race_key"].unique().tolist()}
        if calendar is None:
            return cls(np.array(sorted(found), dtype=object), None)
        missing = sorted(found - set(calendar))
        if missing:
            raise UsageError(f"{missing[0]}: expected a race of the calendar given, which holds {len(calendar)} races.")
        keys = [key for key in calendar if key in found]
        seasons = [key.partition("-")[0] for key in keys]
        starts = [at == 0 or season != seasons[at - 1] for at, season in enumerate(seasons)]
        return cls(np.array(keys, dtype=object), np.array(starts, dtype=np.bool_))

    def at(self, race_keys: pd.Series) -> npt.NDArray[np.intp]:
        """Return the row of each race key."""
        return codes_of(self.race_keys, race_keys)


def names_of(*columns: pd.Series) -> Objects:
    """Return the names in some columns, each once and sorted."""
    return np.array(sorted({name for column in columns for name in column.unique().tolist()}), dtype=object)


def codes_of(names: Objects, values: Iterable[str]) -> npt.NDArray[np.intp]:
    """Return where each value stands among the names, -1 for none."""
    places = {name: place for place, name in enumerate(names.tolist())}
    return np.array([places.get(value, -1) for value in values], dtype=np.intp)


def numbered(keys: Iterable[tuple[str, str]]) -> tuple[npt.NDArray[np.intp], list[tuple[str, str]]]:
    """Number keys in the order in which they are first met."""
    known: dict[tuple[str, str], int] = {}
    numbers = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.intp)
    return numbers, list(known)


def turns_of(keys: Iterable[object]) -> npt.NDArray[np.intp]:
    """Count how often each key was met before."""
    met: Counter[object] = Counter()
    turns = []
    for key in keys:
        turns.append(met[key])
        met[key] += 1
    return np.array(turns, dtype=np.intp)


def whole(values: pd.Series) -> npt.NDArray[np.int16]:
    """Return whole numbers, 0 for null."""
    return np.nan_to_num(values.to_numpy(dtype=float, na_value=np.nan)).astype(np.int16)


def has_text(results: pd.DataFrame, text: str) -> Mask:
    """Say which results are marked with a text such as DSQ in place of a position."""
    return (results["position_text"] == text).to_numpy(dtype=bool, na_value=False)


def flags(values: pd.Series) -> Mask:
    """Return flags, false for null."""
    return values.eq(True).to_numpy(dtype=bool, na_value=False)

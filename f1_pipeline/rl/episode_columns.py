"""The columns of an episode file: every part of a step by name, with its unit and bounds, and the way there and back.

Belongs here: the Arrow schema of transitions, and turning the environment's arrays into its columns and columns into
arrays. Neighbours: `steps.episodes` plays and writes, `steps.episode_card` describes.

Arrays per asset are fixed-size lists with one entry per slot, one column for each feature; everything else is a plain
column. Nothing is rounded: what comes back is bit for bit what the environment gave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from gymnasium import spaces

from f1_pipeline.game.team_arrays import CHIPS
from f1_pipeline.rl.observations import CONTEXT, PORTFOLIO, action_space, observation_space
from f1_pipeline.rl.seasons import DRIVER_SLOTS, FEATURES, SLOTS
from f1_pipeline.rl.vector_env import Arrays

NEXT = "next_"
ACTION_PARTS = ("pick", "boost", "extra_boost", "chip")
"""In the order of the action space's description; masks have the same parts."""

_MEANINGS = {
    "is_on_sale": ("Takes part in the race and can be bought.", ""),
    "price_musd": ("Price at the lock; of who has left the sale the last one.", "million dollars"),
    "expected_points": ("Points of the weekend as forecast at the lock.", "points"),
    "expected_sd_points": ("How unsure that forecast is: standard deviation.", "points"),
    "expected_price_change_musd": ("Change of price expected after the race.", "million dollars"),
    "last_3_mean_points": ("Mean of the last 3 races.", "points"),
    "last_5_mean_points": ("Mean of the last 5 races.", "points"),
    "last_10_stddev_points": ("Sample standard deviation of the last 10 races.", "points"),
    "last_5_points_per_million": ("Points per million dollars over the last 5 races.", "points per million dollars"),
    "trend_points_per_million": ("Slope of points per million over the last 5 races.", "points per million per race"),
    "constructor_last_5_mean_points": ("Mean of the last 5 races of the asset's constructor.", "points"),
    "circuit_mean_points": ("Mean at this circuit in earlier seasons.", "points"),
    "held": ("In the line-up at the last lock; before the first race the cheapest one.", ""),
    "boosted": ("Had the boost at the last lock.", ""),
    "season_progress_share": ("Races that are over, as a share of the way to the last one.", "share"),
    "races_left_count": ("Races left, this one included.", "races"),
    "has_sprint": ("The weekend has a sprint.", ""),
    "is_permanent_circuit": ("A permanent circuit.", ""),
    "is_street_circuit": ("A street circuit.", ""),
    "is_road_circuit": ("A road circuit.", ""),
    "bank_musd": ("Money that is not in assets.", "million dollars"),
    "budget_musd": ("Bank and value of the line-up at the lock's prices.", "million dollars"),
    "driver_budget_share": ("Value of the drivers held in the budget.", "share"),
    "dearest_asset_budget_share": ("Value of the dearest asset held in the budget.", "share"),
    "constructor_diversity_share": ("Constructors that the assets held belong to, per asset.", "share"),
    "free_transfers_count": ("Free transfers at this race.", "transfers"),
    "chips": (f"Chips that may be played now: {', '.join(CHIPS[1:])}.", ""),
    "chips_left": ("The same of chips that have not been played, whether or not they may be played yet.", ""),
}
_ACTIONS = {
    "pick": ("The line-up: 1 for each asset that is to be held.", ""),
    "boost": ("Driver with the boost.", "slot"),
    "extra_boost": ("Driver with the extra boost; looked at with its chip alone.", "slot"),
    "chip": ("Chip: " + ", ".join(f"{at} {name}" for at, name in enumerate(CHIPS)) + ".", ""),
}
_MASKS = {
    "pick": ("2 for assets that some legal decision holds, else 0.", "", SLOTS, 2),
    "boost": ("1 for drivers who may have the boost.", "", DRIVER_SLOTS, 1),
    "extra_boost": ("1 for drivers who may have the extra boost.", "", DRIVER_SLOTS, 1),
    "chip": ("1 for chips that may be played, none included.", "", len(CHIPS), 1),
}


@dataclass(frozen=True)
class Column:
    """A column and what is to be known of it.

    Parameters
    ----------
    name : str
    type : pyarrow.DataType
    description : str
    unit : str
        Empty where there is none.
    low, high : float or None
        Bounds that hold for every value, None where there is none.
    """

    name: str
    type: pa.DataType
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def size(self) -> int:
        """Return the number of values in a row."""
        return self.type.list_size if pa.types.is_fixed_size_list(self.type) else 1

    @property
    def field(self) -> pa.Field:
        """Return it as a field whose metadata say what is known of it."""
        said = {"description": self.description, "unit": self.unit, "low": self.low, "high": self.high}
        known = {name: f"{value:g}" if isinstance(value, float) else value for name, value in said.items()}
        return pa.field(self.name, self.type, False, {name: value for name, value in known.items() if value})


def _list(of: pa.DataType, size: int) -> pa.DataType:
    return pa.list_(pa.field("element", of, nullable=False), size)


def _observed(prefix: str = "") -> list[Column]:
    """List the columns of an observation, with the bounds of its space."""
    space = observation_space()
    assets, context, portfolio = (space[name] for name in ("assets", "context", "portfolio"))
    assert isinstance(assets, spaces.Box)
    assert isinstance(context, spaces.Box)
    assert isinstance(portfolio, spaces.Box)
    found = []

    def add(name: str, of: pa.DataType, low: float, high: float) -> None:
        found.append(Column(f"{prefix}obs_{name}", of, *_MEANINGS[name], float(low), float(high)))

    for at, name in enumerate(FEATURES):
        add(name, _list(pa.float32(), SLOTS), assets.low[0, at], assets.high[0, at])
    for name in ("held", "boosted"):
        add(name, _list(pa.int8(), SLOTS), 0, 1)
    for names, box in ((CONTEXT, context), (PORTFOLIO, portfolio)):
        for at, name in enumerate(names):
            add(name, pa.float32(), box.low[at], box.high[at])
    for name in ("chips", "chips_left"):
        add(name, _list(pa.int8(), len(CHIPS) - 1), 0, 1)
    return found


def _masked(prefix: str = "") -> list[Column]:
    return [
        Column(f"{prefix}mask_{name}", _list(pa.int8(), size), said, unit, 0.0, float(high))
        for name, (said, unit, size, high) in _MASKS.items()
    ]


def _acted() -> list[Column]:
    limits = {name: space.n for name, space in action_space().items() if isinstance(space, spaces.Discrete)}
    return [
        Column(
            f"action_{name}",
            pa.int8() if name in limits else _list(pa.int8(), SLOTS),
            *_ACTIONS[name],
            0.0,
            float(limits.get(name, 2) - 1),
        )
        for name in ACTION_PARTS
    ]


KEYS = (
    Column("episode_id", pa.string(), "World, season, agent and season number: one season as one agent played it."),
    Column("agent", pa.string(), "Who decided."),
    Column("world", pa.string(), "real, or simulated: a season that might have been."),
    Column("season", pa.int32(), "Championship year, whose rules and calendar hold.", "year"),
    Column("season_number", pa.int64(), "Which of the world's seasons; of a real one 0."),
    Column("race_number", pa.int16(), "Step of the episode: races before this one.", "races"),
    Column("race_key", pa.string(), "The race that is decided on."),
)
OUTCOME = (
    Column("reward", pa.float64(), "What the step was worth: points less baseline_points.", "points"),
    Column("points", pa.float64(), "Net points of the race.", "points"),
    Column("asset_points", pa.float64(), "Of the line-up, with boosts and chip.", "points"),
    Column("transfer_points", pa.float64(), "Penalty of transfers beyond the free ones, 0 or less.", "points"),
    Column("inactive_points", pa.float64(), "Penalty of assets held that took no part, 0 or less.", "points"),
    Column("baseline_points", pa.float64(), "What the reward compares with; 0 for the reward points.", "points"),
    Column("transfer_count", pa.int16(), "Transfers that counted against the free ones.", "transfers"),
    Column("played_chip", pa.int8(), "Chip that was played; a Final Fix that finds no swap is kept, which is 0."),
    Column("lock_budget_musd", pa.float64(), "Bank and value of the line-up at the lock.", "million dollars"),
    Column("terminated", pa.bool_(), "The season is over after this race."),
    Column("truncated", pa.bool_(), "The season goes on after this race, which is the last one driven so far."),
)
COLUMNS: tuple[Column, ...] = (
    *KEYS,
    *_observed(),
    *_acted(),
    *_masked(),
    *OUTCOME,
    *_observed(NEXT),
    *_masked(NEXT),
)
"""All columns of a file, in order."""


def schema(metadata: dict[str, str]) -> pa.Schema:
    """Return the schema of a file with what is to be known of all of it."""
    return pa.schema([column.field for column in COLUMNS], metadata)


def observation_columns(observation: Arrays, prefix: str = "") -> Arrays:
    """Name the parts of observations.

    Parameters
    ----------
    observation : dict of numpy.ndarray
        Of n rows, as the environment gives them.
    prefix : str
        `NEXT` for those after the step.

    Returns
    -------
    dict of numpy.ndarray
        Of n rows, by column.
    """
    found = {name: observation["assets"][..., at] for at, name in enumerate(FEATURES)}
    found |= {name: observation[name] for name in ("held", "boosted", "chips", "chips_left")}
    for part, names in (("context", CONTEXT), ("portfolio", PORTFOLIO)):
        found |= {name: observation[part][:, at] for at, name in enumerate(names)}
    return {f"{prefix}obs_{name}": values for name, values in found.items()}


def table_of(columns: Arrays, metadata: dict[str, str]) -> pa.Table:
    """Make a table of columns, whatever their order.

    Parameters
    ----------
    columns : dict of numpy.ndarray
        All of `COLUMNS`, of n rows.
    metadata : dict of str to str
        Of the file.

    Returns
    -------
    pyarrow.Table
    """
    arrays = []
    for column in COLUMNS:
        values = columns[column.name]
        if pa.types.is_fixed_size_list(column.type):
            flat = pa.array(np.ascontiguousarray(values).reshape(-1), column.type.value_type)
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, type=column.type))
        else:
            arrays.append(pa.array(values, column.type))
    return pa.table(arrays, schema=schema(metadata))


def arrays_of(table: pa.Table) -> dict[str, Any]:
    """Turn rows back into what the environment and its agents speak of.

    Parameters
    ----------
    table : pyarrow.Table
        With `COLUMNS`, of n rows.

    Returns
    -------
    dict
        ``observation``, ``action``, ``action_mask``, ``next_observation`` and ``next_action_mask`` as dicts of arrays
        of n rows, in the shapes and types of the environment's spaces; ``reward``, ``terminated`` and ``truncated`` of
        shape (n,).
    """
    columns = {column.name: _values(table, column) for column in COLUMNS if column not in KEYS}
    found: dict[str, Any] = {
        "action": {
            name: values if name == "pick" else values.astype(np.int64)
            for name, values in ((name, columns[f"action_{name}"]) for name in ACTION_PARTS)
        },
        "reward": columns["reward"],
        "terminated": columns["terminated"],
        "truncated": columns["truncated"],
    }
    for prefix in ("", NEXT):
        own = {name: columns[f"{prefix}obs_{name}"] for name in _MEANINGS}
        found[f"{prefix}observation"] = {
            "assets": np.stack([own[name] for name in FEATURES], axis=-1),
            **{name: own[name] for name in ("held", "boosted", "chips", "chips_left")},
            "context": np.stack([own[name] for name in CONTEXT], axis=-1),
            "portfolio": np.stack([own[name] for name in PORTFOLIO], axis=-1),
        }
        found[f"{prefix}action_mask"] = {name: columns[f"{prefix}mask_{name}"] for name in ACTION_PARTS}
    return found


def _values(table: pa.Table, column: Column) -> np.ndarray:
    values = table[column.name].combine_chunks()
    if not pa.types.is_fixed_size_list(column.type):
        return values.to_numpy(zero_copy_only=False)
    return values.flatten().to_numpy().reshape(len(values), column.size)

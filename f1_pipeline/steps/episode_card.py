"""The data card of episodes: what they are, how they were made, how to load them, and what they cannot tell.

Belongs here: its words, and the figures that are read from the files themselves. Neighbours:
`episodes` writes the files, :mod:`f1_pipeline.rl.episode_columns` has the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from f1_pipeline.rl.episode_columns import COLUMNS, NEXT, Column
from f1_pipeline.rl.rewards import REWARDS
from f1_pipeline.rl.seasons import CONSTRUCTOR_SLOTS, DRIVER_SLOTS, SLOTS

if TYPE_CHECKING:
    from f1_pipeline.steps.episodes import EpisodeRequest

CARD = "README.md"
TITLE = "# Episodes of F1 Fantasy seasons"

_AGENTS = {
    "random": "a line-up built by chance, then random free transfers, a random boost, and a random chip now and then",
    "hold": "the best expected line-up of the first race, kept; no chips",
    "greedy_value": "the free transfers that raise expected points per million most; no chips",
    "greedy_points": "the free transfers that raise expected points most; no chips",
    "myopic": "the best line-up for the coming race, what moves of prices are worth included, exactly; no chips",
}

_USE = """\
## Loading

pandas; a list per row, one number per slot:

```python
import pandas as pd

steps = pd.read_parquet("steps")
points = steps.groupby(["world", "season", "agent", "episode_id"])["points"].sum()
```

DuckDB:

```sql
select agent, race_key, avg(points) as mean_points, avg(list_sum(obs_price_musd)) as market_musd
from 'steps/*.parquet'
group by all
order by all
```

NumPy, as transitions the way d3rlpy takes them: flat observations, actions, rewards and ends of episodes. Files of
different worlds and seasons have assets of their own in the slots; see `slots.csv`.

```python
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def matrix(table, prefix):
    parts = []
    for name in table.column_names:
        if name.startswith(prefix):
            values = table[name].combine_chunks()
            flat = values.flatten() if pa.types.is_fixed_size_list(values.type) else values
            parts.append(flat.to_numpy(zero_copy_only=False).reshape(len(values), -1))
    return np.concatenate(parts, axis=1)


table = pq.ParquetFile(sorted(Path("steps").glob("*.parquet"))[0]).read()
transitions = {
    "observations": matrix(table, "obs_"),
    "actions": matrix(table, "action_"),
    "action_masks": matrix(table, "mask_"),
    "rewards": table["reward"].to_numpy(),
    "terminals": table["terminated"].to_numpy(zero_copy_only=False),
    "timeouts": table["truncated"].to_numpy(zero_copy_only=False),
    "next_observations": matrix(table, "next_obs_"),
}
```

As episodes the way Minari has them, with one observation more than actions:

```python
ends = np.flatnonzero(transitions["terminals"] | transitions["timeouts"]) + 1
episodes = []
for start, end in zip([0, *ends[:-1]], ends):
    seen, after = transitions["observations"][start:end], transitions["next_observations"][end - 1 : end]
    own = {name: transitions[name][start:end] for name in ("actions", "rewards", "terminals", "timeouts")}
    episodes.append({"observations": np.concatenate([seen, after]), **own})
```

In the shapes of the environment's own spaces, where this project is installed:

```python
from pathlib import Path

from f1_pipeline.steps.episodes import read_transitions

found = read_transitions(Path("."))
assets = found["observation"]["assets"]  # steps, slots, features
```
"""

_KNOWN = """\
## What was known when

A state (`obs_*`, `mask_*`) holds only what a manager knew when the line-ups locked: prices, who takes part, the
forecast published before the lock by models trained on earlier races, form from races before, the calendar and his own
team. Points of the race are in `reward` and its parts alone, and reach the next state as form, prices and money.
Prices and forecasts of the real world are those of the warehouse; the project's tests alter everything from a lock on
and expect the same features and forecasts. A simulated season is drawn from what was known before its first race. The
one exception is the calendar: races that were called off in the course of a season are missing from its beginning.

`next_obs_*` and `next_mask_*` are the state of the next row of the episode. After the last race no state follows: there
they are what the environment returns with `terminated` (or `truncated`, of a season that is going on), the last race's
market with the team after it. Do not bootstrap from it.
"""

_LIMITS = f"""\
## Known limits

* A real season is one episode per agent, and all agents but `random` decide by rule: between them they see few of the
  teams one could hold. Nobody makes a transfer that costs points but `myopic` (and trained agents), and of the agents
  without training only `random` plays chips. No probabilities of actions are recorded; there are none but `random`'s.
* Episodes of the same season number share its races: the agents' returns differ in pairs, and episodes must be split
  into training and test by season and season number, never by row.
* Real points are the official ones as they stand now; some were corrected days after the race. Of a season that is
  going on the finished races are there, while `obs_races_left_count` and `obs_season_progress_share` count its whole
  calendar. Races that were cancelled in the course of a season are never counted.
* Simulated seasons have no practice, so that their forecast knows less than a real one: it is a linear one, from the
  mean of each race and what the season has shown. Nobody leaves the sale or comes to it, nobody is replaced, and the
  rules of prices are those of the season's start. Strengths are those believed before the first race, drifting at
  random.
* There are {SLOTS} slots, {DRIVER_SLOTS} for drivers by seat and {CONSTRUCTOR_SLOTS} for constructors; those of an
  empty one are 0. A driver who changes teams has two. A slot is not the same asset from season to season.
* Masks are of parts: an asset or chip without its mark is in no legal decision, but marks together do not make one. A
  line-up must also have its five drivers and two constructors, within the budget.
* Final Fix is decided with the line-up; the environment chooses the swap after qualifying, by a forecast that no state
  has.
"""

_LICENCE = """\
## Licence and attribution

Real results derive from [F1DB](https://github.com/f1db/f1db), by its authors, licensed under
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/); changed here: selected, scored by the rules of the game, and
made into features, forecasts and simulations. Whoever passes these files on must keep that attribution. Points and
prices are facts of the official game (fantasy.formula1.com), as several public records state them. The project's own
work on them is under its MIT licence.
"""


@dataclass(frozen=True)
class EpisodeFile:
    """A file of episodes and what it holds.

    Parameters
    ----------
    path : str
        Within the folder.
    world, season, agent
        As in its columns.
    rules_version : str
    episode_count, row_count, size_bytes : int
    mean_points, mean_return : float
        Net points, and sum of rewards, of an episode.
    sd_return : float or None
        Sample standard deviation between episodes; None of fewer than two.
    chip_count, paid_transfer_points : float
        Chips played, and penalty of transfers, per episode.
    """

    path: str
    world: str
    season: int
    agent: str
    rules_version: str
    episode_count: int
    row_count: int
    size_bytes: int
    mean_points: float
    mean_return: float
    sd_return: float | None
    chip_count: float
    paid_transfer_points: float

    @classmethod
    def read(cls, path: Path, rules_version: str) -> EpisodeFile:
        """Sum up a file that was written."""
        names = ["episode_id", "world", "season", "agent", "points", "reward", "transfer_points", "played_chip"]
        rows = pq.ParquetFile(path).read(columns=names).to_pandas()
        rows["has_chip"] = rows["played_chip"] > 0
        sums = rows.groupby("episode_id")[["points", "reward", "transfer_points", "has_chip"]].sum()
        first, means = rows.iloc[0], sums.mean()
        return cls(
            path=f"{path.parent.name}/{path.name}",
            world=str(first["world"]),
            season=int(first["season"]),
            agent=str(first["agent"]),
            rules_version=rules_version,
            episode_count=len(sums),
            row_count=len(rows),
            size_bytes=path.stat().st_size,
            mean_points=float(means["points"]),
            mean_return=float(means["reward"]),
            sd_return=float(np.std(sums["reward"], ddof=1)) if len(sums) > 1 else None,
            chip_count=float(means["has_chip"]),
            paid_transfer_points=float(means["transfer_points"]),
        )


def render_card(files: list[EpisodeFile], request: EpisodeRequest, version: str) -> str:
    """Write the card.

    Parameters
    ----------
    files : list of EpisodeFile
    request : EpisodeRequest
        What was asked for.
    version : str
        Of the project.

    Returns
    -------
    str
        Markdown.
    """
    rows, size = sum(each.row_count for each in files), sum(each.size_bytes for each in files)
    episodes = sum(each.episode_count for each in files)
    rules = sorted({each.rules_version for each in files})
    intro = f"""\
{TITLE}

States, actions, masks, rewards and next states of {episodes:,} seasons of the official F1 Fantasy game, played in the
environment `f1_pipeline/F1Fantasy-v0`, for offline reinforcement learning and imitation: one row per race, {rows:,}
rows, {size / 1e6:.1f} MB. Before each race a manager picks five drivers and two constructors within a budget, boosts a
driver and may play a chip. Of a season that is going on the finished races are there.

## How it was made

* Command: `{request.command}`
* f1-pipeline {version}; rules of the game {", ".join(rules)}; seed {request.seed}; \
chips {"may be" if request.has_chips else "are not"} played.
* Reward `{request.reward}`: {REWARDS[request.reward]}.
* Actions are the agents' own, each legal as it stands: the environment ran with `illegal="reject"`, and the same
  actions in it give the same states, masks and rewards; played in other portions, to one part in a million.
* The same command on the same warehouse gives the same bytes.

## What is in it

`steps/` has a Parquet file (zstd) for each world, season and agent, with all rows of an episode together and in order;
read one, or all of them as one table. `slots.csv` says which asset each slot is, by world and season.

{_file_table(files)}

The return is the sum of rewards over a season; `sd` is between episodes. The agents:

{_agents(request)}
"""
    return "\n".join([intro, _columns(), _KNOWN, _USE, _LIMITS, _LICENCE])


def _file_table(files: list[EpisodeFile]) -> str:
    lines = [
        "| file | episodes | rows | kB | mean points | mean return | sd | chips | transfer points |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for each in files:
        spread = "–" if each.sd_return is None else f"{each.sd_return:.1f}"
        lines.append(
            f"| `{each.path}` | {each.episode_count} | {each.row_count} | {each.size_bytes / 1e3:.0f} "
            f"| {each.mean_points:.1f} | {each.mean_return:.1f} | {spread} "
            f"| {each.chip_count:.1f} | {each.paid_transfer_points:.1f} |"
        )
    return "\n".join(lines)


def _agents(request: EpisodeRequest) -> str:
    return "\n".join(f"* `{name}`: {_AGENTS.get(name, 'a trained agent')}" for name in request.agent_names)


def _columns() -> str:
    """Describe the columns; those of the next state are said to be like those of the state."""
    lines = [
        "## Columns",
        "",
        f"Lists of {SLOTS} have one number per slot, those of {DRIVER_SLOTS} one per driver's slot, which come first.",
        "What is said here is also in the metadata of the fields. Nothing is null; what is not known of an asset is 0.",
        "",
        "| column | type | unit | bounds | meaning |",
        "|---|---|---|---|---|",
    ]
    for column in COLUMNS:
        if not column.name.startswith(NEXT):
            bounds = "" if column.low is None else f"{column.low:g} to {column.high:g}"
            lines.append(
                f"| `{column.name}` | {_type(column)} | {column.unit} | {bounds} | {column.description} |",
            )
    lines.append(f"| `{NEXT}obs_*`, `{NEXT}mask_*` | | | | The same after the step. |")
    return "\n".join([*lines, ""])


def _type(column: Column) -> str:
    return str(column.type) if column.size == 1 else f"{column.type.value_type}[{column.size}]"

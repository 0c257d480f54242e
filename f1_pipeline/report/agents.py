"""Agents as a person reads them: what each scored in real and simulated seasons, against the oracle and each other.

Neighbours: `steps.agents` trains, `steps.agent_seasons` plays, `defs.runs` runs their season partitions, `backtest.py`
shows policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import UsageError, WarehouseError
from f1_pipeline.report.bars import step_progress
from f1_pipeline.report.season_runs import finished_seasons
from f1_pipeline.report.tables import console, new_table, print_rows
from f1_pipeline.settings import Settings
from f1_pipeline.steps.agent_seasons import AGENT_SEASON_TABLE
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.warehouse.frames import has_table, read_frame

PLAYED = "select * from evaluation.agent_season where list_contains($seasons, season) order by all"
CURVES = "select * from models.agent_training where list_contains($seasons, season) order by season, agent, generation"
REFERENCE = "greedy_points"
ORDER = (
    "random",
    "hold",
    "greedy_value",
    REFERENCE,
    "linear_untrained",
    "linear",
    "ppo",
    "myopic",
    "rolling",
    "oracle",
)
"""Agents as they are listed; others follow."""
_KEY = ["season", "world", "agent", "has_chips"]


@dataclass(frozen=True, eq=False)
class AgentSeasons:
    """Seasons that agents played.

    Attributes
    ----------
    played : pandas.DataFrame
        As in `evaluation.agent_season`.
    curves : pandas.DataFrame
        As in `models.agent_training`.
    """

    played: pd.DataFrame
    curves: pd.DataFrame

    def scores(self) -> pd.DataFrame:
        """Sum up: one row per season, world, agent and use of chips.

        Returns
        -------
        pandas.DataFrame
            season_count, then means over seasons and their standard errors (`_se_`, none of a single season): points,
            gain over the reference without chips in the same seasons, share of the oracle, what chips gained.
        """
        rank = {name: at for at, name in enumerate(ORDER)}
        found = self._summed(self._with_gains(), _KEY)
        order = found["agent"].map(rank).fillna(len(rank))
        return found.assign(order=order).sort_values(["season", "world", "order", "has_chips"]).drop(columns="order")

    def pooled(self, world: str) -> pd.DataFrame:
        """Sum up over all seasons of a world, by agent and use of chips; columns as of `scores`."""
        rows = self._with_gains()
        return self._summed(rows[rows["world"] == world], ["agent", "has_chips"]).set_index(["agent", "has_chips"])

    def _with_gains(self) -> pd.DataFrame:
        """Add the gain over the reference in the same season."""
        pair = ["season", "world", "season_number"]
        is_reference = (self.played["agent"] == REFERENCE) & ~self.played["has_chips"]
        reference = self.played.loc[is_reference, [*pair, "total_points"]]
        rows = self.played.merge(reference, on=pair, how="left", suffixes=("", "_reference"))
        return rows.assign(gain_points=rows["total_points"] - rows["total_points_reference"])

    @staticmethod
    def _summed(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
        return rows.groupby(key, sort=False, as_index=False).agg(
            season_count=("total_points", "size"),
            mean_points=("total_points", "mean"),
            se_points=("total_points", _standard_error),
            gain_points=("gain_points", "mean"),
            gain_se_points=("gain_points", _standard_error),
            oracle_share=("oracle_share", "mean"),
            regret_points=("regret_points", "mean"),
            chip_gain_points=("chip_gain_points", "mean"),
            chip_gain_se_points=("chip_gain_points", _standard_error),
            end_budget_musd=("end_budget_musd", lambda budgets: budgets.astype(float).mean()),
        )


def _standard_error(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.std() / np.sqrt(len(known))) if len(known) > 1 else float("nan")


def run_agents(settings: Settings, wanted: tuple[int, ...], *, is_stored: bool, quiet: bool) -> AgentSeasons:
    """Train agents and let all of them play seasons, or read what has been played.

    Parameters
    ----------
    settings : Settings
    wanted : tuple of int
        Seasons; all with finished races when empty.
    is_stored : bool
        Read what the warehouse has and play nothing.
    quiet : bool
        No progress.

    Returns
    -------
    AgentSeasons

    Raises
    ------
    UsageError
        A season is unknown.
    WarehouseError
        The warehouse lacks what is needed.
    """
    pipeline = Pipeline(settings, reads_published=is_stored)
    seasons = finished_seasons(pipeline, wanted)
    if not is_stored:
        from f1_pipeline.defs.interrupts import plain_interrupts
        from f1_pipeline.defs.jobs import SEASON_AGENTS_JOB
        from f1_pipeline.defs.runs import Runner

        with plain_interrupts(), step_progress(quiet) as start:
            advance = start("loading the graph", None)
            runner = Runner(settings, on_step=lambda table: advance(f"made {table}"))
            advance = start("training and playing, minutes", runner.step_count(SEASON_AGENTS_JOB))
            runner.train_and_play([str(season) for season in seasons])
    with pipeline.warehouse.read() as connection:
        if not has_table(connection, AGENT_SEASON_TABLE):
            raise WarehouseError(
                f"{AGENT_SEASON_TABLE}: expected seasons, found none yet: `f1-pipeline agents` plays them"
            )
        played, curves = (read_frame(connection, query, {"seasons": seasons}) for query in (PLAYED, CURVES))
    if played.empty:
        raise WarehouseError(f"{AGENT_SEASON_TABLE}: expected {seasons[0]}, found none: `f1-pipeline agents` plays it")
    return AgentSeasons(played, curves)


def save_agent(settings: Settings, wanted: tuple[int, ...], path: Path) -> None:
    """Write the light agent of a season to a file.

    Parameters
    ----------
    settings : Settings
    wanted : tuple of int
        One season.
    path : Path
        JSON.

    Raises
    ------
    UsageError
        Not one season is named, or the file cannot be written.
    WarehouseError
        No agent has been trained.
    """
    from f1_pipeline.report.files import write_file
    from f1_pipeline.steps.agents import LIGHT as LIGHT_TRAINER
    from f1_pipeline.steps.agents import trained_agents

    if len(wanted) != 1:
        raise UsageError(f"--save: expected one --season, whose agent it is, found {len(wanted)}")
    agent, _ = trained_agents(open_published(settings), wanted[0])[LIGHT_TRAINER.name]
    write_file(path, LIGHT_TRAINER.to_bytes(agent))


def print_agents(found: AgentSeasons, output: str) -> None:
    """Print what agents scored.

    Parameters
    ----------
    found : AgentSeasons
    output : str
        `table`, `json` or `csv`.
    """
    scores = found.scores()
    if output != "table":
        print_rows(pa.Table.from_pandas(scores, preserve_index=False), output)
        return
    for world, title in (("real", "Real seasons: points"), ("simulated", "Simulated seasons: mean points of a season")):
        own, played = scores[scores["world"] == world], found.pooled(world)
        seasons = sorted(own["season"].unique())
        table = new_table(title)
        table.add_column("agent", no_wrap=True)
        table.add_column("chips")
        for season in seasons:
            table.add_column(str(season), justify="right", no_wrap=True)
        for name in (f"over {REFERENCE}", "of oracle", "chips' gain"):
            table.add_column(name, justify="right", no_wrap=True)
        for key, rows in own.groupby(["agent", "has_chips"], sort=False):
            by_season, all_of_it = rows.set_index("season"), played.loc[key]
            agent, has_chips = key
            table.add_row(
                str(agent),
                "yes" if has_chips else "no",
                *(
                    _figure(by_season.loc[season], "mean_points", "se_points", ".0f")
                    if season in by_season.index
                    else "–"
                    for season in seasons
                ),
                _figure(all_of_it, "gain_points", "gain_se_points", "+.0f"),
                _figure(all_of_it, "oracle_share", "", ".0%"),
                _figure(all_of_it, "chip_gain_points", "chip_gain_se_points", "+.0f"),
            )
        console().print(table)
    console().print(
        "The last three columns are over all seasons, gains in pairs of equal seasons; ± is one standard error. The "
        "oracle knows every result beforehand, and is found by a search that stops; the rolling plan and the oracle "
        "play few simulated seasons, and shares are of those."
    )


def _figure(row: pd.Series, name: str, error: str, form: str) -> str:
    """Print a figure and its standard error, where there are any."""
    if row[name] != row[name]:
        return "–"
    spread = row[error] if error else float("nan")
    return f"{row[name]:{form}}" + (f" ± {spread:.0f}" if spread == spread else "")


def draw_agents(found: AgentSeasons, path: Path) -> None:
    """Draw learning curves, and points of agents in simulated and real seasons.

    Parameters
    ----------
    found : AgentSeasons
    path : Path
        `.svg` or `.png`.
    """
    from matplotlib.figure import Figure

    from f1_pipeline.report.pictures import drawn_in, write_figure
    from f1_pipeline.report.themes import LIGHT

    scores = found.scores()
    scores["label"] = [
        f"{agent}{' + chips' if has_chips else ''}"
        for agent, has_chips in zip(scores["agent"], scores["has_chips"], strict=True)
    ]
    labels = list(dict.fromkeys(scores["label"]))[::-1]
    places = {label: at for at, label in enumerate(labels)}
    seasons = sorted(scores["season"].unique())
    with drawn_in(LIGHT):
        figure = Figure(figsize=(12.5, 5.4), layout="constrained")
        learning, simulated, real = figure.subplots(1, 3)
        for at, season in enumerate(seasons):
            colour, shift = f"C{at}", 0.16 * (at - (len(seasons) - 1) / 2)
            for agent, curve in found.curves[found.curves["season"] == season].groupby("agent"):
                own = curve[curve["simulator_season"].isna() | (curve["simulator_season"] == season)]
                is_light = own["simulator_season"].notna().all()
                learning.plot(
                    own["generation"] / curve["generation"].max(),
                    own["mean_points"],
                    "o-" if is_light else "--",
                    color=colour,
                    label=f"{season} {agent}",
                    ms=3,
                )
            for axes, world in ((simulated, "simulated"), (real, "real")):
                rows = scores[(scores["season"] == season) & (scores["world"] == world)]
                heights = rows["label"].map(places).to_numpy(dtype=float) + shift
                axes.errorbar(
                    rows["mean_points"], heights, xerr=2 * rows["se_points"].fillna(0.0), fmt="o", ms=4, color=colour
                )
        learning.set_title("Learning: mean points of a generation")
        learning.set_xlabel("share of the training")
        handles, names = learning.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower left", ncols=len(names))
        simulated.set_title("Simulated seasons: points, ± 2 s.e.")
        real.set_title("Real seasons: points")
        for axes in (simulated, real):
            axes.set_yticks(list(places.values()), labels if axes is simulated else [""] * len(labels))
        write_figure(figure, path, "Agents")

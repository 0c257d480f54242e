"""Seasons played again as a person reads them: totals by policy, against hindsight, the reference and a leaderboard.

Neighbours: `steps.backtest` plays, `defs.runs` runs its season partitions, `pictures.py` has the look of drawings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import DataError, UsageError, WarehouseError
from f1_pipeline.game.lineup import Lineup
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.policies import first_race
from f1_pipeline.report.bars import step_progress
from f1_pipeline.report.season_runs import finished_seasons
from f1_pipeline.report.tables import console, new_table, print_rows
from f1_pipeline.settings import Settings
from f1_pipeline.steps.backtest import (
    BACKTEST_TABLE,
    POLICIES,
    REFERENCE,
    backtest_knowledge,
    backtest_rows,
    play_season,
)
from f1_pipeline.steps.knowledge import Knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import SeasonRaces, season_races
from f1_pipeline.warehouse.frames import has_table, read_frame

RACES = "select * from lineups.season_backtest where list_contains($seasons, season) order by all"
PATHS = """
    select season, variant, max(season_points) as path_points, any_value(bound_points) as bound_points
    from lineups.season_hindsight
    where list_contains($seasons, season)
    group by season, variant
"""
LEADERBOARD_COLUMNS = ("season", "points")
LARGEST_LEADERBOARD_BYTES = 50_000_000
START_DIFFERENCE = 2
BEST = "four_chips"


@dataclass(frozen=True)
class BacktestRequest:
    """What to play.

    Attributes
    ----------
    seasons : tuple of int
        All with finished races when empty.
    policies : tuple of str
        All when empty.
    starts : int
        Common first line-ups to play from as well as from each policy's own.
    is_stored : bool
        Read what the warehouse has and play nothing.
    leaderboard : Path or None
        Totals of people to compare with.
    """

    seasons: tuple[int, ...] = ()
    policies: tuple[str, ...] = ()
    starts: int = 0
    is_stored: bool = False
    leaderboard: Path | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether the season partitions themselves are asked for."""
        return not self.policies and not self.starts and not self.is_stored


@dataclass(frozen=True, eq=False)
class Backtest:
    """Seasons that were played.

    Attributes
    ----------
    races : pandas.DataFrame
        As in `lineups.season_backtest`.
    paths : pandas.DataFrame
        Best path known and its bound by season and variant; empty where none has been sought.
    leaderboard : pandas.DataFrame or None
        season and points.
    """

    races: pd.DataFrame
    paths: pd.DataFrame
    leaderboard: pd.DataFrame | None = None

    def scores(self) -> pd.DataFrame:
        """Sum up seasons: one row per season, policy and start."""
        races = self.races.merge(
            self.races.loc[self.races["policy"] == REFERENCE.name, ["start", "race_key", "total_points"]],
            on=["start", "race_key"],
            how="left",
            suffixes=("", "_reference"),
        )
        races["gain"] = races["total_points"] - races["total_points_reference"]
        found = races.groupby(["season", "policy", "start"], sort=False, as_index=False).agg(
            race_count=("race_key", "size"),
            total_points=("total_points", "sum"),
            transfer_points=("transfer_points", "sum"),
            chip_count=("chip", "count"),
            end_budget_musd=("budget_musd", "last"),
            mean_regret_points=("regret_points", "mean"),
            gain_points=("gain", "mean"),
            gain_se_points=("gain", lambda gains: gains.std() / np.sqrt(len(gains))),
        )
        best = self.paths[self.paths["variant"] == BEST].set_index("season")
        for name, column in (("hindsight_share", "path_points"), ("bound_share", "bound_points")):
            found[name] = found["total_points"] / found["season"].map(best[column])
        if self.leaderboard is not None:
            found["leaderboard_rank"] = [
                self._rank(season, points)
                for season, points in zip(found["season"], found["total_points"], strict=True)
            ]
        return found

    def _rank(self, season: int, points: float) -> int | None:
        """Count who scored more; none where the leaderboard has nobody of the season."""
        assert self.leaderboard is not None
        own = self.leaderboard.loc[self.leaderboard["season"] == season, "points"]
        return None if own.empty else int((own > points).sum()) + 1

    def totals(self) -> pd.DataFrame:
        """Sum up policies over all seasons and starts: mean total per start, gain per race in pairs."""
        scores = self.scores()
        by_policy = self.races.merge(
            self.races.loc[self.races["policy"] == REFERENCE.name, ["start", "race_key", "total_points"]],
            on=["start", "race_key"],
            how="left",
            suffixes=("", "_reference"),
        )
        by_policy["gain"] = by_policy["total_points"] - by_policy["total_points_reference"]
        # Starts of one race are no independent races: they are averaged first.
        per_race = by_policy.groupby(["policy", "race_key"], sort=False)["gain"].mean()
        gains = per_race.groupby("policy", sort=False).agg(["mean", "std", "size"])
        found = (
            scores.groupby(["policy", "start"], sort=False)["total_points"].sum().groupby("policy", sort=False).mean()
        )
        return pd.DataFrame(
            {
                "policy": found.index,
                "total_points": found.to_numpy(),
                "gain_points": gains["mean"].reindex(found.index).to_numpy(),
                "gain_se_points": (gains["std"] / np.sqrt(gains["size"])).reindex(found.index).to_numpy(),
            }
        )


def run_backtest(settings: Settings, request: BacktestRequest, *, quiet: bool) -> Backtest:
    """Play seasons, or read what has been played.

    Parameters
    ----------
    settings : Settings
    request : BacktestRequest
    quiet : bool
        No progress.

    Returns
    -------
    Backtest

    Raises
    ------
    UsageError
        A season or policy is unknown.
    DataError
        The leaderboard is malformed.
    WarehouseError
        The warehouse lacks what is needed.
    """
    pipeline = Pipeline(settings, reads_published=not request.is_whole)
    seasons = finished_seasons(pipeline, request.seasons)
    known = [policy.name for policy in POLICIES]
    unknown = [name for name in request.policies if name not in known]
    if unknown:
        raise UsageError(f"--policy: expected some of {', '.join(known)}, found {unknown[0]!r}")
    leaderboard = None if request.leaderboard is None else read_leaderboard(request.leaderboard)
    if request.is_whole:
        _materialize(settings, seasons, quiet=quiet)
    if request.is_whole or request.is_stored:
        with pipeline.warehouse.read() as connection:
            races = (
                read_frame(connection, RACES, {"seasons": seasons}) if has_table(connection, BACKTEST_TABLE) else None
            )
        if races is None or races.empty:
            raise WarehouseError(
                f"{BACKTEST_TABLE}: expected seasons, found none yet: `f1-pipeline backtest` plays them"
            )
    else:
        races = _play(pipeline, seasons, request, quiet=quiet)
    return Backtest(races.sort_values(["season", "start", "race_number"]), _paths(pipeline, seasons), leaderboard)


def _paths(pipeline: Pipeline, seasons: list[int]) -> pd.DataFrame:
    with pipeline.warehouse.read() as connection:
        if has_table(connection, "lineups.season_hindsight"):
            return read_frame(connection, PATHS, {"seasons": seasons})
    return pd.DataFrame({name: [] for name in ("season", "variant", "path_points", "bound_points")})


def _materialize(settings: Settings, seasons: list[int], *, quiet: bool) -> None:
    """Play the season partitions as a run of the graph."""
    from f1_pipeline.defs.interrupts import plain_interrupts
    from f1_pipeline.defs.jobs import SEASON_BACKTEST_JOB
    from f1_pipeline.defs.runs import Runner

    with plain_interrupts(), step_progress(quiet) as start:
        advance = start("loading the graph", None)
        runner = Runner(settings, on_step=lambda table: advance(f"made {table}"))
        advance = start("hindsight and policies, minutes", runner.step_count(SEASON_BACKTEST_JOB))
        runner.backtest([str(season) for season in seasons])


def _play(pipeline: Pipeline, seasons: list[int], request: BacktestRequest, *, quiet: bool) -> pd.DataFrame:
    policies = [policy for policy in POLICIES if not request.policies or policy.name in request.policies]
    if REFERENCE not in policies:
        policies.insert(0, REFERENCE)
    rows: list[dict[str, object]] = []
    with step_progress(quiet) as start:
        advance = start("playing", len(seasons) * len(policies) * (request.starts + 1))
        for season in seasons:
            races = season_races(pipeline, season)
            known = backtest_knowledge(pipeline, races)
            firsts = [None, *common_starts(races, known, request.starts)]
            for policy in policies:
                for number, first in enumerate(firsts):
                    rows += backtest_rows(races, play_season(races, known, policy, first), policy.name, number)
                    advance(f"{season} {policy.name}")
    return pd.DataFrame(rows)


def common_starts(races: SeasonRaces, known: Knowledge, count: int) -> list[Lineup]:
    """List first line-ups that every policy is to start from: the best expected ones, each unlike those before.

    Parameters
    ----------
    races : SeasonRaces
    known : Knowledge
    count : int

    Returns
    -------
    list of Lineup
        Any two differ in at least two assets.
    """
    if not count:
        return []
    problem = replace(first_race(known.problem(races.race_keys[0], REFERENCE, None)), min_difference=START_DIFFERENCE)
    return [ranked.lineup for ranked in best_lineups(problem, count)]


def read_leaderboard(path: Path) -> pd.DataFrame:
    """Read season totals of other teams.

    Parameters
    ----------
    path : Path
        CSV with the columns season and points, one row per team; others are ignored.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        It is missing, too large, no CSV, or has no such columns or numbers.
    """
    try:
        if path.stat().st_size > LARGEST_LEADERBOARD_BYTES:
            raise DataError(f"{path.name}: expected at most {LARGEST_LEADERBOARD_BYTES // 10**6} MB")
        rows = pd.read_csv(path, dtype=str, encoding="utf-8")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path.name}: expected a CSV with {', '.join(LEADERBOARD_COLUMNS)}: {error}") from error
    missing = [name for name in LEADERBOARD_COLUMNS if name not in rows.columns]
    if missing:
        raise DataError(f"{path.name}: expected the columns {', '.join(LEADERBOARD_COLUMNS)}, missing {missing[0]}")
    numbers = rows[list(LEADERBOARD_COLUMNS)].apply(pd.to_numeric, errors="coerce")
    wrong = numbers.isna().any(axis=1) | ~np.isfinite(numbers.to_numpy(dtype=float)).all(axis=1)
    if wrong.any():
        at = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(f"{path.name}: line {at + 2}: expected numbers, found {rows.iloc[at].tolist()}")
    return numbers.astype({"season": int})


def print_backtest(found: Backtest, output: str) -> None:
    """Print seasons that were played: totals as tables, or one row per season, policy and start.

    Parameters
    ----------
    found : Backtest
    output : str
        `table`, `json` or `csv`.
    """
    scores = found.scores()
    if output != "table":
        print_rows(pa.Table.from_pandas(scores, preserve_index=False), output)
        return
    own = scores[scores["start"] == 0]
    table = new_table("Points by season")
    table.add_column("policy")
    seasons = sorted(own["season"].unique())
    for season in seasons:
        table.add_column(str(season), justify="right")
        table.add_column("of best", justify="right")
    for policy, rows in own.groupby("policy", sort=False):
        cells = [str(policy)]
        for season in seasons:
            row = rows[rows["season"] == season]
            cells.append(f"{row['total_points'].item():.0f}" if len(row) else "–")
            share = row["hindsight_share"].item() if len(row) else float("nan")
            cells.append(f"{share:.1%}" if share == share else "–")
        table.add_row(*cells)
    for variant, rows in found.paths.groupby("variant"):
        cells = [f"hindsight, {str(variant).replace('_', ' ')}"]
        for season in seasons:
            row = rows[rows["season"] == season]
            cells += (
                [f"{row['path_points'].item():.0f}", f"≤ {row['bound_points'].item():.0f}"] if len(row) else ["–", "–"]
            )
        table.add_row(*cells)
    console().print(table)
    if found.leaderboard is not None:
        for row in own.dropna(subset="leaderboard_rank").to_dict("records"):
            rank, rows = int(row["leaderboard_rank"]), (found.leaderboard["season"] == row["season"]).sum()
            console().print(
                f"{row['season']} {row['policy']}: place {rank} beside the {rows} teams of the leaderboard."
            )
    _print_totals(found)


def _print_totals(found: Backtest) -> None:
    starts = int(found.races["start"].max()) + 1
    table = new_table(f"All seasons together, {starts} start{'s' if starts > 1 else ''}")
    for name in ("policy", "points", f"per race above {REFERENCE.name}", "standard error"):
        table.add_column(name, justify="left" if name == "policy" else "right")
    for row in found.totals().to_dict("records"):
        figures = (f"{row['total_points']:.0f}", f"{row['gain_points']:+.2f}", f"{row['gain_se_points']:.2f}")
        table.add_row(str(row["policy"]), *figures)
    console().print(table)


def draw_backtest(found: Backtest, path: Path) -> None:
    """Draw the points of every policy through the seasons, as a lead over the reference, and budgets.

    Parameters
    ----------
    found : Backtest
    path : Path
        Ends in .svg or .png.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    from matplotlib.figure import Figure

    from f1_pipeline.report.pictures import drawn_in, write_figure
    from f1_pipeline.report.themes import LIGHT

    races = found.races[found.races["start"] == 0]
    seasons = sorted(races["season"].unique())
    with drawn_in(LIGHT):
        figure = Figure(figsize=(4.2 * len(seasons), 6.4), layout="constrained")
        axes = figure.subplots(2, len(seasons), squeeze=False)
        for column, season in enumerate(seasons):
            own = races[races["season"] == season]
            reference = own[own["policy"] == REFERENCE.name].set_index("race_number")["season_points"]
            lead, budget = axes[0, column], axes[1, column]
            for policy, rows in own.groupby("policy", sort=False):
                places = rows["race_number"].to_numpy()
                lead.plot(places, rows["season_points"].to_numpy() - reference.reindex(places).to_numpy(), label=policy)
                budget.plot(places, rows["budget_musd"].astype(float).to_numpy())
            lead.set_title(f"{season}: points ahead of {REFERENCE.name}")
            budget.set_title(f"{season}: budget, $M")
            budget.set_xlabel("race of the season")
        axes[0, 0].legend()
        write_figure(figure, path, "Seasons played again")

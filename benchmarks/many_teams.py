"""How many teams are advised in a second: transfers, boost and chip for one race, from file to file.

Here: 100,000 random teams of the realistic menu of `benchmarks.lineups`, a race as it looks early in a season. Not
here: whether the advice is right, which the unit tests prove.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.lineups import full_menu
from benchmarks.registry import Figure, benchmark
from f1_pipeline.game.decisions import RaceMenu, driver_of, seat_id
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER
from f1_pipeline.game.rules import load_rules
from f1_pipeline.optimize.chip_gains import WeekendViews
from f1_pipeline.optimize.many_teams import race_tables
from f1_pipeline.optimize.milp import solve_lineups
from f1_pipeline.optimize.problem import Held, LineupProblem
from f1_pipeline.settings import Settings, load_settings
from f1_pipeline.steps.recommend import RecommendRequest, advise_file
from f1_pipeline.steps.team_advice import RaceAdviser
from f1_pipeline.steps.team_rows import TeamReader

TEAMS, BY_PULP, DRAWS, MOST_TRANSFERS, ALL_ASSETS = 100_000, 50, 1_000, 3, 7
RACE = "2026-monaco"
KEEP_POINTS = {
    "autopilot": 10.4,
    "extra_boost": 65.1,
    "final_fix": 8.0,
    "limitless": 91.2,
    "no_negative": 49.8,
    "wildcard": 11.9,
}
"""What each chip was worth unplayed after the Monaco Grand Prix of 2026."""
NOTHING_KNOWN = dict.fromkeys(KEEP_POINTS, np.inf)
LAST_RACE = dict.fromkeys(KEEP_POINTS, 0.0)


def made_up_race() -> LineupProblem:
    """Make the menu of a race, drivers by seat.

    Returns
    -------
    LineupProblem
        That of `full_menu` with names as the game has them.
    """
    problem = full_menu()
    constructors = tuple(f"constructor-{row:02}" for row in range(len(problem.constructor_ids)))
    seats = tuple(seat_id(driver, constructors[row // 2]) for row, driver in enumerate(problem.driver_ids))
    return replace(problem, driver_ids=seats, constructor_ids=constructors, race_key=RACE)


def made_up_adviser(keep_points: dict[str, float]) -> RaceAdviser:
    """Make what all teams of the race share.

    Parameters
    ----------
    keep_points
        What each chip is worth unplayed.

    Returns
    -------
    RaceAdviser
        With a thousand joint draws.
    """
    problem, rules = made_up_race(), load_rules(load_settings().data_dir, 2026)
    generator = np.random.default_rng(2026)
    points = np.concatenate([problem.driver_points, problem.constructor_points])
    draws = generator.normal(0, 12, (DRAWS, len(points)))
    draws += points - draws.mean(axis=0)
    remaining = 0.6 * draws[:, : len(problem.driver_ids)]
    views = WeekendViews(draws, points + 2.0, remaining)
    tables = race_tables(problem, views, rules, frozenset(), keep_points)
    menu = RaceMenu(RACE, ("2026-australia", RACE), has_sprint=False, prices=problem.prices)
    return RaceAdviser(tables, TeamReader(menu, rules, tables.market), MOST_TRANSFERS)


def random_teams(adviser: RaceAdviser, count: int) -> pa.Table:
    """Draw teams of any drivers and constructors, up to 6 million in the bank, half of the chips left.

    Parameters
    ----------
    adviser
        Of the race.
    count
        Teams wanted.

    Returns
    -------
    pyarrow.Table
        As `f1-pipeline recommend` reads it.
    """
    market, generator = adviser.tables.market, np.random.default_rng(7)
    drivers = generator.random((count, len(market.driver_ids))).argsort(axis=1)[:, : market.driver_count]
    constructors = generator.random((count, len(market.constructor_ids))).argsort(axis=1)[:, : market.constructor_count]
    is_left = generator.random((count, len(KEEP_POINTS))) < 0.5
    return pa.table(
        {
            "team_id": np.arange(count),
            "drivers": _lists([driver_of(seat) for seat in market.driver_ids], drivers),
            "constructors": _lists(list(market.constructor_ids), constructors),
            "bank_musd": generator.integers(0, 60, count) / 10,
            "free_transfers": generator.integers(0, 4, count),
            "chips_left": pa.ListArray.from_arrays(
                np.concatenate([[0], is_left.sum(axis=1).cumsum()]).astype(np.int32),
                pa.array(sorted(KEEP_POINTS)).take(pa.array(np.nonzero(is_left)[1])),
            ),
        }
    )


def _lists(names: list[str], rows: np.ndarray) -> pa.Array:
    offsets = np.arange(0, rows.size + 1, rows.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, pa.array(names).take(pa.array(rows.ravel())))


def advise_on_one_core(keep_points: dict[str, float], count: int, most: int = MOST_TRANSFERS) -> tuple[float, float]:
    """Advise random teams from file to file, in a process of its own.

    Parameters
    ----------
    keep_points
        What each chip is worth unplayed.
    count
        Teams.
    most
        Transfers at most.

    Returns
    -------
    tuple of float
        Seconds of the processor, however many threads took them, and the most memory in GiB.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_advise, keep_points, count, most).result()


def _advise(keep_points: dict[str, float], count: int, most: int) -> tuple[float, float]:
    adviser = replace(made_up_adviser(keep_points), most_transfers=most)
    here = load_settings()
    settings = Settings(here.home, here.data_dir, here.warehouse_dir)
    with tempfile.TemporaryDirectory() as folder:
        teams = Path(folder) / "teams.parquet"
        pq.write_table(random_teams(adviser, count), teams)
        request = RecommendRequest(teams, Path(folder) / "advice.parquet", RACE, most)
        started = time.process_time()
        advise_file(settings, adviser, request, lambda done, total: None)
        seconds = time.process_time() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def teams_per_second_by_pulp() -> float:
    """Count the teams that PuLP with CBC solves in a second of the processor, one by one and without chips."""
    solve = _each_by_pulp()
    solve()
    started = _processor_seconds()
    solve()
    return BY_PULP / (_processor_seconds() - started)


def _processor_seconds() -> float:
    """Sum up the time of this process and of those that it has waited for, such as CBC."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _each_by_pulp() -> Callable[[], None]:
    problem, adviser = made_up_race(), made_up_adviser(NOTHING_KNOWN)
    rows = random_teams(adviser, BY_PULP).to_pylist()
    seat_of = {driver_of(seat): seat for seat in problem.driver_ids}

    def solve() -> None:
        for row in rows:
            held = Held(
                tuple(seat_of[driver] for driver in row["drivers"]),
                tuple(row["constructors"]),
                row["free_transfers"],
                adviser.tables.extra_points,
            )
            keys = [*((DRIVER, seat) for seat in held.drivers), *((CONSTRUCTOR, name) for name in held.constructors)]
            budget = round(row["bank_musd"] * 10) + sum(problem.prices[key] for key in keys)
            solve_lineups(replace(problem, held=held, rules=replace(problem.rules, budget_tenths=budget)), 1)

    return solve


@benchmark("recommend_teams_per_s")
def recommend_teams() -> list[Figure]:
    """Count the teams that one core advises in a second, against solving each by PuLP, and the memory that it takes.

    With all chips weighed, without any, with all of them worth nothing unplayed, as at a season's last race, and with
    any number of transfers.
    """
    reference = teams_per_second_by_pulp()
    seconds, memory = advise_on_one_core(KEEP_POINTS, TEAMS)
    plain, _ = advise_on_one_core(NOTHING_KNOWN, TEAMS)
    last, last_memory = advise_on_one_core(LAST_RACE, TEAMS)
    any_number, _ = advise_on_one_core(KEEP_POINTS, TEAMS // 5, ALL_ASSETS)
    by_pulp = "PuLP with CBC, each team, without chips"
    return [
        Figure("recommend_teams_per_s", TEAMS / seconds, "1/s", by_pulp, reference),
        Figure("recommend_without_chips_per_s", TEAMS / plain, "1/s", by_pulp, reference),
        Figure("recommend_last_race_per_s", TEAMS / last, "1/s", by_pulp, reference),
        Figure("recommend_any_transfers_per_s", TEAMS // 5 / any_number, "1/s", by_pulp, reference),
        Figure("recommend_memory_gib", memory, "GiB", "what 100,000 teams may take", 4.0),
        Figure("recommend_last_race_memory_gib", last_memory, "GiB", "what 100,000 teams may take", 4.0),
    ]

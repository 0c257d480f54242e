"""Advice for some rows of teams: what all teams of a race share, and a pure function of it and the rows.

Belongs here: reading the race, and the part of a file as it goes to whoever computes it. Neighbours: `recommend` makes
parts of a file, `team_rows` and `advice_rows` have the columns, `optimize.many_teams` decides, `race_choice` does the
same for your own team.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from f1_pipeline.optimize.many_teams import RaceTables, advise, race_tables
from f1_pipeline.optimize.team_problem import whole_menu
from f1_pipeline.steps.advice_rows import advice_rows
from f1_pipeline.steps.chips import known_at
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import race_forecasts, weekend_views
from f1_pipeline.steps.team_rows import TeamReader


@dataclass(frozen=True, eq=False)
class RaceAdviser:
    """All that a part needs beside its teams.

    Attributes
    ----------
    tables : RaceTables
    reader : TeamReader
    most_transfers : int
    """

    tables: RaceTables
    reader: TeamReader
    most_transfers: int

    def digest(self) -> bytes:
        """Hash what all teams share, but for the teams."""
        tables, menu = self.tables, self.reader.menu
        said = (sorted(menu.prices.items()), sorted(menu.inactive), menu.calendar, sorted(tables.keep_points.items()))
        digest = hashlib.sha256(repr((*said, tables.market.open_ids, self.reader.rules)).encode())
        for values in tables.arrays():
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.digest()


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of the teams.

    Attributes
    ----------
    number : int
    rows : pyarrow.Table
    is_twice : ndarray of bool
        Whether another row of the whole file has the same `team_id`.
    """

    number: int
    rows: pa.Table
    is_twice: np.ndarray


def advise_part(part: Part, adviser: RaceAdviser) -> tuple[int, pa.Table]:
    """Advise the teams of a part; it depends on nothing else.

    Parameters
    ----------
    part : Part
    adviser : RaceAdviser

    Returns
    -------
    tuple of int and pyarrow.Table
        The number of the part, and its answers; see `advice_rows`.
    """
    rows = adviser.reader.read(part.rows, part.is_twice)
    first = np.array([adviser.tables.from_race[name] for name in adviser.tables.chips])
    may_play = rows.chips_left & (first <= rows.races_played[:, None] + 1)
    advice = advise(adviser.tables, rows.teams, may_play, adviser.most_transfers)
    return part.number, advice_rows(adviser.tables, part.rows["team_id"].combine_chunks(), rows, advice)


def race_adviser(pipeline: Pipeline, race_key: str, most_transfers: int) -> RaceAdviser:
    """Read what all teams of a race share.

    Parameters
    ----------
    pipeline : Pipeline
    race_key : str
    most_transfers : int

    Returns
    -------
    RaceAdviser

    Raises
    ------
    UsageError
        The race is unknown, cancelled, or has no prices yet.
    WarehouseError
        The race has no forecast, or an earlier one no record of chips.
    """
    forecast = race_forecasts(pipeline, [race_key])[race_key]
    problem = whole_menu(forecast.menu, forecast.points, forecast.rules)
    views, _ = weekend_views(pipeline, forecast, problem)
    known = known_at(pipeline, race_key)
    keep = {chip: known.keep_value(race_key, chip) for chip in forecast.rules.chips.names}
    tables = race_tables(problem, views, forecast.rules, forecast.unknown, keep)
    return RaceAdviser(tables, TeamReader(forecast.menu, forecast.rules, tables.market), most_transfers)

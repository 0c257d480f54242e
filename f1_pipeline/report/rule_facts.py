"""The facts that the worked examples of the scoring rules are made of: named weekends as the official game scored them.

Belongs here: reading and names. What is told of a weekend is :mod:`f1_pipeline.report.rule_examples`, of a price
:mod:`f1_pipeline.report.rule_prices`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.sources.bundle import load_fact_table


@dataclass(frozen=True)
class Facts:
    """The fact files in ``data_dir``, read when they are asked for."""

    data_dir: Path

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Return the scoring items of all races."""
        return load_fact_table(self.data_dir, "event_scores").to_pandas()

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Return the official weekend totals."""
        return load_fact_table(self.data_dir, "official_totals").to_pandas()

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Return the prices at the locks."""
        return load_fact_table(self.data_dir, "prices").to_pandas()

    @cached_property
    def races(self) -> pd.DataFrame:
        """Return the calendar in order of date."""
        return load_fact_table(self.data_dir, "races").to_pandas().sort_values("race_date")

    @cached_property
    def names(self) -> dict[str, str]:
        """Return the name of each driver and constructor by id."""
        drivers, constructors = (
            load_fact_table(self.data_dir, name).to_pandas() for name in ("drivers", "constructors")
        )
        return {
            **dict(zip(drivers["driver_id"], drivers["name"], strict=True)),
            **dict(zip(constructors["constructor_id"], constructors["name"], strict=True)),
        }

    def calendar(self, season: int) -> tuple[str, ...]:
        """Return the race keys of a season that was or will be driven, in order of date."""
        races = self.races
        return tuple(races[(races["season"] == season) & ~races["is_cancelled"]]["race_key"])

    def weekend(self, race_key: str, asset_id: str) -> pd.DataFrame:
        """Return the scoring items of an asset at a race, which add up to its official total.

        Raises
        ------
        DataError
            There are none, or they do not add up.
        """
        items = self.scores[(self.scores["race_key"] == race_key) & (self.scores["asset_id"] == asset_id)]
        total = self.totals[(self.totals["race_key"] == race_key) & (self.totals["asset_id"] == asset_id)]
        official, found = total["total_points"].tolist(), int(items["points"].sum())
        if items.empty or official != [found]:
            raise DataError(
                f"{race_key}: worked example of {asset_id!r}: expected items that add up to the official total "
                f"{official}, found {len(items)} with the sum {found}."
            )
        return items

"""What a step is: one table, and how it is made.

Belongs here: the description only. Neighbours: `python_steps.py` lists the steps that are code, `registry.py` all of
them; `defs.assets` makes one asset of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.contract import Partition
from f1_pipeline.warehouse.writer import WriteReport

Run = Callable[[Pipeline, str, Sequence[str]], WriteReport]


@dataclass(frozen=True)
class Step:
    """One table and how it is made.

    Attributes
    ----------
    table : str
        Full name of the table.
    run : callable
        `run(pipeline, table, partition_keys)` replaces the rows of these partitions.
    reads : tuple of str
        Tables it reads.
    strictly_before, up_to_and_including : frozenset of str
        Those of `reads` of which earlier races are read, without or with the race itself.
    partition : {'race', 'season'} or None
        What its rows belong to, as the header of its table says; None for a table that is replaced whole.
    kinds : tuple of str
        What it is made with, as the Dagster UI labels it.
    reads_facts : bool
        Whether it reads files of data/, the facts or what was received.
    is_for_coming_race : bool
        Whether it is made before a race only: a plan, which nobody needs of every race of the past.
    """

    table: str
    run: Run
    reads: tuple[str, ...] = ()
    strictly_before: frozenset[str] = frozenset()
    up_to_and_including: frozenset[str] = frozenset()
    partition: Partition | None = "race"
    kinds: tuple[str, ...] = ("duckdb",)
    reads_facts: bool = False
    is_for_coming_race: bool = False

    @property
    def earlier(self) -> frozenset[str]:
        """Tables of which it reads earlier races."""
        return self.strictly_before | self.up_to_and_including

"""What every door for new facts has in common: fetch first, then merge.

Belongs here: the two small protocols. A source fetches (disk or network, everything received is kept) and gives a
reading; a reading merges what it holds into the facts, in memory, and can be tested without a network. The doors are
`bundle_source`, `f1db_source` and `feed_source`; :mod:`f1_pipeline.sources.refresh` opens the ones that were chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pandas as pd

Facts = dict[str, pd.DataFrame]
"""Frame per fact table (key of ``FACT_TABLES``), its declared columns, every value as text as in the CSV file."""

Say = Callable[[str], None]
"""Called with one sentence before each step that may take a while."""


class Reading(Protocol):
    """What one source had to say at one moment."""

    @property
    def description(self) -> str:
        """One line for people: what was read, how new it is, whether it had changed."""
        ...

    def merge(self, facts: Facts, note: Say) -> Facts:
        """Return the facts with this reading's in place.

        Parameters
        ----------
        facts : Facts
            The facts so far; not altered.
        note : callable
            Told of each thing in the reading for which the facts have no place yet.

        Returns
        -------
        Facts

        Raises
        ------
        DataError
            The reading contradicts itself or what is already certain.
        """
        ...


class Source(Protocol):
    """A door for new facts."""

    @property
    def name(self) -> str:
        """``bundle``, ``f1db`` or ``feed``."""
        ...

    def fetch(self, say: Say) -> Reading:
        """Get what is new and keep it as received.

        Parameters
        ----------
        say : callable
            Told of each step.

        Returns
        -------
        Reading

        Raises
        ------
        SourceError
            The source is out of reach, or sends what it should not; nothing that was at hand is lost.
        """
        ...

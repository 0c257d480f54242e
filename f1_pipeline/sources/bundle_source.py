"""The door to the facts that are there already: the committed files in data/.

Belongs here: showing the bundle as a source like the others. Neighbour: `fact_frames` reads it, `refresh` folds the
other readings over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.sources.fact_frames import driven, keys_of, read_facts
from f1_pipeline.sources.source import Facts, Say

BUNDLE = "bundle"


@dataclass(frozen=True)
class BundleReading:
    """The committed facts as they stood when they were read."""

    description: str
    facts: Facts

    def merge(self, facts: Facts, note: Say) -> Facts:
        """Return the committed facts, over whatever was there."""
        return facts | self.facts


@dataclass(frozen=True)
class BundleSource:
    """The fact files of a folder.

    Parameters
    ----------
    data_dir : Path
    """

    data_dir: Path
    name: str = BUNDLE

    def fetch(self, say: Say) -> BundleReading:
        """Read every file, checked.

        Raises
        ------
        DataError
            A file is missing, damaged, or breaks its declaration.
        """
        say("Reading the facts in data/.")
        facts = read_facts(self.data_dir)
        finished = driven(facts) & keys_of(facts, "event_scores")
        races = facts["races"].sort_values(["race_date", "race_key"])["race_key"]
        last = races[races.isin(finished)].iloc[-1] if finished else "none"
        return BundleReading(f"{len(races)} races, results and points to {last}", facts)

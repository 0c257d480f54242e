"""The door to F1DB: fetch its newest release, then merge it.

Belongs here: putting the two together. Neighbours: `f1db_release` gets the file, `f1db` reads it, `f1db_merge` makes
facts of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.download import HttpClient
from f1_pipeline.sources.f1db import read_f1db
from f1_pipeline.sources.f1db_merge import merge_release
from f1_pipeline.sources.f1db_release import Release, fetch_release
from f1_pipeline.sources.season_rules import read_rules
from f1_pipeline.sources.source import Facts, Say

F1DB = "f1db"


@dataclass(frozen=True)
class F1dbReading:
    """One release: its frames, and the rules of the seasons that have some."""

    description: str
    frames: Mapping[str, pd.DataFrame]
    rules: Mapping[int, SeasonRules]

    def merge(self, facts: Facts, note: Say) -> Facts:
        """Put the release's calendar, results and names in place, see :func:`merge_release`."""
        return merge_release(facts, self.frames, self.rules, note)


@dataclass(frozen=True)
class F1dbSource:
    """F1DB's releases.

    Parameters
    ----------
    location : str
        Path or address of the zip of a CSV release.
    cache_dir : Path
        Where a download is kept.
    client : HttpClient
    data_dir : Path
        Folder that holds ``rules/<season>.toml``.
    """

    location: str
    cache_dir: Path
    client: HttpClient
    data_dir: Path
    name: str = F1DB

    def fetch(self, say: Say) -> F1dbReading:
        """Get the release, if it is newer than the one at hand, and read it.

        Raises
        ------
        SourceError
            It is out of reach or no release; the one at hand is still there.
        DataError
            The file at a path is no release.
        RuleError
            The rules are missing or broken.
        """
        rules = read_rules(self.data_dir)
        release = fetch_release(self.location, self.cache_dir, self.client, say)
        say("Reading the F1DB release.")
        frames = read_f1db(release.path)
        return F1dbReading(_describe(release, frames), frames, rules)


def _describe(release: Release, frames: Mapping[str, pd.DataFrame]) -> str:
    races, results = frames["races"], frames["races-race-results"]
    driven = races[races["id"].isin(set(results["raceId"]))].sort_values("date")
    last = "-".join(driven[["year", "grandPrixId"]].iloc[-1]) if len(driven) else "none"
    name = f"release {release.version}" if release.version else release.path.name
    state = "new" if release.was_modified else "unchanged"
    return f"{name} ({state}, sha256 {release.sha256[:12]}), results to {last}"

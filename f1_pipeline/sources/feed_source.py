"""The door to the official game's feed: read it, then merge it.

Belongs here: putting the two together. Neighbours: `feed` asks the game and keeps what it says, `feed_merge` makes
facts of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.download import HttpClient
from f1_pipeline.sources.feed import fetch_feed
from f1_pipeline.sources.feed_data import FeedData
from f1_pipeline.sources.feed_merge import merge_feed
from f1_pipeline.sources.received import ReceivedStore
from f1_pipeline.sources.season_rules import read_rules
from f1_pipeline.sources.source import Facts, Say

FEED = "feed"


@dataclass(frozen=True)
class FeedReading:
    """One reading of the feed, and the rules of the seasons that have some."""

    description: str
    feed: FeedData
    rules: Mapping[int, SeasonRules]

    def merge(self, facts: Facts, note: Say) -> Facts:
        """Put the game's prices, points, items and schedule in place, see :func:`merge_feed`."""
        return merge_feed(facts, self.feed, self.rules, note)


@dataclass(frozen=True)
class FeedSource:
    """The feed of the season that is being driven.

    Parameters
    ----------
    base_url : str
        Such as ``https://fantasy.formula1.com/feeds``.
    received_dir : Path
        Where every payload is kept as received.
    client : HttpClient
    data_dir : Path
        Folder that holds ``rules/<season>.toml``.
    now : callable
        The time, aware.
    """

    base_url: str
    received_dir: Path
    client: HttpClient
    data_dir: Path
    now: Callable[[], datetime]
    name: str = FEED

    def fetch(self, say: Say) -> FeedReading:
        """Ask the game for what is not known yet.

        Raises
        ------
        SourceError
            The feed is out of reach, or sends what it should not; what was received is kept.
        DataError
            The store of payloads cannot be used.
        RuleError
            The rules are missing or broken.
        """
        rules = read_rules(self.data_dir)
        store = ReceivedStore(self.received_dir, say)
        feed = fetch_feed(self.base_url, rules, store, self.client, say, self.now)
        return FeedReading(_describe(feed), feed, rules)


def _describe(feed: FeedData) -> str:
    done = [meeting for meeting in feed.meetings if meeting.is_done]
    season = f"{feed.meetings[0].season}, " if feed.meetings else ""
    points = f"points to the {done[-1].name}" if done else "no points yet"
    return f"{season}{points}, read at {feed.read_at:%Y-%m-%d %H:%M} UTC"

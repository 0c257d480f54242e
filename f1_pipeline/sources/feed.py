"""Read the official feed: the schedule, the assets of each gameday, the items of the assets that need it.

Belongs here: what to ask for, in which order, and as little of it as will do. Neighbours: `feed_inquiry` asks and
keeps, `feed_payloads` reads, `feed_merge` makes facts of the result. When anything fails half-way, what came is kept,
and the next call goes on from there with conditional requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from f1_pipeline.errors import SourceError
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.sources.download import HttpClient, NotThereError
from f1_pipeline.sources.feed_data import FeedData, Meeting, PlayerState
from f1_pipeline.sources.feed_inquiry import SCHEDULE_PATH, Inquiry, Known
from f1_pipeline.sources.feed_payloads import PlayerStats, check_meetings, items_of, read_drivers, read_playerstats
from f1_pipeline.sources.feed_schedule import RENUMBERING, Schedule, numbering
from f1_pipeline.sources.received import ReceivedStore
from f1_pipeline.sources.season_rules import rules_of
from f1_pipeline.sources.source import Say

CORRECTIONS = timedelta(days=21)
"""How long after a race its points are asked for again, changed or not; overtakes have been corrected days later."""

States = tuple[PlayerState, ...]


def fetch_feed(
    base_url: str,
    rules: Mapping[int, SeasonRules],
    store: ReceivedStore,
    client: HttpClient,
    say: Say,
    now: Callable[[], datetime],
) -> FeedData:
    """Read what the feed says now.

    Parameters
    ----------
    base_url : str
        Such as ``https://fantasy.formula1.com/feeds``.
    rules : mapping of int to SeasonRules
        By season; names of pit-stop events mean what the season's rules say.
    store : ReceivedStore
        Gets every payload before it is read.
    client : HttpClient
    say : callable
        Told of each step.
    now : callable
        The time, aware.

    Returns
    -------
    FeedData
        Assets of every finished race and of the next one; items of the finished ones. Only the schedule of a season
        that comes after the last one with rules.

    Raises
    ------
    SourceError
        The feed is out of reach, sends what it should not, or renumbers its gamedays meanwhile; what had been received
        is kept.
    RuleError
        The feed's season has no rules.
    DataError
        The store cannot be read or written.
    """
    inquiry = Inquiry(base_url, store, client, say, now)
    say("Asking the official feed for its schedule.")
    schedule = inquiry.schedule()
    meetings, last = tuple(schedule.value.values()), max(rules, default=0)
    if min(meeting.season for meeting in meetings) > last:  # a season to come waits for its rules, the merge tells
        return FeedData(schedule.receipt.received_at, meetings, (), ())
    for season in {meeting.season for meeting in meetings}:
        rules_of(rules, season)  # refused before anything else is asked for
    reading = _Reading(inquiry, schedule)
    states = reading.states()
    stats = reading.stats(states)
    reading.correct(states, stats)
    reading.check_totals(states, stats)
    reading.check_numbering()
    return FeedData(
        read_at=schedule.receipt.received_at,
        meetings=meetings,
        states=tuple(state for of_gameday in states.values() for state in of_gameday),
        items=tuple(item for one in stats.values() for item in items_of(one, schedule.value, rules)),
    )


def drivers_path(gameday_id: int) -> str:
    """Return the path of a gameday's prices and totals."""
    return f"/drivers/{gameday_id}_en.json"


def playerstats_path(player_id: str) -> str:
    """Return the path of an asset's items."""
    return f"/popup/playerstats_{player_id}.json"


class _Reading:
    """The payloads that belong to one schedule."""

    def __init__(self, inquiry: Inquiry, schedule: Known[dict[int, Meeting]]) -> None:
        self.inquiry, self.say = inquiry, inquiry.say
        self.schedule: Schedule = schedule.value
        self.read_at = schedule.receipt.received_at
        self.numbered_since = inquiry.unchanged_since(self.schedule, numbering)
        # what was received before a race was finished does not hold its final points
        self.stated_since = inquiry.unchanged_since(
            self.schedule, lambda meeting: (numbering(meeting), meeting.is_done)
        )
        self.done = [gameday_id for gameday_id, meeting in self.schedule.items() if meeting.is_done]

    def states(self) -> dict[int, States]:
        """Read the assets of every finished gameday, by the order of the races, and of the next one."""
        states = {gameday_id: self._finished(gameday_id) for gameday_id in self.done}
        coming = self._coming()
        if coming is not None:
            name = self.schedule[coming].name
            self.say(f"Asking for the prices of the {name}.")
            try:
                states[coming] = self._ask_states(coming, self._known_states(coming))
            except NotThereError:
                self.say(f"The feed has no prices of the {name} yet.")
        return states

    def stats(self, states: Mapping[int, States]) -> dict[str, PlayerStats]:
        """Read the items of every asset, anew where those at hand do not cover or match its totals."""
        owed: dict[str, dict[int, PlayerState]] = {}
        for gameday_id in self.done:
            for state in states[gameday_id]:
                owed.setdefault(state.player_id, {})[gameday_id] = state
        known = {player_id: self._known_stats(player_id) for player_id in owed}
        lacking = [player_id for player_id, own in owed.items() if not _covers(known[player_id], own)]
        if lacking:
            self.say(f"Asking for the points of {len(lacking)} assets, item by item.")
        stats = {player_id: one.value for player_id, one in known.items() if one is not None}
        for player_id in lacking:
            path = playerstats_path(player_id)
            try:
                stats[player_id] = self.inquiry.ask(path, self._stats_reader(player_id), known[player_id])
            except NotThereError as error:
                name = next(iter(owed[player_id].values())).name
                self.say(f"The feed has no items of {name}: {error}.")
        return stats

    def correct(self, states: dict[int, States], stats: Mapping[str, PlayerStats]) -> None:
        """Ask again for gamedays whose stored totals are not those of the items: an old race was corrected."""
        for gameday_id in self.done:
            differ = any(
                state.player_id in stats and _differs(stats[state.player_id], gameday_id, state)
                for state in states[gameday_id]
            )
            if differ and drivers_path(gameday_id) not in self.inquiry.asked:
                self.say(f"The points of the {self.schedule[gameday_id].name} were corrected: asking for them again.")
                states[gameday_id] = self._finished(gameday_id, is_corrected=True)

    def check_totals(self, states: Mapping[int, States], stats: Mapping[str, PlayerStats]) -> None:
        """Refuse totals that most assets' items deny: they are another gameday's, or the items are not all there yet.

        Prices and totals come in one payload, which does not say whose they are; items name their race.
        """
        for gameday_id in self.done:
            told = [
                _differs(stats[state.player_id], gameday_id, state)
                for state in states[gameday_id]
                if state.player_id in stats and gameday_id in stats[state.player_id].weekends
            ]
            if 2 * sum(told) > len(told):
                url = self.inquiry.base_url + drivers_path(gameday_id)
                raise SourceError(
                    f"{url}: expected the totals of the {self.schedule[gameday_id].name}, found others than its items "
                    f"have for {sum(told)} of {len(told)} assets; {RENUMBERING}"
                )

    def check_numbering(self) -> None:
        """Refuse what was read if the gamedays have other numbers by now."""
        after = self.inquiry.schedule().value
        if _numbers(after) != _numbers(self.schedule):
            url = self.inquiry.base_url + SCHEDULE_PATH
            raise SourceError(f"{url}: the gamedays were renumbered while they were read; try again")

    def _coming(self) -> int | None:
        """Return the first gameday after the last finished one; one that was passed over is not to come."""
        gameday_ids = list(self.schedule)
        first = gameday_ids.index(self.done[-1]) + 1 if self.done else 0
        return gameday_ids[first] if first < len(gameday_ids) else None

    def _finished(self, gameday_id: int, is_corrected: bool = False) -> States:
        meeting = self.schedule[gameday_id]
        known = self._known_states(gameday_id)
        is_recent = self.read_at - meeting.starts["race"] <= CORRECTIONS
        if known is not None and _is_scored(known.value) and not (is_recent or is_corrected):
            return known.value
        self.say(f"Asking for the points of the {meeting.name}.")
        try:
            states = self._ask_states(gameday_id, known)
        except NotThereError as error:
            if known is None:
                raise SourceError(f"{error}; the {meeting.name} is finished, its assets are needed") from error
            self.say(f"The feed no longer has the {meeting.name}; its assets are those received earlier.")
            return known.value
        if not _is_scored(states):
            self.say(f"The feed calls the {meeting.name} finished, and has no points of its race yet.")
        return states

    def _ask_states(self, gameday_id: int, known: Known[States] | None) -> States:
        return self.inquiry.ask(drivers_path(gameday_id), self._states_reader(gameday_id), known)

    def _known_states(self, gameday_id: int) -> Known[States] | None:
        return self.inquiry.known(
            drivers_path(gameday_id), self._states_reader(gameday_id), self.stated_since[gameday_id]
        )

    def _states_reader(self, gameday_id: int) -> Callable[[bytes, str], States]:
        return lambda body, url: read_drivers(body, url, self.schedule[gameday_id])

    def _known_stats(self, player_id: str) -> Known[PlayerStats] | None:
        since = max(self.numbered_since[gameday_id] for gameday_id in self.done)
        return self.inquiry.known(playerstats_path(player_id), self._stats_reader(player_id), since)

    def _stats_reader(self, player_id: str) -> Callable[[bytes, str], PlayerStats]:
        def read(body: bytes, url: str) -> PlayerStats:
            stats = read_playerstats(body, url, player_id)
            check_meetings(stats, self.schedule, url)
            return stats

        return read


def _covers(known: Known[PlayerStats] | None, owed: Mapping[int, PlayerState]) -> bool:
    return known is not None and not any(_differs(known.value, gameday_id, state) for gameday_id, state in owed.items())


def _is_scored(states: States) -> bool:
    return any(state.total_points is not None for state in states)


def _differs(stats: PlayerStats, gameday_id: int, state: PlayerState) -> bool:
    """Compare the total that items have with the asset's own; an idle asset without points has no items."""
    if state.total_points is None:
        return False
    weekend = stats.weekends.get(gameday_id)
    if weekend is None:
        return state.is_active or state.total_points != 0
    return weekend.total_points != state.total_points


def _numbers(schedule: Schedule) -> dict[int, tuple[object, ...]]:
    return {gameday_id: numbering(meeting) for gameday_id, meeting in schedule.items()}

"""Ask the official feed for one path at a time, keep what comes, and use what is kept where that is right.

Belongs here: the link between the server and the store, and what a stored payload may still be used for. Neighbours:
`download` sends requests, `received` keeps payloads, `feed` decides what to ask for. A stored payload may be used only
while its gameday number has had the same meaning ever since it was received; and only if it can still be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from f1_pipeline.errors import DataError, SourceError
from f1_pipeline.sources.download import HttpClient, Payload
from f1_pipeline.sources.feed_data import Meeting
from f1_pipeline.sources.feed_schedule import Schedule, read_schedule
from f1_pipeline.sources.received import Received, ReceivedStore
from f1_pipeline.sources.source import Say

T = TypeVar("T")
Read = Callable[[bytes, str], T]
"""Makes something of a payload and its address, or raises a `SourceError`."""

SCHEDULE_PATH = "/schedule/raceday_en.json"


@dataclass(frozen=True)
class Known(Generic[T]):
    """A payload that was received, and what it says."""

    receipt: Received
    value: T


class Inquiry:
    """One conversation with the feed.

    Parameters
    ----------
    base_url : str
    store : ReceivedStore
    client : HttpClient
    say : callable
        Told of stored payloads that cannot be used.
    now : callable
        The time, aware.

    Attributes
    ----------
    asked : set of str
        Paths that the server was asked for.
    """

    def __init__(
        self, base_url: str, store: ReceivedStore, client: HttpClient, say: Say, now: Callable[[], datetime]
    ) -> None:
        self.base_url, self.store, self.client = base_url.rstrip("/"), store, client
        self.say, self.now = say, now
        self.asked: set[str] = set()

    def known(self, path: str, read: Read[T], since: int) -> Known[T] | None:
        """Find the newest stored payload of a path that may be used.

        Parameters
        ----------
        path : str
        read : callable
        since : int
            Number of the receipt since when the path has had its present meaning.

        Returns
        -------
        Known or None
        """
        for receipt in reversed(self.store.history(path)):
            if receipt.number < since:
                break
            try:
                return Known(receipt, read(self.store.read(receipt), receipt.url))
            except (DataError, SourceError) as error:
                self.say(f"What was received on {receipt.received_at:%Y-%m-%d %H:%M} UTC is not used: {error}.")
        return None

    def ask(self, path: str, read: Read[T], known: Known[T] | None) -> T:
        """Ask the server for a path; what it sends is kept before it is read.

        Parameters
        ----------
        path : str
        read : callable
        known : Known, optional
            Used if the server calls it still good.

        Returns
        -------
        object
            What `read` made of the payload.

        Raises
        ------
        NotThereError
            There is no such path.
        SourceError
            There is no answer, or it cannot be read.
        """
        payload = self._get(path, known)
        if known is not None and payload.status == 304:
            return known.value
        return self._keep(path, read, payload).value

    def schedule(self) -> Known[dict[int, Meeting]]:
        """Ask for the schedule; unlike other payloads, it is noted when the server calls the stored one still good.

        Returns
        -------
        Known

        Raises
        ------
        SourceError
            There is no answer, or it cannot be read.
        """
        known = self.known(SCHEDULE_PATH, read_schedule, since=0)
        payload = self._get(SCHEDULE_PATH, known)
        if known is not None and payload.status == 304:
            return Known(self.store.confirm(known.receipt, self.now()), known.value)
        return self._keep(SCHEDULE_PATH, read_schedule, payload)

    def unchanged_since(self, schedule: Schedule, aspect: Callable[[Meeting], object]) -> Mapping[int, int]:
        """Find out since when something about each gameday has been what it is now.

        Parameters
        ----------
        schedule : Schedule
            The present one, which is in the store.
        aspect : callable
            What must be the same.

        Returns
        -------
        mapping of int to int
            Number of a receipt by gameday.
        """
        since: dict[int, int] = {}
        same = set(schedule)
        for known in reversed(known_schedules(self.store)):
            then = known.value
            same = {number for number in same & then.keys() if aspect(then[number]) == aspect(schedule[number])}
            since |= dict.fromkeys(same, known.receipt.number)
        return since

    def _get(self, path: str, known: Known[T] | None) -> Payload:
        url = self.base_url + path
        self.asked.add(path)
        if known is None or known.receipt.url != url:
            return self.client.get(url)
        return self.client.get(url, known.receipt.etag, known.receipt.last_modified)

    def _keep(self, path: str, read: Read[T], payload: Payload) -> Known[T]:
        url = self.base_url + path
        receipt = self.store.keep(path, url, payload.body, self.now(), payload.etag, payload.last_modified)
        return Known(receipt, read(payload.body, url))


def known_schedules(store: ReceivedStore) -> list[Known[dict[int, Meeting]]]:
    """Read every schedule that was received or confirmed.

    Parameters
    ----------
    store : ReceivedStore

    Returns
    -------
    list of Known
        Oldest first; without those that cannot be read.
    """
    read: dict[str, dict[int, Meeting] | None] = {}
    for receipt in store.history(SCHEDULE_PATH):
        if receipt.sha256 not in read:
            try:
                read[receipt.sha256] = read_schedule(store.read(receipt), receipt.url)
            except (DataError, SourceError):
                read[receipt.sha256] = None  # it was refused when it came, and said so
    return [
        Known(receipt, value) for receipt in store.history(SCHEDULE_PATH) if (value := read[receipt.sha256]) is not None
    ]

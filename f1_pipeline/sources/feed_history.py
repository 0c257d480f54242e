"""What the official feed has said of each asset over time: totals and prices, with the restatements.

Belongs here: reading every stored drivers payload as it was meant when it came. Neighbours: `received` keeps the
payloads, `feed` reads the present ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from f1_pipeline.errors import DataError, SourceError
from f1_pipeline.sources.feed_data import Meeting
from f1_pipeline.sources.feed_inquiry import Known, known_schedules
from f1_pipeline.sources.feed_payloads import read_drivers
from f1_pipeline.sources.feed_schedule import Schedule, numbering
from f1_pipeline.sources.received import Received, ReceivedStore
from f1_pipeline.sources.source import Say

_DRIVERS_PATH = re.compile(r"/drivers/(\d+)_en\.json")


@dataclass(frozen=True)
class StatedAsset:
    """What the feed said of one asset at one race in one payload.

    Attributes
    ----------
    receipt_number : int
        Of the payload: the order of receipts, whatever clocks said.
    received_at : datetime
        When the payload came, aware, UTC.
    season : int
    meeting_name : str
        The race, by the schedule that was in force.
    race_date : date
    player_id : str
    asset_type : str
        driver or constructor.
    name, team_name : str
    total_points : int or None
        None before the race was finished.
    price_tenths : int
        Tenths of a million.
    """

    receipt_number: int
    received_at: datetime
    season: int
    meeting_name: str
    race_date: date
    player_id: str
    asset_type: str
    name: str
    team_name: str
    total_points: int | None
    price_tenths: int


def stated_assets(store: ReceivedStore, say: Say) -> list[StatedAsset]:
    """List everything the feed has said of assets, payload by payload.

    Parameters
    ----------
    store : ReceivedStore
    say : callable
        Told of payloads that cannot be read, or whose race is uncertain.

    Returns
    -------
    list of StatedAsset
        By the order of receipt; a payload that came again unchanged is there once. A gameday number stands for the
        race that the schedules before and after the payload agree on; where they do not, or there is none after it
        (a reading ends by asking for the schedule again), the payload is left out.
    """
    schedules = known_schedules(store)
    last: dict[str, tuple[object, ...]] = {}
    stated: list[StatedAsset] = []
    for receipt in store.receipts:
        found = _DRIVERS_PATH.fullmatch(receipt.path)
        if found is None:
            continue
        meeting = _meeting_of(int(found[1]), receipt, schedules)
        if meeting is None:
            say(f"{receipt.path} of {receipt.received_at:%Y-%m-%d %H:%M} UTC is of a race that is uncertain.")
            continue
        meaning = (receipt.sha256, numbering(meeting), meeting.is_done)
        if last.get(receipt.path) == meaning:
            continue
        last[receipt.path] = meaning
        try:
            stated += _rows(receipt, meeting, store)
        except (DataError, SourceError) as error:
            say(f"What was received on {receipt.received_at:%Y-%m-%d %H:%M} UTC is left out: {error}.")
    return stated


def _meeting_of(gameday_id: int, receipt: Received, schedules: list[Known[dict[int, Meeting]]]) -> Meeting | None:
    before: Schedule = next((one.value for one in reversed(schedules) if one.receipt.number < receipt.number), {})
    after: Mapping[int, Meeting] = next((one.value for one in schedules if one.receipt.number > receipt.number), {})
    if gameday_id not in before or gameday_id not in after:
        return None
    meeting = before[gameday_id]
    return meeting if numbering(meeting) == numbering(after[gameday_id]) else None


def _rows(receipt: Received, meeting: Meeting, store: ReceivedStore) -> list[StatedAsset]:
    return [
        StatedAsset(
            receipt_number=receipt.number,
            received_at=receipt.received_at,
            season=meeting.season,
            meeting_name=meeting.name,
            race_date=meeting.race_date,
            player_id=state.player_id,
            asset_type=state.asset_type,
            name=state.name,
            team_name=state.team_name,
            total_points=state.total_points,
            price_tenths=state.price_tenths,
        )
        for state in read_drivers(store.read(receipt), receipt.url, meeting)
    ]

"""What the payloads of the official feed look like, and the refusal of anything else.

Belongs here: the keys with their misspellings, numbers written as text, blanks, and one error that says which key of
which address is wrong. Neighbour: `feed_payloads` turns these rows into the project's own. Keys that nobody needs are
ignored; a key that is needed and is missing, renamed or of another type is refused.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, NoReturn, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from f1_pipeline.errors import SourceError

_SHOWN_CHARS = 60
# How a complaint of pydantic begins, and what is left of it after "expected".
_WORDS = {
    "Input should be ": "",
    "Input should have ": "a value with ",
    "Value should have ": "a value with ",
    "String should have ": "text of ",
    "List should have ": "a list of ",
    "Value error, ": "",
}


def _as_text(value: object) -> object:
    """Take an id for text, whether it is written 18 or "18"; blanks around text mean nothing."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value).strip() if isinstance(value, str) or is_number else value


def _blank_as_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _only_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a time written as ISO 8601 with its offset")
    return value


def _empty_as_list(value: object) -> object:
    return [] if value is None else value


Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, Field(min_length=1), BeforeValidator(_as_text)]
Whole = Annotated[int, BeforeValidator(_blank_as_none)]
Season = Annotated[int, Field(ge=2000, le=2100), BeforeValidator(_blank_as_none)]
OptionalNumber = Annotated[Decimal | None, BeforeValidator(_blank_as_none)]
OptionalWhole = Annotated[int | None, BeforeValidator(_blank_as_none)]
OptionalPercent = Annotated[Annotated[Decimal, Field(ge=0, le=100)] | None, BeforeValidator(_blank_as_none)]
Instant = Annotated[AwareDatetime, BeforeValidator(_only_text)]


class SessionRow(BaseModel):
    """A scored session of the schedule."""

    gameday_id: Whole = Field(alias="GamedayId")
    season: Season = Field(alias="Season")
    meeting_name: Name = Field(alias="MeetingName")
    session_type: Name = Field(alias="SessionType")
    starts_at: Instant = Field(alias="SessionStartDateISO8601")
    gameday_status: Whole = Field(alias="GDStatus")


class SessionPoints(BaseModel):
    """Points of an asset in one session of a gameday; null before it."""

    session_type: Name = Field(alias="sessiontype")
    points: OptionalNumber = Field(alias="points")


class AssetRow(BaseModel):
    """An asset at one gameday."""

    player_id: Name = Field(alias="PlayerId")
    skill: Annotated[Whole, Field(ge=1, le=2)] = Field(alias="Skill")
    price: Annotated[Decimal, Field(gt=0, lt=1000)] = Field(alias="Value")
    full_name: Name = Field(alias="FUllName")
    first_name: Text = Field(alias="FirstName")
    last_name: Text = Field(alias="LastName")
    code: Text = Field(alias="DriverTLA")
    team_name: Text = Field(alias="TeamName")
    is_active: bool = Field(alias="IsActive")
    points: OptionalWhole = Field(alias="GamedayPoints")
    selected_pct: OptionalPercent = Field(alias="SelectedPercentage")
    boosted_pct: OptionalPercent = Field(alias="CaptainSelectedPercentage")
    sessions: Annotated[list[SessionPoints], BeforeValidator(_empty_as_list)] = Field(
        alias="SessionWisePoints", default=[]
    )


class EventRow(BaseModel):
    """One scoring event, as often as it happened."""

    event: Annotated[str, Field(min_length=1)] = Field(alias="Event")
    frequency: Text = Field(alias="Frequency")
    points: Whole = Field(alias="Value")


class GamedayStats(BaseModel):
    """The events of an asset at one gameday."""

    gameday_id: Whole = Field(alias="GamedayId")
    events: Annotated[list[EventRow], BeforeValidator(_empty_as_list)] = Field(alias="StatsWise")


class RaceDay(BaseModel):
    """Which meeting a session belongs to."""

    meeting_name: Name = Field(alias="MeetingName")
    season: Season = Field(alias="Season")


class GamedayDays(BaseModel):
    """Which sessions a gameday had when the payload was made."""

    gameday_id: Whole = Field(alias="GamedayId")
    days: Annotated[list[RaceDay], BeforeValidator(_empty_as_list)] = Field(alias="RaceDayWise")


class AssetStats(BaseModel):
    """Everything one asset has scored."""

    player_id: Name = Field(alias="PlayerId")
    skill: Annotated[Whole, Field(ge=1, le=2)] = Field(alias="PlayerSkill")
    gamedays: Annotated[list[GamedayStats], BeforeValidator(_empty_as_list)] = Field(alias="GamedayWiseStats")
    fixtures: Annotated[list[GamedayDays], BeforeValidator(_empty_as_list)] = Field(
        alias="FixtureWiseStats", default=[]
    )
    matches: Annotated[list[GamedayDays], BeforeValidator(_empty_as_list)] = Field(alias="MatchWiseStats", default=[])


class _Sessions(BaseModel):
    rows: Annotated[list[SessionRow], Field(min_length=1)] = Field(alias="Value")


class SchedulePayload(BaseModel):
    """``/schedule/raceday_en.json``."""

    data: _Sessions = Field(alias="Data")


class _Assets(BaseModel):
    rows: Annotated[list[AssetRow], Field(min_length=1)] = Field(alias="Value")


class DriversPayload(BaseModel):
    """``/drivers/{GamedayId}_en.json``."""

    data: _Assets = Field(alias="Data")


class PlayerstatsPayload(BaseModel):
    """``/popup/playerstats_{PlayerId}.json``."""

    stats: AssetStats = Field(alias="Value")


Model = TypeVar("Model", bound=BaseModel)


def read_payload(model: type[Model], body: bytes, url: str) -> Model:
    """Read a payload.

    Parameters
    ----------
    model : type
        One of the payload models of this module.
    body : bytes
        As received.
    url : str
        Where it came from, for messages.

    Returns
    -------
    Model

    Raises
    ------
    SourceError
        It is no JSON, says that it failed, or lacks what is needed; names the address and the key.
    """
    try:
        content = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{url}: expected JSON, found {_start(body)}") from error
    meta = content.get("Meta") if isinstance(content, dict) else None
    if isinstance(meta, dict) and meta.get("Success") is False:
        raise SourceError(f"{url}: Meta.Success: expected true, found false ({meta.get('Message')!r})")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        _refuse(url, error)


def _start(body: bytes) -> str:
    text = body[:_SHOWN_CHARS].decode("utf-8", "replace").strip()
    if not text:
        return "nothing"
    return f"a web page ({text!r})" if text.startswith("<") else repr(text)


def _refuse(url: str, error: ValidationError) -> NoReturn:
    first = error.errors(include_url=False, include_context=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    if first["type"] == "missing":
        expected, found = "the key", _likeness(str(first["loc"][-1]), list(map(str, first["input"])))
    else:
        expected, found = _expected(first["msg"]), _shown(first["input"])
    more = f"; {error.error_count() - 1} more like it" if error.error_count() > 1 else ""
    raise SourceError(
        f"{url}: {place or 'the payload'}: expected {expected}, found {found[:_SHOWN_CHARS]}{more}"
    ) from error


def _likeness(key: str, keys: list[str]) -> str:
    """Show what may be the key under a new name, else what there is."""
    nearest = get_close_matches(key, keys, n=1)
    return f"none, the nearest is {nearest[0]}" if nearest else f"only {', '.join(keys) or 'nothing'}"


def _expected(message: str) -> str:
    message = message.partition(" or instance of")[0]
    for start, ours in _WORDS.items():
        if message.startswith(start):
            return ours + message.removeprefix(start)
    return message


def _shown(value: object) -> str:
    if isinstance(value, Decimal | datetime):
        return str(value)
    return repr(value)

"""Learn what is to be expected of a weekend, at each of its phases, from everything known by then.

Belongs here: the walk through history in order of date, and putting strengths and parts into outlooks. What may be
known is decided here: races strictly before, and of the weekend itself the sessions that its phase knows. Neighbours:
`forecast.strength` and `forecast.weekend_parts` do the learning, `forecast.simulation` draws from the outcome,
`forecast.weekend_files` stores it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.entered_race import EnteredRace, entered_race, lineages_of
from f1_pipeline.forecast.outlook import LaterOutlook, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.overtakes import OVERTAKES_SD, OVERTAKES_SD_UNKNOWN_CIRCUIT, Overtakes, overtakes
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, KNOWN_COLUMN, PHASES
from f1_pipeline.forecast.strength import (
    DEFAULT_STRENGTH,
    RESET_SEASONS,
    Scores,
    StrengthFilter,
    StrengthSettings,
    drift_covariance,
    form_covariance,
)
from f1_pipeline.forecast.threads import one_thread
from f1_pipeline.forecast.weekend_features import Learnt, weekend_features
from f1_pipeline.forecast.weekend_notes import weekend_notes
from f1_pipeline.forecast.weekend_parts import (
    ATTRITION_SD,
    Earlier,
    circuit_shifts,
    grid_drops,
    honours,
    pit_crews,
    rare_rates,
    retirement_logits,
    sprint_shift,
)
from f1_pipeline.game.rules import SeasonRules

_DIGITS = 9
"""Strengths are rounded to this many digits: a newcomer of a later race widens the matrices and moves the last bits,
which should not make another model of an old race (differences up to 2e-14 were seen)."""


@dataclass(frozen=True)
class WeekendHistory:
    """Everything that weekends are learnt from; rows of later races may be present and are never looked at.

    Attributes
    ----------
    sessions : DataFrame
        `core.session_score`, by date, session and driver.
    overtakes : DataFrame
        race_key, session, driver_id, overtakes_count, of races of which they are recorded by session.
    stops : DataFrame
        race_key, lineage_id, points for pit stops; every constructor of the recorded races.
    races : DataFrame
        race_key, race_date, season, circuit_id, has_sprint of the races to forecast and of every held one.
    entries : DataFrame
        race_key, asset_type, asset_id, constructor_id, lineage_id of the races to forecast.
    rules : mapping of int to SeasonRules
        By season.
    """

    sessions: pd.DataFrame
    overtakes: pd.DataFrame
    stops: pd.DataFrame
    races: pd.DataFrame
    entries: pd.DataFrame
    rules: Mapping[int, SeasonRules]


@dataclass(frozen=True)
class WeekendModel:
    """What is expected of one weekend.

    Attributes
    ----------
    race_key : str
    drivers, constructors : tuple of str
        The columns of the outlooks.
    outlooks : dict of str to WeekendOutlook
        By phase; after qualifying only once it was held.
    known_until : dict of str to Timestamp or None
        By phase, when the last session ended that was learnt from (UTC).
    later : LaterOutlook
        Of the races after it, as believed when its line-ups lock.
    notes : dict of str to tuple of str
        By phase, why the forecast is less sure than others.
    features : DataFrame
        One row per phase and asset: what `features.weekend_feature` lists.
    """

    race_key: str
    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    outlooks: dict[str, WeekendOutlook]
    known_until: dict[str, pd.Timestamp | None]
    later: LaterOutlook
    notes: dict[str, tuple[str, ...]]
    features: pd.DataFrame


def learn_weekends(
    history: WeekendHistory, race_keys: Sequence[str], settings: StrengthSettings = DEFAULT_STRENGTH
) -> dict[str, WeekendModel]:
    """Learn the weekends of some races in one walk through history.

    Parameters
    ----------
    history : WeekendHistory
    race_keys : sequence of str
        Races to forecast.
    settings : StrengthSettings

    Returns
    -------
    dict of str to WeekendModel
        In order of date.

    Raises
    ------
    DataError
        When a race is unknown or has no entries, or a driver's constructor is not on sale.
    """
    races = history.races.sort_values(["race_date", "race_key"], ignore_index=True)
    wanted = set(race_keys)
    unknown = sorted(wanted - set(races["race_key"]))
    if unknown:
        raise DataError(f"{unknown[0]}: expected a race that is held, found none in the calendar of {len(races)} races")
    if not wanted:
        return {}
    last = int(races.index[races["race_key"].isin(wanted)].max())
    numbered = _Numbered.of(history, races)
    belief = StrengthFilter(*_names(history), settings)
    learnt: dict[str, WeekendModel] = {}
    season_before: int | None = None
    with one_thread():
        for number, (race_key, season) in enumerate(zip(races["race_key"], races["season"], strict=True)):
            if number > last:
                break
            belief.begin_weekend(season_before not in (None, season), season in RESET_SEASONS)
            season_before = season
            scores = numbered.scores(belief, race_key)
            if race_key in wanted:
                entered = entered_race(history.entries, number, races.iloc[number])
                learnt[race_key] = _learn(history, numbered, belief, entered, scores)
            for each in scores:  # whatever no phase has used
                if not each.is_observed:
                    belief.observe(each.scores)
    return learnt


@dataclass
class _Session:
    """A session of the weekend, whether the filter has seen it, and which phases know it."""

    scores: Scores
    known_in: frozenset[str]
    is_observed: bool = False


@dataclass(frozen=True)
class _Numbered:
    """The history with races numbered by date and rows grouped by race."""

    starts: pd.DataFrame
    sprints: pd.DataFrame
    qualifying: pd.DataFrame
    overtakes: pd.DataFrame
    stops: pd.DataFrame
    by_race: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, history: WeekendHistory, races: pd.DataFrame) -> _Numbered:
        numbers = pd.Series(races.index, index=races["race_key"])
        # places and laps as plain floats: what is nullable costs pandas three times as long
        plain = dict.fromkeys(("position", "score", "start_place", "start_score", "gap_pct", "lap_count"), "float64")
        rows = history.sessions.astype(plain).assign(number=history.sessions["race_key"].map(numbers))
        started = rows[(rows["position_text"] != "DNS") & rows["session"].isin(["race", "sprint"])]
        started = started.assign(is_out=started["position"].isna().astype(float))
        seasons = races.set_index("race_key")["season"]
        stops = history.stops.assign(
            number=history.stops["race_key"].map(numbers), season=history.stops["race_key"].map(seasons)
        )
        return cls(
            started[started["session"] == "race"],
            started[started["session"] == "sprint"],
            rows[rows["session"] == "qualifying"],
            history.overtakes,
            stops,
            {str(key): group for key, group in rows.groupby("race_key")},
        )

    def before(self, number: int) -> Earlier:
        """Cut to races before one, and count how many races ago each was."""
        starts, sprints, qualifying, stops = (
            frame[frame["number"] < number].assign(age=lambda rows: number - rows["number"])
            for frame in (self.starts, self.sprints, self.qualifying, self.stops)
        )
        return Earlier(starts, sprints, qualifying, self.overtakes, stops)

    def scores(self, belief: StrengthFilter, race_key: str) -> list[_Session]:
        """List the scored sessions of a race in order."""
        rows = self.by_race.get(race_key)
        if rows is None:
            return []
        scored = rows[rows["score"].notna()]
        return [
            _Session(
                Scores(
                    str(group["session"].iloc[0]),
                    belief.driver_numbers(group["driver_id"].tolist()),
                    belief.car_numbers(group["lineage_id"].tolist()),
                    group["score"].to_numpy(dtype=float),
                    group["start_score"].fillna(0.0).to_numpy(dtype=float),
                ),
                frozenset(phase for phase, column in KNOWN_COLUMN.items() if bool(group[column].iloc[0])),
            )
            for _, group in scored.groupby("session_order")
        ]


def _names(history: WeekendHistory) -> tuple[list[str], list[str]]:
    """Name all cars and drivers of sessions and entries."""
    drivers = history.entries[history.entries["asset_type"] == "driver"]["asset_id"]
    cars = history.entries["constructor_id"].map(lineages_of(history.entries))
    return (
        sorted({*history.sessions["lineage_id"], *cars}),
        sorted({*history.sessions["driver_id"], *drivers}),
    )


def _learn(
    history: WeekendHistory, numbered: _Numbered, belief: StrengthFilter, race: EnteredRace, sessions: list[_Session]
) -> WeekendModel:
    """Learn one weekend phase by phase; the filter sees each session when the first phase knows it."""
    earlier = numbered.before(race.number)
    parts = _Parts.of(history, earlier, race, belief.settings)
    own_rows = numbered.by_race.get(race.race_key)
    outlooks, known_until, notes, features = {}, {}, {}, []
    later: LaterOutlook | None = None
    for phase in PHASES:
        known = _known_rows(own_rows, phase)
        if phase == AFTER_QUALIFYING and (known is None or not (known["session"] == "qualifying").any()):
            continue
        for each in sessions:
            if phase in each.known_in and not each.is_observed:
                belief.observe(each.scores)
                each.is_observed = True
        outlooks[phase] = parts.outlook(belief, known)
        if phase == AT_LOCK:
            later = parts.later(belief)
        ends = [rows["ends_at"].max() for rows in (earlier.starts, known) if rows is not None and len(rows)]
        known_until[phase] = max(ends) if ends else None
        notes[phase] = weekend_notes(race.drivers, race.lineages, race.season, race.circuit_id, earlier.starts, known)
        shares = belief.shares(belief.driver_numbers(race.drivers), belief.car_numbers(race.lineages))
        learnt = Learnt(outlooks[phase], *(share.round(_DIGITS) for share in shares), parts.passes.circuit_factor)
        features.append(weekend_features(race, learnt, earlier.starts, known).assign(phase=phase))
    rows = pd.concat(features, ignore_index=True).assign(race_key=race.race_key)
    assert later is not None  # every weekend has a lock
    return WeekendModel(race.race_key, race.drivers, race.constructors, outlooks, known_until, later, notes, rows)


def _known_rows(rows: pd.DataFrame | None, phase: str) -> pd.DataFrame | None:
    if rows is None:
        return None
    column = KNOWN_COLUMN.get(phase)
    return rows.iloc[:0] if column is None else rows[rows[column].astype(bool)]


@dataclass(frozen=True)
class _Parts:
    """What is the same at every phase of a weekend; `base` is an outlook without strengths and known sessions."""

    race: EnteredRace
    earlier: Earlier
    base: WeekendOutlook
    sprint: RaceOutlook
    passes: Overtakes

    @classmethod
    def of(cls, history: WeekendHistory, earlier: Earlier, race: EnteredRace, settings: StrengthSettings) -> _Parts:
        """Estimate every part but pace from earlier races."""
        logits = retirement_logits(earlier.starts, race.drivers, race.lineages, race.circuit_id, race.season)
        passes = overtakes(earlier, race.drivers, race.circuit_id, race.season)
        won = honours(earlier.starts, race.drivers)
        crews = pit_crews(earlier.stops, race.constructor_lineages, dict(history.rules))
        untimed, disqualified = rare_rates(earlier.qualifying, earlier.starts)
        noise = {name: float(np.sqrt(settings.noise[name])) for name in ("qualifying", "sprint", "race")}
        grand_prix = RaceOutlook(noise["race"], settings.grid_weight, logits, passes.race, passes.log_sd)
        sprint_logits = logits + sprint_shift(earlier.starts, earlier.sprints)
        sprint = RaceOutlook(noise["sprint"], settings.sprint_grid_weight, sprint_logits, passes.sprint, passes.log_sd)
        size = len(race.drivers)
        base = WeekendOutlook(
            team=race.team,
            constructor_count=len(race.constructors),
            strength_mean=np.zeros(2 * size),
            strength_covariance=np.eye(2 * size),
            qualifying_sd=noise["qualifying"],
            no_time_rate=untimed,
            qualifying_position=None,
            grid_drops=grid_drops(earlier.qualifying, earlier.starts, earlier.sprints),
            race=grand_prix,
            sprint=sprint if race.has_sprint else None,
            attrition_sd=ATTRITION_SD,
            disqualified_rate=disqualified,
            overtakes_factor=passes.factor,
            fastest_lap_weight=won.fastest_lap_by_place,
            vote_weight=won.vote_by_driver,
            vote_by_place=won.vote_by_place,
            vote_per_place_gained=won.vote_per_place_gained,
            pit_log_ms=crews.log_ms,
            pit_log_sd=crews.log_sd,
        )
        return cls(race, earlier, base, sprint, passes)

    def outlook(self, belief: StrengthFilter, known: pd.DataFrame | None) -> WeekendOutlook:
        """Join the parts with what is believed of pace now and with sessions that are over."""
        driver, car = belief.driver_numbers(self.race.drivers), belief.car_numbers(self.race.lineages)
        mean, covariance = belief.strengths(driver, car)
        sessions = {} if known is None else {str(name): rows for name, rows in known.groupby("session")}
        return replace(
            self.base,
            strength_mean=mean.round(_DIGITS),
            strength_covariance=covariance.round(_DIGITS),
            qualifying_position=self._places(sessions.get("qualifying"), "position"),
            sprint=self._known_sprint(sessions),
        )

    def later(self, belief: StrengthFilter) -> LaterOutlook:
        """Join the parts with what is believed of pace now, apart from this weekend's form and circuit."""
        driver, car = belief.driver_numbers(self.race.drivers), belief.car_numbers(self.race.lineages)
        mean, covariance = belief.lasting(driver, car)
        circuits = sorted(self.earlier.starts["circuit_id"].unique())
        shifts = dict(zip(circuits, circuit_shifts(self.earlier.starts, circuits).tolist(), strict=True))
        weekend = replace(
            self.base,
            strength_mean=mean.round(_DIGITS),
            strength_covariance=covariance.round(_DIGITS),
            race=self._anywhere(self.base.race, shifts),
            sprint=self._anywhere(self.sprint, shifts),
        )
        return LaterOutlook(
            weekend,
            drift_covariance(driver, car, belief.settings),
            form_covariance(driver, car, belief.settings),
            shifts,
            self.passes.by_circuit,
            OVERTAKES_SD,
        )

    def _anywhere(self, race: RaceOutlook, shifts: Mapping[str, float]) -> RaceOutlook:
        """Take out what a race owes to its circuit."""
        return replace(
            race,
            retirement_logit=race.retirement_logit - shifts.get(self.race.circuit_id, 0.0),
            overtakes=race.overtakes / self.passes.circuit_factor,
            overtakes_sd=OVERTAKES_SD_UNKNOWN_CIRCUIT,
        )

    def _known_sprint(self, sessions: Mapping[str, pd.DataFrame]) -> RaceOutlook | None:
        """Fill in a sprint whose grid or result is known; before it, sprint qualifying stands for its grid."""
        if self.base.sprint is None:
            return None
        driven, shootout = sessions.get("sprint"), sessions.get("sprint_qualifying")
        if driven is not None:
            start, position = self._order(driven, "start_place"), self._places(driven, "position")
        else:
            start, position = (None if shootout is None else self._order(shootout, "position")), None
        return replace(self.base.sprint, start=start, position=position)

    def _places(self, rows: pd.DataFrame | None, column: str) -> np.ndarray | None:
        """Look up the places of the drivers on sale, 0 for none, counted from 1 without holes."""
        if rows is None:
            return None
        place = rows.set_index("driver_id")[column].reindex(list(self.race.drivers))
        return place.rank(method="first").fillna(0).to_numpy(dtype=np.int8)

    def _order(self, rows: pd.DataFrame, column: str) -> np.ndarray:
        """The same, those without a place last in the order of names."""
        place = rows.set_index("driver_id")[column].reindex(list(self.race.drivers))
        return place.fillna(np.inf).rank(method="first").to_numpy(dtype=np.int8)

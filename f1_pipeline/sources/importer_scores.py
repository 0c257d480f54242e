"""Make event_scores: the record's items where there is one, the rules applied to results where there is none.

Belongs here: choosing, season by season, where an asset's items come from, and reconciling them with the
official totals. Reading the records is :mod:`f1_pipeline.sources.fantasy_records`, the rules are
:mod:`f1_pipeline.game.scoring`, correcting a record's slips is :mod:`f1_pipeline.sources.score_repair`.
"""

from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.rules import AbsentRules, FastestStopsRules, SeasonRules
from f1_pipeline.game.scoring import SCORE_COLUMNS, SessionResults, score_constructors, score_drivers
from f1_pipeline.sources.fantasy_records import whole_points
from f1_pipeline.sources.score_repair import Item, Items, items_total, repair_constructor, repair_driver

_ASSET = ["race_key", "asset_type", "asset_id"]
_RENAMED = {
    "pitstop_fastest": "pit_stop_fastest_time",
    "pitstop_2nd_fastest": "pit_stop_second_fastest",
    "pitstop_3rd_fastest": "pit_stop_third_fastest",
    "pitstop_overall_fastest": "pit_stop_overall_fastest",
    "pitstop_total": "pit_stop_total",
}
# Some records of 2026 state a constructor by blocks; each is the sum of both cars' items of a session.
_BLOCKS = {
    "qualifying_drivers_sum": "qualifying",
    "sprint_drivers_sum": "sprint",
    "race_drivers_sum": "race",
}
_BONUS_BLOCK = "q2_q3_bonus"
_BONUSES = ("both_drivers_q3", "one_driver_q3", "both_drivers_q2", "one_driver_q2", "no_driver_q2")
_COUNTED = ("_overtakes", "_positions_gained", "_positions_lost")
_RESIDUAL = "official total less all other items"


def build_scores(
    season: int,
    facts: Mapping[str, pd.DataFrame],
    records: Mapping[str, pd.DataFrame],
    rules: SeasonRules,
) -> pd.DataFrame:
    """Make the event scores of one season.

    Parameters
    ----------
    season : int
        Championship year.
    facts : mapping of str to pandas.DataFrame
        races, qualifying_results, starting_grids, race_results and official_totals, all seasons.
    records : mapping of str to pandas.DataFrame
        Frames of :func:`f1_pipeline.sources.fantasy_records.read_records`.
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    pandas.DataFrame
        Columns of the event_scores table. Items of an asset that do not add up to its official total are left
        as they are: finding and explaining that is the work of the checks.

    Raises
    ------
    DataError
        A record names an unknown item, or states a block that its cars contradict.
    """
    return _Season(season, facts, records, rules).build()


class _Season:
    """The reconciliation of one season; drivers first, because constructors are made of them."""

    def __init__(
        self,
        season: int,
        facts: Mapping[str, pd.DataFrame],
        records: Mapping[str, pd.DataFrame],
        rules: SeasonRules,
    ) -> None:
        self.rules = rules
        races = facts["races"]
        races = races[races["season"] == season]
        self.has_sprint = dict(zip(races["race_key"], races["has_sprint"], strict=True))
        totals = facts["official_totals"]
        totals = totals[totals["race_key"].isin(races["race_key"])]
        self.totals = totals.sort_values(_ASSET).to_dict("records")
        scored = set(totals["race_key"])
        self.qualifying = _of_races(facts["qualifying_results"], scored, ("qualifying",))
        self.results = SessionResults(
            self.qualifying,
            _of_races(facts["starting_grids"], scored, ("sprint", "race")),
            _of_races(facts["race_results"], scored, ("sprint", "race")),
        )
        self.official = _official_items(records["fantasy_points"], scored)
        self.pit_totals = pit_stop_totals(rules)
        self.scores: list[dict[str, object]] = []

    def build(self) -> pd.DataFrame:
        """Return event scores; none before the season's first race."""
        columns = [*_ASSET, "constructor_id", *SCORE_COLUMNS[3:], "origin", "source"]
        if not self.totals:
            return pd.DataFrame(columns=columns)
        by_rules = _by_asset(score_drivers(self.results, self.rules), "driver", "F1DB results")
        for row in self.totals:
            if row["asset_type"] == "driver":
                self._add(row, self._driver(row, by_rules))
        drivers = pd.DataFrame(self.scores, columns=[*SCORE_COLUMNS, "asset_type", "origin", "source"])
        by_cars = _by_asset(
            score_constructors(drivers[SCORE_COLUMNS], self.qualifying, self.rules),
            "constructor",
            "both cars' items",
        )
        overtakes = drivers[drivers["scoring_item"].str.endswith("_overtakes")]
        car_overtakes = {
            key: dict(zip(cars["event_type"], cars["points"], strict=True))
            for key, cars in overtakes.groupby(["race_key", "constructor_id", "event_type"], as_index=False)["points"]
            .sum()
            .groupby(["race_key", "constructor_id"])
        }
        residual = overtakes[overtakes["origin"] == "residual"]
        residual_cars = set(zip(residual["race_key"], residual["constructor_id"], residual["event_type"], strict=True))
        for row in self.totals:
            if row["asset_type"] == "constructor":
                self._add(row, self._constructor(row, by_cars, car_overtakes, residual_cars, drivers))
        return pd.DataFrame(self.scores, columns=columns).astype({"position": "Int64"})

    def _driver(self, row: Mapping[str, object], by_rules: Mapping[object, Items]) -> Items:
        key, total = _key(row), int(str(row["total_points"]))
        expected = by_rules.get(key, {})
        if key in self.official:
            return repair_driver(self.official[key], expected, total, self.has_sprint[str(row["race_key"])])
        gap = total - items_total(expected)
        if gap <= 0:
            return expected
        # sprint and race overtakes of one weekend cannot be told apart, nor from the sprint's fastest lap
        name = "weekend_overtakes" if self.has_sprint[str(row["race_key"])] else "race_overtakes"
        return expected | {("race", name): Item(gap, None, "residual", _RESIDUAL)}

    def _constructor(
        self,
        row: Mapping[str, object],
        by_cars: Mapping[object, Items],
        car_overtakes: Mapping[object, Mapping[str, int]],
        residual_cars: set[tuple[str, str, str]],
        drivers: pd.DataFrame,
    ) -> Items:
        key, total = _key(row), int(str(row["total_points"]))
        race_key, constructor = str(row["race_key"]), str(row["asset_id"])
        expected = {
            item_key: _as_residual(item) if _is_residual(item_key, race_key, constructor, residual_cars) else item
            for item_key, item in by_cars.get(key, {}).items()
        }
        official = self.official.get(key)
        if official is None:
            gap = total - items_total(expected)
            if gap not in self.pit_totals or gap == 0:
                return expected
            return expected | {("race", "pit_stop_total"): Item(gap, None, "residual", _RESIDUAL)}
        if any(name in _BLOCKS for _, name in official):
            _check_blocks(race_key, constructor, official, drivers, expected)
            pit_stops = {item_key: item for item_key, item in official.items() if item_key[1] == "pit_stop_total"}
            return expected | pit_stops
        return repair_constructor(
            official, expected, total, car_overtakes.get((race_key, constructor), {}), self.pit_totals
        )

    def _add(self, row: Mapping[str, object], items: Items) -> None:
        for (event_type, name), item in sorted(items.items()):
            self.scores.append(
                {
                    "race_key": row["race_key"],
                    "asset_type": row["asset_type"],
                    "asset_id": row["asset_id"],
                    "constructor_id": row["constructor_id"],
                    "event_type": event_type,
                    "scoring_item": name,
                    "points": item.points,
                    "position": item.position,
                    # one point for each overtake and each place, by the rules of every season so far
                    "frequency": abs(item.points) if name.endswith(_COUNTED) else 1,
                    "origin": item.origin,
                    "source": item.source,
                }
            )


def pit_stop_totals(rules: SeasonRules) -> frozenset[int]:
    """List the pit-stop points that one team can have in a race.

    Parameters
    ----------
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    frozenset of int
        Every possible total, 0 included.
    """
    stops = rules.pit_stops
    if isinstance(stops, AbsentRules):
        return frozenset({0})
    if isinstance(stops, FastestStopsRules):
        chosen = (part for size in range(4) for part in combinations(stops.fastest_points, size))
        return frozenset(sum(part) for part in chosen)
    bands = (0, *stops.band_points)
    extras = (0, stops.overall_fastest, stops.overall_fastest + stops.world_record)
    return frozenset(band + extra for band in bands for extra in extras)


def _of_races(frame: pd.DataFrame, race_keys: set[str], sessions: tuple[str, ...]) -> pd.DataFrame:
    return frame[frame["race_key"].isin(race_keys) & frame["session"].isin(sessions)].reset_index(drop=True)


def _key(row: Mapping[str, object]) -> tuple[str, str, str]:
    return str(row["race_key"]), str(row["asset_type"]), str(row["asset_id"])


def _official_items(records: pd.DataFrame, race_keys: set[str]) -> dict[object, Items]:
    items: dict[object, Items] = {}
    for row in records[records["race_key"].isin(race_keys)].to_dict("records"):
        name = _RENAMED.get(row["scoring_item"], row["scoring_item"])
        is_place = row["asset_type"] == "driver" and name.endswith("_position") and row["frequency"] != ""
        position = whole_points(row["frequency"]) if is_place else None
        item = Item(whole_points(row["points"]), position, "official", row["source"])
        of_asset = items.setdefault(_key(row), {})
        if (row["session"], name) in of_asset:
            raise DataError(
                f"{row['race_key']}: {row['source']} has {name} of {row['asset_id']} twice ({row['session']})."
            )
        of_asset[(row["session"], name)] = item
    return items


def _by_asset(scores: pd.DataFrame, asset_type: str, source: str) -> dict[object, Items]:
    items: dict[object, Items] = {}
    for row in scores.to_dict("records"):
        position = None if pd.isna(row["position"]) else int(row["position"])
        item = Item(int(row["points"]), position, "derived", source)
        of_asset = items.setdefault((row["race_key"], asset_type, row["asset_id"]), {})
        of_asset[(row["event_type"], row["scoring_item"])] = item
    return items


def _is_residual(
    item_key: tuple[str, str], race_key: str, constructor: str, residual_cars: set[tuple[str, str, str]]
) -> bool:
    event_type, name = item_key
    return name.endswith("_overtakes") and (race_key, constructor, event_type) in residual_cars


def _as_residual(item: Item) -> Item:
    return item._replace(origin="residual", source="both cars' overtakes, themselves residuals")


def _check_blocks(race_key: str, constructor: str, official: Items, drivers: pd.DataFrame, expected: Items) -> None:
    cars = drivers[(drivers["race_key"] == race_key) & (drivers["constructor_id"] == constructor)]
    cars = cars[cars["scoring_item"] != "driver_of_the_day"]
    sums = cars.groupby("event_type")["points"].sum()
    for (event_type, name), item in official.items():
        if name in _BLOCKS:
            found = int(sums.get(_BLOCKS[name], 0))
        elif name == _BONUS_BLOCK:
            found = sum(own.points for (_, own_name), own in expected.items() if own_name in _BONUSES)
        else:
            continue
        if found != item.points:
            raise DataError(
                f"{race_key}: the record gives {constructor} {item.points} as {name} ({event_type}), "
                f"its cars add up to {found}."
            )

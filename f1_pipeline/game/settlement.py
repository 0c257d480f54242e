"""What a line-up scores in a race: points of its assets, floors, multipliers and penalties, one after the other.

Belongs here: points of a team. What becomes of its money and transfers is :mod:`f1_pipeline.game.team`; what an asset
scores is :mod:`f1_pipeline.game.scoring` or, for races gone by, the facts.

The order is the official one: points of each asset and item, No Negative, multipliers, sum, penalties of the team.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.chips import Autopilot, Chip, ExtraBoost, FinalFix, NoNegative, session_order, with_swap
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import DRIVER, AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.score_items import floored_points

ITEM_COLUMNS = ["asset_type", "asset_id", "event_type", "scoring_item", "points"]

Item = tuple[str, str, float]
"""(event_type, scoring_item, points)."""

RaceItems = Mapping[AssetKey, tuple[Item, ...]]
"""Items of a race by (asset_type, asset_id), drivers by their ids as in the facts."""


@dataclass(frozen=True)
class AssetScore:
    """What one asset brings to a team in a race.

    Parameters
    ----------
    key
        The asset, a driver by his seat.
    sessions
        Sessions that count for the team: all, but for the two drivers of a Final Fix; none for an inactive asset.
    raw_points
        Points of those sessions.
    floored_points
        The same after No Negative, if played.
    multiplier
        1, or the factor of a boost.
    """

    key: AssetKey
    sessions: tuple[str, ...]
    raw_points: float
    floored_points: float
    multiplier: int

    @property
    def points(self) -> float:
        """Return what counts for the team."""
        return self.floored_points * self.multiplier


@dataclass(frozen=True)
class RaceResult:
    """What a team scored in a race, part by part.

    Parameters
    ----------
    race_key
        The race.
    chip
        Name of the chip played, if any.
    scores
        One per asset of the line-up, and one for the incoming driver of a Final Fix.
    transfer_count
        Transfers that counted against the free ones.
    transfer_points
        Penalty for those above the free ones, 0 or less.
    inactive_keys
        Assets held at the lock that took no part.
    inactive_points
        Penalty for those, 0 or less.
    """

    race_key: str
    chip: str | None
    scores: tuple[AssetScore, ...]
    transfer_count: int
    transfer_points: int
    inactive_keys: tuple[AssetKey, ...]
    inactive_points: int

    @property
    def total_points(self) -> float:
        """Return the points of the team."""
        return sum(score.points for score in self.scores) + self.transfer_points + self.inactive_points


def index_items(items: pd.DataFrame, race_key: str) -> RaceItems:
    """Index the scoring items of a race by asset; worth the while when many teams settle the same race.

    Parameters
    ----------
    items : pandas.DataFrame
        ``ITEM_COLUMNS``, rows of one race; other columns are ignored, but a race_key must be that of the race.
    race_key : str
        The race.

    Returns
    -------
    RaceItems
        Items by asset, in the order of the rows.

    Raises
    ------
    DataError
        A column is missing, rows belong to another race, or an item is listed twice.
    """
    missing = [name for name in ITEM_COLUMNS if name not in items.columns]
    if missing:
        raise DataError(
            f"{race_key}: scoring items: expected the columns {', '.join(ITEM_COLUMNS)}, found no {missing}."
        )
    if "race_key" in items.columns and (items["race_key"] != race_key).any():
        found = ", ".join(sorted(set(items["race_key"]) - {race_key}))
        raise DataError(f"{race_key}: scoring items: expected those of the race alone, found some of {found}.")
    twice = items.duplicated(ITEM_COLUMNS[:-1])
    if twice.any():
        row = items.loc[twice, ITEM_COLUMNS[:-1]].iloc[0]
        raise DataError(f"{race_key}: scoring items: expected each once, found {' '.join(map(str, row))} twice.")
    found_items: dict[AssetKey, list[Item]] = {}
    columns = [items[name].tolist() for name in ITEM_COLUMNS]
    for asset_type, asset_id, event_type, scoring_item, points in zip(*columns, strict=True):
        found_items.setdefault((asset_type, asset_id), []).append((event_type, scoring_item, points))
    return {key: tuple(rows) for key, rows in found_items.items()}


def score_lineup(
    lineup: Lineup, chip: Chip | None, items: RaceItems, menu: RaceMenu, rules: SeasonRules
) -> tuple[AssetScore, ...]:
    """Score the assets of a line-up, chip and boost included.

    Parameters
    ----------
    lineup : Lineup
        The line-up at the lock, drivers by seat.
    chip : Chip or None
        The chip played, drivers by seat.
    items : RaceItems
        Items of every asset that took part.
    menu : RaceMenu
        The menu at the lock.
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    tuple of AssetScore
        In the order of the line-up; the incoming driver of a Final Fix last.

    Raises
    ------
    DataError
        An asset that takes part has no items, or an item belongs to no session that scores.

    References
    ----------
    Official game rules, seasons 2023-2026: items, then No Negative, then multipliers.
    """
    sessions = session_order(rules, menu.has_sprint)
    played: dict[AssetKey, tuple[str, ...]] = dict.fromkeys(lineup.asset_keys, sessions)
    if isinstance(chip, FinalFix):
        swap_at = sessions.index(chip.after_session) + 1
        played[DRIVER, chip.outgoing] = sessions[:swap_at]
        played[DRIVER, chip.incoming] = sessions[swap_at:]
    played = {key: sessions if menu.is_active(key) else () for key, sessions in played.items()}
    counted = {key: _items_of(key, own, items, menu, sessions) for key, own in played.items()}
    raw = {key: sum(points for _, _, points in rows) for key, rows in counted.items()}
    floored = {key: _floored(rows, rules) for key, rows in counted.items()} if isinstance(chip, NoNegative) else raw
    factors = _multipliers(lineup, chip, raw, rules)
    return tuple(AssetScore(key, played[key], raw[key], floored[key], factors.get(key, 1)) for key in played)


def inactive_points(keys: tuple[AssetKey, ...], menu: RaceMenu, rules: SeasonRules) -> int:
    """Charge a team for the assets that it held at the lock and that took no part.

    Parameters
    ----------
    keys : tuple of AssetKey
        The inactive assets held.
    menu : RaceMenu
        The menu at the lock.
    rules : SeasonRules
        The rules of the season.

    Returns
    -------
    int
        0 or less. Neither boosts nor No Negative change it.

    References
    ----------
    Section ``inactive`` of ``data/rules``: from Azerbaijan 2024 on.
    """
    if not menu.is_at_or_after(rules.inactive.first_race_key):
        return 0
    each = rules.inactive.sprint_weekend_points if menu.has_sprint else rules.inactive.normal_weekend_points
    return each * len(keys)


def _items_of(
    key: AssetKey, own: tuple[str, ...], items: RaceItems, menu: RaceMenu, sessions: tuple[str, ...]
) -> list[Item]:
    if not menu.is_active(key):
        return []
    asset_type, asset_id = key
    fact_id = driver_of(asset_id) if asset_type == DRIVER else asset_id
    if (asset_type, fact_id) not in items:
        raise DataError(f"{menu.race_key}: points of {asset_type} {fact_id!r}: expected scoring items, found none.")
    for event_type, scoring_item, _ in items[asset_type, fact_id]:
        if event_type not in sessions:
            raise DataError(
                f"{menu.race_key}: {scoring_item} of {asset_type} {fact_id!r}: expected event_type "
                f"{' or '.join(sessions)}, found {event_type!r}."
            )
    return [item for item in items[asset_type, fact_id] if item[0] in own]


def _floored(rows: list[Item], rules: SeasonRules) -> float:
    return float(floored_points([points for _, _, points in rows], rules.chips.no_negative.floor))


def _multipliers(
    lineup: Lineup, chip: Chip | None, raw: Mapping[AssetKey, float], rules: SeasonRules
) -> dict[AssetKey, int]:
    boosted = lineup.boosted_driver
    if isinstance(chip, Autopilot):
        # Equal totals leave the boost where it is; max keeps the first of equals, hence the boosted driver in front.
        boosted = max((boosted, *lineup.drivers), key=lambda driver: raw[DRIVER, driver])
    factors: dict[AssetKey, int] = {(DRIVER, boosted): rules.boost.multiplier}
    if isinstance(chip, ExtraBoost):
        factors[DRIVER, chip.driver] = rules.chips.extra_boost.multiplier
    if isinstance(chip, FinalFix):
        factors[DRIVER, with_swap(lineup, chip).boosted_driver] = rules.boost.multiplier
    return factors

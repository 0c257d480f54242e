"""How prices move, season by season, as tables; and one real move of each kind worked out.

Belongs here: the part of the scoring rules about prices. Moving prices is :mod:`f1_pipeline.game.prices`; the frame of
the document is :mod:`f1_pipeline.report.scoring_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import pandas as pd

from f1_pipeline.errors import DataError
from f1_pipeline.game.price_history import SeasonPrices, prices_by_rules
from f1_pipeline.game.rules import FieldMeanRules, PointsPerMillionRules, PriceRules, SeasonRules, load_rules
from f1_pipeline.report.rule_chapters import FIELD_MEAN, POINTS_PER_MILLION, PRICES
from f1_pipeline.report.rule_evidence import Constant
from f1_pipeline.report.rule_facts import Facts
from f1_pipeline.report.rule_words import change, folded, millions, race_name, sentence, signed, words_of, wrapped

PRICE_SECTION = "prices["

# asset and race whose points moved the price: a move of each kind of rule
_PER_MILLION_EXAMPLE = ("2026-canada", "alexander-albon")
_FIELD_MEAN_EXAMPLE = ("2024-azerbaijan", "franco-colapinto")


def render_prices(
    rules: Mapping[int, SeasonRules], constants: Mapping[int, Sequence[Constant]], data_dir: Path
) -> list[str]:
    """Render the price rules of every season.

    Parameters
    ----------
    rules : mapping of int to SeasonRules
        Rules by season, in order.
    constants : mapping of int to sequence of Constant
        The same with their evidence.
    data_dir : Path
        Directory of the facts, for the worked moves.

    Returns
    -------
    list of str
        Blocks of Markdown.

    Raises
    ------
    DataError
        A worked move is not in the facts, or is not what the rules say.
    """
    facts = Facts(data_dir)
    parts = [PRICES]
    for season in sorted(rules, reverse=True):
        for index, of in enumerate(rules[season].prices):
            found = [c for c in constants[season] if c.section == f"{PRICE_SECTION}{index}]"]
            parts += _render_one(season, of, found)
    parts += ["### Two moves worked out", _per_million_move(facts, *_PER_MILLION_EXAMPLE)]
    return [*parts, _field_mean_move(facts, *_FIELD_MEAN_EXAMPLE)]


def _render_one(season: int, rules: PriceRules, found: Sequence[Constant]) -> list[str]:
    if not isinstance(rules, PointsPerMillionRules | FieldMeanRules):
        return [f"### {season}", *(sentence(str(c.value)) for c in found if c.name == "note"), _sources(found)]
    first = f", from {race_name(rules.first_race_key).rpartition(' ')[0]} on" if rules.first_race_key else ""
    if isinstance(rules, PointsPerMillionRules):
        text = POINTS_PER_MILLION.format(race_count=rules.race_count)
        bands = {"points per million": _ranges([f"{limit / 1000:.3f}" for limit in rules.value_from_thousandths])}
    else:
        text, bands = FIELD_MEAN, _mean_bands(rules)
    highest = f"highest {millions(rules.maximum_tenths)}" if rules.maximum_tenths else "no highest price met"
    ends = f"Lowest price {millions(rules.minimum_tenths)}, {highest}."
    return [f"### {season}{first}", text, _steps(bands, rules), ends, _sources(found)]


def _ranges(limits: Sequence[str]) -> list[str]:
    """Name the bands between rising limits, each of which belongs to the band above it."""
    inner = [f"{low} to below {high}" for low, high in pairwise(limits)]
    return [f"below {limits[0]}", *inner, f"{limits[-1]} and more"]


def _mean_bands(rules: FieldMeanRules) -> dict[str, list[str]]:
    columns = {"a driver's points": rules.driver_mean_tenths, "a constructor's points": rules.constructor_mean_tenths}
    if len(set(columns.values())) == 1:
        columns = {"points": rules.driver_mean_tenths}
    return {name: _multiples(limits, rules.is_limit_included) for name, limits in columns.items()}


def _multiples(tenths: Sequence[int], is_included: Sequence[bool]) -> list[str]:
    """Name the bands between multiples of the mean; a limit is part of the band above it where it is included."""
    limits = [f"{signed(limit / 10)} × mean" if limit else "0" for limit in tenths]
    ends = [f"{'below' if is_in else 'up to'} {limit}" for limit, is_in in zip(limits, is_included, strict=True)]
    return [*ends, f"{'from' if is_included[-1] else 'above'} {limits[-1]}"]


def _steps(bands: Mapping[str, Sequence[str]], rules: PointsPerMillionRules | FieldMeanRules) -> str:
    tiers = _tier_names(rules.tier_from_tenths)
    lines = [f"| {' | '.join([*bands, *tiers])} |", f"|{'---|' * (len(bands) + len(tiers))}"]
    for band, ranges in enumerate(zip(*bands.values(), strict=True)):
        lines.append(f"| {' | '.join([*ranges, *(change(steps[band]) for steps in rules.tier_steps_tenths)])} |")
    return "\n".join(lines)


def _tier_names(lowest: Sequence[int]) -> list[str]:
    below = [f", below {millions(limit)}" for limit in lowest[:-1]]
    names = [f"at {millions(limit)} and more" if limit else "" for limit in lowest]
    return [(name + end).lstrip(", ") for name, end in zip(names, ["", *below], strict=True)]


def _sources(found: Iterable[Constant]) -> str:
    lines = [
        f"* {words_of(c.key)[0]}: {words_of(c.key)[1](c.value)} ({c.confidence}: {c.source.rstrip('.')})."
        for c in found
        if c.name != "note"
    ]
    lines += [f"* {c.confidence}: {c.source.rstrip('.')}." for c in found if c.name == "note"]
    return folded("Constants and sources", lines)


def _move(facts: Facts, race_key: str, asset_id: str) -> pd.Series:
    """Work out the move of an asset's price over a race, which must be the official one."""
    season = int(race_key[:4])
    calendar = facts.calendar(season)
    points = facts.totals.rename(columns={"total_points": "points"})
    prices = SeasonPrices.of(calendar, facts.prices, points)
    following = calendar[calendar.index(race_key) + 1]
    rows = prices_by_rules(prices, following, load_rules(facts.data_dir, season).prices)
    own = rows[rows["asset_id"] == asset_id]
    if len(own) != 1 or own["ruled_tenths"].item() != own["official_tenths"].item():
        raise DataError(
            f"{following}: worked price of {asset_id!r}: expected one move that is the official one, found "
            f"{own[['ruled_tenths', 'official_tenths']].to_dict('records')}."
        )
    return own.iloc[0]


def _per_million_move(facts: Facts, race_key: str, asset_id: str) -> str:
    move = _move(facts, race_key, asset_id)
    calendar = facts.calendar(int(race_key[:4]))
    place = calendar.index(race_key) + 1
    count, total = int(move["window_race_count"]), int(move["window_points"])
    totals = facts.totals[facts.totals["asset_id"] == asset_id].set_index("race_key")["total_points"]
    raced = [key for key in calendar[:place] if key in totals.index][-count:]
    if sum(int(totals[key]) for key in raced) != total:
        raise DataError(f"{race_key}: worked price of {asset_id!r}: expected the points of {raced} to be {total}.")
    told = ", ".join(f"{signed(int(totals[key]))} in {race_name(key).rpartition(' ')[0]}" for key in raced)
    before = int(move["before_tenths"])
    return wrapped(
        f"**{facts.names[asset_id]} after {race_name(race_key)}.** {told}: {signed(total)} points in {count} races. "
        f"At {millions(before)} that is {signed(total)} / {count} / {before / 10} = {move['points_per_million']:.3f} "
        f"points per million. {_outcome(move)}"
    )


def _field_mean_move(facts: Facts, race_key: str, asset_id: str) -> str:
    move = _move(facts, race_key, asset_id)
    of_race = facts.totals[(facts.totals["race_key"] == race_key) & (facts.totals["asset_type"] == move["asset_type"])]
    total, count = int(of_race["total_points"].sum()), len(of_race)
    points, mean = int(move["points"]), int(move["field_mean_points"])
    return wrapped(
        f"**{facts.names[asset_id]} after {race_name(race_key)}.** The {count} {move['asset_type']}s of the race had "
        f"{signed(total)} points, {total / count:.2f} each, rounded {mean}. He had {signed(points)}, "
        f"{points / mean:.2f} × mean. {_outcome(move)}"
    )


def _outcome(move: pd.Series) -> str:
    before, step, after = (int(move[name]) for name in ("before_tenths", "step_tenths", "ruled_tenths"))
    return f"From {millions(before)} that is {change(step)}, and {millions(after)} was his price at the next race."

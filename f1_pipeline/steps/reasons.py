"""Why an asset is in a line-up, in plain words: form, pace, price, and what doing without it costs.

Belongs here: the figures behind a pick and the one or two sentences made of them. What is not known is left out.
Neighbours: `race_choice` finds the line-ups; `lineups` and the report show the sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from f1_pipeline.game.lineup import DRIVER, AssetKey
from f1_pipeline.optimize.problem import LineupProblem
from f1_pipeline.optimize.shadow import PickCost
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_races import fact_key
from f1_pipeline.warehouse.frames import read_frame

EQUAL_FORM_POINTS = 2.0
LIKELY = 0.6
MOST_REPLACEMENTS = 3
NAMED_PLACES = ("fastest", "second", "third")

FIGURES = """
    with form as (
        select
            race_key, 'driver' as asset_type, driver_id as asset_id, last_3_mean_points, season_mean_points,
            practice_gap_pct
        from features.driver_race_feature
        where race_key = $race_key
        union all
        select race_key, 'constructor', constructor_id, last_3_mean_points, season_mean_points, practice_gap_pct
        from features.constructor_race_feature
        where race_key = $race_key
    ),

    moves as (
        select
            asset_type, asset_id, sum(probability) filter (where step_musd > 0) as rise_probability,
            sum(probability) filter (where step_musd < 0) as fall_probability
        from predictions.price_step_probability
        where race_key = $race_key and phase = 'at_lock'
        group by asset_type, asset_id
    )

    select
        frm.asset_type, frm.asset_id, frm.last_3_mean_points, frm.season_mean_points,
        if(
            frm.practice_gap_pct is null, null,
            rank() over (partition by frm.asset_type order by frm.practice_gap_pct nulls last)
        ) as practice_place,
        loo.qualifying_position_mean as qualifying_place, loo.race_position_mean as race_place,
        mov.rise_probability, mov.fall_probability
    from form as frm
    left join predictions.driver_outlook as loo
        on
            frm.race_key = loo.race_key and loo.phase = 'at_lock'
            and frm.asset_type = 'driver' and frm.asset_id = loo.driver_id
    left join moves as mov using (asset_type, asset_id)
"""


@dataclass(frozen=True)
class PickFigures:
    """What speaks for and against an asset; None is not known.

    Attributes
    ----------
    asset_type : str
    price_musd, expected_points : float
        Million dollars; the boost not counted.
    is_active : bool
        Whether it takes part in the race.
    last_3_mean_points, season_mean_points : float or None
    practice_place : int or None
        Place by the best lap before the lock, among drivers or among constructors.
    qualifying_place, race_place : float or None
        Mean places over simulated weekends, of a driver.
    rise_probability, fall_probability : float or None
        Of its price after the race.
    points_lost : float or None
        What the best line-up without it scores less.
    replacements : tuple of str
        Names of those who come in then.
    """

    asset_type: str
    price_musd: float
    expected_points: float
    is_active: bool = True
    last_3_mean_points: float | None = None
    season_mean_points: float | None = None
    practice_place: int | None = None
    qualifying_place: float | None = None
    race_place: float | None = None
    rise_probability: float | None = None
    fall_probability: float | None = None
    points_lost: float | None = None
    replacements: tuple[str, ...] = ()


def pick_reasons(
    pipeline: Pipeline,
    problem: LineupProblem,
    names: Mapping[AssetKey, str],
    keys: Sequence[AssetKey],
    costs: Sequence[PickCost] = (),
) -> dict[AssetKey, str]:
    """Say why each of some assets is in a line-up.

    Parameters
    ----------
    pipeline : Pipeline
    problem : LineupProblem
        Of a race whose features and forecasts are in the warehouse, drivers by seat.
    names : mapping of AssetKey to str
        What people call the assets.
    keys : sequence of AssetKey
        The assets held.
    costs : sequence of PickCost
        What doing without some of them costs.

    Returns
    -------
    dict of AssetKey to str
    """
    with pipeline.warehouse.read() as connection:
        rows = read_frame(connection, FIGURES, {"race_key": problem.race_key})
    known = rows.astype(object).where(rows.notna(), None).set_index(["asset_type", "asset_id"]).to_dict("index")
    points = dict(zip(problem.asset_keys, [*problem.driver_points, *problem.constructor_points], strict=True))
    cost_of = {cost.key: cost for cost in costs}
    found = {}
    for key in keys:
        figures = PickFigures(key[0], problem.prices[key] / 10, float(points[key]))
        if key in problem.only_if_held:
            figures = replace(figures, is_active=False)
        else:
            figures = replace(figures, **known.get(fact_key(key), {}))
        if key in cost_of:
            names_in = tuple(names[other] for other in cost_of[key].replacements)
            figures = replace(figures, points_lost=cost_of[key].points_lost, replacements=names_in)
        found[key] = reason(figures)
    return found


def reason(figures: PickFigures) -> str:
    """Put the figures of a pick in one or two short sentences."""
    if not figures.is_active:
        parts = [["takes no part in the race", _inactive_points(figures)], [_cost(figures)]]
    else:
        parts = [[_form(figures), _pace(figures)], [_value(figures), _cost(figures)]]
    clauses = ["; ".join(part for part in sentence if part) for sentence in parts]
    return " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in clauses if clause)


def _inactive_points(figures: PickFigures) -> str:
    return f"keeping the asset costs {_points(-figures.expected_points)}" if round(figures.expected_points) < 0 else ""


def _form(figures: PickFigures) -> str:
    last, season = figures.last_3_mean_points, figures.season_mean_points
    if last is None:
        return ""
    if season is None:
        return f"{_points(last)} a race over the last three"
    if abs(last - season) < EQUAL_FORM_POINTS or round(last) == round(season):
        return f"about {_points(last)} a race, lately as all season"
    side = "above" if last > season else "below"
    return f"{_points(last)} a race over the last three, {side} the season's {season:.0f}"


def _pace(figures: PickFigures) -> str:
    said = []
    if figures.practice_place is not None:
        said.append(f"{_place(int(figures.practice_place))} in practice")
    if figures.qualifying_place is not None and figures.race_place is not None:
        qualifying, race = round(figures.qualifying_place), round(figures.race_place)
        same = f"qualify and finish around {_ordinal(race)}"
        said.append(
            f"expected to {same if qualifying == race else f'qualify {_ordinal(qualifying)}, finish {_ordinal(race)}'}"
        )
    return ", ".join(said)


def _value(figures: PickFigures) -> str:
    per_million = figures.expected_points / figures.price_musd
    if per_million < 0.05:
        worth = f"held for its price, ${figures.price_musd:.1f}M, not for points"
    else:
        worth = f"{per_million:.1f} points per million"
    rise, fall = figures.rise_probability or 0.0, figures.fall_probability or 0.0
    if max(rise, fall) < LIKELY:
        return worth
    way, probability = ("rises", rise) if rise >= fall else ("falls", fall)
    tenths = round(probability * 10)
    how_sure = "almost surely" if tenths >= 10 else f"in {tenths} weekends of 10"
    price = f"price {way} {how_sure}" if tenths < 10 else f"price {how_sure} {way}"
    return f"{worth}, {price}"


def _cost(figures: PickFigures) -> str:
    if figures.points_lost is None:
        return ""
    who = figures.replacements
    if len(who) > MOST_REPLACEMENTS:
        instead = f"{len(who)} others come in"
    else:
        instead = f"{_listed(who)} {'comes' if len(who) == 1 else 'come'} in" if who else ""
    whom = "him" if figures.asset_type == DRIVER else "it"
    if round(figures.points_lost) == 0:
        loss = f"without {whom} the line-up is as good"
    elif figures.points_lost < 0:
        loss = f"locked: without {whom} the line-up would score {_points(-figures.points_lost)} more"
    else:
        loss = f"without {whom} the line-up scores {_points(figures.points_lost)} less"
    return f"{loss} ({instead})" if instead else loss


def _points(points: float) -> str:
    rounded = round(points)
    return f"{rounded} point{'' if rounded in (1, -1) else 's'}"


def _place(place: int) -> str:
    return NAMED_PLACES[place - 1] if place <= len(NAMED_PLACES) else _ordinal(place)


def _ordinal(place: int) -> str:
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)

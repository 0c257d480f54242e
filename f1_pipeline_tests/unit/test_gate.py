"""The gate: paired comparisons by hand, one standard error, the veto of the line-ups, and nothing from the future."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.forecast.gate import CHALLENGERS, FIRST_CHAMPION, MIN_RACES, Comparison, Decision, compare, decide

# Five losses of 2 and five gains of 4: mean 1, and a standard error of sqrt(10) / sqrt(10) = 1.
EXACTLY_ONE = [-2.0] * 5 + [4.0] * 5


def table(crps, lineup=None):
    """Figures of one candidate, by race."""
    lineup = [100.0] * len(crps) if lineup is None else lineup
    index = [f"r{number:02d}" for number in range(len(crps))]
    return pd.DataFrame({"crps_points": crps, "lineup_points": lineup}, index=index, dtype=float)


def figures(**candidates):
    """Figures of several candidates as they are stored."""
    parts = [own.rename_axis("race_key").reset_index().assign(candidate=name) for name, own in candidates.items()]
    return pd.concat(parts, ignore_index=True)


def gaining(gains, lineup_gains=None):
    """A challenger whose CRPS is lower by the gains, and whose line-ups score more, than a champion of 20 and 100."""
    lineup_gains = [0.0] * len(gains) if lineup_gains is None else lineup_gains
    return table([20.0 - gain for gain in gains], [100.0 + gain for gain in lineup_gains])


def level(count):
    return table([20.0] * count)


def races(count):
    return [f"r{number:02d}" for number in range(count)]


# One comparison.


def test_comparison_by_hand():
    found = compare(
        gaining([1.0, 2.0, 3.0, 6.0], [5.0, -5.0, 5.0, -1.0]),
        level(4),
        "ridge",
    )
    # gains 1, 2, 3, 6: mean 3, variance 14 / 3, standard error sqrt(14 / 12)
    # line-ups 5, -5, 5, -1: mean 1, variance (16 + 36 + 16 + 4) / 3 = 24, standard error sqrt(6)
    assert found == Comparison("ridge", 4, 3.0, pytest.approx(math.sqrt(14 / 12)), 1.0, pytest.approx(math.sqrt(6)))


def test_a_lower_crps_and_more_points_are_gains():
    found = compare(table([10.0, 11.0], [150.0, 140.0]), table([12.0, 12.0], [120.0, 130.0]), "ridge")
    assert (found.crps_gain, found.lineup_gain) == (1.5, 20.0)
    turned = compare(table([12.0, 12.0], [120.0, 130.0]), table([10.0, 11.0], [150.0, 140.0]), "ridge")
    assert (turned.crps_gain, turned.lineup_gain) == (-1.5, -20.0)


def test_only_races_with_all_four_figures_are_compared():
    challenger, champion = gaining([1.0, 2.0, 3.0, 4.0]), level(4)
    challenger.loc["r01", "crps_points"] = np.nan
    champion.loc["r02", "lineup_points"] = np.nan
    found = compare(challenger, champion, "ridge")
    assert (found.race_count, found.crps_gain) == (2, 2.5)


@pytest.mark.parametrize("count", [0, 1])
def test_a_single_pair_does_not_tell_its_spread(count):
    found = compare(gaining([1.0] * count), level(count), "ridge")
    assert found.race_count == count
    assert np.isnan([found.crps_gain, found.crps_gain_se, found.lineup_gain, found.lineup_gain_se]).all()
    assert not found.is_better


@pytest.mark.parametrize(
    ("race_count", "crps", "lineup", "expected"),
    [
        (8, (1.0, 1.0), (0.0, 5.0), True),  # exactly one standard error
        (8, (1.0, 1.0001), (0.0, 5.0), False),
        (8, (0.0, 0.0), (9.0, 1.0), False),  # no gain is no gain, however sure
        (8, (1e-6, 0.0), (0.0, 0.0), True),
        (8, (-2.0, 1.0), (9.0, 1.0), False),
        (8, (5.0, 1.0), (-5.0, 5.0), True),  # exactly one standard error less
        (8, (5.0, 1.0), (-5.0001, 5.0), False),  # the veto
        (8, (5.0, 1.0), (50.0, 5.0), True),
        (7, (5.0, 1.0), (50.0, 5.0), False),  # too few races
        (8, (math.nan, math.nan), (50.0, 5.0), False),
    ],
)
def test_the_rule(race_count, crps, lineup, expected):
    assert Comparison("ridge", race_count, *crps, *lineup).is_better is expected


# Replaying a season.


def test_a_made_up_season():
    # The average gains 1 in every race but one, the ridge gains 2 in every race from the fifth on.
    count = 14
    average = [1.0, 0.5] + [1.0] * 12
    ridge = [0.0] * 4 + [3.0] * 10
    decisions = decide(figures(strength=level(count), average=gaining(average), ridge=gaining(ridge)), races(count))
    champions = [each.champion for each in decisions]
    # Before the ninth race eight pairs are known. Then the ridge, which gains 1.5 on average (0.57 more than the
    # average does), is the best of two that are both better, and stays.
    assert champions == ["strength"] * 8 + ["ridge"] * 6
    promotion = decisions[8]
    assert promotion.is_promotion
    assert promotion.previous == "strength"
    assert [each.candidate for each in promotion.comparisons] == ["average", "ridge"]
    assert [each.is_better for each in promotion.comparisons] == [True, True]
    assert promotion.comparisons[1].crps_gain == 1.5
    assert [each.is_promotion for each in decisions].count(True) == 1
    # from then on it is the ridge that is challenged
    assert [each.candidate for each in decisions[9].comparisons] == ["average", "strength"]


def test_a_champion_that_fails_is_replaced_in_turn():
    # the ridge gains 1 in ten races and then loses 9 in each
    gains = [1.0] * 10 + [-9.0] * 8
    decisions = decide(figures(strength=level(18), ridge=gaining(gains)), races(18))
    champions = [each.champion for each in decisions]
    # it has lost 0.67 on average after two lost races, with an error of 1.12, and 1.31 after three, with one of 1.22
    assert champions == ["strength"] * 8 + ["ridge"] * 5 + ["strength"] * 5


def test_promotes_at_exactly_one_standard_error():
    order = races(11)
    decisions = decide(figures(strength=level(10), ridge=gaining(EXACTLY_ONE)), order)
    assert decisions[10].champion == "ridge"
    assert (decisions[10].comparisons[0].crps_gain, decisions[10].comparisons[0].crps_gain_se) == (1.0, 1.0)
    less = [*EXACTLY_ONE[:-1], 3.999]
    assert decide(figures(strength=level(10), ridge=gaining(less)), order)[10].champion == "strength"


def test_lineups_veto_beyond_one_standard_error():
    order, losses = races(11), [-own for own in EXACTLY_ONE]
    allowed = decide(figures(strength=level(10), ridge=gaining(EXACTLY_ONE, losses)), order)[10]
    assert allowed.champion == "ridge"
    assert (allowed.comparisons[0].lineup_gain, allowed.comparisons[0].lineup_gain_se) == (-1.0, 1.0)
    more = [*losses[:-1], -4.001]
    vetoed = decide(figures(strength=level(10), ridge=gaining(EXACTLY_ONE, more)), order)[10]
    assert vetoed.champion == "strength"
    assert vetoed.comparisons[0].lineup_gain < -vetoed.comparisons[0].lineup_gain_se


@pytest.mark.parametrize("count", range(MIN_RACES))
def test_fewer_than_eight_races_never_promote(count):
    decisions = decide(figures(strength=level(8), ridge=gaining([9.0] * 8)), races(count + 1))
    assert decisions[-1].champion == FIRST_CHAMPION
    assert decisions[-1].comparisons[0].race_count == count


def test_the_race_count_is_of_races_compared_not_of_races_passed():
    late = gaining([math.nan] * 6 + [2.0, 2.5] * 5)
    champions = [each.champion for each in decide(figures(strength=level(16), ridge=late), races(17))]
    assert champions == ["strength"] * 14 + ["ridge"] * 3


def test_without_figures_of_the_champion_nobody_is_compared():
    empty = figures(strength=level(0))
    assert [each.champion for each in decide(empty, races(3))] == ["strength"] * 3
    decisions = decide(figures(ridge=gaining([5.0] * 12)), races(12))
    assert {(each.champion, each.comparisons) for each in decisions} == {("strength", ())}
    assert decide(empty, []) == []


def test_candidates_that_are_no_challengers_are_ignored():
    names = {"ewma_price_prior": gaining([9.0] * 12), "strength": level(12)}
    assert [each.champion for each in decide(figures(**names), races(13))] == ["strength"] * 13


GAINS = st.lists(st.floats(-5, 5, width=16), min_size=14, max_size=14)


def text(decisions):
    """Spell decisions out, NaN included."""
    return [repr(each) for each in decisions]


@settings(derandomize=True, database=None, deadline=None, max_examples=15)
@given(ridge=GAINS, average=GAINS, lineup=GAINS, at=st.integers(0, 13), other=st.floats(-100, 100))
def test_a_decision_ignores_its_race_and_later_ones(ridge, average, lineup, at, other):
    before = figures(strength=level(14), ridge=gaining(ridge, lineup), average=gaining(average))
    is_later = before["race_key"] >= races(14)[at]
    altered = before.copy()
    altered.loc[is_later & (altered["candidate"] == "ridge"), ["crps_points", "lineup_points"]] = other
    made = decide(before, races(14))
    expected = text(made)[: at + 1]
    assert text(decide(altered, races(14)))[: at + 1] == expected
    assert text(decide(before.sample(frac=1.0, random_state=1), races(at + 1))) == expected
    gone = decide(before[~is_later], races(at + 1))
    assert [each.champion for each in gone] == [each.champion for each in made[: at + 1]]


@settings(derandomize=True, database=None, deadline=None, max_examples=15)
@given(ridge=GAINS, average=GAINS, boosting=GAINS, lineup=GAINS)
def test_every_promotion_keeps_the_rule_and_every_stay_had_no_better(ridge, average, boosting, lineup):
    given_figures = figures(
        strength=level(14), ridge=gaining(ridge, lineup), average=gaining(average), boosting=gaining(boosting)
    )
    champion = FIRST_CHAMPION
    for count, decision in enumerate(decide(given_figures, races(14))):
        assert decision.previous == champion
        assert {each.candidate for each in decision.comparisons} == set(CHALLENGERS) - {champion}
        better = {each.candidate: each.crps_gain for each in decision.comparisons if each.is_better}
        if decision.is_promotion:
            assert count >= MIN_RACES
            assert better[decision.champion] == max(better.values()) > 0
        else:
            assert better == {}
        champion = decision.champion


# Words.


def test_sentences():
    better = Comparison("ridge", 60, 0.12345, 0.1, -2.25, 3.0)
    worse = Comparison("average", 60, 0.01, 0.1, 1.0, 3.0)
    assert Decision("ridge", "strength", (worse, better)).sentence() == (
        "ridge replaces strength: CRPS better by 0.123 ± 0.100, line-ups by -2.2 ± 3.0 points over 60 races"
    )
    assert Decision("strength", "strength", (worse,)).sentence() == (
        "strength stays: nobody was better by a standard error"
    )
    few = Comparison("ridge", 7, 1.0, 0.1, 1.0, 1.0)
    none = Comparison("average", 0, math.nan, math.nan, math.nan, math.nan)
    assert Decision("strength", "strength", (none, few)).sentence() == "strength stays: 7 earlier races are too few"
    assert Decision("strength", "strength", ()).sentence() == "strength stays: 0 earlier races are too few"

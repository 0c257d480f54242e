"""The parts of a weekend beside pace, on rows that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.forecast.overtakes import overtake_inputs, overtakes
from f1_pipeline.forecast.weekend_parts import (
    ATTRITION_SD,
    Earlier,
    grid_drops,
    honours,
    out_rate,
    pit_crews,
    rare_rates,
    retirement_logits,
    sprint_shift,
    stop_ms,
    weights,
)
from f1_pipeline.game.rules import load_rules
from f1_pipeline_tests.support import DATA

DRIVERS = tuple(f"d{number:02d}" for number in range(20))
NO_SPRINTS = pd.DataFrame({"race_key": pd.Series(dtype=str), "season": pd.Series(dtype=int)})
START_COLUMNS = [
    "race_key",
    "season",
    "circuit_id",
    "driver_id",
    "lineage_id",
    "position",
    "position_text",
    "start_place",
    "start_text",
    "is_fastest_lap",
    "is_driver_of_the_day",
    "is_out",
    "age",
]


def start(driver, place, begin, age=40, race_key="r1", season=2024, circuit="spa", team="red", **changes):
    row = {
        "race_key": race_key,
        "season": season,
        "circuit_id": circuit,
        "driver_id": driver,
        "lineage_id": team,
        "position": math.nan if place is None else float(place),
        "position_text": "DNF" if place is None else str(place),
        "start_place": float(begin),
        "start_text": str(begin),
        "is_fastest_lap": False,
        "is_driver_of_the_day": False,
        "is_out": float(place is None),
        "age": age,
    }
    return {**row, **changes}


def frame(*rows):
    return pd.DataFrame(rows, columns=START_COLUMNS)


def logit(rate):
    return math.log(rate / (1 - rate))


@pytest.fixture(scope="module")
def rules():
    return {season: load_rules(DATA, season) for season in (2022, 2024, 2026)}


# Rates.


def test_a_row_weighs_half_after_the_half_life():
    assert weights(np.array([0, 40, 80])).tolist() == [1.0, 0.5, 0.25]
    assert weights(pd.Series([24, 48]), 24.0).tolist() == [0.5, 0.25]


def test_out_rate_by_hand():
    # a retirement 40 races ago weighs 0.5, a finish 80 races ago 0.25
    assert out_rate(frame(start("ann", None, 1, age=40), start("bob", 1, 2, age=80))) == pytest.approx(2 / 3)
    assert out_rate(frame()) == 0.12


def test_retirement_of_everybody_before_any_race_is_the_round_figure():
    found = retirement_logits(frame(), ["ann", "bob"], ["red", "blue"], "spa", 2024)
    assert found == pytest.approx([logit(0.12) - 0.125] * 2)


def test_retirement_by_hand():
    starts = frame(
        start("ann", None, 1, team="red"),
        start("bob", 1, 2, team="red"),
        start("cat", 2, 3, team="blue"),
        start("dan", 3, 4, team="blue"),
    )
    found = retirement_logits(starts, ["ann", "bob", "cat", "eve"], ["red", "red", "blue", "grey"], "spa", 2024)
    # All weigh 0.5, the rate is 1/4. Shrunk excesses, evidence in weighted starts:
    # red 0.5 out of 1 start, worth 200: (0.5 + 50) / (0.25 + 50); blue none of 1: 50 / 50.25; grey is unknown: 1
    # ann 0.5 out of 0.5, worth 200: (0.5 + 50) / (0.125 + 50); bob and cat 50 / 50.125; eve is unknown: 1
    # Spa counts unweighted, 1 of 4, worth 300: (1 + 75) / (1 + 75) = 1; the season 0.5 of 2: 1
    level = logit(0.25) - 0.125
    assert found == pytest.approx(
        [
            level + math.log(50.5 / 50.25) + math.log(50.5 / 50.125),
            level + math.log(50.5 / 50.25) + math.log(50.0 / 50.125),
            level + math.log(50.0 / 50.25) + math.log(50.0 / 50.125),
            level,
        ]
    )


def test_a_hard_circuit_and_a_hard_season_raise_everybody():
    starts = frame(
        *(start(f"d{at}", None, 1, circuit="baku", season=2023) for at in range(2)),
        *(start(f"d{at}", 1, 1, circuit="spa", season=2024) for at in range(2)),
    )
    # rate 1/2; baku 2 of 2 unweighted: (2 + 150) / (1 + 150), spa (0 + 150) / (1 + 150)
    # season 2023, 1 of 1 weighted start: (1 + 150) / (0.5 + 150); season 2024 150 / 150.5; 2025 is unknown: 1
    level = logit(0.5) - 0.125
    expected = {
        ("baku", 2023): math.log(152 / 151) + math.log(151 / 150.5),
        ("spa", 2024): math.log(150 / 151) + math.log(150 / 150.5),
        ("monza", 2025): 0.0,
    }
    for (circuit, season), excess in expected.items():
        found = retirement_logits(starts, ["new"], ["new"], circuit, season)
        assert found == pytest.approx([level + excess])


def test_last_years_car_says_nothing_of_this_years():
    starts = frame(*(start("ann", None if at < 9 else 1, 1, season=2023) for at in range(10)))
    now = retirement_logits(starts, ["bob"], ["red"], "monza", 2024)
    then = retirement_logits(starts, ["bob"], ["red"], "monza", 2023)
    assert now == pytest.approx([logit(0.9) - 0.125])
    # the same rate as the field's, so no excess either
    assert then == pytest.approx(now)


@settings(derandomize=True, database=None, deadline=None, max_examples=50)
@given(rate=st.floats(0.03, 0.25))
def test_mean_over_the_common_draw_is_the_rate(rate):
    # Gauss-Hermite quadrature over the normal draw that all cars of a race share
    nodes, share = np.polynomial.hermite_e.hermegauss(40)
    level = logit(rate) - ATTRITION_SD**2 / 2
    mean = float((share / share.sum() / (1 + np.exp(-(level + ATTRITION_SD * nodes)))).sum())
    # the correction is of second order: it may be a twentieth of the rate too low, never too high
    assert 0.92 * rate <= mean <= rate


def test_a_sprint_without_any_record_has_less_than_half_of_the_retirements():
    starts = frame(start("ann", None, 1), *(start("bob", 1, 2) for _ in range(9)))
    # rate 0.1, prior share 0.45
    assert sprint_shift(starts, frame()) == pytest.approx(logit(0.045) - logit(0.1))


def test_sprint_shift_moves_with_the_record():
    starts = frame(start("ann", None, 1), *(start("bob", 1, 2) for _ in range(9)))
    sprints = frame(*(start("ann", None, 1) for _ in range(20)), *(start("bob", 1, 2) for _ in range(80)))
    # (20 + 100 * 0.45 * 0.1) / 200 = 0.1225
    assert sprint_shift(starts, sprints) == pytest.approx(logit(0.1225) - logit(0.1))


def test_grid_drops_by_hand():
    names = ("one", "two", "three", "four", "five", "six", "seven", "eight")
    begins = (1, 4, 6, 8, 10, 14, 20, 8)
    qualified = pd.DataFrame(
        [("r1", who, place, 40) for who, place in zip(names, (1, 2, 3, 4, 5, 6, 7, None), strict=True)],
        columns=["race_key", "driver_id", "position", "age"],
    ).astype({"position": "float64"})
    starts = frame(
        *(start(who, 1, begin) for who, begin in zip(names[:-2], begins, strict=False)),
        start("seven", 1, 20, start_text="PL"),
        start("eight", 1, 8),
        start("seven", 1, 1, race_key="r2"),  # of no qualifying
    )
    # places lost: 0, 2, 3, 4, 5, 8, pit lane, and no place in qualifying: no drop
    found = grid_drops(qualified, starts, NO_SPRINTS)
    assert found[:, 0] == pytest.approx([2 / 8, 1 / 8, 2 / 8])
    assert found[:, 1].tolist() == [3.0, 5.0, 30.0]


def test_newer_grid_drops_weigh_more_and_no_record_is_no_drop():
    qualified = pd.DataFrame(
        [("r1", "ann", 1.0, 40), ("r2", "ann", 1.0, 80)], columns=["race_key", "driver_id", "position", "age"]
    )
    starts = frame(start("ann", 1, 6, race_key="r1"), start("ann", 1, 1, race_key="r2"))
    assert grid_drops(qualified, starts, NO_SPRINTS)[:, 0] == pytest.approx([0.0, 2 / 3, 0.0])
    assert grid_drops(qualified.iloc[:0], starts, NO_SPRINTS)[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_a_grid_that_a_sprint_made_tells_nothing_about_penalties():
    qualified = pd.DataFrame([("r1", "ann", 1.0, 40)], columns=["race_key", "driver_id", "position", "age"])
    starts = frame(start("ann", 1, 6, race_key="r1"))
    for season, share in ((2022, 0.0), (2024, 1.0)):
        sprints = pd.DataFrame({"race_key": ["r1"], "season": [season]})
        assert grid_drops(qualified, starts, sprints)[1, 0] == pytest.approx(share)


def test_rare_rates_by_hand():
    qualified = pd.DataFrame({"position": [1.0, math.nan, math.nan, 2.0, 3.0]})
    starts = frame(start("ann", 1, 1), start("bob", None, 2, position_text="DSQ"), start("cat", None, 3))
    # (2 + 5) / (5 + 250) and (1 + 1) / (3 + 250)
    assert rare_rates(qualified, starts) == (pytest.approx(7 / 255), pytest.approx(2 / 253))
    assert rare_rates(qualified.iloc[:0], frame()) == (0.02, 0.004)


# Overtakes.


def test_inputs_of_the_overtakes_model_by_hand():
    found = overtake_inputs(np.array([5, 2, 3]), np.array([1, 4, 0]), 20)
    assert found.tolist() == [
        [4.0, 0.0, 0.2, pytest.approx(0.04), 0.0, 0.0, 0.0],
        [0.0, 2.0, 0.05, pytest.approx(0.0025), 0.15, pytest.approx(0.0225), 0.0],
        [0.0, 0.0, 0.1, pytest.approx(0.01), 0.0, 0.0, 1.0],
    ]


def recorded(race_count=6, seed=0, per_place=1.0, base=2.0, age=1, circuits=("spa", "monaco")):
    """Races in which passes are what is gained, and something for everybody; the second circuit sees few."""
    generator = np.random.default_rng(seed)
    rows, passes = [], []
    for number in range(race_count):
        circuit, key = circuits[number % len(circuits)], f"r{number}"
        finish = generator.permutation(20) + 1
        for at, driver in enumerate(DRIVERS):
            rows.append(start(driver, int(finish[at]), at + 1, age=age + number, race_key=key, circuit=circuit))
            made = base + per_place * max(0, at + 1 - int(finish[at]))
            factor = (0.25 if circuit == "monaco" else 1.0) * (2.0 if driver == "d00" else 1.0)
            passes.append((key, "race", driver, round(made * factor)))
    return frame(*rows), pd.DataFrame(passes, columns=["race_key", "session", "driver_id", "overtakes_count"])


def earlier(starts, passes, sprints=None):
    empty = frame()
    return Earlier(starts, empty if sprints is None else sprints, empty, passes, pd.DataFrame())


def test_before_twenty_recorded_starts_passes_are_a_constant():
    starts, passes = recorded(1)
    few = earlier(starts.iloc[:19], passes)
    found = overtakes(few, DRIVERS[:3], "monaco", 2024)
    assert found.race.shape == found.sprint.shape == (4, 4)
    assert (found.race == 5.0).all()
    assert (found.sprint == 3.0).all()
    assert found.factor.tolist() == [1.0] * 3
    assert (found.circuit_factor, found.log_sd) == (1.0, 0.45)
    # the circuit of the recorded race is known already
    assert overtakes(few, DRIVERS[:3], "spa", 2024).log_sd == 0.35
    # the twentieth start makes a regression of it
    assert overtakes(earlier(starts, passes), DRIVERS, "spa", 2024).race.std() > 0.1


def test_races_whose_passes_are_not_recorded_are_no_evidence():
    starts, passes = recorded(6)
    found = overtakes(earlier(starts, passes.iloc[:0]), DRIVERS, "spa", 2024)
    assert (found.race == 5.0).all()
    assert found.log_sd == 0.45


def test_more_places_gained_more_passes():
    starts, passes = recorded(8, circuits=("spa",))
    table = overtakes(earlier(starts, passes), DRIVERS, "spa", 2024).race
    assert np.isfinite(table).all()
    assert (table > 0).all()
    # from the tenth place: first, fifth, tenth
    assert table[10, 1] > table[10, 5] > table[10, 10]
    # gaining five places is worth about five passes more than gaining none
    assert table[15, 10] - table[10, 10] == pytest.approx(5.0, abs=2.5)


def test_circuit_and_driver_factors_are_shrunk():
    starts, passes = recorded(8)
    known = earlier(starts, passes)
    here, there, nowhere = (overtakes(known, DRIVERS, name, 2024) for name in ("spa", "monaco", "monza"))
    assert 0.0 < there.circuit_factor < 1.0 < here.circuit_factor
    assert nowhere.circuit_factor == 1.0
    assert [each.log_sd for each in (here, there, nowhere)] == [0.35, 0.35, 0.45]
    # Monaco sees a quarter of the passes of Spa, so two fifths of the mean; little evidence moves it part of the way
    assert 0.4 < there.circuit_factor < 0.95
    np.testing.assert_allclose(there.race / nowhere.race, there.circuit_factor, rtol=1e-9)
    # the first driver passes twice as often as he should; whoever was never seen is as expected
    factor = overtakes(known, [*DRIVERS, "new"], "spa", 2024).factor
    assert factor[0] == factor.max()
    assert 1.0 < factor[0] < 2.0
    assert factor[-1] == 1.0


def test_more_evidence_shrinks_less():
    few, many = (earlier(*recorded(count)) for count in (4, 16))
    assert (
        overtakes(many, DRIVERS, "monaco", 2024).circuit_factor < overtakes(few, DRIVERS, "monaco", 2024).circuit_factor
    )
    assert overtakes(many, DRIVERS, "spa", 2024).factor[0] > overtakes(few, DRIVERS, "spa", 2024).factor[0]


def test_whoever_has_no_entry_in_a_recorded_race_made_no_pass():
    starts, passes = recorded(4, circuits=("spa",))
    passes = passes.assign(overtakes_count=passes["overtakes_count"].where(passes["driver_id"] != "d07", 0))
    absent = passes[passes["driver_id"] != "d07"]
    with_zeros, without = (overtakes(earlier(starts, rows), DRIVERS, "spa", 2024) for rows in (passes, absent))
    np.testing.assert_array_equal(with_zeros.race, without.race)
    np.testing.assert_array_equal(with_zeros.factor, without.factor)
    assert without.factor[7] < 1.0


def test_sprints_see_a_share_of_the_passes_shrunk_to_three_fifths():
    starts, passes = recorded(6, circuits=("spa",))
    none = overtakes(earlier(starts, passes), DRIVERS, "spa", 2024)
    np.testing.assert_allclose(none.sprint, 0.6 * none.race)
    # a sprint of twenty starts without a single pass: (0 + 100 * 0.6) / 120 = 0.5
    sprint = frame(*(start(who, at, at, race_key="r0") for at, who in enumerate(DRIVERS, start=1)))
    quiet = pd.concat([passes, pd.DataFrame([("r0", "sprint", "d00", 0)], columns=passes.columns)], ignore_index=True)
    found = overtakes(earlier(starts, quiet, sprint), DRIVERS, "spa", 2024)
    np.testing.assert_allclose(found.sprint, 0.5 * found.race)


# Honours.


def test_chances_of_the_fastest_lap_by_hand():
    rows = [start(f"d{at}", at, at, race_key=f"r{race}") for race in range(4) for at in range(1, 6)]
    rows[0]["is_fastest_lap"] = rows[5]["is_fastest_lap"] = rows[14]["is_fastest_lap"] = True  # first, first, fifth
    found = honours(frame(*rows), [f"d{at}" for at in range(1, 6)]).fastest_lap_by_place
    # smoothed over two neighbours each side, four starts on each place, worth half a fastest lap in ten
    assert found == pytest.approx([0.0005, 2.5 / 22, 2.5 / 26, 3.5 / 30, 1.5 / 26, 1.5 / 22])


def test_votes_by_hand():
    rows = [start(who, at, at, race_key=f"r{race}", age=40) for race in range(4) for at, who in enumerate("abc", 1)]
    rows[0]["is_driver_of_the_day"] = rows[3]["is_driver_of_the_day"] = True  # two of the four votes go to a, in first
    rows[8]["is_driver_of_the_day"] = True  # one to c, in third
    found = honours(frame(*rows), ["a", "b", "c", "new"])
    # half weights: 1, 0 and 0.5 votes in 2 starts each, with 0.75 votes in 15 starts before
    expected = [1.75 / 17, 0.75 / 17, 1.25 / 17, 0.75 / 15]
    assert found.vote_by_driver == pytest.approx(np.sqrt(expected))
    # by place, one neighbour each side, unweighted: (2 + 0.5) / 18, (3 + 0.5) / 22, (1 + 0.5) / 18;
    # nobody was on place 4: (1 + 0.5) / 14
    assert found.vote_by_place == pytest.approx([0.0005, 2.5 / 18, 3.5 / 22, 1.5 / 18, 1.5 / 14])
    assert found.vote_per_place_gained == 0.12


def test_who_is_not_classified_hardly_ever_has_an_honour_and_nobody_is_needed():
    found = honours(frame(start("a", None, 1, is_fastest_lap=True, is_driver_of_the_day=True)), ["a", "b"])
    assert found.fastest_lap_by_place == pytest.approx([0.0005, 0.05, 0.05])
    empty = honours(frame(), ["a", "b"])
    assert empty.fastest_lap_by_place == pytest.approx([0.0005, 0.05, 0.05])
    assert empty.vote_by_driver == pytest.approx([math.sqrt(0.05)] * 2)


# Pit crews.


def test_points_for_the_fastest_stops_of_2024_as_times(rules):
    # 10, 5 and 3 for the three fastest; a crew may hold several
    points = np.array([18.0, 15.0, 13.0, 10.0, 8.0, 5.0, 3.0, 0.0])
    assert stop_ms(points, rules[2024]).tolist() == [2050, 2050, 2050, 2050, 2150, 2150, 2200, 2600]


def test_points_for_bands_of_2026_as_times(rules):
    # bands below 2.00, 2.20, 2.50 and 3.00 s for 20, 10, 5 and 2 points; five more for the fastest of all
    points = np.array([25.0, 20.0, 15.0, 10.0, 5.0, 7.0, 2.0, 0.0])
    assert stop_ms(points, rules[2026]).tolist() == [1975, 1975, 2100, 2100, 2350, 2350, 2750, 3400]


def test_a_season_without_points_for_stops_says_nothing(rules):
    assert stop_ms(np.array([0.0, 0.0]), rules[2022]).tolist() == [2500, 2500]


def stops(*rows):
    return pd.DataFrame(rows, columns=["race_key", "season", "lineage_id", "points", "age"])


def test_crews_before_any_record(rules):
    found = pit_crews(stops(), ["red", "blue"], rules)
    assert found.log_ms == pytest.approx([math.log(2500)] * 2)
    assert found.log_sd == 0.15


def test_crews_are_shrunk_to_the_field_by_four_races(rules):
    # two races 24 ago, each weighs 0.5: red always first, blue never
    found = pit_crews(
        stops(
            ("r1", 2024, "red", 10.0, 24), ("r1", 2024, "blue", 0.0, 24),
            ("r2", 2024, "red", 10.0, 24), ("r2", 2024, "blue", 0.0, 24),
        ),
        ["red", "blue", "new"],
        rules,
    )  # fmt: skip
    fast, slow = math.log(2050), math.log(2600)
    mean, half = (fast + slow) / 2, (slow - fast) / 2
    # one weighted race each: a fifth of the way from the mean
    assert found.log_ms == pytest.approx([mean - half / 5, mean + half / 5, mean])
    assert found.log_sd == pytest.approx(0.9 * half)


def test_seasons_are_read_by_their_own_rules(rules):
    # ten points were the fastest stop of a race in 2024, and are the band below 2.20 s in 2026
    found = pit_crews(stops(("r1", 2024, "red", 10.0, 24), ("r2", 2026, "red", 10.0, 24)), ["red"], rules)
    assert found.log_ms == pytest.approx([(math.log(2050) + math.log(2100)) / 2])


@settings(derandomize=True, database=None, deadline=None, max_examples=50)
@given(points=st.lists(st.sampled_from([0.0, 2.0, 5.0, 7.0, 10.0, 15.0, 20.0, 25.0]), min_size=2, max_size=12))
def test_crews_stay_between_the_fastest_and_the_slowest_of_the_field(points):
    rules = {2026: load_rules(DATA, 2026)}
    rows = stops(*((f"r{at}", 2026, "red" if at % 2 else "blue", own, at + 1) for at, own in enumerate(points)))
    found = pit_crews(rows, ["red", "blue"], rules)
    times = np.log(stop_ms(np.array(points), rules[2026]))
    assert times.min() - 1e-9 <= found.log_ms.min() <= found.log_ms.max() <= times.max() + 1e-9
    assert found.log_sd >= 0

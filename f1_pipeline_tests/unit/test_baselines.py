"""The three baselines on histories small enough to work out by hand."""

import pandas as pd
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.baselines import baseline_points

COLUMNS = ["race_key", "race_date", "season", "asset_type", "asset_id", "lineage_id", "price_musd"]
ONE = ("2024-one", "2024-03-01", 2024)
TWO = ("2024-two", "2024-03-08", 2024)
THREE = ("2024-three", "2024-03-15", 2024)
NEXT_YEAR = ("2025-one", "2025-03-01", 2025)


def entry(race, asset_id, price, asset_type="driver", lineage_id=None):
    return (*race, asset_type, asset_id, lineage_id or asset_id, price)


def menu(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def performance(*rows):
    return pd.DataFrame([(*row, points) for row, points in rows], columns=[*COLUMNS, "points"])


def forecast(past, wanted):
    found = baseline_points(past, wanted)
    return {(row.race_key, row.asset_id, row.baseline): row.expected_points for row in found.itertuples()}


@pytest.fixture
def two_races():
    return performance(
        (entry(ONE, "ann", 10.0), 20.0),
        (entry(ONE, "bob", 20.0), 40.0),
        (entry(TWO, "ann", 10.0), 10.0),
        (entry(TWO, "bob", 20.0), 40.0),
    )


def test_before_any_race_one_point_per_million():
    found = forecast(performance(), menu(entry(ONE, "ann", 10.5)))
    assert found == {
        ("2024-one", "ann", "ewma_price_prior"): 10.5,
        ("2024-one", "ann", "price_only"): 10.5,
        ("2024-one", "ann", "season_mean"): 10.5,
    }


def test_price_only_after_one_race_is_the_line_through_its_two_points(two_races):
    found = forecast(two_races, menu(entry(TWO, "ann", 10.0), entry(TWO, "cat", 15.0)))
    # (10, 20) and (20, 40): two points per million
    assert found["2024-two", "ann", "price_only"] == pytest.approx(20.0)
    assert found["2024-two", "cat", "price_only"] == pytest.approx(30.0)


def test_price_only_weighs_the_newer_race_more(two_races):
    found = forecast(two_races, menu(entry(THREE, "ann", 10.0), entry(THREE, "bob", 20.0)))
    # both races have the prices 10 and 20, so the line runs through the weighted means of each:
    # ann (20 * d + 10) / (d + 1) with d = 0.5 ** (1 / 12) = 0.943874
    assert found["2024-three", "ann", "price_only"] == pytest.approx(14.8556, abs=1e-4)
    assert found["2024-three", "bob", "price_only"] == pytest.approx(40.0)


def test_ewma_of_two_races_shrunk_to_the_price(two_races):
    found = forecast(two_races, menu(entry(THREE, "ann", 10.0), entry(THREE, "cat", 10.0)))
    # d = 0.5 ** (1 / 6) = 0.890899; e = (10 + 20 d) / (1 + d) = 14.7115; n = 1.890899;
    # (n * 14.7115 + 8 * 14.8556) / (n + 8) = 14.8281
    assert found["2024-three", "ann", "ewma_price_prior"] == pytest.approx(14.8281, abs=1e-4)
    # cat has not raced: price only
    assert found["2024-three", "cat", "ewma_price_prior"] == pytest.approx(14.8556, abs=1e-4)


def test_constructors_are_shrunk_less():
    past = performance((entry(ONE, "red", 10.0, "constructor"), 30.0), (entry(ONE, "blue", 20.0, "constructor"), 60.0))
    found = forecast(past, menu(entry(TWO, "red", 15.0, "constructor")))
    # price only 45, e = 30, n = 1, k = 2: (30 + 90) / 3
    assert found["2024-two", "red", "ewma_price_prior"] == pytest.approx(40.0)


def test_season_mean_starts_again_each_season(two_races):
    found = forecast(two_races, menu(entry(THREE, "ann", 10.0), entry(NEXT_YEAR, "ann", 10.0)))
    assert found["2024-three", "ann", "season_mean"] == 15.0
    assert found["2025-one", "ann", "season_mean"] == found["2025-one", "ann", "price_only"]


def test_a_constructor_keeps_its_history_under_a_new_name():
    past = performance(
        (entry(ONE, "alphatauri", 10.0, "constructor", "racing-bulls"), 10.0),
        (entry(ONE, "ferrari", 20.0, "constructor"), 20.0),
    )
    wanted = menu(entry(TWO, "rb", 30.0, "constructor", "racing-bulls"), entry(TWO, "audi", 30.0, "constructor"))
    found = forecast(past, wanted)
    # price only 30, e = 10, n = 1: (10 + 60) / 3
    assert found["2024-two", "rb", "ewma_price_prior"] == pytest.approx(70 / 3)
    assert found["2024-two", "rb", "season_mean"] == 10.0
    assert found["2024-two", "audi", "ewma_price_prior"] == pytest.approx(30.0)


def test_equal_prices_everywhere_give_the_mean():
    past = performance((entry(ONE, "ann", 10.0), 5.0), (entry(ONE, "bob", 10.0), 15.0))
    found = forecast(past, menu(entry(TWO, "ann", 10.0), entry(TWO, "bob", 12.0)))
    assert found["2024-two", "ann", "price_only"] == pytest.approx(10.0)
    assert found["2024-two", "bob", "price_only"] == pytest.approx(10.0)


def test_drivers_and_constructors_do_not_mix():
    past = performance((entry(ONE, "ann", 10.0), 5.0), (entry(ONE, "bob", 20.0), 5.0))
    found = forecast(past, menu(entry(TWO, "ferrari", 20.0, "constructor")))
    assert found["2024-two", "ferrari", "price_only"] == 20.0


def test_the_race_itself_and_later_ones_change_nothing(two_races):
    wanted = menu(entry(TWO, "ann", 10.0), entry(TWO, "bob", 20.0))
    before = baseline_points(two_races, wanted)
    altered = two_races.copy()
    later = altered["race_date"] >= TWO[1]
    altered.loc[later, "points"] = -99.0
    altered.loc[later, "price_musd"] = 3.0
    pd.testing.assert_frame_equal(before, baseline_points(altered, wanted))
    pd.testing.assert_frame_equal(before, baseline_points(two_races[~later], wanted))


def test_many_races_at_once_equal_one_by_one_in_calendar_order(two_races):
    wanted = menu(entry(THREE, "bob", 20.0), entry(TWO, "ann", 10.0), entry(THREE, "ann", 10.0))
    together = baseline_points(two_races, wanted)
    singly = [baseline_points(two_races, wanted[wanted["race_key"] == key]) for key in ("2024-two", "2024-three")]
    pd.testing.assert_frame_equal(together, pd.concat(singly, ignore_index=True))
    assert together.columns.tolist() == ["race_key", "asset_type", "asset_id", "baseline", "expected_points"]


def test_rows_without_points_or_price_are_no_evidence(two_races):
    extra = performance((entry(ONE, "cat", 5.0), None), (entry(ONE, "dan", None), 99.0))
    wanted = menu(entry(TWO, "ann", 10.0), entry(TWO, "bob", 20.0))
    with_extra = baseline_points(pd.concat([two_races, extra], ignore_index=True), wanted)
    pd.testing.assert_frame_equal(with_extra, baseline_points(two_races, wanted))


def test_errors_name_what_is_missing(two_races):
    with pytest.raises(DataError, match="lineage_id"):
        baseline_points(two_races.drop(columns="lineage_id"), menu())
    with pytest.raises(DataError, match="driver ann at 2024-two"):
        baseline_points(two_races, menu(entry(TWO, "ann", None)))
    with pytest.raises(DataError, match="'car'"):
        baseline_points(two_races, menu(entry(TWO, "ann", 1.0, "car")))

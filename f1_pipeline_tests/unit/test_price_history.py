"""Prices and steps of a hand-made season: which races count, what is shown of them, what is not looked at.

Neighbour: `test_prices.py` has the rules of one race; `integration/test_price_moves.py` has every recorded price.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from f1_pipeline.game.price_history import SeasonPrices, price_ladder, prices_by_rules
from f1_pipeline.game.rules import load_rules

DATA_DIR = Path(__file__).parents[2] / "data"
RACES = ("2025-one", "2025-two", "2025-three", "2025-four", "2025-five")
PER_MILLION = load_rules(DATA_DIR, 2025).prices
AGAINST_FIELD = load_rules(DATA_DIR, 2024).prices


def rows(column: str, asset_type: str = "driver", **of_asset: list[float | None]) -> pd.DataFrame:
    """Give each asset's values race by race; None: no row."""
    return pd.DataFrame(
        [
            {"race_key": race_key, "asset_type": asset_type, "asset_id": name, "constructor_id": "red", column: value}
            for name, values in of_asset.items()
            for race_key, value in zip(RACES, values, strict=False)
            if value is not None
        ],
        columns=["race_key", "asset_type", "asset_id", "constructor_id", column],
    )


def season(prices: dict[str, list[float | None]], points: dict[str, list[float | None]]) -> SeasonPrices:
    return SeasonPrices.of(RACES, rows("price_musd", **prices), rows("points", **points))


def ruled(frame: pd.DataFrame, name: str) -> tuple[object, ...]:
    (row,) = frame[frame["asset_id"] == name].to_dict("records")
    names = ("previous_race_key", "window_points", "window_race_count", "step_tenths", "ruled_tenths")
    return tuple(None if pd.isna(row[key]) else row[key] for key in names)


def test_price_moves_by_the_last_three_races() -> None:
    table = season({"ann": [10.0] * 5}, {"ann": [90, 9, 9, 9]})
    # 27 points in three races of 10.0 million are 0.9 a race: good, below 18.5 million +0.2; with the 90 it were great
    assert ruled(prices_by_rules(table, "2025-five", PER_MILLION), "ann") == ("2025-four", 27, 3, 2, 102)
    assert ruled(prices_by_rules(table, "2025-three", PER_MILLION), "ann") == ("2025-two", 99, 2, 6, 106)


def test_first_price_of_an_asset_has_no_rule() -> None:
    table = season({"ann": [10.0] * 5, "bob": [None, 5.0]}, {"ann": [9, 9]})
    found = prices_by_rules(table, "2025-two", PER_MILLION)
    assert ruled(found, "bob") == (None, None, None, None, None)
    assert found.set_index("asset_id").at["bob", "official_tenths"] == 50
    assert prices_by_rules(table, "2025-one", PER_MILLION)["ruled_tenths"].isna().all()


def test_asset_that_took_no_part_keeps_its_price() -> None:
    table = season({"ann": [10.0] * 3}, {"ann": [30, None, 30]})
    assert ruled(prices_by_rules(table, "2025-three", PER_MILLION), "ann") == ("2025-two", None, None, 0, 100)


def test_races_that_were_sat_out_are_not_zeros() -> None:
    table = season({"ann": [10.0] * 4}, {"ann": [6, None, 12]})
    # 18 points in two races are 0.9 a race; with a zero for the second they were 0.6
    assert ruled(prices_by_rules(table, "2025-four", PER_MILLION), "ann") == ("2025-three", 18, 2, 2, 102)


def test_who_was_off_sale_comes_back_at_the_price_of_the_last_race() -> None:
    table = season({"ann": [10.0, None, None, 9.0]}, {"ann": [30], "bob": [1]})
    found = prices_by_rules(table, "2025-four", PER_MILLION)
    assert ruled(found, "ann") == ("2025-one", 30, 1, 6, 106)
    assert found["official_tenths"].tolist() == [90]


def test_driver_who_changes_team_is_another_asset() -> None:
    for_blue = rows("price_musd", ann=[None, 20.0]).assign(constructor_id="blue")
    prices = pd.concat([rows("price_musd", ann=[10.0]), for_blue])
    table = SeasonPrices.of(RACES, prices, rows("points", ann=[30]))
    assert ruled(prices_by_rules(table, "2025-two", PER_MILLION), "ann") == (None, None, None, None, None)


def test_field_is_that_of_the_race_at_which_the_asset_was_on_sale() -> None:
    prices: dict[str, list[float | None]] = {"ann": [10.0, None, 10.0], "bob": [10.0] * 3, "cid": [10.0] * 3}
    points: dict[str, list[float | None]] = {"ann": [16], "bob": [8, 40], "cid": [3, 0]}
    found = prices_by_rules(season(prices, points), "2025-three", AGAINST_FIELD).set_index("asset_id")
    # first race: mean 9, 16 is above one and a half of it; second: mean 20, 40 is above one and a half and not three
    assert found["field_mean_points"].to_dict() == {"ann": 9, "bob": 20, "cid": 20}
    assert found["step_tenths"].to_dict() == {"ann": 10, "bob": 10, "cid": -2}


@pytest.mark.parametrize("column", ["points", "price_musd"])
def test_what_happens_from_the_race_on_is_not_looked_at(column: str) -> None:
    prices: dict[str, list[float | None]] = {"ann": [10.0, 10.6, 11.2, 10.6]}
    points: dict[str, list[float | None]] = {"ann": [30, 20, 10, 5]}
    before = season(prices, points)
    others: dict[str, list[float | None]] = {"ann": [30, 20, -30, -40]}
    altered = season(prices, others) if column == "points" else season({"ann": prices["ann"][:3]}, points)
    for rules in (PER_MILLION, AGAINST_FIELD):
        for of_race in (prices_by_rules, price_ladder):
            pd.testing.assert_frame_equal(
                of_race(before, "2025-three", rules), of_race(altered, "2025-three", rules), check_exact=True
            )


# ---- which points bring which step


def ladder(table: SeasonPrices, race_key: str, rules) -> list[tuple[float, ...]]:
    frame = price_ladder(table, race_key, rules)
    return list(frame[["step_tenths", "points_from", "points_to"]].itertuples(index=False, name=None))


def test_steps_of_the_third_race_need_what_the_first_two_lack() -> None:
    table = season({"ann": [10.0] * 3}, {"ann": [9, 9]})
    infinite = float("inf")
    # three races of 10.0 million: 0.605, 0.900 and 1.195 a race are 18.15, 27 and 35.85 points, 18 of them are there;
    # half a thousandth rounds up, so 0.8995 is enough for 0.900 and 35.835 / 3 for 1.195
    assert ladder(table, "2025-three", PER_MILLION) == [
        (-6, -infinite, 0),
        (-2, 1, 8),
        (2, 9, 17),
        (6, 18, infinite),
    ]


def test_floor_joins_the_bands_that_lead_to_it() -> None:
    table = season({"ann": [4.5], "bob": [4.6]}, {})
    found = price_ladder(table, "2025-one", PER_MILLION)
    assert found[found["asset_id"] == "ann"]["step_tenths"].tolist() == [0, 2, 6]
    assert found[found["asset_id"] == "bob"]["step_tenths"].tolist() == [-1, 2, 6]
    # 4.5 million: 0.8995 of it are 4.05 points, 1.1945 of it 5.38
    assert found["points_from"].tolist()[1:3] == [5, 6]


def test_field_s_mean_is_the_season_s_so_far() -> None:
    prices: dict[str, list[float | None]] = {"ann": [10.0] * 3, "bob": [10.0] * 3}
    table = season(prices, {"ann": [10, 30], "bob": [0, 10]})
    found = price_ladder(table, "2025-three", AGAINST_FIELD)
    # means of 5 and 20 are 12.5, which rounds to 12: 0, 6, 18 and 36 points must be passed
    assert set(found["field_mean_points"]) == {12.5}
    assert found[found["asset_id"] == "ann"]["points_from"].tolist()[1:] == [1, 7, 19, 37]


def test_first_race_has_no_field_to_compare_with() -> None:
    table = season({"ann": [10.0]}, {"ann": [10]})
    assert price_ladder(table, "2025-one", AGAINST_FIELD).empty


def test_field_s_mean_is_of_all_who_took_part_whatever_prices_are_given() -> None:
    points: dict[str, list[float | None]] = {"ann": [10, 30], "bob": [0, 10]}
    # bob has left; a warehouse that holds the prices of the coming race alone does not know his
    left, coming = season({"ann": [10.0] * 3, "bob": [10.0] * 2}, points), season({"ann": [None, None, 10.0]}, points)
    pd.testing.assert_frame_equal(
        price_ladder(left, "2025-three", AGAINST_FIELD), price_ladder(coming, "2025-three", AGAINST_FIELD)
    )
    assert set(price_ladder(coming, "2025-three", AGAINST_FIELD)["field_mean_points"]) == {12.5}

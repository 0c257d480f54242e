"""Every recorded price against the price rules: each is what the rules make of the race before, but for the named.

Read from `staging.engine_price` of the computed history. An asset that was not on sale before in its season has a price
of the game's own making; a driver who changes teams is a new asset.
"""

from __future__ import annotations

from typing import Any

import pytest

from f1_pipeline_tests.conftest import History

# race at whose lock the price stands, asset: official price, price by the rules
DISAGREEMENTS = {
    ("2023-saudi-arabia", "alphatauri"): (6.3, 6.4),
    ("2023-saudi-arabia", "haas"): (5.3, 5.2),
    ("2023-austria", "valtteri-bottas"): (7.5, 7.9),
    ("2023-great-britain", "valtteri-bottas"): (7.9, 7.5),
    ("2023-singapore", "kevin-magnussen"): (7.5, 7.8),
    ("2023-japan", "kevin-magnussen"): (8.3, 8.0),
    ("2024-australia", "logan-sargeant"): (5.4, 5.9),
    ("2024-japan", "logan-sargeant"): (5.9, 5.4),
    ("2024-belgium", "red-bull"): (29.0, 29.1),
    ("2024-singapore", "kevin-magnussen"): (12.6, 12.8),
    ("2024-sao-paulo", "oliver-bearman"): (13.3, 15.1),
}


def ask(history: History, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with history.pipeline.warehouse.read() as connection:
        return connection.execute(query, parameters or None).fetchall()


def of_asset(history: History, race_key: str, asset_id: str, *columns: str) -> tuple[Any, ...]:
    with history.pipeline.warehouse.read() as connection:
        own = connection.table("staging.engine_price").filter(f"race_key = '{race_key}' and asset_id = '{asset_id}'")
        rows = own.select(*columns).fetchall()
    assert len(rows) == 1
    return tuple(value if value is None or isinstance(value, str) else float(value) for value in rows[0])


def test_every_price_is_compared_but_the_first_of_an_asset(history: History) -> None:
    counts = ask(
        history,
        "select cast(left(race_key, 4) as integer) as season, count(price_musd), count(*) - count(price_musd)"
        " from staging.engine_price group by season order by season",
    )
    # the field at the first race, and who came or changed teams later
    assert counts == [(2023, 628, 32), (2024, 685, 35), (2025, 687, 33), (2026, 165, 33)]


def test_every_price_is_that_of_the_rules_but_for_the_named(history: History) -> None:
    found = ask(
        history,
        "select race_key, asset_id, cast(official_price_musd as double), cast(price_musd as double)"
        " from staging.engine_price where price_musd != official_price_musd",
    )
    assert {(race_key, asset_id): (official, ruled) for race_key, asset_id, official, ruled in found} == DISAGREEMENTS


@pytest.mark.parametrize(
    ("asset_id", "before", "first", "second"),
    [
        ("valtteri-bottas", 7.4, "2023-austria", "2023-great-britain"),
        ("kevin-magnussen", 7.8, "2023-singapore", "2023-japan"),
    ],
)
def test_a_late_correction_adds_up_over_both_races(
    history: History, asset_id: str, before: float, first: str, second: str
) -> None:
    start, first_step = of_asset(history, first, asset_id, "previous_price_musd", "step_musd")
    second_step, end = of_asset(history, second, asset_id, "step_musd", "official_price_musd")
    assert start == before
    assert end - start == pytest.approx(first_step + second_step) == pytest.approx(0.5)


def test_sargeant_is_priced_as_ruled_over_the_race_he_sat_out(history: History) -> None:
    step, start = of_asset(history, "2024-australia", "logan-sargeant", "step_musd", "previous_price_musd")
    columns = ("official_price_musd", "previous_race_key", "previous_points", "step_musd")
    end, previous, points, no_step = of_asset(history, "2024-japan", "logan-sargeant", *columns)
    assert (previous, points, no_step) == ("2024-australia", None, 0)
    assert end == pytest.approx(start + step) == pytest.approx(5.9)


def test_who_sat_out_comes_back_at_the_price_that_the_last_race_made(history: History) -> None:
    rows = ask(
        history,
        """
        with numbered as (
            select race_key, row_number() over (order by race_date) as number from core.race where not is_cancelled
        )
        select pri.race_key, pri.asset_id, pri.previous_race_key, cast(pri.step_musd as double)
        from staging.engine_price as pri
        inner join numbered as own on pri.race_key = own.race_key
        inner join numbered as pre on pri.previous_race_key = pre.race_key
        where own.number > pre.number + 1
        """,
    )
    assert {(race_key, asset_id): (previous, step) for race_key, asset_id, previous, step in rows} == {
        ("2023-united-states", "daniel-ricciardo"): ("2023-belgium", 0.0),
        ("2024-australia", "carlos-sainz-jr"): ("2024-bahrain", 0.3),
        ("2024-singapore", "kevin-magnussen"): ("2024-italy", 0.5),
        ("2024-las-vegas", "kevin-magnussen"): ("2024-mexico", 0.5),
        ("2024-sao-paulo", "oliver-bearman"): ("2024-azerbaijan", 0.1),
    }


@pytest.mark.parametrize(
    ("race_key", "asset_id", "expected"),
    [
        # 2025 on: -1, -14 and 46 points are 31 over three races; 31 / 3 / 25.4 = 0.407, below 0.605
        ("2025-abu-dhabi", "oscar-piastri", ("2025-qatar", 25.4, 46, 31, 3, 0.407, None, -0.3, 25.1)),
        # 11, 9 and 12 points are 32; 32 / 3 / 11.2 = 0.952, between 0.900 and 1.195
        ("2025-abu-dhabi", "yuki-tsunoda", ("2025-qatar", 11.2, 12, 32, 3, 0.952, None, 0.2, 11.4)),
        # 2024: -15 points are not above 0
        ("2024-abu-dhabi", "sergio-perez", ("2024-qatar", 23.7, -15, -15, 1, None, 12, -0.5, 23.2)),
        # 2023 from Canada: 35 points are above one and a half times 17 and not above three times
        ("2023-abu-dhabi", "sergio-perez", ("2023-las-vegas", 20.5, 35, 35, 1, None, 17, 0.3, 20.8)),
    ],
)
def test_what_a_price_comes_from_is_shown(
    history: History, race_key: str, asset_id: str, expected: tuple[Any, ...]
) -> None:
    columns = (
        "previous_race_key",
        "previous_price_musd",
        "previous_points",
        "window_points",
        "window_race_count",
        "value_points_per_million",
        "field_mean_points",
        "step_musd",
        "price_musd",
    )
    assert of_asset(history, race_key, asset_id, *columns) == expected

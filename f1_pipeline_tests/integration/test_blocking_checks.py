"""Facts that contradict each other, the rules or the calendar stop what is downstream, and the rows are named.

Each test alters one thing in a copy of the facts, on top of a warehouse that was computed from the good ones.
Neighbours: `sql/test_checks.py` has every check by hand, `test_reconciliation.py` the facts as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from f1_pipeline.defs.runs import Runner
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.writer import ContractError
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import NEXT_RACE, Row, fingerprints, make_settings, plain_steps, read_rows, rewrite

MIAMI = "2026-miami"  # a sprint weekend with a race after it


@pytest.fixture
def on_altered_facts(history: History, facts: Path, tmp_path: Path) -> Pipeline:
    """A computed warehouse whose facts the test may alter."""
    settings = make_settings(tmp_path / "warehouse", facts)
    settings.warehouse_dir.mkdir()
    shutil.copy(history.path, settings.warehouse_path)
    return Pipeline(settings)


def change(facts: Path, file_name: str, new: dict[str, str], **where: str) -> None:
    """Change columns of the rows that have these values; there must be some."""

    def changed(rows: list[Row]) -> Iterable[Row]:
        chosen = [all(row[name] == value for name, value in where.items()) for row in rows]
        assert any(chosen), f"{file_name} has no row with {where}"
        return [row | new if is_chosen else row for row, is_chosen in zip(rows, chosen, strict=True)]

    rewrite(facts / file_name, changed)


def value(facts: Path, file_name: str, column: str, **where: str) -> str:
    (row,) = (
        row for row in read_rows(facts / file_name)[1] if all(row[name] == wanted for name, wanted in where.items())
    )
    return row[column]


def stopped(pipeline: Pipeline, table: str, race_key: str = MIAMI) -> tuple[str, list[dict[str, Any]]]:
    """Run everything upstream of a table, see the table refuse, and return the check and its rows.

    What the table and everything downstream of it hold stays as it was.
    """
    steps = plain_steps(pipeline)
    upstream, waiting = set(), list(steps[table].reads)
    while waiting:
        name = waiting.pop()
        if name not in upstream:
            upstream.add(name)
            waiting += steps[name].reads
    before = fingerprints(pipeline.settings.warehouse_path)
    for name, step in steps.items():
        if name in upstream:
            step.run(pipeline, name, [race_key])
    with pytest.raises(ContractError) as caught:
        steps[table].run(pipeline, table, [race_key])
    after = fingerprints(pipeline.settings.warehouse_path)
    assert {name: after[name] for name in before if name not in upstream} == {
        name: before[name] for name in before if name not in upstream
    }
    message, rows = str(caught.value), caught.value.rows.to_dict("records")
    assert message.startswith(f"{table}: {caught.value.check}; {len(rows)} rows break it, such as ")
    assert race_key in message
    return caught.value.check, rows


# ---- points


def test_altered_total_is_refused_with_both_values(on_altered_facts: Pipeline, facts: Path) -> None:
    norris = {"race_key": MIAMI, "asset_type": "driver", "asset_id": "lando-norris"}
    total = int(value(facts, "official_totals.csv", "total_points", **norris))
    change(facts, "official_totals.csv", {"total_points": str(total + 1)}, **norris)
    check, rows = stopped(on_altered_facts, "staging.event_score")
    assert check == "assert_item_points_equal_official_total"
    assert rows == [norris | {"official_points": total + 1, "item_points": total}]


def test_altered_item_and_total_are_refused_by_the_rules(on_altered_facts: Pipeline, facts: Path) -> None:
    # Both facts agree with each other, and still they are not what the results are worth.
    norris = {"race_key": MIAMI, "asset_type": "driver", "asset_id": "lando-norris"}
    total = int(value(facts, "official_totals.csv", "total_points", **norris))
    item = {"event_type": "race", "scoring_item": "race_position"}
    points = int(value(facts, "event_scores.csv", "points", **norris, **item))
    change(facts, "official_totals.csv", {"total_points": str(total + 3)}, **norris)
    change(facts, "event_scores.csv", {"points": str(points + 3)}, **norris, **item)
    check, rows = stopped(on_altered_facts, "staging.event_score")
    assert check == "assert_points_by_the_rules_equal_official_total"
    assert rows == [norris | {"official_points": total + 3, "engine_points": total}]


def test_altered_result_is_refused_by_the_rules(on_altered_facts: Pipeline, facts: Path) -> None:
    # Two drivers of different teams change places in qualifying: a point each, and for their teams.
    for driver_id, place in (("george-russell", "6"), ("lewis-hamilton", "5")):
        where = {"race_key": MIAMI, "session": "qualifying", "driver_id": driver_id}
        assert value(facts, "qualifying_results.csv", "position", **where) != place
        change(facts, "qualifying_results.csv", {"position": place, "position_text": place}, **where)
    check, rows = stopped(on_altered_facts, "staging.event_score")
    assert check == "assert_points_by_the_rules_equal_official_total"
    assert {row["asset_id"]: row["engine_points"] - row["official_points"] for row in rows} == {
        "george-russell": -1,
        "mercedes": -1,
        "lewis-hamilton": 1,
        "ferrari": 1,
    }


def test_unknown_item_is_kept_and_refused_by_name(on_altered_facts: Pipeline, facts: Path) -> None:
    norris = {"race_key": MIAMI, "asset_type": "driver", "asset_id": "lando-norris"}
    item = {"event_type": "race", "scoring_item": "race_overtakes"}
    points = int(value(facts, "event_scores.csv", "points", **norris, **item))
    source = "the feed calls it Race tyre saving bonus"
    change(facts, "event_scores.csv", {"scoring_item": "unknown", "source": source}, **norris, **item)
    check, rows = stopped(on_altered_facts, "staging.event_score")
    assert check == "assert_every_scoring_item_is_known"
    expected = {"event_type": "race", "points": points, "frequency": points, "source": source}
    assert rows == [norris | expected]
    with on_altered_facts.warehouse.read() as connection:
        kept = connection.table("raw.event_scores").filter("scoring_item = 'unknown'").select("asset_id").fetchall()
    assert kept == [("lando-norris",)]


def test_exception_with_other_values_excuses_nothing(on_altered_facts: Pipeline, facts: Path) -> None:
    perez = {"race_key": "2023-australia", "comparison": "engine", "asset_id": "sergio-perez"}
    change(facts, "known_exceptions.csv", {"computed_value": "50.0"}, **perez)
    check, rows = stopped(on_altered_facts, "staging.event_score", "2023-australia")
    assert check == "assert_points_by_the_rules_equal_official_total"
    assert [(row["asset_id"], row["official_points"], row["engine_points"]) for row in rows] == [
        ("sergio-perez", 52, 51)
    ]


# ---- prices


@pytest.mark.parametrize("race_key", [MIAMI, NEXT_RACE])
def test_altered_price_is_refused_with_what_it_comes_from(
    on_altered_facts: Pipeline, facts: Path, race_key: str
) -> None:
    norris = {"race_key": race_key, "asset_type": "driver", "asset_id": "lando-norris"}
    price = float(value(facts, "prices.csv", "price_musd", **norris))
    change(facts, "prices.csv", {"price_musd": f"{price + 0.1:.1f}"}, **norris)
    # What is known before a race is enough to check its prices.
    for table in ("raw.prices", "raw.known_exceptions", "staging.engine_price"):
        plain_steps(on_altered_facts)[table].run(on_altered_facts, table, [race_key])
    before = fingerprints(on_altered_facts.settings.warehouse_path)
    with pytest.raises(ContractError) as caught:
        plain_steps(on_altered_facts)["staging.price"].run(on_altered_facts, "staging.price", [race_key])
    assert fingerprints(on_altered_facts.settings.warehouse_path) == before
    assert str(caught.value).startswith("staging.price: assert_price_by_the_rules_is_the_official_price; 1 rows break")
    (row,) = caught.value.rows.to_dict("records")
    assert (row["asset_id"], row["official_price_musd"]) == ("lando-norris", pytest.approx(price + 0.1))
    assert row["price_by_rules_musd"] == pytest.approx(price)
    assert row["previous_race_key"] == {MIAMI: "2026-japan", NEXT_RACE: "2026-canada"}[race_key]


def test_altered_points_are_refused_as_the_price_they_make_later(on_altered_facts: Pipeline, facts: Path) -> None:
    norris = {"race_key": "2026-canada", "asset_type": "driver", "asset_id": "lando-norris"}
    change(facts, "official_totals.csv", {"total_points": "200"}, **norris)
    for table, race_key in (
        ("raw.official_totals", "2026-canada"),
        ("raw.prices", NEXT_RACE),
        ("raw.known_exceptions", NEXT_RACE),
        ("staging.engine_price", NEXT_RACE),
    ):
        plain_steps(on_altered_facts)[table].run(on_altered_facts, table, [race_key])
    with pytest.raises(ContractError, match=r"official_price.*'lando-norris'.*'previous_points': 200"):
        plain_steps(on_altered_facts)["staging.price"].run(on_altered_facts, "staging.price", [NEXT_RACE])


# ---- the calendar against results


def not_a_sprint(facts: Path) -> None:
    change(facts, "races.csv", {"has_sprint": "false"}, race_key=MIAMI)


def called_off(facts: Path) -> None:
    change(facts, "races.csv", {"is_cancelled": "true"}, race_key=MIAMI)


def one_practice_more(facts: Path) -> None:
    fp1 = {"race_key": MIAMI, "session": "fp1"}
    number = value(facts, "sessions.csv", "session_order", **fp1)
    rewrite(
        facts / "sessions.csv",
        lambda rows: [
            *rows,
            *(
                row | {"session": "fp2", "session_order": number}
                for row in rows
                if (row["race_key"], row["session"]) == (MIAMI, "fp1")
            ),
        ],
    )


def without_a_grid_slot(facts: Path) -> None:
    gone = (MIAMI, "race", "lando-norris")
    names = ("race_key", "session", "driver_id")
    rewrite(facts / "starting_grids.csv", lambda rows: [row for row in rows if tuple(row[n] for n in names) != gone])


def third_car(facts: Path) -> None:
    where = {"race_key": MIAMI, "session": "race", "driver_id": "lando-norris"}
    change(facts, "race_results.csv", {"constructor_id": "ferrari"}, **where)


@pytest.mark.parametrize(
    ("alter", "check", "found"),
    [
        (
            not_a_sprint,
            "assert_sprint_results_where_the_calendar_has_a_sprint",
            {"has_sprint": False, "sprint_result_count": 22},
        ),
        (called_off, "assert_results_are_of_races_that_were_held", {"is_in_calendar": True, "is_cancelled": True}),
        (
            one_practice_more,
            "assert_sessions_with_results_are_those_of_the_calendar",
            {"session_name": "fp2", "is_in_calendar": True, "result_count": 0},
        ),
        (without_a_grid_slot, "assert_classified_drivers_stand_on_the_grid", {"driver_id": "lando-norris"}),
        (third_car, "assert_every_field_is_whole", {"session_name": "race", "most_cars_of_a_team": 3}),
    ],
    ids=lambda part: getattr(part, "__name__", None),
)
def test_calendar_that_contradicts_results_stops_them(
    on_altered_facts: Pipeline, facts: Path, alter: Callable[[Path], None], check: str, found: dict[str, object]
) -> None:
    alter(facts)
    name, rows = stopped(on_altered_facts, "staging.session_result")
    assert name == check
    assert len(rows) == 1
    assert {column: rows[0][column] for column in found} == found


def test_points_of_a_session_that_was_not_held_are_refused(on_altered_facts: Pipeline, facts: Path) -> None:
    race_key = "2026-japan"  # no sprint
    norris = {"race_key": race_key, "asset_type": "driver", "asset_id": "lando-norris"}
    change(facts, "event_scores.csv", {"event_type": "sprint"}, **norris, scoring_item="race_overtakes")
    check, rows = stopped(on_altered_facts, "staging.event_score", race_key)
    assert check == "assert_points_are_of_sessions_with_results"
    assert rows == [{"race_key": race_key, "event_type": "sprint", "item_count": 1}]


# ---- a whole run

RACE = "2023-australia"  # the third race: models have little to learn from, and exceptions are known


def test_run_stops_downstream_and_still_reports(on_altered_facts: Pipeline, facts: Path) -> None:
    russell = {"race_key": RACE, "asset_type": "driver", "asset_id": "george-russell"}
    total = int(value(facts, "official_totals.csv", "total_points", **russell))
    change(facts, "official_totals.csv", {"total_points": str(total + 1)}, **russell)
    before = fingerprints(on_altered_facts.settings.warehouse_path)
    with pytest.raises(ContractError, match=r"assert_item_points_equal_official_total; 1 rows .*'george-russell'"):
        Runner(on_altered_facts.settings).compute_finished([RACE])
    after = fingerprints(on_altered_facts.settings.warehouse_path)
    changed = {table for table in before if after[table] != before[table]}
    assert changed == {"raw.official_totals", "marts.reconciliation"}
    with on_altered_facts.warehouse.read() as connection:
        report = connection.table("marts.reconciliation").filter(f"race_key = '{RACE}' and not is_explained")
        rows = report.select("comparison", "asset_id", "difference").order("all").fetchall()
    assert [(*names, float(difference)) for *names, difference in rows] == [
        ("engine", "george-russell", -1.0),
        ("items", "george-russell", -1.0),
    ]

"""Nothing about a race may depend on what happened from its lock on.

The facts are altered, or deleted, from `lock_at(race)` on; what the race's forecast is made of is computed from them,
and must not move. A control alters facts before the lock, so that the comparison is known to be able to fail.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import (
    REPO,
    Row,
    make_settings,
    read_rows,
    rewrite,
    rows_of,
    run_history,
    run_next_race,
)

# Two normal weekends (lock at qualifying) and two sprint weekends (lock at the sprint), over four seasons.
RACES = ("2023-monaco", "2024-china", "2025-hungary", "2026-miami")
KNOWABLE_TABLES = (
    "features.driver_race_feature",
    "features.constructor_race_feature",
    "predictions.baseline_points",
    "core.practice_pace",
    "core.race_entry",
    "staging.engine_price",
    "marts.price_step",
)
MOVED_TABLES = ("core.driver_race_performance", "core.constructor_race_performance")
ASSET = ("race_key", "asset_type", "asset_id")


@dataclass(frozen=True)
class Lock:
    """What was knowable when the line-ups of one race locked; instants are ISO texts in UTC, which sort by time.

    Attributes
    ----------
    race_key : str
        The race.
    earlier : frozenset of str
        Races that were locked before it.
    ended : frozenset of str
        Sessions of its weekend that had ended.
    """

    race_key: str
    earlier: frozenset[str]
    ended: frozenset[str]

    @classmethod
    def of(cls, data_dir: Path, race_key: str) -> Lock:
        races = {row["race_key"]: row["lock_at"] for row in read_rows(data_dir / "races.csv")[1]}
        lock_at = races[race_key]
        sessions = [row for row in read_rows(data_dir / "sessions.csv")[1] if row["race_key"] == race_key]
        return cls(
            race_key,
            frozenset(key for key, other in races.items() if other < lock_at),
            frozenset(row["session"] for row in sessions if row["ends_at"] <= lock_at),
        )

    def is_known(self, row: Row) -> bool:
        """Tell whether a row was known: of an earlier race, or of a session that had ended."""
        return row["race_key"] in self.earlier or (
            row["race_key"] == self.race_key and row.get("session") in self.ended
        )

    def is_known_price(self, row: Row) -> bool:
        return row["race_key"] in self.earlier or row["race_key"] == self.race_key


def shifted(row: Row, column: str, by: float, digits: int = 0) -> str:
    return f"{float(row[column]) + by:.{digits}f}" if row[column] else ""


def altered_score(row: Row, number: int) -> Row:
    return row | {"points": shifted(row, "points", number % 41 - 12), "frequency": shifted(row, "frequency", 3)}


def altered_lap(row: Row, number: int) -> Row:
    return row | {"best_lap_ms": shifted(row, "best_lap_ms", 37 * (number % 20)), "lap_count": "1"}


def altered_qualifying(row: Row, number: int) -> Row:
    laps = {name: shifted(row, name, 53 * (number % 20)) for name in ("q1_ms", "q2_ms", "q3_ms")}
    return row | laps | {"position": str(30 - number % 20), "position_text": "NC"}


def altered_result(row: Row, number: int) -> Row:
    flags = {"true": "false", "false": "true", "": ""}
    names = ("is_fastest_lap", "is_driver_of_the_day")
    # who was not classified may stand on no grid, and the engine refuses to classify him
    position = "" if number % 3 == 0 or not row["position"] else str(40 - number % 20)
    return row | {name: flags[row[name]] for name in names} | {"position": position, "laps": "1", "time_ms": ""}


def altered_grid(row: Row, number: int) -> Row:
    return row | {"grid_position": str(60 - number % 20), "grid_order": "7"}


def altered_stop(row: Row, number: int) -> Row:
    return row | {"lane_time_ms": shifted(row, "lane_time_ms", 1000 + number % 7), "lap": "3"}


def altered_price(row: Row, number: int) -> Row:
    return row | {"price_musd": shifted(row, "price_musd", 1 + number % 5, digits=1)}


def altered_ownership(row: Row, number: int) -> Row:
    return row | {"selected_pct": str(number % 100)}


ALTERATIONS: dict[str, Callable[[Row, int], Row]] = {
    "event_scores.csv": altered_score,
    "practice_results.csv": altered_lap,
    "qualifying_results.csv": altered_qualifying,
    "race_results.csv": altered_result,
    "starting_grids.csv": altered_grid,
    "pit_stops.csv": altered_stop,
    "prices.csv": altered_price,
    "ownership.csv": altered_ownership,
}


def knowledge(lock: Lock, file_name: str) -> Callable[[Row], bool]:
    return lock.is_known_price if file_name == "prices.csv" else lock.is_known


def alter(facts: Path, lock: Lock) -> None:
    """Change every row from the lock on, and let one driver of the race miss it."""
    for file_name, change in ALTERATIONS.items():
        is_known = knowledge(lock, file_name)

        def altered(
            rows: list[Row], is_known: Callable[[Row], bool] = is_known, change: Callable[[Row, int], Row] = change
        ) -> Iterable[Row]:
            return [row if is_known(row) else change(row, number) for number, row in enumerate(rows)]

        rewrite(facts / file_name, altered)
    absent = _a_driver(facts, lock.race_key)
    rewrite(facts / "event_scores.csv", lambda rows: [row for row in rows if not _is_of(row, lock, absent)])
    restate_totals(facts)


def unchecked(folder: Path, facts: Path) -> Pipeline:
    """A pipeline without the SQL tests, which refuse facts that contradict each other as altered ones do."""
    home = folder / "home"
    without_tests = shutil.ignore_patterns("tests")
    shutil.copytree(REPO / "dbt_like_sql", home / "dbt_like_sql", ignore=without_tests, dirs_exist_ok=True)
    return Pipeline(replace(make_settings(folder / "warehouse", facts), home=home))


def restate_totals(facts: Path) -> None:
    """Let the official totals be the sums of the altered items, since prices are moved by totals."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in read_rows(facts / "event_scores.csv")[1]:
        sums[tuple(row[name] for name in ASSET)] += int(row["points"])
    rewrite(
        facts / "official_totals.csv",
        lambda rows: [row | {"total_points": str(sums[tuple(row[name] for name in ASSET)])} for row in rows],
    )


def delete(facts: Path, lock: Lock) -> None:
    """Delete every row from the lock on: the world as it stood."""
    for file_name in (*ALTERATIONS, "official_totals.csv"):
        is_known = knowledge(lock, file_name)

        def known(rows: list[Row], is_known: Callable[[Row], bool] = is_known) -> Iterable[Row]:
            return [row for row in rows if is_known(row)]

        rewrite(facts / file_name, known)


def _a_driver(facts: Path, race_key: str) -> str:
    rows = read_rows(facts / "event_scores.csv")[1]
    return min(row["asset_id"] for row in rows if row["race_key"] == race_key and row["asset_type"] == "driver")


def _is_of(row: Row, lock: Lock, driver_id: str) -> bool:
    return (row["race_key"], row["asset_type"], row["asset_id"]) == (lock.race_key, "driver", driver_id)


def what_was_knowable(path: Path, race_key: str) -> dict[str, list[tuple[object, ...]]]:
    return {table: rows_of(path, table, race_key) for table in KNOWABLE_TABLES}


def assert_same(found: dict[str, list[tuple[object, ...]]], expected: dict[str, list[tuple[object, ...]]]) -> None:
    for table, rows in expected.items():
        assert rows, f"{table} has no rows to compare"
        assert found[table] == rows, table


@pytest.mark.parametrize("race_key", RACES)
def test_altering_everything_from_the_lock_on_changes_nothing_of_the_race(
    history: History, facts: Path, tmp_path: Path, race_key: str
) -> None:
    pipeline = unchecked(tmp_path, facts)
    alter(facts, Lock.of(facts, race_key))
    run_history(pipeline, tables=(*KNOWABLE_TABLES, *MOVED_TABLES))
    path = pipeline.settings.warehouse_path
    assert_same(what_was_knowable(path, race_key), what_was_knowable(history.path, race_key))
    # The alteration was one: the race's own points, and what the next race knows, are others.
    keys = [race.race_key for race in pipeline.calendar.finished]
    following = (keys[keys.index(race_key) + 1 :] or [race_key])[0]
    for table, altered_key in (
        *((table, race_key) for table in MOVED_TABLES),
        ("features.driver_race_feature", following),
        ("predictions.baseline_points", following),
        ("staging.engine_price", following),
        ("marts.price_step", following),
    ):
        assert rows_of(path, table, altered_key) != rows_of(history.path, table, altered_key), table


@pytest.mark.parametrize("race_key", ["2024-china", "2025-hungary"])
def test_race_before_it_is_driven_looks_as_it_does_afterwards(
    history: History, facts: Path, tmp_path: Path, race_key: str
) -> None:
    pipeline = Pipeline(make_settings(tmp_path / "warehouse", facts))
    delete(facts, Lock.of(facts, race_key))
    coming = pipeline.calendar.next_race
    assert coming is not None
    assert coming.race_key == race_key
    run_history(pipeline, tables=KNOWABLE_TABLES)
    run_next_race(pipeline, race_key)
    found = what_was_knowable(pipeline.settings.warehouse_path, race_key)
    assert_same(found, what_was_knowable(history.path, race_key))


def test_altering_what_was_known_before_the_lock_does_change_the_race(
    history: History, facts: Path, tmp_path: Path
) -> None:
    race_key, earlier = "2024-china", "2024-japan"
    lock = Lock.of(facts, race_key)
    assert earlier in lock.earlier
    assert lock.ended == {"fp1", "sprint_qualifying"}

    def slower(rows: list[Row]) -> Iterable[Row]:
        return [
            altered_qualifying(row, number)
            if (row["race_key"], row["session"]) == (race_key, "sprint_qualifying")
            else row
            for number, row in enumerate(rows)
        ]

    def rescored(rows: list[Row]) -> Iterable[Row]:
        return [altered_score(row, n) if row["race_key"] == earlier else row for n, row in enumerate(rows)]

    def dearer(rows: list[Row]) -> Iterable[Row]:
        return [altered_price(row, n) if row["race_key"] == race_key else row for n, row in enumerate(rows)]

    rewrite(facts / "qualifying_results.csv", slower)
    rewrite(facts / "event_scores.csv", rescored)
    rewrite(facts / "prices.csv", dearer)
    restate_totals(facts)
    pipeline = unchecked(tmp_path, facts)
    keys = [race.race_key for race in pipeline.calendar.finished]
    run_history(pipeline, keys[: keys.index(race_key) + 1], KNOWABLE_TABLES)
    found = what_was_knowable(pipeline.settings.warehouse_path, race_key)
    expected = what_was_knowable(history.path, race_key)
    for table in KNOWABLE_TABLES:
        assert len(found[table]) == len(expected[table])
        assert found[table] != expected[table], table


@pytest.mark.parametrize(
    ("race_key", "ended"),
    [
        ("2023-monaco", {"fp1", "fp2", "fp3"}),
        ("2024-china", {"fp1", "sprint_qualifying"}),
        ("2025-hungary", {"fp1", "fp2", "fp3"}),
        ("2026-miami", {"fp1", "sprint_qualifying"}),
    ],
)
def test_sessions_known_at_the_lock_are_those_of_the_weekend_s_format(
    facts: Path, race_key: str, ended: set[str]
) -> None:
    assert Lock.of(facts, race_key).ended == ended

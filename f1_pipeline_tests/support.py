"""What several test modules need: running steps, comparing warehouses, altering a copy of the facts.

Belongs here: plain functions. Neighbours: `conftest.py` makes fixtures of them, `sql/given.py` tests single models.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb

from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, forecast_tables
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.connection import Store

REPO = Path(__file__).resolve().parent.parent
DATA = REPO / "data"
NEXT_RACE = "2026-monaco"
LEARNT_SCHEMAS = ("models", "lineups", "evaluation")
PLAIN_PREDICTIONS = ("predictions.baseline_points",)
SHORT_SEASONS = ("2025-", "2026-")
SHORT_END = "2026-austria"  # two races after the next one: a plan of three takes a fifth of the time of one of five

Row = dict[str, str]


def make_settings(warehouse_dir: Path, data_dir: Path = DATA, lock_wait_s: float = 5.0) -> Settings:
    return Settings(home=REPO, data_dir=data_dir, warehouse_dir=warehouse_dir, lock_wait_s=lock_wait_s)


def plain_steps(pipeline: Pipeline) -> dict[str, Step]:
    """List the steps that need no trained model, upstream first."""
    return {table: step for table, step in build_steps(pipeline).items() if not is_learnt(table)}


def is_learnt(table: str) -> bool:
    """Tell whether a table needs a trained model."""
    if table.startswith("predictions."):
        return table not in PLAIN_PREDICTIONS
    return table.split(".")[0] in LEARNT_SCHEMAS or table == "features.weekend_feature"


def finished_keys(pipeline: Pipeline) -> list[str]:
    return [race.race_key for race in pipeline.calendar.finished]


def run_history(
    pipeline: Pipeline, race_keys: Sequence[str] | None = None, tables: Iterable[str] | None = None
) -> None:
    """Run plain steps for some races, all finished ones by default: every step, or what some tables are made by."""
    keys = finished_keys(pipeline) if race_keys is None else list(race_keys)
    steps = plain_steps(pipeline)
    needed = set(steps) if tables is None else with_upstream(steps, tables)
    for table, step in steps.items():
        if table in needed:
            step.run(pipeline, table, keys)


def with_upstream(steps: Mapping[str, Step], tables: Iterable[str]) -> set[str]:
    """Name some tables and all that they are made of."""
    found: set[str] = set()
    waiting = list(tables)
    while waiting:
        table = waiting.pop()
        if table not in found:
            found.add(table)
            waiting += steps[table].reads
    return found


def run_next_race(pipeline: Pipeline, race_key: str = NEXT_RACE) -> None:
    """Run the plain steps that a race needs before it is driven."""
    steps = plain_steps(pipeline)
    for table in forecast_tables(build_steps(pipeline)):
        if table in steps:
            steps[table].run(pipeline, table, [race_key])


def table_names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() order by all"
    ).fetchall()
    return [row[0] for row in rows]


DIGEST = "count(*), coalesce(md5(string_agg(cast(hash(tab) as varchar), ',' order by hash(tab))), '')"


def fingerprints(where: Path | Store) -> dict[str, tuple[int, str]]:
    """Count and hash the ordered rows of every table of a warehouse, or of a DuckDB file."""
    with _reading(where) as connection:
        return {
            name: connection.table(name).set_alias("tab").aggregate(DIGEST).fetchall()[0]
            for name in table_names(connection)
        }


def race_fingerprints(path: Path) -> dict[tuple[str, str], tuple[int, str]]:
    """Count and hash the rows of each table and race; a table that knows no races stands under ''."""
    found = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        for name in table_names(connection):
            rows = connection.table(name).set_alias("tab")
            key = "race_key" if "race_key" in rows.columns else "''"
            for race_key, *state in rows.aggregate(f"{key}, {DIGEST}", key).fetchall():
                found[name, race_key] = tuple(state)
    return found


def _reading(where: Path | Store) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return duckdb.connect(str(where), read_only=True) if isinstance(where, Path) else where.read()


def rows_of(where: Path | Store, table: str, race_key: str | None = None) -> list[tuple[object, ...]]:
    """Read a table of a warehouse or of a DuckDB file, or its rows of one race, in a fixed order."""
    with _reading(where) as connection:
        relation = connection.table(table)
        if race_key is not None:
            relation = relation.filter(duckdb.ColumnExpression("race_key") == duckdb.ConstantExpression(race_key))
        return relation.order("all").fetchall()


def copy_facts(target: Path) -> Path:
    """Copy the committed facts and rules, without what runs have made."""
    return Path(shutil.copytree(DATA, target, ignore=shutil.ignore_patterns("warehouse", ".*")))


def short_facts(target: Path, end: str = SHORT_END) -> Path:
    """Copy the facts as if the game lasted from 2025 to soon after the next race, so that a graph on them is quick.

    The results of 2021 and 2022, which models learn from, stay.
    """
    facts = copy_facts(target)
    races = read_rows(facts / "races.csv")[1]
    (end,) = (race["race_date"] for race in races if race["race_key"] == end)
    seasons = (*SHORT_SEASONS, "2021-", "2022-")
    kept = {race["race_key"] for race in races if race["race_key"].startswith(seasons) and race["race_date"] <= end}
    for path in sorted(facts.glob("*.csv")):
        header, _ = read_rows(path)
        if "race_key" in header:
            rewrite(path, lambda rows: [row for row in rows if row["race_key"] in kept])
    return facts


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
    return list(reader.fieldnames or ()), rows


def rewrite(path: Path, change: Callable[[list[Row]], Iterable[Row]]) -> None:
    """Write a fact file again with its rows changed; the header stays."""
    header, rows = read_rows(path)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(change(rows))


def replace_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    """Change one line of a text file; line 1 is the header."""
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

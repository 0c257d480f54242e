"""What a model reads is derived from its select: upstream tables, and the sources of each column."""

from pathlib import Path

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.settings import load_settings
from f1_pipeline.warehouse.contract import Column, TableContract
from f1_pipeline.warehouse.lineage import column_lineage, tables_of, upstream_tables
from f1_pipeline.warehouse.model_file import SqlModel, read_models

COLUMNS = {
    "core.score": ("race_key", "driver_id", "points", "item"),
    "core.race": ("race_key", "season", "race_date"),
}


def model(body: str, *columns: str) -> SqlModel:
    contract = TableContract("core", "points", "Points.", columns[:1], tuple(Column(name, name) for name in columns))
    return SqlModel(Path("points.sql"), contract, body, frozenset(), frozenset())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("select race_key from core.score", ("core.score",)),
        ("select 1 as one from incoming as inc", ()),
        ("with score as (select * from core.score) select race_key from score", ("core.score",)),
        (
            "select sco.race_key from core.score as sco inner join core.race as rac using (race_key)"
            " where sco.race_key not in (select race_key from raw.sessions)",
            ("core.race", "core.score", "raw.sessions"),
        ),
        ("select race_key from core.race union all select race_key from core.score", ("core.race", "core.score")),
    ],
)
def test_upstream_tables_are_those_with_a_schema(body: str, expected: tuple[str, ...]) -> None:
    assert tables_of(body, "points.sql") == expected


def test_upstream_tables_of_a_model_are_those_of_its_body() -> None:
    assert upstream_tables(model("select race_key from core.score", "race_key")) == ("core.score",)


@pytest.mark.parametrize("body", ["select (race_key from core.score", "select 'race_key from core.score", ""])
def test_body_that_is_no_select_names_its_file(body: str) -> None:
    with pytest.raises(DataError, match=r"^points\.sql: expected one DuckDB select, sqlglot says: "):
        tables_of(body, "points.sql")


def test_columns_are_traced_through_ctes_joins_and_aggregates() -> None:
    body = """
        with score as (
            select * from core.score
            where list_contains($race_keys, race_key)
        ),

        race as (
            select * from core.race
        ),

        totals as (
            select
                sco.race_key,
                sum(sco.points) filter (where sco.item = 'race') as race_points,
            from score as sco
            group by sco.race_key
        )

        select
            tot.race_key,
            rac.season,
            tot.race_points / year(rac.race_date) as share,
            1 as one,
        from totals as tot
        inner join race as rac on tot.race_key = rac.race_key
    """
    assert column_lineage(model(body, "race_key", "season", "share", "one"), COLUMNS) == {
        "race_key": (("core.score", "race_key"),),
        "season": (("core.race", "season"),),
        "share": (("core.race", "race_date"), ("core.score", "item"), ("core.score", "points")),
        "one": (),
    }


def test_columns_of_a_union_have_the_sources_of_both_sides() -> None:
    body = "select race_key from core.race union all select race_key from core.score"
    assert column_lineage(model(body, "race_key"), COLUMNS) == {
        "race_key": (("core.race", "race_key"), ("core.score", "race_key"))
    }


def test_window_functions_are_traced_to_what_they_order_by() -> None:
    body = """
        select sco.race_key, sum(sco.points) over (partition by sco.driver_id order by rac.race_date
            rows between 3 preceding and 1 preceding) as recent_points
        from core.score as sco
        inner join core.race as rac on sco.race_key = rac.race_key
    """
    assert column_lineage(model(body, "race_key", "recent_points"), COLUMNS)["recent_points"] == (
        ("core.race", "race_date"),
        ("core.score", "driver_id"),
        ("core.score", "points"),
    )


def test_total_points_of_the_product_come_from_the_scoring_items() -> None:
    models = read_models(load_settings().sql_dir)
    columns = {name: found.contract.column_names for name, found in models.items()}
    performance = models["core.driver_race_performance"]
    assert set(upstream_tables(performance)) == {
        "core.driver_event_score",
        "core.race",
        "core.race_entry",
        "core.session_result",
    }
    sources = column_lineage(performance, columns)
    assert sources["total_points"] == (("core.driver_event_score", "points"),)
    assert sources["fantasy_price_musd"] == (("core.race_entry", "fantasy_price_musd"),)
    assert tuple(sources) == performance.contract.column_names

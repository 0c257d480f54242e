"""What a typed statement does, seen before it runs: only one that reads tables is let through."""

from __future__ import annotations

import pytest

from f1_pipeline.warehouse.statements import not_for_reading


@pytest.mark.parametrize(
    "sql",
    [
        "from core.race",
        "explain analyze select 1",
        "pivot core.points on driver_id using sum(points)",
        "select query from staging.asked",
        "select 'postgres_query(1)', 'query(', $$ __ducklake_metadata_lake $$",
        "select points -- query('x')\nfrom core.points where 'ä' = ünknown",
    ],
)
def test_what_reads_tables_is_let_through(sql: str) -> None:
    assert not_for_reading(sql) is None


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("delete from core.race", "DELETE"),
        ("explain delete from core.race", "DELETE"),
        ("call postgres_execute('a', 'b')", "postgres_execute"),
        ("from postgres_query('a', 'select 1')", "postgres_query"),
        ("from query('from pos' || 'tgres_query(1)')", "query"),
        ("from main.Query /* ( */ ('select 1')", "Query"),
        ("""with seen as (from "query"('x')) from seen""", "query"),
        ("from query_table('__duck' || 'lake_metadata_lake.public.t')", "query_table"),
        ("from json_execute_serialized_sql('{}')", "json_execute_serialized_sql"),
        ("from ducklake_cleanup_old_files('lake')", "ducklake_cleanup_old_files"),
        ('from "__DuckLake_metadata_lake".public.ducklake_metadata', "__DuckLake_metadata_lake"),
        ("explain from query('x')", "query"),
        ("from query -- (\n('x')", "query"),
        ("from query\u00a0('x')", "query"),
        ("from \ufeffquery \u2003 ('x')", "query"),
        ("from\u00a0__ducklake_metadata_lake.public.t", "__ducklake_metadata_lake"),
    ],
)
def test_what_does_more_is_named(sql: str, found: str) -> None:
    assert not_for_reading(sql) == found

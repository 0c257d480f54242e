"""Tables of whole seasons and plans for a coming race: where they stand in the graph, and a run of them.

Belongs here: a few small tables beside the project's own, so that nothing rests on which of these it has.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from f1_pipeline.definitions import build_definitions
from f1_pipeline.defs.assets import asset_key, build_assets
from f1_pipeline.defs.automation import partition_range_tags
from f1_pipeline.defs.jobs import (
    FINISHED_RACE_JOB,
    NEXT_LINEUP_JOB,
    PAGES_JOB,
    RACE_HISTORY_JOB,
    REFRESH_JOB,
    SEASON_BACKTEST_JOB,
    build_jobs,
)
from f1_pipeline.defs.partitions import season_partitions
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.runs import ORCHESTRATION, Runner
from f1_pipeline.defs.sources import build_source_assets
from f1_pipeline.errors import DataError
from f1_pipeline.report.documents import render_data_dictionary
from f1_pipeline.sources.calendar import Calendar
from f1_pipeline.steps import registry
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables, forecast_tables, history_tables, season_tables
from f1_pipeline.steps.step import Step
from f1_pipeline.steps.tables import land_facts, run_model
from f1_pipeline.warehouse.dry_run import column_types
from f1_pipeline.warehouse.writer import ContractError, WriteReport
from f1_pipeline_tests.support import REPO, make_settings, rows_of

PRICES, CHANGES, TOTAL = "marts.season_prices", "marts.season_price_changes", "marts.all_season_prices"
PRICES_SQL = """\
-- description: One row per season: its prices.
-- grain: season
-- partitioned_by: season
-- column: season | Season
-- column: price_count | Prices | count
select
    rac.season,
    count(*) as price_count
from raw.prices as pri
inner join raw.races as rac on pri.race_key = rac.race_key
where list_contains($seasons, rac.season)
group by rac.season
"""
CHANGES_SQL = """\
-- description: One row per season: its prices once more.
-- grain: season
-- partitioned_by: season
-- column: season | Season
-- column: price_count | Prices | count
select
    season,
    price_count
from marts.season_prices
where list_contains($seasons, season)
"""
TOTAL_SQL = """\
-- description: One row per number of seasons: their prices.
-- grain: season_count
-- column: season_count | Seasons | count
-- column: price_count | Prices | count
select
    count(*) as season_count,
    sum(price_count) as price_count
from marts.season_prices
"""
RACE_SQL = """\
-- description: One row per race: a count.
-- grain: race_key
-- partitioned_by: race_key
-- column: race_key | Race
-- column: price_count | Prices | count
select
    '2026-monaco' as race_key,
    price_count
from marts.season_prices
"""
SEASON_SQL = {PRICES: PRICES_SQL, CHANGES: CHANGES_SQL, TOTAL: TOTAL_SQL}
PLAN = Step("lineups.plan", run_model, reads=("lineups.optimal_lineup",), is_for_coming_race=True)


def write_sql(home: Path, table: str, text: str) -> None:
    schema, name = table.split(".")
    path = home / "dbt_like_sql" / schema / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def home_with(home: Path, tables: dict[str, str]) -> Pipeline:
    """Copy the project's SQL models and lay these beside them."""
    shutil.copytree(REPO / "dbt_like_sql", home / "dbt_like_sql")
    shutil.copy(REPO / "dagster.yaml", home)
    for table, text in tables.items():
        write_sql(home, table, text)
    return Pipeline(dataclasses.replace(make_settings(home / "warehouse"), home=home))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return home_with(tmp_path_factory.mktemp("seasons"), SEASON_SQL)


@pytest.fixture(scope="module")
def definitions(pipeline: Pipeline) -> dg.Definitions:
    return build_definitions(pipeline.settings)


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions):
    return definitions.resolve_asset_graph()


# ---- partitions


def test_a_season_is_one_partition_once_it_has_races_or_prices(graph, pipeline: Pipeline) -> None:
    expected = ["2023", "2024", "2025", "2026"]
    assert season_partitions(pipeline.calendar).get_partition_keys() == expected
    for table in (PRICES, CHANGES):
        node = graph.get(asset_key(table))
        assert node.partitions_def.get_partition_keys() == expected
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert not graph.get(asset_key(TOTAL)).is_partitioned


@pytest.mark.parametrize(("is_finished", "has_prices"), [(True, False), (False, True), (False, False)])
def test_a_season_on_the_calendar_alone_is_none(pipeline: Pipeline, is_finished: bool, has_prices: bool) -> None:
    race = dataclasses.replace(
        pipeline.calendar.get("2026-monaco"), is_finished=is_finished, has_prices=has_prices, season=2027
    )
    expected = ["2027"] if is_finished or has_prices else []
    assert season_partitions(Calendar((race,))).get_partition_keys() == expected


def upstream_keys(graph, table: str, upstream: str, key: str) -> list[str]:
    mapping = graph.get_partition_mapping(asset_key(table), asset_key(upstream))
    own, other = (graph.get(asset_key(name)).partitions_def for name in (table, upstream))
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(
        own.subset_with_partition_keys([key]), own, other
    )
    return sorted(found.partitions_subset.get_partition_keys())


def test_a_season_reads_its_own_races_and_all_earlier(graph, pipeline: Pipeline) -> None:
    for season in ("2023", "2024", "2026"):
        races = upstream_keys(graph, PRICES, "raw.prices", season)
        calendar = pipeline.calendar.races
        assert races == sorted(
            race.race_key for race in calendar if race.season <= int(season) and not race.is_cancelled
        )


def test_a_race_is_read_by_every_season_from_its_own_on(graph) -> None:
    mapping = graph.get_partition_mapping(asset_key(PRICES), asset_key("raw.prices"))
    races, seasons = (graph.get(asset_key(table)).partitions_def for table in ("raw.prices", PRICES))
    found = mapping.get_downstream_partitions_for_partitions(
        races.subset_with_partition_keys(["2025-monaco"]), races, seasons
    )
    assert sorted(found.get_partition_keys()) == ["2025", "2026"]


def test_a_season_reads_other_tables_of_the_same_season(graph) -> None:
    assert upstream_keys(graph, CHANGES, PRICES, "2025") == ["2025"]


# ---- jobs


def test_season_tables_are_a_job_of_their_own(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)

    def tables(job_name: str) -> set[str]:
        return {".".join(key.path) for key in definitions.resolve_job_def(job_name).asset_layer.executable_asset_keys}

    assert tables(SEASON_BACKTEST_JOB) >= set(SEASON_SQL)
    for job_name in (FINISHED_RACE_JOB, RACE_HISTORY_JOB, NEXT_LINEUP_JOB):
        # what is published comes after either
        assert tables(job_name) & tables(SEASON_BACKTEST_JOB) <= {"published.snapshot"}


def test_graph_without_season_tables_has_no_such_job(pipeline: Pipeline) -> None:
    steps = build_steps(pipeline)
    jobs = build_jobs({table: steps[table] for table in finished_tables(steps)})
    assert {job.name for job in jobs} == {FINISHED_RACE_JOB, RACE_HISTORY_JOB, NEXT_LINEUP_JOB, PAGES_JOB, REFRESH_JOB}


def test_what_seasons_read_of_earlier_races_is_no_history_of_a_race(pipeline: Pipeline) -> None:
    steps = build_steps(pipeline)
    reader = dataclasses.replace(
        steps[PRICES],
        reads=("lineups.optimal_lineup",),
        up_to_and_including=frozenset({"lineups.optimal_lineup"}),
    )
    assert history_tables(steps | {PRICES: reader}) == history_tables(steps)


def test_a_plan_is_made_for_a_coming_race_only(pipeline: Pipeline) -> None:
    without = build_steps(pipeline)
    planned = without | {PLAN.table: PLAN}
    assert set(forecast_tables(planned)) == {*forecast_tables(without), PLAN.table}
    assert finished_tables(planned) == finished_tables(without)
    assert history_tables(planned) == history_tables(without)
    assert season_tables(planned) == season_tables(without)


def test_what_only_a_plan_reads_is_made_for_a_coming_race_too(pipeline: Pipeline) -> None:
    steps = build_steps(pipeline)
    assert "core.session_result" not in forecast_tables(steps)
    plan = dataclasses.replace(PLAN, reads=("core.session_result",))
    assert "core.session_result" in forecast_tables(steps | {PLAN.table: plan})


# ---- what is refused


@pytest.mark.parametrize("upstream", [PRICES, TOTAL])
def test_a_table_of_races_needs_no_whole_seasons(tmp_path: Path, upstream: str) -> None:
    text = RACE_SQL.replace(PRICES, upstream)
    pipeline = home_with(tmp_path, SEASON_SQL | {"marts.race_prices": text})
    with pytest.raises(
        DataError, match=r"^marts\.race_prices: expected a table of races to need none of whole seasons"
    ):
        build_steps(pipeline)


def test_step_and_header_that_disagree_are_refused(tmp_path: Path) -> None:
    pipeline = home_with(tmp_path, {})
    review = pipeline.settings.sql_dir / "lineups" / "lineup_review.sql"
    review.write_text(review.read_text().replace("-- partitioned_by: race_key\n", ""), encoding="utf-8")
    with pytest.raises(DataError, match=r"^lineups\.lineup_review: expected partition None as in .*, found 'race'$"):
        build_steps(pipeline)


# ---- documents


def test_data_dictionary_says_what_a_partition_is(pipeline: Pipeline) -> None:
    sections = render_data_dictionary(pipeline).split("### ")
    grains = {section.splitlines()[0]: section.splitlines()[4] for section in sections[1:]}
    assert grains[PRICES] == "Grain: `season`; one partition per season."
    assert grains["lineups.lineup_review"].endswith("; one partition per race.")
    assert grains[TOTAL] == "Grain: `season_count`; replaced whole."


# ---- runs

COUNT = "lineups.season_count"
COUNT_SQL = """\
-- description: One row per season: its prices, counted in Python.
-- grain: season
-- partitioned_by: season
-- column: season | Season
-- column: price_count | Prices | count
-- check: price_count > 0
select
    cast(season as integer) as season,
    cast(price_count as bigint) as price_count
from incoming
"""


def count_prices(pipeline: Pipeline, table: str, seasons: Sequence[str]) -> WriteReport:
    with pipeline.warehouse.read() as connection:
        race_keys = connection.table("raw.prices").select("race_key").df()["race_key"]
    counts = {season: int(race_keys.str.startswith(f"{season}-").sum()) for season in seasons}
    rows = pd.DataFrame({"season": list(counts), "price_count": list(counts.values())})
    report = run_model(pipeline, table, seasons, rows)
    details = {season: {"prices": count, "note": f"**{season}**"} for season, count in counts.items()}
    return dataclasses.replace(report, details=details)


@pytest.fixture
def counting(tmp_path: Path) -> tuple[Pipeline, list[dg.AssetsDefinition]]:
    """A graph of two tables: prices of races, and of seasons the count of them that Python makes."""
    write_sql(tmp_path, COUNT, COUNT_SQL)
    pipeline = Pipeline(dataclasses.replace(make_settings(tmp_path / "warehouse"), home=tmp_path))
    steps = {
        "raw.prices": Step("raw.prices", land_facts, reads_facts=True),
        COUNT: Step(COUNT, count_prices, reads=("raw.prices",), partition="season"),
    }
    with pytest.warns(dg.BetaWarning, match="backfill_policy"):
        assets = build_assets(pipeline, steps, column_types(pipeline.models))
    return pipeline, assets


def materialize(
    pipeline: Pipeline,
    assets: list[dg.AssetsDefinition],
    table: str,
    keys: tuple[str, str],
    instance: dg.DagsterInstance,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [*assets, build_source_assets(("f1db",))],
        selection=[asset_key(table)],
        tags=partition_range_tags(*keys),
        resources={"pipeline": PipelineResource.from_settings(pipeline.settings)},
        instance=instance,
    )


def test_seasons_are_materialized_in_one_run_with_what_they_say(
    counting: tuple[Pipeline, list[dg.AssetsDefinition]],
) -> None:
    pipeline, assets = counting
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(pipeline, assets, "raw.prices", ("2024-bahrain", "2026-miami"), instance)
        result = materialize(pipeline, assets, COUNT, ("2024", "2025"), instance)
        (prices,) = rows_of(pipeline.settings.warehouse_path, COUNT)[:1]
        events = {
            event.partition: event.materialization.metadata for event in result.get_asset_materialization_events()
        }
        assert set(events) == {"2024", "2025"}
        assert events["2024"]["dagster/partition_row_count"].value == 1
        assert events["2024"]["prices"].value == prices[1] > 0
        assert events["2024"]["note"].value == "**2024**"
        assert events["2025"]["dagster/row_count"].value == 2
        assert all(check.passed for check in result.get_asset_check_evaluations())

        materialize(pipeline, assets, COUNT, ("2026", "2026"), instance)
        assert instance.get_materialized_partitions(asset_key(COUNT)) == {"2024", "2025", "2026"}
    assert [row[0] for row in rows_of(pipeline.settings.warehouse_path, COUNT)] == [2024, 2025, 2026]


def test_season_that_breaks_its_contract_leaves_the_table_as_it_was(
    counting: tuple[Pipeline, list[dg.AssetsDefinition]],
) -> None:
    pipeline, assets = counting
    with dg.DagsterInstance.ephemeral() as instance:
        materialize(pipeline, assets, "raw.prices", ("2025-australia", "2025-china"), instance)
        materialize(pipeline, assets, COUNT, ("2025", "2025"), instance)
        before = rows_of(pipeline.settings.warehouse_path, COUNT)
        # of 2024 no price is known, and a season without prices breaks the check
        with pytest.raises(ContractError, match=r"price_count > 0; 1 rows break it, .*2024"):
            materialize(pipeline, assets, COUNT, ("2024", "2025"), instance)
    assert rows_of(pipeline.settings.warehouse_path, COUNT) == before


def test_backtest_runs_the_tables_of_the_seasons_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = home_without_own_seasons(tmp_path, monkeypatch)
    steps = build_steps(pipeline)
    for table, keys in (("raw.races", []), ("raw.prices", ["2024-monaco", "2025-monaco", "2026-miami"])):
        steps[table].run(pipeline, table, keys)
    made: list[str] = []
    runner = Runner(pipeline.settings, on_step=made.append)
    summary = runner.backtest(["2024", "2025"])
    assert (summary.partition_count, summary.partition) == (2, "season")
    assert set(summary.seconds) == {"marts", "published", ORCHESTRATION}
    assert sorted(made) == sorted([*SEASON_SQL, "published.snapshot"])
    assert len(made) == runner.step_count(SEASON_BACKTEST_JOB)
    path = pipeline.settings.warehouse_path
    assert [row[0] for row in rows_of(path, CHANGES)] == [2024, 2025]
    assert rows_of(path, TOTAL) == [(2, sum(row[1] for row in rows_of(path, PRICES)))]


def home_without_own_seasons(home: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Leave out the project's own season tables, which need a whole warehouse."""
    pipeline = home_with(home, SEASON_SQL)
    own = set(season_tables(build_steps(pipeline))) - set(SEASON_SQL)
    for table in own:
        (pipeline.settings.sql_dir / f"{table.replace('.', '/')}.sql").unlink()
    fed = tuple(step for step in registry.python_steps() if step.table not in own)
    monkeypatch.setattr(registry, "python_steps", lambda: fed)
    return Pipeline(pipeline.settings)

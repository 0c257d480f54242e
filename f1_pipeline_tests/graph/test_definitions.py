"""The graph as Dagster sees it: loads without a warning, says what everything is, depends on the right races."""

from __future__ import annotations

import dataclasses

import dagster as dg
import pytest

from f1_pipeline.definitions import build_definitions
from f1_pipeline.defs.assets import asset_key
from f1_pipeline.defs.jobs import (
    FINISHED_RACE_JOB,
    NEXT_LINEUP_JOB,
    PAGES_JOB,
    RACE_HISTORY_JOB,
    REFRESH_JOB,
    SEASON_AGENTS_JOB,
    SEASON_BACKTEST_JOB,
)
from f1_pipeline.defs.pages import RACE_PAGE, SEASON_PAGE, SNAPSHOT
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.sources import BUNDLE, source_key
from f1_pipeline.errors import DataError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps, finished_tables
from f1_pipeline_tests.support import copy_facts, make_settings

SECRET = "s3cret-of-the-webhook"
PUBLISHED = {SNAPSHOT, RACE_PAGE, SEASON_PAGE}
SOURCES = {BUNDLE, source_key("f1db"), source_key("feed")}
UNPARTITIONED = {
    *("raw.races", "raw.circuits", "raw.drivers", "raw.constructors"),
    *("staging.feed_statement", "marts.points_correction"),
    *("core.race", "core.driver", "core.constructor", "core.current_lineup", "core.entered_lineup"),
    *("core.rescored_event_score", "marts.rescored_race_points", "core.session_score"),
    *("evaluation.counted_race", "evaluation.forecast_accuracy", "evaluation.lineup_accuracy"),
    *("evaluation.return_class_error", "evaluation.pit_histogram"),
    *("evaluation.probability_calibration", "evaluation.probability_score"),
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(make_settings(tmp_path_factory.mktemp("graph")))


@pytest.fixture(scope="module")
def definitions(pipeline: Pipeline) -> dg.Definitions:
    return build_definitions(pipeline.settings)


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions):
    return definitions.resolve_asset_graph()


def test_the_definitions_load_as_the_code_location_does(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_every_step_is_an_asset_and_every_asset_a_step(graph, pipeline: Pipeline) -> None:
    expected = {asset_key(table) for table in build_steps(pipeline)}
    assert graph.get_all_asset_keys() - SOURCES - PUBLISHED == expected


def test_every_raw_table_stands_downstream_of_the_sources(graph, pipeline: Pipeline) -> None:
    assert graph.get_all_asset_keys() >= SOURCES
    assert graph.get(BUNDLE).parent_keys == SOURCES - {BUNDLE}
    fed = {".".join(key.path) for key in graph.get(BUNDLE).child_keys}
    raw = {table for table in build_steps(pipeline) if table.startswith("raw.")}
    beside = {"core.rescored_event_score", "core.session_score", "staging.feed_statement"}
    beside |= {"evaluation.event_outcome", "lineups.pick_review"}
    assert fed == raw | beside
    for key in SOURCES:
        node = graph.get(key)
        assert (node.group_name, node.owners) == ("sources", ["team:f1-pipeline"])
        assert node.description


def test_only_the_chosen_sources_are_assets(pipeline: Pipeline) -> None:
    chosen = dataclasses.replace(pipeline.settings, sources=("feed",))
    graph = build_definitions(chosen).resolve_asset_graph()
    assert {key for key in graph.get_all_asset_keys() if key.path[0] == "sources"} == {BUNDLE, source_key("feed")}


def test_every_asset_says_what_it_is(graph, pipeline: Pipeline) -> None:
    for table in build_steps(pipeline):
        node = graph.get(asset_key(table))
        assert node.description.startswith("One row per "), table
        assert node.group_name == table.split(".")[0]
        assert node.owners == ["team:f1-pipeline"]
        assert node.kinds
        schema = node.metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == list(pipeline.contracts[table].column_names)
        assert all(column.description and column.type for column in schema.columns)


def test_what_is_published_says_what_it_is_and_comes_after_everything_it_shows(graph, pipeline: Pipeline) -> None:
    for key in PUBLISHED:
        node = graph.get(key)
        assert (node.group_name, node.owners) == ("published", ["team:f1-pipeline"])
        assert node.description
        assert node.kinds
    # a run that fails on the way publishes nothing
    assert graph.get(SNAPSHOT).parent_keys == {asset_key(table) for table in build_steps(pipeline)}
    assert SNAPSHOT in graph.get(RACE_PAGE).parent_keys
    assert graph.get(RACE_PAGE).is_partitioned
    assert RACE_PAGE in graph.get(SEASON_PAGE).parent_keys


def test_partitions_are_the_races_in_the_order_they_are_driven(graph, pipeline: Pipeline) -> None:
    keys = graph.get(asset_key("lineups.optimal_lineup")).partitions_def.get_partition_keys()
    dates = [pipeline.calendar.get(key).race_date for key in keys]
    assert dates == sorted(dates)
    assert keys[0] == "2023-bahrain"
    assert keys[keys.index("2026-canada") + 1] == "2026-monaco"
    assert keys[-1] == "2026-abu-dhabi"
    steps = build_steps(pipeline)
    assert all(graph.get(asset_key(table)).is_partitioned == bool(step.partition) for table, step in steps.items())
    whole = {table for table, step in steps.items() if step.partition is None}
    assert whole == UNPARTITIONED


def _upstream_races(graph, table: str, upstream: str, race_key: str) -> list[str]:
    mapping = graph.get_partition_mapping(asset_key(table), asset_key(upstream))
    partitions = graph.get(asset_key(table)).partitions_def
    subset = partitions.subset_with_partition_keys([race_key])
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(subset, partitions, partitions)
    return sorted(found.partitions_subset.get_partition_keys())


def test_features_read_strictly_earlier_races(graph) -> None:
    races = _upstream_races(graph, "features.driver_race_feature", "core.driver_race_performance", "2023-australia")
    assert races == ["2023-bahrain", "2023-saudi-arabia"]


def test_season_points_read_the_race_itself_too(graph) -> None:
    races = _upstream_races(graph, "core.driver_race_performance", "core.driver_event_score", "2023-saudi-arabia")
    assert races == ["2023-bahrain", "2023-saudi-arabia"]


def test_practice_of_the_race_itself_is_read(graph) -> None:
    assert _upstream_races(graph, "features.driver_race_feature", "core.practice_pace", "2023-monaco") == [
        "2023-monaco"
    ]


def test_every_table_has_its_contract_and_sql_tests_as_blocking_checks(graph, pipeline: Pipeline) -> None:
    for table in build_steps(pipeline):
        checks = {key.name for key in graph.get_check_keys_for_assets({asset_key(table)})}
        assert checks == {"contract", *(test.name for test in pipeline.tests_of(table))}


def test_jobs_select_what_their_names_say(definitions: dg.Definitions, pipeline: Pipeline) -> None:
    def tables(job_name: str) -> set[str]:
        keys = definitions.resolve_job_def(job_name).asset_layer.executable_asset_keys
        return {".".join(key.path) for key in keys}

    snapshot = "published.snapshot"
    assert tables(FINISHED_RACE_JOB) == {*finished_tables(build_steps(pipeline)), snapshot}
    assert all(snapshot in tables(job) for job in (NEXT_LINEUP_JOB, SEASON_BACKTEST_JOB, SEASON_AGENTS_JOB))
    assert tables(PAGES_JOB) == {"published.race_page", "published.season_page"}
    assert {"raw.event_scores", "lineups.lineup_review"} <= tables(FINISHED_RACE_JOB)
    before = tables(NEXT_LINEUP_JOB)
    assert {"lineups.optimal_lineup", "predictions.asset_points", "core.practice_pace", "raw.prices"} <= before
    assert not {"raw.event_scores", "raw.race_results", "core.session_result", "lineups.lineup_review"} & before
    assert tables(REFRESH_JOB) == {
        *("sources.f1db", "sources.feed", "sources.bundle"),
        *("staging.feed_statement", "marts.points_correction"),
    }
    history = tables(RACE_HISTORY_JOB)
    assert {"core.driver_race_performance", "features.driver_race_feature", "raw.event_scores"} <= history
    # who is champion is decided on how the candidates did in every race before
    assert {"models.points_model", "evaluation.candidate_error"} <= history
    # and when to play a chip on what chips offered in every race before
    assert {"lineups.chip_gain", "predictions.asset_forecast"} <= history
    assert not {"lineups.optimal_lineup", "lineups.transfer_plan", "lineups.season_backtest"} & history


def test_a_malformed_calendar_stops_the_definitions_with_its_file_name(tmp_path) -> None:
    data_dir = copy_facts(tmp_path / "data")
    races = data_dir / "races.csv"
    races.write_text(races.read_text().replace("race_date", "race_day", 1))
    with pytest.raises(DataError, match=r"races\.csv line 1: .*race_date"):
        build_definitions(make_settings(tmp_path / "warehouse", data_dir=data_dir))


def test_the_address_of_the_webhook_stands_in_no_configuration_that_dagster_keeps(pipeline: Pipeline) -> None:
    settings = dataclasses.replace(pipeline.settings, webhook=f"https://hooks.example/{SECRET}")
    assert SECRET not in repr(settings)
    assert SECRET not in PipelineResource.from_settings(settings).model_dump_json()
    for job in build_definitions(settings).get_repository_def().get_all_jobs():
        assert SECRET not in repr((job.tags, job.metadata, job.run_config))

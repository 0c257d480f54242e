"""One asset per table: its key, partitions, dependencies, description, schema and checks.

Belongs here: the translation of a `Step` into a Dagster asset, nothing else. Neighbours: `steps.registry` lists the
steps, `metadata.py` says what the UI shows of a write.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from f1_pipeline.defs.metadata import partition_metadata, run_metadata, table_schema
from f1_pipeline.defs.partitions import (
    race_partitions,
    season_partitions,
    strictly_before,
    up_to_and_including,
    up_to_season,
)
from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.defs.sources import BUNDLE, OWNERS
from f1_pipeline.steps.lineups import LINEUP_TABLE
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.review import REVIEW_TABLE
from f1_pipeline.steps.step import Step
from f1_pipeline.warehouse.writer import CONTRACT, ContractError

FACTS = "facts"
"""Metadata of reviews and line-ups: hash of the facts they were made from, by which the sensor knows what is due."""


def asset_key(table: str) -> dg.AssetKey:
    """Turn `schema.table` into the asset key `[schema, table]`."""
    return dg.AssetKey(table.split("."))


def build_assets(
    pipeline: Pipeline,
    steps: Mapping[str, Step],
    types: Mapping[str, Mapping[str, str]],
) -> list[dg.AssetsDefinition]:
    """Make one asset of each step.

    Parameters
    ----------
    pipeline : Pipeline
    steps : mapping of str to Step
        By full table name.
    types : mapping of str to mapping of str to str
        Column types of every table.

    Returns
    -------
    list of AssetsDefinition
    """
    races, seasons = race_partitions(pipeline.calendar), season_partitions(pipeline.calendar)
    partitions = {"race": races, "season": seasons}
    before, including = strictly_before(races), up_to_and_including(races)
    of_season = up_to_season(pipeline.calendar, races, seasons)

    def mapping(step: Step, table: str) -> dg.PartitionMapping | None:
        if step.partition == "season":
            return of_season if steps[table].partition == "race" else None
        if table in step.strictly_before:
            return before
        return including if table in step.up_to_and_including else None

    def dependencies(step: Step) -> list[dg.AssetDep]:
        facts = [dg.AssetDep(BUNDLE)] if step.reads_facts else []
        return [
            *facts,
            *(dg.AssetDep(asset_key(table), partition_mapping=mapping(step, table)) for table in step.reads),
        ]

    return [
        _build_asset(
            pipeline,
            step,
            deps=dependencies(step),
            partitions=partitions[step.partition] if step.partition else None,
            schema=table_schema(pipeline.contracts[step.table], types[step.table]),
        )
        for step in steps.values()
    ]


def _build_asset(
    pipeline: Pipeline,
    step: Step,
    deps: list[dg.AssetDep],
    partitions: dg.StaticPartitionsDefinition | None,
    schema: dg.TableSchema,
) -> dg.AssetsDefinition:
    contract = pipeline.contracts[step.table]
    key = asset_key(step.table)
    tests = {test.name: test.description for test in pipeline.tests_of(step.table)}
    descriptions = {CONTRACT: "Key columns, uniqueness and the checks of the table's header.", **tests}

    @dg.asset(
        key=key,
        deps=deps,
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run() if partitions else None,
        description=contract.description,
        group_name=contract.schema,
        owners=OWNERS,
        kinds=set(step.kinds),
        metadata={"dagster/column_schema": schema, "dagster/table_name": contract.full_name},
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=text, blocking=True) for name, text in descriptions.items()
        ],
    )
    def table_asset(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[Any]:
        partition_keys = list(context.partition_keys) if step.partition else []
        try:
            report = step.run(pipeline.pipeline, step.table, partition_keys)
        except ContractError as error:
            metadata = {"rows": dg.MetadataValue.md(error.rows.head(20).to_markdown(index=False))}
            yield dg.AssetCheckResult(
                passed=False, check_name=error.check, asset_key=key, description=str(error), metadata=metadata
            )
            raise
        for name in report.checks:
            yield dg.AssetCheckResult(passed=True, check_name=name, asset_key=key)
        metadata = run_metadata(pipeline.pipeline, step, report)
        for partition_key in partition_keys:
            facts = _facts_of(pipeline.pipeline, step.table, partition_key)
            context.add_asset_metadata(partition_metadata(report, partition_key) | facts, key, partition_key)
        if partition_keys:
            # The UI reads table-wide metadata from the last event; on every partition it would cost seconds.
            context.add_asset_metadata(metadata, key, partition_keys[-1])
        yield dg.MaterializeResult(asset_key=key, metadata={} if partition_keys else metadata)

    return table_asset


def _facts_of(pipeline: Pipeline, table: str, partition_key: str) -> dict[str, str]:
    if table == REVIEW_TABLE:
        return {FACTS: pipeline.fact_digests.races[partition_key]}
    return {FACTS: pipeline.wanted_digest} if table == LINEUP_TABLE else {}

"""What keeping the event log's connections open is worth: the same run with Dagster's own class and with ours.

Here: assets that do nothing, so that only the recording is timed. docs/adr/0003 rests on this figure.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import dagster as dg
import yaml

from benchmarks.registry import Figure, benchmark
from f1_pipeline.defs.runs import console_log

ASSETS, PARTITIONS = 8, 75
OWN = ("f1_pipeline.defs.event_storage", "PooledSqliteEventLogStorage")
DAGSTER = ("dagster._core.storage.event_log", "SqliteEventLogStorage")


def _job() -> dg.JobDefinition:
    partitions = dg.StaticPartitionsDefinition([f"race-{number}" for number in range(PARTITIONS)])
    specs = [dg.AssetSpec(f"table_{number}", partitions_def=partitions) for number in range(ASSETS)]

    def empty(spec: dg.AssetSpec) -> dg.AssetsDefinition:
        @dg.multi_asset(specs=[spec], name=f"make_{spec.key.to_python_identifier()}")
        def make() -> dg.MaterializeResult:
            return dg.MaterializeResult(asset_key=spec.key)

        return make

    record = dg.define_asset_job("record", selection=dg.AssetSelection.assets(*(spec.key for spec in specs)))
    definitions = dg.Definitions([empty(spec) for spec in specs], jobs=[record])
    return definitions.resolve_job_def("record")


def _seconds(job: dg.JobDefinition, storage: tuple[str, str]) -> float:
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        module, name = storage
        config = {
            "telemetry": {"enabled": False},
            "event_log_storage": {"module": module, "class": name, "config": {"base_dir": f"{folder}/events"}},
        }
        (Path(folder) / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        tags = {"dagster/asset_partition_range_start": "race-0", "dagster/asset_partition_range_end": "race-74"}
        with dg.DagsterInstance.from_config(folder) as instance:
            started = time.perf_counter()
            job.execute_in_process(instance=instance, tags=tags, run_config=console_log())
            return time.perf_counter() - started


@benchmark("event_log_s")
def event_log_s() -> Figure:
    """Time a run that records 8 empty assets over 75 partitions, against Dagster's own event log."""
    job = _job()
    return Figure("event_log_s", _seconds(job, OWN), "s", "Dagster's SqliteEventLogStorage", _seconds(job, DAGSTER))

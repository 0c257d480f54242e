"""Bring the facts up to date: fetch every reading, fold them over the bundle, publish what changed.

Belongs here: the order of a refresh. Neighbours: the sources fetch and merge, `publish` puts files in place,
`fact_changes` tells what is new. The fold is pure; until the last moment nothing in data/ is touched, so any error
leaves the facts as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from f1_pipeline.sources.bundle_source import BundleSource
from f1_pipeline.sources.fact_changes import RefreshReport, compare
from f1_pipeline.sources.fact_frames import keep_named
from f1_pipeline.sources.fact_writer import render_csv
from f1_pipeline.sources.publish import publish, publishing
from f1_pipeline.sources.readme import README_NAME, render_data_readme
from f1_pipeline.sources.source import Facts, Reading, Say, Source
from f1_pipeline.sources.tables import FACT_TABLES

__all__ = ["RefreshReport", "refresh_facts"]


def refresh_facts(data_dir: Path, sources: Sequence[Source], say: Say) -> RefreshReport:
    """Merge what the sources have into the fact files of a folder.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files.
    sources : sequence of Source
        Beside the bundle itself, in the order of their merges: F1DB before the feed.
    say : callable
        Told of each step.

    Returns
    -------
    RefreshReport
        What changed. Files whose facts are the same keep every byte; a refresh that finds nothing writes nothing.

    Raises
    ------
    SourceError
        A source is out of reach, or sends what it should not.
    DataError
        A source contradicts itself or the facts, or the facts are damaged.
    UsageError
        Another process is writing the facts.
    """
    with publishing(data_dir, say):
        bundle = BundleSource(data_dir).fetch(say)
        readings: dict[str, Reading] = {BundleSource.name: bundle}
        readings |= {source.name: source.fetch(say) for source in sources}
        notes: list[str] = []
        facts: Facts = {}
        for name, reading in readings.items():
            say(f"Merging {name}: {reading.description}.")
            facts = reading.merge(facts, notes.append)
        facts = keep_named(facts)
        files, changed = _files(data_dir, bundle.facts, facts)
        if changed:
            publish(data_dir, files, changed, say)
    told = {name: reading.description for name, reading in readings.items()}
    return compare(bundle.facts, facts, told, tuple(notes))


def _files(data_dir: Path, before: Facts, after: Facts) -> tuple[dict[str, bytes], set[str]]:
    """Render the files, and name those that are other facts than before; the others keep the bytes they have."""
    files, changed = {}, set()
    for name, table in FACT_TABLES.items():
        content = render_csv(table, after[name])
        if content == render_csv(table, before[name]):
            content = (data_dir / table.file_name).read_bytes()
        else:
            changed.add(table.file_name)
        files[table.file_name] = content
    readme = data_dir / README_NAME
    files[README_NAME] = render_data_readme(after).encode("utf-8")
    if not readme.exists() or readme.read_bytes() != files[README_NAME]:
        changed.add(README_NAME)
    return files, changed

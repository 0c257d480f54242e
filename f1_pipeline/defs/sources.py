"""The doors for new facts as assets: what each source had to say, and the facts in data/ that came of it.

Belongs here: showing a refresh in the graph; every raw table stands downstream of the bundle. Neighbours:
`steps.refresh` does the work, `jobs.py` selects these assets, `automation.py` asks for them after a race.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from f1_pipeline.defs.resources import PipelineResource
from f1_pipeline.sources.source import Say
from f1_pipeline.steps.refresh import refresh

SOURCES_GROUP = "sources"
BUNDLE = dg.AssetKey([SOURCES_GROUP, "bundle"])
OWNERS = ["team:f1-pipeline"]
DESCRIPTIONS = {
    "f1db": "The newest F1DB release: calendar, results and names, kept as downloaded.",
    "feed": "The official game's public feed: prices, points by item, ownership; every payload kept as received.",
}


def source_key(name: str) -> dg.AssetKey:
    """Turn the name of a source into its asset key."""
    return dg.AssetKey([SOURCES_GROUP, name])


def build_source_assets(names: Sequence[str], say: Say | None = None) -> dg.AssetsDefinition:
    """Make the assets of a refresh: each chosen source, and the bundle that they are merged into.

    Parameters
    ----------
    names : sequence of str
        The sources that the settings choose.
    say : callable, optional
        Told of each step, beside the run's own log.

    Returns
    -------
    AssetsDefinition
    """
    sources = {source_key(name): DESCRIPTIONS[name] for name in names}
    specs = [
        *(_spec(key, text, ["http"]) for key, text in sources.items()),
        _spec(
            BUNDLE, "The fact files in data/, checked whole, with everything new that the sources had.", ["csv"]
        ).replace_attributes(deps=list(sources)),
    ]

    @dg.multi_asset(name="merge_sources", specs=specs)
    def merge_sources(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> Iterator[dg.MaterializeResult]:
        def tell(text: str) -> None:
            context.log.info(text)
            if say is not None:
                say(text)

        report = refresh(pipeline.pipeline.settings, tell, pipeline.pipeline.clock)
        for name in names:
            yield dg.MaterializeResult(source_key(name), metadata={"read": report.readings[name]})
        yield dg.MaterializeResult(
            BUNDLE, metadata={"changes": dg.MetadataValue.md(report.to_markdown()), "report": report.to_dict()}
        )

    return merge_sources


def _spec(key: dg.AssetKey, description: str, kinds: Sequence[str]) -> dg.AssetSpec:
    return dg.AssetSpec(key, description=description, group_name=SOURCES_GROUP, owners=OWNERS, kinds={"python", *kinds})

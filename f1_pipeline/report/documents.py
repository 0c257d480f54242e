"""Documents that are generated: the data dictionary, the scoring rules and the picture of the asset graph.

Belongs here: which documents there are, and rendering of what contracts and steps already say. The rules of the game
are rendered by :mod:`f1_pipeline.report.scoring_rules`. `f1-pipeline docs` writes them all; a test fails when one is
stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from f1_pipeline.report.files import write_file
from f1_pipeline.report.graph_picture import draw_graph
from f1_pipeline.report.scoring_rules import render_scoring_rules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.warehouse.contract import TableContract
from f1_pipeline.warehouse.dry_run import ColumnTypes, column_types
from f1_pipeline.warehouse.reader_file import READER_SCHEMA, ReaderObject

LAYERS = {
    "raw": "The files in data/, row by row, typed.",
    "staging": "Raw rows in one shape and one vocabulary.",
    "core": "Races, drivers, constructors, results and points: what happened.",
    "features": "What was known of an asset when the line-ups of a race locked.",
    "predictions": "What a forecast expects of an asset in a race.",
    "models": "The model that was trained for a race.",
    "evaluation": "How good the forecasts of finished races were.",
    "lineups": "The best line-ups of a race, and what they were worth.",
    "marts": "Ready answers to usual questions.",
}


READER_MEANING = (
    "Views and macros for usual questions. They are in the published copy of the warehouse, `published.duckdb`, alone; "
    "[how to read it](warehouse.md)."
)


def write_documents(pipeline: Pipeline) -> list[Path]:
    """Write the generated documents.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    RuleError
        A rules file is broken, or a constant has no evidence.
    DataError
        The facts of a worked example are missing, or contradict the rules.
    UsageError
        A document cannot be written.
    """
    folder = pipeline.settings.home / "docs"
    texts = {
        folder / "data_dictionary.md": render_data_dictionary(pipeline),
        folder / "scoring_rules.md": render_scoring_rules(pipeline.settings.data_dir),
    }
    for path, text in texts.items():
        write_file(path, text.encode("utf-8"))
    picture = folder / "asset_graph.svg"
    draw_graph(build_steps(pipeline), picture)
    return [*texts, picture]


def render_data_dictionary(pipeline: Pipeline) -> str:
    """Render every table of the warehouse, and every view and macro for readers.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    str
        Markdown.
    """
    types = column_types(pipeline.models)
    parts = [
        "# Data dictionary",
        "Every table, view and macro of the warehouse, generated from the headers of the SQL files and the declaration "
        "of the fact files by `f1-pipeline docs`. Do not edit it by hand.",
    ]
    for layer, meaning in LAYERS.items():
        parts.append(f"## {layer}\n\n{meaning}")
        contracts = [contract for contract in pipeline.contracts.values() if contract.schema == layer]
        parts += [_render_table(contract, types) for contract in sorted(contracts, key=lambda found: found.name)]
    parts.append(f"## {READER_SCHEMA}\n\n{READER_MEANING}")
    parts += [_render_reader_object(item) for item in sorted(pipeline.reader_objects, key=lambda found: found.path)]
    return "\n\n".join(parts) + "\n"


def _render_reader_object(item: ReaderObject) -> str:
    contract = item.contract
    per_call = "of one call" if item.parameters else "of the view"
    lines = [
        f"### {item.signature}",
        "",
        f"{item.kind.capitalize()}. {contract.description}",
        "",
        f"Grain {per_call}: {', '.join(f'`{name}`' for name in contract.grain)}.",
        "",
    ]
    if item.parameters:
        lines += ["| parameter | default | description |", "|---|---|---|"]
        for given in item.parameters:
            default = f"`{given.default}`" if given.default else "must be given"
            lines.append(f"| `{given.name}` | {default} | {given.description} |")
        lines.append("")
    lines += ["| column | unit | description |", "|---|---|---|"]
    lines += [f"| `{column.name}` | {column.unit} | {column.description} |" for column in contract.columns]
    lines += ["", f"Example: `{item.example}`"]
    return "\n".join(lines)


def _render_table(contract: TableContract, types: ColumnTypes) -> str:
    found: Mapping[str, str] = types[contract.full_name]
    partitioned = f"one partition per {contract.partition}" if contract.partition else "replaced whole"
    lines = [
        f"### {contract.full_name}",
        "",
        contract.description,
        "",
        f"Grain: {', '.join(f'`{name}`' for name in contract.grain)}; {partitioned}.",
        "",
        "| column | type | unit | description |",
        "|---|---|---|---|",
    ]
    for column in contract.columns:
        lines.append(f"| `{column.name}` | {found[column.name].lower()} | {column.unit} | {column.description} |")
    if contract.checks:
        lines += ["", "Checks: " + "; ".join(f"`{check}`" for check in contract.checks) + "."]
    return "\n".join(lines)

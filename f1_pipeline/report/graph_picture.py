"""The asset graph as a picture: one box per table, one column per depth, an arrow from what is read.

Neighbours: `steps.registry` says what reads what; the Dagster UI shows the same graph alive.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from f1_pipeline.steps.step import Step

COLOURS = {
    "raw": "#e3e7ee",
    "staging": "#d3e5f7",
    "core": "#bcd8b8",
    "features": "#f5dfa6",
    "predictions": "#f3c3a4",
    "models": "#dcc6ee",
    "evaluation": "#d9d2c5",
    "lineups": "#f2a7ab",
    "marts": "#c4e3e0",
}
COLUMN_WIDTH, BOX_WIDTH, BOX_HEIGHT = 3.1, 2.6, 0.62


def draw_graph(steps: Mapping[str, Step], path: Path) -> None:
    """Draw the graph.

    Parameters
    ----------
    steps : mapping of str to Step
        Upstream first.
    path : Path
        The SVG file to write; the same steps give the same bytes.
    """
    places = _places(steps)
    columns = 1 + max(x for x, _ in places.values())
    rows = max(sum(1 for x, _ in places.values() if x == column) for column in range(columns))
    figure = Figure(figsize=(columns * COLUMN_WIDTH * 0.62, rows * 0.62 + 0.6))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(-0.25, columns * COLUMN_WIDTH)
    axes.set_ylim(-rows / 2 - 0.3, rows / 2 + 0.3)
    for step in steps.values():
        for upstream in step.reads:
            _draw_arrow(axes, places[upstream], places[step.table], dashed=upstream in step.earlier)
    for table, place in places.items():
        _draw_box(axes, table, place)
    # A fixed salt and no date: the same graph is the same file.
    with matplotlib.rc_context({"svg.hashsalt": "f1-pipeline", "svg.fonttype": "none"}):
        FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None, "Title": "Asset graph of f1-pipeline"})


def _places(steps: Mapping[str, Step]) -> dict[str, tuple[int, float]]:
    depths: dict[str, int] = {}
    for table, step in steps.items():
        depths[table] = max((depths[upstream] + 1 for upstream in step.reads), default=0)
    # A reference table moves next to its first reader, so that arrows stay short.
    for table in reversed(list(steps)):
        readers = [depths[step.table] for step in steps.values() if table in step.reads]
        depths[table] = min(readers) - 1 if readers else depths[table]
    places = {}
    for column in sorted(set(depths.values())):
        members = sorted((table for table in steps if depths[table] == column), key=_order)
        for at, table in enumerate(members):
            places[table] = (column, (len(members) - 1) / 2 - at)
    return places


def _order(table: str) -> tuple[int, str]:
    return list(COLOURS).index(table.split(".")[0]), table


def _draw_box(axes, table: str, place: tuple[int, float]) -> None:
    schema, name = table.split(".")
    x, y = place[0] * COLUMN_WIDTH, place[1]
    box = FancyBboxPatch(
        (x, y - BOX_HEIGHT / 2),
        BOX_WIDTH,
        BOX_HEIGHT,
        boxstyle="round,pad=0.02,rounding_size=0.12",
        facecolor=COLOURS[schema],
        edgecolor="#55606e",
        linewidth=0.8,
        zorder=2,
    )
    axes.add_patch(box)
    axes.text(x + BOX_WIDTH / 2, y + 0.13, schema, ha="center", va="center", fontsize=5.5, color="#55606e", zorder=3)
    axes.text(x + BOX_WIDTH / 2, y - 0.1, name, ha="center", va="center", fontsize=6.2, color="#101418", zorder=3)


def _draw_arrow(axes, start: tuple[int, float], end: tuple[int, float], *, dashed: bool) -> None:
    axes.annotate(
        "",
        xy=(end[0] * COLUMN_WIDTH - 0.03, end[1]),
        xytext=(start[0] * COLUMN_WIDTH + BOX_WIDTH + 0.03, start[1]),
        arrowprops={
            "arrowstyle": "-|>",
            "mutation_scale": 6,
            "linewidth": 0.6,
            "linestyle": "--" if dashed else "-",
            "color": "#8a94a3",
            "connectionstyle": "arc3,rad=0.0",
        },
        zorder=1,
    )

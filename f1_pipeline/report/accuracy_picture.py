"""The accuracy of the forecasts as one picture of small panels: errors, distributions, probabilities, line-ups.

Belongs here: drawing of what `accuracy.py` has read; the same figures give the same bytes. Colours are those of Okabe
and Ito, told apart by the colour-blind, and every series has its own marker or hatch as well. Neighbours:
`accuracy_page.py` embeds the pictures, `graph_picture.py` draws the asset graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from f1_pipeline.forecast.evaluation import RETURN_CLASSES
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.report.accuracy import ALL, BASELINE, PHASE_NAMES, PUBLISHED, Accuracy, check_targets
from f1_pipeline.report.files import write_file
from f1_pipeline.report.pictures import drawn_in, figure_bytes
from f1_pipeline.report.themes import LIGHT, Theme

PANEL_SIZE, PANEL_COUNT = (13.0, 10.4), (3, 3)  # inches, rows and columns
MARKERS = dict(zip(PHASES, ("o", "s", "^"), strict=True))
SHIFT = dict(zip(PHASES, (-0.22, 0.0, 0.22), strict=True))
OTHER_BASELINES: dict[str, Literal["-", ":"]] = {"price_only": "-", "season_mean": ":"}
FEWEST_OUTCOMES = 10  # a share of fewer says nothing


def write_picture(found: Accuracy, path: Path) -> None:
    """Draw everything, replayed and live forecasts one below the other, into a file.

    Parameters
    ----------
    found : Accuracy
    path : Path
        Its ending says the kind, `.svg` or `.png`; folders that are missing are made.

    Raises
    ------
    UsageError
        When it has another ending, or cannot be written.
    """
    check_targets(path, None)
    write_file(path, render(found, found.manners, path.suffix.lower().removeprefix("."), LIGHT))


def render(found: Accuracy, manners: Sequence[bool], kind: str, theme: Theme) -> bytes:
    """Draw the panels of live or replayed forecasts, or of both.

    Parameters
    ----------
    found : Accuracy
    manners : sequence of bool
        True for live, False for replayed; one block of panels each.
    kind : str
        `svg` or `png`.
    theme : Theme

    Returns
    -------
    bytes
        The file; the same figures give the same bytes.
    """
    with drawn_in(theme):
        figure = Figure(figsize=(PANEL_SIZE[0], PANEL_SIZE[1] * len(manners)), layout="constrained")
        blocks = figure.subfigures(len(manners), 1, squeeze=False)[:, 0]
        for block, is_live in zip(blocks, manners, strict=True):
            block.set_facecolor(theme.paper)
            _draw_block(block, found, is_live, theme)
        return figure_bytes(figure, kind, "Accuracy of the forecasts")


def _draw_block(block: SubFigure, found: Accuracy, is_live: bool, theme: Theme) -> None:
    how = "made live, before the deadline" if is_live else "replayed from what was known then"
    count = found.race_count(is_live)
    races = "1 race" if count == 1 else f"{count} races"
    block.suptitle(f"Forecasts {how}: {races}", fontsize=13, fontweight="bold", x=0.01, ha="left")
    axes = block.subplots(*PANEL_COUNT)
    own = Accuracy(
        **{name: frame[frame["is_live"] == is_live] for name, frame in vars(found).items()},
    )
    _explain(block, theme)
    _draw_ratio(axes[0, 0], own, "mae", "Absolute error against the baseline c", theme)
    _draw_ratio(axes[0, 1], own, "crps", "Distribution (CRPS) against c", theme)
    _draw_gain(axes[0, 2], own, theme)
    _draw_histogram(axes[1, 0], own, theme)
    _draw_coverage(axes[1, 1], own, theme)
    _draw_classes(axes[1, 2], own, theme)
    _draw_calibration(axes[2, 0], own, "not_classified", "Not classified: given and happened", theme)
    _draw_calibration(axes[2, 1], own, "price_step", "Moves of prices: given and happened", theme)
    _draw_capture(axes[2, 2], own, theme)


def _explain(block: SubFigure, theme: Theme) -> None:
    """Say once for all panels what marks and lines mean."""
    phases = [
        Line2D([], [], color=colour, marker=MARKERS[phase], linestyle="none", label=PHASE_NAMES[phase])
        for phase, colour in zip(PHASES, theme.phases, strict=True)
    ]
    lines = [
        Line2D([], [], color=theme.reference, linestyle=style, linewidth=1.6, label=name)
        for name, style in OTHER_BASELINES.items()
    ]
    baseline = Line2D([], [], color=theme.text, linewidth=1.0, label=f"c ({BASELINE}), or the aim")
    block.legend(handles=[*phases, baseline, *lines], loc="outside lower center", ncols=6, handletextpad=0.4)


def _seasons(found: Accuracy) -> list[str]:
    return [ALL, *found.seasons]


def _places(rows: pd.DataFrame, column: str, values: Sequence[str]) -> np.ndarray:
    return np.array([values.index(value) for value in rows[column]], dtype=float)


def _mark_seasons(axes, seasons: Sequence[str]) -> None:
    axes.set_xticks(range(len(seasons)), seasons)
    axes.set_xlim(-0.5, len(seasons) - 0.5)
    axes.grid(axis="x", visible=False)
    axes.axvline(0.5, linewidth=0.8, color=axes.spines["left"].get_edgecolor())


def _add_legend(axes, loc: str, ncols: int = 1) -> None:
    """Explain the series of a panel, if it has any."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc=loc, ncols=ncols, handletextpad=0.4)


def _draw_ratio(axes, found: Accuracy, figure: str, title: str, theme: Theme) -> None:
    """Draw ratios to the baseline by season and phase, with a standard error, and the other baselines beside."""
    seasons = _seasons(found)
    of_all = found.forecasts[found.forecasts["asset_type"] == ALL]
    axes.axhline(1.0, color=theme.text, linewidth=1.0)
    for phase, colour in zip(PHASES, theme.phases, strict=True):
        rows = of_all[(of_all["forecast"] == PUBLISHED) & (of_all["phase"] == phase)]
        baseline = rows[f"{figure}_points"] / rows[f"{figure}_ratio"]
        axes.errorbar(
            _places(rows, "season", seasons) + SHIFT[phase],
            rows[f"{figure}_ratio"],
            yerr=(rows[f"{figure}_gain_se_points"] / baseline).fillna(0.0),
            fmt=MARKERS[phase],
            color=colour,
            markersize=5,
            capsize=2,
            linewidth=1.2,
        )
    for name, style in OTHER_BASELINES.items():
        rows = of_all[(of_all["forecast"] == name) & (of_all["phase"] == AT_LOCK)]
        places = _places(rows, "season", seasons)
        axes.hlines(
            rows[f"{figure}_ratio"],
            places - 0.36,
            places + 0.36,
            color=theme.reference,
            linestyles=style,
            linewidth=1.6,
        )
    axes.set_title(title)
    axes.set_ylabel("ratio to c, below 1 is better")
    _mark_seasons(axes, seasons)
    axes.margins(y=0.1)


def _draw_gain(axes, found: Accuracy, theme: Theme) -> None:
    seasons = _seasons(found)
    axes.axhline(0.0, color=theme.text, linewidth=1.0)
    for phase, colour in zip(PHASES, theme.phases, strict=True):
        rows = found.lineups[(found.lineups["forecast"] == PUBLISHED) & (found.lineups["phase"] == phase)]
        axes.errorbar(
            _places(rows, "season", seasons) + SHIFT[phase],
            rows["gain_points"],
            yerr=rows["gain_se_points"].fillna(0.0),
            fmt=MARKERS[phase],
            color=colour,
            markersize=5,
            capsize=2,
            linewidth=1.2,
        )
    axes.set_title("Line-up points more than with c")
    axes.set_ylabel("points per race")
    _mark_seasons(axes, seasons)
    axes.margins(y=0.1)


def _draw_histogram(axes, found: Accuracy, theme: Theme) -> None:
    rows = found.histogram
    rows = rows[(rows["forecast"] == PUBLISHED) & (rows["phase"] == AT_LOCK)]
    for kind, colour, style in (("driver", theme.first, "-"), ("constructor", theme.second, "--")):
        own = rows[rows["asset_type"] == kind].sort_values("bin")
        if len(own):
            shares = own["asset_share"].to_numpy()
            axes.stairs(
                shares,
                np.linspace(0, 1, len(shares) + 1),
                color=colour,
                linestyle=style,
                linewidth=1.8,
                label=f"{kind}s",
            )
    axes.axhline(0.1, color=theme.text, linewidth=1.0)
    axes.set_title("Where scores fell, at the lock")
    axes.set_xlabel("share of the distribution below the score")
    axes.set_ylabel("share of the scores, aim 10%")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.3 * max([0.1, *rows["asset_share"]]))  # room for the legend
    _add_legend(axes, "upper right", ncols=2)


def _draw_coverage(axes, found: Accuracy, theme: Theme) -> None:
    levels = (50, 80, 90)
    rows = found.forecasts
    rows = rows[(rows["season"] == ALL) & (rows["phase"] == AT_LOCK)]
    series = (
        ("drivers", PUBLISHED, "driver", theme.first, "o", theme.first),
        ("constructors", PUBLISHED, "constructor", theme.second, "s", theme.second),
        ("drivers, c", BASELINE, "driver", theme.first, "o", theme.paper),
        ("constructors, c", BASELINE, "constructor", theme.second, "s", theme.paper),
    )
    for place, (label, forecast, kind, colour, marker, fill) in enumerate(series):
        own = rows[(rows["forecast"] == forecast) & (rows["asset_type"] == kind)]
        if len(own):
            shares = [own[f"coverage_{level}_share"].iloc[0] for level in levels]
            at = np.arange(len(levels)) + (place - 1.5) * 0.15
            axes.plot(at, shares, marker, color=colour, markerfacecolor=fill, markersize=6, label=label)
    for place, level in enumerate(levels):
        axes.hlines(level / 100, place - 0.36, place + 0.36, color=theme.text, linewidth=1.2)
    axes.set_title("Scores within the interval, at the lock")
    axes.set_xticks(range(len(levels)), [f"{level}% interval" for level in levels])
    axes.set_xlim(-0.5, len(levels) - 0.5)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("share of the scores, line: the aim")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    _add_legend(axes, "lower right")


def _draw_classes(axes, found: Accuracy, theme: Theme) -> None:
    rows = found.classes
    rows = rows[(rows["season"] == ALL) & (rows["phase"] == AT_LOCK) & (rows["asset_type"] == ALL)]
    series = ((PUBLISHED, theme.first, "", -0.2), (BASELINE, theme.reference, "///", 0.2))
    for forecast, colour, hatch, shift in series:
        own = rows[rows["forecast"] == forecast]
        places = _places(own, "return_class", RETURN_CLASSES)
        label = "published" if forecast == PUBLISHED else "c"
        axes.bar(
            places + shift,
            own["mae_points"],
            width=0.36,
            color=colour if not hatch else theme.paper,
            edgecolor=colour,
            hatch=hatch,
            linewidth=1.0,
            label=label,
        )
    counts = rows[rows["forecast"] == PUBLISHED].set_index("return_class")["asset_count"]
    axes.set_xticks(range(len(RETURN_CLASSES)), [f"{name}\n({counts.get(name, 0)})" for name in RETURN_CLASSES])
    axes.grid(axis="x", visible=False)
    axes.set_title("Absolute error by return, at the lock")
    axes.set_ylabel("points")
    axes.set_xlabel("return (weekends)")
    axes.set_ylim(0, 1.2 * max([1.0, *rows["mae_points"]]))  # room for the legend
    _add_legend(axes, "upper right", ncols=2)


def _draw_calibration(axes, found: Accuracy, event: str, title: str, theme: Theme) -> None:
    """Draw what happened against what was given, one dot per twentieth, the larger the more outcomes.

    Without bars: outcomes of one race hang together, and a binomial error would pretend that they do not.
    """
    rows = found.calibration
    rows = rows[(rows["event"] == event) & (rows["phase"] == AT_LOCK) & (rows["outcome_count"] >= FEWEST_OUTCOMES)]
    top = 1.0
    if len(rows):
        given, happened = rows["mean_probability"].to_numpy(), rows["observed_share"].to_numpy()
        counts = rows["outcome_count"].to_numpy()
        axes.scatter(given, happened, s=14 + 90 * counts / counts.max(), color=theme.first, zorder=3)
        top = min(1.0, 1.15 * float(max(given.max(), happened.max())))
    else:
        axes.text(0.5, 0.5, f"fewer than {FEWEST_OUTCOMES} outcomes", ha="center", va="center")
    axes.plot((0, top), (0, top), color=theme.text, linewidth=1.0)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_title(title)
    axes.set_xlabel("probability given at the lock")
    axes.set_ylabel("share that happened")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _draw_capture(axes, found: Accuracy, theme: Theme) -> None:
    rows = found.lineups[found.lineups["season"] == ALL]
    names = found.names[::-1]
    for phase, colour in zip(PHASES, theme.phases, strict=True):
        own = rows[(rows["phase"] == phase) & rows["capture_share"].notna()]
        axes.plot(
            own["capture_share"],
            _places(own, "forecast", names) - SHIFT[phase],
            MARKERS[phase],
            color=colour,
            markersize=5,
        )
    axes.set_yticks(range(len(names)), ["c" if name == BASELINE else name for name in names])
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_title("Line-up points of the best possible")
    axes.set_xlabel("share captured")
    axes.margins(x=0.1)

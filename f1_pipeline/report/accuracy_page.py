"""The accuracy of the forecasts as one page: pictures and tables in a single file that needs no network.

Belongs here: putting together what `accuracy.py` lays out and `accuracy_picture.py` draws. Pictures are embedded, once
for light and once for dark. Neighbours: `pages.py` makes every page, `templates/accuracy.html` is this one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.report.accuracy import (
    ALL,
    BASELINE,
    KIND_NAMES,
    LEGEND,
    PHASE_NAMES,
    PUBLISHED,
    Accuracy,
    check_targets,
    sections,
)
from f1_pipeline.report.accuracy_picture import render as render_picture
from f1_pipeline.report.files import write_file
from f1_pipeline.report.pages import render
from f1_pipeline.report.themes import DARK, LIGHT, Theme


def write_page(found: Accuracy, path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    found : Accuracy
    path : Path
        A file that ends in `.html`; folders that are missing are made.

    Raises
    ------
    UsageError
        When it has another ending, or cannot be written.
    """
    check_targets(None, path)
    write_file(path, render_page(found).encode())


def render_page(found: Accuracy) -> str:
    """Put pictures and tables together.

    Parameters
    ----------
    found : Accuracy

    Returns
    -------
    str
        HTML; the same figures give the same text.
    """
    return render(
        "accuracy.html",
        links=(),
        summaries=[_summary(found, is_live) for is_live in found.manners],
        legend=LEGEND,
        pictures=[_picture(found, is_live) for is_live in found.manners],
        phases=list(_phases(found)),
    )


def _summary(found: Accuracy, is_live: bool) -> str:
    """Say the main figures at the lock in words; they are in the tables as well."""
    how = "Made live, before the deadline" if is_live else "Replayed from what was known then"
    of_all = found.forecasts
    of_all = of_all[
        (of_all["forecast"] == PUBLISHED)
        & (of_all["phase"] == AT_LOCK)
        & (of_all["season"] == ALL)
        & (of_all["is_live"] == is_live)
    ].set_index("asset_type")
    if ALL not in of_all.index:
        return f"{how}: no forecast at the lock."
    row = of_all.loc[ALL]
    races = "1 race" if row["race_count"] == 1 else f"{row['race_count']} races"
    kinds = " and ".join(
        f"{of_all.loc[kind, 'mae_points']:.2f} for {KIND_NAMES[kind].lower()}"
        for kind in ("driver", "constructor")
        if kind in of_all.index
    )
    return (
        f"{how}: over {races} the published forecast at the lock missed by {row['mae_points']:.2f} points on average "
        f"({kinds}), {row['mae_ratio']:.3f} times the baseline {BASELINE}; its distribution scored "
        f"{row['crps_points']:.2f} points (CRPS), {row['crps_ratio']:.3f} times the baseline, and "
        f"{row['coverage_80_share']:.0%} of the scores lay within its 80% interval."
    )


def _picture(found: Accuracy, is_live: bool) -> dict[str, str]:
    how = "live" if is_live else "replayed"
    text = (
        f"Nine panels of {how} forecasts: absolute error and CRPS against the baseline by season and moment, line-up "
        "points more than with the baseline, where scores fell in the distribution, scores within the intervals, "
        "error by class of return, calibration of not being classified and of moves of prices, share of the best "
        "possible line-up points. " + _summary(found, is_live)
    )
    light, dark = (_embedded(found, is_live, theme) for theme in (LIGHT, DARK))
    return {"light": light, "dark": dark, "text": text, "how": how}


def _embedded(found: Accuracy, is_live: bool, theme: Theme) -> str:
    drawn = render_picture(found, [is_live], "svg", theme)
    return "data:image/svg+xml;base64," + b64encode(drawn).decode("ascii")


def _phases(found: Accuracy) -> Iterator[dict[str, object]]:
    """Lay out one block per phase, open where line-ups lock."""
    for phase in sorted(PHASES, key=lambda name: name != AT_LOCK):
        laid_out = sections(found, phase, is_full=True)
        if laid_out:
            yield {"name": PHASE_NAMES[phase], "is_open": phase == AT_LOCK, "sections": laid_out}

"""The accuracy of the forecasts as one page: pictures and tables in a single file that needs no network.

Belongs here: the HTML around what `accuracy.py` lays out and `accuracy_picture.py` draws. Pictures are embedded, once
for light and once for dark; every text is escaped; there is no script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from html import escape
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
    Section,
    check_targets,
    sections,
    write_file,
)
from f1_pipeline.report.accuracy_picture import render
from f1_pipeline.report.pictures import DARK, LIGHT, Theme

STYLE = f"""
:root {{ color-scheme: light dark; --paper: {LIGHT.paper}; --text: {LIGHT.text}; --line: {LIGHT.faint};
  --soft: {LIGHT.reference}; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: {DARK.paper}; --text: {DARK.text}; --line: {DARK.faint}; --soft: {DARK.reference}; }}
}}
body {{ margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--paper); color: var(--text);
  font: 16px/1.5 system-ui, "DejaVu Sans", Verdana, sans-serif; }}
h1, h2 {{ line-height: 1.2; }}
h2 {{ margin-top: 2.5rem; }}
p {{ max-width: 60rem; }}
figure {{ margin: 1.5rem 0; }}
figure img {{ width: 100%; height: auto; display: block; }}
figcaption, .note {{ color: var(--soft); font-size: 0.9rem; }}
.wide {{ overflow-x: auto; margin: 1.5rem 0; }}
table {{ border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: 600; padding-bottom: 0.4rem; }}
th, td {{ padding: 0.25rem 0.75rem; text-align: right; white-space: pre; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ text-align: left; }}
tbody th {{ font-weight: 400; }}
tr.last > * {{ border-bottom: 2px solid var(--soft); }}
summary {{ cursor: pointer; font-size: 1.25rem; font-weight: 600; margin-top: 1.5rem; }}
"""


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
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>How good the forecasts were</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        "<h1>How good the forecasts were</h1>",
        *(f"<p>{escape(_summary(found, is_live))}</p>" for is_live in found.manners),
        f'<p class="note">{escape(LEGEND)}</p>',
        *(_figure(found, is_live) for is_live in found.manners),
        "<h2>Tables</h2>",
        *_tables(found),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


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


def _figure(found: Accuracy, is_live: bool) -> str:
    how = "live" if is_live else "replayed"
    text = (
        f"Nine panels of {how} forecasts: absolute error and CRPS against the baseline by season and moment, line-up "
        "points more than with the baseline, where scores fell in the distribution, scores within the intervals, "
        "error by class of return, calibration of not being classified and of moves of prices, share of the best "
        "possible line-up points. " + _summary(found, is_live)
    )
    light, dark = (_embedded(found, is_live, theme) for theme in (LIGHT, DARK))
    return (
        "<figure>\n<picture>\n"
        f'<source media="(prefers-color-scheme: dark)" srcset="{dark}">\n'
        f'<img src="{light}" alt="{escape(text)}">\n'
        "</picture>\n"
        f"<figcaption>Bars are one standard error; the tables below have the main figures ({how}).</figcaption>\n"
        "</figure>"
    )


def _embedded(found: Accuracy, is_live: bool, theme: Theme) -> str:
    return "data:image/svg+xml;base64," + b64encode(render(found, [is_live], "svg", theme)).decode("ascii")


def _tables(found: Accuracy) -> Iterator[str]:
    """Lay out one block per phase, open where line-ups lock."""
    for phase in sorted(PHASES, key=lambda name: name != AT_LOCK):
        laid_out = sections(found, phase, is_full=True)
        if laid_out:
            opened = " open" if phase == AT_LOCK else ""
            yield f"<details{opened}>\n<summary>Forecasts {escape(PHASE_NAMES[phase])}</summary>"
            yield from (_table(section) for section in laid_out)
            yield "</details>"


def _table(section: Section) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.columns)
    rows = []
    for place, (name, *cells) in enumerate(section.rows):
        mark = ' class="last"' if place in section.breaks else ""
        texts = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        rows.append(f'<tr{mark}><th scope="row">{escape(name)}</th>{texts}</tr>')
    return (
        f'<div class="wide"><table>\n<caption>{escape(section.title)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody>\n</table></div>"
    )

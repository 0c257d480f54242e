"""The document of the scoring rules: every constant of every season side by side, with how sure it is and its source.

Belongs here: tables, and what order the document has. Words for keys are :mod:`f1_pipeline.report.rule_words`, text is
:mod:`f1_pipeline.report.rule_chapters`, prices :mod:`f1_pipeline.report.rule_prices`, worked examples
:mod:`f1_pipeline.report.rule_examples`. The same files give the same text, to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from f1_pipeline.errors import RuleError
from f1_pipeline.game.rules import load_rules, rule_seasons
from f1_pipeline.report.rule_chapters import CHAPTERS, INTRODUCTION, Chapter
from f1_pipeline.report.rule_evidence import CONFIDENCES, Constant, read_constants
from f1_pipeline.report.rule_examples import render_examples
from f1_pipeline.report.rule_prices import PRICE_SECTION, render_prices
from f1_pipeline.report.rule_words import folded, sentence, words_of

Constants = Mapping[int, Mapping[str, Constant]]
"""The constants of each season, in order of season, by key."""

_OF_THE_FILE = ""
_NOTE = "note"
_UNKNOWN = "unknown"
_NOTHING = "–"


def render_scoring_rules(data_dir: Path) -> str:
    """Render the rules of all seasons.

    Parameters
    ----------
    data_dir : Path
        Directory that holds ``rules/`` and the fact files.

    Returns
    -------
    str
        Markdown.

    Raises
    ------
    RuleError
        There are no rules, a rules file is broken, or a key has no evidence.
    DataError
        The facts of a worked example are missing, or contradict the rules.
    """
    rules = {season: load_rules(data_dir, season) for season in rule_seasons(data_dir)}
    if not rules:
        raise RuleError(f"There are no rules: expected files such as {data_dir / 'rules' / '2026.toml'}.")
    constants = {season: _by_key(data_dir, season) for season in rules}
    parts = [INTRODUCTION, _letters(), _versions(constants), "## What changed", *_changes(constants)]
    for chapter in (*CHAPTERS, *_left_over(constants)):
        parts += _chapter(chapter, constants)
    parts += render_prices(rules, {season: tuple(of.values()) for season, of in constants.items()}, data_dir)
    parts += render_examples(data_dir)
    return "\n\n".join(parts) + "\n"


def _by_key(data_dir: Path, season: int) -> dict[str, Constant]:
    return {constant.key: constant for constant in read_constants(data_dir / "rules" / f"{season}.toml")}


def _letters() -> str:
    rows = [f"| {letter} | {meaning} |" for letter, meaning in CONFIDENCES.items()]
    return "\n".join(["| letter | how sure |", "|---|---|", *rows])


def _versions(constants: Constants) -> str:
    lines = ["| season | rules file | version |", "|---|---|---|"]
    for season, of in constants.items():
        version = of["version"].value if "version" in of else _NOTHING
        lines.append(f"| {season} | [`{season}.toml`](../data/rules/{season}.toml) | {version} |")
    return "\n".join(lines)


def _left_over(constants: Constants) -> list[Chapter]:
    """Make chapters of the sections that no chapter speaks of."""
    told = {section for chapter in CHAPTERS for section in chapter.sections} | {_OF_THE_FILE}
    found = dict.fromkeys(constant.section for of in constants.values() for constant in of.values())
    left = [section for section in found if section not in told and not section.startswith(PRICE_SECTION)]
    return [Chapter(section.replace("_", " ").capitalize(), (section,)) for section in left]


def _chapter(chapter: Chapter, constants: Constants) -> list[str]:
    tables = [
        part
        for section in chapter.sections
        for part in (_table(section, constants), _notes(section, constants), _sources(section, constants))
        if part
    ]
    if chapter.sections and not tables:
        return []
    return [f"{'###' if chapter.is_part else '##'} {chapter.title}", *([chapter.text] if chapter.text else []), *tables]


def _names(section: str, constants: Constants) -> list[str]:
    """List the keys of a section in the order of the newest season that has them, notes left out."""
    newest_first = reversed(list(constants.values()))
    found = dict.fromkeys(c.name for of in newest_first for c in of.values() if c.section == section)
    return [name for name in found if name != _NOTE]


def _row(section: str, name: str, constants: Constants) -> list[Constant | None]:
    key = f"{section}.{name}"
    return [of.get(key) for of in constants.values()]


def _table(section: str, constants: Constants) -> str:
    names = _names(section, constants)
    if not names:
        return ""
    lines = [f"| | {' | '.join(map(str, constants))} |", f"|---|{'---|' * len(constants)}"]
    for name in names:
        cells = _cells(_row(section, name, constants))
        lines.append(f"| {words_of(f'{section}.{name}')[0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(row: Sequence[Constant | None]) -> list[str]:
    cells = []
    for place, constant in enumerate(row):
        if constant is None:
            cells.append(_NOTHING)
            continue
        before = row[place - 1] if place else constant
        text = _text(constant)
        is_changed = before is None or _text(before) != text
        cells.append(f"{f'**{text}**' if is_changed else text} {constant.confidence}")
    return cells


def _text(constant: Constant) -> str:
    return words_of(constant.key)[1](constant.value)


def _notes(section: str, constants: Constants) -> str:
    noted = {season: of[f"{section}.{_NOTE}"] for season, of in constants.items() if f"{section}.{_NOTE}" in of}
    return "\n".join(
        f"* {season}: {sentence(str(note.value))} ({note.confidence}: {note.source.rstrip('.')})"
        for season, note in noted.items()
    )


def _sources(section: str, constants: Constants) -> str:
    lines = []
    for name in _names(section, constants):
        row = dict(zip(constants, _row(section, name, constants), strict=True))
        lines.append(f"* {words_of(f'{section}.{name}')[0]}: {'; '.join(_by_source(row))}.")
    return folded("Sources", lines)


def _by_source(row: Mapping[int, Constant | None]) -> list[str]:
    """Join the seasons that give the same source."""
    seasons: dict[tuple[str, str], list[int]] = {}
    for season, constant in row.items():
        if constant is not None:
            seasons.setdefault((constant.confidence, constant.source), []).append(season)
    return [f"{_span(found)} {letter}: {source.rstrip('.')}" for (letter, source), found in seasons.items()]


def _span(seasons: Sequence[int]) -> str:
    is_run = len(seasons) > 1 and seasons == list(range(seasons[0], seasons[-1] + 1))
    return f"{seasons[0]}–{seasons[-1]}" if is_run else ", ".join(map(str, seasons))


def _changes(constants: Constants) -> list[str]:
    """List what each season changed, chapter by chapter."""
    parts = []
    for before, season in pairwise(constants):
        lines = [
            f"* {chapter.title}: {'; '.join(changes)}."
            for chapter in (*CHAPTERS, *_left_over(constants))
            if (changes := _changes_of(chapter, constants, before, season))
        ]
        parts += [f"### {before} to {season}", "\n".join(lines)]
    return parts


def _changes_of(chapter: Chapter, constants: Constants, before: int, season: int) -> list[str]:
    found: dict[str, list[str]] = {"": [], "new: ": [], "gone: ": []}
    for section in chapter.sections:
        for name in _names(section, constants):
            key = f"{section}.{name}"
            old, new = (_known(constants[of].get(key)) for of in (before, season))
            label = words_of(key)[0]
            if old and new and old != new:
                found[""].append(f"{label} {old} → {new}")
            elif bool(old) != bool(new):
                found["new: " if new else "gone: "].append(f"{label} {new or old}")
    return [part + "; ".join(changes) for part, changes in found.items() if changes]


def _known(constant: Constant | None) -> str:
    """Write a value; nothing where a season has none, or nobody knows it."""
    return "" if constant is None or constant.value == _UNKNOWN else _text(constant)

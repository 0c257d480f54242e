"""The constants of a rules file with what is known of each: how sure it is, and where it comes from.

Belongs here: reading comments, which `tomllib` drops. What the constants mean is :mod:`f1_pipeline.game.rules`; how
they are said to a player, :mod:`f1_pipeline.report.rule_words`.

Every key ends with a comment of the form ``# V: where it comes from``. A list over several lines may have one behind
each of its rows instead; then the least sure of them is that of the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.container import Container, OutOfOrderTableProxy
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, Item, Table

from f1_pipeline.errors import RuleError

CONFIDENCES = {
    "V": "verified: official points or prices were worked out again with the value, and agree",
    "D": "documented: in two or more independent places, or in a copy of the official rules",
    "L": "likely: one source only, or inferred from how the rest works",
    "?": "unknown, or sources contradict each other",
}

Value = bool | int | str | list
"""A constant as TOML has it; a list holds constants."""

_EVIDENCE = re.compile(r"#\s*(?P<confidence>\S+?):\s+(?P<source>\S.*)")


@dataclass(frozen=True)
class Constant:
    """One key of a rules file.

    Parameters
    ----------
    section
        Section that the key stands in, such as ``race`` or ``prices[0]``; empty for the file itself.
    name
        The key within the section.
    value
        Its value.
    confidence
        One of ``CONFIDENCES``.
    source
        Where the value comes from.
    """

    section: str
    name: str
    value: Value
    confidence: str
    source: str

    @property
    def key(self) -> str:
        """Return the key with its section."""
        return f"{self.section}.{self.name}" if self.section else self.name


def read_constants(path: Path) -> tuple[Constant, ...]:
    """Read every constant of a rules file.

    Parameters
    ----------
    path : Path
        ``data/rules/<season>.toml``.

    Returns
    -------
    tuple of Constant
        In the order of the file.

    Raises
    ------
    RuleError
        The file is missing or no TOML, or a key has no comment with a known letter and a source.
    """
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuleError(f"There are no rules in {path}.") from None
    except TOMLKitError as error:
        raise RuleError(f"{path.name} is not valid TOML: {error}.") from error
    return tuple(_constants(document, "", path.name))


def _constants(table: Container, section: str, file_name: str) -> Iterator[Constant]:
    for name in table:
        item, key = table.item(name), f"{section}.{name}" if section else name
        if isinstance(item, Table):
            yield from _constants(item.value, key, file_name)
        elif isinstance(item, AoT):
            for index, part in enumerate(item):
                yield from _constants(part.value, f"{key}[{index}]", file_name)
        elif isinstance(item, OutOfOrderTableProxy):
            raise RuleError(f"{file_name}: section {key}: expected its parts next to each other, found others between.")
        else:
            yield _constant(section, name, item, f"{file_name}: key {key}")


def _constant(section: str, name: str, item: Item, where: str) -> Constant:
    comment = item.trivia.comment.strip()
    found = [_evidence(part, where) for part in _row_comments(item, comment)]
    confidence = max((letter for letter, _ in found), key=list(CONFIDENCES).index)
    return Constant(section, name, item.unwrap(), confidence, "; ".join(dict.fromkeys(source for _, source in found)))


def _row_comments(item: Item, comment: str) -> list[str]:
    """Return the comment behind a key or, where there is none, those behind the rows of its list."""
    if comment or not isinstance(item, Array):
        return [comment]
    rows = [row.strip() for row in item.as_string().strip("[]").splitlines()]
    comments = ["".join(row.partition("#")[1:]) for row in rows if row and not row.startswith("#")]
    return comments or [comment]


def _evidence(comment: str, where: str) -> tuple[str, str]:
    found = _EVIDENCE.fullmatch(comment)
    if found is None:
        shown = repr(comment) if comment else "none"
        raise RuleError(f"{where}: expected a comment such as '# V: its source' behind it, found {shown}.")
    confidence, source = found.groups()
    if confidence not in CONFIDENCES:
        raise RuleError(f"{where}: expected {', '.join(CONFIDENCES)} before its source, found {confidence!r}.")
    return confidence, source

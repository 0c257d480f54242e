"""Hash the facts: all of them together, and those of each race.

Belongs here: telling whether facts have changed since they were last computed with. Neighbours: `bundle.py` reads the
same files with every check, `defs.automation` compares the hashes with those that runs have recorded.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from f1_pipeline.errors import DataError
from f1_pipeline.sources.bundle import COMMITTED, read_committed
from f1_pipeline.sources.tables import FACT_TABLES

RULES = "rules"
DIGITS = 12


@dataclass(frozen=True)
class FactDigests:
    """Hashes of facts, 12 hexadecimal digits each.

    Attributes
    ----------
    whole : str
        Of every fact file and every rule.
    races : dict of str to str
        By race key: of the rows that name the race in any file, and of the rules of its season.
    """

    whole: str
    races: dict[str, str]


def fact_digests(data_dir: Path) -> FactDigests:
    """Hash the facts of a folder; files that are as they were are not read again.

    Parameters
    ----------
    data_dir : Path
        Folder of the fact files and of `rules/`.

    Returns
    -------
    FactDigests

    Raises
    ------
    DataError
        When a file is missing or is no text.
    """
    paths = [data_dir / table.file_name for table in FACT_TABLES.values()]
    paths += sorted((data_dir / RULES).glob("*.toml"))
    parts = {path.relative_to(data_dir).as_posix(): _digests(path, _stamp(path)) for path in paths}
    whole, races = hashlib.sha256(), dict[str, list[str]]()
    for name, part in parts.items():
        whole.update(f"{name} {part.whole}\n".encode())
        for race_key, digest in part.races.items():
            races.setdefault(race_key, []).append(f"{name} {digest}")
    for race_key, found in races.items():
        rules = f"{RULES}/{race_key.split('-', 1)[0]}.toml"
        found.append(f"{rules} {parts[rules].whole}" if rules in parts else "")
    return FactDigests(
        whole.hexdigest()[:DIGITS],
        {key: hashlib.sha256("\n".join(found).encode()).hexdigest()[:DIGITS] for key, found in races.items()},
    )


def _stamp(path: Path) -> tuple[int, ...]:
    """Say when a file was written and how long it is, in its place and on its way there."""
    stamp: list[int] = []
    for place in (path.parent / COMMITTED / path.name, path):
        with suppress(FileNotFoundError):
            state = place.stat()
            stamp += (state.st_mtime_ns, state.st_size, state.st_ino)
    return tuple(stamp)


@lru_cache(maxsize=64)
def _digests(path: Path, stamp: tuple[int, ...]) -> FactDigests:
    """Hash one file, whole and by the races that its rows name; `stamp` makes a new version a new entry."""
    content = read_committed(path)
    if content is None:
        raise DataError(f"{path}: expected a fact file, found none")
    hashes: dict[str, hashlib._Hash] = {}
    for race_key, line in _lines_of_races(path, content):
        hashes.setdefault(race_key, hashlib.sha256()).update(line)
    return FactDigests(hashlib.sha256(content).hexdigest(), {key: found.hexdigest() for key, found in hashes.items()})


def _lines_of_races(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Give each row of a file that names a race."""
    if path.suffix != ".csv":
        return
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, found a byte that is none at {error.start}") from error
    header = next(rows, [])
    if "race_key" not in header:
        return
    place = header.index("race_key")
    for row in rows:
        if len(row) > place:
            yield row[place], "\x1f".join(row).encode() + b"\n"

"""Spoil a good payload in one of the ways the world spoils them: bytes, text tables, trees of JSON, zips.

Belongs here: seeded changes that know nothing of the project. Neighbours: `fuzzing.py` counts what comes of them. A
mutator takes a `random.Random` and never another source of chance, so that the number of a payload is all it takes to
make it again.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import stat
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

DEEP = 5_000  # nested deeper than Python's own stack
LONG = 70_000  # longer than the text that fits a team file, or a CSV field of Python's reader after a few
NASTY_TEXTS = (
    "",
    " ",
    "-1",
    "-0",
    "0",
    "1e400",
    "-1e400",
    "NaN",
    "nan",
    "inf",
    "Infinity",
    "9" * 30,
    "9" * 400,
    "1.05",
    "1_000",
    "0x10",
    "٣",
    "٢٠٢٦",
    "true",
    "TRUE",
    "null",
    "None",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "10000-01-01",
    "2026-06-06T14:00:00",
    "2026-06-06T14:00:00+99:00",
    "24:60",
    "../../etc/passwd",
    "'; drop table core.race; --",
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "\u0000",
    "\ufeff",
    "\u202e",
    "\U0001f3ce",
    "a\nb",
    'a"b',
    "a,b",
    "a\r",
    "é" * 200,
)
NASTY_VALUES: tuple[Any, ...] = (
    *NASTY_TEXTS,
    "\ud800",
    None,
    True,
    False,
    0,
    -1,
    2**31,
    -(2**63) - 1,
    10**30,
    10**300,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    [],
    {},
    [[]],
    [None],
    {"": ""},
    "x" * LONG,
)
NASTY_TOML = (
    "nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "0x7fffffffffffffffffff",
    "9" * 500,
    "1e400",
    "0.05",
    '""',
    "'''a\nb'''",
    "true",
    "[]",
    "[[[]]]",
    "[1, 'a']",
    "{}",
    "{ kind = 'unknown' }",
    "{ a = { b = [1979-05-27, nan] } }",
    "1979-05-27",
    "1979-05-27T07:32:00-08:00",
    "07:32:00",
    "[" * 3_000,
    '"\\ud800"',
    '"' + "x" * LONG + '"',
)


def any_bytes(random: Random, content: bytes) -> bytes:
    """Flip, cut, repeat, insert or encode otherwise."""
    at = random.randrange(len(content) + 1)
    length = random.choice((1, 2, 7, 100))
    return random.choice(_BYTE_CHANGES)(random, content, at, length)


def _flipped(random: Random, content: bytes, at: int, length: int) -> bytes:
    changed = bytearray(content)
    for _ in range(length):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _encoded(random: Random, content: bytes, at: int, length: int) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "cp037", "utf-7")), "replace")


_BYTE_CHANGES: tuple[Callable[[Random, bytes, int, int], bytes], ...] = (
    _flipped,
    _encoded,
    lambda random, content, at, length: content[:at],
    lambda random, content, at, length: content[at:],
    lambda random, content, at, length: content[:at] + content[at + length :],
    lambda random, content, at, length: content[: at + length] + content[at:],
    lambda random, content, at, length: content[:at] + random.randbytes(length) + content[at:],
    lambda random, content, at, length: content[:at] + b"\0" * length + content[at:],
    lambda random, content, at, length: b"\xef\xbb\xbf" + content,
    lambda random, content, at, length: content.replace(b"\n", b"\r\n"),
    lambda random, content, at, length: content.replace(b"\n", b"\r"),
    lambda random, content, at, length: random.randbytes(random.randrange(200)),
    lambda random, content, at, length: content + content,
    lambda random, content, at, length: content[:at] + b"<html>" + content[at:],
)


def any_json(random: Random, content: bytes) -> bytes:
    """Change the tree behind a JSON text, or its bytes."""
    if random.random() < 0.25:
        return any_bytes(random, content)
    tree = json.loads(content)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        tree = _changed_tree(random, tree)
    text = json.dumps(tree)
    if random.random() < 0.05:  # a key twice
        text = text.replace("{", '{"Value": 1, "Data": [], ', random.choice((1, 2, 9)))
    if random.random() < 0.02:
        text = text.replace("null", "[" * DEEP, 1)
    return text.encode("utf-8")


def _changed_tree(random: Random, tree: Any) -> Any:
    places = list(_places(tree))
    if not places:
        return copy.deepcopy(random.choice(NASTY_VALUES))
    holder, key = random.choice(places)
    how = random.randrange(6)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif how == 2 and isinstance(holder, dict):
        holder[random.choice((key.lower(), key + "s", f" {key}"))] = holder.pop(key)
    elif how == 3:
        other, of = random.choice(places)
        if of in other if isinstance(other, dict) else of < len(other):
            holder[key] = copy.deepcopy(other[of])
    elif how == 4:
        holder[key] = [holder[key]] if random.random() < 0.5 else str(holder[key])
    else:
        holder[key] = copy.deepcopy(random.choice(NASTY_VALUES))
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            found += [(node, key) for key in keys]
            waiting += [node[key] for key in keys]
    return found


def any_csv(random: Random, content: bytes) -> bytes:
    """Change fields, columns and lines of a CSV text, or its bytes."""
    if random.random() < 0.25:
        return any_bytes(random, content)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        rows = _changed_rows(random, rows)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    changed = text.getvalue()
    if random.random() < 0.05:
        at = random.randrange(len(changed) + 1)
        changed = changed[:at] + '"' + changed[at:]
    return changed.encode("utf-8", "surrogatepass")


def _changed_rows(random: Random, rows: list[list[str]]) -> list[list[str]]:
    row = random.choice(rows) if rows else []
    how = random.randrange(9)
    if how < 4 and row:
        row[random.randrange(len(row))] = random.choice((*NASTY_TEXTS, "x" * 140_000 if how == 0 else "x"))
    elif how == 4 and row:
        other = random.choice(rows)
        row[random.randrange(len(row))] = random.choice(other) if other else ""
    elif how == 5 and row:
        column = random.randrange(len(row))
        rows = [line[:column] + line[column + 1 :] for line in rows]
    elif how == 6 and rows:
        rows.insert(random.randrange(len(rows) + 1), list(row))
    elif how == 7 and rows:
        rows.remove(row)
    else:
        row.append(random.choice(NASTY_TEXTS))
    return rows


def any_lines(nasty: tuple[str, ...], between: str) -> Callable[[Random, bytes], bytes]:
    """Make a mutator of texts whose lines are `key<between>value`: TOML, headers of SQL files."""

    def mutate(random: Random, content: bytes) -> bytes:
        if random.random() < 0.25:
            return any_bytes(random, content)
        lines = content.decode("utf-8").split("\n")
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            _change_line(random, lines, nasty, between)
        return "\n".join(lines).encode("utf-8", "surrogatepass")

    return mutate


def _change_line(random: Random, lines: list[str], nasty: tuple[str, ...], between: str) -> None:
    at = random.randrange(len(lines))
    key, found, _ = lines[at].partition(between)
    how = random.randrange(6)
    if how < 3 and found:
        lines[at] = f"{key}{found}{random.choice(nasty)}"
    elif how == 3 and len(lines) > 1:
        del lines[at]
    elif how == 4:
        lines.insert(random.randrange(len(lines)), lines[at])
    else:
        lines[at] = lines[at].replace(key, random.choice((key.upper(), f"{key}s", "", "[" + key + "]")), 1)


def any_zip(random: Random, members: Mapping[str, bytes], mutate: Callable[[Random, bytes], bytes]) -> bytes:
    """Pack members with some spoilt: content, name, kind, packing; then maybe the bytes of the archive."""
    target = io.BytesIO()
    victim = random.choice(sorted(members))
    how = random.randrange(8)
    with zipfile.ZipFile(target, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members.items():
            if name != victim or how > 5:
                archive.writestr(name, content)
            elif how < 3:
                archive.writestr(name, mutate(random, content))
            elif how == 3:
                archive.writestr(random.choice(("../" * 9 + name, f"/{name}", f"x/../{name}", name.upper())), content)
            elif how == 4:
                link = zipfile.ZipInfo(name)
                link.external_attr = (stat.S_IFLNK | 0o777) << 16
                archive.writestr(link, "/etc/passwd")
            else:
                packing = random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
                archive.writestr(name, content, compress_type=packing)
    packed = target.getvalue()
    return any_bytes(random, packed) if how > 5 or random.random() < 0.2 else packed

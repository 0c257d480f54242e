"""What a person typed, seen as DuckDB sees it: where a statement ends, whether another one follows, what it does.

Neighbours: `connection.ask` refuses several statements at once and any that does more than read, `report.prompt` waits
until one is whole.
"""

from __future__ import annotations

import re

import duckdb

END = b";"
_EXPLAIN = re.compile(r"\s*explain\s+(?:analy[sz]e\s+|\([^)]*\)\s*)?", re.IGNORECASE)
# functions that reach past the tables, into another database or a lake's upkeep, or run a text that nobody has seen
_BEYOND = re.compile(r"(?:postgres|ducklake)_\w+|query|query_table|json_execute_serialized_sql", re.IGNORECASE)
_CATALOG = re.compile(r"__ducklake\w*", re.IGNORECASE)  # the database that a lake's catalog is in
_WORD = re.compile(r"\w+")
_NAME = re.compile(rb'"((?:[^"]|"")*)"|([\w\x80-\xff]+)')


def has_end(sql: str) -> bool:
    """Say whether a text has come to the `;` of its statement; one in quotes or in a comment is none."""
    return _ends(sql)[-1:] == [True]


def holds_several(sql: str) -> bool:
    """Say whether a text has more after the `;` of its first statement than comments."""
    ends = _ends(sql)
    return True in ends and not all(ends[ends.index(True) :])


def not_for_reading(sql: str) -> str | None:
    """Say what keeps one statement from being one that only reads tables; None when nothing does.

    Raises
    ------
    duckdb.ParserException
        When it is no SQL.
    """
    beyond = _beyond_tables(sql)
    if beyond:
        return beyond
    # A PIVOT comes as the type that it needs and the select itself.
    kind = duckdb.extract_statements(sql)[-1].type
    if kind == duckdb.StatementType.EXPLAIN:
        explained = _EXPLAIN.sub("", sql, count=1)
        return not_for_reading(explained) if explained != sql else kind.name
    return None if kind == duckdb.StatementType.SELECT else kind.name


def _beyond_tables(sql: str) -> str | None:
    """Name the first function or database of a text that is more than tables; texts in quotes are none."""
    words = _words(sql)
    for word, follower in zip(words, [*words[1:], ""], strict=True):
        if _CATALOG.fullmatch(word) or (follower == "(" and _BEYOND.fullmatch(word)):
            return word
    return None


def _words(sql: str) -> list[str]:
    """List names, as DuckDB reads them, and the first letter of whatever else is no comment."""
    text = sql.encode("utf-8", "replace")
    found: list[str] = []
    for place, kind in duckdb.tokenize(text.decode()):
        name = _NAME.match(text, place) if kind in (duckdb.token_type.identifier, duckdb.token_type.keyword) else None
        if name is None:
            found.append(text[place : place + 1].decode(errors="replace"))
        elif name[1] is not None:
            found.append(name[1].decode().replace('""', '"'))
        else:  # the parser takes wide spaces for spaces, the tokenizer for letters
            found += _WORD.findall(name[2].decode())
    return found


def _ends(sql: str) -> list[bool]:
    """Say of each word and sign outside of comments whether it is a `;`; quotes that stay open have none."""
    # Not `extract_statements`, which counts a PIVOT as two and refuses what is half typed.
    text = sql.encode("utf-8", "replace")
    return [text[place : place + 1] == END for place, _ in duckdb.tokenize(text.decode())]

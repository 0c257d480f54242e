"""What a person typed, seen as DuckDB sees it: where a statement ends, and whether another one follows.

Neighbours: `connection.ask` refuses several statements at once, `report.prompt` waits until one is whole.
"""

from __future__ import annotations

import duckdb

END = b";"


def has_end(sql: str) -> bool:
    """Say whether a text has come to the `;` of its statement; one in quotes or in a comment is none."""
    return _ends(sql)[-1:] == [True]


def holds_several(sql: str) -> bool:
    """Say whether a text has more after the `;` of its first statement than comments."""
    ends = _ends(sql)
    return True in ends and not all(ends[ends.index(True) :])


def _ends(sql: str) -> list[bool]:
    """Say of each word and sign outside of comments whether it is a `;`; quotes that stay open have none."""
    # Not `extract_statements`, which counts a PIVOT as two and refuses what is half typed.
    text = sql.encode("utf-8", "replace")
    return [text[place : place + 1] == END for place, _ in duckdb.tokenize(text.decode())]

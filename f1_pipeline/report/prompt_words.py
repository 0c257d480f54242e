"""What the prompt knows of the warehouse: names to complete, statements behind its commands, questions to begin with.

Neighbours: `prompt.py` is the conversation, `warehouse.connection.ask` answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from f1_pipeline.errors import UsageError
from f1_pipeline.warehouse.connection import Store, ask

NAMES = """
    select table_schema || '.' || table_name as word from information_schema.tables
    union
    select column_name as word from information_schema.columns
    union
    select schema_name || '.' || function_name as word
    from duckdb_functions()
    where not internal and function_type like '%macro'
    union
    select keyword_name as word from duckdb_keywords() where keyword_category = 'reserved'
"""
TABLES = """
    select table_schema || '.' || table_name as name, lower(table_type) as kind, table_comment as comment
    from information_schema.tables
    where contains(table_schema || '.' || table_name, $part)
    order by all
"""
COLUMNS = """
    select column_name, lower(data_type) as data_type, column_comment as comment
    from information_schema.columns
    where table_schema || '.' || table_name = $table
    order by ordinal_position
"""
COMMAND_WORDS = (".tables", ".schema", ".examples", ".format", ".limit", ".help", ".quit")
WORD = re.compile(r"[\w.]+")
EXAMPLE = re.compile(r"^([^\n]+):\n\n```sql\n(.*?)\n?```", re.MULTILINE | re.DOTALL)


def read_words(warehouse: Store) -> tuple[str, ...]:
    """Read what can be completed: tables, columns, macros, SQL's own words.

    Raises
    ------
    WarehouseError
        There is no warehouse, or it cannot be read.
    """
    return tuple(sorted(str(word) for word in ask(warehouse, NAMES)["word"].to_pylist()))


class SqlCompleter(Completer):
    """Completes the word before the cursor; a command of the prompt only where a line begins with a dot."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Propose words; see `prompt_toolkit.completion.Completer`."""
        word = document.get_word_before_cursor(pattern=WORD)
        begins = document.text_before_cursor == word and word.startswith(".")
        for found in COMMAND_WORDS if begins else self._words:
            # a table is found by its own name as well as by its schema
            if word and (found.startswith(word.lower()) or f".{word.lower()}" in found):
                yield Completion(found, start_position=-len(word))


def example_queries(readme: Path) -> list[tuple[str, str]]:
    """Read the questions of the README: title and statement of each.

    Raises
    ------
    UsageError
        The README is not there.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{readme}: expected questions to begin with, found {error.strerror}") from error
    return EXAMPLE.findall(text)

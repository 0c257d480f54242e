"""The prompt of `f1-pipeline query`: statements over several lines, history, completion, a few commands of its own.

Belongs here: the conversation. Neighbours: `prompt_words.py` knows what can be completed, `warehouse.connection.ask`
answers, `tables.py` prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from rich.text import Text

from f1_pipeline.errors import F1PipelineError, UsageError
from f1_pipeline.report.prompt_words import (
    COLUMNS,
    TABLES,
    SqlCompleter,
    example_queries,
    read_words,
)
from f1_pipeline.report.tables import console, print_rows
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.connection import ask
from f1_pipeline.warehouse.statements import has_end

MOST_ROWS = 200  # that a person scrolls through
FORMATS = ("table", "json", "csv")
WELCOME = "One statement, over several lines, until `;`. `.help` lists commands; Ctrl-D leaves."
HELP = """\
.tables [PART]     tables and views, all or those whose name has PART
.schema TABLE      columns of a table: type, and what they say
.examples [N]      questions to begin with; the Nth one, asked
.format FORM       table, json or csv
.limit N           at most N rows
.help              this
.quit              leave, as Ctrl-D does
Anything else is SQL until `;`: one DuckDB statement, which only reads. Tab completes tables, columns and macros."""


def is_whole(text: str) -> bool:
    """Say whether a text can be answered: a command, nothing, or a statement that has come to its `;`."""
    stripped = text.strip()
    return not stripped or stripped.startswith(".") or has_end(stripped)


@dataclass
class Prompt:
    """A conversation with the warehouse.

    Attributes
    ----------
    pipeline : Pipeline
    output : str
        `table`, `json` or `csv`.
    limit : int or None
        Most rows to print; `MOST_ROWS` by default.
    source : Input, optional
        Where keys come from; the terminal by default.
    screen : Output, optional
        Where the prompt is drawn; the terminal by default.
    """

    pipeline: Pipeline
    output: str = FORMATS[0]
    limit: int | None = None
    source: Input | None = None
    screen: Output | None = None
    _is_over: bool = field(default=False, init=False)

    def run(self) -> None:
        """Ask and answer until the person leaves.

        Raises
        ------
        WarehouseError
            There is no warehouse, or it cannot be read.
        """
        session = self._session()
        console().print(Text(WELCOME, style="dim"))
        while not self._is_over:
            try:
                text = session.prompt("f1> ", prompt_continuation="  > ")
            except KeyboardInterrupt:
                continue  # Ctrl-C forgets what was typed, as in a shell
            except EOFError:
                return
            self.answer(text.strip())

    def answer(self, text: str) -> None:
        """Answer one statement or command; what is wrong with it is said, and the conversation goes on."""
        try:
            if text.startswith("."):
                self._command(*text.split(maxsplit=1))
            elif text.rstrip("; \n"):
                self._ask(text)
        except F1PipelineError as error:
            console().print(Text(f"error: {error}", style="red"))

    def _session(self) -> PromptSession[str]:
        words = read_words(self.pipeline.warehouse)
        session: PromptSession[str] = PromptSession(
            history=self._history(),
            completer=SqlCompleter(words),
            complete_while_typing=False,
            multiline=Condition(lambda: not is_whole(session.default_buffer.text)),
            input=self.source,
            output=self.screen,
        )
        return session

    def _history(self) -> History:
        path = self.pipeline.settings.query_history_path
        can_write = os.access(path if path.exists() else path.parent, os.W_OK)
        return FileHistory(str(path)) if can_write else InMemoryHistory()

    def _ask(self, statement: str, parameters: Mapping[str, object] | None = None) -> None:
        try:
            rows = ask(self.pipeline.warehouse, statement, parameters)
        finally:
            self.pipeline.close()  # so that the next statement is asked of what has been published meanwhile
        limit = MOST_ROWS if self.limit is None else self.limit
        print_rows(rows.slice(0, limit), self.output)
        if rows.num_rows > limit:
            console().print(Text(f"the first {limit} of {rows.num_rows} rows; .limit changes that", style="dim"))

    @cached_property
    def _commands(self) -> dict[str, Callable[[str], None]]:
        return {
            ".tables": lambda part: self._ask(TABLES, {"part": part}),
            ".schema": self._schema,
            ".examples": self._examples,
            ".format": self._set_format,
            ".limit": self._set_limit,
            ".help": lambda _: console().print(Text(HELP)),
            ".quit": self._quit,
            ".exit": self._quit,
        }

    def _command(self, name: str, argument: str = "") -> None:
        command = self._commands.get(name)
        if command is None:
            raise UsageError(f"no command {name}: expected one of {', '.join(self._commands)}")
        command(argument.strip().rstrip(";"))

    def _schema(self, table: str) -> None:
        if "." not in table:
            raise UsageError(f".schema: expected a table such as core.race, found {table!r}")
        self._ask(COLUMNS, {"table": table})

    def _examples(self, number: str) -> None:
        queries = example_queries(self.pipeline.settings.home / "README.md")
        if not number:
            for place, (title, _) in enumerate(queries, start=1):
                console().print(Text(f"{place:2d}  {title}"))
            return
        if not number.isdecimal() or not 1 <= int(number) <= len(queries):
            raise UsageError(f".examples: expected a number from 1 to {len(queries)}, found {number!r}")
        _, statement = queries[int(number) - 1]
        console().print(Text(statement, style="cyan"))
        self._ask(statement)

    def _set_format(self, name: str) -> None:
        if name not in FORMATS:
            raise UsageError(f".format: expected one of {', '.join(FORMATS)}, found {name!r}")
        self.output = name

    def _set_limit(self, number: str) -> None:
        if not number.isdecimal():
            raise UsageError(f".limit: expected a number of rows, found {number!r}")
        self.limit = int(number)

    def _quit(self, _: str) -> None:
        self._is_over = True

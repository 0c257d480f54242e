"""`f1-pipeline query`: statements given, piped, in a file, and typed at the prompt, here and on a real terminal."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from f1_pipeline.cli import main
from f1_pipeline.report.prompt import Prompt, is_whole
from f1_pipeline.report.prompt_words import SqlCompleter, example_queries, read_words
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import REPO

ANSWERED_WITHIN_S = 30.0
Ask = Callable[..., Result]


@pytest.fixture
def small(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A warehouse of one small table."""
    with pipeline.warehouse.write() as connection:
        connection.execute("create schema core")
        connection.execute("create table core.race as select 'race-' || n as race_key, n from range(300) as r(n)")
        connection.execute("comment on column core.race.n is 'How many came before'")
        connection.execute("create macro core.twice(x) as 2 * x")
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(pipeline.settings.warehouse_dir))
    return pipeline


@pytest.fixture
def ask(small: Pipeline) -> Ask:
    def run(*words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, ["query", *words], input=text)

    return run


def test_statement_comes_from_a_pipe_or_a_file(ask: Ask, tmp_path: Path) -> None:
    assert json.loads(ask("--format", "json", text="select 1 as one;\n").stdout) == [{"one": 1}]
    path = tmp_path / "question.sql"
    path.write_bytes("\ufeff-- how many\nselect count(*) as races from core.race".encode())
    assert json.loads(ask("--file", str(path), "--format", "json").stdout) == [{"races": 300}]


def test_limit_cuts_and_says_so(ask: Ask) -> None:
    result = ask("from core.race order by n", "--limit", "2", "--format", "csv")
    assert [row["n"] for row in csv.DictReader(io.StringIO(result.stdout))] == ["0", "1"]
    assert result.stderr == "the first 2 of 300 rows\n"


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_answer_is_written_as_the_file_is_named(ask: Ask, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"answer.{suffix}"
    result = ask("select n, race_key from core.race where n < 3 order by n", "--out", str(path))
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    match suffix:
        case "csv":
            rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        case "json":
            rows = json.loads(path.read_text(encoding="utf-8"))
        case _:
            rows = pq.read_table(path).to_pylist()
    assert [(int(row["n"]), row["race_key"]) for row in rows] == [(0, "race-0"), (1, "race-1"), (2, "race-2")]
    assert [left.name for left in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("words", "text", "message"),
    [
        (("select 1", "--file", "question.sql"), None, "SQL and --file exclude each other"),
        (("select 1", "--out", "answer.xlsx"), None, "--out: expected a path that ends in .csv, .json, .parquet"),
        (("--file", "nowhere.sql"), None, "nowhere.sql: expected a file of SQL, found No such file"),
        ((), "", "the query is empty"),
        (("select 1; select 2",), None, "expected one SQL statement, found more"),
        (("select [1, 2] as both", "--out", "answer.csv"), None, "CSV has no lists"),
        ((), "delete from core.race", "the query cannot run: "),
        ((), "copy core.race to 'race.csv'", "the query cannot run: "),
        ((), "select * from read_csv('/etc/passwd')", "the query cannot run: "),
    ],
)
def test_what_cannot_be_asked_is_refused(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = ask(*words, text=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(list(tmp_path.glob("*.csv"))) == 0


def conversation(small: Pipeline, capsys: pytest.CaptureFixture[str], *lines: str) -> str:
    """Type lines at the prompt and return what was answered."""
    with create_pipe_input() as keys:
        keys.send_text("".join(f"{line}\n" for line in lines))
        Prompt(small, source=keys, screen=DummyOutput()).run()
    return capsys.readouterr().out


def test_a_conversation(small: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    answer = conversation(
        small,
        capsys,
        "select",
        "  40 + 2 as answer",
        ";",
        "selec 1;",
        ".format json",
        "select core.twice(4) as eight;",
        ".format csv",
        "select count(*) as races from core.race;",
        ".nonsense",
        ".quit",
    )
    assert "42" in answer
    assert "error: the query cannot run: Parser Error" in answer
    assert '"eight": 8' in answer
    assert '"races"\n300\n' in answer
    assert "error: no command .nonsense: expected one of .tables" in answer


def test_commands_of_the_prompt(small: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    answer = conversation(
        small,
        capsys,
        ".help",
        ".tables",
        ".schema core.race",
        ".schema race",
        ".examples",
        ".examples 99",
        ".limit few",
        ".limit 3",
        "from core.race;",
        ".quit",
    )
    for text in (
        ".schema TABLE",
        "core.race",
        "How many came before",
        ".schema: expected a table such as core.race, found 'race'",
        "1  Leaderboard of a race",
        ".examples: expected a number from 1 to 10, found '99'",
        ".limit: expected a number of rows, found 'few'",
        "the first 3 of 300 rows",
    ):
        assert text in answer


def test_many_rows_are_cut_at_the_prompt(small: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    assert "the first 200 of 300 rows; .limit changes that" in conversation(small, capsys, "from core.race;", ".quit")


def test_interrupt_forgets_the_line_and_the_end_of_input_leaves(
    small: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    with create_pipe_input() as keys:
        keys.send_text("select nonsense\n\x03select 7 as seven;\n\x04")
        Prompt(small, "csv", source=keys, screen=DummyOutput()).run()
    answer = capsys.readouterr().out
    assert '"seven"\n7\n' in answer
    assert "error" not in answer


def test_history_is_kept_beside_the_warehouse(small: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    conversation(small, capsys, "select 5 as five;", ".quit")
    assert "+select 5 as five;" in small.settings.query_history_path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (".tables", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1; ", True),
        ("select ';", False),
        ("select ';';", True),
        ("select\n1\n;", True),
        ("-- don't\nselect 1;", True),
        ("select 1; -- don't", True),
        ("select 1 -- not yet;", False),
        ("select 1 /* not; yet", False),
    ],
)
def test_a_statement_ends_with_its_semicolon(text: str, expected: bool) -> None:
    assert is_whole(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select race_k", ["race_key"]),
        ("from core.ra", ["core.race"]),
        ("from rac", ["core.race", "race_key"]),
        ("select core.tw", ["core.twice"]),
        (".sch", [".schema"]),
        ("select ", []),
    ],
)
def test_names_of_the_warehouse_are_completed(small: Pipeline, text: str, expected: list[str]) -> None:
    completer = SqlCompleter(read_words(small.warehouse))
    found = completer.get_completions(Document(text), CompleteEvent())
    assert [each.text for each in found] == expected


def test_the_examples_are_those_of_the_readme() -> None:
    queries = example_queries(REPO / "README.md")
    assert len(queries) == 10
    assert queries[0][0] == "Leaderboard of a race"
    assert all(statement.startswith(("select", "with", "from")) for _, statement in queries)


def test_on_a_real_terminal(small: Pipeline) -> None:
    ours, theirs = pty.openpty()
    script = "from f1_pipeline.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "query"],
        cwd=REPO,
        env=os.environ | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        seen = _read_until(ours, "f1>")
        os.write(ours, b"select 6 * 7\r as answer;\r")
        seen += _read_until(ours, "42")
        os.write(ours, b".quit\r")
        assert process.wait(timeout=ANSWERED_WITHIN_S) == 0, seen
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "answer" in seen
    assert "Traceback" not in seen


def _read_until(terminal: int, text: str) -> str:
    """Read what the program draws, answering as a terminal does when it asks where the cursor is."""
    seen, deadline = "", time.monotonic() + ANSWERED_WITHIN_S
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.1)[0]:
            drawn = os.read(terminal, 4096).decode(errors="replace")
            seen += drawn
            if "\x1b[6n" in drawn:
                os.write(terminal, b"\x1b[1;1R")
    return seen

"""The command line itself: help that teaches, examples that parse, exit codes, completion; no warehouse is needed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.cli_group import LONGEST_SHORT_HELP, SECTIONS
from f1_pipeline.report.tables import print_json
from f1_pipeline_tests.support import REPO

HELP_S = 2.0  # a quiet machine takes 0.15 s, a busy one several times that
FAULTY = """
import signal, sys
import click
from f1_pipeline.cli_group import CommandLine
from f1_pipeline.cli_options import talk_options

@click.group(cls=CommandLine)
def main(): pass

@main.command()
@talk_options
def divide(quiet): 1 / 0

@main.command()
def stop(): signal.raise_signal(signal.SIGINT)

@main.command()
def ask(): click.confirm("Sure?", abort=True)

@main.command()
def talk():
    for number in range(200_000): print(number)

main()
"""

INPUT_FILES = ("team.csv", "f1.zip", "backups/f1-20260607T180000Z.zip")  # which the examples read, and click looks for


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in sorted(group.commands.items()):
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands())
# What follows two spaces is a comment, what follows a pipe or a bracket is the shell's.
EXAMPLES = [
    re.split(r'\s{2,}| [|>] |\)"', found)[0]
    for command in COMMANDS.values()
    for found in re.findall(r"f1-pipeline .*", command.epilog or "")
]


def typed(script: str, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=REPO,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_command_takes_one_line_of_the_help() -> None:
    long = {
        name for name, command in main.commands.items() if len(command.get_short_help_str(200)) > LONGEST_SHORT_HELP
    }
    assert long == set()


def test_every_command_stands_in_one_section_of_the_help() -> None:
    named = [name for names in SECTIONS.values() for name in names]
    assert len(named) == len(set(named))
    assert set(main.commands) <= set(named), "a new command needs a place in SECTIONS"
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    places = [answer.output.index(title) for title in SECTIONS]
    assert places == sorted(places)
    for name in main.commands:
        assert re.search(rf"^  {name} +\w", answer.output, re.MULTILINE), name


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_help_of_a_command_teaches_by_examples(path: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(main, [*path, "--help"])
    assert answer.exit_code == 0, answer.output
    shown = answer.output.partition("Examples:")[2]
    assert f"f1-pipeline {' '.join(path)}" in shown


def test_help_answers_at_once() -> None:
    done = typed(
        "import time; started = time.perf_counter()\n"
        "from f1_pipeline.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "import sys; print(time.perf_counter() - started, file=sys.stderr)\n"
    )
    assert float(done.stderr) < HELP_S


@pytest.mark.parametrize("line", EXAMPLES)
def test_example_parses_with_the_options_as_they_are(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in INPUT_FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(main, info_name="f1-pipeline")
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
        if words and words[0].startswith("-") and isinstance(command, click.Group):
            pytest.fail(f"a group has no options of its own: {line}")
    command.make_context(command.name, words, parent=context)


def test_a_fault_says_in_one_line_where_its_traceback_is(tmp_path: Path) -> None:
    done = typed(FAULTY, "divide", F1_WAREHOUSE_DIR=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    (kept,) = (tmp_path / "faults").iterdir()
    assert line == f"fault of the program: ZeroDivisionError: division by zero (the traceback is in {kept})"
    text = kept.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text
    assert "'divide'" in text


@pytest.mark.parametrize(("words", "environ"), [(("divide", "--verbose"), {}), (("divide",), {"F1_DEBUG": "1"})])
def test_a_fault_is_told_in_full_when_asked(tmp_path: Path, words: tuple[str, ...], environ: dict[str, str]) -> None:
    done = typed(FAULTY, *words, F1_WAREHOUSE_DIR=str(tmp_path), **environ)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr


def test_a_fault_without_a_place_for_its_traceback_prints_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = typed(FAULTY, "divide", F1_WAREHOUSE_DIR=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.endswith("fault of the program: ZeroDivisionError: division by zero\n")


def test_interrupted_is_130_without_a_traceback() -> None:
    done = typed(FAULTY, "stop")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
    unsure = typed(FAULTY, "ask")  # nobody answers
    assert (unsure.returncode, unsure.stderr.splitlines()[-1]) == (130, "stopped")


def test_a_closed_pipe_is_done() -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", FAULTY, "talk"], cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert reader.stdout.readline() == "0\n"
    reader.stdout.close()
    assert reader.wait(timeout=60) == 0
    assert reader.stderr.read() == ""
    reader.stderr.close()


def test_quiet_and_verbose_exclude_each_other() -> None:
    answer = CliRunner().invoke(main, ["chips", "--quiet", "--verbose"])
    assert answer.exit_code == 2
    assert "exclude each other" in answer.stderr


def test_json_is_utf_8_and_has_no_nan(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json({"name": "Nico Hülkenberg", "price": Decimal("24.7"), "none": [float("nan"), float("inf")], 1: (2.5,)})
    text = capfdbinary.readouterr().out.decode("utf-8")
    assert "Hülkenberg" in text
    assert json.loads(text, parse_constant=pytest.fail) == {
        "name": "Nico Hülkenberg",
        "price": 24.7,
        "none": [None, None],
        "1": [2.5],
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_program_and_variable(shell: str) -> None:
    answer = CliRunner().invoke(main, ["completion", shell])
    assert answer.exit_code == 0
    assert "_F1_PIPELINE_COMPLETE" in answer.output
    assert "f1-pipeline" in answer.output


def completed(words: str, place: int | None = None) -> list[str]:
    """Complete the last word, or that at a place, as bash asks for it."""
    environ = {
        "_F1_PIPELINE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"f1-pipeline {words}",
        "COMP_CWORD": str(len(words.split(" ")) if place is None else place),
    }
    answer = CliRunner(env=environ).invoke(main, [], prog_name="f1-pipeline")
    assert answer.exit_code == 0, answer.output
    return [line.partition(",")[2] for line in answer.output.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("li", ["lineup"]),
        ("lineup --race 2026-mon", ["2026-monaco"]),
        ("run --season 202", ["2026", "2025", "2024", "2023"]),
        ("scores --race 2019-mon", ["2019-monaco"]),
        ("scores --rules 2022", ["2022"]),
        ("lineup --chip extra", ["extra_boost"]),
        ("plan --chip 2026-monaco=li", ["2026-monaco=limitless"]),
        ("lineup --lock antonio", []),
        ("lineup --lock kimi", ["kimi-antonelli"]),
        ("query raw.off", ["raw.official_totals"]),
        ("team se", ["set"]),
    ],
)
def test_names_are_completed(words: str, expected: list[str]) -> None:
    assert completed(words) == expected


def test_the_last_word_of_a_statement_is_completed() -> None:
    found = completed("query 'select * from marts.race_l", place=2)
    assert found == ["select * from marts.race_leaderboard"]


def test_completion_of_facts_that_are_not_there_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_DATA_DIR", str(tmp_path))
    assert completed("lineup --race 20") == []
    assert completed("lineup --chip ") == []
    monkeypatch.setenv("F1_DATA_DIR", str(tmp_path / "nowhere"))
    assert completed("lineup --lock a") == []


def test_completion_loads_no_heavy_library() -> None:
    script = (
        "import sys\n"
        "from f1_pipeline.cli import main\n"
        "try: main(prog_name='f1-pipeline')\n"
        "except SystemExit: print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    asked = {"_F1_PIPELINE_COMPLETE": "bash_complete", "COMP_WORDS": "f1-pipeline lineup --lock k", "COMP_CWORD": "3"}
    done = typed(script, **asked)
    assert "kimi-antonelli" in done.stdout, done.stderr
    assert {"duckdb", "pyarrow", "pandas", "numpy", "rich"}.isdisjoint(done.stdout.split())


def test_a_cluster_without_its_extra_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)  # what an import meets when it is not installed
    folder = tmp_path / "cluster"
    answer = CliRunner().invoke(main, ["cluster", "--folder", str(folder)])
    assert answer.exit_code == 2
    assert answer.output.strip().endswith("found no distributed: pip install -c constraints.txt -e '.[scale]'")
    assert len(answer.output.splitlines()) == 1
    assert not folder.exists()

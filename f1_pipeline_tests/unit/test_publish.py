"""Putting fact files in place: all or none, whatever happens in the middle. Real files, a real killed process."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.sources.publish import COMMITTED, publish, publishing
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline_tests.support import DATA, REPO, copy_facts

NAMES = sorted(table.file_name for table in FACT_TABLES.values())

# The process dies when it is about to move the third file; the audit hook sees every rename.
DIES_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from f1_pipeline.sources.publish import COMMITTED, publish, publishing

data_dir = Path(sys.argv[1])
moved = []

def die(event, arguments):
    if event == "os.rename" and COMMITTED in str(arguments[0]):
        moved.append(arguments)
        if len(moved) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

files = {path.name: path.read_bytes() for path in data_dir.glob("*.csv")} | {"README.md": b"new"}
files["races.csv"] = files["races.csv"].replace(b"Monaco Grand Prix", b"Grand Prix of Monaco")
sys.addaudithook(die)
with publishing(data_dir, print):
    publish(data_dir, files, ["README.md", "circuits.csv", "prices.csv", "races.csv"], print)
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return copy_facts(tmp_path / "data")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def facts_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in NAMES}


def test_only_the_changed_files_are_put_in_place(data_dir):
    files = facts_of(data_dir)
    files["races.csv"] = files["races.csv"].replace(b"Monaco Grand Prix", b"Grand Prix of Monaco")
    old = (data_dir / "prices.csv").stat().st_mtime_ns
    with publishing(data_dir, pytest.fail):
        rows = publish(data_dir, files, ["races.csv"], lambda text: None)
    assert rows["races.csv"] == 196
    assert facts_of(data_dir) == files
    assert (data_dir / "prices.csv").stat().st_mtime_ns == old
    assert [path.name for path in data_dir.iterdir() if path.name.startswith(".")] == []


def test_files_that_break_a_declaration_change_nothing(data_dir):
    before = contents(data_dir)
    files = facts_of(data_dir)
    files["circuits.csv"] = b"".join(line for line in files["circuits.csv"].splitlines(True) if b"monaco," not in line)
    with publishing(data_dir, pytest.fail), pytest.raises(DataError, match=r"races\.csv .*known in circuits\.csv"):
        publish(data_dir, files, ["circuits.csv"], lambda text: None)
    assert contents(data_dir) == before


def test_a_process_that_dies_in_the_middle_is_completed_by_the_next(data_dir):
    before = facts_of(data_dir)
    done = subprocess.run(
        [sys.executable, "-c", DIES_IN_THE_MIDDLE, str(data_dir)], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert sorted(path.name for path in (data_dir / COMMITTED).iterdir()) == ["prices.csv", "races.csv"]
    assert (data_dir / "README.md").read_bytes() == b"new"
    assert facts_of(data_dir) == before  # circuits.csv was moved too, with the same bytes
    told: list[str] = []
    with publishing(data_dir, told.append):
        pass
    assert told == ["Completing a publication that was interrupted."]
    assert b"Grand Prix of Monaco" in (data_dir / "races.csv").read_bytes()
    assert not (data_dir / COMMITTED).exists()


def test_what_a_crash_before_the_commitment_left_is_swept_away(data_dir):
    before = contents(data_dir)
    (data_dir / ".staged-x").mkdir()
    (data_dir / ".staged-x" / "races.csv").write_text("half a file", encoding="utf-8")
    with publishing(data_dir, pytest.fail):
        pass
    assert contents(data_dir) == before


def test_two_writers_at_once_are_refused(data_dir):
    descriptor = os.open(data_dir, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with (
            pytest.raises(UsageError, match="another refresh or import is writing the facts"),
            publishing(data_dir, print),
        ):
            pytest.fail("the folder was locked")
    finally:
        os.close(descriptor)
    with publishing(data_dir, pytest.fail):
        pass


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with (
        pytest.raises(DataError, match="nowhere: the facts cannot be written: No such file"),
        publishing(tmp_path / "nowhere", print),
    ):
        pytest.fail("there is no such folder")


def test_the_committed_facts_are_published_whole():
    assert not (DATA / COMMITTED).exists()

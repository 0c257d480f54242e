"""Files that people open: several writers of one file do not meet, and nothing unfinished stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from f1_pipeline.errors import UsageError
from f1_pipeline.report.files import write_file


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    contents = [bytes([letter]) * 100_000 for letter in b"abcdefgh"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_file(path, content), contents * 10))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.mkdir()
    with pytest.raises(UsageError, match=r"index\.html: expected a place to write to"):
        write_file(path, b"page")
    assert list(tmp_path.iterdir()) == [path]

"""Reading an F1DB release: by file and column name, in memory, with clear refusals."""

import csv
import io
import zipfile
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.sources.f1db import F1DB_COLUMNS, read_f1db


def release(path: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write a release with one row per file; a change replaces a member's text or, as None, leaves it out."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, columns in F1DB_COLUMNS.items():
            text = io.StringIO()
            writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
            writer.writerow(["surplus", *reversed(columns)])
            writer.writerow(["x", *(f"{column}, 1" for column in reversed(columns))])
            content = (changes or {}).get(name, text.getvalue())
            if content is not None:
                archive.writestr(f"f1db-{name}.csv", content)
    return path


def test_columns_are_read_by_name(tmp_path):
    frames = read_f1db(release(tmp_path / "f1db.zip"))
    assert set(frames) == set(F1DB_COLUMNS)
    grands_prix = frames["grands-prix"]
    assert list(grands_prix.columns) == ["id", "fullName"]
    assert grands_prix.to_dict("records") == [{"id": "id, 1", "fullName": "fullName, 1"}]


def test_missing_file_is_named(tmp_path):
    path = release(tmp_path / "f1db.zip", {"races-pit-stops": None})
    with pytest.raises(DataError, match=r"f1db\.zip lacks f1db-races-pit-stops\.csv"):
        read_f1db(path)


def test_missing_column_is_named(tmp_path):
    path = release(tmp_path / "f1db.zip", {"grands-prix": '"id","name"\n"monaco","Monaco"\n'})
    with pytest.raises(DataError, match=r"f1db-grands-prix\.csv lacks the column fullName; it has id, name\."):
        read_f1db(path)


def test_short_line_is_named(tmp_path):
    path = release(tmp_path / "f1db.zip", {"grands-prix": '"id","fullName"\n"monaco"\n'})
    with pytest.raises(DataError, match=r"f1db-grands-prix\.csv line 2: expected 2 fields, found 1\."):
        read_f1db(path)


def test_text_that_is_not_utf8(tmp_path):
    path = release(tmp_path / "f1db.zip", {"grands-prix": None})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("f1db-grands-prix.csv", b'"id","fullName"\n"x","\xff"\n')
    with pytest.raises(DataError, match=r"f1db-grands-prix\.csv is not UTF-8 text"):
        read_f1db(path)


def test_missing_and_damaged_archives(tmp_path):
    with pytest.raises(DataError, match="does not exist; expected an F1DB CSV release"):
        read_f1db(tmp_path / "none.zip")
    (tmp_path / "broken.zip").write_bytes(b"not a zip")
    with pytest.raises(DataError, match=r"broken\.zip is not a readable zip archive"):
        read_f1db(tmp_path / "broken.zip")


def test_a_damaged_member_is_refused(tmp_path):
    path = release(tmp_path / "f1db.zip")
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"id, 1"', b'"id, 2"', 1))
    with pytest.raises(DataError, match=r"f1db\.zip is not a readable zip archive: Bad CRC-32"):
        read_f1db(path)


def test_members_with_tricky_paths_are_never_unpacked(tmp_path):
    (tmp_path / "inner").mkdir()
    path = release(tmp_path / "inner" / "f1db.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../escaped.csv", "id\n")
        archive.writestr("/tmp/f1db-escaped.csv", "id\n")
    read_f1db(path)
    assert [file.name for file in (tmp_path / "inner").iterdir()] == ["f1db.zip"]
    assert [file.name for file in tmp_path.iterdir()] == ["inner"]

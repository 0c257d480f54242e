"""What is said when a lake cannot be used, or cannot do what the file can: one line, exit code 2, no password.

Belongs here: the commands on lakes that are wrong, away, of another version or without their files. Neighbours:
`test_lake.py` has lakes that work, `unit/test_lake_address.py` addresses.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import load_settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse import lake as lake_module
from f1_pipeline.warehouse.lake_address import LakeAddress, read_address
from f1_pipeline_tests.lakes import lake_in, open_lake, require_lakes
from f1_pipeline_tests.points_table import BOTH, GOOD, write
from f1_pipeline_tests.postgres import Database, Postgres, running_postgres
from f1_pipeline_tests.support import rows_of

SET_VERSION = (
    "delete from ducklake_metadata where key = 'version'; insert into ducklake_metadata values ('version', {})"
)
QUESTION = "select count(*) as n from core.points"
Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command on a lake."""
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.setenv("F1_LOCK_WAIT_S", "0.5")

    def run(address: LakeAddress, *words: str) -> Result:
        monkeypatch.setenv("F1_WAREHOUSE", address.attach_string)
        monkeypatch.setenv("F1_WAREHOUSE_DATA", address.data_path)
        return CliRunner().invoke(main, list(words))

    return run


@pytest.fixture
def database(postgres: Postgres) -> Database:
    return postgres.new_database()


def refused(result: Result, *parts: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    for part in parts:
        assert part in result.stderr
    assert result.stderr.startswith("error: ducklake:"), result.stderr
    assert result.stderr.count("\n") == 1


# ---- what is away or wrong


def test_unreachable_database_is_named_in_time(command: Command, tmp_path: Path) -> None:
    require_lakes()
    away = read_address("ducklake:postgres:host=127.0.0.1 port=1 dbname=f1", str(tmp_path))
    begun = time.monotonic()
    refused(command(away, "query", QUESTION), "cannot be reached", "port=1", "Connection refused")
    assert time.monotonic() - begun < 10
    shown = command(away, "doctor", "--format", "csv")
    assert "cannot be reached" in shown.output


def test_wrong_password_is_refused_at_once_and_not_shown(
    command: Command, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require_lakes()
    monkeypatch.setenv("F1_DEBUG", "1")
    monkeypatch.setenv("PGPASSWORD", "hush-hush")
    result = command(read_address(f"ducklake:postgres:{database.conninfo}", str(tmp_path)), "query", QUESTION)
    assert result.exit_code == 2
    assert "refuses" in result.stderr
    assert "password authentication failed" in result.stderr
    assert "hush-hush" not in result.output + str(result.exc_info)


def test_lake_that_nothing_was_written_to_says_what_makes_it(command: Command, shared_lake: LakeAddress) -> None:
    refused(command(shared_lake, "query", QUESTION), "expected a warehouse, found none; `make run` builds it")
    assert not open_lake(shared_lake).exists()
    assert not Path(shared_lake.data_path).exists()


def test_database_without_a_catalog_but_with_its_name_is_refused(
    command: Command, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_lakes()
    database.ask("create table ducklake_metadata (number int)")
    refused(
        command(lake_in(database, tmp_path / "lake", monkeypatch), "query", QUESTION), "holds no catalog of DuckLake"
    )


@pytest.mark.parametrize("version", ["0.2", "7.0"])
def test_catalog_of_another_version_is_refused(
    command: Command, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    require_lakes()
    address = lake_in(database, tmp_path / "lake", monkeypatch)
    write(open_lake(address), GOOD, BOTH)
    database.ask(SET_VERSION.format(f"'{version}'"))
    refused(command(address, "query", QUESTION), "another DuckLake version", version)
    with pytest.raises(WarehouseError, match="another DuckLake version"):
        write(open_lake(address), [], BOTH)
    database.ask(SET_VERSION.format("'1.0'"))
    assert rows_of(open_lake(address), "core.points") == GOOD


def test_lost_files_are_said_by_readers_and_writers_and_nothing_is_half_written(
    command: Command, shared_lake: LakeAddress
) -> None:
    write(open_lake(shared_lake), GOOD, BOTH)
    folder = Path(shared_lake.data_path)
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    refused(command(shared_lake, "query", QUESTION), str(folder), "found no such folder; is it mounted?")
    with pytest.raises(WarehouseError, match="found no such folder"):
        write(open_lake(shared_lake), [], BOTH)
    assert not folder.exists()

    shutil.copytree(elsewhere, folder)
    for file in folder.rglob("*.parquet"):
        file.unlink()
    refused(
        command(shared_lake, "query", "select sum(points) as n from core.points"), "files of its tables are missing"
    )
    with pytest.raises(WarehouseError, match="files of its tables are missing"):
        write(open_lake(shared_lake), [("2026-china", "ann", 1)], ["2026-china"])
    shutil.rmtree(folder)
    elsewhere.rename(folder)
    assert rows_of(open_lake(shared_lake), "core.points") == GOOD


def test_data_path_of_another_lake_is_refused(command: Command, shared_lake: LakeAddress, tmp_path: Path) -> None:
    write(open_lake(shared_lake), GOOD, BOTH)
    other = read_address(shared_lake.attach_string, str(tmp_path / "other"))
    refused(command(other, "query", QUESTION), "F1_WAREHOUSE_DATA is not where the catalog's files are")
    assert not (tmp_path / "other").exists()
    # without one the catalog's own is found
    assert command(read_address(shared_lake.attach_string), "query", QUESTION, "--format", "csv").stdout == '"n"\n3\n'


def test_missing_extra_says_what_installs_it(
    command: Command, local_lake: LakeAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lake_module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("HOME", str(tmp_path))  # where DuckDB keeps what it has installed
    connect = lake_module.duckdb.connect

    def unconnected() -> object:
        connection = connect()
        connection.execute("set custom_extension_repository = 'http://127.0.0.1:1'")
        connection.execute(f"set extension_directory = '{tmp_path}'")
        return connection

    monkeypatch.setattr(lake_module.duckdb, "connect", unconnected)
    with (
        pytest.raises(WarehouseError, match="needs DuckDB's extension ducklake") as caught,
        open_lake(local_lake).write(),
    ):
        pass
    assert "`pip install -c constraints.txt -e '.[scale]'`" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not local_lake.path.exists()


def test_database_that_stops_for_good_ends_the_write_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_postgres() as server:
        address = lake_in(server.new_database(), tmp_path / "lake", monkeypatch)
        with closing(open_lake(address, 0.5, keeps_open=True)) as lake:
            write(lake, GOOD, BOTH)
            server.stop("immediate")
            begun = time.monotonic()
            with pytest.raises(WarehouseError, match="cannot be reached, or went away"):
                write(lake, [], BOTH)
            assert time.monotonic() - begun < 60
        server.start()
        assert rows_of(open_lake(address), "core.points") == GOOD


# ---- what a lake does otherwise


def test_query_reads_an_earlier_state(command: Command, local_lake: LakeAddress) -> None:
    lake = open_lake(local_lake)
    write(lake, GOOD, BOTH)
    with lake.read() as connection:
        (moment,) = connection.execute("select max(snapshot_time)::varchar from lake.snapshots()").fetchall()[0]
    time.sleep(0.01)
    write(lake, [], BOTH)
    assert command(local_lake, "query", QUESTION, "--format", "csv").stdout == '"n"\n0\n'
    then = command(local_lake, "query", QUESTION, "--at", moment, "--format", "csv")
    assert then.stdout == '"n"\n3\n', then.output
    refused(command(local_lake, "query", QUESTION, "--at", "2020-01-01T00:00Z"), "only later ones")


@pytest.mark.parametrize("moment", ["yesterday", "2026-05-23T12:00"])
def test_moment_has_to_be_one_with_its_zone(command: Command, local_lake: LakeAddress, moment: str) -> None:
    result = command(local_lake, "query", QUESTION, "--at", moment)
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: --at: expected a moment with its zone, such as 2026-05-23T12:00Z, found {moment!r}\n"
    )


def test_file_has_no_earlier_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.delenv("F1_WAREHOUSE", raising=False)
    result = CliRunner().invoke(main, ["query", QUESTION, "--at", "2026-05-23T12:00Z"])
    assert result.exit_code == 2
    assert "a DuckDB file keeps no earlier states" in result.stderr


def test_doctor_tells_of_a_lake(command: Command, shared_lake: LakeAddress) -> None:
    assert "nothing has been computed yet" in command(shared_lake, "doctor").stdout
    write(open_lake(shared_lake), GOOD, BOTH)
    found = command(shared_lake, "doctor", "--format", "csv").stdout
    assert f"1 tables, 3 rows, 2 states, DuckLake 1.0, files in {shared_lake.data_path}" in found
    for file in Path(shared_lake.data_path).rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:50])
    found = command(shared_lake, "doctor").stdout
    assert "core.points cannot be read" in found
    assert "docs/scale.md" in found


def test_rebuild_leaves_a_lake_alone(command: Command, shared_lake: LakeAddress) -> None:
    write(open_lake(shared_lake), GOOD, BOTH)
    refused(command(shared_lake, "rebuild", "--yes"), "expected a DuckDB file to put aside, found a lake")
    assert rows_of(open_lake(shared_lake), "core.points") == GOOD


def test_back_up_says_how_a_lake_is_backed_up(command: Command, shared_lake: LakeAddress, tmp_path: Path) -> None:
    write(open_lake(shared_lake), GOOD, BOTH)
    result = command(shared_lake, "backup", "--out", str(tmp_path / "f1.zip"), "--quiet")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "f1.zip").exists()
    assert result.stderr == (
        f"The archive is without the tables, which are on {shared_lake}: `pg_dump` of its catalog's database, "
        f"then copy {shared_lake.data_path} (docs/scale.md).\n"
    )


def test_prune_reads_the_lake_for_the_models_that_are_needed(command: Command, shared_lake: LakeAddress) -> None:
    refused(command(shared_lake, "prune", "--dry-run", "--quiet"), "expected a warehouse, found none")
    write(open_lake(shared_lake), GOOD, BOTH)
    result = command(shared_lake, "prune", "--dry-run", "--quiet", "--format", "csv")
    assert result.stdout.splitlines()[1].startswith("0,0,"), result.output
    assert Pipeline(load_settings()).warehouse.exists()

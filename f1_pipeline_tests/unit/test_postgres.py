"""The PostgreSQL that tests start: it answers, keeps databases apart, survives a crash, and leaves nothing behind."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from f1_pipeline.cluster.postgres import free_port, server_account, why_no_postgres
from f1_pipeline.errors import ServiceError
from f1_pipeline_tests.postgres import Postgres, running_postgres


def test_databases_are_apart_and_ask_for_the_password(postgres: Postgres) -> None:
    one, other = postgres.new_database(), postgres.new_database()
    one.ask("create table lap (number int); insert into lap values (1), (2)")

    assert one.ask("select number, -number from lap order by number") == [["1", "-1"], ["2", "-2"]]
    assert other.ask("select count(*) from pg_tables where tablename = 'lap'") == [["0"]]
    assert one.ask("select rolpassword like 'SCRAM-SHA-256%' from pg_authid where rolname = 'f1'") == [["t"]]
    assert one.password not in repr(one)


def test_a_folder_that_its_account_cannot_reach_is_named(tmp_path: Path) -> None:
    if why_no_postgres() or server_account() is None:
        pytest.skip("PostgreSQL is not here, or runs under one's own account, which reaches every folder of it")
    tmp_path.chmod(0o700)
    with pytest.raises(ServiceError, match=r"expected a folder that PostgreSQL's account \w+ can reach"):
        Postgres.in_folder(tmp_path / "server", free_port())


def test_a_crash_keeps_what_is_committed_and_the_end_leaves_nothing() -> None:
    with running_postgres() as server:
        database = server.new_database()
        database.ask("create table lap (number int); insert into lap values (1)")
        server.restart()
        assert database.ask("select number from lap") == [["1"]]
        server.stop()
        server.start()
        assert database.ask("select number from lap") == [["1"]]
        assert "was not properly shut down" in server.log

    assert not server.folder.exists()
    with socket.socket() as visitor:
        assert visitor.connect_ex(("127.0.0.1", server.port)) != 0

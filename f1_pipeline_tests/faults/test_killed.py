"""SIGKILL at any moment of everything that writes: afterwards each thing is as before or as it should be.

Belongs here: kills by the count of changes on the disk. Real processes, forked so that imports are done; neighbours:
`test_runs_in_trouble.py` kills runs of the graph, `integration/test_runs.py` those of the command line.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from f1_pipeline.settings import Settings
from f1_pipeline.sources.my_team import MyTeam, read_my_team, write_my_team
from f1_pipeline.sources.publish import publish, publishing
from f1_pipeline.sources.received import ReceivedStore
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.steps.backup import back_up
from f1_pipeline.steps.restore import complete_interrupted, read_manifest, restore
from f1_pipeline.warehouse.connection import Warehouse
from f1_pipeline.warehouse.snapshot import publish as publish_snapshot
from f1_pipeline_tests.faults.small_facts import small_facts
from f1_pipeline_tests.installation import dies, small_installation, state

pytestmark = pytest.mark.faults
KILLS = 60  # of each thing that is quick
NAMES = sorted(table.file_name for table in FACT_TABLES.values())


def quiet(text: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def facts_of_two_races(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_facts(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture
def installation(facts_of_two_races: Path, tmp_path: Path) -> Settings:
    return small_installation(tmp_path / "home", "first", facts=facts_of_two_races)


def killed_at_every_stage(work: Callable[[], object], check: Callable[[bool], None], kills: int) -> int:
    """Kill something at changes spread evenly from its first to its last; `check` is told whether it was killed.

    Returns
    -------
    int
        How many were killed before their end.
    """
    longest, count = 1, 0
    while dies(work, after=longest):
        check(True)
        longest, count = longest * 2, count + 1
    check(False)
    for number in range(kills):
        was_killed = dies(work, after=1 + number * longest // kills)
        check(was_killed)
        count += was_killed
    return count


def test_a_killed_backup_leaves_no_archive_or_a_whole_one(
    installation: Settings, tmp_path: Path, scaled: Callable[[int], int]
) -> None:
    target, before = tmp_path / "backups" / "f1.zip", state(installation)

    def check(was_killed: bool) -> None:
        assert state(installation) == before
        assert was_killed or target.exists()
        if target.exists():
            assert len(read_manifest(target).files) == len(before)
            target.unlink()

    killed = killed_at_every_stage(lambda: back_up(installation, target, quiet), check, scaled(KILLS))
    back_up(installation, target, quiet)
    print(f"back-up: {killed} kills")
    assert killed


def test_a_killed_restore_is_all_or_nothing(
    installation: Settings, tmp_path: Path, scaled: Callable[[int], int]
) -> None:
    archive, wanted = back_up(installation, tmp_path / "f1.zip", quiet).path, state(installation)
    small_installation(installation.home, "second", rows=5)
    before, outcomes = state(installation), set()
    shutil.copytree(installation.home, tmp_path / "before")

    def check(was_killed: bool) -> None:
        complete_interrupted(installation, quiet)
        found = state(installation)
        outcomes.add(found == before)
        assert found == wanted or (was_killed and found == before)
        shutil.rmtree(installation.home)
        shutil.copytree(tmp_path / "before", installation.home)

    killed = killed_at_every_stage(lambda: restore(installation, archive, quiet), check, scaled(KILLS))
    print(f"restore: {killed} kills")
    assert outcomes == {True, False}


def test_a_killed_publication_of_facts_is_all_or_nothing(
    facts_of_two_races: Path, tmp_path: Path, scaled: Callable[[int], int]
) -> None:
    data_dir = Path(shutil.copytree(facts_of_two_races, tmp_path / "data"))
    old = {name: (data_dir / name).read_bytes() for name in NAMES}
    new = old | {
        "races.csv": old["races.csv"].replace(b"Australian Grand Prix", b"Grand Prix of Australia"),
        "drivers.csv": old["drivers.csv"].replace(b"Russell", b"RUSSELL"),
        "circuits.csv": old["circuits.csv"].replace(b"Melbourne", b"MELBOURNE"),
    }
    assert all(new[name] != old[name] for name in ("races.csv", "drivers.csv", "circuits.csv"))
    outcomes = set()

    def work() -> None:
        with publishing(data_dir, quiet):
            publish(data_dir, new, ["races.csv", "drivers.csv", "circuits.csv"], quiet)

    def check(was_killed: bool) -> None:
        with publishing(data_dir, quiet):
            found = {name: (data_dir / name).read_bytes() for name in NAMES}
        outcomes.add(found == old)
        assert found == new or (was_killed and found == old)
        assert [path for path in data_dir.iterdir() if path.name.startswith(".")] == []
        for name, content in old.items():
            (data_dir / name).write_bytes(content)

    killed = killed_at_every_stage(work, check, scaled(KILLS))
    print(f"facts: {killed} kills")
    assert outcomes == {True, False}


def test_a_killed_team_or_payload_is_whole_or_absent(tmp_path: Path, scaled: Callable[[int], int]) -> None:
    path = tmp_path / "my_team.toml"
    team = MyTeam("2026-monaco", ("a", "b"), ("mercedes",), "a", 6, 2, ("wildcard",))
    other = replace(team, boosted="b", bank_tenths=9)
    write_my_team(path, team)

    def check_team(was_killed: bool) -> None:
        assert read_my_team(path) in ((team, other) if was_killed else (other,))
        write_my_team(path, team)

    killed = killed_at_every_stage(lambda: write_my_team(path, other), check_team, scaled(KILLS))
    at = datetime(2026, 6, 1, tzinfo=UTC)

    def keep() -> None:
        ReceivedStore(tmp_path, quiet).keep("/a.json", "https://a/a.json", b"x" * 10_000, at, None, None)

    def check_payload(was_killed: bool) -> None:
        store = ReceivedStore(tmp_path, quiet)
        assert all(store.read(receipt) == b"x" * 10_000 for receipt in store.receipts)
        assert was_killed or store.receipts
        shutil.rmtree(store.folder, ignore_errors=True)

    killed += killed_at_every_stage(keep, check_payload, scaled(KILLS))
    print(f"team and payloads: {killed} kills")
    assert killed


def test_a_killed_publisher_leaves_the_old_snapshot_or_the_new_one(
    installation: Settings, scaled: Callable[[int], int]
) -> None:
    warehouse, target = Warehouse(installation.warehouse_path, 5), installation.published_path

    def rows() -> int:
        with Warehouse(target).read() as connection:
            return connection.execute("select count(*) from core.number").fetchall()[0][0]

    def set_back() -> None:
        small_installation(installation.home, "first", rows=1000)
        publish_snapshot(warehouse, target)
        small_installation(installation.home, "first", rows=7)

    def check(was_killed: bool) -> None:
        assert rows() in ((1000, 7) if was_killed else (7,))
        set_back()

    set_back()
    killed = killed_at_every_stage(lambda: publish_snapshot(warehouse, target), check, scaled(KILLS))
    print(f"snapshot: {killed} kills")
    assert killed

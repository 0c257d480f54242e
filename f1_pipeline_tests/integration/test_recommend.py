"""Advice for many teams on a computed warehouse: the same as for one team, whole files or none, and after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.decisions import driver_of
from f1_pipeline.game.lineup import ASSET_TYPES, DRIVER, AssetKey
from f1_pipeline.optimize.chip_gains import chip_gains
from f1_pipeline.optimize.chip_timing import chip_to_play
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.sources.my_team import MyTeam
from f1_pipeline.steps import recommend as recommend_step
from f1_pipeline.steps.chips import known_at
from f1_pipeline.steps.knowledge import Knowledge
from f1_pipeline.steps.my_team import team_for
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.race_choice import OwnTeam, RaceForecast, playable_chips, race_forecasts, weekend_views
from f1_pipeline.steps.recommend import RecommendRequest, recommend
from f1_pipeline.steps.team_advice import RaceAdviser, race_adviser
from f1_pipeline.steps.versions import versions
from f1_pipeline_tests.dask_cluster import dask_cluster
from f1_pipeline_tests.many_team_problems import team_table
from f1_pipeline_tests.support import NEXT_RACE, REPO

COLUMNS = (
    "team_id race_key transfers_out transfers_in drivers constructors boosted extra_boosted chip transfer_count "
    "transfer_points cost_musd bank_musd expected_points gain_points chip_gain_points error"
)
SUMMARY = (
    "race_key file teams errors resumed_teams seconds teams_per_s mean_gain_points autopilot_teams extra_boost_teams "
    "final_fix_teams limitless_teams no_negative_teams wildcard_teams"
)
EVERY_TRANSFER = 7


@pytest.fixture(scope="module")
def adviser(complete: Pipeline) -> RaceAdviser:
    return race_adviser(complete, NEXT_RACE, EVERY_TRANSFER)


@pytest.fixture
def command(complete: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment(complete).items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(main, ["recommend", *map(str, words)])


def environment(pipeline: Pipeline) -> dict[str, str]:
    settings = pipeline.settings
    return {"F1_DATA_DIR": str(settings.data_dir), "F1_WAREHOUSE_DIR": str(settings.warehouse_dir)}


def write(path: Path, table: pa.Table) -> Path:
    pq.write_table(table, path)
    return path


def answers(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def my_team(row: dict[str, Any], race_key: str) -> MyTeam:
    """Write a row as the team file of its player."""
    return MyTeam(
        race_key=race_key,
        drivers=tuple(row["drivers"]),
        constructors=tuple(row["constructors"]),
        boosted=row["boosted"],
        bank_tenths=round(row["bank_musd"] * 10),
        free_transfers=row["free_transfers"],
        chips_left=tuple(row["chips_left"]),
        races_played=row["races_played"],
    )


def advice_alone(pipeline: Pipeline, forecast: RaceForecast, known: Knowledge, row: dict[str, Any]) -> dict[str, Any]:
    """Advise one team as `lineup` and `chips` do."""
    race_key = forecast.menu.race_key
    nothing = dict.fromkeys(COLUMNS.split()) | {"team_id": row["team_id"], "race_key": race_key}
    try:
        team = team_for(pipeline, my_team(row, race_key), forecast.menu)
    except DataError as error:
        return nothing | {"error": str(error).removeprefix("my_team.toml: ")}
    problem = OwnTeam(team).problem(forecast)
    best, views = best_lineups(problem, 1)[0], weekend_views(pipeline, forecast, problem)[0]
    gains = chip_gains(problem, views, forecast.rules, playable_chips(forecast, team))
    kept = {name: known.keep_value(race_key, name) for name in gains}
    chip = chip_to_play({name: gain.points for name, gain in gains.items()}, kept)
    ranked, gain = (best, 0.0) if chip is None else (gains[chip].ranked, gains[chip].points)
    held, wanted = set(team.lineup.asset_keys), set(ranked.lineup.asset_keys)
    boosts = dict(zip(problem.driver_ids, problem.boost_points, strict=True))
    points = dict(zip(problem.asset_keys, [*problem.driver_points, *problem.constructor_points], strict=True))
    idle = sum(points[key] for key in team.lineup.asset_keys) + boosts[team.boosted_driver]

    def names(keys: Iterable[AssetKey]) -> list[str]:
        ordered = sorted(keys, key=lambda key: (ASSET_TYPES.index(key[0]), key[1]))
        return [driver_of(key[1]) if forecast.menu.is_active(key) else key[1] for key in ordered]

    extra = ranked.extra_boosted_driver
    return {
        "team_id": row["team_id"],
        "race_key": race_key,
        "transfers_out": names(held - wanted),
        "transfers_in": names(wanted - held),
        "drivers": names(key for key in wanted if key[0] == DRIVER),
        "constructors": list(ranked.lineup.constructors),
        "boosted": names([(DRIVER, ranked.lineup.boosted_driver)])[0],
        "extra_boosted": None if extra is None else names([(DRIVER, extra)])[0],
        "chip": chip,
        "transfer_count": ranked.transfer_count,
        "transfer_points": ranked.transfer_points,
        "cost_musd": ranked.cost_tenths / 10,
        "bank_musd": None if chip == "limitless" else (team.budget_tenths - ranked.cost_tenths) / 10,
        "expected_points": pytest.approx(best.points + gain, abs=1e-6),
        "gain_points": pytest.approx(best.points + gain - idle, abs=1e-6),
        "chip_gain_points": None if chip is None else pytest.approx(gain, abs=1e-6),
        "error": None,
    }


@pytest.mark.parametrize("race_key", [NEXT_RACE, "2025-abu-dhabi"])
def test_each_team_has_the_advice_that_it_would_have_alone(complete: Pipeline, tmp_path: Path, race_key: str) -> None:
    rows = team_table(race_adviser(complete, race_key, EVERY_TRANSFER).reader, 30, seed=1)
    teams, out = write(tmp_path / "teams.parquet", rows), tmp_path / "advice.parquet"
    recommend(complete, RecommendRequest(teams, out, race_key, EVERY_TRANSFER, 15))
    found = answers(out)
    forecast, known = race_forecasts(complete, [race_key])[race_key], known_at(complete, race_key)
    assert found == [advice_alone(complete, forecast, known, row) for row in rows.to_pylist()]
    assert len({answer["chip"] for answer in found}) >= 4
    assert 0 < sum(answer["error"] is not None for answer in found) < 10


def test_the_command_tells_what_came_of_the_file(adviser: RaceAdviser, command: Any, tmp_path: Path) -> None:
    rows = team_table(adviser.reader, 12, seed=2, under_way=True).to_pylist()
    rows[3]["drivers"] = rows[3]["drivers"][:4]
    rows[7]["team_id"] = rows[9]["team_id"]
    teams, out = write(tmp_path / "teams.parquet", pa.Table.from_pylist(rows)), tmp_path / "advice.parquet"
    words = ("--teams", teams, "--race", NEXT_RACE, "--out", out, "--part-size", 5)
    result: Result = command(*words, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert " ".join(found) == SUMMARY
    assert (found["teams"], found["errors"], found["resumed_teams"]) == (12, 3, 0)
    table = pq.read_table(out)
    assert " ".join(table.schema.names) == COLUMNS
    told = {row["team_id"]: row["error"] for row in table.to_pylist() if row["error"]}
    assert told["team-3"] == "drivers: expected 5, found 4"
    assert told["team-9"] == "team_id: expected each once, found 'team-9' more than once"
    bad = [row for row in table.to_pylist() if row["error"]]
    assert {name for row in bad for name, value in row.items() if value is not None} == {"team_id", "race_key", "error"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["advice.parquet", "teams.parquet"]
    assert " ".join(command(*words, "--format", "csv").stdout.splitlines()[0].replace('"', "").split(",")) == SUMMARY
    assert "mean gain, points" in command(*words).stdout


def test_whole_numbers_are_ids_as_well(complete: Pipeline, adviser: RaceAdviser, tmp_path: Path) -> None:
    rows = team_table(adviser.reader, 3, seed=3, under_way=True)
    ids = pa.array([2**60, None, 2**60 + 1])
    teams = write(tmp_path / "teams.parquet", rows.set_column(0, "team_id", ids))
    recommend(complete, RecommendRequest(teams, tmp_path / "out.parquet", NEXT_RACE))
    assert [(row["team_id"], row["error"]) for row in answers(tmp_path / "out.parquet")] == [
        (2**60, None),
        (None, "team_id: expected an id, found null"),
        (2**60 + 1, None),
    ]


def test_a_file_without_teams_has_an_answer_without_rows(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path
) -> None:
    teams = write(tmp_path / "teams.parquet", team_table(adviser.reader, 1, seed=4).slice(0, 0))
    summary = recommend(complete, RecommendRequest(teams, tmp_path / "out.parquet", NEXT_RACE))
    assert (summary.teams, summary.mean_gain_points) == (0, None)
    assert " ".join(pq.read_table(tmp_path / "out.parquet").schema.names) == COLUMNS


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--teams", "none.parquet"), "--teams: expected a Parquet file, found none at "),
        (("--teams", "text.parquet"), "text.parquet: expected a Parquet file of teams: "),
        (("--teams", "short.parquet"), "short.parquet: expected the columns team_id, drivers, "),
        (("--teams", "cut.parquet"), "cut.parquet: expected a"),
        (("--teams", "teams.parquet", "--race", "2026-nowhere"), "2026-nowhere"),
        (("--teams", "teams.parquet", "--out", "teams.parquet"), "--out: expected another file than that of the teams"),
    ],
)
def test_a_wrong_request_is_told_and_nothing_is_written(
    adviser: RaceAdviser,
    command: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = team_table(adviser.reader, 300, seed=5)
    write(tmp_path / "teams.parquet", rows)
    write(tmp_path / "short.parquet", rows.drop_columns(["drivers"]))
    (tmp_path / "text.parquet").write_text("team_id,drivers\n", encoding="utf-8")
    content = bytearray((tmp_path / "teams.parquet").read_bytes())
    content[100:1500] = bytes(1400)  # the footer stays, so that it is found only on the way
    (tmp_path / "cut.parquet").write_bytes(content)
    (tmp_path / "out.parquet").write_bytes(b"an earlier answer")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    given = words if "--out" in words else (*words, "--out", "out.parquet")
    result = command(*given, *(() if "--race" in words else ("--race", NEXT_RACE)))
    assert result.exit_code == 2, result.output
    assert expected in result.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_folder_that_cannot_be_written_is_named(complete: Pipeline, adviser: RaceAdviser, tmp_path: Path) -> None:
    teams = write(tmp_path / "teams.parquet", team_table(adviser.reader, 2, seed=6))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        recommend(complete, RecommendRequest(teams, tmp_path / "file" / "out.parquet", NEXT_RACE))
    with pytest.raises(UsageError, match="--out: expected a file, found the folder"):
        recommend(complete, RecommendRequest(teams, tmp_path, NEXT_RACE))


def killed_after(parts: int, words: list[str], folder: Path, environ: dict[str, str]) -> None:
    """Run the command and kill it once some parts are there."""
    script = "from f1_pipeline.cli import main; main(prog_name='f1-pipeline')"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words], cwd=REPO, env=os.environ | environ, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while len(list(folder.glob("part-0*.parquet"))) < parts:
            assert process.poll() is None, "the command ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_after_a_kill_it_goes_on_and_the_answer_is_the_same(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path
) -> None:
    rows = team_table(adviser.reader, 3_000, seed=8)
    teams, whole, out = (tmp_path / f"{name}.parquet" for name in ("teams", "whole", "out"))
    write(teams, rows)
    recommend(complete, RecommendRequest(teams, whole, NEXT_RACE, part_size=50))
    words = ["recommend", "--teams", str(teams), "--race", NEXT_RACE, "--out", str(out), "--part-size", "50"]
    folder = tmp_path / "out.parquet.parts"
    for parts in (3, 6):
        killed_after(parts, words, folder, environment(complete))
        assert not out.exists()
    (folder / "part-00001.parquet").write_bytes(b"PAR1")  # as a disk may leave it
    (folder / "part-list.parquet").write_text("not ours", encoding="utf-8")
    (folder / ".part-00009.parquet.4711.tmp").write_bytes(b"PAR1")  # as a kill may leave it
    (folder / "part-00000 (1).parquet").write_text("nor this", encoding="utf-8")
    there = len(list(folder.glob("part-?????.parquet")))
    summary = recommend(complete, RecommendRequest(teams, out, NEXT_RACE, part_size=50))
    assert summary.resumed_teams == 50 * (there - 1) >= 50 * 5
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["part-00000 (1).parquet", "part-list.parquet"]


def test_workers_of_a_cluster_give_the_same_answer(complete: Pipeline, adviser: RaceAdviser, tmp_path: Path) -> None:
    teams = write(tmp_path / "teams.parquet", team_table(adviser.reader, 500, seed=10))
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    recommend(complete, RecommendRequest(teams, here, NEXT_RACE, part_size=40))
    with dask_cluster(tmp_path / "cluster") as cluster:
        clustered = Pipeline(replace(complete.settings, dask=cluster.address))
        summary = recommend(clustered, RecommendRequest(teams, there, NEXT_RACE, part_size=40))
    assert summary.teams == 500
    assert there.read_bytes() == here.read_bytes()


def test_parts_of_other_teams_or_options_are_made_again(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path
) -> None:
    rows = team_table(adviser.reader, 2_000, seed=9, under_way=True)
    teams, out = write(tmp_path / "teams.parquet", rows), tmp_path / "out.parquet"
    words = ["recommend", "--teams", str(teams), "--race", NEXT_RACE, "--out", str(out), "--part-size", "20"]
    killed_after(2, words, tmp_path / "out.parquet.parts", environment(complete))
    other = RecommendRequest(teams, out, NEXT_RACE, most_transfers=1, part_size=20)
    assert recommend(complete, other).resumed_teams == 0
    assert max(row["transfer_count"] for row in answers(out) if row["chip"] not in ("wildcard", "limitless")) == 1
    killed_after(2, words, tmp_path / "out.parquet.parts", environment(complete))
    write(teams, rows.slice(1))
    assert recommend(complete, RecommendRequest(teams, out, NEXT_RACE, part_size=20)).resumed_teams == 0
    assert [row["team_id"] for row in answers(out)] == rows["team_id"].to_pylist()[1:]


def when_half_done(act: Callable[[], None]) -> Callable[[int, int], None]:
    """Act once, when half of the teams are done."""
    counted = [0]

    def on_part(done: int, total: int) -> None:
        before, counted[0] = counted[0], counted[0] + done
        if before < total / 2 <= counted[0]:
            act()

    return on_part


def stop() -> None:
    raise KeyboardInterrupt


def test_parts_of_other_code_or_packages_are_made_again(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = write(tmp_path / "teams.parquet", team_table(adviser.reader, 8, seed=11))
    request = RecommendRequest(teams, tmp_path / "out.parquet", NEXT_RACE, part_size=2)
    for name, resumed in (("", 4), ("f1_pipeline", 0), ("numpy", 0)):
        with pytest.raises(KeyboardInterrupt):
            recommend(complete, request, when_half_done(stop))
        assert sorted(path.name for path in request.parts_dir.iterdir()) == ["part-00000.parquet", "part-00001.parquet"]
        with monkeypatch.context() as patch:
            patch.setattr(recommend_step, "versions", lambda name=name: versions() | ({name: "1.0"} if name else {}))
            assert recommend(complete, request).resumed_teams == resumed


def test_a_second_command_with_the_same_answer_is_refused(
    complete: Pipeline, adviser: RaceAdviser, command: Any, tmp_path: Path
) -> None:
    rows = team_table(adviser.reader, 8, seed=12)
    teams, other = write(tmp_path / "teams.parquet", rows), write(tmp_path / "other.parquet", rows.slice(4))
    whole, out = tmp_path / "whole.parquet", tmp_path / "out.parquet"
    recommend(complete, RecommendRequest(teams, whole, NEXT_RACE, part_size=2))
    second: list[Result] = []
    words = ("--teams", other, "--race", NEXT_RACE, "--out", out)
    request = RecommendRequest(teams, out, NEXT_RACE, part_size=2)
    recommend(complete, request, when_half_done(lambda: second.append(command(*words))))
    assert [result.exit_code for result in second] == [2]
    assert f"--out: another `recommend` is writing {out}; try again after it" in second[0].stderr
    assert out.read_bytes() == whole.read_bytes()
    assert not request.parts_dir.exists()
    assert command(*words).exit_code == 0


def cut_off(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:-9])


def give_another_key(part: Path) -> None:
    pq.write_table(pq.read_table(part).replace_schema_metadata({recommend_step.KEY: "another"}), part)


def take_a_row(part: Path) -> None:
    pq.write_table(pq.read_table(part).slice(1), part)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (Path.unlink, r"part-00000\.parquet: expected a finished part"),
        (cut_off, r"part-00000\.parquet: expected a finished part"),
        (give_another_key, r"part-00000\.parquet: expected a part of this answer"),
        (take_a_row, r"out\.parquet: expected 8 answers, one a team, found 7"),
    ],
)
def test_parts_that_were_changed_meanwhile_are_not_joined(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path, spoil: Callable[[Path], None], expected: str
) -> None:
    teams, out = write(tmp_path / "teams.parquet", team_table(adviser.reader, 8, seed=13)), tmp_path / "out.parquet"
    out.write_bytes(b"an earlier answer")
    request = RecommendRequest(teams, out, NEXT_RACE, part_size=2)
    with pytest.raises(DataError, match=expected):
        recommend(complete, request, when_half_done(lambda: spoil(request.parts_dir / "part-00000.parquet")))
    assert out.read_bytes() == b"an earlier answer"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "out.parquet.parts", "teams.parquet"]
    assert recommend(complete, request).resumed_teams == 6
    assert [row["team_id"] for row in answers(out)] == [f"team-{row}" for row in range(8)]


def test_files_of_somebody_else_that_are_named_like_parts_are_not_removed(
    complete: Pipeline, adviser: RaceAdviser, tmp_path: Path
) -> None:
    rows = team_table(adviser.reader, 4, seed=14)
    teams, out = write(tmp_path / "teams.parquet", rows), tmp_path / "out.parquet"
    folder = tmp_path / "out.parquet.parts"
    folder.mkdir()
    mine = write(folder / "part-00000.parquet", rows)
    before = mine.read_bytes()
    with pytest.raises(UsageError, match=r"--out: expected parts of an answer only, found .+part-00000\.parquet"):
        recommend(complete, RecommendRequest(teams, out, NEXT_RACE))
    assert (mine.read_bytes(), out.exists()) == (before, False)
    assert [path.name for path in folder.iterdir()] == ["part-00000.parquet"]

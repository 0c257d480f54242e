"""`f1-pipeline episodes` as it is typed: files that replay in a fresh environment, a card whose code runs, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from f1_pipeline import __version__, cli_episodes
from f1_pipeline.cli import main
from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.team_arrays import CHIPS
from f1_pipeline.rl.episode_columns import COLUMNS, arrays_of
from f1_pipeline.rl.linear import PARAMETERS, LinearAgent, agent_bytes
from f1_pipeline.rl.rewards import REWARDS
from f1_pipeline.rl.seasons import DRIVER_SLOTS, SeasonSource
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline.steps import episodes
from f1_pipeline.steps.environments import make_game
from f1_pipeline.steps.pipeline import Pipeline

Command = Callable[..., Result]
SOURCES: dict[str, Callable[[Pipeline, int], SeasonSource]] = {
    "real": episodes.real_season,
    "simulated": episodes.season_simulator,
}
SEASON = 2026
QUICK = ("episodes", "--season", str(SEASON), "--world", "real", "--agent-name", "hold", "--quiet")


@dataclass(frozen=True)
class Played:
    """Episodes of all agents in both worlds, and the seasons that they were played in."""

    command: Command
    folder: Path
    answer: list[dict[str, Any]]
    source: Callable[[str], SeasonSource]

    @property
    def paths(self) -> list[Path]:
        return [self.folder / row["path"] for row in self.answer]


@pytest.fixture(scope="module")
def played(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Generator[Played]:
    found = {world: cache(source) for world, source in SOURCES.items()}
    folder = tmp_path_factory.mktemp("episodes") / "new" / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
        patch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
        # Seasons are read and simulated once for all tests.
        by_season = {world: cache(lambda season, world=world: found[world](complete, season)) for world in found}
        patch.setattr(episodes, "real_season", lambda _, season: by_season["real"](season))
        patch.setattr(episodes, "season_simulator", lambda _, season: by_season["simulated"](season))

        def command(*words: str) -> Result:
            return CliRunner().invoke(main, list(words))

        words = ("--season", str(SEASON), "--seasons", "2", "--seed", "5", "--quiet", "--format", "json")
        result = command("episodes", *words, "--out", str(folder))
        assert result.exit_code == 0, result.stderr
        yield Played(command, folder, json.loads(result.stdout), lambda world: by_season[world](SEASON))


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], at: np.ndarray) -> None:
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name][at], values, err_msg=name)
        assert found[name].dtype == values.dtype


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_agent_plays_in_both_worlds(played: Played) -> None:
    names = [(row["world"], row["agent"]) for row in played.answer]
    assert names == [(world, agent) for world in ("real", "simulated") for agent in episodes.AGENTS]
    for row in played.answer:
        races = played.source(row["world"]).frame.race_count
        assert row["episode_count"] == (1 if row["world"] == "real" else 2)
        assert row["row_count"] == races * row["episode_count"]
        assert row["size_bytes"] == (played.folder / row["path"]).stat().st_size


@pytest.mark.parametrize("world", SOURCES)
def test_actions_of_the_file_replay_to_the_same_states_masks_and_rewards(played: Played, world: str) -> None:
    for path in (path for path in played.paths if path.name.startswith(world)):
        table = pq.ParquetFile(path).read()
        rows, numbers = arrays_of(table), table["season_number"].to_numpy()
        races = played.source(world).frame.race_count
        env = F1FantasyVectorEnv(played.source(world), len(numbers) // races, illegal="reject")
        observation, info = env.reset(options={"season_numbers": list(numbers[::races])})
        for race in range(races):
            at = np.arange(race, len(numbers), races)
            same(rows["observation"], observation, at)
            same(rows["action_mask"], info["action_mask"], at)
            assert table["race_number"].take(at).to_pylist() == [race] * len(at)
            assert table["race_key"].take(at).to_pylist() == [env.frame.race_keys[race]] * len(at)
            action = {name: values[at] for name, values in rows["action"].items()}
            assert env.action_space.contains(
                {name: values.astype(env.action_space[name].dtype) for name, values in action.items()}
            )
            observation, reward, terminated, _, info = env.step(action)
            np.testing.assert_array_equal(rows["reward"][at], reward)
            np.testing.assert_array_equal(rows["terminated"][at], terminated)
            same(rows["next_observation"], observation, at)
            same(rows["next_action_mask"], info["action_mask"], at)
            for name in ("points", "asset_points", "transfer_points", "inactive_points", "baseline_points"):
                np.testing.assert_array_equal(table[name].to_numpy()[at], info[name])
            np.testing.assert_array_equal(table["played_chip"].to_numpy()[at], info["chip"])


def test_an_episode_replays_in_the_environment_of_one_season(played: Played) -> None:
    rows = arrays_of(pq.ParquetFile(played.folder / f"steps/real-{SEASON}-myopic.parquet").read())
    env = make_game(source=played.source("real"), illegal="reject")
    env.reset(seed=0)
    for at, reward in enumerate(rows["reward"]):
        assert env.step({name: values[at] for name, values in rows["action"].items()})[1] == reward
    assert not env.is_running


def test_the_mask_allows_every_action(played: Played) -> None:
    found = episodes.read_transitions(played.folder)
    action, mask, every = found["action"], found["action_mask"], np.arange(len(found["reward"]))
    assert (mask["pick"][action["pick"] > 0] == 2).all()
    assert mask["boost"][every, action["boost"]].all()
    assert mask["chip"][every, action["chip"]].all()
    assert len(set(found["episode_id"])) == 15


def test_the_next_state_is_that_of_the_next_row(played: Played) -> None:
    steps = pd.concat([pd.read_parquet(path) for path in played.paths])
    going_on = ~(steps["terminated"] | steps["truncated"]).to_numpy()
    # the season that is going on ends with the last race driven, simulated ones with their last
    assert steps.groupby("world")[["terminated", "truncated"]].any().to_numpy().tolist() == [
        [False, True],
        [True, False],
    ]
    after = np.flatnonzero(going_on) + 1
    for name in ("obs_price_musd", "obs_held", "obs_bank_musd", "obs_chips", "mask_pick", "mask_chip"):
        seen = np.stack(steps[name].map(np.atleast_1d).to_list())
        told = np.stack(steps[f"next_{name}"].map(np.atleast_1d).to_list())
        np.testing.assert_array_equal(told[going_on], seen[after], err_msg=name)


def test_rewards_are_points_less_what_they_are_compared_with(played: Played) -> None:
    steps = pd.concat([pd.read_parquet(path) for path in played.paths])
    parts = steps["asset_points"] + steps["transfer_points"] + steps["inactive_points"]
    np.testing.assert_array_equal(steps["points"], parts)
    np.testing.assert_allclose(steps["reward"], steps["points"] - steps["baseline_points"])
    sums = (
        steps.groupby(["world", "agent", "episode_id"])[["points", "reward"]].sum().groupby(["world", "agent"]).mean()
    )
    for row in played.answer:
        assert row["mean_points"] == pytest.approx(sums["points"][row["world"], row["agent"]])
        assert row["mean_return"] == pytest.approx(sums["reward"][row["world"], row["agent"]])


def test_fields_say_what_they_are(played: Played) -> None:
    found = pq.ParquetFile(played.paths[0]).schema_arrow
    assert [field.name for field in found] == [column.name for column in COLUMNS]
    assert found.field("obs_price_musd").metadata == {
        b"description": b"Price at the lock; of who has left the sale the last one.",
        b"unit": b"million dollars",
        b"low": b"0",
        b"high": b"60",
    }
    assert found.metadata[b"rules_version"] == b"2026.1"
    assert found.metadata[b"seed"] == b"5"
    card = (played.folder / "README.md").read_text(encoding="utf-8")
    for field in found:
        assert b"description" in field.metadata
        assert field.name.startswith("next_") or f"| `{field.name}` |" in card


def test_values_keep_the_bounds_that_are_stated(played: Played) -> None:
    for path in played.paths:
        table = pq.ParquetFile(path).read()
        for column in COLUMNS:
            if column.low is not None and column.high is not None:
                values = table[column.name].combine_chunks()
                numbers = (values.flatten() if column.size > 1 else values).to_numpy()
                assert column.low <= numbers.min() <= numbers.max() <= column.high, column.name


def test_the_code_of_the_card_runs(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    card = (played.folder / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(played.folder)
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", card, re.DOTALL):
        exec(block, names)
    transitions, first = names["transitions"], played.answer[0]
    rows = next(row for row in played.answer if row["path"].endswith("real-2026-greedy_points.parquet"))["row_count"]
    assert transitions["observations"].shape == transitions["next_observations"].shape == (rows, 14 * 42 + 12 + 2 * 6)
    assert transitions["actions"].shape == (rows, 42 + 3)
    assert [len(episode["observations"]) for episode in names["episodes"]] == [rows + 1]
    assert names["assets"].shape == (sum(row["row_count"] for row in played.answer), 42, 12)
    assert names["points"]["real", SEASON, first["agent"]].item() == first["mean_points"]
    (query,) = re.findall(r"```sql\n(.*?)```", card, re.DOTALL)
    found = duckdb.connect().execute(query).df()
    steps = names["steps"]
    one = steps[(steps["agent"] == "hold") & (steps["race_number"] == 0)]
    row = found[(found["agent"] == "hold") & (found["race_key"] == one["race_key"].iloc[0])].iloc[0]
    assert row["mean_points"] == pytest.approx(one["points"].mean())
    assert row["market_musd"] == pytest.approx(np.stack(one["obs_price_musd"].to_list()).sum(axis=1).mean())


def test_the_card_has_counts_and_returns(played: Played) -> None:
    card = (played.folder / "README.md").read_text(encoding="utf-8")
    for row in played.answer:
        counts = f"| `{row['path']}` | {row['episode_count']} | {row['row_count']} |"
        assert counts in card
        assert f"| {row['mean_points']:.1f} | {row['mean_return']:.1f} |" in card
    assert "`f1-pipeline episodes --season 2026 --world both --seasons 2 --seed 5 --reward above_mean`" in card
    assert f"f1-pipeline {__version__}; rules of the game 2026.1; seed 5" in card
    assert "CC BY 4.0" in card


def test_slots_have_names(played: Played) -> None:
    names = pd.read_csv(played.folder / "slots.csv")
    for world in SOURCES:
        own, frame = names[names["world"] == world].set_index("slot"), played.source(world).frame
        assert list(own.index) == [slot for slot, key in enumerate(frame.assets) if key is not None]
        assert ((own["asset_type"] == "driver") == (own.index < DRIVER_SLOTS)).all()
        assert (own["asset_type"][own["constructor_slot"]] == "constructor").all()
    assert "max-verstappen" in set(names["asset_id"])


def test_simulated_seasons_begin_where_the_seed_says(played: Played) -> None:
    path = played.folder / f"steps/simulated-{SEASON}-hold.parquet"
    env = F1FantasyVectorEnv(played.source("simulated"), 2, reward="points")
    env.reset(seed=5)
    numbers = pq.ParquetFile(path).read(columns=["season_number"]).to_pandas()["season_number"]
    assert tuple(numbers.unique()) == env.season_numbers


def test_the_same_request_gives_the_same_bytes(played: Played) -> None:
    before = content(played.folder)
    words = ("--season", str(SEASON), "--seasons", "2", "--seed", "5", "--quiet", "--out", str(played.folder))
    assert "--overwrite replaces" in refused(played.command("episodes", *words))
    result = played.command("episodes", *words, "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert "greedy_points" in result.stdout
    assert content(played.folder) == before
    assert [path.name for path in played.folder.parent.iterdir()] == ["data"]


def test_seasons_may_be_played_in_any_portions(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episodes, "BLOCK", 1)
    words = ("--season", str(SEASON), "--world", "simulated", "--seasons", "2", "--seed", "5", "--quiet")
    result = played.command("episodes", *words, "--agent-name", "greedy_value", "--out", str(tmp_path))
    assert result.exit_code == 0, result.stderr
    path = f"steps/simulated-{SEASON}-greedy_value.parquet"
    assert pq.ParquetFile(tmp_path / path).num_row_groups == 2
    assert pq.ParquetFile(tmp_path / path).read().equals(pq.ParquetFile(played.folder / path).read())


def test_a_trained_agent_plays_as_well_and_nobody_need_play_chips(played: Played, tmp_path: Path) -> None:
    weights = np.zeros(len(PARAMETERS))
    file, out = tmp_path / "agent.json", tmp_path / "out"
    file.write_bytes(agent_bytes(LinearAgent(weights)))
    words = ("--agent", str(file), "--out", str(out), "--format", "json", "--reward", "points")
    rows = json.loads(played.command(*QUICK, *words).stdout)
    assert [row["agent"] for row in rows] == ["hold", "linear"]
    assert [row["chip_count"] for row in rows] == [0, 5]
    assert [row["mean_return"] for row in rows] == [row["mean_points"] for row in rows]
    words = (*words, "--agent-name", "linear", "--no-chips", "--overwrite")
    assert played.command(*QUICK, *words).exit_code == 0
    found = episodes.read_transitions(out)
    assert not found["action_mask"]["chip"][:, 1:].any()
    assert not found["observation"]["chips"].any()
    assert not found["action"]["chip"].any()


def test_an_error_leaves_what_was_there(played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert played.command(*QUICK, "--out", str(out)).exit_code == 0
    before = content(out)

    def fails(*_: Any) -> None:
        raise RuleError("no more races")

    monkeypatch.setattr(episodes, "table_of", fails)
    assert refused(played.command(*QUICK, "--out", str(out), "--overwrite")) == "error: no more races\n"
    assert refused(played.command(*QUICK, "--out", str(tmp_path / "other"))) == "error: no more races\n"
    assert content(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_episodes_are_overwritten(played: Played, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert played.command(*QUICK, "--out", str(out)).exit_code == 0, "an empty folder will do"
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert "found thesis.txt" in refused(played.command(*QUICK, "--out", str(out), "--overwrite"))
    assert (out / "thesis.txt").exists()
    (out / "thesis.txt").unlink()
    (out / "README.md").write_text("# Another project\n", encoding="utf-8")
    assert "no README.md of episodes" in refused(played.command(*QUICK, "--out", str(out), "--overwrite"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--season", "1999"), "--season: expected some of"),
        (("--agent-name", "linear"), "expected a file of it with --agent"),
        (("--agent", "missing.json"), "--agent: expected a file of a trained agent"),
        (("--agent-name", "oracle"), "Invalid value for '--agent-name'"),
        (("--seasons", "0"), "Invalid value for '--seasons'"),
        (("--reward", "fame"), "Invalid value for '--reward'"),
        (("--out", "/dev/null/episodes"), "expected a folder that can be written"),
    ],
)
def test_bad_input_is_one_sentence(played: Played, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(played.command(*QUICK, "--out", str(tmp_path / "out"), *words))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_agent_is_refused(played: Played, tmp_path: Path) -> None:
    file = tmp_path / "agent.json"
    file.write_text("{}", encoding="utf-8")
    assert "expected an agent with the weights" in refused(played.command(*QUICK, "--agent", str(file)))
    file.write_bytes(agent_bytes(LinearAgent(np.zeros(len(PARAMETERS)), name="hold")))
    assert "expected a name of its own" in refused(played.command(*QUICK, "--agent", str(file)))


def test_there_must_be_episodes_to_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected episodes, found none"):
        episodes.read_transitions(tmp_path)


def test_the_command_offers_what_there_is() -> None:
    assert cli_episodes.WORLDS == episodes.WORLDS
    assert cli_episodes.AGENTS == episodes.AGENTS
    assert tuple(REWARDS) == cli_episodes.REWARDS
    assert CHIPS[0] == "none"

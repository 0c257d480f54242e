"""Agents trained before a season and playing it: what is stored, what was learnt from, that it can be played again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.errors import DataError, WarehouseError
from f1_pipeline.forecast.tracking import AGENTS, Tracking
from f1_pipeline.optimize.policies import Policy
from f1_pipeline.rl.agents import GreedyAgent, HoldAgent, PlanningAgent, RandomAgent
from f1_pipeline.rl.evaluate import play_seasons
from f1_pipeline.rl.linear import PARAMETERS, CrossEntropySettings, LinearAgent, agent_bytes, read_agent, train_linear
from f1_pipeline.rl.seasons import DRIVER_SLOTS
from f1_pipeline.rl.vector_env import F1FantasyVectorEnv
from f1_pipeline.settings import Settings
from f1_pipeline.steps.agent_seasons import AGENT_SEASON_TABLE, FIRST_SIMULATED, Arena, evaluate_agents
from f1_pipeline.steps.agents import LIGHT, TRAINING_TABLE, train_agents, trained_agents
from f1_pipeline.steps.backtest import REFERENCE, backtest_knowledge, play_season
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import real_season, season_simulator
from f1_pipeline.steps.season_races import season_races
from f1_pipeline.steps.snapshot import publish_snapshot
from f1_pipeline.warehouse.frames import read_table

BRIEF = CrossEntropySettings(generations=3, population=8, elites=3, seasons=8)
BRIEFLY = [replace(LIGHT, settings=BRIEF)]
SMALL = Arena(quick_seasons=12, slow_seasons=1, rolling_time_limit_s=0.5, oracle_time_limit_s=5.0)
SEASONS = (2025, 2026)


@pytest.fixture(scope="module")
def trained(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A copy of the computed warehouse in which agents were trained and have played the season that is going on."""
    folder = tmp_path_factory.mktemp("agents")
    shutil.copytree(complete.settings.warehouse_dir, folder / "warehouse")
    pipeline = Pipeline(replace(complete.settings, warehouse_dir=folder / "warehouse"))
    train_agents(pipeline, TRAINING_TABLE, [str(season) for season in SEASONS], BRIEFLY)
    evaluate_agents(pipeline, AGENT_SEASON_TABLE, ["2026"], SMALL)
    publish_snapshot(pipeline)
    return pipeline


def table(pipeline: Pipeline, name: str) -> pd.DataFrame:
    with pipeline.warehouse.read() as connection:
        return read_table(connection, name)


def light_agent(pipeline: Pipeline, season: int) -> tuple[LinearAgent, str]:
    agent, uri = trained_agents(pipeline, season)["linear"]
    assert isinstance(agent, LinearAgent)
    return agent, uri


def test_an_agent_learns_on_seasons_up_to_its_own(trained: Pipeline) -> None:
    rows = table(trained, TRAINING_TABLE)
    assert rows.groupby("season")["generation"].max().to_dict() == {2025: 3, 2026: 3}
    simulators = rows.groupby("season")["simulator_seasons"].unique().map(list).to_dict()
    assert simulators == {2025: ["2025"], 2026: ["2025, 2026"]}
    assert rows.loc[rows["season"] == 2026, "simulator_season"].tolist() == [2025, 2026, 2025]
    assert rows.groupby("season")["model_uri"].nunique().to_dict() == {2025: 1, 2026: 1}


def test_training_again_finds_the_same_agent(trained: Pipeline) -> None:
    before = table(trained, TRAINING_TABLE)
    train_agents(trained, TRAINING_TABLE, ["2025"], BRIEFLY)
    pd.testing.assert_frame_equal(
        before.sort_values(["season", "generation"], ignore_index=True),
        table(trained, TRAINING_TABLE).sort_values(["season", "generation"], ignore_index=True),
    )


def test_training_is_the_same_for_the_same_seed(trained: Pipeline) -> None:
    again, curve = train_linear([season_simulator(trained, 2025)], BRIEF, seed=1)
    kept, _ = light_agent(trained, 2025)
    assert kept.weights.tolist() == again.weights.tolist()
    stored = table(trained, TRAINING_TABLE).query("season == 2025").sort_values("generation")
    assert stored["mean_points"].tolist() == [point.mean_points for point in curve]


def test_learning_curves_are_in_mlflow_and_agents_are_json(trained: Pipeline) -> None:
    _, uri = light_agent(trained, 2025)
    tracking = Tracking(trained.settings.tracking_dir, AGENTS)
    folder = tracking.model_file(uri, "agent.json").parent
    assert {path.suffix for path in folder.iterdir()} <= {".json", ""}
    client = tracking._client
    run_id = client.get_model_version("agents", uri.rsplit("/", 1)[1]).run_id
    history = client.get_metric_history(str(run_id), "mean_points")
    stored = table(trained, TRAINING_TABLE).query("season == 2025").sort_values("generation")
    history.sort(key=lambda metric: metric.step)
    assert [metric.value for metric in history] == stored["mean_points"].tolist()


def test_a_simulator_knows_nothing_after_the_first_lock(trained: Pipeline, settings: Settings) -> None:
    """Whatever came of the season, from its first race on, can be gone: its simulated seasons stay as they are."""
    settings.warehouse_dir.mkdir()
    shutil.copy(trained.settings.warehouse_path, settings.warehouse_path)
    shutil.copytree(trained.settings.tracking_dir, settings.tracking_dir)
    blind = Pipeline(replace(settings, data_dir=trained.settings.data_dir))
    with blind.warehouse.write() as connection:
        for name in ("core.driver_race_performance", "core.constructor_race_performance", "staging.event_score"):
            connection.execute(f"delete from {name} where race_key like '2026-%'")  # noqa: S608
        later = "race_key like '2026-%' and race_key <> '2026-australia'"
        connection.execute(f"delete from staging.price where {later}")  # noqa: S608
    seen, unseen = (season_simulator(each, 2026).take([3]) for each in (trained, blind))
    for name, values in vars(seen).items():
        np.testing.assert_array_equal(values, getattr(unseen, name), err_msg=name)


def test_every_agent_plays_both_worlds(trained: Pipeline) -> None:
    rows = table(trained, AGENT_SEASON_TABLE)
    played = rows.groupby(["world", "agent", "has_chips"]).size().unstack("world")
    assert set(rows["agent"]) == {
        *(
            "random",
            "hold",
            "greedy_value",
            "greedy_points",
            "myopic",
            "rolling",
            "oracle",
            "linear",
            "linear_untrained",
        )
    }
    assert (played["real"] == 1).all()
    slow = played.index.get_level_values("agent").isin(["rolling", "oracle"])
    assert (played.loc[slow, "simulated"] == 1).all()
    assert (played.loc[~slow, "simulated"] == 12).all()
    finished = sum(race.season == 2026 for race in trained.calendar.finished)
    assert set(rows.loc[rows["world"] == "real", "race_count"]) == {finished}
    assert rows.loc[rows["agent"] == "linear", "model_uri"].eq(light_agent(trained, 2026)[1]).all()


def test_nobody_beats_the_oracle_where_its_path_is_whole(trained: Pipeline) -> None:
    rows = table(trained, AGENT_SEASON_TABLE).query("world == 'real' and not has_chips")
    assert rows["oracle_share"].notna().all()
    assert rows.loc[rows["agent"] != "oracle", "regret_points"].min() > 0
    assert rows.loc[rows["agent"] == "oracle", "oracle_share"].tolist() == [1.0]


def test_derived_figures_follow_from_the_points(trained: Pipeline) -> None:
    rows = table(trained, AGENT_SEASON_TABLE)
    key = ["world", "agent", "season_number"]
    both = rows[rows["has_chips"]].merge(rows[~rows["has_chips"]], on=key, suffixes=("", "_without"))
    assert len(both) == int(rows["has_chips"].sum())
    gains = both["total_points"] - both["total_points_without"]
    np.testing.assert_allclose(both["chip_gain_points"], gains)
    assert rows.loc[~rows["has_chips"], "chip_gain_points"].isna().all()


def test_the_trained_agent_beats_greedy_value_by_far(trained: Pipeline) -> None:
    rows = table(trained, AGENT_SEASON_TABLE).query("world == 'simulated'")
    own = rows[(rows["agent"] == "linear") & rows["has_chips"]].set_index("season_number")["total_points"]
    greedy = rows[rows["agent"] == "greedy_value"].set_index("season_number")["total_points"]
    gain = own - greedy
    assert gain.mean() > 2 * gain.sem()


def test_nobody_decides_by_results(trained: Pipeline) -> None:
    """With other results of the last race, every decision up to it stays the same."""
    sample = season_simulator(trained, 2026).sample(FIRST_SIMULATED, 4)
    seasons = sample.seasons
    altered = {name: getattr(seasons, name).copy() for name in ("points", "no_negative_points", "remaining_points")}
    for values in altered.values():
        values[:, -1] = values[::-1, -1] + 7
    other = replace(sample, seasons=replace(seasons, **altered))
    for agent in (
        *(RandomAgent(), HoldAgent(), GreedyAgent("value"), GreedyAgent("points"), PlanningAgent(Policy("myopic"))),
        light_agent(trained, 2026)[0],
    ):
        decided = []
        for source in (sample, other):
            env = F1FantasyVectorEnv(source, 4, reward="points")
            observation, info = env.reset(options={"season_numbers": range(4)})
            for _ in range(env.frame.race_count):
                decided.append(agent.act(observation, info, env))
                observation, *_, info = env.step(decided[-1])
        half = len(decided) // 2
        for one, same in zip(decided[:half], decided[half:], strict=True):
            for name, values in one.items():
                np.testing.assert_array_equal(values, same[name], err_msg=agent.name)


def test_a_random_agent_is_random(trained: Pipeline) -> None:
    """No driver on sale is in most of its first teams."""
    env = F1FantasyVectorEnv(season_simulator(trained, 2026).sample(0, 200), 200, reward="points", illegal="reject")
    observation, info = env.reset(options={"season_numbers": range(200)})
    action = RandomAgent(3).act(observation, info, env)
    drivers = action["pick"][:, :DRIVER_SLOTS].mean(axis=0)
    on_sale = int(env.seasons.is_active[0, 0, :DRIVER_SLOTS].sum())
    # the cheapest ones are in more teams, for a team must be paid
    assert (drivers > 0).sum() == on_sale
    assert drivers.max() < 0.6
    assert np.bincount(action["boost"]).max() < 60


def test_what_is_stored_can_be_played_again(trained: Pipeline) -> None:
    rows = table(trained, AGENT_SEASON_TABLE)
    sample = season_simulator(trained, 2026).sample(FIRST_SIMULATED, 12)
    for agent in (HoldAgent(), GreedyAgent("points"), light_agent(trained, 2026)[0]):
        again = play_seasons(agent, sample, range(12), has_chips=agent.has_chips)
        stored = rows[
            (rows["world"] == "simulated") & (rows["agent"] == agent.name) & (rows["has_chips"] == agent.has_chips)
        ].sort_values("season_number")
        assert stored["total_points"].tolist() == again["total_points"].tolist()


def test_myopic_is_the_policy_of_the_back_test(trained: Pipeline) -> None:
    """The environment and the back-test play one game: the same policy scores the same in both."""
    races = season_races(trained, 2026)
    known = backtest_knowledge(trained, races)
    points = sum(race.result.total_points for _, race in play_season(races, known, REFERENCE))
    rows = table(trained, AGENT_SEASON_TABLE)
    own = rows[(rows["world"] == "real") & (rows["agent"] == "myopic")]
    assert own["total_points"].tolist() == [points]


def test_an_agent_survives_its_file(tmp_path: Path) -> None:
    agent = LinearAgent(np.arange(len(PARAMETERS)) / 7)
    assert read_agent(agent_bytes(agent), "here").weights.tolist() == agent.weights.tolist()
    content = json.loads(agent_bytes(agent))
    del content["weights"]["money_points"]
    for damaged in (b"", b"[]", b"{}", json.dumps(content).encode(), agent_bytes(agent)[:-9]):
        with pytest.raises(DataError, match="here: expected an agent with the weights money_points"):
            read_agent(damaged, "here")


def test_a_season_without_an_agent_is_named(complete: Pipeline) -> None:
    with pytest.raises(WarehouseError, match="Season 2025: expected a trained agent"):
        trained_agents(complete, 2025)


def test_the_command_shows_draws_and_saves(trained: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(trained.settings.warehouse_dir))
    monkeypatch.setenv("F1_DATA_DIR", str(trained.settings.data_dir))
    picture, saved = tmp_path / "agents.svg", tmp_path / "agent.json"
    asked = ["agents", "--stored", "--season", "2026"]
    shown = CliRunner().invoke(main, [*asked, "--picture", str(picture), "--save", str(saved)])
    assert shown.exit_code == 0, shown.output
    assert "greedy_points" in shown.output
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    assert read_agent(saved.read_bytes(), "saved").weights.tolist() == light_agent(trained, 2026)[0].weights.tolist()
    answer = CliRunner().invoke(main, [*asked, "--format", "json"])
    rows = json.loads(answer.output)
    hold = [row for row in rows if row["agent"] == "hold" and row["world"] == "simulated"]
    stored = table(trained, AGENT_SEASON_TABLE).query("agent == 'hold' and world == 'simulated'")
    assert hold[0]["mean_points"] == pytest.approx(stored["total_points"].mean())
    assert hold[0]["season_count"] == 12


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stored", "--season", "1999"], "--season: expected some of 2025, 2026, found 1999"),
        (["--stored", "--season", "2025"], "expected 2025, found none"),
        (["--stored", "--save", "agent.json"], "--save: expected one --season"),
        (["--stored", "--picture", "agents.pdf"], "--picture: expected a path that ends in .svg or .png"),
    ],
)
def test_wrong_requests_are_told(
    trained: Pipeline, arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(trained.settings.warehouse_dir))
    monkeypatch.setenv("F1_DATA_DIR", str(trained.settings.data_dir))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["agents", *arguments])
    assert told.exit_code == 2, told.output
    assert said in told.output


def test_a_real_season_is_one_season(trained: Pipeline) -> None:
    season = real_season(trained, 2026)
    assert season.count == 1
    with pytest.raises(DataError, match="Season number: expected one below 1, found 1"):
        season.take([1])

"""Real and simulated seasons in the environments: the game's own points and money, nothing known too early, no chance.

The seasons of 2023 and 2024 have no forecasts here, so they are played with made-up ones; that of 2025 with its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
import pandas as pd
import pytest
from gymnasium.utils.env_checker import check_env

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.chips import Autopilot, Chip, ExtraBoost, FinalFix, Limitless, NoNegative, Wildcard
from f1_pipeline.game.decisions import Decision, RaceMenu, asset_key
from f1_pipeline.game.lineup import DRIVER, AssetKey, Lineup
from f1_pipeline.game.prices import PricedAssets, next_prices, price_rules_known_at
from f1_pipeline.game.team import Team
from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, NONE
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.optimize.plan_problem import plan_assets
from f1_pipeline.rl import GAME_ID, MOVES_ID
from f1_pipeline.rl.env import F1FantasyEnv
from f1_pipeline.rl.moves_env import MovesVectorEnv
from f1_pipeline.rl.rewards import REWARDS
from f1_pipeline.rl.seasons import (
    FEATURES,
    IS_DRIVER,
    SLOTS,
    GivenSeasons,
    SeasonFrame,
    SeasonSource,
    asset_features,
)
from f1_pipeline.rl.simulated import BLOCK, SimulatedSeasons
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline.steps.environments import season_source
from f1_pipeline.steps.knowledge import Knowledge, season_knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.season_arrays import laid_out, real_season, season_simulator
from f1_pipeline.steps.season_races import SeasonRaces, fact_key, season_races
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.rollouts import SEASON, digests
from f1_pipeline_tests.small_seasons import best_swap
from f1_pipeline_tests.support import REPO

PLAYERS = 6
NO_SPREAD = pd.DataFrame({name: [] for name in ("race_key", "asset_type", "asset_id", "sd_points")})
NUMBERS = [7, 130, 8]
ENVIRONMENTS = [(GAME_ID, "real"), (GAME_ID, "simulated"), (MOVES_ID, "real"), (MOVES_ID, "simulated")]


@dataclass(frozen=True)
class Real:
    """A real season and where it was read from."""

    pipeline: Pipeline
    races: SeasonRaces
    known: Knowledge
    source: GivenSeasons


def made_up_knowledge(races: SeasonRaces) -> Knowledge:
    """Expect a point per million, and after qualifying what will come, give or take 20 points."""
    generator = np.random.default_rng(races.season)
    coming, after = {}, {}
    for at, menu in enumerate(races.menus):
        assets = plan_assets((menu,))
        points = np.array([[menu.prices[key] / 10 if menu.is_active(key) else 0.0 for key in assets]])
        coming[menu.race_key] = ComingRaces(races.rules, (menu,), assets, points, points + 1)
        after[menu.race_key] = {
            fact_key((DRIVER, seat)): float(
                sum(value for _, _, value in races.items[at][fact_key((DRIVER, seat))]) + generator.integers(-20, 21)
            )
            for seat in menu.seats.values()
        }
    return Knowledge(coming, {}, {}, after, pd.DataFrame(), {})


@pytest.fixture(scope="module")
def real(complete: Pipeline, history: History) -> Callable[[int], Real]:
    """Read a season, each once."""
    read: dict[int, Real] = {}

    def season(number: int) -> Real:
        if number not in read:
            pipeline = complete if number == SEASON else history.pipeline
            races = season_races(pipeline, number)
            if number == SEASON:
                known, source = season_knowledge(pipeline, races.race_keys), real_season(pipeline, number)
            else:
                known = made_up_knowledge(races)
                source = laid_out(pipeline, races, known, NO_SPREAD)
            read[number] = Real(pipeline, races, known, source)
        return read[number]

    return season


@pytest.fixture(scope="module")
def simulator(complete: Pipeline) -> SimulatedSeasons:
    return season_simulator(complete, SEASON)


@pytest.fixture
def installed(complete: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the environment variables at the computed warehouse."""
    monkeypatch.setenv("F1_PIPELINE_HOME", str(REPO))
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))


# --- the game's points and money ---


def name_of(frame: SeasonFrame, slot: int) -> str:
    key = frame.assets[slot]
    assert key is not None
    return key[1]


def drawn_action(generator: np.random.Generator, env: F1FantasyVectorEnv, info: dict[str, Any]) -> Arrays:
    """Draw legal decisions of a few swaps: dear ones for Limitless, else such as can be paid; chips now and then."""
    seasons, race = env.seasons, env.race
    pick = env.teams.held.astype(np.int8)
    boost, extra, chip = (np.zeros(env.num_envs, dtype=np.int64) for _ in range(3))
    for row in range(env.num_envs):
        prices, own = seasons.prices[row, race], pick[row]
        playable = np.flatnonzero(info["action_mask"]["chip"][row])
        chip[row] = generator.choice(playable) if generator.random() < 0.4 else NONE
        money = int(env.teams.bank_tenths[row] + own @ prices)
        for _ in range(generator.integers(0, 6) if race else 12):
            out = generator.choice(np.flatnonzero(own))
            into = generator.choice(np.flatnonzero(seasons.is_active[row, race] & (IS_DRIVER[out] == IS_DRIVER)))
            if not own[into] and (chip[row] == LIMITLESS or own @ prices + prices[into] - prices[out] <= money):
                own[out], own[into] = 0, 1
        boost[row], extra[row] = generator.choice(np.flatnonzero(own & IS_DRIVER), 2, replace=False)
    return {"pick": pick, "boost": boost, "extra_boost": extra, "chip": chip}


def chip_of(env: F1FantasyVectorEnv, action: Arrays, row: int) -> Chip | None:
    """Put a chip in the game's words."""
    name = CHIPS[action["chip"][row]]
    if name == "extra_boost":
        return ExtraBoost(name_of(env.frame, action["extra_boost"][row]))
    if name == "final_fix":
        swap = best_swap(env, action, row)
        return swap and FinalFix(name_of(env.frame, swap[0]), name_of(env.frame, swap[1]))
    simple = {chip.name: chip for chip in (Autopilot(), NoNegative(), Wildcard(), Limitless())}
    return simple.get(name)


@pytest.mark.parametrize("season", [2023, 2024, SEASON])
def test_a_real_season_is_played_as_the_game_plays_it(season: int, real: Callable[[int], Real]) -> None:
    generator, given = np.random.default_rng(season), real(season)
    env = F1FantasyVectorEnv(given.source, PLAYERS, reward="points", illegal="reject")
    _, info = env.reset(seed=0)
    teams: list[Team] = []
    played: set[str | None] = set()
    met = {"penalty": 0, "inactive": 0}
    for race, menu in enumerate(given.races.menus):
        action = drawn_action(generator, env, info)
        chips = [chip_of(env, action, row) for row in range(PLAYERS)]
        lineups = [
            Lineup(
                tuple(name_of(env.frame, slot) for slot in np.flatnonzero(own & IS_DRIVER)),
                tuple(name_of(env.frame, slot) for slot in np.flatnonzero(own & ~IS_DRIVER)),
                name_of(env.frame, boosted),
            )
            for own, boosted in zip(action["pick"], action["boost"], strict=True)
        ]
        if race == 0:
            teams = [Team.start(lineup, menu.prices, given.races.rules) for lineup in lineups]
        _, reward, terminated, _, info = env.step(action)
        for row, team in enumerate(teams):
            locked = team.apply(Decision(lineups[row], chips[row]), menu)
            teams[row], result = locked.settle(given.races.items[race], given.races.new_prices(race))
            assert reward[row] == info["points"][row] == result.total_points
            assert info["transfer_points"][row] == result.transfer_points
            assert info["inactive_points"][row] == result.inactive_points
            assert info["transfer_count"][row] == result.transfer_count
            assert CHIPS[info["chip"][row]] == (result.chip or "none")
            assert env.team(row) == teams[row]
            played.add(result.chip)
            met["penalty"] += result.transfer_points < 0
            met["inactive"] += bool(result.inactive_keys)
        assert terminated.tolist() == [race == len(given.races.menus) - 1] * PLAYERS
    assert played == {None, *CHIPS[1:]}
    assert min(met.values()) > 0


# --- what is known at a lock ---

FORM = """
    select race_key, 'driver' as asset_type, driver_id as asset_id, constructor_id, price_musd, last_3_mean_points,
        last_5_mean_points, last_10_stddev_points, last_5_points_per_million, trend_points_per_million,
        constructor_last_5_mean_points, circuit_mean_points
    from features.driver_race_feature
    where season = $season
    union all
    select race_key, 'constructor', constructor_id, constructor_id, price_musd, last_3_mean_points,
        last_5_mean_points, last_10_stddev_points, last_5_points_per_million, trend_points_per_million,
        last_5_mean_points, circuit_mean_points
    from features.constructor_race_feature
    where season = $season
"""


@pytest.mark.parametrize("season", [2023, 2024, SEASON])
def test_form_is_that_of_the_feature_tables(season: int, real: Callable[[int], Real]) -> None:
    given = real(season)
    frame, features = given.source.frame, asset_features(given.source.frame, given.source.seasons)[0]
    with given.pipeline.warehouse.read() as connection:
        rows = read_frame(connection, FORM, {"season": season})
    rows = rows[rows["race_key"].isin(frame.race_keys)]
    names = [name for name in rows.columns if name in FEATURES]
    places = [FEATURES.index(name) for name in names]
    slots = {key: slot for slot, key in enumerate(frame.assets)}
    keys = [asset_key(*key) for key in zip(rows["asset_type"], rows["asset_id"], rows["constructor_id"], strict=True)]
    races = [frame.race_keys.index(key) for key in rows["race_key"]]
    at = (races, [slots[key] for key in keys])
    expected = rows[names].fillna(0.0).to_numpy(dtype=float)
    found = features[at][:, places]
    for column, name in enumerate(names):
        np.testing.assert_allclose(found[:, column], expected[:, column], atol=2e-4, err_msg=name)
    # Every asset on sale has its row, and who is not on sale shows no form.
    on_sale = np.zeros(features.shape[:2], dtype=bool)
    on_sale[at] = True
    np.testing.assert_array_equal(features[..., 0] > 0, on_sale)
    others = [place for place, name in enumerate(FEATURES) if name != "price_musd"]
    assert not features[~on_sale][:, others].any()


def altered(given: Real, at: int) -> GivenSeasons:
    """Turn everything from the lock of a race on upside down and read the season again."""
    races, known = given.races, given.known
    menus, items = list(races.menus), list(races.items)
    gone = max(key for key in menus[at].prices if key[0] == DRIVER and menus[at].is_active(key))
    for race in range(at, len(menus)):
        items[race] = {key: tuple((*row[:2], 7 - 3 * row[2]) for row in rows) for key, rows in items[race].items()}
        if race > at:
            menus[race] = other_menu(menus[race], gone)
    later = {key: value for key, value in known.coming.items() if races.race_keys.index(key) > at}
    changed = {
        menus[races.race_keys.index(key)].race_key: replace(
            coming, points=-coming.points, no_negative_points=1 - coming.points
        )
        for key, coming in later.items()
    }
    after = {key: {asset: -value for asset, value in own.items()} for key, own in known.after_qualifying.items()}
    return laid_out(
        given.pipeline,
        replace(races, menus=tuple(menus), items=tuple(items)),
        replace(known, coming={**known.coming, **changed}, after_qualifying={**known.after_qualifying, **after}),
        spread_of(races, at),
    )


def spread_of(races: SeasonRaces, at: int) -> pd.DataFrame:
    """Make deviations of forecasts up, others after a race."""
    rows = [
        (menu.race_key, *fact_key(key), 10.0 + 5 * (race > at))
        for race, menu in enumerate(races.menus)
        for key in menu.prices
    ]
    return pd.DataFrame(rows, columns=NO_SPREAD.columns)


def other_menu(menu: RaceMenu, gone: AssetKey) -> RaceMenu:
    """Let one driver sit out, and move all prices."""
    prices = {key: price + 11 for key, price in menu.prices.items()}
    return replace(menu, prices=prices, inactive=menu.inactive | ({gone} & set(prices)))


@pytest.mark.parametrize("season", [2023, SEASON])
@pytest.mark.parametrize("at", [0, 5, 15])
def test_nothing_from_the_lock_on_is_seen(season: int, at: int, real: Callable[[int], Real]) -> None:
    given = real(season)
    plain = laid_out(given.pipeline, given.races, given.known, spread_of(given.races, len(given.races.menus)))
    other = altered(given, at)
    now, then = (asset_features(source.frame, source.seasons)[0] for source in (plain, other))
    np.testing.assert_array_equal(then[: at + 1], now[: at + 1])
    assert not np.array_equal(then[at + 1], now[at + 1])
    envs = [F1FantasyVectorEnv(source, 1, reward="points") for source in (plain, other)]
    moves = [MovesVectorEnv(env) for env in envs]
    seen = [env.reset(seed=0) for env in moves]
    for race in range(at + 1):
        assert_same(seen[0][0], seen[1][0])
        np.testing.assert_array_equal(seen[0][1]["action_mask"], seen[1][1]["action_mask"])
        number = np.flatnonzero(seen[0][1]["action_mask"][0])[race % 9 :: 17][:1]
        results = [env.step(number) for env in moves]
        assert (results[0][1] == results[1][1]).all() == (race < at)
        seen = [(result[0], result[-1]) for result in results]


def assert_same(one: Any, other: Any, atol: float = 0.0) -> None:
    """Compare observations or information, part by part."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name], atol)
    else:
        np.testing.assert_allclose(one, other, rtol=atol, atol=atol)


# --- Gymnasium ---


@pytest.mark.parametrize("reward", sorted(REWARDS))
@pytest.mark.parametrize(("name", "world"), ENVIRONMENTS)
def test_gymnasium_finds_no_fault(
    name: str, world: str, reward: str, real: Callable[[int], Real], simulator: SimulatedSeasons
) -> None:
    source: SeasonSource = real(SEASON).source if world == "real" else simulator
    with gymnasium.make(name, source=source, reward=reward, render_mode="ansi") as env:
        check_env(env.unwrapped)


@pytest.mark.parametrize("name", [GAME_ID, MOVES_ID])
def test_every_observation_is_of_the_space(name: str, real: Callable[[int], Real]) -> None:
    for season in (2023, 2024, SEASON):
        with gymnasium.make(name, source=real(season).source) as env:
            env.action_space.seed(1)
            observation, info = env.reset(seed=1)
            for race in range(real(season).source.frame.race_count):
                assert env.observation_space.contains(observation), race
                assert info["race_key"] == real(season).races.race_keys[race]
                observation, reward, is_over, _, info = env.step(env.action_space.sample(mask=info["action_mask"]))
                assert np.isfinite(reward)
            assert is_over
            assert env.observation_space.contains(observation)


@pytest.mark.usefixtures("installed")
def test_seasons_are_the_same_in_another_process_and_differ_by_seed(
    real: Callable[[int], Real], simulator: SimulatedSeasons
) -> None:
    command = [sys.executable, "-W", "error", "-m", "f1_pipeline_tests.rollouts", "11"]
    answer = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    sources = {"real": real(SEASON).source, "simulated": simulator}
    here, other = digests(sources, 11), digests(sources, 12)
    assert json.loads(answer.stdout) == here
    assert list(here) == [f"{name} {world}" for name, world in ENVIRONMENTS]
    assert len({*here.values(), *other.values()}) == 2 * len(ENVIRONMENTS)


def test_a_seed_chooses_the_seasons(simulator: SimulatedSeasons) -> None:
    env = F1FantasyEnv(simulator)
    numbers = [env.reset(seed=seed)[1]["season_number"] for seed in (1, 2, 1)]
    assert numbers[0] == numbers[2] != numbers[1]
    # Without a seed the next season follows.
    assert env.reset()[1]["season_number"] == numbers[0] + 1


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "world", "step"), [(GAME_ID, "simulated", 1), (MOVES_ID, "real", 0)])
def test_environments_are_made_by_name(name: str, world: str, step: int) -> None:
    with gymnasium.make(name, season=SEASON, reward="points", illegal="reject", has_chips=False) as env:
        _, info = env.reset(seed=0)
        assert info["race_key"] == "2025-australia"
        assert (env.spec and env.spec.id) == name
    envs = gymnasium.make_vec(name, num_envs=3, season=SEASON, world=world)
    _, info = envs.reset(seed=0)
    first = info["season_number"][0]
    assert info["season_number"].tolist() == [first, first + step, first + 2 * step]
    *_, info = envs.step(envs.action_space.sample())
    assert info["race_number"].tolist() == [1, 1, 1]
    envs.close()


@pytest.mark.usefixtures("installed")
def test_an_unknown_season_is_refused() -> None:
    for world in ("real", "simulated"):
        with pytest.raises(UsageError, match=r"Season 1999: expected one .*2025"):
            season_source(1999, world)
        with pytest.raises(UsageError, match=r"Season 1999: expected one .*2025"):
            gymnasium.make(GAME_ID, season=1999, world=world)


@pytest.mark.parametrize(("name", "world"), ENVIRONMENTS)
def test_many_seasons_are_played_as_each_alone(
    name: str, world: str, real: Callable[[int], Real], simulator: SimulatedSeasons
) -> None:
    """Two seasons each, with the reset between them that the environment makes by itself."""
    source: SeasonSource = real(SEASON).source if world == "real" else simulator
    count, races = 2, source.frame.race_count
    envs = gymnasium.make_vec(name, num_envs=count, source=source)
    singles = [gymnasium.make(name, source=source) for _ in range(count)]
    envs.action_space.seed(3)
    seen, told = envs.reset(seed=5)
    numbers = [told["season_number"].tolist()]
    alone = [restarted(env, number) for env, number in zip(singles, numbers[0], strict=True)]
    for step in range(2 * races + 1):
        for row, (observation, info) in enumerate(alone):
            # Sums over more rows may be added up in another order.
            assert_same(rowed(seen, row), observation, atol=1e-6)
            assert_same({key: rowed(told[key], row) for key in told}, {key: info[key] for key in told}, atol=1e-6)
        actions = envs.action_space.sample()
        seen, reward, terminated, truncated, told = envs.step(actions)
        assert not truncated.any()
        if step == races:
            assert reward.tolist() == [0] * count
            assert not terminated.any()
            numbers.append(told["season_number"].tolist())
            alone = [restarted(env, number) for env, number in zip(singles, numbers[1], strict=True)]
            continue
        alone = []
        for row, env in enumerate(singles):
            observation, points, is_over, _, info = env.step(rowed(actions, row))
            assert (points, is_over) == (pytest.approx(reward[row]), terminated[row])
            alone.append((observation, info))
    first = numbers[0][0]
    assert numbers == ([[0, 0]] * 2 if world == "real" else [[first, first + 1], [first + 2, first + 3]])
    envs.close()


def restarted(env: gymnasium.Env[Any, Any], number: int) -> tuple[Any, dict[str, Any]]:
    return env.reset(options={"season_number": number})


def rowed(value: Any, row: int) -> Any:
    return {name: values[row] for name, values in value.items()} if isinstance(value, dict) else value[row]


def test_a_team_is_put_in_words(real: Callable[[int], Real]) -> None:
    with gymnasium.make(MOVES_ID, source=real(SEASON).source, render_mode="ansi") as env:
        env.reset(seed=0)
        words = str(env.render()).splitlines()
    assert words[0].startswith("before 2025-australia: ")
    assert len(words) == 1 + 7
    assert sum(line.endswith(" x2") for line in words) == 1


# --- seasons that might have been ---


def again(simulator: SimulatedSeasons) -> SimulatedSeasons:
    """Make the same simulator without what it has made so far."""
    own = simulator
    return SimulatedSeasons(own.frame, own.later, own.races, own.columns, own.start_prices)


def assert_seasons(one: object, other: object) -> None:
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, vars(other)[name], err_msg=name)


def test_a_number_is_one_season_whatever_is_taken_with_it(simulator: SimulatedSeasons) -> None:
    together, alone = simulator.take(NUMBERS), again(simulator)
    for row, number in enumerate(NUMBERS):
        assert_seasons(alone.take([number]), together.rows([row]))
    # More blocks than are kept: the first is made anew.
    for block in range(3, 11):
        alone.take([BLOCK * block])
    assert_seasons(alone.take([7, 7, 8]), together.rows([0, 0, 2]))
    sample = alone.sample(6, 3)
    assert (sample.count, sample.frame) == (3, simulator.frame)
    assert_seasons(sample.take([1, 2]), together.rows([0, 2]))
    assert len({season.tobytes() for season in simulator.take(range(5)).points}) == 5


def test_numbers_of_seasons_begin_at_zero(simulator: SimulatedSeasons) -> None:
    assert simulator.count is None
    with pytest.raises(DataError, match=r"Season number: expected some from 0 to .*, found \[-1\]"):
        simulator.take([3, -1])
    with pytest.raises(DataError, match=r"Season number: expected some from 0 to .*, found \[1180"):
        simulator.take([2**70])
    with pytest.raises(DataError, match=r"Season number: .*, found none"):
        simulator.take([])


def test_simulated_prices_follow_the_rules_of_prices(simulator: SimulatedSeasons) -> None:
    seasons, frame = simulator.take(range(16)), simulator.frame
    own = np.flatnonzero([key is not None for key in frame.assets])
    rules = price_rules_known_at(frame.rules.prices, frame.race_keys[0], frame.race_keys)
    np.testing.assert_array_equal(seasons.prices[:, 0], np.tile(simulator.start_prices, (16, 1)))
    for number in range(16):
        for race in range(frame.race_count - 1):
            # The last three races count in 2025, the race itself included.
            earlier = seasons.points[number, max(race - 2, 0) : race, own]
            assets = PricedAssets(
                seasons.prices[number, race, own].astype(np.int64), ~IS_DRIVER[own], earlier.astype(np.float64)
            )
            expected = next_prices(assets, seasons.points[number, race, own].astype(np.float64), rules)
            np.testing.assert_array_equal(seasons.prices[number, race + 1, own], expected)
    assert not seasons.prices[..., np.setdiff1d(np.arange(SLOTS), own)].any()


def test_simulated_forecasts_are_without_bias_and_as_unsure_as_they_say(simulator: SimulatedSeasons) -> None:
    count = 6 * BLOCK
    seasons = simulator.take(range(count))
    own = np.flatnonzero([key is not None for key in simulator.frame.assets])
    errors = (seasons.points - seasons.expected)[..., own].astype(float)
    sd = seasons.expected_sd[0][:, own].astype(float)
    # The means of the forecasts are learnt from 512 seasons: both are of chance.
    standard = errors.mean(axis=0) / (sd * np.sqrt(1 / count + 1 / 512))
    assert np.abs(standard).max() < 5
    assert np.abs(standard.mean()) < 0.25
    np.testing.assert_allclose(errors.std(axis=0).mean(axis=0), sd.mean(axis=0), rtol=0.15)
    # What the season has shown is of use.
    plain = (seasons.points - seasons.points.mean(axis=0))[..., own].astype(float)
    late = slice(simulator.frame.race_count // 2, None)
    assert np.mean(errors[:, late] ** 2) < 0.98 * np.mean(plain[:, late] ** 2)
    # So are the expected changes of prices; after the last race there are none.
    moves = np.diff(seasons.prices[..., own], axis=1) / 10
    assert np.abs((moves - seasons.expected_change[:, :-1, own]).mean()) < 0.02
    assert not seasons.expected_change[:, -1].any()


@dataclass(frozen=True, eq=False)
class OtherLater(SimulatedSeasons):
    """The same seasons with other results from one race on; what is learnt beforehand stays."""

    first: int = 0

    def _draw(self, seed: Any, count: int) -> Any:
        for race, drawn in enumerate(super()._draw(seed, count)):
            is_other = race >= self.first and len(seed) > 1
            points = 40 - 2 * drawn.points
            yield replace(drawn, points=points, no_negative=points + 9, remaining=points) if is_other else drawn


@pytest.mark.parametrize("first", [0, 3, 20])
def test_no_simulated_forecast_uses_its_own_race(simulator: SimulatedSeasons, first: int) -> None:
    own = simulator
    other = OtherLater(own.frame, own.later, own.races, own.columns, own.start_prices, first=first)
    numbers = range(4)
    now, then = (asset_features(own.frame, source.take(numbers)) for source in (own, other))
    np.testing.assert_array_equal(then[:, : first + 1], now[:, : first + 1])
    for column, name in enumerate(FEATURES):
        if name not in ("is_on_sale", "circuit_mean_points", "expected_sd_points"):
            assert not np.array_equal(then[:, first + 2, :, column], now[:, first + 2, :, column]), name


def test_coming_races_are_those_of_the_lock(simulator: SimulatedSeasons) -> None:
    number, race = 9, 4
    season, frame = simulator.take([number]), simulator.frame
    coming = simulator.coming(number, race)
    assert tuple(menu.race_key for menu in coming.menus) == frame.race_keys[race:]
    slots = [frame.assets.index(key) for key in coming.assets]
    assert [coming.menus[0].prices[key] for key in coming.assets] == season.prices[0, race, slots].tolist()
    np.testing.assert_allclose(coming.points[0], season.expected[0, race, slots], atol=1e-4)
    assert coming.points.shape == (frame.race_count - race, len(slots))

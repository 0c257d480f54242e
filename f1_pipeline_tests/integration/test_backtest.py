"""Seasons played again on the committed facts, what chips offered there, and the plans of the next race."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from f1_pipeline.game.chips import start_chips
from f1_pipeline.game.decisions import Decision
from f1_pipeline.game.rules import load_rules
from f1_pipeline.game.settlement import RaceItems
from f1_pipeline.game.team import Team
from f1_pipeline.optimize.enumeration import best_lineups
from f1_pipeline.optimize.plan_problem import PlanSettings
from f1_pipeline.optimize.policies import Policy
from f1_pipeline.optimize.team_problem import team_problem
from f1_pipeline.settings import Settings
from f1_pipeline.steps import backtest
from f1_pipeline.steps.backtest import (
    BACKTEST_TABLE,
    HINDSIGHT_TABLE,
    Lock,
    PlayedRace,
    backtest_knowledge,
    backtest_rows,
    find_season_paths,
    play_policies,
    play_season,
    season_path,
)
from f1_pipeline.steps.chips import CHIP_PLAN_TABLE
from f1_pipeline.steps.knowledge import GAIN_TABLE, Knowledge
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.plans import PLAN_TABLE
from f1_pipeline.steps.season_races import SeasonRaces, season_races
from f1_pipeline.warehouse.frames import read_table
from f1_pipeline_tests.support import DATA, NEXT_RACE, finished_keys
from f1_pipeline_tests.team_races import items_of

SEASON = 2025
MYOPIC = Policy("myopic")
Season = list[tuple[Lock, PlayedRace]]


@pytest.fixture(scope="module")
def races(complete: Pipeline) -> SeasonRaces:
    return season_races(complete, SEASON)


@pytest.fixture(scope="module")
def known(complete: Pipeline, races: SeasonRaces) -> Knowledge:
    return backtest_knowledge(complete, races)


@pytest.fixture(scope="module")
def played(races: SeasonRaces, known: Knowledge) -> Season:
    return list(play_season(races, known, MYOPIC))


@pytest.fixture
def writable(complete: Pipeline, settings: Settings) -> Pipeline:
    """A copy of the computed warehouse that the test may write."""
    settings.warehouse_dir.mkdir()
    shutil.copy(complete.settings.warehouse_path, settings.warehouse_path)
    return Pipeline(replace(settings, data_dir=complete.settings.data_dir))


def table(pipeline: Pipeline, name: str) -> pd.DataFrame:
    with pipeline.warehouse.read() as connection:
        return read_table(connection, name)


def test_the_points_are_those_of_the_official_items(races: SeasonRaces, played: Season) -> None:
    first = played[0][1].locked.fielded
    team = Team.start(first, races.menus[0].prices, races.rules)
    for at, (_, race) in enumerate(played):
        menu = races.menus[at]
        team, result = team.apply(Decision(race.locked.fielded), menu).settle(
            items_of(menu.race_key), races.new_prices(at)
        )
        assert result.total_points == race.result.total_points
        assert team == race.after


def test_money_transfers_and_penalties_add_up(races: SeasonRaces, played: Season) -> None:
    rows = backtest_rows(races, iter(played), "myopic")
    assert [row["race_key"] for row in rows] == list(races.race_keys)
    free, held, total = 2, set(played[0][1].locked.kept.lineup.asset_keys), 0.0
    for number, ((_, race), row) in enumerate(zip(played, rows, strict=True)):
        kept, now = race.locked.kept, set(race.locked.kept.lineup.asset_keys)
        changed = len(now - held)
        assert (set(race.bought), set(race.sold)) == (now - held, held - now)
        assert row["transfer_count"] == changed
        assert row["transfer_points"] == -10 * max(0, changed - free)
        prices = dict(zip(kept.lineup.asset_keys, kept.price_tenths, strict=True))
        assert round(float(str(row["budget_musd"])) * 10) == kept.bank_tenths + sum(prices.values())
        assert kept.bank_tenths >= 0
        scored = sum(score.points for score in race.result.scores)
        assert row["total_points"] == scored + race.result.transfer_points + race.result.inactive_points
        total += race.result.total_points
        assert row["season_points"] == total
        free, held = (2 if number == 0 else 2 + min(1, max(0, free - changed))), now


def test_regret_is_against_the_best_of_the_same_money_and_transfers(races: SeasonRaces, played: Season) -> None:
    for at in (0, 5, len(played) - 1):
        lock, race = played[at]
        actual = dict(zip(races.assets, races.points[at].tolist(), strict=True))
        best = best_lineups(team_problem(races.menus[at], actual, races.rules, lock.team), 1)[0]
        assert race.hindsight_points == best.points
        assert race.hindsight_points >= race.result.total_points - 1e-6


def inflated(items: RaceItems) -> RaceItems:
    """Turn the order of a race upside down."""
    return {
        key: tuple((session, item, 50.0 - 3 * points) for session, item, points in own) for key, own in items.items()
    }


@pytest.mark.parametrize("first", [0, 7])
def test_later_results_change_no_decision(races: SeasonRaces, known: Knowledge, played: Season, first: int) -> None:
    later = tuple(inflated(own) if at >= first else own for at, own in enumerate(races.items))
    altered = list(play_season(replace(races, items=later), known, MYOPIC))
    for at, ((_, race), (_, other)) in enumerate(zip(played, altered, strict=True)):
        assert other.locked.fielded == race.locked.fielded
        assert other.expected_points == race.expected_points
        assert (other.result.total_points == race.result.total_points) == (at < first)


def test_later_offers_of_chips_are_not_looked_at(races: SeasonRaces, known: Knowledge) -> None:
    middle = races.race_keys[12]
    offered = known.gains["offer"].where(known.gains["race_date"] < pd.Timestamp(known.dates[middle]), 1000.0)
    altered = replace(known, gains=known.gains.assign(offer=offered))
    for chip in start_chips(races.rules):
        for race_key in races.race_keys[:13]:
            before, after = (one.keep_values(race_key, chip) for one in (known, altered))
            np.testing.assert_array_equal(before, after)
    assert altered.keep_value(races.race_keys[13], "wildcard") > known.keep_value(races.race_keys[13], "wildcard")


def test_a_season_until_a_race_is_the_season_before_it(complete: Pipeline, races: SeasonRaces) -> None:
    until = season_races(complete, SEASON, until=races.race_keys[4])
    assert until.race_keys == races.race_keys[:4]
    assert until.items == races.items[:4]


def test_a_given_first_line_up_is_played(races: SeasonRaces, known: Knowledge, played: Season) -> None:
    start = replace(played[0][1].locked.fielded, boosted_driver=played[0][1].locked.fielded.drivers[0])
    _, race = next(play_season(races, known, MYOPIC, start))
    assert race.locked.fielded == start


def test_chips_are_played_once_each_and_by_the_rules(complete: Pipeline) -> None:
    races = season_races(complete, 2026)
    season = list(play_season(races, backtest_knowledge(complete, races), Policy("chips", has_chips=True)))
    names = [race.result.chip for _, race in season if race.result.chip]
    assert len(set(names)) == len(names)
    assert set(season[-1][1].after.chips_left) == set(start_chips(races.rules)) - set(names)


def test_the_offers_of_every_chip_are_recorded_at_every_race(complete: Pipeline) -> None:
    rows = table(complete, GAIN_TABLE)
    chips = set(start_chips(load_rules(DATA, 2026)))
    recorded = rows.groupby("race_key")["chip"].agg(set)
    assert set(recorded.index) == {key for key in finished_keys(complete) if key[:4] in ("2025", "2026")}
    assert all(found == chips for found in recorded)
    assert (rows["gain_points"] >= 0).all()
    assert (rows.groupby("chip")["gain_points"].mean()[["limitless", "extra_boost"]] > 10).all()
    means = np.array([np.mean(offers) for offers in rows["offers"]])
    # Quantiles stand for all draws of Final Fix.
    np.testing.assert_allclose(means, rows["gain_points"].to_numpy(float), rtol=0.05, atol=0.3)


def test_policies_are_written_race_by_race(writable: Pipeline, played: Season, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "POLICIES", (Policy("points_only", values_money=False), MYOPIC))
    report = play_policies(writable, BACKTEST_TABLE, [str(SEASON)])
    rows = table(writable, BACKTEST_TABLE)
    assert set(rows["policy"]) == {"points_only", "myopic"}
    assert "myopic" in str(report.details[str(SEASON)]["totals"])
    own = rows[rows["policy"] == "myopic"].sort_values("race_number")
    assert own["total_points"].tolist() == [race.result.total_points for _, race in played]
    assert own["race_number"].tolist() == list(range(1, len(played) + 1))


def test_perfect_paths_are_written_and_beat_every_policy(
    writable: Pipeline, races: SeasonRaces, played: Season, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(races, menus=races.menus[:3], items=races.items[:3])
    monkeypatch.setattr(backtest, "season_races", lambda pipeline, season: few)
    find_season_paths(writable, HINDSIGHT_TABLE, [str(SEASON)])
    rows = table(writable, HINDSIGHT_TABLE).sort_values("race_number")
    assert rows.groupby("variant")["race_key"].agg(list).to_dict() == {
        "no_chips": list(few.race_keys),
        "four_chips": list(few.race_keys),
    }
    totals = rows.groupby("variant")["total_points"].sum()
    bounds = rows.groupby("variant")["bound_points"].max()
    assert (totals <= bounds + 1e-6).all()
    assert totals["four_chips"] > totals["no_chips"]
    assert totals["no_chips"] > sum(race.result.total_points for _, race in played[:3])
    chips = rows["chip"].dropna()
    assert len(set(chips)) == len(chips) > 0


def test_a_perfect_path_scores_in_the_game_what_it_says(races: SeasonRaces) -> None:
    few = replace(races, menus=races.menus[:4], items=races.items[:4])
    path = season_path(few, (), PlanSettings(gap=0.05, time_limit_s=60.0))
    team = Team.start(path.races[0].lineup, few.menus[0].prices, few.rules)
    for at, race in enumerate(path.races):
        team, result = team.apply(Decision(race.lineup), few.menus[at]).settle(few.items[at], few.new_prices(at))
        assert result.total_points == pytest.approx(race.points)


@pytest.fixture(scope="module")
def plans(complete: Pipeline) -> pd.DataFrame:
    """The stored plans of the next race."""
    return table(complete, PLAN_TABLE)


def targets(rows: pd.DataFrame) -> Sequence[str]:
    return rows.sort_values("races_ahead")["target_race_key"].drop_duplicates().tolist()


def test_the_plans_are_of_the_next_race_and_those_after_it(complete: Pipeline, plans: pd.DataFrame) -> None:
    season = [race.race_key for race in complete.calendar.races if race.season == 2026 and not race.is_cancelled]
    after = season[season.index(NEXT_RACE) :]
    assert set(plans["race_key"]) == {NEXT_RACE}
    for _, rows in plans.groupby("rank"):
        assert targets(rows) == after[: len(targets(rows))]
    assert sorted(set(plans["rank"])) == list(range(1, plans["rank"].nunique() + 1))


def test_each_planned_team_is_whole_and_follows_from_the_one_before(plans: pd.DataFrame) -> None:
    limitless = plans["chip"] == "limitless"
    for _, rows in plans.groupby("rank"):
        held: set[str] | None = None
        for target in targets(rows):
            race = rows[rows["target_race_key"] == target]
            now = set(race.loc[race["action"] != "sell", "seat"])
            sold, bought = (set(race.loc[race["action"] == action, "seat"]) for action in ("sell", "buy"))
            kinds = race[race["action"] != "sell"].groupby("asset_type").size()
            assert kinds.to_dict() == {"driver": 5, "constructor": 2}
            assert race["is_boosted"].sum() == 1
            if limitless[race.index].any():
                assert not sold | bought
                continue
            if held is not None:
                assert (bought, sold) == (now - held, held - now)
            held = now


def test_planned_money_and_penalties_are_those_of_the_game(plans: pd.DataFrame) -> None:
    assert (plans["bank_musd"].astype(float) >= 0).all()
    assert (plans["budget_musd"].astype(float) >= plans["bank_musd"].astype(float)).all()
    races = plans.drop_duplicates(["rank", "target_race_key"])
    paid = (races["transfer_count"] - races["free_transfers"]).clip(lower=0)
    counted = races["races_ahead"] > 0
    assert (races["transfer_points"][counted] == -10 * paid[counted]).all()
    assert races.groupby("rank")["race_points"].sum().to_numpy() == pytest.approx(
        races.groupby("rank")["plan_points"].first().to_numpy()
    )


def test_plans_begin_differently_with_the_chips_of_the_best(plans: pd.DataFrame) -> None:
    first = plans[(plans["races_ahead"] == 0) & (plans["action"] != "sell")]
    teams = first.groupby("rank")["seat"].agg(frozenset)
    assert teams.nunique() == len(teams)
    chips = plans.drop_duplicates(["rank", "target_race_key"]).assign(chip=lambda rows: rows["chip"].fillna(""))
    assert (chips.groupby("target_race_key")["chip"].nunique() == 1).all()
    played = chips.loc[(chips["rank"] == 1) & (chips["chip"] != ""), "chip"]
    assert played.is_unique


def test_the_chip_plan_has_every_chip_at_every_race_that_remains(complete: Pipeline) -> None:
    rows = table(complete, CHIP_PLAN_TABLE)
    season = [race.race_key for race in complete.calendar.races if race.season == 2026 and not race.is_cancelled]
    after = season[season.index(NEXT_RACE) :]
    assert set(rows["race_key"]) == {NEXT_RACE}
    for chip, own in rows.groupby("chip"):
        ordered = own.sort_values("races_ahead")
        assert ordered["target_race_key"].tolist() == after, chip
        kept = ordered["keep_points"].to_numpy(float)
        assert (np.diff(kept) <= 1e-9).all()
        assert kept[-1] == 0
    assert set(rows["chip"]) == set(start_chips(load_rules(DATA, 2026)))

"""From a driven race to the next line-up, as a user does it: `refresh`, then `run`, with nothing edited by hand."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.defs.instance import open_instance
from f1_pipeline.defs.sources import BUNDLE, source_key
from f1_pipeline.sources.fact_frames import read_facts
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.feed_readings import feed_reading, game_of
from f1_pipeline_tests.feed_server import serve_game
from f1_pipeline_tests.local_server import LocalServer
from f1_pipeline_tests.release import facts_since, release_rows, write_facts, write_older_facts, write_release
from f1_pipeline_tests.support import DATA, make_settings, rewrite, rows_of

SEASON, DRIVEN, COMING = 2026, "2026-canada", "2026-monaco"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """An installation whose facts end before a race: this season's only, so that a run is short."""
    folder = tmp_path_factory.mktemp("installation")
    season = write_facts(folder / "season", facts_since(DATA, SEASON), DATA)
    rewrite(season / "known_exceptions.csv", lambda rows: [row for row in rows if row["race_key"] > str(SEASON)])
    data_dir = write_older_facts(folder / "data", season, before=DRIVEN)
    return Pipeline(make_settings(folder / "warehouse", data_dir=data_dir))


@pytest.fixture(scope="module")
def environ(installation: Pipeline) -> dict[str, str]:
    settings = installation.settings
    return {
        "F1_DATA_DIR": str(settings.data_dir),
        "F1_WAREHOUSE_DIR": str(settings.warehouse_dir),
        "F1_REQUEST_PAUSE_S": "0",
    }


def invoke(environ: dict[str, str], *arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments), env=environ)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def changes(installation: Pipeline, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What two refreshes after the race said: F1DB's release with its results, the feed with its points."""
    release = write_release(tmp_path_factory.mktemp("release") / "f1db-csv.zip", release_rows(DATA, since=SEASON))
    facts = facts_since(DATA, SEASON)
    game = game_of(feed_reading(facts, SEASON, states_of=set(facts["prices"]["race_key"])))
    with LocalServer() as server:
        arguments = ("refresh", "--f1db", str(release), "--feed", serve_game(server, game), "--format", "json")
        return [json.loads(invoke(environ, *arguments).stdout) for _ in range(2)]


def test_a_refresh_says_what_the_race_brought(changes: list[dict]) -> None:
    first, second = changes
    added = {(row["table"], row["race_key"]): row["added"] for row in first["tables"]}
    assert added["race_results", DRIVEN] == 44  # 22 cars in sprint and race
    assert added["official_totals", DRIVEN] == added["prices", DRIVEN] == added["prices", COMING] == 33
    assert set(first["readings"]) == {"bundle", "f1db", "feed"}
    assert (second["has_changes"], second["lines"]) == (False, ["nothing new"])


def test_the_facts_are_those_of_the_full_record(installation: Pipeline, changes: list[dict]) -> None:
    assert changes[0]["has_changes"]
    complete, refreshed = facts_since(DATA, SEASON), read_facts(installation.settings.data_dir)
    for name in ("races", "sessions", "race_results", "qualifying_results", "starting_grids", "practice_results"):
        assert refreshed[name].equals(complete[name]), name
    keys = ["race_key", "asset_type", "asset_id"]
    for name, value in (("official_totals", "total_points"), ("prices", "price_musd")):
        columns = [*keys, value]
        assert refreshed[name][columns].equals(complete[name][columns]), name


def test_the_refresh_stands_in_the_graph(installation: Pipeline, changes: list[dict]) -> None:
    with open_instance(installation.settings) as instance:
        for key in (BUNDLE, source_key("f1db"), source_key("feed")):
            assert instance.get_latest_materialization_event(key) is not None, key
        event = instance.get_latest_materialization_event(BUNDLE)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["changes"].value == "* nothing new"


@pytest.mark.faults  # learns a weekend as `faults/test_fortnight.py` does, a minute
def test_a_run_then_gives_the_next_line_up(
    installation: Pipeline, environ: dict[str, str], changes: list[dict]
) -> None:
    line_up = json.loads(invoke(environ, "run", "--quiet", "--format", "json").stdout)
    assert line_up["race_key"] == COMING
    assert len(line_up["assets"]) == 7
    path = installation.settings.warehouse_path
    assert len(rows_of(path, "raw.official_totals", DRIVEN)) == 33
    assert rows_of(path, "lineups.lineup_review", DRIVEN)
    assert [row for row in rows_of(path, "marts.reconciliation") if row[0] == DRIVEN] == []

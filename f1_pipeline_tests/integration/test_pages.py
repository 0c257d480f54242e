"""Pages of races and seasons: self-contained, escaped, the same every time, and whole without what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.errors import UsageError
from f1_pipeline.report.lineups import read_lineup
from f1_pipeline.report.page_index import write_index
from f1_pipeline.report.page_rows import Reader
from f1_pipeline.report.pages import number, price_move
from f1_pipeline.report.race_outcome import outcome
from f1_pipeline.report.race_page import render_race_page
from f1_pipeline.report.season_page import render_season_page
from f1_pipeline.settings import Settings
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.steps.tables import run_model
from f1_pipeline.warehouse.frames import read_frame
from f1_pipeline_tests.pages import LAST_RACE, PageReader, copy_warehouse
from f1_pipeline_tests.support import NEXT_RACE, make_settings

SEASON = 2026
NAMES = [f"{NEXT_RACE}.html", f"{LAST_RACE}.html", f"season-{SEASON}.html", "index.html"]
ODD_NAME = """<script>alert("x")</script> O'Neil & <b>"""
ODD_ESCAPED = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt; O&#39;Neil &amp; &lt;b&gt;"
OWN_TEAM = """
    insert into core.current_lineup
    select
        $race_key, asset_type, asset_id, seat, is_boosted, true, false, price_musd, 0.1, 2, $chips, 5, null
    from lineups.optimal_lineup
    where race_key = $source_key and rank = $rank
"""
PLAYED = """
    select
        rac.season, 'myopic' as policy, 0 as start, rev.race_key,
        row_number() over (order by rac.race_date) as race_number, '' as line_up, '' as bought, '' as sold,
        if(rev.race_key = '2026-china', 'extra_boost', null) as chip,
        rev.actual_points as total_points, 0 as expected_points, 1 as transfer_count, 0 as transfer_points,
        0 as inactive_points, 100 + row_number() over (order by rac.race_date) as budget_musd, 0 as bank_musd,
        0 as hindsight_points, 0 as regret_points, sum(rev.actual_points) over (order by rac.race_date) as season_points
    from lineups.lineup_review as rev
    inner join core.race as rac using (race_key)
    where rac.season = $season
"""
DECIDED = {
    "lineups.regret_part": """
        select * from (values
            ('2026-canada', 'choice', 0.0, null, null),
            ('2026-canada', 'luck', 116.9, 26.8, 235.6),
            ('2026-canada', 'forecast', -70.9, null, null)
        ) as parts (race_key, part, points, p10_points, p90_points)
    """,
    "lineups.pick_review": """
        select
            race_key, asset_type, asset_id, true as is_own_team, if(is_boosted, 2, 1) as hindsight_multiplier,
            1 as counted_multiplier, 10.0 as total_points, if(is_boosted, 10.0, 0.0) as missed_points
        from lineups.optimal_lineup
        where race_key = '2026-canada' and rank = 1
        union all
        select '2026-canada', 'driver', 'lewis-hamilton', true, 0, 1, 4.0, -4.0
    """,
    "lineups.final_fix_advice": """
        select '2026-monaco' as race_key, null::varchar as outgoing_seat, null::varchar as incoming_seat,
            false as is_boosted, 0.0 as gain_points, -5.0 as p10_points, 5.0 as p90_points, 0.4 as gain_probability,
            8.1 as keep_points, false as is_advised, false as is_own_team, true as is_live,
            'Keep Final Fix: it is worth 8.1 later.' as advice
    """,
}
MISSING = (
    "lineups.transfer_plan",
    "lineups.chip_plan",
    "lineups.regret_part",
    "lineups.pick_review",
    "lineups.final_fix_advice",
    "evaluation.forecast_accuracy",
    "raw.ownership",
)


@pytest.fixture
def pipeline(pages: Pipeline) -> Pipeline:
    return pages


@pytest.fixture(scope="module")
def altered(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A warehouse with odd names and without what an installation may lack."""
    copied = copy_warehouse(complete, tmp_path_factory.mktemp("altered") / "warehouse")
    with copied.warehouse.write() as connection:
        for table in MISSING:
            connection.execute(f"drop table if exists {table}")
        connection.execute("update core.driver set name = $name", {"name": ODD_NAME})
        connection.execute("update core.race set circuit_name = $name", {"name": ODD_NAME})
    return copied


@pytest.fixture(scope="module")
def owned(complete: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A warehouse with teams of one's own before two races, a policy that has played, and what cost points."""
    copied = copy_warehouse(complete, tmp_path_factory.mktemp("owned") / "warehouse")
    teams = ((LAST_RACE, LAST_RACE, 1, "wildcard,limitless"), (NEXT_RACE, LAST_RACE, 2, "limitless"))
    with copied.warehouse.write() as connection:
        for race_key, source_key, rank, chips in teams:
            values = {"race_key": race_key, "source_key": source_key, "rank": rank, "chips": chips}
            connection.execute(OWN_TEAM, values)
        for table, rows in DECIDED.items():
            connection.execute(f"create or replace table {table} as {rows}")
        played = read_frame(connection, PLAYED, {"season": SEASON})
    run_model(copied, "lineups.season_backtest", [str(SEASON)], played)
    build_steps(copied)["lineups.optimal_lineup"].run(copied, "lineups.optimal_lineup", [NEXT_RACE])
    return copied


def page(pipeline: Pipeline, name: str) -> str:
    return (pipeline.settings.reports_dir / name).read_text(encoding="utf-8")


def run(pipeline: Pipeline, *arguments: str) -> Result:
    environ = {
        "F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir),
        "F1_DATA_DIR": str(pipeline.settings.data_dir),
        "F1_LOCK_WAIT_S": "1",
    }
    return CliRunner().invoke(main, ["report", *arguments], env=environ)


@pytest.mark.parametrize("name", NAMES)
def test_page_is_whole_and_needs_nothing(name: str, pipeline: Pipeline) -> None:
    text = page(pipeline, name)
    found = PageReader(text)
    assert found.sources == []
    assert "script" not in found.tags
    assert not re.search(r"https?:|@import|url\(", text)
    assert found.tags.count("table") == found.tags.count("caption")
    assert found.unnamed_drawings == 0
    assert len(found.ids) == len(set(found.ids))
    assert [tag for tag in found.tags if tag in ("main", "h1", "footer")] == ["h1", "main", "footer"]
    for link in found.links:
        assert link == "#content" or (pipeline.settings.reports_dir / link).exists(), link


def test_pages_lead_to_each_other(pipeline: Pipeline) -> None:
    linked = {name: set(PageReader(page(pipeline, name)).links) for name in NAMES}
    race, last, season, index = NAMES
    assert {race, last, season} <= linked[index]
    assert {race, last, index} <= linked[season]
    assert {season, index} <= linked[race] & linked[last]


def test_page_of_the_coming_race_has_the_lineup_and_why(pipeline: Pipeline) -> None:
    found, answer = PageReader(page(pipeline, NEXT_RACE + ".html")), read_lineup(pipeline, NEXT_RACE)
    picks = [heading for level, heading in found.headings if level == 3]
    assert picks == [asset["name"] for asset in answer["assets"]]
    assert f"{number(answer['expected_points'])} points expected" in found.text
    for asset in answer["assets"]:
        assert asset["reason"].replace(" -", " −") in found.text
        assert f"${asset['price_musd']:.1f}M" in found.text
    assert "14:00 UTC 6 June 2026" in found.text
    assert "replayed from what was known at the lock" in found.text
    sections = [heading for level, heading in found.headings if level == 2]
    assert sections == ["The team", "What else would do", "The coming races", "Chips", "How far to trust it"]
    assert re.search(r"models:/points_forecast/\d+", found.text)


def test_price_steps_of_the_page_are_those_of_the_warehouse(pipeline: Pipeline) -> None:
    text = PageReader(page(pipeline, NEXT_RACE + ".html")).text
    picks = [asset["asset_id"] for asset in read_lineup(pipeline, NEXT_RACE, is_explained=False)["assets"]]
    with pipeline.warehouse.read() as connection:
        rows = connection.execute(
            "select cast(step_musd as double), points_from from marts.price_step"
            " where race_key = $race_key and list_contains($picks, asset_id) and points_to is null",
            {"race_key": NEXT_RACE, "picks": picks},
        ).fetchall()
    assert len(rows) == len(picks)
    for step, points in rows:
        assert f"{price_move(step)} ≥ {number(points)} " in text


def test_page_of_a_finished_race_begins_with_what_came_of_it(pipeline: Pipeline) -> None:
    found = PageReader(page(pipeline, LAST_RACE + ".html"))
    sections = [heading for level, heading in found.headings if level == 2]
    assert sections[0] == "What came of it"
    assert sections.index("What changes next") < sections.index("What was recommended, and why")
    with pipeline.warehouse.read() as connection:
        actual, hindsight = connection.execute(
            "select actual_points, hindsight_points from lineups.lineup_review where race_key = $race_key",
            {"race_key": LAST_RACE},
        ).fetchall()[0]
    assert f"Scored {number(actual)} points" in found.text
    assert f"Best possible {number(hindsight)}" in found.text
    scored = re.search(r"Pick Expected .*? Line-up ", found.text)
    assert scored is not None
    assert scored[0].count("%") == 7
    assert "In Monaco the forecast expects, against here, " in found.text


def test_season_page_adds_up(pipeline: Pipeline) -> None:
    found = PageReader(page(pipeline, f"season-{SEASON}.html"))
    with pipeline.warehouse.read() as connection:
        actual, hindsight = connection.execute(
            "select sum(actual_points), sum(hindsight_points) from lineups.lineup_review where race_key like '2026-%'"
        ).fetchall()[0]
    assert f"Scored {number(actual)}" in found.text
    assert f"best possible: {number(hindsight)}" in found.text
    assert "Money" not in [heading for _, heading in found.headings]


def test_the_same_warehouse_gives_the_same_page(pipeline: Pipeline) -> None:
    again = Pipeline(pipeline.settings)
    assert render_race_page(again, LAST_RACE) == page(pipeline, LAST_RACE + ".html")
    assert render_season_page(again, SEASON) == page(pipeline, f"season-{SEASON}.html")


def test_odd_names_are_escaped_and_missing_tables_leave_no_hole(altered: Pipeline) -> None:
    text = render_race_page(altered, LAST_RACE)
    assert "<script" not in text
    assert ODD_ESCAPED in text
    found = PageReader(text)
    sections = {heading for level, heading in found.headings if level == 2}
    assert not {"The coming races", "How far to trust it", "What cost points"} & sections
    assert "Owned by" not in found.text
    assert PageReader(render_season_page(altered, SEASON)).headings


def test_own_team_has_transfers_money_and_decisions(owned: Pipeline) -> None:
    race = PageReader(render_race_page(owned, NEXT_RACE))
    answer = read_lineup(owned, NEXT_RACE, is_explained=False)
    assert answer["is_own_team"]
    assert "The line-up for the lock of 6 June 2026, 14:00 UTC, from the team you hold" in race.text
    assert "Transfers: " in race.text
    assert "Final Fix, after qualifying: keep it. Keep Final Fix: it is worth 8.1 later." in race.text
    assert race.words.count("new") == len(answer["transfers"]["in"])
    season = PageReader(render_season_page(owned, SEASON))
    sections = [heading for level, heading in season.headings if level == 2]
    assert {"What cost points", "Money", "Decisions"} <= set(sections)
    assert "your team: " in season.text
    assert "Extra Boost in China" in season.text
    assert re.search(r"Monaco [^$]* Wildcard \$", season.text)


def test_what_cost_points_is_told_where_it_is_known(owned: Pipeline) -> None:
    picks = read_lineup(owned, LAST_RACE, is_explained=False)["assets"]
    with owned.warehouse.read() as connection:
        reader = Reader(connection)
        found = outcome(reader, LAST_RACE, reader.asset_names(), picks)
    assert found is not None
    assert found.parts is not None
    assert [row[:2] for row in found.parts.rows] == [("Forecast", "−71"), ("Luck", "117"), ("Together", "46")]
    assert "27 to 236 in 8 races of 10" in found.parts.rows[1][2]
    assert found.hindsight is not None
    boosted = next(asset["name"] for asset in picks if asset["is_boosted"])
    assert (f"{boosted} ×2", "20", "yes", "10") in found.hindsight.rows
    assert found.hindsight.rows[-2] == ("Scored by others of ours instead", "", "", "−4")
    assert found.hindsight.rows[-1] == ("Together, transfers aside", "", "", "6")


def test_one_page_has_no_links(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "new" / "canada.html"
    result = run(pipeline, "--race", LAST_RACE, "--out", str(path))
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(path)
    assert PageReader(path.read_text(encoding="utf-8")).links == ["#content"]


def test_paths_are_printed_for_programs(pipeline: Pipeline, tmp_path: Path) -> None:
    path = tmp_path / "season.html"
    result = run(pipeline, "--season", "2025", "--out", str(path), "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == [{"kind": "season", "key": "2025", "file": str(path)}]


def test_index_of_an_empty_folder_says_so(settings: Settings) -> None:
    assert "No page has been written yet." in write_index(Pipeline(settings)).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--race", "2026-atlantis"), "unknown race '2026-atlantis'"),
        (("--race", "2026-austria"), "no line-up for 2026-austria yet"),
        (("--season", "2022"), "no finished race in season 2022"),
        (("--race", NEXT_RACE, "--season", "2026"), "--race and --season exclude each other"),
        (("--out", "page.txt"), "--out: expected a path that ends in .html"),
    ],
)
def test_wrong_requests_are_told(pipeline: Pipeline, arguments: tuple[str, ...], said: str) -> None:
    result = run(pipeline, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_nothing_computed_yet_is_told(complete: Pipeline, tmp_path: Path) -> None:
    empty = Pipeline(make_settings(tmp_path, complete.settings.data_dir))
    missing = run(empty)
    assert missing.exit_code == 2
    assert "expected a warehouse" in missing.stderr
    with empty.warehouse.write() as connection:
        connection.execute("create schema lineups")
    result = run(empty)
    assert result.exit_code == 2
    assert f"no line-up of {NEXT_RACE} and {LAST_RACE} yet: `f1-pipeline run` makes it" in result.stderr


def test_a_folder_that_cannot_be_written_is_told(settings: Settings) -> None:
    settings.warehouse_dir.mkdir()
    settings.reports_dir.write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match="expected a place to write to"):
        write_index(Pipeline(settings))

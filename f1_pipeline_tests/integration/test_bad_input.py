"""Bad facts and bad requests: one clear message of the right kind, and tables as they were.

Belongs here: what a person can get wrong, through the steps and through the command line.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.errors import DataError, F1PipelineError, UsageError
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.writer import ContractError
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import (
    NEXT_RACE,
    Row,
    fingerprints,
    make_settings,
    plain_steps,
    read_rows,
    replace_line,
    rewrite,
)

Change = Callable[[Path], None]


@pytest.fixture
def on_altered_facts(history: History, facts: Path, tmp_path: Path) -> Pipeline:
    """A computed warehouse whose facts the test may spoil."""
    settings = make_settings(tmp_path / "warehouse", facts, lock_wait_s=0.2)
    settings.warehouse_dir.mkdir()
    shutil.copy(history.path, settings.warehouse_path)
    return Pipeline(settings)


def line(number: int, old: str, new: str) -> Change:
    """Spoil one line of a file; line 1 is the header."""

    def change(path: Path) -> None:
        replace_line(path, number, lambda text: text.replace(old, new, 1))

    return change


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-25])


def without_last_column(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("".join(text.rpartition(",")[0] + "\n" for text in lines), encoding="utf-8")


def second_line_twice(path: Path) -> None:
    replace_line(path, 2, lambda text: f"{text}\n{text}")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


PRICE_COLUMNS = (
    "race_key, asset_type, asset_id, constructor_id, price_musd, source_count, agreeing_source_count, source"
)


@pytest.mark.parametrize(
    ("file_name", "change", "message"),
    [
        ("prices.csv", cut_short, "prices.csv line {last}: the file ends in the middle of a line; it looks truncated"),
        (
            "prices.csv",
            line(1, "price_musd", "price_mus"),
            f"prices.csv line 1: expected the columns {PRICE_COLUMNS}; found missing price_musd; unknown price_mus",
        ),
        (
            "prices.csv",
            without_last_column,
            f"prices.csv line 1: expected the columns {PRICE_COLUMNS}; found missing source",
        ),
        (
            "prices.csv",
            second_line_twice,
            "prices.csv line 3: expected one row per race_key, asset_type, asset_id, found race_key 2023-abu-dhabi, "
            "asset_type constructor, asset_id alfa-romeo again (first on line 2)",
        ),
        (
            "prices.csv",
            line(2, "2023-abu-dhabi", "2023-abu-dabi"),
            "prices.csv line 2, column race_key: expected a value known in races.csv, found '2023-abu-dabi'",
        ),
        (
            "prices.csv",
            line(2, ",6.6,", ",-6.6,"),
            "prices.csv line 2, column price_musd: expected at least 0.1, found '-6.6' (race 2023-abu-dhabi)",
        ),
        (
            "prices.csv",
            line(2, ",6.6,", ",six,"),
            "prices.csv line 2, column price_musd: expected a number with one decimal, found 'six'",
        ),
        (
            "prices.csv",
            line(2, ",6.6,", ",,"),
            "prices.csv line 2, column price_musd: expected a value, found an empty field (race 2023-abu-dhabi)",
        ),
        (
            "prices.csv",
            line(2, ",constructor,", ",chassis,"),
            "prices.csv line 2, column asset_type: expected one of constructor, driver, found 'chassis' "
            "(race 2023-abu-dhabi)",
        ),
        ("prices.csv", line(2, ",6.6,", ",6,6,"), "prices.csv line 2: Expected 8 columns, got 9"),
        (
            "race_results.csv",
            line(2, "brendon-hartley", "brendan-hartley"),
            "race_results.csv line 2, column driver_id: expected a value known in drivers.csv, found "
            "'brendan-hartley' (race 2018-abu-dhabi)",
        ),
        (
            "event_scores.csv",
            line(2, "no_driver_q2", "no_driver_q9"),
            "event_scores.csv line 2, column scoring_item: expected one of ",
        ),
        ("official_totals.csv", emptied, "official_totals.csv is empty; expected a header line"),
        ("starting_grids.csv", removed, "starting_grids.csv is missing from "),
    ],
)
def test_spoilt_file_is_named_with_line_and_column(
    on_altered_facts: Pipeline, history: History, facts: Path, file_name: str, change: Change, message: str
) -> None:
    keys = [race.race_key for race in on_altered_facts.calendar.finished]
    change(facts / file_name)
    table = "raw." + file_name.removesuffix(".csv")
    with pytest.raises(DataError) as caught:
        plain_steps(on_altered_facts)[table].run(on_altered_facts, table, keys)
    last = (facts / file_name).read_bytes().count(b"\n") + 1 if change is cut_short else 0
    assert message.format(last=last) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert fingerprints(on_altered_facts.settings.warehouse_path) == history.complete


def refused(pipeline: Pipeline, table: str, race_keys: list[str], error: type[F1PipelineError]) -> str:
    """Run a step that must fail, see that no table has changed, and return the message."""
    path = pipeline.settings.warehouse_path
    before = fingerprints(path)
    with pytest.raises(error) as caught:
        plain_steps(pipeline)[table].run(pipeline, table, race_keys)
    assert fingerprints(path) == before
    return str(caught.value)


@pytest.mark.parametrize("table", ["event_scores", "official_totals", "race_results", "starting_grids"])
def test_race_without_results_is_named(history_copy: Pipeline, table: str) -> None:
    # The race before it has results: one race without is enough to refuse.
    last = history_copy.calendar.finished[-1].race_key
    message = refused(history_copy, f"raw.{table}", [last, NEXT_RACE], DataError)
    assert message == f"{table}.csv: expected rows for {NEXT_RACE}, found none: there are no results yet"


def test_race_without_prices_is_named(history_copy: Pipeline) -> None:
    last_of_season = history_copy.calendar.races[-1].race_key
    message = refused(history_copy, "raw.prices", [last_of_season], DataError)
    assert message == f"prices.csv: expected rows for {last_of_season}, found none: there are no prices yet"


def test_unknown_race_key_is_a_wrong_request(history_copy: Pipeline) -> None:
    message = refused(history_copy, "raw.prices", ["2026-atlantis"], UsageError)
    assert message == "'2026-atlantis' is not a race key of races.csv."


def test_items_that_do_not_add_up_to_the_official_total_are_named(on_altered_facts: Pipeline, facts: Path) -> None:
    race_key = "2026-miami"

    def one_more(rows: list[Row]) -> list[Row]:
        wanted = (race_key, "driver", "lando-norris", "race_position")
        names = ("race_key", "asset_type", "asset_id", "scoring_item")
        return [
            row | {"points": str(int(row["points"]) + 1)} if tuple(row[name] for name in names) == wanted else row
            for row in rows
        ]

    rewrite(facts / "event_scores.csv", one_more)
    table = "raw.event_scores"
    plain_steps(on_altered_facts)[table].run(on_altered_facts, table, [race_key])
    message = refused(on_altered_facts, "staging.event_score", [race_key], ContractError)
    assert message.startswith("staging.event_score: assert_item_points_equal_official_total; 1 rows break it")
    assert "'lando-norris'" in message
    assert race_key in message


@pytest.mark.parametrize(
    ("asset_type", "asset_id", "sentence"),
    [
        ("driver", "lando-norris", "expected fantasy_price_musd > 0; 1 rows break it"),
        ("constructor", "mclaren", "assert_every_scored_asset_was_on_sale; 1 rows break it"),
    ],
)
def test_asset_that_scored_without_being_on_sale_is_named(
    on_altered_facts: Pipeline, facts: Path, asset_type: str, asset_id: str, sentence: str
) -> None:
    gone = ("2026-miami", asset_type, asset_id)
    names = ("race_key", "asset_type", "asset_id")
    rewrite(facts / "prices.csv", lambda rows: [row for row in rows if tuple(row[name] for name in names) != gone])
    for table in ("raw.prices", "staging.price", "core.race_entry"):
        plain_steps(on_altered_facts)[table].run(on_altered_facts, table, ["2026-miami"])
    message = refused(on_altered_facts, "core.driver_race_performance", ["2026-miami"], ContractError)
    assert message.startswith(f"core.driver_race_performance: {sentence}")
    assert repr(asset_id) in message


# ---- the command line


@pytest.fixture
def ask(history: History, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Call the command line on the computed warehouse."""
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(history.pipeline.settings.warehouse_dir))
    monkeypatch.delenv("F1_DATA_DIR", raising=False)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return call


def assert_refused(result: Result, *texts: str) -> None:
    """Exit code 2, nothing on stdout, one message on stderr and no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    for text in texts:
        assert text in result.stderr


def test_query_answers_what_it_is_asked(ask: Callable[..., Result]) -> None:
    sql = "select race_key, lock_at from core.race where race_key = '2026-monaco'"
    result = ask("query", sql, "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == [{"race_key": "2026-monaco", "lock_at": "2026-06-06 14:00:00+00:00"}]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("selec 1", "Parser Error"),
        ("select * from core.rase", "rase"),
        ("select rase_key from core.race", "rase_key"),
        ("select cast('ten' as integer) as ten", "ten"),
    ],
)
def test_query_that_cannot_run_is_explained(ask: Callable[..., Result], sql: str, text: str) -> None:
    assert_refused(ask("query", sql), "the query cannot run: ", text)


@pytest.mark.parametrize(
    "sql",
    [
        "delete from core.race",
        "update core.race set season = 1",
        "drop table core.race",
        "create table core.mine as select 1 as one",
        "copy core.race to '{folder}/race.csv'",
        "attach '{folder}/other.duckdb' as other",
        "select * from read_csv('{folder}/secret.csv')",
        "set enable_external_access = true",
        "explain analyze drop table core.race",
        "select * from postgres_scan('host=127.0.0.1', 'public', 'race')",
    ],
)
def test_query_neither_writes_nor_leaves_the_warehouse(
    ask: Callable[..., Result], history: History, tmp_path: Path, sql: str
) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n", encoding="utf-8")
    assert_refused(ask("query", sql.format(folder=tmp_path)), "the query cannot run: ")
    assert fingerprints(history.path) == history.complete
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_query_runs_one_statement(ask: Callable[..., Result], history: History) -> None:
    assert_refused(ask("query", "select 1; drop table core.race"), "the query: expected one SQL statement, found more")
    assert fingerprints(history.path) == history.complete


def test_lineup_of_an_unknown_race_names_known_ones(ask: Callable[..., Result]) -> None:
    assert_refused(ask("lineup", "--race", "nonsense"), "unknown race 'nonsense': expected a key such as 2026-")
    assert_refused(ask("lineup", "--race", "2026-monza"), "unknown race '2026-monza'", "2026-monaco")


def test_lineup_that_was_not_computed_says_how_to(ask: Callable[..., Result]) -> None:
    message = "error: no line-up for 2026-monaco yet: `f1-pipeline run --race 2026-monaco` makes it\n"
    result = ask("lineup")
    assert_refused(result)
    assert result.stderr == message


def test_rank_beyond_two_hundred_is_refused_by_its_option(ask: Callable[..., Result]) -> None:
    result = ask("lineup", "--rank", "201")
    assert result.exit_code == 2
    assert "--rank" in result.stderr


@pytest.mark.parametrize("arguments", [("query", "select 1"), ("lineup",), ("export-training", "--out", "{folder}")])
def test_missing_warehouse_says_what_makes_it(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(tmp_path / "nowhere"))
    result = ask(*(argument.format(folder=tmp_path / "out") for argument in arguments))
    assert_refused(
        result, f"{tmp_path / 'nowhere' / 'f1.duckdb'}: expected a warehouse, found none; `make run` builds it"
    )
    assert not (tmp_path / "nowhere").exists()


def test_missing_data_folder_names_its_variable(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("F1_DATA_DIR", str(tmp_path / "nowhere"))
    assert_refused(ask("lineup"), f"F1_DATA_DIR: expected a folder at {tmp_path / 'nowhere'}, found none")


def test_patience_that_is_no_number_names_its_variable(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F1_LOCK_WAIT_S", "soon")
    assert_refused(ask("query", "select 1"), "F1_LOCK_WAIT_S: expected a number of seconds, found 'soon'")


def test_damaged_calendar_stops_every_command_with_its_line(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, facts: Path
) -> None:
    header, rows = read_rows(facts / "races.csv")
    assert header[4] == "name"
    number = 2 + next(index for index, row in enumerate(rows) if row["race_key"] == NEXT_RACE)
    replace_line(facts / "races.csv", number, lambda text: text.replace("2026-06-07", "7 June", 1))
    monkeypatch.setenv("F1_DATA_DIR", str(facts))
    assert_refused(
        ask("lineup"),
        f"races.csv line {number}, column race_date: expected a date such as 2026-06-07, found '7 June'",
    )

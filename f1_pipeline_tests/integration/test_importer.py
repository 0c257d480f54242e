"""The importer on a small hand-made release: what it makes, that it repeats itself, that it fails whole."""

import csv
import io
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.f1db import F1DB_COLUMNS
from f1_pipeline.sources.fantasy_records import RECORD_COLUMNS
from f1_pipeline.sources.importer import import_facts
from f1_pipeline.sources.publish import COMMITTED
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline.sources.tables_game import KNOWN_EXCEPTIONS

REPOSITORY = Path(__file__).parents[2]
DATA_DIR = REPOSITORY / "data"
SHARED = REPOSITORY.parent / "shared" / "data"

Rows = list[dict[str, str]]

DRIVERS = {
    "lando-norris": ("NOR", "mclaren"),
    "oscar-piastri": ("PIA", "mclaren"),
    "charles-leclerc": ("LEC", "ferrari"),
    "lewis-hamilton": ("HAM", "ferrari"),
}
TEAM_CODES = {"mclaren": "MCL", "ferrari": "FER"}


def car(race_id: str, order: int, driver: str, text: str | None = None, **more: str) -> dict[str, str]:
    place = text or str(order)
    return {
        "raceId": race_id,
        "positionDisplayOrder": str(order),
        "positionNumber": place if place.isdigit() else "",
        "positionText": place,
        "driverId": driver,
        "constructorId": DRIVERS[driver][1],
    } | more


def race(race_id: str, number: int, grand_prix: str, day: str, **more: str) -> dict[str, str]:
    return {
        "id": race_id,
        "year": "2025",
        "round": str(number),
        "date": f"2025-{day}",
        "time": "04:00",
        "grandPrixId": grand_prix,
        "qualifyingFormat": "KNOCKOUT",
        "circuitId": "melbourne",
        "laps": "57",
    } | more


def f1db_rows() -> dict[str, Rows]:
    """One finished race (Australia) and one to come (China, a sprint weekend)."""
    order = list(DRIVERS)
    grid = ["lando-norris", "charles-leclerc", "oscar-piastri", "lewis-hamilton"]
    flags = {"points": "", "fastestLap": "false", "driverOfTheDay": "false", "laps": "57"}
    winner = flags | {"fastestLap": "true", "driverOfTheDay": "true", "points": "25", "timeMillis": "5400000"}
    circuit = {"id": "melbourne", "name": "Melbourne", "fullName": "Albert Park", "type": "STREET"}
    return {
        "circuits": [
            circuit
            | {"direction": "CLOCKWISE", "placeName": "Melbourne", "countryId": "australia"}
            | {"length": "5.278", "turns": "14"}
        ],
        "constructors": [
            {"id": team, "name": team, "fullName": team, "countryId": "x"} for team in [*TEAM_CODES, "lotus"]
        ],
        "drivers": [
            {
                "id": driver,
                "name": driver,
                "firstName": "A",
                "lastName": "B",
                "abbreviation": code,
                "dateOfBirth": "1999-11-13",
                "nationalityCountryId": "x",
            }
            for driver, (code, _) in DRIVERS.items()
        ],
        "grands-prix": [
            {"id": "australia", "fullName": "Australian Grand Prix"},
            {"id": "china", "fullName": "Chinese Grand Prix"},
        ],
        "races": [
            race(
                "1",
                1,
                "australia",
                "03-16",
                freePractice1Date="2025-03-14",
                freePractice1Time="01:30",
                freePractice2Date="2025-03-14",
                freePractice2Time="05:00",
                freePractice3Date="2025-03-15",
                freePractice3Time="01:30",
                qualifyingDate="2025-03-15",
                qualifyingTime="05:00",
            ),
            race(
                "2",
                2,
                "china",
                "03-23",
                sprintQualifyingFormat="SPRINT_SHOOTOUT",
                freePractice1Date="2025-03-21",
                freePractice1Time="03:30",
                sprintQualifyingDate="2025-03-21",
                sprintQualifyingTime="07:30",
                sprintRaceDate="2025-03-22",
                sprintRaceTime="03:00",
                qualifyingDate="2025-03-22",
                qualifyingTime="07:00",
            ),
        ],
        "races-free-practice-1-results": [
            car("1", 1, "lando-norris", timeMillis="77252", laps="24"),
            car("1", 2, "lewis-hamilton", timeMillis="", laps="3"),
        ],
        "races-qualifying-results": [
            car("1", place, driver, q1Millis="76000") for place, driver in enumerate(order, 1)
        ],
        "races-starting-grid-positions": [car("1", place, driver) for place, driver in enumerate(grid, 1)],
        "races-race-results": [
            car("1", 1, "lando-norris", **winner),
            car("1", 2, "oscar-piastri", **flags),
            car("1", 3, "charles-leclerc", **flags),
            car("1", 4, "lewis-hamilton", "DNF", **flags | {"reasonRetired": "Engine"}),
        ],
        "races-pit-stops": [
            {"raceId": "1", "driverId": "lando-norris", "constructorId": "mclaren", "stop": "1", "lap": "34"}
            | {"timeMillis": "18000"}
        ],
        "seasons-entrants-drivers": [
            {"year": "2025", "constructorId": team, "driverId": driver, "testDriver": "false"}
            for driver, (_, team) in DRIVERS.items()
        ],
    }


def asset(code: str, team: str, number: int = 1, grand_prix: str = "australia", **more: str) -> dict[str, str]:
    kind = "constructor" if code == team else "driver"
    row = {"season": "2025", "round": str(number), "gp": grand_prix, "asset_type": kind, "asset": code}
    return row | {"team": team, "source": "a record", "n_sources": "3", "n_agree": "2"} | more


def record_rows() -> dict[str, Rows]:
    """Totals worked by hand; Norris and Leclerc have items of a record, Leclerc's with a slip."""
    teams = [(code, TEAM_CODES[team]) for code, team in DRIVERS.values()] + [("MCL", "MCL"), ("FER", "FER")]
    # NOR 10 + 25 + 10 + 10; PIA 9 + 18 + 1 and two overtakes; LEC 8 + 15 - 1; HAM 7 - 20
    # MCL 19 + 43 + 10 + 1 + 2 + both in Q3 10, and a stop for 10; FER 15 + 15 - 1 - 20 + 10
    totals = {"NOR": "55", "PIA": "30", "LEC": "22", "HAM": "-13", "MCL": "95", "FER": "19"}

    def item(code: str, team: str, session: str, name: str, points: str, frequency: str) -> dict[str, str]:
        return asset(code, team, session=session, scoring_item=name, points=points, frequency=frequency)

    return {
        "fantasy_prices": [
            asset(code, team, number, grand_prix, price="20.5")
            for code, team in teams
            for number, grand_prix in ((1, "australia"), (2, "china"))
        ],
        "fantasy_totals": [asset(code, team, total_points=totals[code]) for code, team in teams],
        "fantasy_points": [
            item("NOR", "MCL", "qualifying", "qualifying_position", "10", "1.0"),
            item("NOR", "MCL", "race", "race_position", "25", "1.0"),
            item("NOR", "MCL", "race", "race_fastest_lap", "10", "1.0"),
            item("NOR", "MCL", "race", "driver_of_the_day", "10", "1.0"),
            item("LEC", "FER", "qualifying", "qualifying_position", "8", "3.0"),
            item("LEC", "FER", "race", "race_position", "12", "3.0"),
            item("LEC", "FER", "race", "race_positions_lost", "-1", "1.0"),
        ],
        "fantasy_ownership": [
            asset("NOR", "MCL", selected_pct="40.5", captain_or_2x_pct="", source="small"),
            asset("NOR", "MCL", selected_pct="41.0", captain_or_2x_pct="12.5", source="large"),
            asset("PIA", "MCL", selected_pct="33.0", captain_or_2x_pct="1.0", source="large"),
        ],
    }


def table_text(columns: tuple[str, ...], rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_exceptions(data_dir: Path, *rows: str) -> Path:
    """Write the file that is kept by hand."""
    path = data_dir / KNOWN_EXCEPTIONS.file_name
    path.write_text("\n".join([",".join(KNOWN_EXCEPTIONS.column_names), *rows]) + "\n", encoding="utf-8")
    return path


class Inputs:
    """A release, a folder of records and a data directory, to be changed and imported."""

    def __init__(self, folder: Path) -> None:
        self.f1db, self.records = f1db_rows(), record_rows()
        self.zip_path, self.fantasy_dir, self.data_dir = folder / "f1db.zip", folder / "game", folder / "data"
        self.fantasy_dir.mkdir()
        (self.data_dir / "rules").mkdir(parents=True)
        shutil.copy(DATA_DIR / "rules" / "2025.toml", self.data_dir / "rules")
        write_exceptions(self.data_dir)

    def run(self, data_dir: Path | None = None, on_progress=None) -> dict[str, int]:
        with zipfile.ZipFile(self.zip_path, "w") as archive:
            for name, columns in F1DB_COLUMNS.items():
                archive.writestr(f"f1db-{name}.csv", table_text(columns, self.f1db.get(name, [])))
        for name, columns in RECORD_COLUMNS.items():
            (self.fantasy_dir / f"{name}.csv").write_text(table_text(columns, self.records[name]), encoding="utf-8")
        return import_facts(self.zip_path, self.fantasy_dir, data_dir or self.data_dir, on_progress)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    made = Inputs(tmp_path)
    # the tables of the fixture cannot be empty, so one sprint of the past lends its rows
    driver = "lando-norris"
    made.f1db["races-sprint-race-results"] = [car("9", 1, driver, laps="19")]
    return made


def scores_of(data_dir: Path, asset_id: str) -> dict[str, tuple[int, str]]:
    rows = load_fact_table(data_dir, "event_scores").to_pandas()
    own = rows[rows["asset_id"] == asset_id]
    return {row.scoring_item: (row.points, row.origin) for row in own.itertuples()}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_items_come_from_the_record_or_the_rules_or_the_residual(inputs):
    rows = inputs.run()
    assert rows["races.csv"] == 2
    assert rows["official_totals.csv"] == 6
    assert rows["known_exceptions.csv"] == 0
    assert scores_of(inputs.data_dir, "lando-norris") == {
        "qualifying_position": (10, "official"),
        "race_position": (25, "official"),
        "race_fastest_lap": (10, "official"),
        "driver_of_the_day": (10, "official"),
    }
    assert scores_of(inputs.data_dir, "oscar-piastri") == {
        "qualifying_position": (9, "derived"),
        "race_position": (18, "derived"),
        "race_positions_gained": (1, "derived"),
        "race_overtakes": (2, "residual"),
    }
    assert scores_of(inputs.data_dir, "charles-leclerc")["race_position"] == (15, "corrected")
    assert scores_of(inputs.data_dir, "mclaren") == {
        "both_drivers_q3": (10, "derived"),
        "qualifying_position": (19, "derived"),
        "race_fastest_lap": (10, "derived"),
        "race_position": (43, "derived"),
        "race_positions_gained": (1, "derived"),
        "race_overtakes": (2, "residual"),
        "pit_stop_total": (10, "residual"),
    }


def test_calendar_of_the_small_release(inputs):
    inputs.run()
    races = load_fact_table(inputs.data_dir, "races").to_pandas().set_index("race_key")
    assert races.loc["2025-australia", "lock_at"] == pd.Timestamp("2025-03-15T05:00Z")
    assert races.loc["2025-china", "lock_at"] == pd.Timestamp("2025-03-22T03:00Z")
    assert races["has_sprint"].tolist() == [False, True]
    practice = load_fact_table(inputs.data_dir, "practice_results").to_pandas().set_index("driver_id")
    assert practice.loc["lando-norris", "best_lap_ms"] == 77252
    assert pd.isna(practice.loc["lewis-hamilton", "best_lap_ms"])
    constructors = load_fact_table(inputs.data_dir, "constructors")["constructor_id"].to_pylist()
    assert constructors == ["ferrari", "mclaren"]  # Lotus is in F1DB, but nothing here names it


def test_of_two_ownership_records_the_larger_is_kept(inputs):
    inputs.run()
    ownership = load_fact_table(inputs.data_dir, "ownership").to_pandas().set_index("asset_id")
    assert ownership.loc["lando-norris", ["selected_pct", "boosted_pct", "source"]].tolist() == [41.0, 12.5, "large"]


def test_same_inputs_same_bytes_and_every_step_is_told(inputs, tmp_path):
    told: list[str] = []
    inputs.run(on_progress=told.append)
    second = tmp_path / "second"
    shutil.copytree(inputs.data_dir / "rules", second / "rules")
    write_exceptions(second)
    for rows in [*inputs.f1db.values(), *inputs.records.values()]:
        rows.reverse()  # the order of rows is of no consequence
    inputs.run(second)
    assert contents(inputs.data_dir) == contents(second)
    assert set(contents(second)) == {table.file_name for table in FACT_TABLES.values()} | {"README.md"}
    assert told[0] == "Reading f1db.zip."
    assert told[-1] == "Putting 16 files in place."


def test_unexplained_difference_is_left_for_the_checks_to_find(inputs):
    for row in inputs.records["fantasy_totals"]:
        if row["asset"] == "HAM":
            row["total_points"] = "-14"
    inputs.run()
    assert scores_of(inputs.data_dir, "lewis-hamilton") == {
        "qualifying_position": (7, "derived"),
        "race_not_classified": (-20, "derived"),
    }
    assert load_fact_table(inputs.data_dir, "known_exceptions").num_rows == 0


def test_exceptions_kept_by_hand_survive_every_import_byte_for_byte(inputs):
    # neither sorted nor quoted as the writer would
    path = write_exceptions(
        inputs.data_dir,
        '2025-australia,items,driver,lewis-hamilton,-14.0,-13.0,"One point was taken off."',
        "2025-australia,engine,driver,lewis-hamilton,-14.0,-13.0,One point was taken off.",
    )
    before = path.read_bytes()
    assert inputs.run()["known_exceptions.csv"] == 2
    assert path.read_bytes() == before


def test_an_import_needs_the_file_that_is_kept_by_hand(inputs):
    (inputs.data_dir / KNOWN_EXCEPTIONS.file_name).unlink()
    with pytest.raises(DataError, match=r"known_exceptions\.csv is missing from .*; it is kept by hand"):
        inputs.run()


@pytest.mark.parametrize(
    ("name", "column", "value", "message"),
    [
        ("fantasy_totals", "asset", "XXX", r"fantasy_totals\.csv line 2: driver 'XXX' is no asset of mclaren"),
        ("fantasy_prices", "team", "JAG", r"fantasy_prices\.csv line 2: the team code 'JAG' stands for no team"),
        ("fantasy_prices", "round", "7", r"fantasy_prices\.csv line 2: expected round 7 of 2025 to be australia"),
        ("fantasy_prices", "price", "20.55", r"price '20\.55'; expected at most one decimal"),
        ("fantasy_prices", "price", "-3.0", r"prices\.csv line .*column price_musd: expected at least 0\.1"),
        ("fantasy_points", "points", "7.5", r"points '7\.5'; expected a whole number"),
        ("fantasy_points", "scoring_item", "mystery", r"scoring_item: expected one of .*found 'mystery'"),
    ],
)
def test_a_failing_import_leaves_the_old_files_untouched(inputs, name, column, value, message):
    inputs.run()
    before = contents(inputs.data_dir)
    inputs.records[name][0][column] = value
    if column == "points":
        inputs.records[name][0]["scoring_item"] = "race_overtakes"
    if column == "scoring_item":
        inputs.records["fantasy_totals"][0]["total_points"] = "54"  # the rest of his items do not add up either
    with pytest.raises(DataError, match=message):
        inputs.run()
    assert contents(inputs.data_dir) == before
    assert [path.name for path in inputs.data_dir.iterdir() if path.is_dir()] == ["rules"]


def test_an_import_completes_a_publication_that_was_interrupted(inputs):
    inputs.run()
    before = contents(inputs.data_dir)
    left = inputs.data_dir / COMMITTED
    left.mkdir()
    (inputs.data_dir / "prices.csv").rename(left / "prices.csv")
    told: list[str] = []
    inputs.run(on_progress=told.append)
    assert told[0] == "Completing a publication that was interrupted."
    assert contents(inputs.data_dir) == before
    assert not left.exists()


def test_sessions_in_an_impossible_order_are_refused(inputs):
    inputs.f1db["races"][1]["sprintRaceTime"] = "09:00"
    with pytest.raises(DataError, match="2025-china: F1DB's times put the sessions in the order fp1, sprint_quali"):
        inputs.run()


def test_a_season_without_rules_is_refused(inputs):
    (inputs.data_dir / "rules" / "2025.toml").unlink()
    shutil.copy(DATA_DIR / "rules" / "2024.toml", inputs.data_dir / "rules")
    with pytest.raises(RuleError, match="There are no rules for 2025"):
        inputs.run()
    shutil.rmtree(inputs.data_dir / "rules")
    with pytest.raises(RuleError, match="holds no rules"):
        inputs.run()


def test_a_season_before_its_first_race_is_imported_without_scores(inputs):
    shutil.copy(DATA_DIR / "rules" / "2026.toml", inputs.data_dir / "rules")
    days = {"year": "2026", "date": "2026-03-08", "time": "", "sprintQualifyingFormat": ""}
    inputs.f1db["races"].append(race("3", 1, "australia", "03-08", **days))
    assert inputs.run()["races.csv"] == 3
    scored = load_fact_table(inputs.data_dir, "event_scores")["race_key"].to_pylist()
    assert set(scored) == {"2025-australia"}


needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the raw records of the game are not part of the repository"
)


@needs_shared
def test_committed_facts_are_what_the_importer_makes(tmp_path):
    shutil.copytree(DATA_DIR / "rules", tmp_path / "rules")
    shutil.copy(DATA_DIR / KNOWN_EXCEPTIONS.file_name, tmp_path)
    release = sorted((SHARED / "f1db").glob("f1db-csv-*.zip"))[-1]
    import_facts(release, SHARED / "fantasy", tmp_path)
    made = contents(tmp_path)
    committed = contents(DATA_DIR)
    assert {name for name in made if made[name] != committed.get(name)} == set()


@needs_shared
def test_residuals_agree_with_an_independent_calculation():
    """Another author derived the same residuals; they differ only where this project knows more."""
    other = pd.read_csv(SHARED / "fantasy" / "derived_residuals.csv")
    races = load_fact_table(DATA_DIR, "races").to_pandas()
    keys = races.set_index(["season", "round_number"])["race_key"]
    other["race_key"] = [keys[season, number] for season, number in zip(other["season"], other["round"], strict=True)]
    scores = load_fact_table(DATA_DIR, "event_scores").to_pandas()
    unexplained = scores[scores["scoring_item"].isin(["race_overtakes", "weekend_overtakes", "pit_stop_total"])]
    ours = unexplained[
        ~(unexplained["asset_type"].eq("constructor") & unexplained["scoring_item"].str.endswith("takes"))
    ]
    codes = load_fact_table(DATA_DIR, "drivers").to_pandas().set_index("driver_id")["abbreviation"]
    drivers = ours[ours["asset_type"] == "driver"]
    drivers = drivers.assign(asset=drivers["asset_id"].map(codes)).set_index(["race_key", "asset"])["points"]
    theirs = other[other["asset_type"] == "driver"].set_index(["race_key", "asset"])["residual"]
    pairs = pd.concat([theirs, drivers], axis=1, keys=["theirs", "ours"]).dropna(subset="theirs").fillna(0)
    assert (pairs["theirs"] == pairs["ours"]).all()
    assert len(pairs) == 539

"""Facts as frames of text: read, typed and written back to the same bytes."""

from __future__ import annotations

import pandas as pd
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.sources.fact_frames import driven, keep_named, read_facts, typed
from f1_pipeline.sources.fact_writer import as_text, render_csv
from f1_pipeline.sources.readme import races_covered
from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES
from f1_pipeline_tests.support import DATA, copy_facts

BY_HAND = "known_exceptions"


@pytest.fixture(scope="module")
def facts() -> Facts:
    return read_facts(DATA)


@pytest.mark.parametrize("name", [name for name in FACT_TABLES if name != BY_HAND])
def test_facts_that_are_read_are_written_back_byte_for_byte(facts, name):
    table = FACT_TABLES[name]
    assert render_csv(table, facts[name].sample(frac=1, random_state=1)) == (DATA / table.file_name).read_bytes()


def test_damaged_facts_are_refused(tmp_path):
    data_dir = copy_facts(tmp_path / "data")
    (data_dir / "circuits.csv").write_bytes((data_dir / "circuits.csv").read_bytes()[:-7])
    with pytest.raises(DataError, match=r"circuits\.csv line \d+: the file ends in the middle of a line"):
        read_facts(data_dir)


def test_the_tenth_stop_comes_after_the_ninth():
    table = FACT_TABLES["pit_stops"]
    stops = pd.DataFrame(
        {
            "race_key": "2026-monaco",
            "driver_id": "lando-norris",
            "constructor_id": "mclaren",
            "stop_number": [10, 9],
            "lap": [70, 60],
            "lane_time_ms": [25000, 24000],
        }
    )
    lines = render_csv(table, as_text(table, stops)).decode().splitlines()
    assert lines[1:] == [
        "2026-monaco,lando-norris,mclaren,9,60,24000",
        "2026-monaco,lando-norris,mclaren,10,70,25000",
    ]


def test_a_column_that_was_not_made_is_named(facts):
    with pytest.raises(DataError, match=r"prices\.csv: the import made no column price_musd"):
        as_text(FACT_TABLES["prices"], facts["prices"].drop(columns="price_musd"))


@pytest.mark.parametrize("date", ["1997-02-30", "-0", "soon"])
def test_a_date_that_is_none_is_named(facts, date):
    spoilt = facts["drivers"].assign(date_of_birth=date)
    with pytest.raises(DataError, match=rf"drivers\.csv: date_of_birth: expected date, found '{date}'"):
        as_text(FACT_TABLES["drivers"], spoilt)


def test_numbers_and_flags_are_typed(facts):
    rows = facts["race_results"]
    canada = typed("race_results", rows[(rows["race_key"] == "2026-canada") & (rows["session"] == "race")])
    winner = canada[canada["position"] == 1].iloc[0]
    assert winner["driver_id"] == "kimi-antonelli"
    assert winner["championship_points"] == 25.0
    assert canada["is_fastest_lap"].tolist().count(True) == 1
    sprint = typed("race_results", rows[(rows["race_key"] == "2026-canada") & (rows["session"] == "sprint")])
    assert set(sprint["is_fastest_lap"]) == {None}
    out = canada[canada["position_text"] == "DNF"]
    assert out["position"].isna().all()


def test_only_a_race_is_driven_and_not_its_sprint(facts):
    results = facts["race_results"]
    is_race = (results["race_key"] == "2026-canada") & (results["session"] == "race")
    assert "2026-canada" in driven(facts)
    assert "2026-canada" not in driven({"race_results": results[~is_race]})


def test_people_whom_no_fact_names_are_dropped(facts):
    drivers = facts["drivers"]
    stranger = drivers.iloc[[0]].assign(driver_id="nobody")
    kept = keep_named(facts | {"drivers": pd.concat([drivers, stranger], ignore_index=True)})
    assert render_csv(FACT_TABLES["drivers"], kept["drivers"]) == (DATA / "drivers.csv").read_bytes()


def test_a_lineage_ends_with_the_newest_team_that_is_named(facts):
    """Without 2026 nobody is called Audi: the newest name of that team is Kick Sauber."""
    older = {
        name: frame[~frame["race_key"].str.startswith("2026-")] for name, frame in facts.items() if "race_key" in frame
    }
    constructors = keep_named(facts | older)["constructors"].set_index("constructor_id")["lineage_id"]
    assert constructors["sauber"] == constructors["kick-sauber"] == "kick-sauber"
    assert "audi" not in constructors.index


def test_coverage_names_whole_seasons_and_rounds(facts):
    assert races_covered(facts, set(facts["prices"]["race_key"])) == "2023 to 2025, 2026 rounds 1-6"
    assert races_covered(facts, set(facts["ownership"]["race_key"])) == (
        "2023 rounds 1-12, 2024 to 2025, 2026 rounds 1-4"
    )
    assert races_covered(facts, {"2026-japan"}) == "2026 round 3"
    assert races_covered(facts, {"2026-australia", "2026-japan", "2026-miami"}) == "2026 rounds 1, 3-4"
    assert races_covered(facts, set()) == "none"


def test_coverage_knows_that_a_cancelled_race_is_not_missing(facts):
    races = facts["races"].copy()
    races.loc[races["race_key"] == "2025-monaco", "is_cancelled"] = "true"
    priced = set(facts["prices"]["race_key"]) - {"2025-monaco"}
    assert races_covered({"races": races}, priced) == "2023 to 2025, 2026 rounds 1-6"

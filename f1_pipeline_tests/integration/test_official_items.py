"""Item by item, the engine gives what the game gave: every scoring item that results determine, since 2023.

The engine's items are `staging.engine_score` of the computed history. Held against them are the items of
event_scores.csv that a record of the game states, and, where the records themselves are at hand, their raw rows. Where
a record slips it is named with its value. Items worth nothing are left out on both sides, because some records leave
them out.
"""

from __future__ import annotations

import pandas as pd
import pytest

from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline.sources.f1db import read_f1db
from f1_pipeline.sources.fantasy_records import read_records, whole_points
from f1_pipeline_tests.conftest import History
from f1_pipeline_tests.support import DATA, REPO

ASSET = ["race_key", "asset_type", "asset_id"]
ITEM = [*ASSET, "event_type", "scoring_item"]
SHARED = REPO.parent / "shared" / "data"

# What results cannot say: counted by the game's own system, or timed by nobody else.
UNDETERMINED = ("sprint_overtakes", "race_overtakes", "weekend_overtakes", "sprint_fastest_lap")
# What some records of 2026 state in place of a constructor's items: sums of several.
BONUSES = ("both_drivers_q3", "one_driver_q3", "both_drivers_q2", "one_driver_q2", "no_driver_q2")
BLOCKS = ("q2_q3_bonus", "qualifying_drivers_sum", "sprint_drivers_sum", "race_drivers_sum")

# race, asset, item: what the engine gives, what the game's record states; known_exceptions.csv says why
AGAINST_RESULTS = {
    ("2023-australia", "alfa-romeo", "race_positions_gained"): (17, 16),
    ("2023-australia", "red-bull", "race_positions_gained"): (14, 15),
    ("2023-australia", "sergio-perez", "race_positions_gained"): (14, 15),
    ("2023-australia", "valtteri-bottas", "race_positions_gained"): (9, 8),
    ("2023-azerbaijan", "logan-sargeant", "sprint_not_classified"): (None, -20),
    ("2023-azerbaijan", "williams", "sprint_not_classified"): (None, -20),
}

# race, asset, item: points in event_scores.csv, and what the record has instead
SLIPS = {
    ("2023-australia", "ferrari", "qualifying_position"): (10, "it has 7"),
    ("2023-australia", "mclaren", "one_driver_q2"): (1, "it has no such item"),
    ("2023-austria", "nico-hulkenberg", "sprint_positions_lost"): (-2, "it has no such item"),
    ("2023-bahrain", "alfa-romeo", "race_positions_gained"): (1, "it has no such item"),
    ("2023-bahrain", "alphatauri", "one_driver_q2"): (1, "it has no such item"),
    ("2023-bahrain", "alphatauri", "race_positions_gained"): (8, "it has no such item"),
    ("2023-bahrain", "alpine", "one_driver_q3"): (5, "it has no such item"),
    ("2023-bahrain", "alpine", "race_positions_gained"): (11, "it has no such item"),
    ("2023-bahrain", "aston-martin", "race_positions_gained"): (4, "it has no such item"),
    ("2023-bahrain", "haas", "race_positions_lost"): (-1, "it has no such item"),
    ("2023-bahrain", "mclaren", "one_driver_q2"): (1, "it has no such item"),
    ("2023-bahrain", "mclaren", "race_positions_lost"): (-6, "it has no such item"),
    ("2023-bahrain", "mercedes", "race_positions_gained"): (1, "it has no such item"),
    ("2023-bahrain", "red-bull", "qualifying_position"): (19, "it has no such item"),
    ("2023-bahrain", "williams", "one_driver_q2"): (1, "it has no such item"),
    ("2023-bahrain", "williams", "race_positions_gained"): (9, "it has no such item"),
    ("2023-bahrain", "esteban-ocon", "race_not_classified"): (-20, "it has no such item"),
    ("2023-bahrain", "guanyu-zhou", "race_fastest_lap"): (10, "it has 15"),
    ("2023-belgium", "haas", "race_positions_gained"): (3, "it has no such item"),
    ("2023-belgium", "mercedes", "race_positions_gained"): (1, "it has no such item"),
    ("2023-canada", "mclaren", "both_drivers_q3"): (10, "it has no such item"),
    ("2023-canada", "williams", "race_not_classified"): (-20, "it has no such item"),
    ("2023-great-britain", "mercedes", "qualifying_position"): (9, "it has 92"),
    ("2023-hungary", "alpine", "both_drivers_q2"): (3, "it has no such item"),
    ("2023-italy", "alphatauri", "both_drivers_q2"): (3, "it has no such item"),
    ("2023-japan", "williams", "one_driver_q2"): (1, "it has -1"),
    ("2023-monaco", "alpine", "both_drivers_q3"): (10, "it has no such item"),
    ("2023-monaco", "ferrari", "both_drivers_q3"): (10, "it has no such item"),
    ("2023-monaco", "mercedes", "both_drivers_q3"): (10, "it has no such item"),
    ("2023-netherlands", "williams", "race_not_classified"): (-20, "it has no such item"),
    ("2023-qatar", "ferrari", "qualifying_position"): (6, "it has 8"),
    ("2023-qatar", "red-bull", "sprint_not_classified"): (-20, "it has no such item"),
    ("2023-qatar", "nico-hulkenberg", "sprint_not_classified"): (-20, "it has no such item"),
    ("2023-qatar", "oscar-piastri", "qualifying_position"): (5, "it has 1"),
    ("2023-saudi-arabia", "lewis-hamilton", "race_position"): (10, "it has 5"),
    ("2023-spain", "alphatauri", "both_drivers_q2"): (3, "it has 5"),
    ("2023-united-states", "guanyu-zhou", "sprint_positions_lost"): (-2, "it has no such item"),
    ("2025-azerbaijan", "haas", "qualifying_disqualified"): (-10, "it has no such item"),
    ("2025-azerbaijan", "esteban-ocon", "qualifying_disqualified"): (-5, "it has no such item"),
    ("2025-bahrain", "nico-hulkenberg", "race_disqualified"): (-20, "it has no such item"),
    ("2025-china", "charles-leclerc", "race_disqualified"): (-20, "it has no such item"),
    ("2025-china", "lewis-hamilton", "race_disqualified"): (-20, "it has no such item"),
    ("2025-china", "pierre-gasly", "race_disqualified"): (-20, "it has no such item"),
    ("2025-singapore", "williams", "qualifying_disqualified"): (-20, "it has no such item"),
    ("2025-singapore", "alexander-albon", "qualifying_disqualified"): (-5, "it has no such item"),
    ("2025-singapore", "carlos-sainz-jr", "qualifying_disqualified"): (-5, "it has no such item"),
    ("2026-miami", "gabriel-bortoleto", "sprint_disqualified"): (-10, "it has no such item"),
    ("2026-miami", "isack-hadjar", "qualifying_disqualified"): (-5, "it has no such item"),
}

# race, asset, item: what the record states, what the engine gives
RAW_SLIPS = {
    ("2023-australia", "alfa-romeo", "race_positions_gained"): (16, 17),
    ("2023-australia", "ferrari", "qualifying_position"): (7, 10),
    ("2023-australia", "mclaren", "no_driver_q2"): (1, None),
    ("2023-australia", "mclaren", "one_driver_q2"): (None, 1),
    ("2023-australia", "red-bull", "race_positions_gained"): (15, 14),
    ("2023-australia", "sergio-perez", "race_positions_gained"): (15, 14),
    ("2023-australia", "valtteri-bottas", "race_positions_gained"): (8, 9),
    ("2023-austria", "nico-hulkenberg", "sprint_positions_gained"): (-2, None),
    ("2023-austria", "nico-hulkenberg", "sprint_positions_lost"): (None, -2),
    ("2023-azerbaijan", "williams", "sprint_not_classified"): (-20, None),
    ("2023-azerbaijan", "logan-sargeant", "sprint_not_classified"): (-20, None),
    ("2023-bahrain", "alfa-romeo", "race_positions_gained"): (None, 1),
    ("2023-bahrain", "alphatauri", "both_drivers_q2"): (1, None),
    ("2023-bahrain", "alphatauri", "one_driver_q2"): (None, 1),
    ("2023-bahrain", "alphatauri", "race_positions_gained"): (None, 8),
    ("2023-bahrain", "alpine", "both_drivers_q3"): (5, None),
    ("2023-bahrain", "alpine", "one_driver_q3"): (None, 5),
    ("2023-bahrain", "alpine", "race_positions_gained"): (None, 11),
    ("2023-bahrain", "aston-martin", "race_positions_gained"): (None, 4),
    ("2023-bahrain", "haas", "race_positions_lost"): (None, -1),
    ("2023-bahrain", "mclaren", "both_drivers_q2"): (1, None),
    ("2023-bahrain", "mclaren", "one_driver_q2"): (None, 1),
    ("2023-bahrain", "mclaren", "race_positions_lost"): (None, -6),
    ("2023-bahrain", "mercedes", "race_positions_gained"): (None, 1),
    ("2023-bahrain", "red-bull", "qualifying_position"): (None, 19),
    ("2023-bahrain", "williams", "both_drivers_q2"): (1, None),
    ("2023-bahrain", "williams", "one_driver_q2"): (None, 1),
    ("2023-bahrain", "williams", "race_positions_gained"): (None, 9),
    ("2023-bahrain", "esteban-ocon", "race_not_classified"): (None, -20),
    ("2023-bahrain", "guanyu-zhou", "race_fastest_lap"): (15, 10),
    ("2023-belgium", "haas", "race_fastest_lap"): (3, None),
    ("2023-belgium", "haas", "race_positions_gained"): (None, 3),
    ("2023-belgium", "mercedes", "race_positions_gained"): (None, 1),
    ("2023-canada", "mclaren", "both_drivers_q3"): (None, 10),
    ("2023-canada", "mclaren", "one_driver_q3"): (10, None),
    ("2023-canada", "williams", "race_not_classified"): (None, -20),
    ("2023-great-britain", "mercedes", "qualifying_position"): (92, 9),
    ("2023-hungary", "alpine", "both_drivers_q2"): (None, 3),
    ("2023-hungary", "alpine", "one_driver_q2"): (3, None),
    ("2023-italy", "alphatauri", "both_drivers_q2"): (None, 3),
    ("2023-italy", "alphatauri", "one_driver_q2"): (3, None),
    ("2023-japan", "williams", "one_driver_q2"): (-1, 1),
    ("2023-miami", "alfa-romeo", "race_position"): (8, 0),
    ("2023-monaco", "alfa-romeo", "race_fastest_lap"): (11, None),
    ("2023-monaco", "alpine", "both_drivers_q3"): (None, 10),
    ("2023-monaco", "alpine", "one_driver_q3"): (10, None),
    ("2023-monaco", "ferrari", "both_drivers_q3"): (None, 10),
    ("2023-monaco", "ferrari", "one_driver_q3"): (10, None),
    ("2023-monaco", "haas", "race_not_classified"): (-20, None),
    ("2023-monaco", "mercedes", "both_drivers_q3"): (None, 10),
    ("2023-monaco", "mercedes", "one_driver_q3"): (10, None),
    ("2023-monaco", "kevin-magnussen", "race_not_classified"): (-20, None),
    ("2023-netherlands", "williams", "race_not_classified"): (None, -20),
    ("2023-qatar", "ferrari", "qualifying_position"): (8, 6),
    ("2023-qatar", "red-bull", "race_not_classified"): (-20, None),
    ("2023-qatar", "red-bull", "sprint_not_classified"): (None, -20),
    ("2023-qatar", "nico-hulkenberg", "race_not_classified"): (-20, None),
    ("2023-qatar", "nico-hulkenberg", "sprint_not_classified"): (None, -20),
    ("2023-qatar", "oscar-piastri", "qualifying_position"): (1, 5),
    ("2023-qatar", "oscar-piastri", "sprint_positions_gained"): (2, None),
    ("2023-saudi-arabia", "lewis-hamilton", "race_position"): (5, 10),
    ("2023-spain", "alphatauri", "both_drivers_q2"): (5, 3),
    ("2023-united-states", "aston-martin", "race_fastest_lap"): (15, None),
    ("2023-united-states", "guanyu-zhou", "sprint_positions_gained"): (-2, None),
    ("2023-united-states", "guanyu-zhou", "sprint_positions_lost"): (None, -2),
    ("2024-japan", "daniel-ricciardo", "race_positions_gained"): (1, None),
    ("2025-azerbaijan", "haas", "qualifying_disqualified"): (None, -10),
    ("2025-azerbaijan", "haas", "qualifying_not_classified"): (-10, None),
    ("2025-azerbaijan", "esteban-ocon", "qualifying_disqualified"): (None, -5),
    ("2025-azerbaijan", "esteban-ocon", "qualifying_not_classified"): (-5, None),
    ("2025-bahrain", "nico-hulkenberg", "race_disqualified"): (None, -20),
    ("2025-bahrain", "nico-hulkenberg", "race_not_classified"): (-20, None),
    ("2025-china", "charles-leclerc", "race_disqualified"): (None, -20),
    ("2025-china", "charles-leclerc", "race_not_classified"): (-20, None),
    ("2025-china", "lewis-hamilton", "race_disqualified"): (None, -20),
    ("2025-china", "lewis-hamilton", "race_not_classified"): (-20, None),
    ("2025-china", "pierre-gasly", "race_disqualified"): (None, -20),
    ("2025-china", "pierre-gasly", "race_not_classified"): (-20, None),
    ("2025-singapore", "williams", "qualifying_disqualified"): (None, -20),
    ("2025-singapore", "williams", "qualifying_not_classified"): (-20, None),
    ("2025-singapore", "alexander-albon", "qualifying_disqualified"): (None, -5),
    ("2025-singapore", "alexander-albon", "qualifying_not_classified"): (-5, None),
    ("2025-singapore", "carlos-sainz-jr", "qualifying_disqualified"): (None, -5),
    ("2025-singapore", "carlos-sainz-jr", "qualifying_not_classified"): (-5, None),
    ("2026-miami", "gabriel-bortoleto", "sprint_disqualified"): (None, -10),
    ("2026-miami", "gabriel-bortoleto", "sprint_not_classified"): (-10, None),
    ("2026-miami", "isack-hadjar", "qualifying_disqualified"): (None, -5),
    ("2026-miami", "isack-hadjar", "qualifying_not_classified"): (-5, None),
}
# constructor of 2026 stated by blocks: what the record states, what the engine gives; it leaves out disqualifications
RAW_BLOCK_SLIPS = {
    ("2026-miami", "audi", "sprint_drivers_sum"): (-20, -30),
    ("2026-miami", "red-bull", "qualifying_drivers_sum"): (4, -1),
}
# Of the assets whose raw items do not add up, those whose slip is in what results cannot say, or in a block.
SLIPS_ELSEWHERE = {
    ("2023-canada", "lance-stroll"),
    ("2023-canada", "aston-martin"),
    ("2023-belgium", "mclaren"),
    ("2023-mexico", "esteban-ocon"),
    ("2024-saudi-arabia", "sergio-perez"),
    ("2025-sao-paulo", "kick-sauber"),
    ("2026-miami", "audi"),
    ("2026-miami", "red-bull"),
}


def determined(items: pd.DataFrame) -> pd.DataFrame:
    names = items["scoring_item"]
    return items[~names.isin(UNDETERMINED) & ~names.str.startswith("pit_stop")]


def side_by_side(engine: pd.DataFrame, record: pd.DataFrame) -> pd.DataFrame:
    """Put the determined items of the record's assets beside those of the engine; items worth nothing left out."""
    stated = determined(record)
    own = determined(engine).merge(stated[ASSET].drop_duplicates(), on=ASSET)
    joined = own.merge(stated, on=ITEM, how="outer", suffixes=("_engine", "_record"), validate="1:1")
    worth = joined[["points_engine", "points_record"]].fillna(0).ne(0).any(axis=1)
    return joined[worth].astype({"points_engine": "Int64", "points_record": "Int64"})


def disagreements(joined: pd.DataFrame) -> dict[tuple[str, str, str], tuple[int | None, int | None]]:
    """Map race, asset and item to the points of the engine and of the record, where they are not the same."""
    differs = joined["points_engine"].fillna(0) != joined["points_record"].fillna(0)
    wrong = joined[differs]
    names = zip(wrong["race_key"], wrong["asset_id"], wrong["scoring_item"], strict=True)
    pairs = zip(wrong["points_engine"], wrong["points_record"], strict=True)
    values = [tuple(None if pd.isna(points) else int(points) for points in pair) for pair in pairs]
    return dict(zip(names, values, strict=True))


@pytest.fixture(scope="module")
def engine(history: History) -> pd.DataFrame:
    with history.pipeline.warehouse.read() as connection:
        rows = connection.sql(
            "select race_key, asset_type, asset_id, event_type, scoring_item, points, position"
            " from staging.engine_score"
        ).fetchall()
    return pd.DataFrame(rows, columns=[*ITEM, "points", "position"])


@pytest.fixture(scope="module")
def official() -> pd.DataFrame:
    scores = load_fact_table(DATA, "event_scores").to_pandas()
    return scores[scores["origin"].isin(["official", "corrected"])]


@pytest.fixture(scope="module")
def joined(engine: pd.DataFrame, official: pd.DataFrame) -> pd.DataFrame:
    # what the importer corrected follows the engine's own rules: no evidence for them
    corrected = pd.MultiIndex.from_frame(official.loc[official["origin"] == "corrected", ITEM])
    both = side_by_side(engine, official[[*ITEM, "points", "position"]])
    return both[~pd.MultiIndex.from_frame(both[ITEM]).isin(corrected)]


@pytest.mark.parametrize(
    ("season", "asset_type", "item_count", "race_count"),
    [
        ("2023", "driver", 1011, 22),
        ("2023", "constructor", 846, 22),
        ("2024", "driver", 157, 4),
        ("2025", "driver", 930, 21),
        ("2025", "constructor", 820, 21),
        ("2026", "driver", 285, 5),
        ("2026", "constructor", 117, 5),
    ],
)
def test_every_item_that_results_determine_is_the_official_one(
    joined: pd.DataFrame, season: str, asset_type: str, item_count: int, race_count: int
) -> None:
    own = joined[joined["race_key"].str.startswith(season) & (joined["asset_type"] == asset_type)]
    assert (len(own), own["race_key"].nunique()) == (item_count, race_count)
    expected = {
        key: values
        for key, values in AGAINST_RESULTS.items()
        if key[0].startswith(season) and (key[1] in set(own["asset_id"]))
    }
    assert disagreements(own) == expected


def test_places_are_the_official_ones_worthless_ones_too(engine: pd.DataFrame, official: pd.DataFrame) -> None:
    placed = official[(official["origin"] == "official") & official["position"].notna()]
    both = placed.merge(engine, on=ITEM, how="left", suffixes=("_record", "_engine"), validate="1:1")
    counts = {"qualifying_position": 814, "race_position": 746, "sprint_position": 196}
    assert both["scoring_item"].value_counts().to_dict() == counts
    assert (both["position_record"] == both["position_engine"]).all()


def test_every_kind_of_item_was_compared(joined: pd.DataFrame) -> None:
    counts = joined.groupby(["asset_type", "scoring_item"]).size().unstack(level=0, fill_value=0)
    found = {name: (int(row["driver"]), int(row["constructor"])) for name, row in counts.iterrows()}
    # items of drivers, of constructors; no record states a disqualification from a sprint as such
    assert found == {
        "both_drivers_q2": (0, 32),
        "both_drivers_q3": (0, 151),
        "driver_of_the_day": (51, 0),
        "no_driver_q2": (0, 46),
        "one_driver_q2": (0, 68),
        "one_driver_q3": (0, 145),
        "qualifying_disqualified": (1, 1),
        "qualifying_not_classified": (15, 14),
        "qualifying_position": (519, 297),
        "race_disqualified": (2, 5),
        "race_fastest_lap": (51, 47),
        "race_not_classified": (125, 96),
        "race_position": (518, 303),
        "race_positions_gained": (481, 256),
        "race_positions_lost": (275, 129),
        "sprint_not_classified": (26, 21),
        "sprint_position": (112, 65),
        "sprint_positions_gained": (139, 67),
        "sprint_positions_lost": (68, 40),
    }


def test_overtakes_of_a_constructor_are_those_of_its_cars(engine: pd.DataFrame, official: pd.DataFrame) -> None:
    # what results cannot say of a driver is the record's; what that makes of his team is the engine's
    names = ("race_overtakes", "sprint_overtakes", "sprint_fastest_lap")
    stated = official[(official["origin"] == "official") & official["scoring_item"].isin(names)]
    teams = stated.loc[stated["asset_type"] == "constructor", [*ITEM, "points"]]
    both = teams.merge(engine, on=ITEM, how="left", suffixes=("_record", "_engine"), validate="1:1")
    counts = {"race_overtakes": 438, "sprint_overtakes": 111, "sprint_fastest_lap": 13}
    assert both["scoring_item"].value_counts().to_dict() == counts
    wrong = both[both["points_record"] != both["points_engine"]]
    assert wrong.to_dict("records") == []


def test_slips_of_the_records_are_named(official: pd.DataFrame) -> None:
    corrected = determined(official[official["origin"] == "corrected"])
    names = zip(corrected["race_key"], corrected["asset_id"], corrected["scoring_item"], strict=True)
    # "results, against <record>: it has 7"
    said = corrected["source"].str.split(": ").str[-1]
    assert dict(zip(names, zip(corrected["points"], said, strict=True), strict=True)) == SLIPS


# ---- the records themselves


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """Rows of the game's records with assets named by id; points as the record has them."""
    if not (SHARED / "fantasy" / "fantasy_points.csv").exists():
        pytest.skip(f"the game's records are not at hand: {SHARED} has no fantasy/fantasy_points.csv")
    (release,) = sorted((SHARED / "f1db").glob("f1db-csv-*.zip"))
    races = load_fact_table(DATA, "races").to_pandas()
    rows = read_records(SHARED / "fantasy", read_f1db(release), races)["fantasy_points"]
    flags = pd.read_csv(SHARED / "fantasy" / "fantasy_points.csv", usecols=["items_sum_to_total"])
    return rows.rename(columns={"session": "event_type"}).assign(
        points=rows["points"].map(whole_points),
        scoring_item=rows["scoring_item"].str.replace(r"^pitstop", "pit_stop", regex=True),
        adds_up=flags["items_sum_to_total"].eq(1).to_numpy(),
    )


def of_blocks(raw: pd.DataFrame) -> pd.Series:
    """Mark the rows of assets that are stated by blocks."""
    blocks = pd.MultiIndex.from_frame(raw.loc[raw["scoring_item"].isin(BLOCKS), ASSET])
    return pd.Series(pd.MultiIndex.from_frame(raw[ASSET]).isin(blocks), index=raw.index)


def test_every_raw_item_is_the_engine_s_but_for_the_named(engine: pd.DataFrame, raw: pd.DataFrame) -> None:
    both = side_by_side(engine, raw.loc[~of_blocks(raw), [*ITEM, "points"]])
    counts = both.groupby([both["race_key"].str[:4], "asset_type"]).size()
    assert {key: int(count) for key, count in counts.items()} == {
        ("2023", "constructor"): 893,
        ("2023", "driver"): 1023,
        ("2024", "driver"): 158,
        ("2025", "constructor"): 824,
        ("2025", "driver"): 944,
        ("2026", "constructor"): 117,
        ("2026", "driver"): 289,
    }
    found = disagreements(both)
    assert {key: (record, ours) for key, (ours, record) in found.items()} == RAW_SLIPS


def test_raw_blocks_are_the_sums_of_the_engine_s_items(engine: pd.DataFrame, raw: pd.DataFrame) -> None:
    blocks = raw[raw["scoring_item"].isin(BLOCKS)]
    assert len(blocks) == 110
    teams = engine[(engine["asset_type"] == "constructor") & ~engine["scoring_item"].str.startswith("pit_stop")]
    is_bonus = teams["scoring_item"].isin(BONUSES)
    kind = (teams["event_type"] + "_drivers_sum").where(~is_bonus, "q2_q3_bonus")
    sums = teams.assign(kind=kind).groupby(["race_key", "asset_id", "kind"])["points"].sum().to_dict()
    keys = list(zip(blocks["race_key"], blocks["asset_id"], blocks["scoring_item"], strict=True))
    pairs = {key: (int(points), int(sums.get(key, 0))) for key, points in zip(keys, blocks["points"], strict=True)}
    assert len(pairs) == 110
    assert {key: pair for key, pair in pairs.items() if pair[0] != pair[1]} == RAW_BLOCK_SLIPS


def test_raw_items_that_do_not_add_up_have_a_named_slip(raw: pd.DataFrame) -> None:
    flagged = raw.loc[~raw["adds_up"], ASSET].drop_duplicates()
    of_season = flagged.groupby(flagged["race_key"].str[:4]).size().to_dict()
    assert of_season == {"2023": 28, "2024": 1, "2025": 1, "2026": 2}
    named = {(race_key, asset_id) for race_key, asset_id, _ in RAW_SLIPS}
    keys = set(zip(flagged["race_key"], flagged["asset_id"], strict=True))
    assert keys - named == SLIPS_ELSEWHERE

"""Scores of sessions: normal scores by hand, classifications with holes, starts, and what is known when."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE, KNOWN_COLUMN, PHASES
from f1_pipeline.forecast.session_scores import SESSION_SCORE_COLUMNS, SessionFacts, normal_score, session_scores
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline_tests.support import DATA

RACE = "2024-one"
ENDS = {
    "fp1": "2024-03-01T12:00Z",
    "qualifying": "2024-03-02T15:00Z",
    "sprint": "2024-03-02T18:00Z",
    "race": "2024-03-03T16:00Z",
}
TEAMS = {"ann": "red", "bob": "red", "cat": "blue", "dan": "old-blue", "eve": "grey"}


def frame(columns, rows):
    return pd.DataFrame(rows, columns=columns)


def practice(*rows, session="fp1", race_key=RACE):
    columns = ["race_key", "session", "driver_id", "constructor_id", "position", "best_lap_ms", "lap_count"]
    return frame(columns, [(race_key, session, who, TEAMS[who], None, lap, laps) for who, lap, laps in rows])


def qualifying(*rows, session="qualifying", race_key=RACE):
    columns = ["race_key", "session", "driver_id", "constructor_id", "position", "position_text"]
    made = frame(
        [*columns, "q1_ms", "q2_ms", "q3_ms"],
        [(race_key, session, who, TEAMS[who], place, text, *laps) for who, place, text, laps in rows],
    )
    return made.astype(dict.fromkeys(("position", "q1_ms", "q2_ms", "q3_ms"), "float64"))


def results(*rows, session="race", race_key=RACE):
    columns = ["race_key", "session", "driver_id", "constructor_id", "position", "position_text"]
    made = frame(
        [*columns, "is_fastest_lap", "is_driver_of_the_day"],
        [(race_key, session, who, TEAMS[who], place, text, *flags) for who, place, text, *flags in rows],
    )
    return made.astype({"position": "float64", "is_fastest_lap": object, "is_driver_of_the_day": object})


def grids(*rows, session="race", race_key=RACE):
    columns = ["race_key", "session", "driver_id", "constructor_id", "grid_text", "grid_order"]
    return frame(columns, [(race_key, session, who, TEAMS[who], text, order) for who, text, order in rows])


def facts(*, cancelled=False, known=("fp1",), **tables):
    sessions = frame(
        ["race_key", "session", "session_order", "ends_at", "is_before_lock"],
        [(RACE, name, at, pd.Timestamp(end), name in known) for at, (name, end) in enumerate(ENDS.items(), start=1)],
    )
    races = frame(
        ["race_key", "race_date", "season", "circuit_id", "is_cancelled"],
        [(RACE, "2024-03-03", 2024, "spa", cancelled)],
    )
    constructors = frame(
        ["constructor_id", "lineage_id"],
        [("red", "red"), ("blue", "blue"), ("old-blue", "blue"), ("grey", "grey")],
    )
    made = {"practice": practice(), "qualifying": qualifying(), "grids": grids(), "results": results(), **tables}
    return SessionFacts(races, sessions, constructors, **made)


def by_driver(rows, column, session):
    own = rows[rows["session"] == session].set_index("driver_id")[column]
    return {who: (None if pd.isna(value) else value) for who, value in own.items()}


def test_normal_scores_of_four_by_hand():
    # the middles of the four quarters: 0.875, 0.625, 0.375, 0.125
    expected = [1.1503494, 0.3186394, -0.3186394, -1.1503494]
    assert normal_score([1, 2, 3, 4], 4) == pytest.approx(expected, abs=1e-7)
    assert normal_score([1], 4)[0] == ndtri(0.875)
    assert normal_score([1], 1) == pytest.approx([0.0])
    assert np.isnan(normal_score([np.nan], 4)).all()


@settings(derandomize=True, database=None, deadline=None, max_examples=30)
@given(count=st.integers(1, 30))
def test_scores_of_a_field_fall_and_mirror_each_other(count):
    scores = normal_score(np.arange(1, count + 1), count)
    assert (np.diff(scores) < 0).all()
    np.testing.assert_allclose(scores, -scores[::-1], atol=1e-12)


def test_columns_and_order():
    rows = session_scores(
        facts(
            practice=practice(("bob", 90_000, 9), ("ann", 91_000, 8)),
            results=results(("bob", 1, "1", True, False), ("ann", 2, "2", False, True)),
        )
    )
    assert tuple(rows.columns) == SESSION_SCORE_COLUMNS
    order = list(zip(rows["session"], rows["driver_id"], strict=True))
    assert order == [("fp1", "ann"), ("fp1", "bob"), ("race", "ann"), ("race", "bob")]
    assert rows["race_date"].unique().tolist() == [pd.Timestamp("2024-03-03")]


def test_practice_ranks_best_laps_and_whoever_set_none_has_no_score():
    laps = practice(("ann", 92_000, 10), ("bob", 90_000, 12), ("cat", None, 1), ("dan", 91_000, 0))
    rows = session_scores(facts(practice=laps))
    assert by_driver(rows, "position", "fp1") == {"ann": 3, "bob": 1, "cat": None, "dan": 2}
    # of three with a lap: ndtri(5/6), 0, ndtri(1/6)
    found = by_driver(rows, "score", "fp1")
    assert found == {
        "ann": pytest.approx(-0.9674216),
        "bob": pytest.approx(0.9674216),
        "cat": None,
        "dan": pytest.approx(0.0, abs=1e-12),
    }
    # against the median of 91 s
    gap = by_driver(rows, "gap_pct", "fp1")
    assert (gap["bob"], gap["dan"], gap["cat"]) == (pytest.approx(-100 / 91), pytest.approx(0.0), None)
    assert by_driver(rows, "lap_count", "fp1") == {"ann": 10, "bob": 12, "cat": 1, "dan": 0}


def test_qualifying_takes_the_best_of_three_parts_for_the_gap():
    rows = session_scores(
        facts(
            qualifying=qualifying(
                ("ann", 1, "1", (91_000, 90_500, 90_000)),
                ("bob", 2, "2", (90_900, None, None)),
                ("cat", None, "DNF", (None, None, None)),
            )
        )
    )
    # median of 90.0 and 90.9: 90.45
    gap = by_driver(rows, "gap_pct", "qualifying")
    assert gap == {"ann": pytest.approx(-45 / 90.45), "bob": pytest.approx(45 / 90.45), "cat": None}
    assert by_driver(rows, "score", "qualifying")["cat"] is None


def test_holes_in_a_classification_are_closed():
    rows = session_scores(
        facts(
            results=results(
                ("ann", 1, "1", False, False),
                ("bob", 3, "3", False, False),  # the second was disqualified
                ("cat", None, "DSQ", False, False),
                ("dan", 7, "7", False, False),
            )
        )
    )
    assert by_driver(rows, "position", "race") == {"ann": 1, "bob": 2, "cat": None, "dan": 3}
    assert by_driver(rows, "position_text", "race")["bob"] == "3"
    found = by_driver(rows, "score", "race")
    assert (found["ann"], found["bob"], found["cat"]) == (pytest.approx(0.9674216), pytest.approx(0, abs=1e-12), None)


def test_each_session_is_its_own_classification():
    both = pd.concat(
        [
            results(("ann", 1, "1", False, False), ("bob", 2, "2", False, False)),
            results(("bob", 1, "1", True, False), ("ann", 2, "2", False, False), session="sprint"),
        ]
    )
    rows = session_scores(facts(results=both))
    assert by_driver(rows, "score", "race") == {"ann": pytest.approx(0.6744898), "bob": pytest.approx(-0.6744898)}
    assert by_driver(rows, "score", "sprint") == {"ann": pytest.approx(-0.6744898), "bob": pytest.approx(0.6744898)}


def test_pit_lane_starts_count_last_and_holes_in_the_grid_are_closed():
    rows = session_scores(
        facts(
            results=results(*((who, at, str(at), False, False) for at, who in enumerate(TEAMS, start=1))),
            # nobody on grid place 2, two from the pit lane in their order
            grids=grids(("cat", "1", 1), ("ann", "3", 3), ("dan", "4", 4), ("eve", "PL", 21), ("bob", "PL", 22)),
        )
    )
    assert by_driver(rows, "start_place", "race") == {"ann": 2, "bob": 5, "cat": 1, "dan": 3, "eve": 4}
    assert by_driver(rows, "start_text", "race")["bob"] == "PL"
    start = by_driver(rows, "start_score", "race")
    assert (start["cat"], start["dan"], start["bob"]) == (
        pytest.approx(1.2815516),
        pytest.approx(0.0, abs=1e-12),
        pytest.approx(-1.2815516),
    )


def test_whoever_is_not_on_the_grid_has_no_start_and_practice_has_none():
    rows = session_scores(
        facts(
            practice=practice(("ann", 90_000, 3)),
            results=results(("ann", 1, "1", False, False), ("bob", None, "DNS", False, False)),
            grids=grids(("ann", "1", 1)),
        )
    )
    assert by_driver(rows, "start_place", "race") == {"ann": 1, "bob": None}
    assert by_driver(rows, "start_score", "fp1") == {"ann": None}


def test_lineage_joins_old_names_of_a_constructor_and_flags_without_a_value_are_false():
    rows = session_scores(facts(results=results(("cat", 1, "1", True, None), ("dan", 2, "2", None, True))))
    assert by_driver(rows, "lineage_id", "race") == {"cat": "blue", "dan": "blue"}
    assert by_driver(rows, "constructor_id", "race") == {"cat": "blue", "dan": "old-blue"}
    assert by_driver(rows, "is_fastest_lap", "race") == {"cat": True, "dan": False}
    assert by_driver(rows, "is_driver_of_the_day", "race") == {"cat": False, "dan": True}


def test_cancelled_races_are_left_out():
    tables = {"practice": practice(("ann", 90_000, 3))}
    assert len(session_scores(facts(**tables))) == 1
    assert session_scores(facts(cancelled=True, **tables)).empty


def test_qualifying_marks_what_ended_no_later():
    everyone = ("ann", 1, "1", False, False)
    tables = {
        "practice": practice(("ann", 90_000, 3)),
        "qualifying": qualifying(("ann", 1, "1", (90_000, None, None))),
        "results": pd.concat([results(everyone), results(everyone, session="sprint")]),
    }
    rows = session_scores(facts(**tables)).set_index("session")
    assert rows["is_by_qualifying"].to_dict() == {"fp1": True, "qualifying": True, "sprint": False, "race": False}
    assert rows["is_before_lock"].to_dict() == {"fp1": True, "qualifying": False, "sprint": False, "race": False}


def test_a_weekend_without_qualifying_knows_nothing_by_its_end():
    given_facts = facts(
        practice=pd.concat([practice(("ann", 90_000, 3)), practice(("ann", 90_000, 3), race_key="2024-two")])
    )
    other = pd.DataFrame(
        [("2024-two", "fp1", 1, pd.Timestamp("2024-03-08T12:00Z"), True)], columns=given_facts.sessions.columns
    )
    race = given_facts.races.assign(race_key="2024-two", race_date="2024-03-10")
    both = replace(
        given_facts,
        sessions=pd.concat([given_facts.sessions, other], ignore_index=True),
        races=pd.concat([given_facts.races, race], ignore_index=True),
    )
    rows = session_scores(both)
    assert rows["race_key"].tolist() == [RACE, "2024-two"]
    assert rows["is_by_qualifying"].tolist() == [True, False]
    assert rows["is_before_lock"].tolist() == [True, True]


@pytest.fixture(scope="module")
def real():
    names = ("races", "sessions", "constructors", "practice_results", "qualifying_results", "starting_grids")
    return session_scores(SessionFacts(*(load_fact_table(DATA, name).to_pandas() for name in (*names, "race_results"))))


def known(rows, race_key, phase):
    own = rows[rows["race_key"] == race_key]
    if phase not in KNOWN_COLUMN:
        return []
    return own[own[KNOWN_COLUMN[phase]]]["session"].drop_duplicates().tolist()


@pytest.mark.parametrize(
    ("race_key", "at_lock", "after_qualifying"),
    [
        ("2024-monaco", ["fp1", "fp2", "fp3"], ["fp1", "fp2", "fp3", "qualifying"]),
        # since 2024 the sprint comes before qualifying, and line-ups lock at it
        ("2024-china", ["fp1", "sprint_qualifying"], ["fp1", "sprint_qualifying", "sprint", "qualifying"]),
        ("2026-miami", ["fp1", "sprint_qualifying"], ["fp1", "sprint_qualifying", "sprint", "qualifying"]),
        # in 2023 qualifying was on Friday, and line-ups locked at it
        ("2023-azerbaijan", ["fp1"], ["fp1", "qualifying"]),
        ("2022-austria", ["fp1"], ["fp1", "qualifying"]),
    ],
)
def test_what_each_phase_knows(real, race_key, at_lock, after_qualifying):
    assert [known(real, race_key, phase) for phase in PHASES] == [[], at_lock, after_qualifying]
    assert PHASES == (BEFORE_PRACTICE, AT_LOCK, AFTER_QUALIFYING)


def test_in_the_facts_each_phase_knows_what_the_one_before_knew_and_never_a_race(real):
    assert not (real["is_before_lock"] & ~real["is_by_qualifying"]).any()
    assert not real.loc[real["session"] == "race", "is_by_qualifying"].any()
    assert not real.loc[real["session"] == "qualifying", "is_before_lock"].any()
    assert not real.duplicated(["race_key", "session", "driver_id"]).any()
    assert real["lineage_id"].notna().all()
    assert real["race_date"].is_monotonic_increasing


def test_in_the_facts_every_classification_counts_from_one_without_holes(real):
    placed = real[real["position"].notna()].groupby(["race_key", "session"])["position"]
    assert (placed.max() == placed.count()).all()
    assert (placed.min() == 1).all()
    assert not real[real["position"].notna()].duplicated(["race_key", "session", "position"]).any()

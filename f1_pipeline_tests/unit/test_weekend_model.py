"""Weekends learnt from the committed facts of one autumn and spring: what is used, what is not, and what is missing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.outlook import LaterOutlook, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE, KNOWN_COLUMN, PHASES
from f1_pipeline.forecast.session_scores import SessionFacts, session_scores
from f1_pipeline.forecast.weekend_files import weekend_bytes
from f1_pipeline.forecast.weekend_model import WeekendHistory, WeekendModel, learn_weekends
from f1_pipeline.forecast.weekend_notes import weekend_notes
from f1_pipeline.game.rules import load_rules
from f1_pipeline.sources.bundle import load_fact_table
from f1_pipeline_tests.support import DATA

SINCE, UNTIL = "2025-08-01", "2026-06-08"
OPENER, NORMAL, SPRINT, NEXT = "2026-australia", "2026-japan", "2026-miami", "2026-monaco"
OLD_SPRINT = "2025-sao-paulo"
TARGETS = (OLD_SPRINT, OPENER, NORMAL, SPRINT, NEXT)


def fact(name: str) -> pd.DataFrame:
    return load_fact_table(DATA, name).to_pandas()


@pytest.fixture(scope="module")
def history() -> WeekendHistory:
    races = fact("races")[["race_key", "race_date", "season", "circuit_id", "has_sprint"]]
    races = races.assign(race_date=pd.to_datetime(races["race_date"]))
    races = races[races["race_date"].between(SINCE, UNTIL)].reset_index(drop=True)
    names = ("sessions", "constructors", "practice_results", "qualifying_results", "starting_grids", "race_results")
    sessions = session_scores(SessionFacts(fact("races"), *(fact(name) for name in names)))
    lineage = fact("constructors").set_index("constructor_id")["lineage_id"]
    entries = fact("prices")[["race_key", "asset_type", "asset_id", "constructor_id"]]
    own = entries["constructor_id"].map(lineage).where(entries["asset_type"] == "constructor", entries["asset_id"])
    events = fact("event_scores")
    passes = events[
        (events["asset_type"] == "driver") & events["scoring_item"].isin(["race_overtakes", "sprint_overtakes"])
    ]
    overtakes = passes[["race_key", "event_type", "asset_id", "frequency"]]
    overtakes = overtakes.set_axis(["race_key", "session", "driver_id", "overtakes_count"], axis=1)
    pit = events[(events["asset_type"] == "constructor") & events["scoring_item"].str.startswith("pit_stop")]
    points = pit.groupby(["race_key", "asset_id"])["points"].sum().reset_index()
    totals = fact("official_totals")
    stops = totals.loc[totals["asset_type"] == "constructor", ["race_key", "asset_id"]].merge(points, how="left")
    stops = stops.assign(lineage_id=stops["asset_id"].map(lineage), points=stops["points"].fillna(0.0))
    kept = set(races["race_key"])
    return WeekendHistory(
        sessions=sessions[sessions["race_key"].isin(kept)].reset_index(drop=True),
        overtakes=overtakes[overtakes["race_key"].isin(kept)].reset_index(drop=True),
        stops=stops.loc[stops["race_key"].isin(kept), ["race_key", "lineage_id", "points"]].reset_index(drop=True),
        races=races,
        entries=entries.assign(lineage_id=own)[entries["race_key"].isin(TARGETS)].reset_index(drop=True),
        rules={season: load_rules(DATA, season) for season in (2025, 2026)},
    )


@pytest.fixture(scope="module")
def learnt(history: WeekendHistory) -> dict[str, WeekendModel]:
    return learn_weekends(history, TARGETS)


def arrays(part: LaterOutlook | WeekendOutlook | RaceOutlook, prefix: str = "") -> dict[str, object]:
    """Flatten an outlook."""
    found: dict[str, object] = {}
    for each in fields(part):
        value = getattr(part, each.name)
        if isinstance(value, RaceOutlook | WeekendOutlook):
            found |= arrays(value, f"{each.name}.")
        else:
            found[prefix + each.name] = value
    return found


def is_same(one: LaterOutlook | WeekendOutlook, other: LaterOutlook | WeekendOutlook) -> bool:
    """Compare bit by bit."""
    left, right = arrays(one), arrays(other)
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def later_races(history: WeekendHistory, race_key: str) -> set[str]:
    at = history.races.set_index("race_key")["race_date"]
    return set(at[at > at[race_key]].index)


def after(history: WeekendHistory, race_key: str, phase: str) -> pd.Series:
    """Mark the session rows that a phase of a race must not know."""
    rows = history.sessions
    is_own = rows["race_key"] == race_key
    unknown = is_own & ~rows[KNOWN_COLUMN[phase]].astype(bool) if phase in KNOWN_COLUMN else is_own
    return unknown | rows["race_key"].isin(later_races(history, race_key))


def altered(rows: pd.DataFrame, mask: pd.Series) -> pd.DataFrame:
    """Turn the marked sessions upside down: other cars, other places, other everything."""
    changed, own = rows.copy(), rows[mask]
    generator = np.random.default_rng(5)
    order = own.groupby(["race_key", "session"]).sample(frac=1.0, random_state=5).index
    for name in ("position", "position_text", "score", "start_place", "start_text", "start_score", "gap_pct"):
        changed.loc[mask, name] = own.loc[order, name].to_numpy()
    changed.loc[mask, "score"] = -3.0 * changed.loc[mask, "score"]
    changed.loc[mask, "lap_count"] = generator.integers(0, 50, len(own))
    changed.loc[mask, "is_fastest_lap"] = generator.random(len(own)) < 0.5
    changed.loc[mask, "is_driver_of_the_day"] = generator.random(len(own)) < 0.5
    changed.loc[mask, "ends_at"] = own["ends_at"] + pd.Timedelta(days=3)
    return changed


def without_the_future(history: WeekendHistory, race_key: str, phase: str) -> WeekendHistory:
    """Alter everything that is not known yet: sessions, passes, pit stops, and the calendar of later races."""
    later = later_races(history, race_key)
    unknown = {race_key, *later}
    passes, stops, races = history.overtakes.copy(), history.stops.copy(), history.races.copy()
    passes.loc[passes["race_key"].isin(unknown), "overtakes_count"] += 17
    stops.loc[stops["race_key"].isin(unknown), "points"] = 10.0
    is_later = races["race_key"].isin(later)
    races.loc[is_later, ["season", "circuit_id", "has_sprint"]] = [2026, "nowhere", True]
    sessions = altered(history.sessions, after(history, race_key, phase))
    return replace(history, sessions=sessions, overtakes=passes, stops=stops, races=races)


@pytest.mark.parametrize("race_key", [OLD_SPRINT, NORMAL, SPRINT])
@pytest.mark.parametrize("phase", PHASES)
def test_nothing_after_the_phase_is_used(history, learnt, race_key, phase):
    assert after(history, race_key, phase).sum() > 100
    changed = learn_weekends(without_the_future(history, race_key, phase), [race_key])[race_key]
    both = changed.features, learnt[race_key].features
    for each in PHASES[: PHASES.index(phase) + 1]:
        assert is_same(changed.outlooks[each], learnt[race_key].outlooks[each])
        assert changed.known_until[each] == learnt[race_key].known_until[each]
        assert changed.notes[each] == learnt[race_key].notes[each]
        pd.testing.assert_frame_equal(*(rows[rows["phase"] == each] for rows in both), check_exact=True)
    # later races are looked at from the lock, and their calendar is no part of the model
    assert is_same(changed.later, learnt[race_key].later) == (phase != BEFORE_PRACTICE)
    for each in PHASES[PHASES.index(phase) + 1 :]:
        # the control: a later phase does see what was altered
        assert not is_same(changed.outlooks[each], learnt[race_key].outlooks[each])


@pytest.mark.parametrize("race_key", [OLD_SPRINT, NORMAL])
def test_a_history_that_ends_before_the_phase_gives_the_same_outlook(history, learnt, race_key):
    unknown = {race_key, *later_races(history, race_key)}
    cut = replace(
        history,
        sessions=history.sessions[~after(history, race_key, AT_LOCK)],
        overtakes=history.overtakes[~history.overtakes["race_key"].isin(unknown)],
        stops=history.stops[~history.stops["race_key"].isin(unknown)],
        races=history.races[~history.races["race_key"].isin(unknown - {race_key})],
        entries=history.entries[history.entries["race_key"] == race_key],
    )
    found = learn_weekends(cut, [race_key])[race_key]
    assert list(found.outlooks) == [BEFORE_PRACTICE, AT_LOCK]
    for phase in found.outlooks:
        assert is_same(found.outlooks[phase], learnt[race_key].outlooks[phase])
    assert is_same(found.later, learnt[race_key].later)


@pytest.mark.parametrize(
    ("session", "changed_phases"),
    [("fp2", {AT_LOCK, AFTER_QUALIFYING}), ("qualifying", {AFTER_QUALIFYING}), ("race", set())],
)
def test_a_session_of_the_weekend_changes_the_phases_that_know_it(history, learnt, session, changed_phases):
    rows = history.sessions
    mask = (rows["race_key"] == NORMAL) & (rows["session"] == session)
    found = learn_weekends(replace(history, sessions=altered(rows, mask)), [NORMAL])[NORMAL]
    changed = {phase for phase in PHASES if not is_same(found.outlooks[phase], learnt[NORMAL].outlooks[phase])}
    assert changed == changed_phases


@pytest.mark.parametrize("what", ["sessions", "overtakes", "stops"])
def test_an_earlier_race_changes_every_phase(history, learnt, what):
    rows = getattr(history, what).copy()
    if what == "sessions":
        rows = altered(rows, (rows["race_key"] == OPENER) & (rows["session"] == "race"))
    else:
        column = {"overtakes": "overtakes_count", "stops": "points"}[what]
        rows[column] = rows[column].where(rows["race_key"] != OPENER, 10)
    found = learn_weekends(replace(history, **{what: rows}), [NORMAL])[NORMAL]
    assert [is_same(found.outlooks[phase], learnt[NORMAL].outlooks[phase]) for phase in PHASES] == [False] * 3


def test_a_newcomer_of_a_later_race_changes_no_earlier_model(history, learnt):
    newcomers = history.sessions[history.sessions["race_key"] == SPRINT].assign(
        driver_id=lambda rows: "aaa-" + rows["driver_id"], lineage_id=lambda rows: "aaa-" + rows["lineage_id"]
    )
    wider = replace(history, sessions=pd.concat([history.sessions, newcomers], ignore_index=True))
    found = learn_weekends(wider, [OLD_SPRINT, OPENER, NORMAL])
    for race_key, model in found.items():
        assert weekend_bytes(model) == weekend_bytes(learnt[race_key])
        pd.testing.assert_frame_equal(model.features, learnt[race_key].features, check_exact=True)


def test_races_learnt_together_equal_each_alone(history, learnt):
    assert list(learnt) == list(TARGETS)
    alone = learn_weekends(history, [SPRINT])
    assert list(alone) == [SPRINT]
    assert weekend_bytes(alone[SPRINT]) == weekend_bytes(learnt[SPRINT])
    pd.testing.assert_frame_equal(alone[SPRINT].features, learnt[SPRINT].features)


def test_phases_are_there_when_their_sessions_are(learnt):
    assert {key: list(model.outlooks) for key, model in learnt.items()} == {
        **{key: list(PHASES) for key in TARGETS[:-1]},
        NEXT: [BEFORE_PRACTICE, AT_LOCK],
    }


def test_known_until_is_the_end_of_the_last_session_known(learnt):
    text = {key: {phase: str(at) for phase, at in learnt[key].known_until.items()} for key in (NORMAL, SPRINT, NEXT)}
    assert text == {
        NORMAL: {
            BEFORE_PRACTICE: "2026-03-15 09:00:00+00:00",  # the race of China
            AT_LOCK: "2026-03-28 03:30:00+00:00",  # third practice
            AFTER_QUALIFYING: "2026-03-28 07:00:00+00:00",
        },
        SPRINT: {
            BEFORE_PRACTICE: "2026-03-29 07:00:00+00:00",
            AT_LOCK: "2026-05-01 21:15:00+00:00",  # sprint qualifying
            AFTER_QUALIFYING: "2026-05-02 21:00:00+00:00",
        },
        NEXT: {BEFORE_PRACTICE: "2026-05-24 22:00:00+00:00", AT_LOCK: "2026-05-24 22:00:00+00:00"},
    }


def test_a_race_before_its_practice_has_an_outlook_from_earlier_races(learnt):
    model = learnt[NEXT]
    assert is_same(model.outlooks[BEFORE_PRACTICE], model.outlooks[AT_LOCK])
    assert model.notes[AT_LOCK] == ("no race at monaco since 2018", "no practice known")
    outlook = model.outlooks[BEFORE_PRACTICE]
    assert outlook.qualifying_position is None
    assert outlook.sprint is None
    assert outlook.car_count == 22
    assert np.ptp(outlook.strength_mean) > 1.0  # the field is told apart


def places(history, race_key, session, column="position"):
    rows = history.sessions
    own = rows[(rows["race_key"] == race_key) & (rows["session"] == session)]
    return own.set_index("driver_id")[column]


def test_qualifying_is_known_after_qualifying_only(history, learnt):
    for race_key in (NORMAL, SPRINT):
        model = learnt[race_key]
        assert model.outlooks[BEFORE_PRACTICE].qualifying_position is None
        assert model.outlooks[AT_LOCK].qualifying_position is None
        expected = places(history, race_key, "qualifying").reindex(list(model.drivers)).fillna(0)
        assert model.outlooks[AFTER_QUALIFYING].qualifying_position.tolist() == expected.tolist()
        assert sorted(expected)[-1] == (expected > 0).sum()
        # the grid of the Grand Prix still depends on penalties
        assert model.outlooks[AFTER_QUALIFYING].race.start is None
    # Hadjar was disqualified in Miami
    hadjar = learnt[SPRINT].drivers.index("isack-hadjar")
    assert learnt[SPRINT].outlooks[AFTER_QUALIFYING].qualifying_position[hadjar] == 0


def test_a_sprint_is_known_bit_by_bit(history, learnt):
    model = learnt[SPRINT]
    before, lock, later = (model.outlooks[phase].sprint for phase in PHASES)
    assert (before.start, before.position, lock.position) == (None, None, None)
    shootout = places(history, SPRINT, "sprint_qualifying").reindex(list(model.drivers))
    timed = shootout.notna().to_numpy()
    assert lock.start[timed].tolist() == shootout[timed].tolist()
    assert sorted(lock.start) == list(range(1, 23))
    grid = places(history, SPRINT, "sprint", "start_place").reindex(list(model.drivers))
    started = grid.notna().to_numpy()
    assert later.start[started].tolist() == grid[started].tolist()
    assert sorted(later.start) == list(range(1, 23))
    result = places(history, SPRINT, "sprint").reindex(list(model.drivers)).fillna(0)
    assert later.position.tolist() == result.tolist()
    assert learnt[NORMAL].outlooks[AFTER_QUALIFYING].sprint is None


def test_covariances_are_symmetric_positive_semi_definite_and_shrink_with_every_phase(learnt):
    for model in learnt.values():
        before = None
        for outlook in model.outlooks.values():
            covariance = outlook.strength_covariance
            assert covariance.shape == (2 * len(model.drivers),) * 2
            np.testing.assert_allclose(covariance, covariance.T, rtol=0, atol=2e-9)
            assert np.linalg.eigvalsh(covariance).min() > -1e-8
            assert before is None or (np.diag(covariance) <= np.diag(before) + 1e-8).all()
            before = covariance


def test_strengths_of_later_races_are_those_of_the_lock_without_its_form(learnt):
    for model in learnt.values():
        later, lock = model.later, model.outlooks[AT_LOCK]
        # where no practice is known the form is as unknown as that of a later weekend, and independent of what lasts
        whole = later.weekend.strength_covariance + later.form_covariance
        if model.known_until[AT_LOCK] == model.known_until[BEFORE_PRACTICE]:
            np.testing.assert_allclose(later.weekend.strength_mean, lock.strength_mean, rtol=0, atol=2e-9)
            np.testing.assert_allclose(whole, lock.strength_covariance, rtol=0, atol=4e-9)
        else:
            assert np.abs(later.weekend.strength_mean - lock.strength_mean).max() > 0.01
        for covariance in (later.drift_covariance, later.form_covariance):
            np.testing.assert_array_equal(covariance, covariance.T)
            assert np.linalg.eigvalsh(covariance).min() > -1e-12
            assert (np.diag(covariance) > 0).all()


def test_at_its_own_circuit_a_later_race_has_the_parts_of_the_race(history, learnt):
    circuit = history.races.set_index("race_key")["circuit_id"]
    for race_key, model in learnt.items():
        lock = model.outlooks[AT_LOCK]
        here = model.later.form_at(circuit[race_key], lock.sprint is not None)
        for mine, its in ((here.race, lock.race), (here.sprint, lock.sprint)):
            if its is None:
                assert mine is None
                continue
            np.testing.assert_allclose(mine.retirement_logit, its.retirement_logit)
            np.testing.assert_allclose(mine.overtakes, its.overtakes)
            assert (mine.noise_sd, mine.grid_weight, mine.overtakes_sd) == (
                its.noise_sd,
                its.grid_weight,
                its.overtakes_sd,
            )
        np.testing.assert_array_equal(here.strength_mean, 0)
        np.testing.assert_array_equal(here.strength_covariance, model.later.form_covariance)


def test_later_races_differ_by_circuit_and_sprint(learnt):
    later = learnt[NEXT].later
    assert {"suzuka", "miami"} <= set(later.overtakes_factor) <= set(later.retirement_shift)
    suzuka, miami, moon = (later.form_at(name, True) for name in ("suzuka", "miami", "moon"))
    assert suzuka.race.overtakes_sd == miami.race.overtakes_sd == 0.35
    assert moon.race.overtakes_sd == 0.45
    np.testing.assert_array_equal(moon.race.overtakes, later.weekend.race.overtakes)
    ratio = suzuka.sprint.overtakes / miami.sprint.overtakes
    np.testing.assert_allclose(ratio, later.overtakes_factor["suzuka"] / later.overtakes_factor["miami"])
    shift = later.retirement_shift["suzuka"] - later.retirement_shift["miami"]
    np.testing.assert_allclose(suzuka.race.retirement_logit - miami.race.retirement_logit, shift)
    assert later.form_at("miami", False).sprint is None


def test_parts_have_one_entry_per_car_crew_and_place(learnt):
    for model in learnt.values():
        cars, crews = len(model.drivers), len(model.constructors)
        assert model.drivers == tuple(sorted(model.drivers))
        for outlook in model.outlooks.values():
            assert np.bincount(outlook.team, minlength=crews).tolist() == [2] * crews
            assert outlook.constructor_count == crews == len(outlook.pit_log_ms)
            assert outlook.race.overtakes.shape == (cars + 1, cars + 1)
            assert len(outlook.race.retirement_logit) == len(outlook.overtakes_factor) == cars
            assert len(outlook.vote_weight) == cars
            assert len(outlook.fastest_lap_weight) == len(outlook.vote_by_place) == cars + 1
            for name, value in arrays(outlook).items():
                assert value is None or np.isfinite(value).all(), name


def sd_of(model: WeekendModel, phase: str) -> np.ndarray:
    return np.sqrt(np.diag(model.outlooks[phase].strength_covariance))


def test_the_fewer_practice_sessions_are_known_the_wider_the_outlook(history, learnt):
    rows = history.sessions
    is_practice = (rows["race_key"] == NORMAL) & rows["session"].str.startswith("fp")
    missing = {
        (): rows,
        ("one practice session known (fp1)",): rows[~(is_practice & (rows["session"] != "fp1"))],
        ("no practice known",): rows[~is_practice],
    }
    spreads = []
    for notes, sessions in missing.items():
        model = learn_weekends(replace(history, sessions=sessions), [NORMAL])[NORMAL]
        own = tuple(note for note in model.notes[AT_LOCK] if "practice" in note)
        assert own == notes
        spreads.append(sd_of(model, AT_LOCK))
    assert (spreads[0] < spreads[1] - 1e-4).all()
    assert (spreads[1] < spreads[2] - 1e-4).all()
    # nothing known at the lock is what was known before practice
    np.testing.assert_array_equal(spreads[2], sd_of(learnt[NORMAL], BEFORE_PRACTICE))


def test_a_missing_qualifying_leaves_two_phases_and_teaches_nothing(history, learnt):
    rows = history.sessions
    is_gone = (rows["race_key"] == NORMAL) & (rows["session"] == "qualifying")
    found = learn_weekends(replace(history, sessions=rows[~is_gone]), [NORMAL, SPRINT])
    assert list(found[NORMAL].outlooks) == [BEFORE_PRACTICE, AT_LOCK]
    assert is_same(found[NORMAL].outlooks[AT_LOCK], learnt[NORMAL].outlooks[AT_LOCK])
    wider, own = sd_of(found[SPRINT], BEFORE_PRACTICE), sd_of(learnt[SPRINT], BEFORE_PRACTICE)
    assert (wider > own).all()


def renamed(history: WeekendHistory, race_key: str, names: dict[str, str]) -> WeekendHistory:
    """Enter somebody else, who was in no session, not even of this weekend."""
    entries, rows = history.entries.copy(), history.sessions
    own = entries["race_key"] == race_key
    for column in ("asset_id", "constructor_id", "lineage_id"):
        entries.loc[own, column] = entries.loc[own, column].replace(names)
    is_gone = (rows["race_key"] == race_key) & (rows["driver_id"].isin(names) | rows["lineage_id"].isin(names))
    return replace(history, entries=entries, sessions=rows[~is_gone])


def test_a_driver_never_seen_has_a_newcomers_strength_and_a_note(history, learnt):
    model = learn_weekends(renamed(history, NORMAL, {"lando-norris": "zoe-new"}), [NORMAL])[NORMAL]
    new, mate, old = (
        model.drivers.index("zoe-new"),
        model.drivers.index("oscar-piastri"),
        learnt[NORMAL].drivers.index("lando-norris"),
    )
    for phase in PHASES:
        assert "no race yet: zoe-new" in model.notes[phase]
        assert np.isfinite(model.outlooks[phase].strength_mean).all()
        assert sd_of(model, phase)[new] > sd_of(model, phase)[mate] + 0.1
        assert model.outlooks[phase].strength_mean[new] < learnt[NORMAL].outlooks[phase].strength_mean[old]
    features = model.features.set_index(["phase", "asset_id"]).loc[(AT_LOCK, "zoe-new")]
    assert (features["race_count"], features["team_race_count"], features["practice_lap_count"]) == (0, 0, 0)
    assert np.isnan(features["fp1_gap_pct"])


def test_a_team_never_seen_is_wider_still(history):
    names = {"mclaren": "zebra", "lando-norris": "zoe-new", "oscar-piastri": "zed-new"}
    model = learn_weekends(renamed(history, NORMAL, names), [NORMAL])[NORMAL]
    new = [model.drivers.index(name) for name in ("zed-new", "zoe-new")]
    others = [at for at in range(len(model.drivers)) if at not in new]
    outlook = model.outlooks[AT_LOCK]
    assert {"new team: zebra", "no race yet: zed-new", "no race yet: zoe-new"} <= set(model.notes[AT_LOCK])
    spread = sd_of(model, AT_LOCK)
    assert spread[new].min() > 1.0 > spread[others].max()
    # they share the car, and its variance
    assert outlook.strength_covariance[new[0], new[1]] > 0.5
    assert outlook.strength_mean[new[0]] == outlook.strength_mean[new[1]]
    crew = model.constructors.index("zebra")
    assert outlook.pit_log_ms[crew] == pytest.approx(outlook.pit_log_ms.mean(), abs=0.1)


def test_the_first_race_of_the_season_says_so_and_is_wide(learnt):
    notes = learnt[OPENER].notes[BEFORE_PRACTICE]
    assert {
        "no race yet: arvid-lindblad",
        "first race for this team: isack-hadjar",
        "new team: cadillac",
        "first race of the season: nobody has seen these cars race",
        "no practice known",
    } <= set(notes)
    assert sd_of(learnt[OPENER], BEFORE_PRACTICE).min() > sd_of(learnt[NEXT], BEFORE_PRACTICE).max() - 0.2
    assert sd_of(learnt[OPENER], BEFORE_PRACTICE).mean() > 1.3 * sd_of(learnt[NEXT], BEFORE_PRACTICE).mean()


def test_a_circuit_never_raced_has_no_factor_of_its_own(history):
    races = history.races.copy()
    races.loc[races["race_key"] == NORMAL, "circuit_id"] = "moon"
    model = learn_weekends(replace(history, races=races), [NORMAL])[NORMAL]
    assert "no race at moon since 2018" in model.notes[AT_LOCK]
    assert model.outlooks[AT_LOCK].race.overtakes_sd == 0.45
    assert model.features["circuit_overtakes_factor"].unique().tolist() == [1.0]
    # raced once, it is known
    races.loc[races["race_key"] == OPENER, "circuit_id"] = "moon"
    model = learn_weekends(replace(history, races=races, sessions=moved(history, OPENER, "moon")), [NORMAL])[NORMAL]
    assert not any("moon" in note for note in model.notes[AT_LOCK])
    assert model.outlooks[AT_LOCK].race.overtakes_sd == 0.35


def moved(history: WeekendHistory, race_key: str, circuit_id: str) -> pd.DataFrame:
    rows = history.sessions
    return rows.assign(circuit_id=rows["circuit_id"].where(rows["race_key"] != race_key, circuit_id))


def test_the_very_first_race_is_forecast_from_round_figures(history):
    rows, first = history.sessions, history.races["race_key"].iloc[0]
    entries = fact("prices")[["race_key", "asset_type", "asset_id", "constructor_id"]]
    entries = entries[entries["race_key"] == first].assign(lineage_id=lambda own: own["constructor_id"])
    model = learn_weekends(replace(history, entries=entries), [first])[first]
    outlook = model.outlooks[BEFORE_PRACTICE]
    assert model.known_until[BEFORE_PRACTICE] is None
    assert model.known_until[AT_LOCK] == rows[rows["race_key"] == first].query("session == 'fp3'")["ends_at"].max()
    assert np.ptp(outlook.strength_mean) == 0.0
    assert (outlook.race.overtakes == 5.0).all()
    assert outlook.pit_log_ms == pytest.approx(np.log(2500))
    assert 1 / (1 + np.exp(-outlook.race.retirement_logit - 0.125)) == pytest.approx(0.12)
    assert model.later.retirement_shift == model.later.overtakes_factor == {}


def test_features_list_every_asset_at_every_phase(learnt):
    model = learnt[SPRINT]
    rows = model.features
    assert len(rows) == 3 * (22 + 11)
    assert not rows.duplicated(["phase", "asset_type", "asset_id"]).any()
    assert set(rows["race_key"]) == {SPRINT}
    drivers = rows[(rows["asset_type"] == "driver") & (rows["phase"] == AT_LOCK)]
    outlook = model.outlooks[AT_LOCK]
    assert drivers["asset_id"].tolist() == list(model.drivers)
    np.testing.assert_array_equal(drivers["qualifying_strength"], outlook.strength_mean[:22])
    np.testing.assert_array_equal(drivers["race_strength"], outlook.strength_mean[22:])
    np.testing.assert_allclose(
        drivers["car_strength"] + drivers["driver_strength"], outlook.strength_mean[:22], atol=1e-8
    )
    np.testing.assert_allclose(drivers["pit_stop_s"], np.exp(outlook.pit_log_ms)[outlook.team] / 1000)
    # two cars each: the gaps of team-mates are opposite
    np.testing.assert_allclose(np.bincount(outlook.team, drivers["teammate_strength_gap"]), 0.0, atol=1e-9)
    constructors = rows[(rows["asset_type"] == "constructor") & (rows["phase"] == AT_LOCK)]
    assert constructors["asset_id"].tolist() == list(model.constructors)
    mean = np.bincount(outlook.team, outlook.strength_mean[:22]) / 2
    np.testing.assert_allclose(constructors["qualifying_strength"], mean)
    assert constructors["teammate_strength_gap"].isna().all()


def test_practice_features_are_those_of_known_sessions(history, learnt):
    rows = learnt[SPRINT].features.set_index(["phase", "asset_id"])
    gaps = ["fp1_gap_pct", "fp2_gap_pct", "fp3_gap_pct", "sprint_qualifying_gap_pct"]
    assert rows.loc[(BEFORE_PRACTICE, "lando-norris"), gaps].isna().all()
    assert rows.loc[(BEFORE_PRACTICE, "lando-norris"), "practice_lap_count"] == 0
    own = rows.loc[(AT_LOCK, "lando-norris")]
    assert own["fp1_gap_pct"] == places(history, SPRINT, "fp1", "gap_pct")["lando-norris"]
    assert own["sprint_qualifying_gap_pct"] == places(history, SPRINT, "sprint_qualifying", "gap_pct")["lando-norris"]
    assert own[["fp2_gap_pct", "fp3_gap_pct"]].isna().all()
    assert own["practice_lap_count"] == places(history, SPRINT, "fp1", "lap_count")["lando-norris"]


def test_entries_that_cannot_be_are_named(history):
    entries = history.entries
    with pytest.raises(DataError, match="2026-japan: expected drivers and constructors on sale"):
        learn_weekends(replace(history, entries=entries[entries["race_key"] != NORMAL]), [NORMAL])
    no_team = entries[~((entries["race_key"] == NORMAL) & (entries["asset_id"] == "mclaren"))]
    with pytest.raises(DataError, match="2026-japan: expected the constructor of lando-norris on sale"):
        learn_weekends(replace(history, entries=no_team), [NORMAL])


def test_notes_in_order_and_none_when_all_is_known():
    starts = pd.DataFrame(
        [("ann", "red", 2024, "spa"), ("bob", "blue", 2024, "spa")],
        columns=["driver_id", "lineage_id", "season", "circuit_id"],
    )
    practice = pd.DataFrame([(1, "fp1"), (2, "fp2")], columns=["session_order", "session"])
    assert weekend_notes(["ann", "bob"], ["red", "blue"], 2024, "spa", starts, practice) == ()
    assert weekend_notes(["ann", "cat"], ["blue", "grey"], 2025, "monza", starts, practice.iloc[:1]) == (
        "no race yet: cat",
        "first race for this team: ann",
        "new team: grey",
        "first race of the season: nobody has seen these cars race",
        "no race at monza since 2018",
        "one practice session known (fp1)",
    )
    assert weekend_notes(["ann"], ["red"], 2024, "spa", starts, None) == ("no practice known",)

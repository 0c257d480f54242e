"""Weekend models as files: exact, always the same bytes, and nothing else is read."""

from __future__ import annotations

import json
import pickle
import zipfile
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.outlook import LaterOutlook, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.phases import AT_LOCK, PHASES
from f1_pipeline.forecast.weekend_files import read_weekend, weekend_bytes
from f1_pipeline_tests.forecast_rows import weekend_model

QUICK = settings(derandomize=True, database=None, deadline=None, max_examples=60)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("weekend") / "weekend.npz"


Outlook = LaterOutlook | WeekendOutlook | RaceOutlook


def assert_same(found: Outlook, expected: Outlook) -> None:
    """Compare type by type and bit by bit."""
    assert type(found) is type(expected)
    for each in fields(expected):
        one, other = getattr(found, each.name), getattr(expected, each.name)
        assert type(one) is type(other), each.name
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype, each.name
            np.testing.assert_array_equal(one, other)
        elif isinstance(other, Outlook):
            assert_same(one, other)
        else:
            assert one == other, each.name


def read(path: Path, content: bytes):
    path.write_bytes(content)
    return read_weekend(path)


@QUICK
@given(seed=st.integers(0, 10**6), cars=st.integers(1, 22), has_sprint=st.booleans())
def test_round_trip_is_exact(path, seed, cars, has_sprint):
    model = weekend_model(seed=seed, cars=cars, has_sprint=has_sprint)
    drivers, constructors, outlooks, later = read(path, weekend_bytes(model))
    assert (drivers, constructors) == (model.drivers, model.constructors)
    assert set(outlooks) == set(PHASES)
    for phase, outlook in model.outlooks.items():
        assert_same(outlooks[phase], outlook)
    assert_same(later, model.later)


def test_values_that_numbers_may_take_survive(path):
    model = weekend_model()
    odd = replace(
        model.outlooks[AT_LOCK],
        strength_mean=np.array([np.nan, -0.0, 1e-310, 1 / 3, -np.inf, 1e300, 0.1, 5.0]),
        race=replace(model.outlooks[AT_LOCK].race, retirement_logit=np.full(4, -np.inf)),
        qualifying_sd=0.1 + 0.2,
    )
    outlooks = read(path, weekend_bytes(replace(model, outlooks={AT_LOCK: odd}))).outlooks
    assert list(outlooks) == [AT_LOCK]
    assert outlooks[AT_LOCK].strength_mean.tobytes() == odd.strength_mean.tobytes()
    assert outlooks[AT_LOCK].qualifying_sd == 0.30000000000000004
    assert (outlooks[AT_LOCK].race.retirement_logit == -np.inf).all()


def test_the_same_model_gives_the_same_bytes_and_another_gives_others(path):
    model = weekend_model()
    content = weekend_bytes(model)
    assert content == weekend_bytes(weekend_model())
    # also in another order of phases, and without what is not in it
    shuffled = {phase: model.outlooks[phase] for phase in reversed(PHASES)}
    bare = replace(model, outlooks=shuffled, features=model.features.iloc[:0], notes={}, known_until={})
    assert content == weekend_bytes(bare)
    lock = model.outlooks[AT_LOCK]
    nudged = replace(lock, strength_mean=lock.strength_mean + 1e-9)
    others = [
        replace(model, race_key="2026-two"),
        replace(model, drivers=(*model.drivers[:-1], "somebody")),
        replace(model, constructors=(*model.constructors[:-1], "some team")),
        replace(model, outlooks={**model.outlooks, AT_LOCK: nudged}),
        replace(model, outlooks={**model.outlooks, AT_LOCK: replace(lock, pit_log_sd=0.2)}),
        replace(model, outlooks={**model.outlooks, AT_LOCK: replace(lock, sprint=None)}),
        replace(model, outlooks={phase: model.outlooks[phase] for phase in PHASES[:2]}),
        replace(model, later=replace(model.later, retirement_shift={"spa": 0.3})),
        replace(model, later=replace(model.later, weekend=lock)),
    ]
    assert len({content, *map(weekend_bytes, others)}) == 1 + len(others)


def test_the_file_is_a_zip_of_plain_arrays_without_a_clock(path):
    path.write_bytes(weekend_bytes(weekend_model()))
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        header = json.loads(archive.read("header.json"))
        assert header["race_key"] == "2026-one"
        for name in archive.namelist()[1:]:
            array = np.load(BytesIO(archive.read(name)), allow_pickle=False)
            assert array.dtype.kind in "fi", name


@pytest.fixture(scope="module")
def content() -> bytes:
    return weekend_bytes(weekend_model())


def assert_refused_or_the_same(path: Path, damaged: bytes) -> bool:
    """Read a damaged file: refused, or what was damaged is not part of the content; True when refused."""
    try:
        drivers, constructors, outlooks, later = read(path, damaged)
    except DataError:
        return True
    model = weekend_model()
    assert (drivers, constructors) == (model.drivers, model.constructors)
    for phase in PHASES:
        assert_same(outlooks[phase], model.outlooks[phase])
    assert_same(later, model.later)
    return False


@QUICK
@given(data=st.data())
def test_one_flipped_bit_is_noticed(path, content, data):
    damaged = bytearray(content)
    damaged[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert_refused_or_the_same(path, bytes(damaged))


def test_damage_anywhere_in_the_arrays_is_refused(path, content):
    first = content.index(b".npy") + 4
    last = content.index(b"PK\x01\x02")  # where the directory of the zip begins
    refused = []
    for at in range(first, last, 97):
        damaged = bytearray(content)
        damaged[at : at + 40] = bytes(byte ^ 0xFF for byte in damaged[at : at + 40])
        refused.append(assert_refused_or_the_same(path, bytes(damaged)))
    assert len(refused) > 50
    assert all(refused)


@QUICK
@given(data=st.data())
def test_a_truncated_file_is_refused(path, content, data):
    with pytest.raises(DataError, match="expected a weekend model"):
        read(path, content[: data.draw(st.integers(0, len(content) - 1))])


def rezipped(content: bytes, **changes: bytes | None) -> bytes:
    """Pack the archive again with some members replaced, or left out."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            new = changes.get(name.rsplit(".", 1)[0].replace(".", "_"), source.read(name))
            if new is not None:
                archive.writestr(name, new)
    return target.getvalue()


def saved(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    target = BytesIO()
    np.save(target, array, allow_pickle=allow_pickle)
    return target.getvalue()


class Trap:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("trap-was-sprung"),)


@pytest.mark.parametrize("kind", ["object array", "plain pickle"])
def test_pickles_are_refused_and_not_run(path, content, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickled = (
        saved(np.array([Trap()], dtype=object), allow_pickle=True) if kind == "object array" else pickle.dumps(Trap())
    )
    with pytest.raises(DataError, match="pickle"):
        read(path, rezipped(content, at_lock_strength_mean=pickled))
    assert list(tmp_path.iterdir()) == []


def test_archives_of_something_else_are_refused(path, content):
    assert set(read(path, rezipped(content))[2]) == set(PHASES)  # the control: packed again it is still one
    header = json.loads(zipfile.ZipFile(BytesIO(content)).read("header.json"))
    headers = [
        None,
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        json.dumps({**header, "phases": []}).encode(),
        json.dumps({name: value for name, value in header.items() if name != "drivers"}).encode(),
        json.dumps({**header, "phases": {"at_lock": {"surprise": 1}}}).encode(),
        json.dumps({**header, "phases": {**header["phases"], "tomorrow": {}}}).encode(),
        json.dumps({name: value for name, value in header.items() if name != "later"}).encode(),
    ]
    for new in headers:
        with pytest.raises(DataError, match="expected a weekend model"):
            read(path, rezipped(content, header=new))
    with pytest.raises(DataError, match="strength_mean"):
        read(path, rezipped(content, at_lock_strength_mean=None))
    with pytest.raises(DataError, match="expected a weekend model"):
        read(path, b"")
    with pytest.raises(DataError, match=r"absent\.npz: expected a weekend model"):
        read_weekend(path.parent / "absent.npz")

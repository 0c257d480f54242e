"""Store weekend models as arrays in one file, and read them back.

Belongs here: the format, NumPy's own `.npz` without pickles, with a JSON header. The same model gives the same bytes.
Neighbours: `forecast.weekend_model` makes the models, `forecast.tracking` keeps the files.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import fields, is_dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from f1_pipeline.errors import DataError
from f1_pipeline.forecast.outlook import LaterOutlook, RaceOutlook, WeekendOutlook
from f1_pipeline.forecast.weekend_model import WeekendModel

_HEADER = "header.json"
_PARTS = {"race": RaceOutlook, "sprint": RaceOutlook, "weekend": WeekendOutlook}
_LATER = "later"
_NOT_A_MODEL = (
    *(zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError),
    *(AttributeError, KeyError, TypeError, ValueError),
)
"""What zipfile, NumPy and JSON raise for bytes that are something else or damaged."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip can hold: none is meant


class StoredWeekend(NamedTuple):
    """What a file says of a weekend: the names of the columns, its outlook at each phase, and that of later races."""

    drivers: tuple[str, ...]
    constructors: tuple[str, ...]
    outlooks: dict[str, WeekendOutlook]
    later: LaterOutlook


def weekend_bytes(model: WeekendModel) -> bytes:
    """Pack the outlooks of a weekend.

    Parameters
    ----------
    model : WeekendModel

    Returns
    -------
    bytes
        A zip of arrays; its features are not in it, they are a table.
    """
    arrays: dict[str, np.ndarray] = {}
    header: dict[str, Any] = {
        "race_key": model.race_key,
        "drivers": model.drivers,
        "constructors": model.constructors,
        "phases": {phase: _packed(outlook, phase, arrays) for phase, outlook in model.outlooks.items()},
        _LATER: _packed(model.later, _LATER, arrays),
    }
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(_HEADER, _EPOCH), json.dumps(header, sort_keys=True))
        for name, array in sorted(arrays.items()):
            content = BytesIO()
            np.save(content, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content.getvalue())
    return target.getvalue()


def read_weekend(path: Path) -> StoredWeekend:
    """Read drivers, constructors and outlooks.

    Parameters
    ----------
    path : Path
        Written with `weekend_bytes`.

    Returns
    -------
    StoredWeekend

    Raises
    ------
    DataError
        When the file is not one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(archive.read(_HEADER))
            arrays = {
                name.removesuffix(".npy"): np.load(BytesIO(archive.read(name)), allow_pickle=False)
                for name in archive.namelist()
                if name != _HEADER
            }
        outlooks = {
            phase: WeekendOutlook(**_unpacked(content, phase, arrays)) for phase, content in header["phases"].items()
        }
        later = LaterOutlook(**_unpacked(header[_LATER], _LATER, arrays))
        return StoredWeekend(tuple(header["drivers"]), tuple(header["constructors"]), outlooks, later)
    except _NOT_A_MODEL as error:
        raise DataError(f"{path}: expected a weekend model, found {error}") from error


def _packed(
    part: LaterOutlook | WeekendOutlook | RaceOutlook, prefix: str, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Split a dataclass into plain values and arrays, which are named by their path."""
    plain: dict[str, Any] = {}
    for each in fields(part):
        value, name = getattr(part, each.name), f"{prefix}.{each.name}"
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif is_dataclass(value):
            assert isinstance(value, WeekendOutlook | RaceOutlook)
            plain[each.name] = _packed(value, name, arrays)
        else:
            plain[each.name] = value
    return plain


def _unpacked(plain: dict[str, Any], prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    own: dict[str, Any] = {
        name.removeprefix(f"{prefix}."): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}.") and "." not in name.removeprefix(f"{prefix}.")
    }
    for name, value in plain.items():
        is_part = name in _PARTS and value is not None
        own[name] = _PARTS[name](**_unpacked(value, f"{prefix}.{name}", arrays)) if is_part else value
    return own

"""The best transfers, boost and chip of every team in a file, part by part.

Belongs here: the files: teams in, advice out, parts kept in between. Neighbours: `team_advice` advises a part, `spread`
does so here or on workers, `report.recommend` tells what came of it.

Finished parts lie in a folder beside the answer, each with the key of what it was made of: teams, forecast, options,
code and packages. A run that was stopped goes on after them; parts with another key go. One run at a time has the
folder; what else somebody keeps there is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.util import hash_pandas_object

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.settings import Settings
from f1_pipeline.steps.advice_rows import answer_schema
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.spread import spread
from f1_pipeline.steps.team_advice import Part, RaceAdviser, advise_part, race_adviser
from f1_pipeline.steps.team_rows import check_columns, columns_of
from f1_pipeline.steps.versions import versions

KEY = b"f1_recommend_key"
IDS_AT_ONCE = 100_000
LOCK = ".recommend.lock"
_OURS = re.compile(r"part-(\d+)\.parquet|\.part-\d+\.parquet\.\d+\.tmp")


@dataclass
class RecommendSummary:
    """What came of a file of teams.

    Attributes
    ----------
    race_key : str
    chips : dict of str to int
        Teams that should play each chip.
    teams, errors, resumed_teams : int
        Rows, those that are bad, and those whose part was there already.
    gain_points : float
        Sum over the good rows of what the advice gains over doing nothing.
    """

    race_key: str
    chips: dict[str, int]
    teams: int = 0
    errors: int = 0
    resumed_teams: int = 0
    gain_points: float = 0.0

    @property
    def mean_gain_points(self) -> float | None:
        """Mean gain of a good row."""
        good = self.teams - self.errors
        return self.gain_points / good if good else None

    def add(self, rows: pa.Table) -> None:
        """Count the rows of a part."""
        self.teams += rows.num_rows
        self.errors += rows.num_rows - rows["error"].null_count
        self.gain_points += float(np.nansum(rows["gain_points"].to_numpy()))
        for chip, count in rows["chip"].to_pandas().value_counts().items():
            self.chips[str(chip)] += int(count)


@dataclass(frozen=True)
class RecommendRequest:
    """What is asked.

    Attributes
    ----------
    teams, out : Path
        Parquet files.
    race_key : str
    most_transfers : int
        Transfers at most, unless any number is free.
    part_size : int
        Teams of a part.
    """

    teams: Path
    out: Path
    race_key: str
    most_transfers: int = 3
    part_size: int = 10_000

    @property
    def parts_dir(self) -> Path:
        """Where finished parts lie until all are."""
        return self.out.with_name(f"{self.out.name}.parts")


def recommend(
    pipeline: Pipeline,
    request: RecommendRequest,
    on_part: Callable[[int, int], None] = lambda done, total: None,
) -> RecommendSummary:
    """Advise every team of a file, and write the answers whole or not at all.

    Parameters
    ----------
    pipeline : Pipeline
    request : RecommendRequest
    on_part : callable
        Told how many teams are done, and of how many.

    Returns
    -------
    RecommendSummary

    Raises
    ------
    UsageError
        There are no teams, or the answer would take the place of something else; or see `race_adviser`.
    DataError
        A file cannot be read or written, or lacks a column.
    WarehouseError
        See `race_adviser`.
    """
    _check_request(request)
    adviser = race_adviser(pipeline, request.race_key, request.most_transfers)
    return advise_file(pipeline.settings, adviser, request, on_part)


def advise_file(
    settings: Settings, adviser: RaceAdviser, request: RecommendRequest, on_part: Callable[[int, int], None]
) -> RecommendSummary:
    """Do the same with a race that has been read.

    Parameters
    ----------
    settings : Settings
        Whether parts are spread over workers.
    adviser : RaceAdviser
    request : RecommendRequest
    on_part : callable

    Returns
    -------
    RecommendSummary

    Raises
    ------
    F1PipelineError
        See `recommend`.
    """
    with _opened(request.teams) as teams:
        schema, total = teams.schema_arrow, teams.metadata.num_rows
        check_columns(schema, request.teams.name)
        key, twice = _key(request, adviser), _ids_twice(teams, request.teams)
        summary = RecommendSummary(request.race_key, dict.fromkeys(adviser.tables.chips, 0))
        with _disk_errors(request.out), _alone(request):
            done = _finished_parts(request, key, total)
            summary.resumed_teams = sum(done.values())
            on_part(summary.resumed_teams, total)
            missing = (part for part in _parts(teams, request, twice) if part.number not in done)
            for number, rows in spread(settings, advise_part, missing, adviser):
                _write(rows.replace_schema_metadata({KEY: key}), _part_path(request, number))
                on_part(rows.num_rows, total)
            paths = [_part_path(request, number) for number in range(-(-total // request.part_size))]
            answers = (_read_part(path, key) for path in paths)
            _join(answers, request.out, answer_schema(schema.field("team_id").type), total, summary)
            for path in paths:
                path.unlink()
    return summary


def _check_request(request: RecommendRequest) -> None:
    if request.out.is_dir():
        raise UsageError(f"--out: expected a file, found the folder {request.out}")
    if request.out.resolve() == request.teams.resolve():
        raise UsageError(f"--out: expected another file than that of the teams, found {request.out}")


@contextmanager
def _disk_errors(out: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _alone(request: RecommendRequest) -> Generator[None]:
    """Hold the folder of parts, and take it away unless something is in it; it is given back with the process."""
    path = request.parts_dir / LOCK
    request.parts_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as holding:
        try:
            lock = holding.enter_context(path.open("ab"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.path.samestat(os.fstat(lock.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            held = False
        if not held:  # or whoever held it took it away this very moment
            raise UsageError(f"--out: another `recommend` is writing {request.out}; try again after it")
        try:
            yield
        finally:
            with suppress(OSError):
                path.unlink()
                request.parts_dir.rmdir()


@contextmanager
def _opened(path: Path) -> Generator[pq.ParquetFile]:
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise UsageError(f"--teams: expected a Parquet file, found none at {path}") from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: expected a Parquet file of teams: {_first_line(error)}") from error
    with file:
        yield file


def _batches(teams: pq.ParquetFile, path: Path, size: int, columns: list[str]) -> Iterator[pa.Table]:
    """Read some columns, so many rows at a time."""
    try:
        for batch in teams.iter_batches(batch_size=size, columns=columns):
            yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: expected a whole Parquet file of teams: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _parts(teams: pq.ParquetFile, request: RecommendRequest, twice: frozenset[object]) -> Iterator[Part]:
    columns = columns_of(teams.schema_arrow)
    for number, rows in enumerate(_batches(teams, request.teams, request.part_size, columns)):
        is_twice = np.zeros(rows.num_rows, dtype=bool)
        # Without its nulls a column of numbers stays one of whole numbers.
        is_twice[rows["team_id"].is_valid().to_numpy()] = rows["team_id"].drop_null().to_pandas().isin(twice)
        yield Part(number, rows, is_twice)


def _ids_twice(teams: pq.ParquetFile, path: Path) -> frozenset[object]:
    """Find the ids that several rows have; eight bytes a team are kept, not the ids."""
    hashes = [_hashes(ids) for ids in _ids(teams, path)]
    every = np.sort(np.concatenate([np.zeros(0, dtype=np.uint64), *hashes]))
    suspects = every[1:][every[1:] == every[:-1]]
    if not suspects.size:
        return frozenset()
    # Two ids may share a hash, so those that do are counted by themselves.
    rest = pd.concat([ids[np.isin(_hashes(ids), suspects)] for ids in _ids(teams, path)])
    return frozenset(rest[rest.duplicated()])


def _ids(teams: pq.ParquetFile, path: Path) -> Iterator[pd.Series]:
    for rows in _batches(teams, path, IDS_AT_ONCE, ["team_id"]):
        yield rows["team_id"].drop_null().to_pandas()


def _hashes(ids: pd.Series) -> np.ndarray:
    return hash_pandas_object(ids, index=False).to_numpy()  # ty: ignore[not-callable]


def _key(request: RecommendRequest, adviser: RaceAdviser) -> str:
    """Hash what the answers follow from: the teams, the race, its tables, the options, the code and its packages."""
    options = (request.race_key, request.most_transfers, request.part_size)
    digest = hashlib.sha256(repr((options, versions())).encode())
    with request.teams.open("rb") as stream:
        digest.update(hashlib.file_digest(stream, "sha256").digest())
    digest.update(adviser.digest())
    return digest.hexdigest()


def _part_path(request: RecommendRequest, number: int) -> Path:
    return request.parts_dir / f"part-{number:05d}.parquet"


def _finished_parts(request: RecommendRequest, key: str, total: int) -> dict[int, int]:
    """Find the parts that are there, with their rows; those of something else go, and what a kill left of one."""
    done = {}
    for path in sorted(request.parts_dir.iterdir()):
        if named := _OURS.fullmatch(path.name):
            number, rows = int(named[1] or -1), _rows_of_part(path, key)
            expected = min(request.part_size, total - number * request.part_size)
            if rows == expected and path == _part_path(request, number):
                done[number] = rows
            else:
                path.unlink()
    return done


def _rows_of_part(path: Path, key: str) -> int | None:
    try:
        found = pq.read_metadata(path)
    except (OSError, pa.ArrowException):  # cut short, or no part at all: it is made again
        return None
    keys = found.metadata or {}
    if KEY not in keys:
        raise UsageError(f"--out: expected parts of an answer only, found {path}, which is not one; move it elsewhere")
    return found.num_rows if keys[KEY] == key.encode() else None


def _read_part(path: Path, key: str) -> pa.Table:
    """Read the answers of a part; it may have been changed since it was written."""
    try:
        rows = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: expected a finished part, run the command again: {_first_line(error)}") from error
    if (rows.schema.metadata or {}).get(KEY) != key.encode():
        raise DataError(f"{path}: expected a part of this answer, found one of another; run the command again")
    return rows.replace_schema_metadata(None)


def _join(parts: Iterator[pa.Table], out: Path, schema: pa.Schema, total: int, summary: RecommendSummary) -> None:
    """Write the answers of all parts into one file, one part at a time in memory."""
    with _unfinished(out) as path:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for rows in parts:
                summary.add(rows)
                writer.write_table(rows)
        if summary.teams != total:
            raise DataError(
                f"{out}: expected {total} answers, one a team, found {summary.teams}; run the command again"
            )


def _write(rows: pa.Table, path: Path) -> None:
    with _unfinished(path) as unfinished:
        pq.write_table(rows, unfinished, compression="zstd")


@contextmanager
def _unfinished(path: Path) -> Generator[Path]:
    """Give a file to write that takes the place of another when all is well, and vanishes otherwise."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)

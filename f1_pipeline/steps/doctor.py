"""What the doctor looks at on the machine: Python, packages, disk, folders, clock, facts, your team.

Belongs here: one check as a value, and the checks that need neither the warehouse nor Dagster; each is a small function
that looks and changes nothing. Neighbours: `doctor_stores.py` has the checks of the warehouse and of MLflow,
`defs.health` those of Dagster, `report.doctor` runs all of them and shows what they found.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Literal

from f1_pipeline.errors import F1PipelineError
from f1_pipeline.settings import Settings
from f1_pipeline.sources.bundle import validate_bundle
from f1_pipeline.sources.my_team import read_my_team
from f1_pipeline.steps.menus import newest_menu
from f1_pipeline.steps.my_team import team_for
from f1_pipeline.steps.pipeline import Pipeline

Status = Literal["ok", "warn", "fail"]
STATUSES: tuple[Status, ...] = ("ok", "warn", "fail")
NEEDED_BYTES, SCANT_BYTES = 500_000_000, 2_000_000_000  # a warehouse with its models, and a few of them
FACTS_AFTER = timedelta(hours=28)  # a race's points are official a day after it has ended, or something is wrong
PRICES_BEFORE = timedelta(days=3)  # the game publishes prices some days after the race before
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;#]+)")
REQUIREMENT = re.compile(r"^[A-Za-z0-9._-]+")
SHOWN = 4


@dataclass(frozen=True)
class Check:
    """What one look found.

    Attributes
    ----------
    name : str
        Stable, for programs: `disk`, `warehouse`, ….
    status : str
        `ok`; `warn`, something needs attention; `fail`, something does not work.
    sentence : str
        What was found.
    mend : str
        What to do about it; empty when nothing is wrong.
    """

    name: str
    status: Status
    sentence: str
    mend: str = ""


Look = Callable[[], Check]


def looked(name: str, look: Look, mend: str) -> Check:
    """Look; an error of the project's own becomes a failed check that says it.

    Parameters
    ----------
    name : str
    look : callable
    mend : str
        What to do when it fails so.
    """
    try:
        return look()
    except F1PipelineError as error:
        return Check(name, "fail", str(error), mend)


def machine_checks(settings: Settings) -> Iterator[Check]:
    """Look at what the program runs on."""
    yield check_python(settings)
    yield check_packages(settings)
    yield check_disk(settings)
    yield check_folders(settings)
    yield check_clock(datetime.now(UTC), _newest_file(settings))
    # whoever knows the address can write there, so it is not shown
    yield Check("webhook", "ok", "F1_WEBHOOK is set" if settings.webhook else "F1_WEBHOOK is not set: nobody is told")


def fact_checks(pipeline: Pipeline) -> Iterator[Check]:
    """Look at the facts and at your team."""
    mend = "restore the file from the repository, or `f1-pipeline refresh`"
    yield looked("facts", lambda: check_facts(pipeline), mend)
    yield looked("freshness", lambda: check_freshness(pipeline), mend)
    path = pipeline.settings.team_path
    yield looked("team", lambda: check_team(pipeline), f"edit {path}, or `f1-pipeline team set --from-lineup 1`")


def check_python(settings: Settings) -> Check:
    """Hold the running Python against the one that the project asks for."""
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = _project(settings).get("requires-python", ">=3.11").removeprefix(">=")
    if sys.version_info[:2] < tuple(int(part) for part in wanted.split(".")[:2]):
        return Check("python", "fail", f"Python {found}, expected {wanted} or newer", "install a newer Python")
    return Check("python", "ok", f"Python {found}")


def check_packages(settings: Settings) -> Check:
    """Hold the installed packages against those that the project needs, in the versions it was tested with."""
    path = settings.home / "constraints.txt"
    mend = "`make run` installs what is pinned, or `pip install -c constraints.txt -e .`"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return Check("packages", "fail", f"{path}: cannot be read: {error}", "restore the file from the repository")
    pins = {_normal(match["name"]): match["version"] for line in lines if (match := PIN.match(line))}
    installed = {_normal(each.name): each.version for each in metadata.distributions() if each.name}
    needed = [
        match.group() for text in _project(settings).get("dependencies", []) if (match := REQUIREMENT.match(text))
    ]
    missing = sorted(name for name in map(_normal, needed) if name not in installed)
    if missing:
        return Check("packages", "fail", f"not installed: {', '.join(missing)}", mend)
    others = sorted(
        f"{name} {installed[name]} instead of {version}"
        for name, version in pins.items()
        if installed.get(name, version) != version
    )
    if others:
        return Check("packages", "warn", f"other versions than tested: {shortened(others)}", mend)
    return Check("packages", "ok", f"{len(needed)} packages as needed, all in the versions of {path.name}")


def check_disk(settings: Settings) -> Check:
    """Say how much space is left where the warehouse grows."""
    folder = next(path for path in (settings.warehouse_dir, *settings.warehouse_dir.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    sentence = f"{free / 1e9:.1f} GB free at {folder}"
    if free < NEEDED_BYTES:
        return Check("disk", "fail", f"{sentence}, expected {NEEDED_BYTES / 1e9:g} GB or more", "free some space")
    if free < SCANT_BYTES:
        return Check("disk", "warn", f"{sentence}, a few runs take {SCANT_BYTES / 1e9:g} GB", "free some space")
    return Check("disk", "ok", sentence)


def check_folders(settings: Settings) -> Check:
    """Say whether runs may write where they do."""
    folders = [settings.data_dir, settings.warehouse_dir, settings.tracking_dir, settings.dagster_dir]
    broken = [f"{folder} is no folder" for folder in folders if folder.exists() and not folder.is_dir()]
    existing = [folder for folder in folders if folder.is_dir()]
    broken += [f"{folder} cannot be written" for folder in existing if not os.access(folder, os.W_OK | os.X_OK)]
    if broken:
        return Check("folders", "fail", "; ".join(broken), "make it a folder that you may write in (chown, chmod)")
    return Check("folders", "ok", f"data and {settings.warehouse_dir} can be written")


def check_clock(now: datetime, newest_file: datetime) -> Check:
    """Hold the clock against the newest file: a clock that is behind makes forecasts look as if made in time."""
    if now < newest_file - timedelta(minutes=5):
        sentence = f"the clock says {now:%Y-%m-%dT%H:%M} UTC, but a file is of {newest_file:%Y-%m-%dT%H:%M} UTC"
        return Check("clock", "fail", sentence, "set the clock (timedatectl set-ntp true)")
    return Check("clock", "ok", f"the clock says {now:%Y-%m-%dT%H:%M} UTC")


def check_facts(pipeline: Pipeline) -> Check:
    """Read every fact file as strictly as a run does."""
    counts = validate_bundle(pipeline.settings.data_dir)
    return Check("facts", "ok", f"{len(counts)} files, {sum(counts.values())} rows, all valid")


def check_freshness(pipeline: Pipeline) -> Check:
    """Hold the facts against the calendar: a race that was driven has points, the next one prices."""
    now, calendar = pipeline.clock(), pipeline.calendar
    driven = [
        race.race_key
        for race in calendar.races
        if not race.is_cancelled and not race.is_finished and race.race_start_at + FACTS_AFTER < now
    ]
    if driven:
        sentence = f"driven, but without results or official points in data/: {shortened(driven)}"
        return Check("freshness", "warn", sentence, "`f1-pipeline refresh`")
    coming = calendar.next_race
    if coming is None:
        return Check("freshness", "warn", "the season is over, the next calendar is not here", "`f1-pipeline refresh`")
    if not coming.has_prices and coming.lock_at - now < PRICES_BEFORE:
        return Check("freshness", "warn", f"{coming.race_key} has no prices yet", "`f1-pipeline refresh`")
    return Check("freshness", "ok", f"{calendar.finished[-1].race_key} is the last race, {coming.race_key} the next")


def check_team(pipeline: Pipeline) -> Check:
    """Hold your team against the rules and the race that it goes into."""
    team, coming = read_my_team(pipeline.settings.team_path), pipeline.calendar.next_race
    if team is None:
        return Check("team", "ok", "no my_team.toml: every line-up is a fresh start")
    race = pipeline.calendar.get(team.race_key)
    if race.is_finished:
        return Check("team", "warn", f"the team goes into {race.race_key}, which is over", "`f1-pipeline team next`")
    if coming is not None and race.race_key != coming.race_key:
        sentence = f"the team goes into {race.race_key}, the next race is {coming.race_key}"
        return Check("team", "warn", sentence, f"`f1-pipeline team set --race {coming.race_key}`")
    if race.has_prices:
        team_for(pipeline, team, newest_menu(pipeline, race.race_key))
    return Check("team", "ok", f"the team goes into {race.race_key} and keeps the rules")


def _project(settings: Settings) -> dict:
    """Read what pyproject.toml says of the project; nothing where it is not at hand."""
    try:
        return tomllib.loads((settings.home / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError, KeyError):
        return {}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _newest_file(settings: Settings) -> datetime:
    """Say when the newest of the files that runs and refreshes write was written."""
    files = [*settings.data_dir.glob("*.csv"), *_of(settings.warehouse_path), *_of(settings.tracking_dir / "mlflow.db")]
    return datetime.fromtimestamp(max((path.stat().st_mtime for path in files), default=0.0), UTC)


def _of(path: Path) -> list[Path]:
    return [path] if path.exists() else []


def shortened(names: list[str]) -> str:
    """Name some of many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more

"""What the shell completes: races, seasons, chips, assets, tables; and the script that makes it do so.

Belongs here: completion only, from file names and CSV files read by the standard library, because a shell waits at
every press of the key. Neighbours: the commands hang these functions on their options.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import click

from f1_pipeline.errors import F1PipelineError
from f1_pipeline.settings import Settings, load_settings

PROGRAM, VARIABLE = "f1-pipeline", "_F1_PIPELINE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
FIRST_GAME_SEASON = 2023  # the first with official points, as in `sources.calendar`, which is not imported here
NO_CHIP = "none"
LAST_WORD = re.compile(r"[\w.]*$")


def race_keys(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the key of a race of the game, newest season first."""
    return _starting(incomplete, [key for key, season in _races() if season >= FIRST_GAME_SEASON])


def every_race_key(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the key of any race that has results, also from before the game's points."""
    return _starting(incomplete, [key for key, _ in _races()])


def seasons(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a season of the game."""
    found = sorted({season for _, season in _races() if season >= FIRST_GAME_SEASON}, reverse=True)
    return _starting(incomplete, map(str, found))


def rule_seasons(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete a season that has rules."""
    settings = _settings()
    found = sorted((settings.data_dir / "rules").glob("*.toml"), reverse=True) if settings else []
    return _starting(incomplete, (path.stem for path in found))


def chips(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a chip."""
    return _starting(incomplete, _chip_names())


def race_chips(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete RACE=CHIP: first the race, then the chip."""
    race_key, mark, _ = incomplete.partition("=")
    if not mark:
        return [f"{key}=" for key in race_keys(context, parameter, incomplete)]
    return _starting(incomplete, (f"{race_key}={name}" for name in (*_chip_names(), NO_CHIP)))


def assets(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a driver or constructor that has a price in the newest season."""
    settings = _settings()
    rows = _rows(settings.data_dir / "prices.csv") if settings else []
    newest = max((row["race_key"] for row in rows if _season(row["race_key"])), key=_season, default="")
    found = {row["asset_id"] for row in rows if _season(row["race_key"]) == _season(newest)}
    return _starting(incomplete, sorted(found))


def sql(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the table that the last word of a statement begins with."""
    match = LAST_WORD.search(incomplete)
    begun, word = (incomplete, "") if match is None else (incomplete[: match.start()], match.group())
    return [begun + name for name in table_names() if word and name.startswith(word)]


def table_names() -> list[str]:
    """Name every table, from the files that make them."""
    settings = _settings()
    if settings is None:
        return []
    models = (path for path in settings.sql_dir.glob("*/*.sql") if path.parent.name != "tests")
    raw = (f"raw.{path.stem}" for path in settings.data_dir.glob("*.csv") if path.stem != "known_exceptions")
    return sorted({*raw, *(f"{path.parent.name}.{path.stem}" for path in models)})


@click.command(
    short_help="Print what lets a shell complete commands and names.",
    epilog="\b\nExamples:\n"
    '  eval "$(f1-pipeline completion bash)"                            # in ~/.bashrc\n'
    '  eval "$(f1-pipeline completion zsh)"                             # in ~/.zshrc\n'
    "  f1-pipeline completion fish > ~/.config/fish/completions/f1-pipeline.fish",
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that lets a shell complete commands, options, races, chips and tables."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, f"click completes {SHELLS}"
    # Not `source()`, which starts a bash to ask for its version and complains on macOS, where it is no use either.
    root = click.get_current_context().find_root().command
    script = kind(root, {}, PROGRAM, VARIABLE)
    click.echo(script.source_template % script.source_vars())


def _settings() -> Settings | None:
    try:
        return load_settings()
    except F1PipelineError:
        return None


def _races() -> list[tuple[str, int]]:
    """Read the keys and seasons of all races, newest season first, each season in order."""
    settings = _settings()
    rows = _rows(settings.data_dir / "races.csv") if settings else []
    found = [(row["race_key"], _season(row["race_key"]), row["race_date"]) for row in rows]
    return [(key, season) for key, season, day in sorted(found, key=lambda race: (-race[1], race[2])) if season]


def _rows(path: Path) -> list[dict[str, str]]:
    """Read a fact file; one that cannot be read completes nothing, the command itself says why."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [row for row in csv.DictReader(stream) if row.get("race_key")]
    except (OSError, ValueError, csv.Error):
        return []


def _season(race_key: str) -> int:
    season = race_key.partition("-")[0]
    return int(season) if season.isdecimal() else 0


def _chip_names() -> list[str]:
    settings = _settings()
    files = sorted((settings.data_dir / "rules").glob("*.toml")) if settings else []
    try:
        sections = tomllib.loads(files[-1].read_text(encoding="utf-8"))["chips"] if files else {}
    except (OSError, ValueError, KeyError):
        return []
    return [name for name, section in sections.items() if isinstance(section, dict)]


def _starting(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]

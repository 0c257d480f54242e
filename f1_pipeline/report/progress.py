"""Run the graph with a progress bar, and say afterwards where the time went.

Neighbours: `defs.runs` runs the jobs; `cli.py` says which races are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from f1_pipeline.defs.interrupts import plain_interrupts
from f1_pipeline.defs.jobs import FINISHED_RACE_JOB, NEXT_LINEUP_JOB, PAGES_JOB, RACE_HISTORY_JOB
from f1_pipeline.defs.runs import Runner, RunSummary
from f1_pipeline.report.bars import StepTimes, progress_bar
from f1_pipeline.report.tables import new_table
from f1_pipeline.settings import Settings


def run_with_progress(settings: Settings, race_key: str | None, season: int | None, *, quiet: bool) -> str | None:
    """Run what was asked for.

    Parameters
    ----------
    settings : Settings
    race_key : str or None
        One race only, after the earlier races that the warehouse lacks.
    season : int or None
        The finished races of one season only, likewise.
    quiet : bool
        No progress bar, no times.

    Returns
    -------
    str or None
        The race whose line-up is to be shown; None when the season is over.

    Raises
    ------
    F1PipelineError
        Whatever stops a step.
    """
    console = Console(stderr=True, quiet=quiet)
    times = StepTimes()
    summaries: list[RunSummary] = []
    with plain_interrupts(), progress_bar(quiet) as progress:
        task = progress.add_task("loading the graph", total=None)

        def on_step(table: str) -> None:
            times.log(table)
            progress.advance(task)

        runner = Runner(settings, on_step=on_step)

        def start(job_name: str, job: Callable[[], RunSummary], race_keys: Sequence[str]) -> None:
            races = race_keys[0] if len(race_keys) == 1 else f"{race_keys[0]} … {race_keys[-1]}"
            times.log(f"ready for {job_name}: {races}")
            if not (quiet or console.is_terminal):
                console.print(f"{job_name}: {races}", soft_wrap=True, highlight=False)  # so that a log file tells it
            progress.reset(task, description=f"{job_name}: {races}", total=runner.step_count(job_name))
            summaries.append(job())

        shown = _run(runner, race_key, season, start)
    for summary in summaries:
        _print_times(console, summary)
    return shown


Start = Callable[[str, Callable[[], RunSummary], Sequence[str]], None]


def _run(runner: Runner, race_key: str | None, season: int | None, start: Start) -> str | None:
    calendar = runner.pipeline.calendar
    if race_key is not None:
        race = calendar.get(race_key)
        runner.require_line_up_possible(race_key)
        _fill_history(runner, race_key, start)
        if race.is_finished:
            start(FINISHED_RACE_JOB, lambda: runner.compute_finished([race_key]), [race_key])
        else:
            start(NEXT_LINEUP_JOB, lambda: runner.choose_next(race_key), [race_key])
        start(PAGES_JOB, lambda: runner.write_pages([race_key]), [race_key])
        return race_key
    races = calendar.finished if season is None else calendar.season(season)
    keys = [race.race_key for race in races]
    if keys:
        _fill_history(runner, keys[0], start)
        start(FINISHED_RACE_JOB, lambda: runner.compute_finished(keys), keys)
    coming = calendar.next_race if season is None else None
    if coming is not None:
        start(NEXT_LINEUP_JOB, lambda: runner.choose_next(coming.race_key), [coming.race_key])
    shown = [*keys[-1:], *([] if coming is None else [coming.race_key])]
    if shown:
        start(PAGES_JOB, lambda: runner.write_pages(shown), shown)
    return shown[-1] if season is not None or coming is not None else None


def _fill_history(runner: Runner, race_key: str, start: Start) -> None:
    missing = runner.missing_history(race_key)
    if missing:
        start(RACE_HISTORY_JOB, lambda: runner.compute_history(missing), missing)


def _print_times(console: Console, summary: RunSummary) -> None:
    many = "" if summary.partition_count == 1 else "s"
    table = new_table(f"{summary.partition_count} {summary.partition}{many} in {summary.total_s:.1f} s")
    table.add_column("layer")
    table.add_column("seconds", justify="right")
    for layer, seconds in summary.seconds.items():
        table.add_row(layer, f"{seconds:.1f}")
    console.print(table)

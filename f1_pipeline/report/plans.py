"""Plans and chips as a person reads them: race by race what to buy, sell, boost and play, and when to play a chip.

Neighbours: `steps.plans` and `steps.chips` find them, `tables.py` the style, `pictures.py` the look of drawings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa

from f1_pipeline.errors import UsageError
from f1_pipeline.game.lineup import AssetKey, money
from f1_pipeline.optimize.plan_problem import NO_CHIP, PlannedRace
from f1_pipeline.report.bars import StepTimes, progress_bar
from f1_pipeline.report.tables import console, new_table, print_rows
from f1_pipeline.steps.chip_lines import chip_lines, chip_name
from f1_pipeline.steps.chips import ChipOutlook, chip_outlook
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.plans import PlanAnswer, PlanWishes, plan_races, plan_rows, planned_moves
from f1_pipeline.steps.race_choice import race_forecasts
from f1_pipeline.steps.season_races import fact_key

NONE = "none"


def parse_chips(texts: Sequence[str]) -> dict[str, str]:
    """Read RACE=NAME wishes.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    dict of str to str
        Chip by race key, `NO_CHIP` where none is wanted.

    Raises
    ------
    UsageError
        A text has another form, or a race is named twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        race_key, mark, name = text.partition("=")
        if not mark or not race_key or not name:
            raise UsageError(f"--chip: expected RACE=NAME such as 2026-belgium=limitless, found {text!r}")
        if race_key in found:
            raise UsageError(f"--chip: expected each race once, found {race_key} twice")
        found[race_key] = NO_CHIP if name.lower() == NONE else name.lower().replace("-", "_")
    return found


def plan_with_progress(pipeline: Pipeline, race_key: str | None, wishes: PlanWishes, *, quiet: bool) -> PlanAnswer:
    """Plan the coming races with a progress bar; see `steps.plans.plan_races`."""
    times = StepTimes()
    with progress_bar(quiet) as progress:
        total = 1 + (wishes.count > 1) + wishes.scenarios
        task = progress.add_task("planning", total=total)

        def say(text: str) -> None:
            times.log(f"planned {text}")
            progress.update(task, description=f"planned: {text}", advance=1)

        return plan_races(pipeline, pipeline.calendar.meant(race_key).race_key, wishes, say)


def print_plans(pipeline: Pipeline, answer: PlanAnswer, output: str) -> None:
    """Print plans.

    Parameters
    ----------
    pipeline : Pipeline
    answer : PlanAnswer
    output : str
        `table`, `json` or `csv`; the last two have a row per plan, race and asset.
    """
    if output != "table":
        print_rows(pa.Table.from_pylist(plan_rows(answer)), output)
        return
    names = race_forecasts(pipeline, [answer.race_key])[answer.race_key].names
    for rank, plan in enumerate(answer.plans, start=1):
        whose = "your team" if answer.team is not None else "a fresh start"
        table = new_table(f"Plan {rank} of {whose}: {plan.points:.1f} points in {len(plan.races)} races")
        for name, is_number in (
            ("race", False),
            ("sell", False),
            ("buy", False),
            ("boost", False),
            ("chip", False),
            ("penalty", True),
            ("bank", True),
            ("budget", True),
            ("points", True),
        ):
            table.add_column(name, justify="right" if is_number else "left", no_wrap=name == "race")
        for race in plan.races:
            table.add_row(*_race_cells(race, names))
        console().print(table)
    _print_notes(answer, names)


def _race_cells(race: PlannedRace, names: Mapping[AssetKey, str]) -> tuple[str, ...]:
    boosted = names["driver", race.lineup.boosted_driver.partition("@")[0]]
    if race.extra_boosted_driver:
        boosted = f"{boosted}, stronger: {names['driver', race.extra_boosted_driver.partition('@')[0]]}"
    return (
        race.race_key,
        ", ".join(names[fact_key(key)] for key in race.sold) or "–",
        ", ".join(names[fact_key(key)] for key in race.bought) or "–",
        boosted,
        chip_name(race.chip) if race.chip else "–",
        str(race.transfer_points) if race.transfer_points else "–",
        money(race.bank_tenths),
        money(race.budget_tenths),
        f"{race.points:.1f}",
    )


def _print_notes(answer: PlanAnswer, names: Mapping[AssetKey, str]) -> None:
    best, settings = answer.plans[0], answer.settings
    shown = console()
    first = best.races[0].lineup
    held = ", ".join(names[fact_key(key)] for key in first.asset_keys)
    shown.print(f"Line-up for {answer.race_key}: {held}.")
    moves = planned_moves(best.races[0])
    if moves and answer.move_shares:
        said = (f"{kind} {names[fact_key(key)]} {answer.move_shares.get((kind, key), 0.0):.0%}" for kind, key in moves)
        shown.print(f"How often each move stays when expectations are blurred: {', '.join(said)}.")
    others = sorted(
        (move for move in answer.move_shares if move not in moves), key=lambda move: -answer.move_shares[move]
    )[:4]
    if others:
        said = (f"{kind} {names[fact_key(key)]} {answer.move_shares[kind, key]:.0%}" for kind, key in others)
        shown.print(f"Other moves that came up: {', '.join(said)}.")
    if settings.chip_values:
        kept = ", ".join(f"{chip_name(name)} {value:.0f}" for name, value in sorted(settings.chip_values.items()))
        shown.print(f"Points that a chip must add to be played in the plan: {kept}.")
    shown.print(
        f"A million gained by the end of the plan counts {settings.money_value:.1f} points. "
        f"No plan is better by more than {best.gap:.1%} (proven)."
    )


def read_chips(pipeline: Pipeline, race_key: str | None, *, ignores_team: bool) -> list[ChipOutlook]:
    """Weigh the chips that are left; see `steps.chips.chip_outlook`."""
    return chip_outlook(pipeline, pipeline.calendar.meant(race_key).race_key, ignores_team=ignores_team)[1]


def print_chips(found: Sequence[ChipOutlook], output: str) -> None:
    """Print when to play each chip: a line per chip as a table, every race as JSON or CSV."""
    rows = pd.DataFrame([asdict(each) for each in found])
    if output != "table":
        rows["keep_points"] = rows["keep_points"].where(rows["keep_points"] < float("inf"))
        print_rows(pa.Table.from_pandas(rows, preserve_index=False), output)
        return
    table = new_table(f"Chips at {found[0].race_key}" if found else "Chips: none is left")
    for name in ("chip", "adds now", "play if it adds", "best later race", "adds there", "now?"):
        table.add_column(name, justify="left" if name in ("chip", "best later race", "now?") else "right")
    for line in chip_lines(rows.to_dict("records")):
        table.add_row(
            chip_name(line.chip),
            f"{line.gain_points:.1f}",
            "not known yet" if line.keep_points is None else f"{line.keep_points:.1f}",
            line.best_race_key or "any",
            "–" if line.best_gain_points is None else f"{line.best_gain_points:.1f}",
            line.advice,
        )
    console().print(table)


def draw_chips(found: Sequence[ChipOutlook], path: Path) -> None:
    """Draw what each chip adds at every race that remains, against what it must add.

    Parameters
    ----------
    found : sequence of ChipOutlook
    path : Path
        Ends in .svg or .png.

    Raises
    ------
    UsageError
        It cannot be written, or there is nothing to draw.
    """
    from matplotlib.figure import Figure

    from f1_pipeline.report.pictures import drawn_in, write_figure
    from f1_pipeline.report.themes import LIGHT

    chips = sorted({each.chip for each in found})
    if not chips:
        raise UsageError("Chips: none is left to draw")
    rows = (len(chips) + 1) // 2
    with drawn_in(LIGHT):
        figure = Figure(figsize=(11.0, 2.8 * rows), layout="constrained")
        axes = list(figure.subplots(rows, 2, squeeze=False).flat)
        for axis, chip in zip(axes, chips, strict=False):
            own = [each for each in found if each.chip == chip]
            places = list(range(len(own)))
            axis.bar(places, [each.gain_points for each in own], color=LIGHT.first, label="adds")
            kept = [each.keep_points for each in own]
            axis.step(places, kept, where="mid", color=LIGHT.second, label="play if it adds as much")
            axis.set_title(chip_name(chip))
            names = [each.race_key.partition("-")[2] for each in own]
            axis.set_xticks(places, names, rotation=60, ha="right", fontsize=7)
            axis.set_ylabel("points")
        for axis in axes[len(chips) :]:
            axis.set_visible(False)
        axes[0].legend()
        write_figure(figure, path, "When to play each chip")

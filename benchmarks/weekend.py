"""How long it takes from new results to the published page, and where the time goes.

Here: what runs after a Grand Prix, on an installation that is up to date until then: the finished race, the line-up of
the next one, the snapshot and the pages. Not here: fetching, which waits for others; the pause between two ticks of the
sensor, which is a setting.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from benchmarks.registry import Figure, benchmark
from f1_pipeline.defs.runs import Runner
from f1_pipeline.settings import load_settings


@benchmark("weekend_to_page_s")
def weekend_to_page() -> list[Figure]:
    """Time the runs after the last finished race, warm, against computing every race anew; then each layer's share.

    Once: the installation before it takes minutes, and each of its models is trained once.
    """
    with tempfile.TemporaryDirectory(prefix="f1-pipeline-bench-") as folder:
        runner = Runner(replace(load_settings(), warehouse_dir=Path(folder)))
        calendar = runner.pipeline.calendar
        finished, coming = [race.race_key for race in calendar.finished], calendar.next_race
        assert coming is not None, "the season is over: there is no next race to choose a line-up for"
        before = runner.compute_finished(finished[:-1]).total_s + runner.choose_next(finished[-1]).total_s
        before += runner.write_pages(finished[-2:]).total_s
        runs = (
            runner.compute_finished(finished[-1:]),
            runner.choose_next(coming.race_key),
            runner.write_pages([finished[-1], coming.race_key]),
        )
    total = sum(run.total_s for run in runs)
    layers: Counter[str] = Counter()
    for run in runs:
        layers.update(run.seconds)
    anew = before + total
    return [
        Figure("weekend_to_page_s", total, "s", "every race computed anew", anew),
        *(
            Figure(f"weekend_to_page_{layer}_s", seconds, "s", "all layers", total)
            for layer, seconds in layers.most_common()
        ),
    ]

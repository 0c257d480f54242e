"""`f1-pipeline doctor`: is everything well, and if not, what to do.

Belongs here: its options and its exit code. Neighbours: `report.doctor` runs the checks and shows them. Heavy libraries
are imported inside the function.
"""

from __future__ import annotations

import sys

import click

from f1_pipeline.cli_options import examples, format_option, reports_errors, talk_options
from f1_pipeline.settings import load_settings


@click.command(
    epilog=examples(
        "doctor                          look at everything that is on this computer",
        "doctor --online                 ask the sources of facts as well",
        "doctor --quiet --format json    for a program; see the exit code too",
    )
    + "\n\n\b\nExit codes: 0 all is well; 3 something needs attention; 4 something does not work."
)
@click.option("--online", is_flag=True, help="Ask the sources of facts too; nothing else uses the network.")
@talk_options
@format_option
@reports_errors
def doctor(online: bool, quiet: bool, output: str) -> None:
    """Check everything, and say how to mend what is not well.

    Looks at Python and packages, disk, folders, clock, facts, your team, the warehouse and its published copy, the
    models in MLflow, Dagster's records, failed runs and the daemon. Nothing is changed.
    """
    from f1_pipeline.report.doctor import EXIT_CODES, examine, print_checks, worst
    from f1_pipeline.steps.pipeline import Pipeline

    checks = examine(Pipeline(load_settings()), is_online=online, quiet=quiet)
    print_checks(checks, output)
    sys.stdout.flush()
    sys.exit(EXIT_CODES[worst(checks)])

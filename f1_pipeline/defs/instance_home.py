"""The Dagster home of an installation, for `dagster dev` and `dagster-daemon`, which read their folders from a file.

Belongs here: writing `dagster.yaml` with its relative folders placed below the installation's own warehouse folder, so
that the UI shows the runs of that installation wherever F1_WAREHOUSE_DIR points. Neighbour: `instance.py` opens the
same instance in this process.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from f1_pipeline.defs.instance import DEFAULT_DIR, instance_config
from f1_pipeline.report.files import write_file
from f1_pipeline.settings import Settings


def write_instance_home(settings: Settings) -> Path:
    """Write the Dagster home of an installation, unless the project's own file says the same already.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Path
        The folder for DAGSTER_HOME: the project's own when its records are in their usual place, else `home` below
        Dagster's own.

    Raises
    ------
    UsageError
        It cannot be written.
    """
    if settings.dagster_dir == settings.home / DEFAULT_DIR and not settings.dagster_postgres:
        return settings.home
    home = settings.dagster_dir / "home"
    write_file(home / "dagster.yaml", yaml.safe_dump(instance_config(settings)).encode("utf-8"))
    return home

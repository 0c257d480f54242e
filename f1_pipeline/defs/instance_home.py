"""The Dagster home of an installation, for `dagster dev` and `dagster-daemon`, which read their folders from a file.

Belongs here: writing `dagster.yaml` with its relative folders placed below the installation's own warehouse folder, so
that the UI shows the runs of that installation wherever F1_WAREHOUSE_DIR points. Neighbour: `instance.py` opens the
same instance in this process.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from f1_pipeline.defs.instance import DEFAULT_DIR, instance_config
from f1_pipeline.errors import WarehouseError
from f1_pipeline.settings import Settings


def write_instance_home(settings: Settings) -> Path:
    """Write the Dagster home of an installation, unless the project's own file says the same already.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    Path
        The folder for DAGSTER_HOME: the project's own when the warehouse is in its usual place, else `home` below
        Dagster's own.

    Raises
    ------
    WarehouseError
        It cannot be written.
    """
    if settings.dagster_dir == settings.home / DEFAULT_DIR:
        return settings.home
    home = settings.dagster_dir / "home"
    unfinished = home / ".dagster.yaml.tmp"
    try:
        home.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(yaml.safe_dump(instance_config(settings)), encoding="utf-8")
        unfinished.replace(home / "dagster.yaml")
    except OSError as error:
        raise WarehouseError(f"{home}: cannot be written: {error.strerror}") from error
    return home

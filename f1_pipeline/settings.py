"""Where things are: one frozen `Settings`, read once.

Belongs here: folders, file names and the few switches a user may set by environment variable. This is the only
module that reads `os.environ`. Neighbours: `definitions.py` and `cli.py` build a `Settings` and pass it on;
nothing below them looks for files by itself.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from f1_pipeline.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """Folders of one installation.

    Attributes
    ----------
    home : Path
        The project's folder: the one that holds `data/`, `dbt_like_sql/` and `dagster.yaml`.
    data_dir : Path
        Committed facts (CSV) and the rules of the game (TOML).
    warehouse_dir : Path
        Everything a run makes: the DuckDB file, the MLflow store, Dagster's own storage, exports.
    lock_wait_s : float
        How long a reader or writer waits for the warehouse before it gives up, in seconds.
    """

    home: Path
    data_dir: Path
    warehouse_dir: Path
    lock_wait_s: float = 10.0

    @property
    def sql_dir(self) -> Path:
        """Folder of the SQL models."""
        return self.home / "dbt_like_sql"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file."""
        return self.warehouse_dir / "f1.duckdb"

    @property
    def team_path(self) -> Path:
        """Your own team, kept beside the project; it need not exist."""
        return self.home / "my_team.toml"

    @property
    def tracking_dir(self) -> Path:
        """Folder of the MLflow store and its artifacts."""
        return self.warehouse_dir / "mlflow"

    @property
    def dagster_dir(self) -> Path:
        """Folder of Dagster's run, event and schedule storage."""
        return self.warehouse_dir / "dagster"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from environment variables, with defaults that suit a clone of the project.

    Parameters
    ----------
    environ : mapping of str to str, optional
        The environment; the process's own by default. `F1_PIPELINE_HOME` names the project's folder,
        `F1_DATA_DIR` the facts, `F1_WAREHOUSE_DIR` what runs make, `F1_LOCK_WAIT_S` the patience with locks.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        When a folder that must exist does not, or `F1_LOCK_WAIT_S` is not a number of seconds.
    """
    env = os.environ if environ is None else environ
    home = Path(env.get("F1_PIPELINE_HOME") or Path(__file__).resolve().parent.parent).resolve()
    data_dir = Path(env.get("F1_DATA_DIR") or home / "data").resolve()
    warehouse_dir = Path(env.get("F1_WAREHOUSE_DIR") or home / "data" / "warehouse").resolve()
    for name, folder in (("F1_PIPELINE_HOME", home / "dbt_like_sql"), ("F1_DATA_DIR", data_dir)):
        if not folder.is_dir():
            raise UsageError(f"{name}: expected a folder at {folder}, found none")
    try:
        lock_wait_s = float(env.get("F1_LOCK_WAIT_S") or 10.0)
    except ValueError:
        lock_wait_s = math.nan
    if not 0 <= lock_wait_s < math.inf:
        raise UsageError(f"F1_LOCK_WAIT_S: expected a number of seconds, found {env.get('F1_LOCK_WAIT_S')!r}")
    return Settings(home=home, data_dir=data_dir, warehouse_dir=warehouse_dir, lock_wait_s=lock_wait_s)

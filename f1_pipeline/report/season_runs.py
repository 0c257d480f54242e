"""What commands about whole seasons share: which seasons are meant.

Neighbours: `backtest.py` and `agents.py` play seasons.
"""

from __future__ import annotations

from f1_pipeline.errors import UsageError
from f1_pipeline.steps.pipeline import Pipeline


def finished_seasons(pipeline: Pipeline, wanted: tuple[int, ...]) -> list[int]:
    """Choose among the seasons that have finished races.

    Parameters
    ----------
    pipeline : Pipeline
    wanted : tuple of int
        All when empty.

    Returns
    -------
    list of int
        In order, each once.

    Raises
    ------
    UsageError
        A season has none.
    """
    finished = sorted({race.season for race in pipeline.calendar.finished})
    unknown = [season for season in wanted if season not in finished]
    if unknown:
        raise UsageError(f"--season: expected some of {', '.join(map(str, finished))}, found {unknown[0]}")
    return sorted(set(wanted)) or finished

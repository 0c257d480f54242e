"""Choose the settings of the strength filter again, from the facts.

Neighbours: `forecast.strength_tuning` searches; the chosen settings are the defaults in `forecast.strength`, changed by
hand, so that a forecast never depends on when somebody tuned.
"""

from __future__ import annotations

from collections.abc import Callable

from f1_pipeline.forecast.session_scores import session_scores
from f1_pipeline.forecast.strength_tuning import Tuning, tune
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.steps.weekends import session_facts


def tune_strength(pipeline: Pipeline, on_evaluation: Callable[[], None]) -> Tuning:
    """Search the settings on 2019 to 2022.

    Parameters
    ----------
    pipeline : Pipeline
        Its facts are read; no warehouse is needed.
    on_evaluation : callable
        Called after each replay of the history.

    Returns
    -------
    Tuning

    Raises
    ------
    DataError
        When a fact file is malformed.
    """
    return tune(session_scores(session_facts(pipeline)), on_evaluation)

"""Spread heavy, independent work: one function over many parts, here or on the workers of a Dask cluster.

Belongs here: the choice between the two, by the settings. Neighbours: steps split their work by race or season and
hand over the data that each part needs, read once; `dask_workers` knows Dask, and is imported only when it is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from f1_pipeline.errors import ServiceError
from f1_pipeline.settings import Settings

Result = TypeVar("Result")


def spread(settings: Settings, function: Callable[..., Result], parts: Iterable[Any], *shared: Any) -> Iterator[Result]:
    """Apply a function to each part, and give the results in the order of the parts.

    Parameters
    ----------
    settings : Settings
        Without `F1_DASK` this is a plain map in this process.
    function : callable
        ``function(part, *shared)``: pure, at the top of a module of this package, so that workers, which have the
        package and not the warehouse, know it by name.
    parts : iterable
        Picklable data, frames and arrays rather than connections; taken as results are, never all at once.
    *shared
        Picklable data that every part needs; sent once.

    Returns
    -------
    iterator
        Results; lazy, so that what is not yet asked for is mostly not yet computed. They are equal to the last bit
        wherever they were computed, but for searches that a limit of time stops (back-tests, hindsight, agents that
        plan), which a slow worker ends elsewhere, and kinds of processors for which linear algebra has other kernels.

    Raises
    ------
    ServiceError
        When taken: the scheduler is out of reach, no worker comes, one has other versions than this process, or a
        part has ended several workers.
    F1PipelineError
        When taken: whatever the function raises.
    """
    if not settings.dask:
        return (function(part, *shared) for part in parts)
    try:
        from f1_pipeline.steps.dask_workers import spread_on
    except ModuleNotFoundError as error:
        raise ServiceError(
            f"F1_DASK: expected the extra `scale` to be installed, found no {error.name}: "
            f"pip install -c constraints.txt -e '.[scale]'"
        ) from error

    return spread_on(settings.dask, function, parts, shared)

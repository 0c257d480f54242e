"""Keep linear algebra on one thread.

Belongs here: that one switch. Matrices of a few hundred rows gain nothing from more threads, and lose a factor of ten
while threads wait for a busy core; sums also come out the same whatever the number of cores.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _thread_pools() -> ThreadpoolController:
    """Find the linear algebra libraries of this process, once."""
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS and OpenMP use one thread."""
    return _thread_pools().limit(limits=1)

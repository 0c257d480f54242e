"""Feed a reader thousands of spoilt payloads and count what comes of them.

Belongs here: the loop and its promise: a payload is read, or refused by one of the project's own errors. Neighbours:
`mutations.py` spoils, `test_fuzzed_*.py` say which reader gets what.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from f1_pipeline.errors import F1PipelineError

PAYLOADS = 10_000
SEED = 20260607
LONGEST_S = 60.0  # of one payload; a machine that does much else needs a fraction of it


@dataclass(frozen=True)
class Tally:
    """What came of the payloads of one reader."""

    name: str
    read: int
    refused: int
    longest_s: float
    complaints: int

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.read + self.refused} payloads (seed {SEED}), {self.read} read, {self.refused} refused "
            f"with {self.complaints} different complaints, the slowest in {self.longest_s:.2f} s"
        )


def fuzz(name: str, make: Callable[[Random], Any], read: Callable[[Any], object], count: int) -> Tally:
    """Make and read payloads; anything but a value or an `F1PipelineError` fails.

    Parameters
    ----------
    name : str
        Of the reader; with the seed and the number of a payload it makes the payload again.
    make : callable
        Makes a payload of a `Random`.
    read : callable
        Under test.
    count : int
    """
    refused, longest_s, complaints = 0, 0.0, set()
    faults: dict[str, str] = {}
    for number in range(count):
        payload = make(Random(f"{SEED} {name} {number}"))
        started = time.perf_counter()
        try:
            read(payload)
        except KeyboardInterrupt:
            raise
        except F1PipelineError as error:
            refused += 1
            complaints.add(re.sub(r"[\d'].*", "", str(error).rpartition(".json: ")[2]))
        except BaseException as error:  # noqa: BLE001 (whatever a reader lets through is what is looked for)
            place = traceback.extract_tb(error.__traceback__)[-1]
            faults.setdefault(f"{type(error).__name__} in {place.name}", f"payload {number}: {error!s:.200}")
        longest_s = max(longest_s, time.perf_counter() - started)
    tally = Tally(name, count - refused, refused, longest_s, len(complaints))
    print(tally)
    assert not faults, f"{name}, seed {SEED}: {faults}"
    assert tally.read + tally.refused == count
    assert tally.longest_s < LONGEST_S, tally
    return tally

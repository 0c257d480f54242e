"""What the doctor asks the outside world, and only when told to: can the sources of facts be reached.

Neighbours: `doctor.py` says what a check is, `sources.download` asks. One request each, of which only the head is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from f1_pipeline.settings import Settings
from f1_pipeline.sources.download import HttpClient, Patience
from f1_pipeline.sources.feed_inquiry import SCHEDULE_PATH
from f1_pipeline.steps.doctor import Check, looked

IMPATIENT = Patience(pause_s=0.0, connect_timeout_s=5.0, read_timeout_s=10.0, answer_timeout_s=20.0, attempts=1)


def online_checks(settings: Settings) -> Iterator[Check]:
    """Ask every source of the settings once."""
    addresses = {"f1db": settings.f1db, "feed": settings.feed + SCHEDULE_PATH}
    for name in settings.sources:
        address = addresses[name]
        mend = f"check the network and F1_{name.upper()}; until it answers the facts stay as they are"
        yield looked(f"source {name}", lambda name=name, address=address: check_source(name, address), mend)


def check_source(name: str, address: str) -> Check:
    """Ask for one document, or look for one file.

    Raises
    ------
    SourceError
        There is no good answer.
    """
    title = f"source {name}"
    if "://" not in address:
        path = Path(address).expanduser()
        if path.is_file():
            return Check(title, "ok", f"{path} is there")
        return Check(title, "fail", f"{path}: expected a file, found none", f"check F1_{name.upper()}")
    with HttpClient(IMPATIENT) as client:
        status = client.exchange(address, dict, lambda response, _: response.status_code)
    if status == 200:
        return Check(title, "ok", f"{address} answers")
    return Check(title, "fail", f"{address}: expected status 200, found {status}", f"check F1_{name.upper()}")

"""Short messages about runs, and the webhook that they go to.

Belongs here: what is said of a finished line-up or a failed run, and sending it. Neighbours: `defs.notifications` knows
when. The address of a webhook is a secret, for whoever knows it can write there: no error and no log repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from f1_pipeline.errors import SourceError

LONGEST_TEXT = 1900  # characters; Discord takes 2,000
TIMEOUT_S = 10.0
ATTEMPTS = 3
FIRST_WAIT_S = 0.5


@dataclass(frozen=True)
class Notice:
    """One message.

    Attributes
    ----------
    event : str
        `line_up`, `final_fix` or `run_failed`.
    text : str
        What a person reads.
    details : mapping of str to str
        What a program reads: job, race, run.
    """

    event: str
    text: str
    details: Mapping[str, str]

    def payload(self) -> dict[str, str]:
        """Lay it out for Slack (`text`), Discord (`content`) and programs (`event` and the rest)."""
        text = self.text if len(self.text) <= LONGEST_TEXT else self.text[: LONGEST_TEXT - 1] + "…"
        return dict(self.details) | {"event": self.event, "text": text, "content": text}


def line_up_notice(answer: Mapping[str, Any], run_id: str) -> Notice:
    """Say which team to enter.

    Parameters
    ----------
    answer : mapping
        From `report.lineups.read_lineup`.
    run_id : str
        The run that made it.

    Returns
    -------
    Notice
        About Final Fix when the answer has advice on it, else about the line-up.
    """
    season = answer["race_key"].split("-")[0]
    details = {"race_key": answer["race_key"], "run_id": run_id}
    title = f"{season} {answer['race']}"
    if answer.get("final_fix"):
        return Notice("final_fix", f"{title}, Final Fix: {answer['final_fix']['advice']}", details)
    names = [
        f"{asset['name']} ×{asset['boost']}" if asset["is_boosted"] else asset["name"] for asset in answer["assets"]
    ]
    moves = answer["transfers"]
    lines = [
        f"{title}, locks {answer['lock_at'][:16]} UTC",
        ", ".join(names),
        f"{answer['expected_points']:.0f} points expected, {answer['p10']:.0f} to {answer['p90']:.0f} in 8 of 10; "
        f"{answer['cost_musd']:.1f} million",
    ]
    if answer["is_own_team"]:
        lines.append(f"Out: {', '.join(moves['out'])}; in: {', '.join(moves['in'])}" if moves["in"] else "No transfers")
    return Notice("line_up", "\n".join(lines), details)


def failure_notice(job_name: str, races: str, error: str, run_id: str) -> Notice:
    """Say what stopped a run.

    Parameters
    ----------
    job_name : str
    races : str
        The races it was about; empty for none.
    error : str
        What the failing step said.
    run_id : str

    Returns
    -------
    Notice
    """
    about = f" for {races}" if races else ""
    return Notice("run_failed", f"{job_name}{about} failed: {error}", {"job": job_name, "run_id": run_id})


def send(url: str, notice: Notice) -> None:
    """Post a notice, three times at most.

    Parameters
    ----------
    url : str
        The webhook; a secret.
    notice : Notice

    Raises
    ------
    SourceError
        The webhook is out of reach or refuses; the address is not named.
    """
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_WAIT_S, max=5),
        retry=retry_if_exception_type(SourceError),
        reraise=True,
    )
    retrying(_post, url, notice.payload())


def _post(url: str, payload: Mapping[str, str]) -> None:
    try:
        # redirects are not followed, so that nobody else learns what is said; the answer itself is not read
        response = requests.post(url, json=payload, timeout=TIMEOUT_S, allow_redirects=False, stream=True)
    except requests.RequestException as error:
        raise SourceError(f"the webhook (F1_WEBHOOK) is out of reach: {type(error).__name__}") from None
    with response:
        if not 200 <= response.status_code < 300:
            raise SourceError(f"the webhook (F1_WEBHOOK) answered {response.status_code} instead of 2xx")

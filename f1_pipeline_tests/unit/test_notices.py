"""Messages to a webhook: what they say, that they arrive, and that nobody learns where they go."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from f1_pipeline.errors import SourceError, UsageError
from f1_pipeline.report import notices
from f1_pipeline.report.notices import LONGEST_TEXT, Notice, failure_notice, line_up_notice, send
from f1_pipeline.settings import load_settings
from f1_pipeline_tests.local_server import Answer, LocalServer

PATH, SECRET = "/services/T000/very-secret", "very-secret"
NOTICE = Notice("line_up", "Antonelli ×2 & <friends>", {"race_key": "2026-monaco", "run_id": "1"})
ANSWER = {
    "race_key": "2026-monaco",
    "race": "Monaco Grand Prix",
    "lock_at": "2026-06-06T14:00:00+00:00",
    "is_own_team": True,
    "assets": [
        {"name": "Kimi Antonelli", "is_boosted": True, "boost": 2},
        {"name": "Mercedes", "is_boosted": False, "boost": 1},
    ],
    "expected_points": 182.04,
    "p10": 107.6,
    "p90": 249.0,
    "cost_musd": 99.4,
    "transfers": {"in": ["Mercedes"], "out": ["Audi"], "free": 2, "points": 0.0},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setattr(notices, "FIRST_WAIT_S", 0.0)
    with LocalServer() as running:
        running.serve(PATH, b"ok")
        yield running


def test_a_notice_arrives_as_slack_discord_and_programs_want_it(server: LocalServer) -> None:
    send(server.url + PATH, NOTICE)
    (request,) = server.asked(PATH)
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "text": "Antonelli ×2 & <friends>",
        "content": "Antonelli ×2 & <friends>",
        "event": "line_up",
        "race_key": "2026-monaco",
        "run_id": "1",
    }


def test_a_webhook_that_stumbles_is_told_again(server: LocalServer) -> None:
    server.answer_next(PATH, Answer(500), Answer(429))
    send(server.url + PATH, NOTICE)
    assert len(server.asked(PATH)) == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [(Answer(500), "answered 500"), (Answer(302, {"Location": "http://127.0.0.1:1/elsewhere"}), "answered 302")],
)
def test_a_webhook_that_refuses_is_an_error_without_its_address(server: LocalServer, answer: Answer, said: str) -> None:
    server.answer_always(PATH, answer)
    with pytest.raises(SourceError, match=said) as error:
        send(server.url + PATH, NOTICE)
    assert len(server.asked(PATH)) == 3
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None  # the cause would have the address


def test_a_webhook_out_of_reach_is_an_error_without_its_address(server: LocalServer) -> None:
    with pytest.raises(SourceError, match="out of reach: ConnectionError") as error:
        send("http://127.0.0.1:9" + PATH, NOTICE)
    assert SECRET not in f"{error.value!r} {error.value.__cause__}"


def test_the_address_is_kept_out_of_what_describes_the_settings() -> None:
    settings = load_settings({"F1_WEBHOOK": "https://hooks.example.org" + PATH})
    assert settings.webhook.endswith(SECRET)
    assert SECRET not in repr(settings)
    with pytest.raises(UsageError) as error:
        load_settings({"F1_WEBHOOK": SECRET})
    assert SECRET not in str(error.value)


def test_a_line_up_is_told_with_what_to_do() -> None:
    notice = line_up_notice(ANSWER, "7")
    assert notice.event == "line_up"
    assert notice.text.splitlines() == [
        "2026 Monaco Grand Prix, locks 2026-06-06T14:00 UTC",
        "Kimi Antonelli ×2, Mercedes",
        "182 points expected, 108 to 249 in 8 of 10; 99.4 million",
        "Out: Audi; in: Mercedes",
    ]
    advised = line_up_notice(ANSWER | {"final_fix": {"advice": "keep the chip"}}, "7")
    assert (advised.event, advised.text) == ("final_fix", "2026 Monaco Grand Prix, Final Fix: keep the chip")


def test_a_long_error_is_cut_to_what_a_message_takes() -> None:
    payload = failure_notice("finished_race", "2026-monaco", "x" * 5000, "7").payload()
    assert payload["text"].startswith("finished_race for 2026-monaco failed: xxx")
    assert len(payload["text"]) == LONGEST_TEXT

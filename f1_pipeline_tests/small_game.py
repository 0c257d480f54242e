"""A small season of the official game: three assets of Mercedes at the first races of 2026, with their official points.

Belongs here: plain values for `feed_server.py` that several test modules need. Figures are the game's own: totals and
items of Australia (39, 32, 96) and China (45, 68, 115), prices up to Japan.
"""

from __future__ import annotations

import dataclasses

from f1_pipeline_tests.feed_server import Event, Game, GameMeeting, GamePlayer, constructor

RUSSELL, ANTONELLI, MERCEDES = "124", "11161", "28"

AUSTRALIA = GameMeeting(
    1,
    "Australian Grand Prix",
    {"qualifying": "2026-03-07T16:00:00+11:00", "race": "2026-03-08T15:00:00+11:00"},
    location="Melbourne",
    country="Australia",
)
CHINA = GameMeeting(
    2,
    "Chinese Grand Prix",
    {
        "sprint": "2026-03-14T11:00:00+08:00",
        "qualifying": "2026-03-14T15:00:00+08:00",
        "race": "2026-03-15T15:00:00+08:00",
    },
    location="Shanghai",
    country="China",
)
JAPAN = GameMeeting(
    3,
    "Japanese Grand Prix",
    {"qualifying": "2026-03-28T15:00:00+09:00", "race": "2026-03-29T14:00:00+09:00"},
    location="Suzuka",
    country="Japan",
)
BAHRAIN = GameMeeting(
    4,
    "Bahrain Grand Prix",
    {"qualifying": "2026-04-11T19:00:00+03:00", "race": "2026-04-12T18:00:00+03:00"},
    location="Sakhir",
    country="Bahrain",
)

ITEMS: dict[int, dict[str, list[Event]]] = {
    1: {
        RUSSELL: [("Race Position", "1st", 25), ("Qualifying Position", "1st", 10), ("race overtake bonus", "4", 4)],
        ANTONELLI: [("Race Position", "2nd", 18), ("Qualifying Position", "2nd", 9), ("race overtake bonus", "5", 5)],
        MERCEDES: [
            ("Race Position", "-", 43),
            ("Qualifying Position", "-", 19),
            ("Both Driver Q3", "-", 10),
            ("Fastest Pitstop", "-", 10),
            ("2nd Fastest Pitstop", "-", 5),
            ("race overtake bonus", "9", 9),
        ],
    },
    2: {
        RUSSELL: [
            ("Sprint overtake bonus", "4", 4),
            ("Race Position", "2nd", 18),
            ("Qualifying Position", "2nd", 9),
            ("Sprint Position", "1st", 8),
            ("race overtake bonus", "6", 6),
        ],
        ANTONELLI: [
            ("Driver Of The Day", "-", 10),
            ("Sprint Position lost", "3", -3),
            ("Sprint overtake bonus", "10", 10),
            ("Race Position", "1st", 25),
            ("Qualifying Position", "1st", 10),
            ("Sprint Position", "5th", 4),
            ("Race Fastest lap", "-", 10),
            ("race overtake bonus", "2", 2),
        ],
        MERCEDES: [
            ("Sprint Position lost", "3", -3),
            ("Sprint overtake bonus", "14", 14),
            ("Race Position", "-", 43),
            ("Qualifying Position", "-", 19),
            ("Sprint Position", "-", 12),
            ("Both Driver Q3", "-", 10),
            ("Race Fastest lap", "-", 10),
            ("Fastest Pitstop", "-", 2),
            ("race overtake bonus", "8", 8),
        ],
    },
}
PRICES = {1: (27.4, 23.2, 29.3), 2: (27.7, 23.5, 29.6), 3: (28.0, 23.8, 29.9)}
POINTS = {1: (39, 32, 96), 2: (45, 68, 115), 3: (None, None, None)}
SESSION_POINTS = {
    1: ({"qualifying": 10, "race": 29}, {"qualifying": 9, "race": 23}, {"qualifying": 29, "race": 67}),
    2: (
        {"sprint": 12, "qualifying": 9, "race": 24},
        {"sprint": 11, "qualifying": 10, "race": 47},
        {"sprint": 23, "qualifying": 29, "race": 63},
    ),
    3: ({}, {}, {}),
}


def small_game(done: int = 2) -> Game:
    """Make the season after so many finished races, 1 or 2, with the prices of the next one."""
    meetings = [AUSTRALIA, CHINA, JAPAN, BAHRAIN]
    game = Game([dataclasses.replace(meeting, is_done=meeting.gameday_id <= done) for meeting in meetings])
    for gameday_id in range(1, done + 2):
        for player in _players(gameday_id, is_done=gameday_id <= done):
            items = ITEMS[gameday_id][player.player_id] if gameday_id <= done else []
            game.add(gameday_id, player, items)
    return game


def _players(gameday_id: int, is_done: bool) -> list[GamePlayer]:
    russell, antonelli, mercedes = PRICES[gameday_id]
    points = POINTS[gameday_id] if is_done else (None, None, None)
    sessions = SESSION_POINTS[gameday_id]
    return [
        GamePlayer(
            RUSSELL,
            1,
            "George",
            "Russell",
            "RUS",
            "Mercedes",
            russell,
            points=points[0],
            selected_pct=31,
            boosted_pct=24,
            team_id=MERCEDES,
            session_points=sessions[0],
        ),
        GamePlayer(
            ANTONELLI,
            1,
            "Kimi",
            "Antonelli",
            "ANT",
            "Mercedes",
            antonelli,
            points=points[1],
            selected_pct=20,
            boosted_pct=9,
            team_id=MERCEDES,
            session_points=sessions[1],
        ),
        constructor(
            MERCEDES, "Mercedes", "MER", mercedes, points=points[2], selected_pct=31, session_points=sessions[2]
        ),
    ]

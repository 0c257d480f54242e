"""The moments of a weekend at which a forecast is made, and which sessions it may know.

Belongs here: names and what they mean. Nothing is forecast here; neighbours: `forecast.session_scores` marks the
sessions, `forecast.weekend_model` learns from those that are known.
"""

from __future__ import annotations

BEFORE_PRACTICE = "before_practice"
AT_LOCK = "at_lock"
AFTER_QUALIFYING = "after_qualifying"

PHASES = (BEFORE_PRACTICE, AT_LOCK, AFTER_QUALIFYING)
"""In order: before the first session; when line-ups lock; after qualifying, when Final Fix may still be played.

A sprint weekend since 2024 locks at the sprint, with first practice and sprint qualifying known, and its qualifying is
held after the sprint, whose result is then known as well.
"""

KNOWN_COLUMN = {AT_LOCK: "is_before_lock", AFTER_QUALIFYING: "is_by_qualifying"}
"""Column of `core.session_score` that marks which sessions of its weekend a phase knows; before practice: none."""

"""The code location of rehearsals: the project's own definitions with a clock that a test sets."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from f1_pipeline.definitions import build_definitions
from f1_pipeline.settings import load_settings

NOW = [datetime(2026, 1, 1, tzinfo=UTC)]


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions(load_settings(), clock=lambda: NOW[0])

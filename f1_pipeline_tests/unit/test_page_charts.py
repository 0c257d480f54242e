"""Where the marks of a drawing lie, and how figures read on a page."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f1_pipeline.report.page_charts import BOTTOM, LEFT, RIGHT, TOP, race_places, round_scale, tight_scale, value_scale
from f1_pipeline.report.pages import instant, money, number, percent, place_name, price_move, signed, span
from f1_pipeline.steps.chip_lines import chip_lines

VALUES = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20)


@given(VALUES)
def test_scales_hold_every_value_and_zero(values: list[float]) -> None:
    for scale in (round_scale(values), tight_scale(values)):
        assert scale.low <= min([0.0, *values])
        assert max([0.0, *values]) <= scale.high
        places = [scale.at(value) for value in sorted(values)]
        assert places == sorted(places)
        assert all(0 <= place <= 100 for place in places)
        assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_scale_has_round_ticks() -> None:
    assert round_scale([3, 317]).ticks == (0, 100, 200, 300, 400)
    assert round_scale([100.0, 104.5], with_zero=False).ticks == (100, 102, 104, 106)


def test_upright_scale_grows_upwards() -> None:
    scale = value_scale([400])
    assert scale.at(0) == BOTTOM
    assert scale.at(400) == TOP


def test_races_lie_side_by_side_within_the_axes() -> None:
    places = race_places(24)
    assert len(places) == 24
    assert LEFT < places[0] < places[-1] < RIGHT


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (number(-3.04, 1), "−3.0"),
        (number(-0.04, 1), "0.0"),
        (number(12345.6), "12,346"),
        (number(None), "–"),
        (number(math.nan), "–"),
        (signed(4.25, 1), "+4.2"),
        (signed(-4.25, 1), "−4.2"),
        (signed(0.0), "0"),
        (signed(0.01, 1), "0.0"),
        (percent(0.803), "80%"),
        (percent(None), "–"),
        (money(24.7), "$24.7M"),
        (price_move(-0.3), "−0.3M"),
        (price_move(None), "–"),
        (span(-8.2, 92.6), "−8 to 93"),
        (instant(datetime(2026, 6, 6, 14, tzinfo=UTC)), "6 June 2026, 14:00 UTC"),
        (instant(None), "–"),
        (place_name("2026-barcelona-catalunya"), "Barcelona Catalunya"),
        (place_name("2025-qatar", 2026), "Qatar 2025"),
    ],
)
def test_figures_read_well(shown: str, text: str) -> None:
    assert shown == text


def test_a_chip_is_played_when_it_adds_what_keeping_it_is_worth() -> None:
    def row(chip: str, race_key: str, gain: float, keep: float | None, is_playable: bool = True) -> dict[str, object]:
        figures = {"gain_points": gain, "keep_points": keep, "is_playable": is_playable}
        return {"chip": chip, "race_key": race_key} | figures

    lines = chip_lines(
        [
            row("limitless", "monaco", 90, 80),
            row("limitless", "spain", 70, 60),
            row("limitless", "qatar", 85, 50),
            row("wildcard", "monaco", 5, 12),
            row("wildcard", "spain", 20, 12),
            row("autopilot", "monaco", 5, math.inf),
            row("extra_boost", "monaco", 9, 3, is_playable=False),
            row("no_negative", "monaco", 9, None),
        ]
    )
    found = {line.chip: (line.advice, line.keep_points, line.best_race_key) for line in lines}
    assert found == {
        "autopilot": ("keep", None, None),
        "extra_boost": ("not yet", 3, None),
        "limitless": ("play", 80, "qatar"),
        "no_negative": ("keep", None, None),
        "wildcard": ("keep", 12, None),
    }

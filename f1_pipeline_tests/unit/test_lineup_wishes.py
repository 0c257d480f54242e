"""What is wanted of line-ups, read from the words of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from f1_pipeline.errors import UsageError
from f1_pipeline.optimize.risk import AtLeast, Mean, MeanMinusDeviation, Objective, Quantile
from f1_pipeline.steps.lineup_wishes import (
    Adjustment,
    LineupWishes,
    Rival,
    parse_adjustment,
    parse_money,
    parse_risk,
)


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("mean", Mean()),
        ("deviation:0.5", MeanMinusDeviation(0.5)),
        ("deviation:-1", MeanMinusDeviation(-1)),
        ("quantile:0.2", Quantile(0.2)),
        ("target:250", AtLeast(250)),
        ("rival:teams/a:b.toml", Rival(Path("teams/a:b.toml"))),
    ],
)
def test_a_risk_is_read(text: str, risk: Objective | Rival) -> None:
    assert parse_risk(text) == risk


@pytest.mark.parametrize(
    "text", ["", "means", "mean:1", "deviation", "quantile:", "target:many", "target:nan", "deviation:inf", "rival:"]
)
def test_another_risk_is_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(UsageError, match=r"Risk: expected mean, deviation:0\.5, .* or rival:FILE, found "):
        parse_risk(text)


def test_a_quantile_is_within_0_and_1() -> None:
    with pytest.raises(UsageError, match="Quantile: expected a share between 0 and 1, found 20"):
        parse_risk("quantile:20")


@pytest.mark.parametrize(
    ("text", "adjustment"),
    [
        ("max-verstappen=+3", Adjustment("max-verstappen", 3, is_shift=True)),
        ("max-verstappen=-2.5", Adjustment("max-verstappen", -2.5, is_shift=True)),
        ("Red Bull=25", Adjustment("Red Bull", 25, is_shift=False)),
        ("alonso= 0", Adjustment("alonso", 0, is_shift=False)),
    ],
)
def test_a_sign_makes_an_adjustment_a_shift(text: str, adjustment: Adjustment) -> None:
    assert parse_adjustment(text) == adjustment


@pytest.mark.parametrize("text", ["", "alonso", "=3", "alonso=", "alonso=many", "alonso=nan"])
def test_another_adjustment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected an asset and points such as max-verstappen=\+3 or =25, found "):
        parse_adjustment(text)


def test_money_is_read_in_tenths() -> None:
    assert [parse_money(text) for text in ("100", "104.5", "0.1")] == [1000, 1045, 1]
    for text in ("", "-1", "0", "104.55", "nan", "inf", "much"):
        with pytest.raises(UsageError, match="Budget: expected million dollars with at most one decimal"):
            parse_money(text)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"count": 0}, "Line-ups: expected 1 to 200, found 0"),
        ({"count": 201}, "Line-ups: expected 1 to 200, found 201"),
        ({"solver": "glpk"}, "Solver: expected one of enumeration, cbc, highs, found 'glpk'"),
        ({"solver": "cbc", "risk": Quantile(0.2)}, "expected enumeration for risk and Autopilot, found 'cbc'"),
        ({"solver": "highs", "chip": "autopilot"}, "expected enumeration for risk and Autopilot, found 'highs'"),
        ({"chip": "no_negative", "risk": AtLeast(250)}, "expected mean with the chip no_negative"),
        ({"chip": "autopilot", "risk": Rival(Path("rival.toml"))}, "expected mean with the chip autopilot"),
    ],
)
def test_wishes_that_exclude_each_other_are_refused(wishes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LineupWishes(**wishes)


def test_wishes_are_empty_but_for_their_number() -> None:
    assert LineupWishes(count=7, risk=Mean()).is_empty
    assert not LineupWishes(ignores_team=True).is_empty
    assert not LineupWishes(bans=("alonso",)).is_empty

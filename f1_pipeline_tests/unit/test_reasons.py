"""Reasons in plain words: what is said, and what is left out when it is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from f1_pipeline.steps.reasons import PickFigures, reason

DRIVER = PickFigures(
    asset_type="driver",
    price_musd=24.7,
    expected_points=26.4,
    last_3_mean_points=23.4,
    season_mean_points=31.2,
    practice_place=2,
    qualifying_place=2.4,
    race_place=3.6,
    rise_probability=0.83,
    fall_probability=0.1,
    points_lost=7.6,
    replacements=("Lewis Hamilton",),
)
BARE = PickFigures("driver", price_musd=10.0, expected_points=12.0)


def test_a_driver_is_explained_in_two_sentences() -> None:
    assert reason(DRIVER) == (
        "23 points a race over the last three, below the season's 31; second in practice, expected to qualify 2nd, "
        "finish 4th. 1.1 points per million, price rises in 8 weekends of 10; without him the line-up scores 8 points "
        "less (Lewis Hamilton comes in)."
    )


def test_a_constructor_is_an_it_without_places() -> None:
    figures = replace(DRIVER, asset_type="constructor", practice_place=11, qualifying_place=None, race_place=None)
    assert reason(figures).startswith("23 points a race over the last three, below the season's 31; 11th in practice. ")
    assert "without it the line-up scores 8 points less" in reason(figures)


def test_what_is_not_known_is_left_out() -> None:
    assert reason(BARE) == "1.2 points per million."
    assert reason(replace(BARE, last_3_mean_points=9.6)) == (
        "10 points a race over the last three. 1.2 points per million."
    )
    assert reason(replace(BARE, season_mean_points=9.6)) == "1.2 points per million."
    assert reason(replace(BARE, qualifying_place=3.0)) == "1.2 points per million."
    assert reason(replace(BARE, practice_place=1)) == "Fastest in practice. 1.2 points per million."


@pytest.mark.parametrize(
    ("last", "season", "said"),
    [
        (12.0, 12.9, "About 12 points a race, lately as all season. "),
        (15.0, 12.0, "15 points a race over the last three, above the season's 12. "),
        (-6.4, 1.2, "-6 points a race over the last three, below the season's 1. "),
        (1.2, 8.0, "1 point a race over the last three, below the season's 8. "),
    ],
)
def test_form_is_held_against_the_season(last: float, season: float, said: str) -> None:
    assert reason(replace(BARE, last_3_mean_points=last, season_mean_points=season)).startswith(said)


@pytest.mark.parametrize(
    ("rise", "fall", "said"),
    [
        (0.99, 0.01, ", price almost surely rises"),
        (0.3, 0.66, ", price falls in 7 weekends of 10"),
        (0.5, 0.5, ""),
        (None, 0.97, ", price almost surely falls"),
        (None, None, ""),
    ],
)
def test_a_price_is_told_when_it_likely_moves(rise: float | None, fall: float | None, said: str) -> None:
    assert reason(replace(BARE, rise_probability=rise, fall_probability=fall)) == f"1.2 points per million{said}."


def test_who_scores_nothing_is_held_for_the_price() -> None:
    figures = replace(BARE, price_musd=4.5, expected_points=-1.0)
    assert reason(figures) == "Held for its price, $4.5M, not for points."


@pytest.mark.parametrize(
    ("lost", "replacements", "said"),
    [
        (0.3, ("Alonso",), "without him the line-up is as good (Alonso comes in)"),
        (1.2, (), "without him the line-up scores 1 point less"),
        (9.0, ("Alonso", "Haas"), "without him the line-up scores 9 points less (Alonso and Haas come in)"),
        (9.0, ("Ocon", "Gasly", "Haas"), "without him the line-up scores 9 points less (Ocon, Gasly and Haas come in)"),
        (9.0, ("a", "b", "c", "d"), "without him the line-up scores 9 points less (4 others come in)"),
        (None, (), None),
    ],
)
def test_the_next_best_swap_is_priced(lost: float | None, replacements: tuple[str, ...], said: str | None) -> None:
    figures = replace(BARE, points_lost=lost, replacements=replacements)
    assert reason(figures) == "1.2 points per million" + (f"; {said}." if said else ".")


def test_who_sits_out_costs_points() -> None:
    figures = replace(DRIVER, is_active=False, expected_points=-20.0)
    assert reason(figures) == (
        "Takes no part in the race; keeping the asset costs 20 points. Without him the line-up scores 8 points less "
        "(Lewis Hamilton comes in)."
    )
    assert reason(replace(BARE, is_active=False, expected_points=0.0)) == "Takes no part in the race."

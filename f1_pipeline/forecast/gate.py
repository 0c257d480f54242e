"""Decide which candidate is published: a champion is replaced only by one that has been better, by paired comparison.

Belongs here: the comparison and the rule, on figures of races that are over. Neighbours: `evaluation.candidate_error`
and `evaluation.candidate_lineup` hold the figures, `steps.publish` brings them, `forecast.tracking` moves the alias.

The rule. Over all earlier races, a challenger's CRPS must be lower than the champion's by at least one standard error
of the paired difference, and its line-ups must not have scored less by more than one standard error. Line-up points
are what counts, but sixty races cannot prove a gain of three per cent: as a second hurdle of the same height they would
keep every better forecast out, as a veto they keep out one that is sharper where it does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

FIRST_CHAMPION = "strength"
"""A strong simple model with few parameters, before any comparison."""

CHALLENGERS = ("average", "boosting", "ridge", "strength")
_FIGURES = ("crps_points", "lineup_points")
MIN_RACES = 8
"""Fewer pairs do not tell their own spread."""


@dataclass(frozen=True)
class Comparison:
    """A challenger against the champion over the same races.

    Attributes
    ----------
    candidate : str
        The challenger.
    race_count : int
        Races compared.
    crps_gain, crps_gain_se : float
        Mean of the champion's CRPS less the challenger's, and its standard error, in points; NaN with too few races.
    lineup_gain, lineup_gain_se : float
        Mean of the challenger's line-up points less the champion's, and its standard error.
    """

    candidate: str
    race_count: int
    crps_gain: float
    crps_gain_se: float
    lineup_gain: float
    lineup_gain_se: float

    @property
    def is_sharper(self) -> bool:
        """Whether its CRPS is better by at least a standard error, over enough races."""
        return self.race_count >= MIN_RACES and self.crps_gain > 0 and self.crps_gain >= self.crps_gain_se

    @property
    def is_better(self) -> bool:
        """Whether the challenger replaces the champion: sharper, and its line-ups are no veto."""
        return self.is_sharper and self.lineup_gain >= -self.lineup_gain_se


@dataclass(frozen=True)
class Decision:
    """Who is published for one race, and what it rests on.

    Attributes
    ----------
    champion : str
        Whose forecast is published.
    previous : str
        Champion before; the same when nobody was promoted.
    comparisons : tuple of Comparison
        Every challenger against `previous`.
    """

    champion: str
    previous: str
    comparisons: tuple[Comparison, ...]

    @property
    def is_promotion(self) -> bool:
        """Whether the champion changed."""
        return self.champion != self.previous

    def sentence(self) -> str:
        """Say what was decided and why."""
        if not self.is_promotion:
            count = max((each.race_count for each in self.comparisons), default=0)
            vetoed = [each.candidate for each in self.comparisons if each.is_sharper and not each.is_better]
            why = "nobody was better by a standard error"
            if count < MIN_RACES:
                why = f"{count} earlier races are too few"
            elif vetoed:
                names = " and ".join(vetoed)
                why = f"the line-ups of {names}, better by CRPS, were worse by more than a standard error"
            return f"{self.champion} stays: {why}"
        won = next(each for each in self.comparisons if each.candidate == self.champion)
        return (
            f"{self.champion} replaces {self.previous}: CRPS better by {won.crps_gain:.3f} ± {won.crps_gain_se:.3f}, "
            f"line-ups by {won.lineup_gain:+.1f} ± {won.lineup_gain_se:.1f} points over {won.race_count} races"
        )


def compare(challenger: pd.DataFrame, champion: pd.DataFrame, candidate: str) -> Comparison:
    """Pair two candidates race by race.

    Parameters
    ----------
    challenger, champion : DataFrame
        `crps_points` and `lineup_points`, indexed by race.
    candidate : str
        Name of the challenger.

    Returns
    -------
    Comparison
    """
    own = challenger[list(_FIGURES)].to_numpy(dtype=float)
    gains = own - champion.reindex(challenger.index)[list(_FIGURES)].to_numpy(dtype=float)
    gains = gains[~np.isnan(gains).any(axis=1)]
    return Comparison(candidate, len(gains), *_mean_and_se(-gains[:, 0]), *_mean_and_se(gains[:, 1]))


def decide(figures: pd.DataFrame, race_order: Sequence[str]) -> list[Decision]:
    """Replay every decision of one phase, from the first race on.

    Parameters
    ----------
    figures : DataFrame
        race_key, candidate, crps_points, lineup_points of races that are over.
    race_order : sequence of str
        Races in order of date, those to decide about included; a decision about one looks at those before it only.

    Returns
    -------
    list of Decision
        One per race of `race_order`.
    """
    table = figures.set_index(["candidate", "race_key"])[["crps_points", "lineup_points"]].astype(float)
    known = set(table.index.get_level_values(0))
    own = {name: table.loc[name].reindex(list(race_order)) for name in CHALLENGERS if name in known}
    champion, decisions = FIRST_CHAMPION, []
    for count in range(len(race_order)):
        earlier = {name: rows.iloc[:count] for name, rows in own.items()}
        rivals = [name for name in earlier if name != champion and champion in earlier]
        comparisons = tuple(compare(earlier[name], earlier[champion], name) for name in rivals)
        better = [each for each in comparisons if each.is_better]
        previous = champion
        if better:
            champion = max(better, key=lambda each: each.crps_gain).candidate
        decisions.append(Decision(champion, previous, comparisons))
    return decisions


def _mean_and_se(differences: np.ndarray) -> tuple[float, float]:
    if len(differences) < 2:
        return float("nan"), float("nan")
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))

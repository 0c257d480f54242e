"""Find the rules of the seasons that facts are merged for.

Belongs here: which seasons have rules, and saying so where they are missing. The rules themselves are
:mod:`f1_pipeline.game.rules`; neighbours are the merges, which need lock times and points.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from f1_pipeline.errors import RuleError
from f1_pipeline.game.rules import SeasonRules, load_rules, rule_seasons


def read_rules(data_dir: Path) -> dict[int, SeasonRules]:
    """Read the rules of every season that has some.

    Parameters
    ----------
    data_dir : Path
        Folder that holds ``rules/<season>.toml``.

    Returns
    -------
    dict of int to SeasonRules

    Raises
    ------
    RuleError
        There are none, or a file breaks its form.
    """
    seasons = rule_seasons(data_dir)
    if not seasons:
        raise RuleError(f"{data_dir / 'rules'} holds no rules; expected a <season>.toml per season of the game.")
    return {season: load_rules(data_dir, season) for season in seasons}


def rules_of(rules: Mapping[int, SeasonRules], season: int) -> SeasonRules:
    """Return the rules of a season.

    Raises
    ------
    RuleError
        There are none.
    """
    if season not in rules:
        raise RuleError(f"There are no rules for {season}: expected rules/{season}.toml beside the facts.")
    return rules[season]

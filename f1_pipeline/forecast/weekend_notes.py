"""Say in words why a forecast is less sure than others.

Belongs here: the sentences. How much less sure it is, the model knows by itself: a newcomer has the variance of a
newcomer, a missing session teaches nothing, an unknown circuit has a wider spread of overtakes. Neighbour:
`forecast.weekend_model`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def weekend_notes(
    drivers: Sequence[str],
    lineages: Sequence[str],
    season: int,
    circuit_id: str,
    starts: pd.DataFrame,
    known: pd.DataFrame | None,
) -> tuple[str, ...]:
    """List what is new or missing.

    Parameters
    ----------
    drivers, lineages : sequence of str, length m
        Who drives what.
    season : int
        Championship year.
    circuit_id : str
        Circuit.
    starts : DataFrame
        Earlier starts since 2018: driver_id, lineage_id, season, circuit_id.
    known : DataFrame or None
        Rows of the weekend's own sessions that are known.

    Returns
    -------
    tuple of str
        Empty when nothing is out of the ordinary.
    """
    met = set(starts["driver_id"])
    pairs = set(zip(starts["driver_id"], starts["lineage_id"], strict=True))
    new_drivers = [name for name in drivers if name not in met]
    moved = [name for name, team in zip(drivers, lineages, strict=True) if name in met and (name, team) not in pairs]
    new_teams = sorted(set(lineages) - set(starts["lineage_id"]))
    sessions = [] if known is None or known.empty else list(known.groupby("session_order")["session"].first())
    laps = [name for name in sessions if name.startswith("fp")]
    notes = [
        *(f"no race yet: {name}" for name in new_drivers),
        *(f"first race for this team: {name}" for name in moved),
        *(f"new team: {name}" for name in new_teams),
        "first race of the season: nobody has seen these cars race" if not (starts["season"] == season).any() else "",
        f"no race at {circuit_id} since 2018" if not (starts["circuit_id"] == circuit_id).any() else "",
        "no practice known" if not laps else "",
        f"one practice session known ({laps[0]})" if len(laps) == 1 else "",
    ]
    return tuple(note for note in notes if note)

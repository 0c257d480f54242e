"""Colours of the teams, for the stripe beside a pick.

Belongs here: decoration; no page says anything by these colours alone, and a team without one gets none.
"""

from __future__ import annotations

TEAM_COLOURS = {
    "alfa-romeo": "#a42134",
    "alphatauri": "#20394c",
    "alpine": "#ff87bc",
    "aston-martin": "#229971",
    "audi": "#8a8d8f",
    "cadillac": "#b08d57",
    "ferrari": "#dc0000",
    "haas": "#b6babd",
    "kick-sauber": "#52e252",
    "mclaren": "#ff8000",
    "mercedes": "#27c4b0",
    "racing-bulls": "#6692ff",
    "rb": "#6692ff",
    "red-bull": "#3671c6",
    "williams": "#1868db",
}

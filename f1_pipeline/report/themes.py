"""Colours of pictures and pages, light and dark.

Belongs here: colours only, so that a page without a picture need not load a drawing library. Those of series are of
Okabe and Ito, told apart by the colour-blind. Neighbours: `pictures.py` draws in them, `pages.py` writes in them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Colours of a picture: of the paper and the text, of phases in order, of two kinds of series, of references."""

    paper: str
    text: str
    faint: str
    phases: tuple[str, str, str]
    first: str
    second: str
    reference: str


LIGHT = Theme("#ffffff", "#1c2128", "#d8dde3", ("#E69F00", "#0072B2", "#009E73"), "#0072B2", "#D55E00", "#6b7480")
DARK = Theme("#14181d", "#e6eaef", "#363e47", ("#F0B429", "#56B4E9", "#2BC79B"), "#56B4E9", "#F2844B", "#98a2ad")

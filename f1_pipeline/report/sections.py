"""A table of text, as it is laid out before anybody prints it.

Neighbours: `accuracy.py` lays out and prints on the terminal, `pages.py` puts tables into pages.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A table of text: its title, the names of its columns and its rows; the first column is text, the others figures.

    Attributes
    ----------
    title : str
    columns : tuple of str
    rows : tuple of tuple of str
    breaks : frozenset of int
        The rows after which a new group begins.
    texts : frozenset of int
        The columns that are text as well, beside the first.
    links : tuple of (str or None)
        Where the first cell of each row leads; empty when none leads anywhere.
    is_stacked : bool
        Whether each row becomes a list of its own where the screen is narrow.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    breaks: frozenset[int] = frozenset()
    texts: frozenset[int] = frozenset()
    links: tuple[str | None, ...] = ()
    is_stacked: bool = False

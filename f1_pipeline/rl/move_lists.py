"""Short lists of moves to choose from by number: what is on them, what is shown of them, what a number decides.

Belongs here: the list of each race, for N teams, from observations alone, so that environments and agents share it.
Neighbours: :mod:`f1_pipeline.rl.views` ranks the moves, :mod:`f1_pipeline.rl.moves_env` offers the list as an
environment, :mod:`f1_pipeline.rl.ppo` learns to choose from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, WILDCARD
from f1_pipeline.rl.moves import MoveProblem, Moves, best_teams
from f1_pipeline.rl.seasons import SLOTS, Floats, Ints, Mask, SeasonFrame
from f1_pipeline.rl.vector_env import Arrays
from f1_pipeline.rl.views import View, ranked_moves

MOVE_COUNT = 16
"""Moves on the list, holding included."""
CHOICE_COUNT = len(CHIPS) * MOVE_COUNT
"""Numbers to choose from: ``chip * MOVE_COUNT + move``."""

MOVE_FEATURES = {
    "is_legal": (0, 1),
    "expected_gain_points": (-400, 400),
    "expected_price_gain_musd": (-20, 20),
    "transfer_count": (0, 2),
    "transfer_points": (-100, 0),
    "bank_musd": (0, 400),
}
"""What is seen of a move, with bounds: gains are over holding, penalties apart."""

MONEY_POINTS = 0.5
"""Points that a million is worth in each race that is left, by which moves are ranked beside their expected points."""

CHIP_GAIN = (-50.0, 400.0)
"""Bounds of what a chip is estimated to add, points."""


@dataclass(frozen=True, eq=False)
class MoveList:
    """What N teams may choose before a race.

    Parameters
    ----------
    view : View
    start : numpy.ndarray of bool, shape (N, SLOTS)
        Line-ups that the moves begin from.
    moves : Moves
        `MOVE_COUNT` for each team, the first holds.
    afresh : dict of int to (numpy.ndarray, Moves)
        The same under the chips that build a team afresh.
    mask : numpy.ndarray of bool, shape (N, CHOICE_COUNT)
        What is legal and on the list.
    shown : dict of numpy.ndarray
        Observation of the compact environment.
    """

    view: View
    start: Mask
    moves: Moves
    afresh: dict[int, tuple[Mask, Moves]]
    mask: Mask
    shown: Arrays

    def action(self, chosen: Ints) -> Arrays:
        """Turn numbers into full decisions.

        Parameters
        ----------
        chosen : numpy.ndarray of int, shape (N,)
            Below `CHOICE_COUNT`; one that is not legal becomes its move without the chip, or holding.

        Returns
        -------
        dict of numpy.ndarray
            An action of :class:`f1_pipeline.rl.vector_env.F1FantasyVectorEnv`.
        """
        rows = np.arange(len(chosen))
        is_legal = self.mask[rows, chosen]
        chip, move = chosen // MOVE_COUNT, chosen % MOVE_COUNT
        chip = np.where(is_legal, chip, 0)
        move = np.where(is_legal | self.mask[rows, move], move, 0)
        return self.view.action(self._wanted(chip, move), chip)

    def numbers(self, action: Arrays) -> Ints:
        """Find full decisions on the list, for whoever learns from what others did.

        Parameters
        ----------
        action : dict of numpy.ndarray
            An action of :class:`f1_pipeline.rl.vector_env.F1FantasyVectorEnv`; its boosts are not looked at.

        Returns
        -------
        numpy.ndarray of int, shape (N,)
            The number that fields the same line-up and plays the same chip, -1 where the list has none.
        """
        wanted, chip = action["pick"].astype(bool), action["chip"]
        rows, found = np.arange(len(chip)), np.full(len(chip), -1)
        for move in range(MOVE_COUNT):
            number = chip * MOVE_COUNT + move
            is_same = (self._wanted(chip, np.full(len(chip), move)) == wanted).all(axis=1)
            found = np.where((found < 0) & is_same & self.mask[rows, number], number, found)
        return found

    def _wanted(self, chip: Ints, move: Ints) -> Mask:
        """Return the line-ups of some moves, shape (N, SLOTS)."""
        wanted = self.moves.applied(self.start, move)
        for number, (start, moves) in self.afresh.items():
            wanted = np.where((chip == number)[:, np.newaxis], moves.applied(start, move), wanted)
        return wanted


def list_moves(observation: Arrays, frame: SeasonFrame) -> MoveList:
    """List the moves of the coming race.

    Parameters
    ----------
    observation : dict of numpy.ndarray
        Of :class:`f1_pipeline.rl.vector_env.F1FantasyVectorEnv`, N teams before the same race.
    frame : SeasonFrame

    Returns
    -------
    MoveList
    """
    view = View(observation, frame)
    left = np.maximum(view.context("races_left_count")[:, np.newaxis] - 1, 0)
    change = np.where(view.on_sale, view.feature("expected_price_change_musd"), 0.0)
    worth = view.expected + MONEY_POINTS * left * change
    problem = view.problem(worth)
    start = best_teams(problem) if view.is_first.all() else view.held
    moves = ranked_moves(view.moved_to(problem, start), MOVE_COUNT)
    best = moves.applied(start, 1)
    rebuilt = view.rebuilt(best, worth, view.playable[:, WILDCARD])
    gains = view.chip_gains(best, worth, rebuilt)
    afresh = {}
    for number, built in ((WILDCARD, rebuilt), (LIMITLESS, view.limitless())):
        rows = np.flatnonzero(view.playable[:, number])
        if rows.size:
            around = view.moved_to(problem, built, is_limitless=number == LIMITLESS)
            afresh[number] = built, _spread(ranked_moves(around.rows(rows), MOVE_COUNT), rows, view.count)
    listed = np.repeat(np.isfinite(moves.worth)[:, np.newaxis], len(CHIPS), axis=1)
    for number, (_, own) in afresh.items():
        listed[:, number] = np.isfinite(own.worth)
    mask = (listed & view.playable[..., np.newaxis]).reshape(view.count, -1)
    shown = {
        "moves": _features(view, start, moves, change, problem),
        "chip_gains": np.clip(gains, *CHIP_GAIN).astype(np.float32),
        **{name: observation[name] for name in ("context", "portfolio", "chips")},
    }
    return MoveList(view, start, moves, afresh, mask, shown)


def move_bounds() -> tuple[Floats, Floats]:
    """Return the bounds of `MOVE_FEATURES`, shape (MOVE_FEATURES,) each."""
    low, high = (np.array([bound[side] for bound in MOVE_FEATURES.values()], dtype=np.float32) for side in (0, 1))
    return low, high


def _spread(moves: Moves, rows: Ints, count: int) -> Moves:
    """Give the moves of some teams to all of them, no move to the others."""
    if len(rows) == count:
        return moves
    nobody = np.full((count, MOVE_COUNT, 2), SLOTS)
    found = Moves(nobody, nobody.copy(), np.full((count, MOVE_COUNT), -np.inf))
    for name in ("out", "into", "worth"):
        getattr(found, name)[rows] = getattr(moves, name)
    return found


def _features(view: View, start: Mask, moves: Moves, change: Floats, problem: MoveProblem) -> Floats:
    """Show the moves of the list without a chip: shape (N, MOVE_COUNT, MOVE_FEATURES)."""
    count = moves.count
    free = np.where(view.is_first, 2, view.portfolio("free_transfers_count"))[:, np.newaxis]
    money = 10 * view.portfolio("bank_musd") + np.einsum("na,na->n", view.held.astype(np.int64), problem.prices)
    wanted = np.stack([moves.applied(start, move) for move in range(MOVE_COUNT)], axis=1)
    bank = money[:, np.newaxis] - np.einsum("nka,na->nk", wanted, problem.prices)
    gained = np.einsum("nka,na->nk", wanted, change) - np.einsum("na,na->n", start, change)[:, np.newaxis]
    columns = (
        np.ones_like(bank),
        view.expected_of(wanted) - view.expected_of(start)[:, np.newaxis],
        gained,
        count,
        np.maximum(count - free, 0) * view.rules.transfers.extra_points,
        bank / 10,
    )
    found = np.where(np.isfinite(moves.worth)[..., np.newaxis], np.stack(columns, axis=-1), 0.0)
    return np.clip(found.astype(np.float32), *move_bounds())

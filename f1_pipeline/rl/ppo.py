"""A learned agent: a small network chooses from the list of moves and among chips; trained by masked PPO.

Belongs here: the policy, evaluated with NumPy alone, and how it is written down. Neighbours:
:mod:`f1_pipeline.rl.move_lists` lists the moves, :mod:`f1_pipeline.rl.ppo_training` is the training, which needs the
extra ``rl``.

The network scores each move with the same weights, from what is seen of the move and of the race, and each chip from
what is seen of the race. The score of a choice is that of its chip plus that of its move, the latter against the best
move; under a Wildcard or Limitless, whose moves are not shown, a move has a weight for its rank.

References
----------
Schulman et al., "Proximal Policy Optimization Algorithms" (2017); masks as in Huang and Ontañón, "A Closer Look at
Invalid Action Masking in Policy Gradient Algorithms" (2022).
"""

from __future__ import annotations

import io
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from f1_pipeline.errors import DataError, UsageError
from f1_pipeline.game.team_arrays import CHIPS, LIMITLESS, WILDCARD
from f1_pipeline.rl.move_lists import CHOICE_COUNT, MOVE_COUNT, MOVE_FEATURES, list_moves
from f1_pipeline.rl.observations import CONTEXT, PORTFOLIO
from f1_pipeline.rl.seasons import Floats, Ints, Mask, SeasonSource
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv

AFRESH = (WILDCARD, LIMITLESS)
"""Chips under which the moves on the list are others than those shown."""

MOVE_SCALES = {
    "is_legal": 1.0,
    "expected_gain_points": 20.0,
    "expected_price_gain_musd": 1.0,
    "transfer_count": 2.0,
    "transfer_points": 10.0,
    "bank_musd": 10.0,
}
"""What figures of moves are divided by, so that most are within -1 and 1."""
LASTING_SCALE = 10.0
"""The same for the price gain times the races left after this one: million dollars times races."""
MOVE_SIZE = len(MOVE_FEATURES) + 1
CHIP_SCALES = (1.0, 10.0, 45.0, 15.0, 40.0, 90.0, 6.0)
"""The same for the gains of chips: about what a chip gains at a race that suits it."""
CONTEXT_SCALES = {"races_left_count": 24.0}
PORTFOLIO_SCALES = {"bank_musd": 10.0, "budget_musd": 100.0, "free_transfers_count": 2.0}
"""The same for the others; those that are not named are as they are."""
RACE_SIZE = len(CHIPS) + len(CONTEXT) + len(PORTFOLIO) + len(CHIPS) - 1
FLAT_SIZE = MOVE_COUNT * MOVE_SIZE + RACE_SIZE
"""Figures of a flat observation: those of each move, then those of the race."""

MOVE_WIDTH, CHIP_WIDTH = 32, 64
SHAPES = {
    "move_in": (MOVE_SIZE, MOVE_WIDTH),
    "move_race": (RACE_SIZE, MOVE_WIDTH),
    "move_in_bias": (MOVE_WIDTH,),
    "move_mid": (MOVE_WIDTH, MOVE_WIDTH),
    "move_mid_bias": (MOVE_WIDTH,),
    "move_out": (MOVE_WIDTH,),
    "move_direct": (MOVE_SIZE,),
    "chip_in": (RACE_SIZE, CHIP_WIDTH),
    "chip_in_bias": (CHIP_WIDTH,),
    "chip_mid": (CHIP_WIDTH, CHIP_WIDTH),
    "chip_mid_bias": (CHIP_WIDTH,),
    "chip_out": (CHIP_WIDTH, len(CHIPS)),
    "chip_out_bias": (len(CHIPS),),
    "chip_direct": (RACE_SIZE, len(CHIPS)),
    "rank": (len(AFRESH), MOVE_COUNT),
}
"""The weights of a policy. Layers are ``in``, ``mid``, ``out``; ``direct`` lead past them, from the figures of a move
or of the race to a score."""
NOT_LEGAL = -1e9

_DAMAGE = (OSError, ValueError, EOFError, KeyError, RuntimeError, SyntaxError, struct.error)
_DAMAGE += (MemoryError, tokenize.TokenError, zipfile.BadZipFile, zlib.error)
"""What NumPy raises of a damaged archive; RuntimeError where it seems to be encrypted or packed in another way."""


def flat_observation(shown: Arrays) -> Floats:
    """Lay out and scale what the policy sees, in training and in play.

    Parameters
    ----------
    shown : dict of numpy.ndarray
        Observation of :class:`f1_pipeline.rl.moves_env.MovesVectorEnv`.

    Returns
    -------
    numpy.ndarray of float32, shape (N, FLAT_SIZE)
    """
    count = len(shown["moves"])
    left = shown["context"][:, list(CONTEXT).index("races_left_count"), np.newaxis] - 1
    lasting = shown["moves"][..., list(MOVE_FEATURES).index("expected_price_gain_musd")] * left / LASTING_SCALE
    moves = np.concatenate([shown["moves"] / [MOVE_SCALES[name] for name in MOVE_FEATURES], lasting[..., None]], axis=2)
    race = (
        shown["chip_gains"] / CHIP_SCALES,
        shown["context"] / [CONTEXT_SCALES.get(name, 1.0) for name in CONTEXT],
        shown["portfolio"] / [PORTFOLIO_SCALES.get(name, 1.0) for name in PORTFOLIO],
        shown["chips"],
    )
    return np.concatenate([moves.reshape(count, -1), *race], axis=1).astype(np.float32)


def choice_scores(weights: Mapping[str, Floats], flat: Floats) -> Floats:
    """Evaluate a policy.

    Parameters
    ----------
    weights : mapping of str to numpy.ndarray
        By the names and shapes of `SHAPES`.
    flat : numpy.ndarray of float32, shape (N, FLAT_SIZE)

    Returns
    -------
    numpy.ndarray, shape (N, CHOICE_COUNT)
        Scores of all choices, legal or not: logits.
    """
    moves = flat[:, : MOVE_COUNT * MOVE_SIZE].reshape(-1, MOVE_COUNT, MOVE_SIZE)
    race = flat[:, MOVE_COUNT * MOVE_SIZE :]
    hidden = np.tanh(
        moves @ weights["move_in"] + (race @ weights["move_race"] + weights["move_in_bias"])[:, np.newaxis]
    )
    hidden = np.tanh(hidden @ weights["move_mid"] + weights["move_mid_bias"])
    score = hidden @ weights["move_out"] + moves @ weights["move_direct"]
    score = np.where(moves[..., 0] > 0, score, np.float32(NOT_LEGAL))
    score = score - score.max(axis=1, keepdims=True)
    hidden = np.tanh(race @ weights["chip_in"] + weights["chip_in_bias"])
    hidden = np.tanh(hidden @ weights["chip_mid"] + weights["chip_mid_bias"])
    chip = hidden @ weights["chip_out"] + weights["chip_out_bias"] + race @ weights["chip_direct"]
    found = np.repeat(score[:, np.newaxis], len(CHIPS), axis=1)
    for at, number in enumerate(AFRESH):
        found[:, number] = weights["rank"][at]
    return (found + chip[..., np.newaxis]).reshape(-1, CHOICE_COUNT)


@dataclass(frozen=True, eq=False)
class PpoAgent:
    """Play by a trained network, always its best choice.

    Parameters
    ----------
    weights : mapping of str to numpy.ndarray
        By the names and shapes of `SHAPES`.
    name : str
    """

    weights: Mapping[str, Floats]
    name: str = "ppo"
    has_chips: bool = True

    def act(self, observation: Arrays, info: dict[str, Any], env: F1FantasyVectorEnv) -> Arrays:
        """Decide; see :class:`f1_pipeline.rl.agents.Agent`."""
        listed = list_moves(observation, env.frame)
        return listed.action(self.choose(flat_observation(listed.shown), listed.mask))

    def choose(self, flat: Floats, mask: Mask) -> Ints:
        """Choose from lists.

        Parameters
        ----------
        flat : numpy.ndarray of float32, shape (N, FLAT_SIZE)
        mask : numpy.ndarray of bool, shape (N, CHOICE_COUNT)

        Returns
        -------
        numpy.ndarray of int, shape (N,)
            Numbers as :meth:`f1_pipeline.rl.move_lists.MoveList.action` takes.
        """
        return np.where(mask, choice_scores(self.weights, flat), -np.inf).argmax(axis=1)


@dataclass(frozen=True)
class PpoSettings:
    """How to train.

    Parameters
    ----------
    updates : int
        Rounds of playing and learning.
    seasons : int
        Different seasons that are played at a time, shared out among the sources evenly, at least one for each.
    copies : int
        Times that each of them is played: a step's reward is taken against the mean of the copies of its season, itself
        among them.
    races : int
        Races of each season between two updates.
    batch_size, epochs : int
        Of the gradient steps of an update.
    learning_rate : float
        At the start; it falls to 0 in a line.
    clip, gae_share, entropy_weight, target_kl : float
        Clipping range, lambda, coefficient of the entropy and the divergence that ends an update, as in PPO.
    reward_points : float
        Points that are a reward of 1.
    """

    updates: int = 28
    seasons: int = 64
    copies: int = 8
    races: int = 24
    batch_size: int = 2048
    epochs: int = 6
    learning_rate: float = 1.5e-3
    clip: float = 0.2
    gae_share: float = 0.97
    entropy_weight: float = 0.0
    target_kl: float = 0.05
    reward_points: float = 20.0


@dataclass(frozen=True)
class PpoUpdate:
    """One point of the learning curve: races played so far, and mean points of the seasons that ended in the update."""

    number: int
    race_count: int
    mean_points: float


def train_ppo(
    sources: Sequence[SeasonSource],
    settings: PpoSettings,
    seed: int,
    report: Callable[[PpoUpdate], None] = lambda update: None,
) -> tuple[PpoAgent, list[PpoUpdate]]:
    """Train a policy in simulated seasons, on one thread.

    Parameters
    ----------
    sources : sequence of SeasonSource
        Simulators that are played side by side.
    settings : PpoSettings
    seed : int
        The same seed gives the same agent, with the same versions on the same machine.
    report : callable
        Told of every update.

    Returns
    -------
    PpoAgent
    list of PpoUpdate
        The learning curve, of choices drawn at random by their scores.

    Raises
    ------
    UsageError
        The extra ``rl`` is not installed.
    """
    try:
        import sb3_contrib
        import torch
    except ImportError as error:
        raise UsageError(
            f"Training by PPO: expected the extra rl, found no {error.name}: pip install -c constraints.txt -e '.[rl]'"
        ) from error
    del sb3_contrib, torch
    from f1_pipeline.rl.ppo_training import trained

    weights, curve = trained(sources, settings, seed, report)
    return PpoAgent(weights), curve


def ppo_bytes(agent: PpoAgent) -> bytes:
    """Write an agent down as a NumPy archive."""
    content = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(agent.weights[name], dtype=np.float32) for name in SHAPES}
    np.savez(content, **arrays)
    return content.getvalue()


def read_ppo(content: bytes, where: str) -> PpoAgent:
    """Read an agent back.

    Parameters
    ----------
    content : bytes
        From :func:`ppo_bytes`.
    where : str
        What to name in errors.

    Returns
    -------
    PpoAgent

    Raises
    ------
    DataError
        It is not one, or its weights are not those of this policy.
    """
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
        if not isinstance(found, np.lib.npyio.NpzFile):
            raise ValueError("a single array")
        with found:
            weights = {name: found[name] for name in found.files}
    except _DAMAGE as error:
        raise DataError(f"{where}: expected an archive of weights, found {error!r}.") from error
    shapes = {name: values.shape for name, values in weights.items()}
    for name, shape in SHAPES.items():
        if shapes.get(name) != shape or weights[name].dtype != np.float32 or not np.isfinite(weights[name]).all():
            raise DataError(
                f"{where}: expected finite weights {name} of shape {shape}, found {shapes.get(name, 'none')}."
            )
    return PpoAgent({name: weights[name] for name in SHAPES})

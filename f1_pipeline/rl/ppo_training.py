"""Training of the learned agent by masked PPO; the one module that imports torch, and only with the extra ``rl``.

Belongs here: the network in torch, seasons as Stable-Baselines3 takes environments, the run. The policy that comes of
it, and all that needs no torch, is :mod:`f1_pipeline.rl.ppo`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from torch import nn

from f1_pipeline.game.team_arrays import CHIPS, EXTRA_BOOST
from f1_pipeline.rl.move_lists import CHOICE_COUNT, MONEY_POINTS, MOVE_COUNT, MOVE_FEATURES
from f1_pipeline.rl.moves_env import MovesVectorEnv
from f1_pipeline.rl.observations import CONTEXT
from f1_pipeline.rl.ppo import (
    AFRESH,
    FLAT_SIZE,
    LASTING_SCALE,
    MOVE_SCALES,
    MOVE_SIZE,
    NOT_LEGAL,
    SHAPES,
    PpoSettings,
    PpoUpdate,
    flat_observation,
)
from f1_pipeline.rl.seasons import Floats, SeasonSource
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv

_CRITIC_WIDTH = 64
_FIRST_SLOPE = 0.3
"""Score per point of a move before training: of two moves five points apart the better is chosen four times in five."""
_FIRST_CHIP, _FIRST_CHIP_GAIN, _FIRST_CHIP_LATE = -5.0, 2.5, 3.0
"""Score of a chip before training: without any gain, added for a gain that suits it, and added by the season's end; no
chip has 0."""
_FIRST_RANK = -2.0
"""Score of a team built afresh that is not the best, before training."""
_SEED_SPAN, _FIRST_SPACING = 2**23, 2**16
"""Places that seasons may begin at, so many numbers apart: far below those that agents are judged on."""


class ChoiceNetwork(nn.Module):
    """The policy of :func:`f1_pipeline.rl.ppo.choice_scores` in torch, and a critic beside it.

    Before training it prefers moves as the list ranks them, and chips by their gains.
    """

    latent_dim_pi = CHOICE_COUNT
    latent_dim_vf = _CRITIC_WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.policy = nn.ParameterDict({name: _first_weights(name) for name in SHAPES})
        self.critic = nn.Sequential(
            nn.Linear(FLAT_SIZE, _CRITIC_WIDTH), nn.Tanh(), nn.Linear(_CRITIC_WIDTH, _CRITIC_WIDTH), nn.Tanh()
        )

    def forward(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores of choices, and what the critic's last layer takes."""
        return self.forward_actor(flat), self.forward_critic(flat)

    def forward_critic(self, flat: torch.Tensor) -> torch.Tensor:
        """Return what the critic's last layer takes, shape (N, latent_dim_vf)."""
        return self.critic(flat)

    def forward_actor(self, flat: torch.Tensor) -> torch.Tensor:
        """Return scores of choices, shape (N, CHOICE_COUNT)."""
        own = self.policy
        moves = flat[:, : MOVE_COUNT * MOVE_SIZE].reshape(-1, MOVE_COUNT, MOVE_SIZE)
        race = flat[:, MOVE_COUNT * MOVE_SIZE :]
        hidden = torch.tanh(moves @ own["move_in"] + (race @ own["move_race"] + own["move_in_bias"])[:, None])
        hidden = torch.tanh(hidden @ own["move_mid"] + own["move_mid_bias"])
        score = hidden @ own["move_out"] + moves @ own["move_direct"]
        score = torch.where(moves[..., 0] > 0, score, NOT_LEGAL)
        score = score - score.max(dim=1, keepdim=True).values
        hidden = torch.tanh(race @ own["chip_in"] + own["chip_in_bias"])
        hidden = torch.tanh(hidden @ own["chip_mid"] + own["chip_mid_bias"])
        chip = hidden @ own["chip_out"] + own["chip_out_bias"] + race @ own["chip_direct"]
        listed = [
            own["rank"][AFRESH.index(number)].expand_as(score) if number in AFRESH else score
            for number in range(len(CHIPS))
        ]
        return (torch.stack(listed, dim=1) + chip[..., None]).reshape(-1, CHOICE_COUNT)

    def arrays(self) -> dict[str, Floats]:
        """Return the weights of the policy, by the names of `SHAPES`."""
        return {name: self.policy[name].detach().numpy().copy() for name in SHAPES}


def _first_weights(name: str) -> nn.Parameter:
    """Set weights before training: layers at random, the last ones small, direct ones as the list ranks moves."""
    shape = SHAPES[name]
    values = torch.zeros(shape)
    if name.endswith(("_in", "_race", "_mid")):
        nn.init.orthogonal_(values, gain=1.0)
    elif name in ("move_out", "chip_out"):
        nn.init.normal_(values, std=0.01)
    elif name == "move_direct":
        names = list(MOVE_FEATURES)
        for feature in ("expected_gain_points", "transfer_points"):
            values[names.index(feature)] = _FIRST_SLOPE * MOVE_SCALES[feature]
        values[-1] = _FIRST_SLOPE * MONEY_POINTS * LASTING_SCALE
    elif name == "chip_out_bias":
        values[1:] = _FIRST_CHIP
    elif name == "chip_direct":
        values[: len(CHIPS)] = _FIRST_CHIP_GAIN * torch.eye(len(CHIPS))
        values[len(CHIPS) + list(CONTEXT).index("season_progress_share"), 1:] = _FIRST_CHIP_LATE
    elif name == "rank":
        values[:, 1:] = _FIRST_RANK
    return nn.Parameter(values)


class ChoicePolicy(MaskableActorCriticPolicy):
    """`ChoiceNetwork` where Stable-Baselines3 has a perceptron."""

    def _build_mlp_extractor(self) -> None:
        self.mlp_extractor = ChoiceNetwork()

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        # The network's scores are the logits.
        self.action_net = nn.Identity()
        self.optimizer = torch.optim.Adam(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)


class SeasonsVecEnv(VecEnv):
    """Seasons of several sources as one environment of Stable-Baselines3.

    Each source plays its share of ``seasons``, each season ``copies`` times. A row whose season ends is reset at once,
    as Stable-Baselines3 wants it: the observation returned is of the next season, that of the end is in
    ``terminal_observation``. (The environments below would reset at the step after, which is never asked of them.)

    The reward of a step is its points less two things whose mean does not depend on the choice: what the forecasts of
    the line-up's points erred by, which nobody could know, and the mean over the copies of the season.

    Parameters
    ----------
    sources : sequence of SeasonSource
    settings : PpoSettings
    seed : int
        Gives the season numbers.
    """

    def __init__(self, sources: Sequence[SeasonSource], settings: PpoSettings, seed: int) -> None:
        self.settings = settings
        self.season_count = max(settings.seasons // len(sources), 1)
        self.rows = self.season_count * settings.copies
        self.parts = [MovesVectorEnv(F1FantasyVectorEnv(source, self.rows, reward="points")) for source in sources]
        space = spaces.Box(-np.inf, np.inf, (FLAT_SIZE,), dtype=np.float32)
        super().__init__(self.rows * len(self.parts), space, self.parts[0].single_action_space)
        # Numbers in a row from some place on: neighbours are simulated together.
        self.following = np.random.default_rng(seed).integers(_SEED_SPAN, size=len(self.parts)) * _FIRST_SPACING
        self.points = np.zeros((len(self.parts), self.rows))
        self.ended: list[float] = []
        """Mean points of seasons that ended, one figure for all of a source."""

    def reset(self) -> np.ndarray:
        """Start seasons of every source."""
        return np.concatenate([self._started(part) for part in range(len(self.parts))])

    def step_async(self, actions: np.ndarray) -> None:
        """Keep choices for `step_wait`."""
        self.chosen = actions.reshape(len(self.parts), self.rows)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Make the choices."""
        seen, rewards, ended, told = [], [], [], []
        for part, (env, chosen) in enumerate(zip(self.parts, self.chosen, strict=True)):
            surprise = forecast_errors(env.games, env.full_action(chosen))
            shown, points, terminated, _, _ = env.step(chosen)
            self.points[part] += points
            foreseen = points - surprise
            common = foreseen.reshape(self.settings.copies, -1).mean(axis=0)
            rewards.append((foreseen - np.tile(common, self.settings.copies)) / self.settings.reward_points)
            flat = flat_observation(shown)
            infos: list[dict[str, Any]] = [{} for _ in range(self.rows)]
            if terminated.all():
                for info, last in zip(infos, flat, strict=True):
                    info |= {"terminal_observation": last, "TimeLimit.truncated": False}
                self.ended.append(float(self.points[part].mean()))
                flat = self._started(part)
            seen.append(flat)
            ended.append(terminated)
            told += infos
        return np.concatenate(seen), np.concatenate(rewards).astype(np.float32), np.concatenate(ended), told

    def _started(self, part: int) -> np.ndarray:
        """Start the next seasons of a source."""
        env, count, first = self.parts[part], self.season_count, int(self.following[part])
        self.following[part] += count
        known = env.games.source.count
        numbers = [number if known is None else number % known for number in range(first, first + count)]
        shown, _ = env.reset(options={"season_numbers": numbers * self.settings.copies})
        self.points[part] = 0
        return flat_observation(shown)

    def action_masks(self) -> np.ndarray:
        """Return what is legal, shape (rows, CHOICE_COUNT)."""
        return np.concatenate([part.listed.mask for part in self.parts])

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Answer what sb3-contrib asks for: ``action_masks`` of each row."""
        return list(getattr(self, method_name)(*method_args, **method_kwargs))

    def has_attr(self, attr_name: str) -> bool:
        """Say whether it has an attribute."""
        return hasattr(self, attr_name)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute for each row; the rows have none of their own."""
        return [getattr(self, attr_name, None)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: the rows have no attributes of their own."""
        raise NotImplementedError(f"Seasons have no attribute {attr_name} to set.")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Say that no row is wrapped."""
        return [False] * self.num_envs

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def forecast_errors(env: F1FantasyVectorEnv, action: Arrays) -> Floats:
    """Tell how much more than forecast the line-ups of a decision will score, boosts included.

    Parameters
    ----------
    env : F1FantasyVectorEnv
        Before the race.
    action : dict of numpy.ndarray
        Legal.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Its mean over what may come of a race is 0 as far as forecasts are right on average: taken off rewards, it makes
        them less noisy, and leaves which choice is best.
    """
    rules, rows = env.frame.rules, np.arange(env.num_envs)
    seasons, race = env.seasons, env.race
    error = np.where(seasons.is_active[:, race], seasons.points[:, race] - seasons.expected[:, race], 0.0)
    found = np.where(action["pick"] > 0, error, 0.0).sum(axis=1)
    found += (rules.boost.multiplier - 1) * error[rows, action["boost"]]
    extra = (rules.chips.extra_boost.multiplier - 1) * error[rows, action["extra_boost"]]
    return found + np.where(action["chip"] == EXTRA_BOOST, extra, 0.0)


class _Curve(BaseCallback):
    """Note the points of seasons that ended in each update."""

    def __init__(self, seasons: SeasonsVecEnv, report: Callable[[PpoUpdate], None]) -> None:
        super().__init__()
        self.seasons, self.report = seasons, report
        self.curve: list[PpoUpdate] = []

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        ended = self.seasons.ended
        # An update that is shorter than a season may see none end.
        points = float(np.mean(ended)) if ended else float("nan")
        ended.clear()
        self.curve.append(PpoUpdate(len(self.curve) + 1, int(self.num_timesteps), points))
        self.report(self.curve[-1])


def trained(
    sources: Sequence[SeasonSource], settings: PpoSettings, seed: int, report: Callable[[PpoUpdate], None]
) -> tuple[dict[str, Floats], list[PpoUpdate]]:
    """Train; see :func:`f1_pipeline.rl.ppo.train_ppo`.

    Returns
    -------
    dict of str to numpy.ndarray
        Weights by the names of `SHAPES`.
    list of PpoUpdate
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seasons = SeasonsVecEnv(sources, settings, seed)
        model = MaskablePPO(
            ChoicePolicy,
            seasons,
            learning_rate=lambda left: settings.learning_rate * left,
            n_steps=settings.races,
            batch_size=settings.batch_size,
            n_epochs=settings.epochs,
            gamma=1.0,
            gae_lambda=settings.gae_share,
            clip_range=settings.clip,
            ent_coef=settings.entropy_weight,
            target_kl=settings.target_kl,
            policy_kwargs={"ortho_init": False},
            seed=seed,
            device="cpu",
        )
        curve = _Curve(seasons, report)
        model.learn(settings.updates * settings.races * seasons.num_envs, callback=curve)
    finally:
        torch.set_num_threads(threads)
    network = model.policy.mlp_extractor
    assert isinstance(network, ChoiceNetwork)
    return network.arrays(), curve.curve

"""The game as an environment of N seasons at once: one step is the decision before one race, one episode a season.

Belongs here: Gymnasium's vector API around the rules of :mod:`f1_pipeline.game.team_arrays`. One season at a time is
:mod:`f1_pipeline.rl.env`; what is seen is :mod:`f1_pipeline.rl.observations`, what it is worth
:mod:`f1_pipeline.rl.rewards`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import index
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from f1_pipeline.errors import RuleError, UsageError
from f1_pipeline.game.chips import start_chips
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, Lineup
from f1_pipeline.game.team import Team
from f1_pipeline.game.team_arrays import (
    CHIPS,
    FAULTS,
    FINAL_FIX,
    NONE,
    Choices,
    Outcome,
    RaceSheet,
    TeamArrays,
    budget_tenths,
    find_faults,
    play_race,
    playable_chips,
    total,
)
from f1_pipeline.rl.observations import (
    action_space,
    bounded,
    context_of,
    legal_assets,
    observation_space,
    portfolio_of,
)
from f1_pipeline.rl.projection import project
from f1_pipeline.rl.rewards import REWARDS, at_budget, baseline_by_budget
from f1_pipeline.rl.seasons import (
    DRIVER_SLOTS,
    IS_DRIVER,
    SLOTS,
    Floats,
    Ints,
    Seasons,
    SeasonSource,
    asset_features,
)

ILLEGAL = ("project", "reject")
_SEED_SPAN = 2**31
_FIRST_SPACING = 2**16
"""Two seeds start their seasons this many numbers apart, at least."""

Arrays = dict[str, np.ndarray]


class F1FantasyVectorEnv(VectorEnv[Arrays, Mapping[str, np.ndarray], np.ndarray]):
    """N seasons of the official F1 Fantasy game, played side by side.

    ## Description
    A manager picks five drivers and two constructors within a budget before each race of a season, boosts a driver, and
    may play one of six chips. Prices follow points; transfers beyond the free ones cost points. All rules are those of
    the season (see docs/scoring_rules.md), exact to the tenth of a million and to the point.

    ## Action space
    See :func:`f1_pipeline.rl.observations.action_space`: ``pick`` per asset, ``boost``, ``extra_boost``, ``chip``.
    Final Fix is decided with the line-up and played after qualifying: the environment makes the swap that the forecast
    after qualifying expects most of; with none that gains, the chip is kept.

    ## Observation space
    See :func:`f1_pipeline.rl.observations.observation_space`. Before the first race a team holds the cheapest line-up,
    which can be changed freely.

    ## Rewards
    See :data:`f1_pipeline.rl.rewards.REWARDS`; ``above_mean`` by default.

    ## Starting state
    A new team at the first race; season numbers follow one another from a place that the seed gives.

    ## Episode end
    After the last race the episode terminates; a season that is going on is truncated after the last race driven. The
    next step resets (``NEXT_STEP``): its reward is 0 and its information that of a reset.

    ## Information
    ``action_mask``: the assets that some legal decision holds (2, else 0), drivers that may be boosted and chips that
    may be played (1, else 0); row by row in the form that ``single_action_space.sample(mask=...)`` takes. Also
    ``season_number`` and ``race_number``. After a step also the parts of the reward: ``points``, ``asset_points``,
    ``transfer_points``, ``inactive_points``, ``baseline_points`` (what the reward compares with), ``transfer_count``,
    ``chip`` played, ``budget_musd`` at the lock and ``fault`` (number in ``FAULTS``; of what was projected).

    Parameters
    ----------
    source : SeasonSource
        Where seasons come from.
    num_envs : int
        N.
    reward : str
        One of `REWARDS`.
    illegal : {'project', 'reject'}
        Whether an illegal decision is brought to a legal one near it, or raises.
    has_chips : bool
        Whether chips may be played.

    Raises
    ------
    UsageError
        An argument is none of those.

    References
    ----------
    Gymnasium 1.4, "Vector environments" and "Autoreset mode".
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        source: SeasonSource,
        num_envs: int = 1,
        *,
        reward: str = "above_mean",
        illegal: str = "project",
        has_chips: bool = True,
    ) -> None:
        for name, found, known in (("reward", reward, tuple(REWARDS)), ("illegal", illegal, ILLEGAL)):
            if found not in known:
                raise UsageError(f"Environment: {name}: expected one of {', '.join(known)}, found {found!r}.")
        if num_envs < 1:
            raise UsageError(f"Environment: num_envs: expected at least 1, found {num_envs}.")
        self.source, self.num_envs, self.reward, self.illegal = source, num_envs, reward, illegal
        self.has_chips = has_chips
        self.frame = source.frame
        self.single_observation_space, self.single_action_space = observation_space(), action_space()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._race = -1
        self._next_number = 0
        self._loaded: tuple[int, ...] = ()

    @property
    def race(self) -> int:
        """Return the number of the coming race, from 0; T after the last."""
        return self._race

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Arrays, dict[str, Any]]:
        """Start N seasons.

        Parameters
        ----------
        seed : int, optional
            Where the season numbers begin.
        options : dict, optional
            ``season_numbers``: N of them, to choose the seasons; the next ones follow the last of them.

        Returns
        -------
        observation : dict of numpy.ndarray
        info : dict

        Raises
        ------
        UsageError
            There are not N season numbers, one is not whole, or an option is unknown.
        """
        is_new = seed is not None or self._race < 0
        super().reset(seed=seed)
        given = dict(options or {})
        numbers = given.pop("season_numbers", None)
        if given:
            raise UsageError(f"Environment: expected the option season_numbers, found {', '.join(map(str, given))}.")
        if is_new:
            draw = int(self.np_random.integers(_SEED_SPAN))
            self._next_number = draw * _FIRST_SPACING if self.source.count is None else draw % self.source.count
        is_chosen = numbers is not None
        self._load(self._whole(numbers if is_chosen else self._following()))
        if is_chosen:
            self._next_number = max(self._loaded) + 1
        self._race = 0
        self.teams = TeamArrays.start(*self._cheapest(), self._seasons.prices[:, 0], self.frame.rules)
        if not self.has_chips:
            self.teams = replace(self.teams, chips_left=self.teams.chips_left & (np.arange(len(CHIPS)) == NONE))
        return self._observation(), self._info()

    def step(
        self, actions: Mapping[str, np.ndarray]
    ) -> tuple[Arrays, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Decide before one race, in every season.

        Parameters
        ----------
        actions : dict of numpy.ndarray
            An element of the action space.

        Returns
        -------
        observation, reward, terminated, truncated, info
            Before the next race; the step after the last race starts the next seasons, whatever the action.

        Raises
        ------
        gymnasium.error.ResetNeeded
            Before the first reset.
        gymnasium.error.InvalidAction
            An action is none of the action space.
        RuleError
            An action is illegal and the environment rejects such; it names the season and the rule.
        """
        if self._race < 0:
            raise ResetNeeded("Call reset before the first step.")
        nothing = np.zeros(self.num_envs)
        ended = nothing.astype(bool)
        if self._race == self.frame.race_count:
            observation, info = self.reset()
            return observation, nothing, ended, ended.copy(), info
        choices, faults = self._legal(self._checked(actions))
        sheet = self._sheet(self._race)
        choices = self._with_swaps(choices, sheet)
        self.teams, outcome = play_race(self.teams, choices, sheet, IS_DRIVER, self.frame.rules)
        baseline = nothing if self._baseline is None else at_budget(self._baseline[self._race], outcome.budget_tenths)
        self._race += 1
        info = self._info() | _breakdown(outcome, choices, baseline, faults)
        is_end, goes_on = self._race == self.frame.race_count, self._race < self.frame.calendar_count
        terminated, truncated = (np.full(self.num_envs, is_end and kind) for kind in (not goes_on, goes_on))
        return self._observation(), outcome.points - baseline, terminated, truncated, info

    def team(self, row: int) -> Team | None:
        """Return a team as the game has it, for agents that plan.

        Parameters
        ----------
        row : int

        Returns
        -------
        Team or None
            None before the first race.
        """
        if self._race == 0:
            return None
        teams, frame = self.teams, self.frame
        prices = self._seasons.prices[row, min(self._race, frame.race_count - 1)]
        named = {frame.assets[slot]: int(prices[slot]) for slot in np.flatnonzero(teams.held[row])}
        held = sorted(key for key in named if key is not None)
        boosted = frame.assets[int(teams.boosted[row])]
        assert boosted is not None
        lineup = Lineup(
            tuple(name for kind, name in held if kind == DRIVER),
            tuple(name for kind, name in held if kind == CONSTRUCTOR),
            boosted[1],
        )
        left = {name for name, is_left in zip(CHIPS, teams.chips_left[row], strict=True) if is_left}
        return Team(
            rules=frame.rules,
            lineup=lineup,
            price_tenths=tuple(named[key] for key in lineup.asset_keys),
            bank_tenths=int(teams.bank_tenths[row]),
            free_transfers=int(teams.free_transfers[row]),
            chips_left=tuple(name for name in start_chips(frame.rules) if name in left),
            races_played=int(teams.races_played[row]),
            last_race_key=frame.race_keys[self._race - 1],
        )

    @property
    def season_numbers(self) -> tuple[int, ...]:
        """Return the number of each season that is played."""
        return self._loaded

    @property
    def seasons(self) -> Seasons:
        """Return the seasons that are played, results and all: for oracles and tests."""
        return self._seasons

    def _following(self) -> list[int]:
        first, count = self._next_number, self.source.count
        self._next_number = first + self.num_envs
        numbers = range(first, first + self.num_envs)
        return list(numbers) if count is None else [number % count for number in numbers]

    def _whole(self, numbers: Any) -> list[int]:
        """Check the numbers of the seasons wanted."""
        try:
            found = [index(number) for number in numbers]
        except TypeError:
            raise UsageError(
                f"Environment: season_numbers: expected {self.num_envs} whole numbers, found {numbers!r}."
            ) from None
        if len(found) != self.num_envs:
            raise UsageError(f"Environment: season_numbers: expected {self.num_envs} of them, found {len(found)}.")
        return found

    def _load(self, numbers: Sequence[int]) -> None:
        if tuple(numbers) == self._loaded:
            return
        self._seasons = self.source.take(numbers)
        self._features = bounded(asset_features(self.frame, self._seasons))
        self._baseline = baseline_by_budget(self.frame, self._seasons, self.reward)
        self._loaded = tuple(numbers)

    def _cheapest(self) -> tuple[np.ndarray, Ints]:
        """Return the cheapest line-ups of the first race, and their dearest drivers."""
        rules, rows = self.frame.rules.team, np.arange(self.num_envs)[:, np.newaxis]
        on_sale, held = self._seasons.is_active[:, 0], np.zeros((self.num_envs, SLOTS), dtype=bool)
        cost = np.where(on_sale, self._seasons.prices[:, 0], np.iinfo(np.int32).max)
        for kind, size in ((IS_DRIVER, rules.driver_count), (~IS_DRIVER, rules.constructor_count)):
            held[rows, np.where(kind, cost, np.iinfo(np.int32).max).argsort(axis=1, kind="stable")[:, :size]] = True
        return held, np.where(held & IS_DRIVER, self._seasons.prices[:, 0], -1).argmax(axis=1)

    def _sheet(self, race: int) -> RaceSheet:
        seasons = self._seasons
        return RaceSheet(
            prices=seasons.prices[:, race],
            is_active=seasons.is_active[:, race],
            points=seasons.points[:, race],
            no_negative_points=seasons.no_negative_points[:, race],
            remaining_points=seasons.remaining_points[:, race],
            inactive_points=np.broadcast_to(self.frame.inactive_points[race], self.num_envs),
        )

    def _checked(self, actions: Mapping[str, np.ndarray]) -> Choices:
        """Turn an action into choices, refusing what the action space does not hold."""
        nobody = np.full(self.num_envs, -1)
        shapes = {"pick": (self.num_envs, SLOTS), **dict.fromkeys(("boost", "extra_boost", "chip"), (self.num_envs,))}
        limits = {"pick": 2, "boost": DRIVER_SLOTS, "extra_boost": DRIVER_SLOTS, "chip": len(CHIPS)}
        found: Arrays = {}
        for name, shape in shapes.items():
            if not isinstance(actions, Mapping) or name not in actions:
                raise InvalidAction(f"Action: expected {', '.join(shapes)}, found no {name}.")
            values = np.asarray(actions[name])
            if values.shape != shape or values.dtype.kind not in "iub":
                raise InvalidAction(
                    f"Action {name}: expected whole numbers of shape {shape}, found {values.dtype} of {values.shape}."
                )
            if values.size and (values.min() < 0 or values.max() >= limits[name]):
                raise InvalidAction(f"Action {name}: expected numbers from 0 to {limits[name] - 1}, found others.")
            found[name] = values
        return Choices(
            wanted=found["pick"].astype(bool),
            boosted=found["boost"].astype(np.intp),
            extra_boosted=found["extra_boost"].astype(np.intp),
            chip=found["chip"].astype(np.intp),
            outgoing=nobody,
            incoming=nobody,
        )

    def _legal(self, choices: Choices) -> tuple[Choices, Ints]:
        """Reject or project illegal choices; also return what was wrong with each."""
        sheet, rules = self._sheet(self._race), self.frame.rules
        faults = find_faults(self.teams, choices, sheet, IS_DRIVER, rules)
        if not faults.any():
            return choices, faults
        rows = np.flatnonzero(faults)
        if self.illegal == "reject":
            raise RuleError(
                f"{self.frame.race_keys[self._race]}, season {self._loaded[rows[0]]}: {FAULTS[faults[rows[0]]]}, "
                f"found another decision in {len(rows)} of {self.num_envs} seasons."
            )
        expected = self._seasons.expected[rows, self._race]
        mended = project(self.teams.rows(rows), _rows(choices, rows), _rows(sheet, rows), expected, rules)
        merged = {name: values.copy() for name, values in vars(choices).items()}
        for name, values in vars(mended).items():
            merged[name][rows] = values
        return Choices(**merged), faults

    def _with_swaps(self, choices: Choices, sheet: RaceSheet) -> Choices:
        """Choose the swap of every Final Fix by what is expected after qualifying."""
        rows = np.flatnonzero(choices.chip == FINAL_FIX)
        if not rows.size:
            return choices
        hoped, prices = self._seasons.remaining_expected[rows, self._race], sheet.prices[rows]
        wanted, active = choices.wanted[rows], sheet.is_active[rows]
        bank = budget_tenths(self.teams.rows(rows), prices) - total(wanted, prices)
        leaving = np.where(active & np.isfinite(hoped), hoped, 0.0)
        factor = np.where(np.arange(SLOTS) == choices.boosted[rows, np.newaxis], self.frame.rules.boost.multiplier, 1)
        is_open = (active & ~wanted & IS_DRIVER & np.isfinite(hoped))[:, np.newaxis]
        is_paid = prices[:, np.newaxis] <= (bank[:, np.newaxis] + prices)[..., np.newaxis]
        is_leaving = (wanted & IS_DRIVER)[..., np.newaxis]
        gain = factor[..., np.newaxis] * (hoped[:, np.newaxis] - leaving[..., np.newaxis])
        gain = np.where(is_leaving & is_open & is_paid, gain, -np.inf).reshape(len(rows), -1)
        best = gain.argmax(axis=1)
        gains = gain[np.arange(len(rows)), best] > 0
        chip, outgoing, incoming = choices.chip.copy(), choices.outgoing.copy(), choices.incoming.copy()
        chip[rows] = np.where(gains, FINAL_FIX, NONE)
        outgoing[rows], incoming[rows] = best // SLOTS, best % SLOTS
        return replace(choices, chip=chip, outgoing=outgoing, incoming=incoming)

    def _observation(self) -> Arrays:
        race = min(self._race, self.frame.race_count - 1)
        teams = self.teams
        boosted = np.zeros((self.num_envs, SLOTS), dtype=np.int8)
        boosted[np.arange(self.num_envs), teams.boosted] = 1
        return {
            "assets": self._features[:, race].copy(),
            "held": teams.held.astype(np.int8),
            "boosted": boosted,
            "context": np.tile(context_of(self.frame, self._race), (self.num_envs, 1)),
            "portfolio": portfolio_of(teams, self._sheet(race), self.frame),
            "chips": playable_chips(teams, self.frame.rules)[:, 1:].astype(np.int8),
            "chips_left": teams.chips_left[:, 1:].astype(np.int8),
        }

    def _info(self) -> dict[str, Any]:
        race, rules = min(self._race, self.frame.race_count - 1), self.frame.rules
        sheet = self._sheet(race)
        pick = legal_assets(self.teams, sheet, self.frame)
        boost = (pick & IS_DRIVER)[:, :DRIVER_SLOTS]
        if rules.boost.price_below_tenths:
            boost &= sheet.prices[:, :DRIVER_SLOTS] < rules.boost.price_below_tenths
        return {
            "action_mask": {
                "pick": 2 * pick.astype(np.int8),
                "boost": boost.astype(np.int8),
                "extra_boost": (pick & IS_DRIVER)[:, :DRIVER_SLOTS].astype(np.int8),
                "chip": playable_chips(self.teams, rules).astype(np.int8),
            },
            "season_number": np.array(self._loaded),
            "race_number": np.full(self.num_envs, self._race),
        }


def _breakdown(outcome: Outcome, choices: Choices, baseline: Floats, faults: Ints) -> Arrays:
    return {
        "points": outcome.points,
        "asset_points": outcome.asset_points,
        "transfer_points": outcome.transfer_points,
        "inactive_points": outcome.inactive_points,
        "baseline_points": baseline,
        "transfer_count": outcome.transfer_count,
        "chip": choices.chip,
        "budget_musd": outcome.budget_tenths / 10,
        "fault": faults,
    }


def _rows(values: Any, rows: Ints) -> Any:
    """Select some rows of a dataclass of arrays."""
    return type(values)(**{name: own[rows] for name, own in vars(values).items()})

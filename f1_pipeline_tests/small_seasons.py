"""Small made-up seasons as arrays and, the same ones, as menus and items of the game: what the two are held against.

Belongs here: a few drivers and constructors through four races, some of whom leave the sale, change seats or sit a race
out. Real races are `team_races.py`, whole real seasons `integration/test_environment.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from f1_pipeline.game.chips import (
    Autopilot,
    Chip,
    ExtraBoost,
    FinalFix,
    Limitless,
    NoNegative,
    Wildcard,
    session_order,
)
from f1_pipeline.game.decisions import Decision, RaceMenu, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, AssetKey, Lineup
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.game.settlement import RaceItems
from f1_pipeline.game.team_arrays import CHIPS, Choices
from f1_pipeline.optimize.coming import ComingRaces
from f1_pipeline.rl.seasons import (
    DRIVER_SLOTS,
    HISTORY,
    IS_DRIVER,
    SLOTS,
    GivenSeasons,
    SeasonFrame,
    Seasons,
    form_features,
    slot_order,
)
from f1_pipeline.rl.vector_env import Arrays, F1FantasyVectorEnv
from f1_pipeline_tests.team_races import calendar_of, rules_of

FIRST_RACES = {
    2023: "2023-bahrain",
    2024: "2024-netherlands",  # two races before inactive drivers begin to cost points
    2025: "2025-australia",
    2026: "2026-australia",
}
INACTIVE = {2023: (0, 0), 2024: (-25, -45), 2025: (-25, -45), 2026: (-25, -35)}
"""Points of an inactive asset in weekends without and with a sprint."""
TEAMS = ("blue", "gold", "grey", "red")
NAMES = ("ada", "bea", "cid", "dan", "eva", "fay", "gus", "hal", "ida", "jon")


@dataclass(frozen=True, eq=False)
class SmallSeasons:
    """Seasons as the environment takes them, and as a team meets them.

    Attributes
    ----------
    source : GivenSeasons
    items : tuple of tuple of RaceItems
        By season and race.
    """

    source: GivenSeasons
    items: tuple[tuple[RaceItems, ...], ...]

    @property
    def frame(self) -> SeasonFrame:
        return self.source.frame

    @property
    def rules(self) -> SeasonRules:
        return self.frame.rules

    def menu(self, number: int, race: int) -> RaceMenu:
        """Offer at a lock what was on sale until then."""
        prices, active = self.source.seasons.prices[number, race], self.source.seasons.is_active[number, race]
        known = {key: int(tenths) for key, tenths in zip(self.frame.assets, prices, strict=True) if key and tenths}
        return RaceMenu(
            race_key=self.frame.race_keys[race],
            calendar=calendar_of(self.rules.season),
            has_sprint=bool(self.frame.has_sprint[race]),
            prices=known,
            inactive=frozenset(key for key in known if not active[self.frame.assets.index(key)]),
        )

    def new_prices(self, number: int, race: int) -> dict[AssetKey, int]:
        """Return prices after a race; after the last they stay."""
        return dict(self.menu(number, min(race + 1, self.frame.race_count - 1)).prices)

    def name(self, slot: int) -> str:
        """Name an asset; an empty slot has a name that nobody bears."""
        key = self.frame.assets[slot]
        return key[1] if key else f"nobody-{slot}@none"

    def decision(self, choices: Choices, row: int) -> Decision:
        """Put one row of choices in the game's words."""
        return Decision(
            Lineup(
                tuple(self.name(slot) for slot in np.flatnonzero(choices.wanted[row, :DRIVER_SLOTS])),
                tuple(self.name(DRIVER_SLOTS + slot) for slot in np.flatnonzero(choices.wanted[row, DRIVER_SLOTS:])),
                self.name(int(choices.boosted[row])),
            ),
            self.chip(choices, row),
        )

    def chip(self, choices: Choices, row: int) -> Chip | None:
        """Put the chip of one row in the game's words."""
        simple = {chip.name: chip for chip in (Autopilot(), NoNegative(), Wildcard(), Limitless())}
        name = CHIPS[int(choices.chip[row])]
        if name == "extra_boost":
            return ExtraBoost(self.name(int(choices.extra_boosted[row])))
        if name == "final_fix":
            return FinalFix(self.name(int(choices.outgoing[row])), self.name(int(choices.incoming[row])))
        return simple.get(name)


def small_seasons(
    seed: int, count: int = 3, season: int = 2025, races: int = 4, drivers: int = 8, constructors: int = 4
) -> SmallSeasons:
    """Make seasons of one calendar, each with moves of its own.

    Parameters
    ----------
    seed : int
    count : int
        Seasons, M.
    season : int
        Whose rules and first races, of `FIRST_RACES`.
    races : int
    drivers, constructors : int
        On sale at each race, at least 5 and 2; two more seats may come on sale later.
    """
    generator = np.random.default_rng(seed)
    frame = _frame(generator, season, races, drivers, constructors)
    played = [_season(generator, frame, drivers) for _ in range(count)]

    def nobody_plans(number: int, race: int) -> ComingRaces:
        raise NotImplementedError

    arrays = Seasons.joined([own for own, _ in played])
    return SmallSeasons(GivenSeasons(frame, arrays, nobody_plans), tuple(items for _, items in played))


def with_rules(small: SmallSeasons, rules: SeasonRules) -> SmallSeasons:
    """Play the same seasons by other rules."""
    return replace(small, source=replace(small.source, frame=replace(small.frame, rules=rules)))


def legal_lineups(small: SmallSeasons, held: np.ndarray, number: int, race: int, budget: int | None) -> np.ndarray:
    """List every line-up of what takes part or is held, within a budget if there is one: shape (line-ups, SLOTS)."""
    seasons, team = small.source.seasons, small.rules.team
    usable = seasons.is_active[number, race] | held
    slots = np.flatnonzero(usable)
    ways = [
        [*drivers, *constructors]
        for drivers in combinations(slots[slots < DRIVER_SLOTS], team.driver_count)
        for constructors in combinations(slots[slots >= DRIVER_SLOTS], team.constructor_count)
    ]
    found = np.zeros((len(ways), SLOTS), dtype=bool)
    found[np.arange(len(ways))[:, np.newaxis], ways] = True
    return found if budget is None else found[found @ seasons.prices[number, race] <= budget]


def best_swap(env: F1FantasyVectorEnv, action: Arrays, row: int) -> tuple[int, int] | None:
    """Find by plain loops the swap after qualifying that is expected to gain most, if any gains."""
    seasons, race, own = env.seasons, env.race, action["pick"][row]
    prices, hoped = seasons.prices[row, race], seasons.remaining_expected[row, race]
    bank = int(env.teams.bank_tenths[row] + env.teams.held[row] @ prices - own @ prices)
    best, found = 0.0, None
    for out in np.flatnonzero(own & IS_DRIVER).tolist():
        lost = float(hoped[out]) if seasons.is_active[row, race, out] and np.isfinite(hoped[out]) else 0.0
        for into in np.flatnonzero(seasons.is_active[row, race] & IS_DRIVER & (own == 0)).tolist():
            gain = (2 if out == action["boost"][row] else 1) * (float(hoped[into]) - lost)
            if np.isfinite(hoped[into]) and prices[into] <= bank + prices[out] and gain > best:
                best, found = gain, (out, into)
    return found


def _frame(generator: np.random.Generator, season: int, races: int, drivers: int, constructors: int) -> SeasonFrame:
    calendar = calendar_of(season)
    first = calendar.index(FIRST_RACES[season])
    race_keys, teams = calendar[first : first + races], TEAMS[:constructors]
    seats = [f"{name}@{teams[at % constructors]}" for at, name in enumerate(NAMES[:drivers])]
    # Later ones: the first driver in another team, and a newcomer.
    seats += [f"{NAMES[0]}@{teams[1]}", f"new@{teams[0]}"]
    assets = slot_order([*((DRIVER, seat) for seat in seats), *((CONSTRUCTOR, team) for team in teams)])
    has_sprint = generator.random(races) < 0.5
    begins = {2024: 2}.get(season, 0)
    penalties = [INACTIVE[season][int(sprint)] if at >= begins else 0 for at, sprint in enumerate(has_sprint)]
    belongs = [-1 if key is None else DRIVER_SLOTS + teams.index(key[1].partition("@")[2] or key[1]) for key in assets]
    history = np.full((SLOTS, HISTORY), np.nan)
    history[:drivers, -4:] = generator.integers(-20, 50, (drivers, 4))
    return SeasonFrame(
        rules=rules_of(season),
        race_keys=tuple(race_keys),
        circuit_types=tuple(generator.choice(["permanent", "street", "road"], races).tolist()),
        has_sprint=has_sprint,
        inactive_points=np.array(penalties),
        assets=assets,
        team_of=np.array(belongs),
        history=history,
        history_prices=np.where(np.isnan(history), np.nan, 10.0),
        circuit_mean_points=np.zeros((races, SLOTS)),
        calendar_count=races,
    )


def _season(generator: np.random.Generator, frame: SeasonFrame, drivers: int) -> tuple[Seasons, tuple[RaceItems, ...]]:
    shape = (1, frame.race_count, SLOTS)
    is_active, prices = _sale(generator, frame, drivers)
    figures = {name: np.zeros(shape) for name in ("points", "no_negative_points", "remaining_points")}
    played = []
    for race in range(frame.race_count):
        order = session_order(frame.rules, bool(frame.has_sprint[race]))
        late = order[order.index("qualifying") + 1 :]
        items: dict[AssetKey, tuple[tuple[str, str, float], ...]] = {}
        for slot in np.flatnonzero(is_active[race]):
            key = frame.assets[slot]
            assert key is not None
            rows = [(each, f"item_{part}", float(generator.integers(-25, 36))) for each in order for part in (1, 2)]
            items[key[0], driver_of(key[1])] = tuple(rows)
            points = [value for _, _, value in rows]
            figures["points"][0, race, slot] = sum(points)
            figures["no_negative_points"][0, race, slot] = (
                max(0.0, sum(points)) if frame.rules.season == 2023 else sum(max(0.0, value) for value in points)
            )
            if key[0] == DRIVER:
                figures["remaining_points"][0, race, slot] = sum(value for name, _, value in rows if name in late)
        played.append(items)
    known = is_active[np.newaxis]
    hoped = figures["remaining_points"] + generator.normal(0, 20, shape)
    is_hoped = known & IS_DRIVER & (generator.random(shape) < 0.9)
    figures |= {
        "expected": np.where(known, np.clip(figures["points"] + generator.normal(0, 30, shape), -99, 199), 0),
        "expected_sd": np.where(known, generator.uniform(5, 30, shape), 0),
        "expected_change": np.where(known, generator.integers(-3, 4, shape) / 10, 0),
        "remaining_expected": np.where(is_hoped, hoped, -np.inf),
    }
    raced = np.where(known, figures["points"], np.nan)
    form = form_features(frame, raced, prices[np.newaxis], known)
    single = {name: values.astype(np.float32) for name, values in figures.items()}
    return Seasons(prices=prices[np.newaxis], is_active=known, form=form, **single), tuple(played)


def _sale(generator: np.random.Generator, frame: SeasonFrame, drivers: int) -> tuple[np.ndarray, np.ndarray]:
    """Say who takes part and at which price: shape (T, SLOTS) each."""
    is_asset = np.array([key is not None for key in frame.assets])
    now = is_asset.copy()
    now[drivers : drivers + 2] = False
    # Five drivers and two constructors below the dearest price cost 97.3 million at most.
    tenths = np.where(is_asset, generator.integers(60, 140, SLOTS), 0)
    tenths[generator.choice(drivers, drivers - 5, replace=False)] += generator.choice([60, 200, 480])
    active = np.zeros((frame.race_count, SLOTS), dtype=bool)
    prices = np.zeros((frame.race_count, SLOTS), dtype=np.int32)
    seen = np.zeros(SLOTS, dtype=bool)
    for race in range(frame.race_count):
        banned = -1
        event = generator.choice(["none", "change", "loss", "ban"]) if race else "none"
        if event == "change" and now[0]:
            now[0], now[drivers] = False, True
        elif event == "loss" and not now[drivers + 1]:
            now[generator.integers(1, drivers)], now[drivers + 1] = False, True
        elif event == "ban":
            banned = int(generator.choice(np.flatnonzero(now[:drivers])))
        active[race] = now
        if banned >= 0:
            active[race, banned] = False
        seen |= active[race]
        prices[race] = np.where(seen, tenths, 0)
        # Who took part moves once more, even if he is gone then.
        moves = generator.integers(-6, 7, SLOTS)
        tenths = np.where(active[race], np.maximum(tenths + moves, 30), tenths)
    return active, prices

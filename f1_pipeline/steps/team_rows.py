"""Rows of a file of teams as arrays, and advice as rows: one team a row, named as in `my_team.toml`.

Belongs here: the columns of both files, and what makes a row bad. Neighbours: `recommend` reads and writes the files,
`optimize.many_teams` works on the arrays, `sources.my_team` has the same keys for one team.

A bad row is told in a column and the others go on; a file without a column that is needed is refused whole. Checks look
at columns, not at rows: only a bad row is ever looked at by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from f1_pipeline.errors import DataError
from f1_pipeline.game.decisions import RaceMenu, driver_of
from f1_pipeline.game.lineup import CONSTRUCTOR, DRIVER, money
from f1_pipeline.game.rules import SeasonRules
from f1_pipeline.optimize.team_market import ANY_NUMBER, HeldTeams, Market
from f1_pipeline.sources.my_team import MAX_BANK_MUSD, MAX_FREE_TRANSFERS, MAX_RACES
from f1_pipeline.steps.my_team import named_asset

TEXTS = pa.list_(pa.string())
NEEDED = {
    "team_id": None,
    "drivers": TEXTS,
    "constructors": TEXTS,
    "bank_musd": pa.float64(),
    "free_transfers": pa.float64(),
    "chips_left": TEXTS,
}
OPTIONAL = {"boosted": pa.string(), "races_played": pa.float64()}
REFUSED = ("locked", "banned")
"""Keys of `my_team.toml` that would be wishes; to leave them out without a word would be wrong."""
KINDS = {TEXTS: "lists of texts", pa.float64(): "numbers", pa.string(): "texts"}

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class TeamRows:
    """What rows of teams say.

    Attributes
    ----------
    teams : HeldTeams
        The good rows, in order.
    chips_left : ndarray of bool, shape (T, chips)
    boosted : ndarray of shape (T,)
        Row of the market of the driver who has the boost, -1 where it is not told.
    races_played : ndarray of shape (T,)
    places : ndarray of shape (T,)
        Which rows are good.
    errors : ndarray of object
        Of all rows: None, or what is wrong with it.
    """

    teams: HeldTeams
    chips_left: np.ndarray
    boosted: np.ndarray
    races_played: np.ndarray
    places: np.ndarray
    errors: np.ndarray


def check_columns(schema: pa.Schema, name: str) -> None:
    """Refuse a file that cannot hold teams.

    Parameters
    ----------
    schema : pyarrow.Schema
    name : str
        The file, for messages.

    Raises
    ------
    DataError
        A column is missing, or of another kind; the message names it.
    """
    missing = [key for key in NEEDED if key not in schema.names]
    if missing:
        raise DataError(f"{name}: expected the columns {', '.join(NEEDED)}, found no {', '.join(missing)}")
    twice = [key for key in (*NEEDED, *OPTIONAL) if schema.names.count(key) > 1]
    if twice:
        raise DataError(f"{name}: {twice[0]}: expected one column, found {schema.names.count(twice[0])}")
    refused = [key for key in REFUSED if key in schema.names]
    if refused:
        raise DataError(f"{name}: {refused[0]}: expected no wishes for many teams, found a column of them")
    kind = schema.field("team_id").type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise DataError(f"{name}: team_id: expected texts or whole numbers, found {kind}")
    nothing = schema.empty_table()
    for key in (key for key in (*NEEDED, *OPTIONAL) if key in schema.names and key != "team_id"):
        _column(nothing, key, name)


def columns_of(schema: pa.Schema) -> list[str]:
    """Name the columns of a file of teams that are read."""
    return [key for key in (*NEEDED, *OPTIONAL) if key in schema.names]


def _column(rows: pa.Table, key: str, name: str) -> pa.Array:
    kind = NEEDED.get(key) or OPTIONAL[key]
    column, found = rows[key], rows.schema.field(key).type
    is_number = pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found)
    if not pa.types.is_null(found) and is_number != (kind == pa.float64()):
        raise DataError(f"{name}: {key}: expected {KINDS[kind]}, found {found}")
    try:
        return column.combine_chunks().cast(kind, safe=kind != pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"{name}: {key}: expected {KINDS[kind]}, found {found}") from error


@dataclass(frozen=True, eq=False)
class TeamReader:
    """Reads rows of teams for one race.

    Attributes
    ----------
    menu : RaceMenu
    rules : SeasonRules
    market : Market
        Every asset of the menu.
    """

    menu: RaceMenu
    rules: SeasonRules
    market: Market

    def read(self, rows: pa.Table, is_twice: np.ndarray) -> TeamRows:
        """Check rows and turn the good ones into arrays.

        Parameters
        ----------
        rows : pyarrow.Table
            With columns that `check_columns` has let pass.
        is_twice : ndarray of bool, shape (rows,)
            Whether another row has the same `team_id`.

        Returns
        -------
        TeamRows
        """
        check = _Checks(rows)
        ids = rows["team_id"].combine_chunks()
        check.refuse(_is_null(ids), lambda at: "team_id: expected an id, found null")
        check.refuse(is_twice, lambda at: f"team_id: expected each once, found {ids[at].as_py()!r} more than once")
        drivers = self._assets(check, "drivers", DRIVER, self.market.driver_count)
        constructors = self._assets(check, "constructors", CONSTRUCTOR, self.market.constructor_count)
        bank = check.numbers("bank_musd")
        tenths = np.rint(bank * 10)
        in_tenths = np.isclose(bank * 10, tenths, rtol=1e-9, atol=1e-6)
        check.refuse(
            ~((bank >= 0) & (bank <= MAX_BANK_MUSD) & in_tenths),
            lambda at: (
                f"bank_musd: expected 0 to {MAX_BANK_MUSD} million dollars with one decimal, found "
                f"{check.value('bank_musd', at)}"
            ),
        )
        played = self._races_played(check)
        free = self._free_transfers(check, played)
        chips = self._chips(check)
        boosted = self._boosted(check, drivers)
        good = np.flatnonzero(~check.is_bad)
        value = self.market.driver_prices[drivers[good]].sum(axis=1)
        value += self.market.constructor_prices[constructors[good]].sum(axis=1)
        budget = np.full(len(bank), 0)
        budget[good] = value + tenths[good].astype(np.int64)
        most = self.rules.team.budget_tenths
        check.refuse(
            (played == 0) & (budget > most),
            lambda at: (
                f"bank_musd: expected a team that is worth {money(most)} with its bank before its first race, "
                f"found {money(int(budget[at]))}"
            ),
        )
        good = np.flatnonzero(~check.is_bad)
        teams = HeldTeams(drivers[good], self._pair(constructors[good]), budget[good], free[good].astype(np.int64))
        return TeamRows(teams, chips[good], boosted[good], played[good].astype(np.int64), good, check.errors)

    @cached_property
    def chip_names(self) -> tuple[str, ...]:
        """All chips, sorted."""
        return tuple(sorted(self.rules.chips.names))

    @cached_property
    def _rows_of(self) -> dict[str, dict[str, int]]:
        named = {DRIVER: self.market.driver_ids, CONSTRUCTOR: self.market.constructor_ids}
        return {kind: {name: row for row, name in enumerate(ids)} for kind, ids in named.items()}

    def _assets(self, check: _Checks, key: str, kind: str, count: int) -> np.ndarray:
        """Read a list of assets as rows of the market, ascending; nonsense where the row is bad."""
        lists = check.lists(key)
        check.refuse(lists.lengths != count, lambda at: f"{key}: expected {count}, found {_count(lists.lengths[at])}")
        codes, names = lists.codes, lists.names
        known = [self._known(name, kind, key) for name in names]
        row_of = np.array([row for row, _ in known] + [UNKNOWN])
        found = np.zeros((len(lists.lengths), count), dtype=np.int64)
        whole = np.flatnonzero(lists.lengths == count)
        own = codes[lists.starts[whole][:, None] + np.arange(count)]
        found[whole] = row_of[own]
        is_unknown = found == UNKNOWN

        def unknown(at: int) -> str:
            code = codes[lists.starts[at] + int(np.argmax(is_unknown[at]))]
            return f"{key}: expected ids, found null" if code == len(names) else str(known[code][1])

        check.refuse(is_unknown.any(axis=1), unknown)
        found.sort(axis=1)
        same = found[:, 1:] == found[:, :-1]
        ids = [*map(driver_of, self.market.driver_ids)] if kind == DRIVER else self.market.constructor_ids
        check.refuse(
            same.any(axis=1),
            lambda at: f"{key}: expected each once, found {ids[found[at, int(np.argmax(same[at]))]]!r} twice",
        )
        return found

    def _known(self, name: str, kind: str, key: str) -> tuple[int, str | None]:
        """Find the row of a name, or what is wrong with it."""
        try:
            return self._rows_of[kind][named_asset(name, self.menu, kind, key)[1]], None
        except DataError as error:
            return UNKNOWN, str(error)

    def _races_played(self, check: _Checks) -> np.ndarray:
        usual = float(self.menu.race_key != self.menu.calendar[0])
        if "races_played" not in check.rows.schema.names:
            return np.full(len(check.errors), usual)
        played = np.where(_is_null(check.rows["races_played"]), usual, check.numbers("races_played"))
        check.refuse(
            ~((played >= 0) & (played <= MAX_RACES) & (played == np.rint(played))),
            lambda at: f"races_played: expected 0 to {MAX_RACES}, found {check.value('races_played', at)}",
        )
        return played

    def _free_transfers(self, check: _Checks, played: np.ndarray) -> np.ndarray:
        free, rules = check.numbers("free_transfers"), self.rules.transfers
        most = np.where(played > 0, rules.free_per_race + rules.carried_over_max, MAX_FREE_TRANSFERS)
        check.refuse(
            ~((free >= 0) & (free <= most) & (free == np.rint(free))),
            lambda at: f"free_transfers: expected 0 to {most[at]}, found {check.value('free_transfers', at)}",
        )
        return np.where(played == 0, ANY_NUMBER, free)

    def _chips(self, check: _Checks) -> np.ndarray:
        lists, names, most = check.lists("chips_left"), self.chip_names, self.rules.chips.uses_per_season
        code_of = np.array([names.index(name) if name in names else UNKNOWN for name in lists.names] + [UNKNOWN])
        owners = np.repeat(np.arange(len(lists.lengths)), np.maximum(lists.lengths, 0))
        chips = code_of[lists.codes]
        is_unknown = np.zeros(len(lists.lengths), dtype=bool)
        is_unknown[owners[chips == UNKNOWN]] = True

        def unknown(at: int) -> str:
            found = next(name for name in check.rows["chips_left"][at].as_py() if name not in names)
            return f"chips_left: expected some of {', '.join(names)}, found {'null' if found is None else found}"

        check.refuse(is_unknown, unknown)
        counts = np.zeros((len(lists.lengths), len(names)), dtype=np.int64)
        np.add.at(counts, (owners[chips >= 0], chips[chips >= 0]), 1)
        check.refuse(
            np.any(counts > most, axis=1),
            lambda at: (
                f"chips_left: expected {names[int(counts[at].argmax())]} at most {most} times, found it "
                f"{counts[at].max()} times"
            ),
        )
        return counts > 0

    def _boosted(self, check: _Checks, drivers: np.ndarray) -> np.ndarray:
        if "boosted" not in check.rows.schema.names:
            return np.full(len(drivers), UNKNOWN)
        names = check.column("boosted").dictionary_encode()
        codes = names.indices.fill_null(len(names.dictionary)).to_numpy(zero_copy_only=False)
        # The held seats that a name can mean, by name and seat; a seat at the race comes before others.
        texts = names.dictionary.to_pylist()
        rank = np.array(
            [[self._rank(text, seat) for seat in self.market.driver_ids] for text in texts]
            + [[1] * len(self.market.driver_ids)]
        )
        ranks = rank[codes[:, None], drivers]
        best = ranks.max(axis=1)
        is_told = codes < len(texts)
        check.refuse(
            is_told & ((best == 0) | ((ranks == best[:, None]).sum(axis=1) > 1)),
            lambda at: f"boosted: expected one of the drivers, found {texts[codes[at]]!r}",
        )
        return np.where(is_told, np.take_along_axis(drivers, ranks.argmax(axis=1)[:, None], axis=1)[:, 0], UNKNOWN)

    def _rank(self, name: str, seat: str) -> int:
        if name not in (seat, driver_of(seat)):
            return 0
        return 2 if seat in (name, self.menu.seats.get(name)) else 1

    def _pair(self, constructors: np.ndarray) -> np.ndarray:
        weights = len(self.market.constructor_ids) ** np.arange(self.market.constructor_count)[::-1]
        numbers = self.market.pairs @ weights  # ascending, since the halves come in the order of ids
        return np.searchsorted(numbers, constructors @ weights)


@dataclass(frozen=True, eq=False)
class _Lists:
    """A column of lists, its texts as codes into `names`; the code after the last is null."""

    lengths: np.ndarray
    starts: np.ndarray
    codes: np.ndarray
    names: list[str]


class _Checks:
    """Rows, and what has been found wrong with them; what comes first counts."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.errors = np.full(rows.num_rows, None, dtype=object)
        self.is_bad = np.zeros(rows.num_rows, dtype=bool)

    def refuse(self, is_wrong: np.ndarray, words: Callable[[int], str]) -> None:
        """Note what is wrong with some rows."""
        for at in np.flatnonzero(is_wrong & ~self.is_bad).tolist():
            self.errors[at] = words(at)
        self.is_bad |= is_wrong

    def column(self, key: str) -> pa.Array:
        """Return a column as it is worked on."""
        return _column(self.rows, key, "teams")

    def value(self, key: str, at: int) -> object:
        """Return what a row says, for words."""
        value = self.rows[key][at].as_py()
        return "null" if value is None else value

    def numbers(self, key: str) -> np.ndarray:
        """Return a column of numbers, NaN for null."""
        return self.column(key).fill_null(np.nan).to_numpy(zero_copy_only=False)

    def lists(self, key: str) -> _Lists:
        """Return a column of lists; a null list is refused, and has the length -1."""
        column = self.column(key)
        is_null = _is_null(column)
        self.refuse(is_null, lambda at: f"{key}: expected a list, found null")
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        texts = column.flatten().dictionary_encode()
        codes = texts.indices.fill_null(len(texts.dictionary)).to_numpy(zero_copy_only=False)
        starts = np.cumsum(lengths) - lengths
        return _Lists(np.where(is_null, -1, lengths), starts, codes, texts.dictionary.to_pylist())


def _is_null(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.is_null())


def _count(length: int) -> str:
    return "none" if length <= 0 else str(length)

"""Three plain forecasts of fantasy points that every model must beat: season mean, price only, EWMA with
price prior.

Belongs here: formulas on frames, each race from strictly earlier races (by date) only. No fitting of models
(neighbour: `forecast.points_model`, which uses two of these forecasts as features) and no scoring of
forecasts (neighbour: `forecast.evaluation`).

The three, for an asset at its lock price before race `r`:

* `price_only`: weighted least squares of points on lock price over all earlier rows of the asset type,
  weight 0.5^(races ago / 12).
* `season_mean`: mean points of the asset's earlier races of this season; price only before its first.
* `ewma_price_prior`: (n·e + k·price only) / (n + k), where e is the exponentially weighted mean of the
  asset's earlier points (half-life 6 races it took part in, the newest weighs 1, earlier seasons included), n
  the sum of those weights, k = 8 for drivers and 2 for constructors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from f1_pipeline.errors import DataError

BASELINES = ("ewma_price_prior", "price_only", "season_mean")
PRICE_HALF_LIFE_RACES = 12.0
EWMA_HALF_LIFE_RACES = 6.0
PRIOR_STRENGTH = {"driver": 8.0, "constructor": 2.0}
"""k: how many races of evidence the price-implied mean is worth."""

PRIOR_POINTS_PER_MILLION = 1.0
"""Price only before any race is known: one point per million, the order of magnitude the game is priced
at."""

_MENU_COLUMNS = ("race_key", "race_date", "season", "asset_type", "asset_id", "lineage_id", "price_musd")
_PERFORMANCE_COLUMNS = (*_MENU_COLUMNS, "points")
_KEYS = ["race_key", "asset_type", "asset_id"]


def baseline_points(performance: pd.DataFrame, menu: pd.DataFrame) -> pd.DataFrame:
    """Forecast the points of every asset on the menu with the three baselines.

    Parameters
    ----------
    performance : DataFrame
        One row per race and asset that scored: race_key, race_date, season, asset_type, asset_id, lineage_id
        (the same value across a constructor's changes of name; the driver himself for a driver), price_musd
        (lock price, millions) and points. Rows of the forecast races themselves and of later ones may be
        present; they are never used for an earlier race.
    menu : DataFrame
        One row per race and asset to forecast: the same columns without points. Any number of races.

    Returns
    -------
    DataFrame
        Columns race_key, asset_type, asset_id, baseline, expected_points; three rows per menu row, in
        calendar order of the races.

    Raises
    ------
    DataError
        When a column is missing, an asset type is unknown, or a menu row has no price.
    """
    past = _prepared(performance, _PERFORMANCE_COLUMNS, "performance").dropna(subset=["points"])
    wanted = _prepared(menu, _MENU_COLUMNS, "menu")
    _require_prices(wanted)
    wanted["price_only"] = _price_only(past, wanted)
    wanted["season_mean"] = _season_mean(past, wanted).fillna(wanted["price_only"])
    wanted["ewma_price_prior"] = _ewma_price_prior(past, wanted)
    long = wanted.melt(
        id_vars=["race_date", *_KEYS],
        value_vars=list(BASELINES),
        var_name="baseline",
        value_name="expected_points",
    )
    ordered = long.sort_values(["race_date", *_KEYS, "baseline"], ignore_index=True)
    return ordered[[*_KEYS, "baseline", "expected_points"]]


def _prepared(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> pd.DataFrame:
    """Check the columns, unify the types and sort by date, as `merge_asof` needs it."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise DataError(f"{name}: expected the columns {list(columns)}, found none named {missing}")
    unknown = sorted(set(frame["asset_type"]) - set(PRIOR_STRENGTH))
    if unknown:
        raise DataError(f"{name}: expected asset_type in {sorted(PRIOR_STRENGTH)}, found {unknown}")
    floats = [column for column in ("price_musd", "points") if column in columns]
    types = {**dict.fromkeys(floats, "float64"), "season": "int64", "race_date": "datetime64[us]"}
    texts = dict.fromkeys(("race_key", "asset_type", "asset_id", "lineage_id"), "str")
    prepared = frame[list(columns)].astype({**types, **texts})
    return prepared.sort_values(["race_date", "race_key", "asset_type", "asset_id"], ignore_index=True)


def _require_prices(menu: pd.DataFrame) -> None:
    """Refuse a menu row without a price: every baseline starts from it."""
    bare = menu[menu["price_musd"].isna()]
    if len(bare):
        first = bare.iloc[0]
        raise DataError(
            f"menu: expected a lock price for every asset, found none for {first['asset_type']} "
            f"{first['asset_id']} at {first['race_key']}"
        )


def _state_before(menu: pd.DataFrame, state: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Look up, for each menu row, the newest state of its group dated strictly before its race."""
    keys = ["race_date", *by]
    known = state.sort_values("race_date", ignore_index=True)
    found = pd.merge_asof(menu[keys], known, on="race_date", by=by, allow_exact_matches=False)
    return found.drop(columns=keys)


def _price_only(past: pd.DataFrame, menu: pd.DataFrame) -> pd.Series:
    """Regress points on price over earlier races, the newer the heavier, and read off the menu's prices.

    The exponentially weighted mean of the per-race sums is the weighted sum divided by a common total weight,
    and that total cancels in slope and intercept.
    """
    priced = past.dropna(subset=["price_musd"])
    x, y = priced["price_musd"], priced["points"]
    terms = priced[["asset_type", "race_date"]].assign(w=1.0, x=x, y=y, xx=x * x, xy=x * y)
    sums = terms.groupby(["asset_type", "race_date"], as_index=False).sum()
    moments = ["w", "x", "y", "xx", "xy"]
    weighted = sums.groupby("asset_type")[moments].ewm(halflife=PRICE_HALF_LIFE_RACES).mean()
    state = pd.concat([sums[["asset_type", "race_date"]], weighted.reset_index(drop=True)], axis=1)
    now = _state_before(menu, state, ["asset_type"])
    spread = now["w"] * now["xx"] - now["x"] ** 2
    # Prices are multiples of 0.1: a spread this small means that all prices were the same, and price tells
    # nothing.
    tells = spread > 1e-6 * now["w"] ** 2
    slope = ((now["w"] * now["xy"] - now["x"] * now["y"]) / spread.where(tells)).where(tells, 0.0)
    fitted = (now["y"] - slope * now["x"]) / now["w"] + slope * menu["price_musd"]
    return fitted.where(now["w"].notna(), PRIOR_POINTS_PER_MILLION * menu["price_musd"])


def _season_mean(past: pd.DataFrame, menu: pd.DataFrame) -> pd.Series:
    """Average the asset's earlier points of the menu's season; missing before its first race of it."""
    by = ["asset_type", "lineage_id", "season"]
    groups = past.groupby(by)["points"]
    state = past[["race_date", *by]].assign(mean=groups.cumsum() / (groups.cumcount() + 1))
    return _state_before(menu, state, by)["mean"]


def _ewma_price_prior(past: pd.DataFrame, menu: pd.DataFrame) -> pd.Series:
    """Shrink the asset's exponentially weighted mean to the price-implied one (`menu` must have
    price_only)."""
    by = ["asset_type", "lineage_id"]
    decay = 0.5 ** (1.0 / EWMA_HALF_LIFE_RACES)
    groups = past.groupby(by)["points"]
    mean = groups.ewm(halflife=EWMA_HALF_LIFE_RACES).mean().droplevel(by)
    # 1 + d + d² + … over the asset's races so far.
    weight = (1.0 - np.power(decay, groups.cumcount() + 1)) / (1.0 - decay)
    state = past[["race_date", *by]].assign(mean=mean, weight=weight)
    now = _state_before(menu, state, by)
    n = now["weight"].fillna(0.0)
    k = menu["asset_type"].map(PRIOR_STRENGTH).astype("float64")
    return (n * now["mean"].fillna(0.0) + k * menu["price_only"]) / (n + k)

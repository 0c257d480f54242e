"""How good the forecasts were, as a person reads it: ratios to a baseline, errors, coverage, points of line-ups.

Belongs here: reading the tables of `evaluation` that sum up over races, and laying them out as sections of text, for
the terminal and for the page. Nothing is computed here that those tables do not hold. Neighbours:
`accuracy_picture.py` draws them, `accuracy_page.py` puts sections and pictures into one page, `tables.py` has the
style.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from rich.text import Text

from f1_pipeline.errors import UsageError
from f1_pipeline.forecast.evaluation import RETURN_CLASSES
from f1_pipeline.forecast.phases import AFTER_QUALIFYING, AT_LOCK, BEFORE_PRACTICE
from f1_pipeline.report.sections import Section
from f1_pipeline.report.tables import console, new_table
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline.warehouse.frames import read_table

PUBLISHED, BASELINE, ALL = "published", "ewma_price_prior", "all"
CANDIDATES = ("strength", "ridge", "boosting", "average")
BASELINES = (BASELINE, "price_only", "season_mean")
PHASE_NAMES = {BEFORE_PRACTICE: "before practice", AT_LOCK: "at the lock", AFTER_QUALIFYING: "after qualifying"}
EVENT_NAMES = {"not_classified": "not classified", "price_step": "move of a price"}
KIND_NAMES = {ALL: "All assets", "driver": "Drivers", "constructor": "Constructors"}
TABLES = {
    "forecasts": "evaluation.forecast_accuracy",
    "lineups": "evaluation.lineup_accuracy",
    "classes": "evaluation.return_class_error",
    "histogram": "evaluation.pit_histogram",
    "calibration": "evaluation.probability_calibration",
    "events": "evaluation.probability_score",
}
PICTURE_SUFFIXES, PAGE_SUFFIXES = (".svg", ".png"), (".html",)
LEGEND = (
    "c is the baseline ewma_price_prior on the same assets and races; ×c is a figure divided by c's: below 1 is better "
    "for errors, above 1 for rank correlation and points. Gains are over c, per race, ± one standard error over races. "
    "Errors in points: MAE of the median (of a baseline, of the one figure that it gives), RMSE and bias of the mean, "
    "CRPS of the distribution. In 50/80/90: percent of the scores within the central 50, 80 and 90 percent of the "
    "distribution. Constant: the Brier score had every outcome of a kind been given the share that happened. Line-ups "
    "cost at most the budget, transfers are free; after qualifying only Final Fix could still play them. Counted are "
    "the races from the fourth of each season on. Candidates and baselines are computed again with every run and stand "
    "beside the published forecast of their races, live or replayed."
)


@dataclass(frozen=True)
class Accuracy:
    """The tables of `evaluation` that sum up over races, one frame each."""

    forecasts: pd.DataFrame
    lineups: pd.DataFrame
    classes: pd.DataFrame
    histogram: pd.DataFrame
    calibration: pd.DataFrame
    events: pd.DataFrame

    @property
    def seasons(self) -> list[str]:
        """The seasons that have figures, in order, without `all`."""
        return sorted(set(self.forecasts["season"]) - {ALL})

    @property
    def names(self) -> list[str]:
        """Every forecast that has figures: the published one, its candidates, the baselines."""
        known = (PUBLISHED, *CANDIDATES, *BASELINES)
        found = set(self.forecasts["forecast"])
        return [*(name for name in known if name in found), *sorted(found - set(known))]

    @property
    def manners(self) -> list[bool]:
        """Which of live (True) and replayed have figures, the one that rests on more races first."""
        found = {bool(is_live) for is_live in self.forecasts["is_live"]}
        return sorted(found, key=lambda is_live: (-self.race_count(is_live), is_live))

    def race_count(self, is_live: bool) -> int:
        """Count the races of live or of replayed forecasts."""
        rows = self.forecasts
        return int(rows.loc[(rows["season"] == ALL) & (rows["is_live"] == is_live), "race_count"].max())


def check_targets(picture: Path | None, page: Path | None) -> None:
    """Refuse a file to write whose ending says another kind, before anything is read.

    Parameters
    ----------
    picture, page : Path or None
        Files to write.

    Raises
    ------
    UsageError
        When the picture ends otherwise than in `.svg` or `.png`, or the page than in `.html`.
    """
    for option, path, suffixes in (("picture", picture, PICTURE_SUFFIXES), ("page", page, PAGE_SUFFIXES)):
        if path is not None and path.suffix.lower() not in suffixes:
            raise UsageError(f"--{option}: expected a path that ends in {' or '.join(suffixes)}, found {path.name!r}")


def read_accuracy(pipeline: Pipeline) -> Accuracy:
    """Read what the graph has computed.

    Parameters
    ----------
    pipeline : Pipeline

    Returns
    -------
    Accuracy

    Raises
    ------
    UsageError
        When the tables are missing or no race counts yet.
    WarehouseError
        When there is no warehouse.
    """
    with pipeline.warehouse.read() as connection:
        rows = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        missing = sorted(set(TABLES.values()) - {name for (name,) in rows})
        if missing:
            raise UsageError(f"no {missing[0]} in the warehouse yet: run `f1-pipeline run` first")
        found = Accuracy(**{name: read_table(connection, table) for name, table in TABLES.items()})
    if found.forecasts.empty:
        raise UsageError(
            "no race counts yet, they do from the fourth of a season on: run `f1-pipeline run` first, for every race"
        )
    return found


def chosen_rows(found: Accuracy, season: int | None, phase: str, forecast: str | None) -> pa.Table:
    """Choose rows for programs: the accuracy of forecasts, and of their line-ups where a row is of all assets.

    Parameters
    ----------
    found : Accuracy
    season : int or None
        One season; all of them, and their sum, by default.
    phase : str
        One of the phases.
    forecast : str or None
        One forecast; all of them by default.

    Returns
    -------
    pyarrow.Table
        The columns of `evaluation.forecast_accuracy`, then those of `evaluation.lineup_accuracy` named `lineup_…`.

    Raises
    ------
    UsageError
        When there is no such season or forecast.
    """
    _require(found, season, forecast)
    keys = ["season", "phase", "forecast", "is_live", "asset_type"]
    lineups = found.lineups.rename(columns=lambda name: f"lineup_{name.removeprefix('lineup_')}")
    lineups = lineups.rename(columns={f"lineup_{key}": key for key in keys}).assign(asset_type=ALL)
    rows = found.forecasts.merge(lineups, on=keys, how="left")
    rows["lineup_race_count"] = rows["lineup_race_count"].astype("Int64")
    chosen = rows[
        (rows["phase"] == phase)
        & (rows["season"].eq(str(season)) | (season is None))
        & (rows["forecast"].eq(forecast or "") | (forecast is None))
    ]
    order = {name: place for place, name in enumerate(found.names)}
    kinds = list(KIND_NAMES)
    ranks = chosen.assign(
        season_rank=chosen["season"].where(chosen["season"] != ALL, ""),
        forecast_rank=chosen["forecast"].map(order),
        kind_rank=chosen["asset_type"].map(kinds.index),
    )
    by = ["is_live", "season_rank", "kind_rank", "forecast_rank"]
    ordered = ranks.sort_values(by, ascending=[False, True, True, True])[rows.columns]
    return pa.Table.from_pandas(ordered, preserve_index=False)


def print_accuracy(found: Accuracy, season: int | None, phase: str, forecast: str | None) -> None:
    """Print the sections as tables.

    Parameters
    ----------
    found : Accuracy
    season : int or None
        One season; all of them, and their sum, by default.
    phase : str
        One of the phases.
    forecast : str or None
        Which forecast the tables by season are about; the published one by default.

    Raises
    ------
    UsageError
        When there is no such season or forecast, or the phase has no figures.
    """
    laid_out = sections(found, phase, season, forecast)
    if not laid_out:
        raise UsageError(f"no figures of forecasts {PHASE_NAMES[phase]}, {_of(str(season or ALL))}")
    screen = console()
    for section in laid_out:
        table = new_table(section.title)
        for place, name in enumerate(section.columns):
            table.add_column(name, justify="right" if place else "left", overflow="fold", no_wrap=not place)
        for place, row in enumerate(section.rows):
            table.add_row(*(Text(cell) for cell in row), end_section=place in section.breaks)
        screen.print(table)
    screen.print(Text(LEGEND, style="dim"))
    if True not in found.manners:
        screen.print(Text("No counted race was forecast live yet.", style="dim"))


def sections(
    found: Accuracy, phase: str, season: int | None = None, forecast: str | None = None, *, is_full: bool = False
) -> list[Section]:
    """Lay the figures of one phase out as tables of text, live and replayed apart.

    Parameters
    ----------
    found : Accuracy
    phase : str
        One of the phases.
    season : int or None
        One season; all of them, and their sum, by default.
    forecast : str or None
        Which forecast the tables by season are about; the published one by default.
    is_full : bool
        Whether errors by class of return belong to it as well.

    Returns
    -------
    list of Section

    Raises
    ------
    UsageError
        When there is no such season or forecast.
    """
    _require(found, season, forecast)
    own = forecast or (PUBLISHED if PUBLISHED in found.names else found.names[0])
    seasons = [ALL, *found.seasons] if season is None else [str(season)]
    laid_out = []
    for is_live in found.manners:
        where = f"{PHASE_NAMES[phase]}, {'live' if is_live else 'replayed'}"
        laid_out += [
            _by_season(found, own, seasons, phase, is_live, f"{_title(own)} {where}, {_of(seasons[0])}"),
            _lineups_by_season(found, own, seasons, phase, is_live, f"Line-ups of the {_lower(own)} {where}"),
            _compared(found, seasons[0], phase, is_live, f"Every forecast {where}, {_of(seasons[0])}"),
            _events(found, seasons, phase, is_live, f"Probabilities {where}"),
        ]
        if is_full:
            laid_out.append(
                _classes(found, own, seasons[0], phase, is_live, f"{_title(own)} by return, {where}, {_of(seasons[0])}")
            )
    return [section for section in laid_out if section.rows]


def _require(found: Accuracy, season: int | None, forecast: str | None) -> None:
    if season is not None and str(season) not in found.seasons:
        raise UsageError(f"no figures of season {season}: expected one of {', '.join(found.seasons)}")
    if forecast is not None and forecast not in found.names:
        raise UsageError(f"no forecast {forecast!r}: expected one of {', '.join(found.names)}")


def _title(forecast: str) -> str:
    return f"Forecast {forecast}" if forecast != PUBLISHED else "Published forecast"


def _lower(forecast: str) -> str:
    return f"forecast {forecast}" if forecast != PUBLISHED else "published forecast"


def _of(season: str) -> str:
    return "all seasons" if season == ALL else season


def _rows(frame: pd.DataFrame, order: str, values: Sequence[str], **wanted: object) -> Iterable[pd.Series]:
    """Go through the rows that have these values, one per value of a column, in the order of the values."""
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    by_value = {row[order]: row for _, row in frame.iterrows()}
    return [by_value[value] for value in values if value in by_value]


def _by_season(
    found: Accuracy, forecast: str, seasons: Sequence[str], phase: str, is_live: bool, title: str
) -> Section:
    columns = ("Assets", "Races", "MAE", "×c", "CRPS", "×c", "Gain", "RMSE", "Bias", "Rank", "×c", "In 50/80/90")
    rows, breaks = [], set()
    for kind, name in KIND_NAMES.items():
        wanted = {"forecast": forecast, "phase": phase, "is_live": is_live, "asset_type": kind}
        for row in _rows(found.forecasts, "season", seasons, **wanted):
            label = name if row["season"] == seasons[0] else f"  {row['season']}"
            rows.append((label, str(row["race_count"]), *_errors(row), *_rank_and_cover(row)))
        breaks.add(len(rows) - 1)
    return Section(title, columns, tuple(rows), frozenset(breaks))


def _lineups_by_season(
    found: Accuracy, forecast: str, seasons: Sequence[str], phase: str, is_live: bool, title: str
) -> Section:
    columns = ("Season", "Races", "Points", "×c", "Gain", "Best possible", "Captured")
    wanted = {"forecast": forecast, "phase": phase, "is_live": is_live}
    rows = [
        (
            _of(row["season"]),
            str(row["race_count"]),
            _figure(row["lineup_points"], ".1f"),
            _figure(row["points_ratio"], ".3f"),
            _gain(row["gain_points"], row["gain_se_points"], ".1f"),
            _figure(row["hindsight_points"], ".1f"),
            _figure(row["capture_share"], ".1%"),
        )
        for row in _rows(found.lineups, "season", seasons, **wanted)
    ]
    return Section(title, columns, tuple(rows), frozenset({0}) if len(rows) > 1 else frozenset())


def _compared(found: Accuracy, season: str, phase: str, is_live: bool, title: str) -> Section:
    columns = ("Forecast", "MAE", "×c", "CRPS", "×c", "Gain", "Rank", "×c", "In 50/80/90", "Line-up", "Gain")
    wanted = {"season": season, "phase": phase, "is_live": is_live}
    lineups = {row["forecast"]: row for row in _rows(found.lineups, "forecast", found.names, **wanted)}
    rows, breaks = [], set()
    for row in _rows(found.forecasts, "forecast", found.names, **wanted, asset_type=ALL):
        name = row["forecast"]
        held = lineups.get(name, pd.Series({"lineup_points": None, "gain_points": None, "gain_se_points": None}))
        points = _figure(held["lineup_points"], ".1f")
        gain = _gain(held["gain_points"], held["gain_se_points"], ".1f")
        rows.append((name, *_errors(row)[:5], *_rank_and_cover(row), points, gain))
        if name in (PUBLISHED, CANDIDATES[-1]):
            breaks.add(len(rows) - 1)
    return Section(title, columns, tuple(rows), frozenset(breaks))


def _events(found: Accuracy, seasons: Sequence[str], phase: str, is_live: bool, title: str) -> Section:
    columns = ("Event", "Outcomes", "Mean probability", "Happened", "Brier score", "Constant")
    rows = []
    for event, name in EVENT_NAMES.items():
        for row in _rows(found.events, "season", seasons[:1], event=event, phase=phase, is_live=is_live):
            figures = ("mean_probability", ".1%"), ("observed_share", ".1%"), ("brier_score", ".4f")
            shown = [_figure(row[column], form) for column, form in figures]
            constant = _figure(row["constant_brier_score"], ".4f")
            rows.append((f"{name}, {_of(row['season'])}", str(row["outcome_count"]), *shown, constant))
    return Section(title, columns, tuple(rows))


def _classes(found: Accuracy, forecast: str, season: str, phase: str, is_live: bool, title: str) -> Section:
    columns = ("Return", "Drivers", "MAE", "c's MAE", "Bias", "Constructors", "MAE", "c's MAE", "Bias")
    wanted = {"season": season, "phase": phase, "is_live": is_live}
    cells: dict[str, list[str]] = {name: [] for name in RETURN_CLASSES}
    for kind in ("driver", "constructor"):
        of_kind = {**wanted, "asset_type": kind}
        own = {
            row["return_class"]: row
            for row in _rows(found.classes, "return_class", RETURN_CLASSES, **of_kind, forecast=forecast)
        }
        reference = {
            row["return_class"]: row
            for row in _rows(found.classes, "return_class", RETURN_CLASSES, **of_kind, forecast=BASELINE)
        }
        for name, row_cells in cells.items():
            if name not in own:
                row_cells += ["–"] * 4
                continue
            row = own[name]
            beside = reference[name]["mae_points"] if name in reference else None
            row_cells += [
                str(row["asset_count"]),
                _figure(row["mae_points"], ".2f"),
                _figure(beside, ".2f"),
                _figure(row["bias_points"], "+.2f"),
            ]
    return Section(title, columns, tuple((name, *row_cells) for name, row_cells in cells.items()))


def _errors(row: pd.Series) -> tuple[str, ...]:
    return (
        _figure(row["mae_points"], ".2f"),
        _figure(row["mae_ratio"], ".3f"),
        _figure(row["crps_points"], ".2f"),
        _figure(row["crps_ratio"], ".3f"),
        _gain(row["crps_gain_points"], row["crps_gain_se_points"], ".2f"),
        _figure(row["rmse_points"], ".2f"),
        _figure(row["bias_points"], "+.2f"),
    )


def _rank_and_cover(row: pd.Series) -> tuple[str, ...]:
    covered = (row[f"coverage_{level}_share"] for level in (50, 80, 90))
    return (
        _figure(row["spearman"], ".3f"),
        _figure(row["spearman_ratio"], ".3f"),
        " ".join(_figure(100 * share, ".0f") for share in covered),
    )


def _figure(value: float | None, form: str) -> str:
    return "–" if pd.isna(value) else format(value, form)


def _gain(mean: float | None, error: float | None, form: str) -> str:
    if pd.isna(mean):
        return "–"
    return f"{_figure(mean, '+' + form)} ± {_figure(error, form)}" if not pd.isna(error) else _figure(mean, "+" + form)

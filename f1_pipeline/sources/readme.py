"""Render ``data/README.md`` from the declarations and the facts, so that it cannot go stale.

Only the prose around the tables and what the facts cover live here; columns, units and origins are
:mod:`f1_pipeline.sources.tables`.
"""

from itertools import groupby

from f1_pipeline.sources.source import Facts
from f1_pipeline.sources.tables import FACT_TABLES, FactColumn, FactTable

README_NAME = "README.md"

_HEAD = """# The facts

<!-- Written by f1_pipeline.sources.readme from the declarations and the facts with every import and refresh. -->

CSV, UTF-8, one header line, LF line ends, sorted by key. An empty field is null, booleans are `true` and
`false`, instants are UTC (`2026-06-06T14:00:00Z`). `race_key` is `<season>-<grand_prix>`; order races by
date, never by key or round. Identifiers are F1DB slugs. `rules/<season>.toml` holds the rules of the game,
each constant with its source.

The files are written by the importer and brought up to date by `f1-pipeline refresh`, all of them or none, and
checked again on every read (`f1_pipeline.sources.bundle.load_fact_table`): names, types, ranges, keys and references.

## Where they come from

* **F1DB** (https://github.com/f1db/f1db), release 2026.5 and later ones of the same shape, by its authors,
  licensed under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Changed here: a selection of
  seasons (2018 on) and columns, renamed, with race keys instead of race numbers, and session times estimated
  before 2024.
* **The official game** (fantasy.formula1.com): points, prices and ownership as several public records state
  them; `source` names the record a value was taken from, `official feed` is the game's own. They are facts of the
  game; the records' own files are not redistributed.

The project's own work on them is under the project's licence; F1DB's data stay under CC BY 4.0 and must be
attributed.

## What they cover

{coverage}

## What to know before using them

* A cancelled race stays in `races.csv` with `is_cancelled`, its last date and its last round number, which another
  race may have taken since.
* `event_scores.origin` says how an item was found. Most drivers have official items in
  {official_drivers};
  most constructors in
  {official_constructors}.
  Elsewhere the rules are applied to F1DB results (`derived`), and what they leave of the official total is the
  `residual`: overtakes of a driver, pit-stop points of a constructor (`pit_stop_total`). A constructor without items
  of its own is made of both cars', official ones where they are known.
* `weekend_overtakes` (filed under the race) is the residual of a sprint weekend: overtakes of sprint and race
  together, and the five points of the sprint's fastest lap if the driver had it. They cannot be told apart.
* A constructor's items are the sum of its cars without Driver of the Day; places gained and lost are netted
  within a session; a disqualification includes the constructor's own penalty.
* Records list items worth nothing only sometimes; a missing `race_position` of a classified driver means 0
  points.
* Where a record's item contradicts the results and the official total sides with the results, it is
  `corrected`, and an item that did not happen is left out. Where the total sides with the record, the record
  stands: Perez and Bottas (Australia 2023, order in the pit lane) and Sargeant (sprint in Azerbaijan 2023:
  -20, by other records 0).
* An asset of `official_totals` without a single item scored nothing (Sargeant, Australia 2024: withdrawn).
* The items of every asset and race add up to `official_totals`, and the rules give the same totals and prices, but
  for what `known_exceptions.csv` lists with its reason.
* Totals can be corrected days after a race; prices rarely are. `agreeing_source_count` below `source_count`
  marks disagreement, most often between a first and a corrected total.
* The penalty of a team that holds an asset which does not take part is not in these files; it is a rule of
  the season.
* Bottas is listed twice in F1DB's qualifying of Silverstone 2023; here he is disqualified, with his time.
* A driver who retires after 90 % of the distance is classified; grids are those after all penalties.
"""


def render_data_readme(facts: Facts) -> str:
    """Render the README of the fact files.

    Parameters
    ----------
    facts : Facts
        At least the races and the tables whose coverage it states.

    Returns
    -------
    str
        Markdown; depends on the declarations and the facts alone.
    """
    head = _HEAD.replace("{coverage}", _coverage_table(facts))
    for kind in ("driver", "constructor"):
        head = head.replace(f"{{official_{kind}s}}", races_covered(facts, _officially_scored(facts, kind)))
    return "\n".join([head, *(_render_table(table) for table in FACT_TABLES.values())])


def _coverage_table(facts: Facts) -> str:
    def having(name: str) -> str:
        return races_covered(facts, set(facts[name]["race_key"]))

    rows = {
        "calendar": having("races"),
        "results, grids, practice, pit lane": having("race_results"),
        "prices": having("prices"),
        "official totals": having("official_totals"),
        "event scores": having("event_scores"),
        "ownership": having("ownership"),
    }
    return "\n".join(["| facts | races |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items())])


def _officially_scored(facts: Facts, kind: str) -> set[str]:
    """Return the races in which most assets of a kind have items that a record states."""
    totals, scores = facts["official_totals"], facts["event_scores"]
    asset_count = totals[totals["asset_type"] == kind].groupby("race_key").size()
    is_stated = (scores["origin"] == "official") & (scores["scoring_item"] != "pit_stop_total")
    stated = scores[is_stated & (scores["asset_type"] == kind)]
    stated_count = stated.groupby("race_key")["asset_id"].nunique().reindex(asset_count.index, fill_value=0)
    return set(asset_count.index[stated_count > asset_count / 2])


def races_covered(facts: Facts, race_keys: set[str]) -> str:
    """Say which races a set of them is, by season and round.

    Parameters
    ----------
    facts : Facts
        Its races.
    race_keys : set of str

    Returns
    -------
    str
        Such as "2018 to 2025, 2026 rounds 1-5"; a season is whole when every race that was not cancelled is there.
    """
    races = facts["races"].sort_values(["race_date", "race_key"])
    races = races[races["is_cancelled"] == "false"]
    whole: list[int] = []
    parts: list[str] = []
    for season, rows in races.groupby("season"):
        is_there = rows["race_key"].isin(race_keys).tolist()
        if all(is_there):
            whole.append(int(str(season)))
            continue
        parts += _seasons(whole)
        whole = []
        if any(is_there):
            parts.append(f"{season} {_rounds(rows['round_number'].tolist(), is_there)}")
    return ", ".join([*parts, *_seasons(whole)]) or "none"


def _seasons(whole: list[int]) -> list[str]:
    if len(whole) < 2:
        return [str(season) for season in whole]
    return [f"{whole[0]} to {whole[-1]}"]


def _rounds(numbers: list[str], is_there: list[bool]) -> str:
    spans = []
    for there, group in groupby(zip(is_there, numbers, strict=True), key=lambda pair: pair[0]):
        span = [number for _, number in group]
        if there:
            spans.append(span[0] if len(span) == 1 else f"{span[0]}-{span[-1]}")
    return f"round{'s' if ' '.join(spans).strip('0123456789') else ''} {', '.join(spans)}"


def _render_table(table: FactTable) -> str:
    rows = [
        f"## {table.file_name}",
        "",
        f"{table.description} Origin: {table.origin}",
        "",
        "| column | type | unit | null | meaning |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *(_render_column(table, column) for column in table.columns), ""])


def _render_column(table: FactTable, column: FactColumn) -> str:
    key = " (key)" if column.name in table.primary_key else ""
    meaning = column.description
    if column.allowed and len(column.allowed) <= 8:
        meaning += f" One of {', '.join(f'`{value}`' for value in column.allowed)}."
    null = "yes" if column.is_nullable else "no"
    return f"| `{column.name}`{key} | {column.type} | {column.unit} | {null} | {meaning} |"

"""Render ``data/README.md`` from the declarations, so that it cannot go stale.

Only the prose around the tables lives here; columns, units and origins are :mod:`f1_pipeline.sources.tables`.
"""

from f1_pipeline.sources.tables import FACT_TABLES, FactColumn, FactTable

README_NAME = "README.md"

_HEAD = """# The facts

<!-- Written by f1_pipeline.sources.readme from the declarations: change those, then import again. -->

CSV, UTF-8, one header line, LF line ends, sorted by key. An empty field is null, booleans are `true` and
`false`, instants are UTC (`2026-06-06T14:00:00Z`). `race_key` is `<season>-<grand_prix>`; order races by
date, never by key or round. Identifiers are F1DB slugs. `rules/<season>.toml` holds the rules of the game,
each constant with its source.

The files are written by the importer and checked again on every read
(`f1_pipeline.sources.bundle.load_fact_table`): names, types, ranges, keys and references.

## Where they come from

* **F1DB** (https://github.com/f1db/f1db), release 2026.5 and later ones of the same shape, by its authors,
  licensed under [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Changed here: a selection of
  seasons (2018 on) and columns, renamed, with race keys instead of race numbers, and session times estimated
  before 2024.
* **The official game** (fantasy.formula1.com): points, prices and ownership as several public records state
  them; `source` names the record a value was taken from. They are facts of the game; the records' own files
  are not redistributed.

The project's own work on them is under the project's licence; F1DB's data stay under CC BY 4.0 and must be
attributed.

## What they cover

| facts | seasons |
|---|---|
| calendar, results, grids, practice, pit lane | 2018 on; the calendar to the end of 2026 |
| prices | 2023 to 2026 round 6 |
| official totals, event scores | 2023 to 2026 round 5 |
| ownership | 2023 rounds 1-12, 2024, 2025, 2026 rounds 1-4 |

## What to know before using them

* `event_scores.origin` says how an item was found. Drivers have official items in 2023, 2024 rounds 1-4, 2025
  rounds 1-21 and 2026; constructors in 2023, 2025 rounds 1-21 and 2026 rounds 1-2. Elsewhere the rules are
  applied to F1DB results (`derived`), and what they leave of the official total is the `residual`: overtakes
  of a driver, pit-stop points of a constructor (`pit_stop_total`). Constructors of 2026 rounds 3-5 are both
  cars' official items.
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
* The items of every asset and race add up to `official_totals`, but for those in `known_exceptions.csv`.
* Totals can be corrected days after a race; prices rarely are. `agreeing_source_count` below `source_count`
  marks disagreement, most often between a first and a corrected total.
* The penalty of a team that holds an asset which does not take part is not in these files; it is a rule of
  the season.
* Bottas is listed twice in F1DB's qualifying of Silverstone 2023; here he is disqualified, with his time.
* A driver who retires after 90 % of the distance is classified; grids are those after all penalties.
"""


def render_data_readme() -> str:
    """Render the README of the fact files.

    Returns
    -------
    str
        Markdown; depends on the declarations alone.
    """
    sections = [_HEAD, *(_render_table(table) for table in FACT_TABLES.values())]
    return "\n".join(sections)


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

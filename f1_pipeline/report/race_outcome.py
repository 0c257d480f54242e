"""What came of a line-up: predicted against actual, what cost points, what changes for the next race.

Belongs here: reading the tables of a finished race into figures and texts for its page. Neighbours: `race_facts.py`
has what was known before, `race_page.py` puts both together.
"""

from __future__ import annotations

from dataclasses import dataclass

from f1_pipeline.game.lineup import AssetKey
from f1_pipeline.report.page_rows import Reader, Row, by_asset, drivers_first, key_of
from f1_pipeline.report.pages import number, percent, place_name, price_move, signed, span
from f1_pipeline.report.sections import Section

REVIEW = "select * from lineups.lineup_review where race_key = $race_key"
SCORES = """
    select lea.asset_type, lea.asset_id, lea.total_points, err.pit
    from marts.race_leaderboard as lea
    left join evaluation.asset_error as err
        on
            lea.race_key = err.race_key and lea.asset_type = err.asset_type and lea.asset_id = err.asset_id
            and err.forecast = 'published' and err.phase = 'at_lock'
    where lea.race_key = $race_key
    order by lea.asset_type, lea.asset_id
"""
PARTS = """
    select part, points, p10_points, p90_points
    from lineups.regret_part
    where race_key = $race_key
    order by array_position(['choice', 'forecast', 'luck'], part)
"""
HINDSIGHT = """
    select
        asset_type, asset_id, is_own_team, hindsight_multiplier, counted_multiplier, total_points, missed_points
    from lineups.pick_review
    where race_key = $race_key
    order by hindsight_multiplier * total_points desc, asset_id
"""
NEXT_RACE = """
    select nxt.race_key
    from core.race as now
    inner join core.race as nxt on now.season = nxt.season and now.race_date < nxt.race_date
    where now.race_key = $race_key and not nxt.is_cancelled
    order by nxt.race_date
    limit 1
"""
CHANGES = """
    with steps as (
        select stp.asset_type, stp.asset_id, stp.step_musd
        from marts.price_step as stp
        inner join marts.race_leaderboard as lea using (race_key, asset_type, asset_id)
        where
            stp.race_key = $race_key
            and (stp.points_from is null or lea.total_points >= stp.points_from)
            and (stp.points_to is null or lea.total_points <= stp.points_to)
    )

    select
        ent.asset_type, ent.asset_id, lea.total_points, cast(ent.fantasy_price_musd as double) as price_musd,
        cast(coalesce(nxt.fantasy_price_musd - ent.fantasy_price_musd, stp.step_musd) as double) as move_musd,
        now.expected_points as expected_now, later.expected_points as expected_next
    from core.race_entry as ent
    left join marts.race_leaderboard as lea using (race_key, asset_type, asset_id)
    left join steps as stp using (asset_type, asset_id)
    left join core.race_entry as nxt
        on ent.asset_type = nxt.asset_type and ent.asset_id = nxt.asset_id and nxt.race_key = $next_key
    left join predictions.asset_points as now
        on ent.asset_type = now.asset_type and ent.asset_id = now.asset_id and now.race_key = $race_key
    left join predictions.asset_points as later
        on ent.asset_type = later.asset_type and ent.asset_id = later.asset_id and later.race_key = $next_key
    where ent.race_key = $race_key
    order by later.expected_points - now.expected_points desc nulls last, ent.asset_type desc, ent.asset_id
"""
PART_WORDS = {
    "choice": ("Your choice", "the line-up that counted was not the recommended one"),
    "forecast": ("Forecast", "what else the scores kept from its line-up; below 0 they were kind to it"),
    "luck": ("Luck", "what even a perfect forecast loses on average, for it does not know the scores"),
}
NAMED_CHANGES = 3


@dataclass(frozen=True)
class Outcome:
    """What came of the line-up of a race.

    Attributes
    ----------
    review : dict
        The row of `lineups.lineup_review`.
    scores : dict of AssetKey to dict
        Points and place in the forecast distribution of each asset that took part.
    parts, hindsight, changes : Section or None
        Tables, where they are stored.
    sentences : tuple of str
        What changes next, in words.
    """

    review: Row
    scores: dict[AssetKey, Row]
    parts: Section | None
    hindsight: Section | None
    changes: Section | None
    sentences: tuple[str, ...]

    def actual(self, asset: Row) -> float:
        """Return what a pick brought: nothing when it took no part, else its points, boost counted."""
        row = self.scores.get(key_of(asset))
        return 0.0 if row is None else row["total_points"] * asset["boost"]


def outcome(reader: Reader, race_key: str, names: dict[AssetKey, str], picks: list[Row]) -> Outcome | None:
    """Read what came of the line-up of a race.

    Parameters
    ----------
    reader : Reader
    race_key : str
    names : dict of AssetKey to str
    picks : list of dict
        The assets of the recommended line-up.

    Returns
    -------
    Outcome or None
        None before the race is reviewed.
    """
    review = reader.rows(("lineups.lineup_review",), REVIEW, race_key=race_key)
    if not review:
        return None
    tables = ("marts.race_leaderboard", "evaluation.asset_error")
    scores = {key: rows[0] for key, rows in by_asset(reader.rows(tables, SCORES, race_key=race_key)).items()}
    following = reader.rows((), NEXT_RACE, race_key=race_key)
    next_key = following[0]["race_key"] if following else ""
    moves = reader.rows(("marts.price_step",), CHANGES, race_key=race_key, next_key=next_key)
    return Outcome(
        review=review[0],
        scores=scores,
        parts=_parts(reader.rows(("lineups.regret_part",), PARTS, race_key=race_key)),
        hindsight=_hindsight(reader.rows(("lineups.pick_review",), HINDSIGHT, race_key=race_key), names),
        changes=_changes(moves, names, next_key),
        sentences=tuple(_in_words(moves, names, next_key, picks)),
    )


def pick_table(found: Outcome, picks: list[Row]) -> Section:
    """Set what each pick was expected to score against what it scored."""
    rows = []
    for asset in picks:
        actual = found.actual(asset)
        place = found.scores.get(key_of(asset), {}).get("pit")
        rows.append(
            (
                asset["name"] + (f" ×{asset['boost']}" if asset["is_boosted"] else ""),
                number(asset["expected_points"], 1),
                span(asset["p10"], asset["p90"]),
                number(actual),
                signed(actual - asset["expected_points"], 1),
                percent(place),
            )
        )
    whole = found.review
    difference = whole["actual_points"] - whole["predicted_points"]
    total = (number(whole["predicted_points"], 1), "", number(whole["actual_points"]), signed(difference, 1), "")
    rows.append(("Line-up", *total))
    columns = ("Pick", "Expected", "8 in 10", "Scored", "More or less", "Better than")
    title = "Expected and scored, boost counted; the last column is the share of forecast weekends that it beat"
    return Section(title, columns, tuple(rows), breaks=frozenset({len(picks) - 1}))


def _parts(rows: list[Row]) -> Section | None:
    if not rows:
        return None
    lines = []
    for row in rows:
        if row["part"] == "choice" and not row["points"]:
            continue  # the recommended line-up is the one that counted
        name, meaning = PART_WORDS.get(row["part"], (row["part"], ""))
        usual = "" if row["p10_points"] is None else f"; {span(row['p10_points'], row['p90_points'])} in 8 races of 10"
        lines.append((name, number(row["points"]), meaning + usual))
    total = sum(row["points"] for row in rows)
    lines.append(("Together", number(total), "behind the best line-up that was possible, known only afterwards"))
    title = "What cost points; below 0 it brought some"
    return Section(title, ("Part", "Points", ""), tuple(lines), frozenset({len(lines) - 2}), frozenset({2}))


def _hindsight(rows: list[Row], names: dict[AssetKey, str]) -> Section | None:
    if not rows:
        return None
    lines = [
        (
            names[key_of(row)] + (f" ×{row['hindsight_multiplier']:g}" if row["hindsight_multiplier"] > 1 else ""),
            number(row["hindsight_multiplier"] * row["total_points"]),
            "yes" if row["counted_multiplier"] else "no",
            number(row["missed_points"]),
        )
        for row in drivers_first([row for row in rows if row["hindsight_multiplier"]])
    ]
    ours = sum(row["missed_points"] for row in rows if not row["hindsight_multiplier"])
    together = "Together, transfers aside" if any(row["is_own_team"] for row in rows) else "Together"
    breaks = frozenset({len(lines) - 1})
    lines.append(("Scored by others of ours instead", "", "", number(ours)))
    lines.append((together, "", "", number(sum(row["missed_points"] for row in rows))))
    columns = ("Asset", "Points", "We had it", "Points missed")
    return Section("The best line-up, known only afterwards", columns, tuple(lines), breaks, frozenset({2}))


def _changes(rows: list[Row], names: dict[AssetKey, str], next_key: str) -> Section | None:
    """Lay out what the race changed of each asset: its price, and what the next race is expected to bring."""
    has_next = any(row["expected_next"] is not None for row in rows)
    if not rows:
        return None
    lines = []
    for row in rows:
        line = (
            names[key_of(row)],
            number(row["total_points"]),
            number(row["price_musd"], 1),
            price_move(row["move_musd"]),
        )
        expected = (number(row["expected_now"], 1), number(row["expected_next"], 1), signed(_shift(row), 1))
        lines.append(line + (expected if has_next else ()))
    columns = ("Asset", "Scored", "$M", "Price")
    more = ("Expected here", f"In {place_name(next_key)}", "Change") if has_next else ()
    return Section("Every asset after the race", columns + more, tuple(lines))


def _shift(row: Row) -> float | None:
    now, later = row["expected_now"], row["expected_next"]
    return None if now is None or later is None else later - now


def _in_words(rows: list[Row], names: dict[AssetKey, str], next_key: str, picks: list[Row]) -> list[str]:
    held = {key_of(asset) for asset in picks}
    moves = [row["move_musd"] for row in rows if key_of(row) in held and row["move_musd"] is not None]
    said = [f"The prices of the picks moved by {price_move(sum(moves))} together."] if moves else []
    shifted = [row for row in rows if _shift(row) is not None]
    more = [row for row in shifted if row["expected_next"] > row["expected_now"]]
    less = [row for row in reversed(shifted) if row["expected_next"] < row["expected_now"]]
    named = [f"{word} of {_most(own, names)}" for own, word in ((more, "more"), (less, "less")) if own]
    if named:
        said.append(f"In {place_name(next_key)} the forecast expects, against here, {'; '.join(named)}.")
    if len(named) == 1 and len(more or less) == len(shifted):
        said.append(f"It expects {'more' if more else 'less'} of every asset.")
    return said


def _most(rows: list[Row], names: dict[AssetKey, str]) -> str:
    return ", ".join(f"{names[key_of(row)]} {signed(_shift(row), 1)}" for row in rows[:NAMED_CHANGES])

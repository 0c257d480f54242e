"""The document of the scoring rules: every constant with its evidence, and nothing that the rules files do not say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from f1_pipeline.errors import DataError, RuleError
from f1_pipeline.game.rules import rule_seasons
from f1_pipeline.report.documents import write_documents
from f1_pipeline.report.rule_evidence import Constant, Value, read_constants
from f1_pipeline.report.rule_words import change, millions, race_name, signed, words_of
from f1_pipeline.report.scoring_rules import render_scoring_rules
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import DATA, REPO, copy_facts, make_settings, rewrite

SAMPLE = """\
season = 2026 # V: calendar
[race]
fastest_lap = 10 # V: any classified place
position_points = [
  25, # first
  18,
] # D: two texts
[chips.limitless]
from_race = 2 # L: one text
[[prices]]
kind = "field_mean" # ?: nobody knows
"""


def read(folder: Path, text: str) -> tuple[Constant, ...]:
    path = folder / "2026.toml"
    path.write_text(text, encoding="utf-8")
    return read_constants(path)


@pytest.fixture(scope="module")
def document() -> str:
    return render_scoring_rules(DATA)


def row_of(document: str, chapter: str, label: str) -> list[str]:
    """Return the cells of a line of a table, without the label."""
    lines = document.partition(f"# {chapter}\n")[2].splitlines()
    found = next(line for line in lines if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in found.strip("|").split("|")[1:]]


# --- evidence ---


def test_constants_are_read_with_section_letter_and_source(tmp_path: Path) -> None:
    assert read(tmp_path, SAMPLE) == (
        Constant("", "season", 2026, "V", "calendar"),
        Constant("race", "fastest_lap", 10, "V", "any classified place"),
        Constant("race", "position_points", [25, 18], "D", "two texts"),
        Constant("chips.limitless", "from_race", 2, "L", "one text"),
        Constant("prices[0]", "kind", "field_mean", "?", "nobody knows"),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("fastest_lap = 10 # V: any classified place", "fastest_lap = 10", r"key race\.fastest_lap: .*found none"),
        ("# V: any classified place", "# any classified place", r"key race\.fastest_lap: .*found '# any classified"),
        ("# V: any classified place", "# V", r"key race\.fastest_lap: .*found '# V'"),
        ("# V: any classified place", "# V:", r"key race\.fastest_lap: .*found '# V:'"),
        ("# V: any", "# X: any", r"key race\.fastest_lap: expected V, D, L, \? before its source, found 'X'"),
        ("# V: any", "# v: any", r"key race\.fastest_lap: expected V, D, L, \? before its source, found 'v'"),
        ("] # D: two texts", "]", r"key race\.position_points: expected a comment .*found '# first'"),
        ("25, # first\n  18,\n] # D: two texts", "25, # V: all\n  18,\n]", r"key race\.position_points: .*found none"),
        ("2 # L: one text", "2", r"key chips\.limitless\.from_race: expected a comment"),
        ("# ?: nobody knows", "", r"key prices\[0\]\.kind: expected a comment"),
        ("[race]", "[race", "is not valid TOML"),
        ("[[prices]]", "[chips.x]\n[team]\n[chips.y]\n[[prices]]", "section chips: expected its parts next to each"),
    ],
)
def test_a_key_without_evidence_is_named_with_its_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SAMPLE.count(old) == 1
    with pytest.raises(RuleError, match=rf"2026\.toml.*{message}"):
        read(tmp_path, SAMPLE.replace(old, new))


def test_rows_of_a_list_may_have_evidence_each_and_the_least_sure_counts(tmp_path: Path) -> None:
    rows = "[-7, 1], # V: all moves\n[-5, 1], # L: two moves; never met\n[0, 0], # V: all moves\n"
    assert read(tmp_path, f"[race]\nsteps = [\n{rows}]\n") == (
        Constant("race", "steps", [[-7, 1], [-5, 1], [0, 0]], "L", "all moves; two moves; never met"),
    )


def test_no_rules_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"no rules in .*2026\.toml"):
        read_constants(tmp_path / "2026.toml")
    (tmp_path / "rules").mkdir()
    with pytest.raises(RuleError, match=r"There are no rules: expected files such as .*2026\.toml"):
        render_scoring_rules(tmp_path)


# --- words ---


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("race.position_lost", -1, ("Each place lost", "−1")),
        ("race.disqualified_keeps_overtakes", False, ("Disqualified keeps his overtakes", "no")),
        ("team.budget_tenths", 1000, ("Money at the start", "$100.0M")),
        ("lock.sprint_weekend", "sprint", ("Lock of a sprint weekend", "start of the sprint race")),
        ("inactive.first_race_key", "2024-azerbaijan", ("In force from", "Azerbaijan 2024")),
        ("inactive.first_race_key", "", ("In force from", "first race")),
        (
            "pit_stops.band_below_ms",
            [2000, 2200],
            ("Bands of the team's best stationary stop", "below 2.00 s, below 2.20 s"),
        ),
        ("chips.extra_boost.multiplier", 3, ("Factor", "×3")),
        ("prices[1].maximum_tenths", 0, ("Highest price", "none")),
        ("prices[0].value_from_thousandths", [605, 900], ("Limits of points per million", "0.605, 0.900")),
        ("prices[0].tier_steps_tenths", [[-3, 1], [0, 10]], ("Steps, tier by tier", "−$0.3M, +$0.1M / $0.0M, +$1.0M")),
        ("weather.rain_bonus", 7, ("Rain bonus", "7")),
    ],
)
def test_constants_in_words(key: str, value: Value, expected: tuple[str, str]) -> None:
    label, write = words_of(key)
    assert (label, write(value)) == expected


def test_amounts_and_names() -> None:
    assert (signed(-20), signed(0.5), change(-6), change(0), millions(185)) == (
        "−20",
        "0.5",
        "−$0.6M",
        "$0.0M",
        "$18.5M",
    )
    assert race_name("2025-sao-paulo") == "Sao Paulo 2025"


def test_every_key_of_the_rules_has_words() -> None:
    constants = [c for season in rule_seasons(DATA) for c in read_constants(DATA / "rules" / f"{season}.toml")]
    told = {c.key for c in constants if c.section and c.name != "note"}
    bare = {key for key in told if words_of(key)[0] == key.rpartition(".")[2].replace("_", " ").capitalize()}
    # words that are those of the key itself
    assert {key.rpartition(".")[2] for key in bare} == {"disqualified", "fastest_lap"}


# --- the document ---


def test_every_source_is_in_the_document(document: str) -> None:
    for season in rule_seasons(DATA):
        for constant in read_constants(DATA / "rules" / f"{season}.toml"):
            if constant.section:
                assert f"{constant.confidence}: {constant.source.rstrip('.')}" in document, constant.key


@pytest.mark.parametrize(
    ("chapter", "label", "cells"),
    [
        ("Qualifying", "Disqualified", ["−10 V", "**−15** V", "−15 V", "**−5** V", "−5 V"]),
        ("Sprint race", "Disqualified", ["−10 L", "**−25** D", "−25 D", "**−20** D", "**−10** V"]),
        ("Race", "Fastest lap", ["5 V", "**10** V", "10 V", "10 V", "10 V"]),
        ("Transfers", "Each transfer above", ["–", "**−4** D", "**−10** D", "−10 D", "−10 D"]),
        (
            "No Negative",
            "Floored at 0",
            [
                "–",
                "**weekend total of each asset** V",
                "**each item of each session** V",
                "each item of each session V",
            ],
        ),
        (
            "Drivers who do not take part",
            "Each inactive driver held, sprint weekend",
            ["0 L", "0 V", "**−45** V", "−45 V"],
        ),
    ],
)
def test_seasons_side_by_side_with_what_changed(document: str, chapter: str, label: str, cells: list[str]) -> None:
    assert rule_seasons(DATA)[:5] == (2022, 2023, 2024, 2025, 2026)
    assert row_of(document, chapter, label)[: len(cells)] == cells


def test_what_nobody_knows_is_told_in_words(document: str) -> None:
    transfers = document.partition("\n## Transfers\n")[2].partition("\n## ")[0]
    assert "| Rules | unknown ? | – | – | – | – |" in transfers
    assert "* 2022: Free transfers per race in 2022 are 6 in one source and 3 in another. (?: " in transfers
    assert "### 2022\n\nHow prices moved in 2022 was never published.\n" in document


def test_changes_are_listed_season_by_season(document: str) -> None:
    changes = document.partition("### 2025 to 2026\n")[2].partition("\n## ")[0]
    assert "* Sprint race: " in changes
    assert "Disqualified −20 → −10" in changes
    assert "* Transfers: What counts as a transfer every confirmed swap → difference between two locks." in changes
    assert "Qualifying: Disqualified" not in changes
    stops = document.partition("### 2024 to 2025\n")[2].partition("* Pit stops: ")[2].partition("\n")[0]
    assert stops.startswith("What scores the race's fastest stops → each team's best stop, by time; new: Bands of ")
    assert stops.endswith("; gone: Fastest, second and third fastest stop of the race 10, 5, 3.")


def test_an_altered_constant_alters_the_document(tmp_path: Path, document: str) -> None:
    data = copy_facts(tmp_path / "data")
    path = data / "rules" / "2026.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count("driver_of_the_day = 10 ") == 1
    path.write_text(text.replace("driver_of_the_day = 10 ", "driver_of_the_day = 11 "), encoding="utf-8")
    altered = render_scoring_rules(data)
    assert row_of(document, "Race", "Driver of the Day")[-1].startswith("10 ")
    assert row_of(altered, "Race", "Driver of the Day")[-1].startswith("**11** ")
    assert "* Race: Driver of the Day 10 → 11" in altered


def test_a_constant_that_loses_its_evidence_is_refused_by_file_and_key(tmp_path: Path) -> None:
    data = copy_facts(tmp_path / "data")
    path = data / "rules" / "2025.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    bare = [line.partition("#")[0].rstrip() if line.startswith("fastest_lap = 10") else line for line in lines]
    assert bare != lines
    path.write_text("\n".join(bare) + "\n", encoding="utf-8")
    with pytest.raises(RuleError, match=r"2025\.toml: key race\.fastest_lap: expected a comment"):
        render_scoring_rules(data)


def test_the_same_files_give_the_same_text(document: str) -> None:
    assert render_scoring_rules(DATA) == document


# --- what is worked out ---


@pytest.mark.parametrize(
    ("heading", "lines"),
    [
        (
            "Lando Norris, Canada 2025",
            [
                "| Overtakes in the race | 5 | 5 |",
                "| Places lost in the race | −11 | 0 |",
                "| **Weekend** | **−2** | **9** |",
            ],
        ),
        (
            "Ferrari, China 2025",
            ["| Disqualified from the race | −60 | 0 |", "| **Weekend** | **−23** | **38** |"],
        ),
        (
            "Kimi Antonelli, China 2026",
            ["| Overtakes in the sprint | 10 | 10 |", "| **Weekend** | **68** | **71** |"],
        ),
        ("Liam Lawson, Miami 2026", ["| Not classified in the race | −20 | 0 |", "| **Weekend** | **−12** | **8** |"]),
        # 35 x 2 + 13 + 13 + 6 + 17 + 26 + 43 - 20
        (
            "A team, China 2026",
            [
                "| Max Verstappen | 14 | 35 | ×2 | 70 |",
                "| Transfers above the free ones | | | | −20 |",
                "| **Team** | | | | **168** |",
            ],
        ),
    ],
)
def test_weekends_worked_out_have_the_official_points(document: str, heading: str, lines: list[str]) -> None:
    part = document.partition(f"### {heading}\n")[2].partition("\n#")[0].splitlines()
    assert [line for line in lines if line not in part] == []


def test_sessions_of_a_weekend_worked_out_are_in_order_of_time(document: str) -> None:
    part = document.partition("### Kimi Antonelli, China 2026\n")[2]
    assert part.index("in the sprint") < part.index("Place in qualifying") < part.index("Driver of the Day")


def test_price_moves_worked_out_are_the_official_ones(document: str) -> None:
    text = " ".join(document.partition("### Two moves worked out\n")[2].split())
    assert "−1 in Japan, 20 in Miami, −8 in Canada: 11 points in 3 races" in text
    assert "11 / 3 / 9.6 = 0.382 points per million. From $9.6M that is −$0.6M, and $9.0M was his price" in text
    assert "The 20 drivers of the race had 216 points, 10.80 each, rounded 11. He had 9, 0.82 × mean." in text
    assert "From $5.3M that is +$0.5M, and $5.8M was his price" in text


def test_bands_of_prices(document: str) -> None:
    of_2026 = document.partition("## Prices\n")[2].partition("### 2025\n")[0]
    assert "| 0.605 to below 0.900 | −$0.1M | −$0.2M |" in of_2026
    assert "Lowest price $3.0M, highest $34.0M." in of_2026
    of_2023 = document.partition("## Prices\n")[2].partition("### 2023\n")[2]
    assert "| below 0.5 × mean | −$0.1M | −$0.1M |" in of_2023
    assert "| up to −1 × mean | up to −0.1 × mean | −$0.3M | −$0.5M | −$0.1M |" in of_2023


@pytest.mark.parametrize(
    ("name", "race_key", "asset_id", "column", "value", "message"),
    [
        (
            "official_totals",
            "2025-canada",
            "lando-norris",
            "total_points",
            "-3",
            "2025-canada: .*'lando-norris'.*sum -2",
        ),
        (
            "prices",
            "2026-monaco",
            "alexander-albon",
            "price_musd",
            "9.1",
            "2026-monaco: worked price of 'alexander-albon'",
        ),
    ],
)
def test_facts_that_contradict_what_is_worked_out_are_refused(
    tmp_path: Path, name: str, race_key: str, asset_id: str, column: str, value: str, message: str
) -> None:
    data = copy_facts(tmp_path / "data")

    def altered(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [
            {**row, column: value} if (row["race_key"], row["asset_id"]) == (race_key, asset_id) else row
            for row in rows
        ]

    rewrite(data / f"{name}.csv", altered)
    with pytest.raises(DataError, match=message):
        render_scoring_rules(data)


def test_docs_writes_the_scoring_rules_beside_the_others(tmp_path: Path, document: str) -> None:
    home = tmp_path / "home"
    shutil.copytree(REPO / "dbt_like_sql", home / "dbt_like_sql")
    (home / "docs").mkdir()
    written = write_documents(Pipeline(replace(make_settings(tmp_path / "warehouse"), home=home)))
    assert [path.name for path in written] == ["data_dictionary.md", "scoring_rules.md", "asset_graph.svg"]
    assert (home / "docs" / "scoring_rules.md").read_text(encoding="utf-8") == document

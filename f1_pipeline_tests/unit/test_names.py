"""Names as two sources write them: the same person and team are recognised, others are not."""

import pandas as pd
import pytest

from f1_pipeline.sources.names import person, same_person, slug, team, words

DRIVERS = pd.DataFrame(
    [
        ("carlos-sainz-jr", "Carlos Sainz Jr.", "Carlos", "Sainz Jr."),
        ("jak-crawford", "Jak Crawford", "Carlton", "Crawford"),
        ("nico-hulkenberg", "Nico Hülkenberg", "Nico", "Hülkenberg"),
        ("patricio-oward", "Patricio O'Ward", "Patricio", "O'Ward"),
        ("guanyu-zhou", "Guanyu Zhou", "Guanyu", "Zhou"),
        ("arthur-leclerc", "Arthur Leclerc", "Arthur", "Leclerc"),
    ],
    columns=["driver_id", "name", "first_name", "last_name"],
)


@pytest.mark.parametrize(
    ("spelling", "driver_id"),
    [
        ("Carlos Sainz", "carlos-sainz-jr"),
        ("NICO HULKENBERG", "nico-hulkenberg"),
        ("Pato O’Ward", None),
        ("Patricio O’Ward", "patricio-oward"),
        ("Zhou Guanyu", "guanyu-zhou"),
        ("Carlton Crawford", "jak-crawford"),
        ("Charles Leclerc", None),
        ("", None),
    ],
)
def test_a_driver_is_found_however_his_name_is_written(spelling, driver_id):
    assert same_person(DRIVERS, [spelling]) == ([driver_id] if driver_id else [])


def test_words_slug_and_team():
    assert words("São Paulo Grand Prix") == ("sao", "paulo", "grand", "prix")
    assert slug("Théo Pourchaire") == "theo-pourchaire"
    assert person("Sainz Jr.") == ("sainz",)
    assert team("Haas F1 Team") == ("haas",)
    assert team("Red Bull Racing") != team("Racing Bulls")

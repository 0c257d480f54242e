"""`f1-pipeline accuracy` on two small races: tables, JSON, CSV, picture, page, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.errors import UsageError
from f1_pipeline.forecast.phases import AT_LOCK
from f1_pipeline.report.accuracy import Accuracy, read_accuracy, sections
from f1_pipeline.report.accuracy_page import render_page
from f1_pipeline.report.accuracy_picture import write_picture
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.judged_races import judge, make_warehouse
from f1_pipeline_tests.support import make_settings


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    pipeline = Pipeline(make_settings(tmp_path_factory.mktemp("judged")))
    make_warehouse(pipeline)
    judge(pipeline)
    return pipeline


@pytest.fixture(scope="module")
def found(judged: Pipeline) -> Accuracy:
    return read_accuracy(judged)


@pytest.fixture(scope="module")
def page_text(found: Accuracy) -> str:
    return render_page(found)


def run(pipeline: Pipeline, *arguments: str) -> Result:
    environ = {"F1_WAREHOUSE_DIR": str(pipeline.settings.warehouse_dir), "F1_LOCK_WAIT_S": "1"}
    return CliRunner().invoke(main, ["accuracy", *arguments], env=environ)


def test_tables_have_live_and_replayed_apart(judged: Pipeline) -> None:
    result = run(judged)
    assert result.exit_code == 0, result.output
    titles = re.findall(r"^(?:Published|Line-ups|Every|Probabilities).*?$", result.output, re.MULTILINE)
    assert [title.strip() for title in titles] == [
        "Published forecast at the lock, replayed, all seasons",
        "Line-ups of the published forecast at the lock, replayed",
        "Every forecast at the lock, replayed, all seasons",
        "Probabilities at the lock, replayed",
        "Published forecast at the lock, live, all seasons",
        "Line-ups of the published forecast at the lock, live",
        "Every forecast at the lock, live, all seasons",
        "Probabilities at the lock, live",
    ]
    assert "c is the baseline ewma_price_prior" in result.output
    assert max(len(line) for line in result.output.splitlines()) <= 120


def test_sections_hold_the_figures_of_the_tables(found: Accuracy) -> None:
    by_season, line_ups, compared, _ = sections(found, AT_LOCK)[:4]
    table = found.forecasts
    (row,) = table[
        (table["forecast"] == "published")
        & (table["phase"] == AT_LOCK)
        & (table["season"] == "all")
        & (table["asset_type"] == "driver")
        & ~table["is_live"]
    ].to_dict("records")
    assert [cells[0] for cells in by_season.rows] == [
        *("All assets", "  2023", "Drivers", "  2023", "Constructors", "  2023"),
    ]
    assert by_season.rows[2][:4] == ("Drivers", "1", f"{row['mae_points']:.2f}", f"{row['mae_ratio']:.3f}")
    assert line_ups.rows[0][:3] == ("all seasons", "1", "42.0")
    assert line_ups.rows[0][-2:] == ("159.0", "26.4%")
    assert [cells[0] for cells in compared.rows] == [
        *("published", "strength", "ridge", "ewma_price_prior", "price_only", "season_mean"),
    ]


def test_season_and_forecast_are_chosen(judged: Pipeline, found: Accuracy) -> None:
    result = run(judged, "--season", "2023", "--forecast", "ridge", "--phase", "before_practice")
    assert result.exit_code == 0, result.output
    assert "Forecast ridge before practice, replayed, 2023" in result.output
    assert "live" not in result.output.replace("live yet", "").split("c is the baseline")[0]
    with pytest.raises(UsageError, match="no figures of season 2019: expected one of 2023"):
        sections(found, AT_LOCK, 2019)


def test_json_and_csv_have_every_forecast(judged: Pipeline) -> None:
    answer = json.loads(run(judged, "--format", "json").stdout)
    assert len(answer) == 2 * 2 * 3 * 6  # state, season, kind of asset, forecast
    assert answer[0]["lineup_points"] is not None
    assert {row["lineup_points"] for row in answer if row["asset_type"] != "all"} == {None}
    assert {row["phase"] for row in answer} == {AT_LOCK}
    assert {row["crps_ratio"] for row in answer if row["forecast"] == "ewma_price_prior"} == {1.0}
    rows = list(csv.DictReader(io.StringIO(run(judged, "--format", "csv", "--forecast", "ridge").stdout)))
    assert {row["forecast"] for row in rows} == {"ridge"}
    assert len(rows) == 2 * 2 * 3


def test_what_is_not_there_is_named(judged: Pipeline) -> None:
    for arguments, message in (
        (("--season", "2019"), "no figures of season 2019: expected one of 2023"),
        (("--forecast", "oracle"), "no forecast 'oracle': expected one of published, strength, ridge"),
        (("--picture", "accuracy.pdf"), "--picture: expected a path that ends in .svg or .png, found 'accuracy.pdf'"),
        (("--page", "accuracy.md"), "--page: expected a path that ends in .html, found 'accuracy.md'"),
    ):
        result = run(judged, *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert message in result.stderr


def test_without_the_tables_the_answer_says_what_to_do(tmp_path: Path) -> None:
    pipeline = Pipeline(make_settings(tmp_path / "warehouse"))
    make_warehouse(pipeline)
    result = run(pipeline)
    assert result.exit_code == 2
    assert "run `f1-pipeline run` first" in result.stderr


def test_picture_and_page_are_written_beside_the_answer_and_are_the_same_every_time(
    judged: Pipeline, page_text: str, tmp_path: Path
) -> None:
    page, picture = tmp_path / "new" / "accuracy.html", tmp_path / "accuracy.svg"
    result = run(judged, "--format", "json", "--page", str(page), "--picture", str(picture))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)
    assert result.stderr.split() == [str(picture), str(page)]
    assert page.read_text(encoding="utf-8") == page_text
    drawn = picture.read_text(encoding="utf-8")
    assert "Forecasts replayed from what was known then: 1 race" in drawn
    assert "Forecasts made live, before the deadline: 1 race" in drawn
    assert "<dc:date>" not in drawn


def test_picture_may_be_a_png(found: Accuracy, tmp_path: Path) -> None:
    path = tmp_path / "accuracy.PNG"
    write_picture(replace(found, **{name: frame[frame["is_live"]] for name, frame in vars(found).items()}), path)
    assert path.read_bytes().startswith(b"\x89PNG")


class Page(HTMLParser):
    """Collect what must hold of the whole page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.alternatives: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.sources += [values[name] or "" for name in ("src", "srcset", "href") if name in values]
        if tag == "img":
            self.alternatives.append(values.get("alt") or "")


def test_page_needs_no_network_and_describes_itself(page_text: str) -> None:
    page = Page()
    page.feed(page_text)
    assert page.sources.pop(0) == "#content"
    assert page.sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in page.sources)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(r"base64,[A-Za-z0-9+/=]+", "", page_text))
    assert "script" not in page.tags
    assert page.tags.count("table") == page.tags.count("caption") > 5
    assert len(page.alternatives) == 2
    assert all("Nine panels" in alternative for alternative in page.alternatives)
    assert 'lang="en"' in page_text
    assert "prefers-color-scheme: dark" in page_text


def test_page_escapes_every_text(found: Accuracy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("f1_pipeline.report.accuracy_page.render_picture", lambda *_: b"")
    name = '<script>alert("&")</script>'
    odd = replace(
        found,
        **{part: getattr(found, part).replace({"forecast": {"ridge": name}}) for part in ("forecasts", "lineups")},
    )
    text = render_page(odd)
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#34;&amp;&#34;)&lt;/script&gt;" in text

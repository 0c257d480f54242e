"""What the README promises: its ten queries run and answer, its commands exist, its generated documents are fresh."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from f1_pipeline.cli import main
from f1_pipeline.report.documents import render_data_dictionary
from f1_pipeline.report.graph_picture import draw_graph
from f1_pipeline.report.scoring_rules import render_scoring_rules
from f1_pipeline.sources.my_team import read_my_team
from f1_pipeline.steps.pipeline import Pipeline, open_published
from f1_pipeline.steps.registry import build_steps
from f1_pipeline.warehouse.connection import ask
from f1_pipeline_tests.support import REPO

README = (REPO / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)


def test_there_are_ten_queries() -> None:
    assert len(QUERIES) == 10


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_query_answers(query: str, complete: Pipeline) -> None:
    assert ask(open_published(complete.settings).warehouse, query).num_rows > 0


def test_every_command_of_the_table_exists() -> None:
    named = set(re.findall(r"^\| `f1-pipeline ([a-z-]+)", README, re.MULTILINE))
    assert named == {
        "run",
        "refresh",
        "lineup",
        "plan",
        "chips",
        "backtest",
        "agents",
        "episodes",
        "accuracy",
        "query",
        "report",
        "scores",
        "team",
        "recommend",
        "cluster",
        "tune",
        "export",
        "export-training",
        "import",
        "completion",
        "doctor",
        "open",
        "backup",
        "restore",
        "rebuild",
        "prune",
    }
    for name in named:
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_the_team_of_the_readme_can_be_read(tmp_path) -> None:
    path = tmp_path / "my_team.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)[0], encoding="utf-8")
    team = read_my_team(path)
    assert team is not None
    assert (len(team.drivers), len(team.constructors), team.bank_tenths) == (5, 2, 6)


def test_the_data_dictionary_is_fresh(pipeline: Pipeline) -> None:
    stored = (REPO / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert stored == render_data_dictionary(pipeline), "run `make docs`"


def test_the_scoring_rules_are_fresh() -> None:
    stored = (REPO / "docs" / "scoring_rules.md").read_text(encoding="utf-8")
    assert stored == render_scoring_rules(REPO / "data"), "run `make docs`"


def test_the_picture_of_the_graph_is_fresh(pipeline: Pipeline, tmp_path) -> None:
    draw_graph(build_steps(pipeline), tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_bytes() == (REPO / "docs" / "asset_graph.svg").read_bytes(), "run `make docs`"

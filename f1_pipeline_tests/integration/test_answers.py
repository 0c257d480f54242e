"""What programs may rely on: the keys of every JSON answer, and the same rows as CSV; stable names, UTF-8, no NaN.

The names below are the documentation: whoever changes one changes what others have built on.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from f1_pipeline.cli import main
from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import REPO

TEAM = """
race = "2026-monaco"
drivers = ["george-russell", "gabriel-bortoleto", "valtteri-bottas", "lance-stroll", "nico-hulkenberg"]
constructors = ["mclaren", "audi"]
boosted = "george-russell"
bank_musd = 20.6
free_transfers = 1
chips_left = ["wildcard", "limitless"]
races_played = 5
"""
RANGE = "p10 p90"
ASSET = f"asset_type asset_id seat name team is_boosted boost is_active is_new price_musd expected_points {RANGE}"
LINEUP = f"rank assets cost_musd bank_musd expected_points deviation_points {RANGE} objective transfers"
HEAD = "race_key race lock_at is_live is_own_team chip risk is_chance notes"
EXPLAINED = "chips_now limits final_fix"
HELD = "asset_type asset_id seat name price_musd expected_points is_boosted is_active is_locked"
OF_LINEUP = (
    "race_key rank lineup_points lineup_p10 lineup_p90 objective cost_musd bank_musd transfer_count transfer_points"
)
ERRORS = (
    "season phase asset_type forecast is_live race_count asset_count mae_points rmse_points bias_points spearman "
    "crps_points coverage_50_share coverage_80_share coverage_90_share mae_ratio crps_ratio spearman_ratio "
    "mae_gain_points mae_gain_se_points crps_gain_points crps_gain_se_points lineup_race_count lineup_points "
    "lineup_hindsight_points lineup_capture_share lineup_points_ratio lineup_gain_points lineup_gain_se_points"
)
PLAN = (
    "race_key rank target_race_key races_ahead is_own_team chip transfer_count transfer_points free_transfers "
    "bank_musd budget_musd race_points plan_points gap_share asset_type asset_id seat action is_boosted "
    "is_extra_boosted move_share"
)
CHIPS = "chip race_key races_ahead is_playable gain_points keep_points"
TOTALS = "race_key asset_type asset_id constructor_id total_points unknown_items is_complete rules_season"
ITEMS = (
    "race_key asset_type asset_id constructor_id event_type scoring_item points position frequency origin rules_season"
)
# Command -> keys of each row; the same names are the header of the CSV.
ROWS = {
    "accuracy": ERRORS,
    "plan --horizon 1 --scenarios 0 --without-chips": PLAN,
    "chips": CHIPS,
    "scores --race 2026-canada": TOTALS,
    "scores --race 2026-canada --items": ITEMS,
    "report --race 2026-monaco --out {folder}.html": "kind key file",
    "export-training --out {folder}": "file rows",
}
Answer = Callable[[str], Result]


@pytest.fixture
def answer(complete: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Run a command on the shared warehouse, with an own team beside the project."""
    for name in ("dbt_like_sql", "pyproject.toml", "constraints.txt", "dagster.yaml"):
        copy = shutil.copytree if (REPO / name).is_dir() else shutil.copy
        copy(REPO / name, tmp_path / name)
    (tmp_path / "my_team.toml").write_text(TEAM, encoding="utf-8")
    monkeypatch.setenv("F1_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
    return lambda line: CliRunner().invoke(main, line.format(folder=tmp_path / "out").split())


def refuse(constant: str) -> None:
    raise AssertionError(f"JSON has no {constant}")


def parsed(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout_bytes.decode("utf-8"), parse_constant=refuse)


def keys(found: dict[str, Any]) -> str:
    return " ".join(found)


@pytest.mark.parametrize("line", ROWS)
def test_rows_have_these_keys_as_json_and_as_csv(answer: Answer, line: str) -> None:
    rows = parsed(answer(f"{line} --format json"))
    assert rows
    assert {keys(row) for row in rows} == {ROWS[line]}
    table = list(csv.reader(io.StringIO(answer(f"{line} --format csv").stdout_bytes.decode("utf-8"))))
    assert " ".join(table[0]) == ROWS[line]
    assert len(table) == 1 + len(rows)


def test_a_line_up_has_these_keys(answer: Answer) -> None:
    found = parsed(answer("lineup --format json"))
    assert keys(found) == f"{HEAD} {LINEUP} {EXPLAINED}"
    assert {keys(asset) for asset in found["assets"]} == {f"{ASSET} reason"}
    assert keys(found["transfers"]) == "in out free points"
    assert {keys(limit) for limit in found["limits"]} == {f"limit points {RANGE}"}
    header = next(csv.reader(io.StringIO(answer("lineup --format csv").stdout)))
    assert " ".join(header) == f"{OF_LINEUP} {ASSET} reason"


def test_several_line_ups_have_these_keys(answer: Answer) -> None:
    found = parsed(answer("lineup --top 2 --no-explain --format json"))
    assert keys(found) == f"{HEAD} lineups"
    assert {keys(lineup) for lineup in found["lineups"]} == {LINEUP}
    assert {keys(asset) for lineup in found["lineups"] for asset in lineup["assets"]} == {ASSET}


def test_your_team_has_these_keys(answer: Answer) -> None:
    found = parsed(answer("team show --format json"))
    assert keys(found) == (
        "race_key race lock_at name assets expected_points inactive_points value_musd bank_musd budget_musd "
        "free_transfers chips_left races_played locked banned notes"
    )
    assert {keys(asset) for asset in found["assets"]} == {HELD}
    rows = list(csv.DictReader(io.StringIO(answer("team show --format csv").stdout)))
    assert keys(rows[0]) == f"race_key bank_musd budget_musd free_transfers {HELD}"
    assert len(rows) == len(found["assets"])

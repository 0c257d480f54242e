"""The tutorial's code, run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from f1_pipeline.steps.pipeline import Pipeline
from f1_pipeline_tests.support import REPO

TUTORIAL = REPO / "docs" / "reinforcement_learning.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_tutorial_trains_compares_and_draws(
    complete: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("F1_WAREHOUSE_DIR", str(complete.settings.warehouse_dir))
    monkeypatch.setenv("F1_DATA_DIR", str(complete.settings.data_dir))
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, TUTORIAL.name, "exec"), names)
    said = capsys.readouterr().out
    assert not re.search(r"^[A-Z]{3,}$", TUTORIAL.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(blocks) == 6
    assert (tmp_path / "agents.png").read_bytes().startswith(b"\x89PNG")
    assert said.count("Generation(number=") == 3
    gain = re.search(r"^linear .*? ([+-]\d+) ± (\d+)$", said, re.MULTILINE)
    # it counts money and plays chips from the start; what training adds takes more seasons to see
    assert gain is not None
    assert int(gain[1]) > 2 * int(gain[2])

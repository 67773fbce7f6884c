"""Several GemmaDeployments in one file are planned on one cluster, each beside those before it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from gemma_operator.cli.gemmactl import app
from gemma_operator.cli.plan_schema import plan_schema
from tests.unit.cli.test_plan_cases import exit_code

TIERS = Path(__file__).parents[3] / "crds" / "samples" / "tiers.yaml"


def planned(*gpus: str, code: int = 0) -> dict[str, dict[str, Any] | None]:
    """The plans of the tiers by name."""
    arguments = ["plan", "-f", str(TIERS), "-o", "json"]
    for entry in gpus:
        arguments += ["--gpus", entry]
    result = CliRunner().invoke(app, arguments, standalone_mode=False)
    assert exit_code(result) == code, result.output
    document = json.loads(result.stdout)
    jsonschema.validate(document, plan_schema())
    return {item["name"]: item["decision"]["plan"] for item in document["plans"]}


def test_three_tiers_share_a_mixed_cluster() -> None:
    """No GPU is given twice: the two replicas of the last tier count as well."""
    found = planned("L40S=1", "L4=3")
    plans = {name: plan for name, plan in found.items() if plan is not None}
    assert {name: plan["variant"] for name, plan in plans.items()} == {
        "deep": "31B",
        "reason": "26B-A4B",
        "fast": "E4B",
    }
    used: Counter[str] = Counter()
    for name, plan in plans.items():
        used[plan["accelerator"]] += plan["tensorParallelSize"] * (2 if name == "fast" else 1)
    assert used == {"NVIDIA-L40S": 1, "NVIDIA-L4": 3}


def test_what_the_first_tiers_take_is_gone_for_the_last() -> None:
    found = planned("L40S=2", code=2)
    assert found["deep"] is not None
    assert found["reason"] is not None
    assert found["fast"] is None


def test_for_one_that_is_simulated_a_second_document_is_no_silent_loss() -> None:
    result = CliRunner().invoke(app, ["simulate", "-f", str(TIERS), "--trace", "none.csv"])
    assert result.exit_code == 1
    assert "has 3 documents" in result.output


def test_the_table_names_each() -> None:
    arguments = ["plan", "-f", str(TIERS), "--gpus", "H100-SXM=1", "--gpus", "L40S=1", "--gpus", "L4=2"]
    result = CliRunner().invoke(app, arguments, standalone_mode=False)
    assert [line for line in result.output.splitlines() if line in ("deep:", "reason:", "fast:")] == [
        "deep:",
        "reason:",
        "fast:",
    ]


@pytest.mark.parametrize("empty", ["", "---\n---\n"])
def test_an_empty_file_is_said(empty: str, tmp_path: Path) -> None:
    path = tmp_path / "gd.yaml"
    path.write_text(empty)
    result = CliRunner().invoke(app, ["plan", "-f", str(path), "--gpus", "L4=1"])
    assert result.exit_code == 1
    assert "gd.yaml" in result.output

"""Asks with known answers, put to ``gemmactl plan`` as a user would."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from gemma_operator.cli.gemmactl import app
from gemma_operator.cli.plan_schema import plan_schema

CASES = yaml.safe_load((Path(__file__).parents[2] / "data" / "plan_cases.yaml").read_text())["cases"]
FIELDS = ("variant", "tensorParallelSize", "kvCacheDtype", "quantization", "accelerator", "tight")


def run_plan(spec: dict[str, Any], gpus: list[str], tmp_path: Path, *more: str) -> Result:
    manifest = {
        "apiVersion": "gemma-operator.io/v1alpha1",
        "kind": "GemmaDeployment",
        "metadata": {"name": "assistant"},
        "spec": spec,
    }
    path = tmp_path / "gd.yaml"
    path.write_text(yaml.safe_dump(manifest))
    arguments = ["plan", "-f", str(path), *more]
    for entry in gpus:
        arguments += ["--gpus", entry]
    return CliRunner().invoke(app, arguments, standalone_mode=False)


def exit_code(result: Result) -> int:
    return result.return_value if isinstance(result.return_value, int) else result.exit_code


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_planner_answers_as_known(case: dict[str, Any], tmp_path: Path) -> None:
    result = run_plan(case["spec"], case["gpus"], tmp_path, "-o", "json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, plan_schema())
    expected = case["expect"]
    assert exit_code(result) == (0 if expected["fits"] else 2)
    assert (document["plan"] is not None) == expected["fits"]
    for field in FIELDS:
        if field in expected:
            assert document["plan"][field] == expected[field]
        if f"{field}In" in expected:
            assert document["plan"][field] in expected[f"{field}In"]


def test_there_are_21_known_asks() -> None:
    assert len(CASES) == 21


@pytest.mark.parametrize("form", ["table", "yaml", "json"])
def test_a_refusal_says_what_was_missing_and_what_would_fit(form: str, tmp_path: Path) -> None:
    result = run_plan({"contextLength": "256K", "model": {"variant": "31B"}}, ["RTX-4090=1"], tmp_path, "-o", form)
    assert exit_code(result) == 2
    assert "contextLength: 24K" in result.stdout
    assert "26B-A4B" in result.stdout


@pytest.mark.parametrize(
    ("spec", "gpus", "says"),
    [
        ({"contextLength": "256k"}, ["L40S=1"], "write 256K"),
        ({"contextLength": "256Ki"}, ["L40S=1"], "write 256K"),
        ({"contextLength": "2000K"}, ["L40S=1"], "1K to 1024K"),
        ({"contextLen": "256K"}, ["L40S=1"], "contextLen: no such field"),
        ({"contextLength": "8K"}, ["L40S"], "PRODUCT=COUNT[xNODES]"),
        ({"contextLength": "8K"}, ["L40S=0"], "PRODUCT=COUNT[xNODES]"),
        ({"contextLength": "8K"}, ["L400=1"], "neither an id nor a label"),
        ({"contextLength": "8K"}, [], "--gpus"),
    ],
)
def test_bad_input_exits_with_1_and_names_field_and_fix(
    spec: dict[str, Any], gpus: list[str], says: str, tmp_path: Path
) -> None:
    result = run_plan(spec, gpus, tmp_path)
    assert exit_code(result) == 1
    assert says in result.stderr

"""``gemmactl simulate`` as a user runs it: answers, exit codes, and errors that name option, value and fix."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from typer.testing import CliRunner, Result

from gemma_operator.cli.gemmactl import app
from tests.traces import chat

SPEC: dict[str, Any] = {
    "contextLength": "16K",
    "model": {"variant": "31B", "quantization": "FP8"},
    "replicas": 3,
    "autoscaling": {"maxReplicas": 12},
}
KEYS = {
    "sloAttainment",
    "gpuHours",
    "meanReplicas",
    "peakReplicas",
    "timeToFirstTokenSeconds",
    "interTokenSeconds",
    "lostRequests",
    "shedRequests",
    "directionChanges",
}


@pytest.fixture
def ten_minutes(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    rows = [f"{a.at_seconds},{a.prompt_tokens},{a.answer_tokens}" for a in chat().arrivals if a.at_seconds < 600]
    path.write_text("\n".join(("TIMESTAMP,ContextTokens,GeneratedTokens", *rows, "")))
    return path


def run(trace: Path, *more: str, spec: dict[str, Any] = SPEC) -> Result:
    manifest = {
        "apiVersion": "gemma-operator.io/v1alpha1",
        "kind": "GemmaDeployment",
        "metadata": {"name": "assistant"},
        "spec": spec,
    }
    arguments = ["simulate", "-f", "-", "--trace", str(trace), *more]
    return CliRunner().invoke(app, arguments, input=yaml.safe_dump(manifest), standalone_mode=False)


def exit_code(result: Result) -> int:
    return result.return_value if isinstance(result.return_value, int) else result.exit_code


def test_json_holds_what_is_promised_and_the_same_seed_gives_the_same_bytes(ten_minutes: Path) -> None:
    first, second = (run(ten_minutes, "--accelerator", "H100-SXM", "-o", "json") for _ in range(2))
    assert exit_code(first) == 0
    answer = json.loads(first.stdout)
    assert set(answer) >= KEYS
    assert answer["sloAttainment"] > 0.9
    assert answer["plan"].endswith("1×H100-SXM")
    assert first.stdout == second.stdout


def test_the_table_names_plan_stand_in_and_losses(ten_minutes: Path) -> None:
    result = run(ten_minutes, "--accelerator", "H100-SXM")
    assert exit_code(result) == 0
    for wanted in ("within targets", "GPU-hours", "standing in for 31B", "0 lost", "1×H100-SXM"):
        assert wanted in " ".join(result.stdout.split())


def test_a_card_too_slow_for_the_target_is_named_as_such(ten_minutes: Path) -> None:
    result = run(ten_minutes, "--accelerator", "L40S")
    assert exit_code(result) == 0
    assert "no replica helps" in " ".join(result.stdout.split())


@pytest.mark.parametrize("policy", ["hpa-waiting", "keda-waiting", "llm-d", "slo-aware"])
def test_other_policies_run_by_name_and_without_our_queue_limit(policy: str, ten_minutes: Path) -> None:
    result = run(ten_minutes, "--accelerator", "H100-SXM", "--policy", policy, "-o", "json")
    answer = json.loads(result.stdout)
    assert (answer["policy"], answer["queueLimit"], answer["shedRequests"]) == (policy, None, 0)


def test_the_bound_is_searched_with_progress_and_lies_below(ten_minutes: Path) -> None:
    more = ("--accelerator", "H100-SXM", "-o", "json", "--bound", "--bound-tries", "20", "--speed-up", "2")
    result = run(ten_minutes, *more, spec=SPEC | {"autoscaling": {"maxReplicas": 6}})
    bound = json.loads(result.stdout)["bound"]
    assert bound["sloAttainment"] >= 0.99
    assert bound["gpuHours"] <= bound["staticPeakGpuHours"]
    assert "timetables tried" in result.stderr


def test_the_plot_is_written(ten_minutes: Path, tmp_path: Path) -> None:
    picture = tmp_path / "load.svg"
    result = run(ten_minutes, "--accelerator", "H100-SXM", "--superpose", "2", "--plot", str(picture))
    assert exit_code(result) == 0
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_nothing_that_fits_exits_with_2_and_says_what_would(ten_minutes: Path) -> None:
    spec = SPEC | {"contextLength": "256K", "accelerators": {"maxPerReplica": 1}}
    result = run(ten_minutes, "--accelerator", "L4", spec=spec)
    assert exit_code(result) == 2
    assert "nothing fits on L4" in result.stderr


@pytest.mark.parametrize(
    ("more", "spec", "says"),
    [
        ((), SPEC, "give --accelerator PRODUCT"),
        (("--accelerator", "H1000"), SPEC, "--accelerator: "),
        (("--accelerator", "H100-SXM", "--cold-start", "soon"), SPEC, "'soon' is not a duration; write 120s or 2m"),
        (("--accelerator", "H100-SXM"), SPEC | {"contextLength": "1K"}, "raise contextLength"),
        (("--accelerator", "H100-SXM"), {"contextLength": "16K"}, "spec.autoscaling.maxReplicas is missing"),
        (("--accelerator", "H100-SXM"), SPEC | {"contextLen": 1}, "contextLen: no such field"),
        (("--accelerator", "H100-SXM", "--plot", "/no/such/place.svg"), SPEC, "--plot: /no/such/place.svg: No such"),
    ],
)
def test_bad_input_exits_with_1_and_says_what_to_write(
    more: tuple[str, ...], spec: dict[str, Any], says: str, ten_minutes: Path
) -> None:
    result = run(ten_minutes, *more, spec=spec)
    assert exit_code(result) == 1
    assert says in result.stderr


def test_a_trace_that_is_none_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("when,what\n1,2\n")
    result = run(tmp_path / "trace.csv", "--accelerator", "H100-SXM")
    assert exit_code(result) == 1
    assert "column TIMESTAMP is missing" in result.stderr
    assert "No such file" in run(tmp_path / "none.csv", "--accelerator", "H100-SXM").stderr

"""The known asks and the headline cases, planned by the operator on the real API server; flags are checked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.operator_process import OperatorProcess
from tests.integration.controller.conftest import Room

pytestmark = pytest.mark.integration
CASES = yaml.safe_load((Path(__file__).parents[2] / "data" / "plan_cases.yaml").read_text())["cases"]
FIELDS = ("variant", "tensorParallelSize", "kvCacheDtype", "quantization", "accelerator", "tight")


def planned(room: Room, name: str) -> dict[str, Any] | None:
    """The status once it is decided; ``None`` before."""
    live = room.get("gemmadeployment", name)
    status = live.get("status") or {}
    ready = {item["type"]: item for item in status.get("conditions") or ()}.get("Planned")
    return status if ready and ready["observedGeneration"] == live["metadata"]["generation"] else None


def test_all_known_asks_are_answered_as_expected(room: Room, operator: OperatorProcess) -> None:
    for index, case in enumerate(CASES):
        corner = f"{room.name}-{index}"
        for entry in case["gpus"]:
            card, _, amount = entry.partition("=")
            gpus, _, nodes = amount.partition("x")
            room.nodes(card, int(gpus), int(nodes or 1), room=corner)
        spec = dict(case["spec"])
        room.cluster.apply([room.manifest(f"ask-{index}", room=corner, planOnly=True, **spec)])
    wrong = []
    try:
        for index, case in enumerate(CASES):
            status = room.wait(case["name"], lambda name=f"ask-{index}": planned(room, name), 60)
            plan, expected = status.get("proposedPlan"), case["expect"]
            same = (plan is not None) == expected["fits"] and all(
                plan is not None and plan[field] == expected[field] for field in FIELDS if field in expected
            )
            same &= all(
                plan is not None and plan[field] in expected[f"{field}In"]
                for field in FIELDS
                if f"{field}In" in expected
            )
            if not same:
                wrong.append((case["name"], plan))
    finally:
        for index in range(len(CASES)):
            room.cluster.kubectl("delete", "nodes", "-l", f"gemma-test={room.name}-{index}", "--wait=false")
    assert wrong == []
    assert len(CASES) == 21


HEADLINES = [
    ("l40s", "L40S", 1, {"contextLength": "256K", "model": {"variant": "31B"}}, "FP8", 1, False),
    ("rtx-4090", "RTX-4090", 2, {"contextLength": "256K", "model": {"variant": "31B"}}, "FP8", 2, False),
    ("a6000", "RTX-A6000", 1, {"contextLength": "256K", "model": {"variant": "31B"}}, "BF16", 1, True),
    (
        "h100",
        "H100-SXM",
        2,
        {"contextLength": "256K", "model": {"variant": "31B", "quantization": "BF16", "kvCacheDtype": "BF16"}},
        "BF16",
        2,
        False,
    ),
    ("l4", "L4", 1, {"contextLength": "128K", "model": {"variant": "E4B"}}, None, 1, False),
    ("audio", "L40S", 1, {"contextLength": "256K", "model": {"modalities": ["Text", "Audio"]}}, None, 1, False),
]


@pytest.mark.parametrize(
    ("name", "card", "gpus", "spec", "kv_dtype", "size", "tight"), HEADLINES, ids=[row[0] for row in HEADLINES]
)
def test_the_headline_cases_run_with_exactly_the_planned_flags(
    room: Room,
    operator: OperatorProcess,
    name: str,
    card: str,
    gpus: int,
    spec: dict[str, Any],
    kv_dtype: str | None,
    size: int,
    tight: bool,
) -> None:
    room.nodes(card, gpus)
    room.ask(name, **spec)
    room.wait_ready(name)
    plan = room.get("gemmadeployment", name)["status"]["plan"]
    container = room.get("deployment", name)["spec"]["template"]["spec"]["containers"][0]
    arguments = container["args"]

    def value(flag: str) -> str:
        return str(arguments[arguments.index(flag) + 1])

    assert value("--max-model-len") == str(plan["contextLength"])
    assert value("--tensor-parallel-size") == str(size) == container["resources"]["limits"]["nvidia.com/gpu"]
    assert value("--max-num-batched-tokens") == str(plan["maxNumBatchedTokens"])
    assert value("--max-num-seqs") == str(plan["maxNumSeqs"])
    assert value("--gpu-memory-utilization") == plan["gpuMemoryUtilization"]
    assert ("--kv-cache-dtype" in arguments) == (plan["kvCacheDtype"] == "FP8")
    assert ("--language-model-only" in arguments) == (name != "audio")
    assert kv_dtype in {None, plan["kvCacheDtype"]}
    assert plan["tight"] is tight
    if name == "audio":
        assert plan["variant"] == "12B"
        assert value("--limit-mm-per-prompt") == '{"image":0,"video":0,"audio":1}'


@pytest.mark.parametrize(
    ("card", "gpus", "spec", "says"),
    [
        ("A100-80GB-SXM", 1, {"contextLength": "32K", "model": {"kvCacheDtype": "FP8"}}, "compute capability 8.9"),
        ("T4", 4, {"contextLength": "8K"}, "compute capability 7.5"),
        ("RTX-3090", 2, {"contextLength": "256K", "model": {"variant": "31B"}}, "GiB"),
    ],
    ids=["fp8-kv-on-a100", "t4", "two-3090"],
)
def test_what_can_not_run_is_refused_with_the_reason(
    room: Room, operator: OperatorProcess, card: str, gpus: int, spec: dict[str, Any], says: str
) -> None:
    room.nodes(card, gpus)
    room.ask("refused", **spec)
    room.wait("the refusal", lambda: room.conditions("refused")["Ready"]["reason"] == "PlanImpossible")
    assert says in room.conditions("refused")["Ready"]["message"]
    assert room.get("deployments")["items"] == []

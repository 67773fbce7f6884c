"""A status always fits its schema, however long the texts are that went into it."""

import copy
import json
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_operator.api.clip import MAX_STATUS_BYTES, clip_status
from gemma_operator.api.crd import crd

SCHEMA = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]


def size_bytes(status: dict[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False).encode())


def conditions(message: str, count: int = 7) -> list[dict[str, Any]]:
    return [
        {
            "type": f"Type{index}",
            "status": "True",
            "reason": "AsExpected",
            "message": message,
            "lastTransitionTime": "2026-11-24T10:00:00Z",
            "observedGeneration": 3,
        }
        for index in range(count)
    ]


def plan(reason: str) -> dict[str, Any]:
    words = ("variant", "checkpoint", "quantization", "kvCacheDtype", "accelerator", "maxConcurrency")
    numbers = ("tensorParallelSize", "contextLength", "concurrentRequests", "maxNumBatchedTokens", "maxNumSeqs")
    return {
        **dict.fromkeys((*words, "gpuMemoryUtilization"), "x" * 64),
        **dict.fromkeys(numbers, 8),
        "asyncScheduling": True,
        "tight": False,
        "memory": {f"term{index}Bytes": 85_899_345_920 for index in range(12)},
        "reasons": [reason] * 8,
    }


def test_a_status_within_bounds_is_left_as_it_is() -> None:
    status = {"observedGeneration": 2, "conditions": conditions("All is well."), "replicas": 0, "plan": plan("Short.")}
    assert clip_status(copy.deepcopy(status)) == status


def test_a_long_text_keeps_its_head_and_says_that_it_was_cut() -> None:
    clipped = clip_status({"conditions": conditions("0123456789" * 500, 1)})
    message = clipped["conditions"][0]["message"]
    assert len(message) == 1024
    assert message.startswith("0123456789")
    assert message.endswith("…")


def test_lists_are_cut_to_their_bound_and_unknown_fields_are_left_out() -> None:
    clipped = clip_status({"alternatives": [{"plan": f"plan {n}"} for n in range(9)], "wholeCluster": ["node"] * 1000})
    assert [entry["plan"] for entry in clipped["alternatives"]] == [f"plan {n}" for n in range(5)]
    assert "wholeCluster" not in clipped


def test_a_null_is_left_out_because_the_server_would_refuse_it() -> None:
    assert clip_status({"url": None, "replicas": 0, "plan": None}) == {"replicas": 0}


def test_what_explains_goes_before_what_decides() -> None:
    explaining = [{"reason": "TooSmall", "message": "m" * 1024}] * 10
    clipped = clip_status({"conditions": conditions("c" * 1000), "rejected": explaining})
    assert size_bytes(clipped) <= MAX_STATUS_BYTES
    assert clipped["conditions"] == conditions("c" * 1000)
    assert 0 < len(clipped["rejected"]) < 10


def test_sixteen_kib_hold_even_if_all_that_decides_is_too_long() -> None:
    status = {
        "conditions": conditions("…" * 5000, 16),
        "plan": plan("日" * 1024),
        "proposedPlan": plan("日" * 1024),
        "selector": "s" * 400,
    }
    clipped = clip_status(status)
    assert size_bytes(clipped) <= MAX_STATUS_BYTES
    assert clipped["selector"] == "s" * 400
    assert [entry["type"] for entry in clipped["conditions"]] == [f"Type{n}" for n in range(16)]
    assert all(len(entry["message"]) >= 64 for entry in clipped["conditions"])


sentences = st.text(max_size=1500)
groups = st.lists(st.fixed_dictionaries({"reason": sentences, "message": sentences}), max_size=14)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "conditions": sentences.map(conditions),
        "plan": sentences.map(plan),
        "rejected": groups,
        "nearest": st.lists(st.fixed_dictionaries({"plan": sentences, "change": sentences}), max_size=8),
        "url": sentences,
        "selector": sentences,
        "summary": st.dictionaries(st.text(max_size=20), sentences, max_size=12),
    },
)


@settings(max_examples=30, deadline=None)
@given(statuses)
def test_every_clipped_status_satisfies_the_schema_and_is_clipped_already(status: dict[str, Any]) -> None:
    clipped = clip_status(status)
    jsonschema.validate(clipped, SCHEMA)
    assert size_bytes(clipped) <= MAX_STATUS_BYTES
    assert clip_status(clipped) == clipped

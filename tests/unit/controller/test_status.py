"""The truth table of the status, row by row."""

from dataclasses import replace

import pytest

from gemma_operator.api.clip import clip_status
from gemma_operator.controller.report import merged
from gemma_operator.controller.status import Verdicts
from gemma_operator.planning.packing import Packing, Way
from gemma_operator.vllm.metrics import LivePool
from tests.unit.controller.situations import PROMISED, Situation, a_deployment, fields, lines, pod, short
from tests.unit.planning.asks import gpus


def impossible_while_serving() -> Situation:
    return a_deployment("64K", gpus(RTX_4090=1), model={"variant": "26B-A4B"}).serving().asked(
        contextLength="256K", model={"variant": "31B"}
    )  # fmt: skip


def test_all_engines_of_this_generation_serve() -> None:
    situation = replace(a_deployment(replicas=2).serving(), pools={"engine-0": PROMISED, "engine-1": PROMISED})
    assert {name: line.status for name, line in lines(situation).items()} == {
        "Ready": "True",
        "Available": "True",
        "Progressing": "False",
        "Planned": "True",
        "ContextHonored": "True",
        "Stalled": "False",
        "Degraded": "False",
    }


def test_nothing_is_there_yet() -> None:
    assert short(a_deployment(), "Ready", "Available", "Progressing", "ContextHonored") == {
        "Ready": "False/Progressing",
        "Available": "False/NotServing",
        "Progressing": "True/Progressing",
        "ContextHonored": "Unknown/ContextUnknown",
    }


def test_the_deployment_has_not_seen_what_was_applied() -> None:
    situation = a_deployment().serving()
    assert situation.deployment is not None
    behind = situation.deployment | {"metadata": {"generation": 2}}
    assert short(replace(situation, deployment=behind), "Ready", "Available") == {
        "Ready": "False/Progressing",
        "Available": "True/Serving",
    }


def test_a_boot_under_way_names_what_it_waits_for() -> None:
    situation = a_deployment(replicas=2).recorded()
    situation = situation.deployed(ready=1)
    loading = pod("engine-1", situation.digest, ready=False)
    situation = replace(situation, pods=(*situation.pods, loading))
    assert short(situation, "Ready", "Available", "Progressing") == {
        "Ready": "False/Starting",
        "Available": "True/Serving",
        "Progressing": "True/Starting",
    }
    assert "engine-1" in lines(situation)["Ready"].message


def test_a_pod_without_a_place_says_how_many_gpus_are_wanted_and_free() -> None:
    situation = a_deployment().recorded().deployed(ready=0)
    stuck = pod("engine-0", situation.digest, node="", ready=False, unschedulable="0/3 nodes are available")
    situation = replace(situation, pods=(stuck,), free_gpus={})
    assert short(situation, "Progressing") == {"Progressing": "True/WaitingForGPUs"}
    assert lines(situation)["Progressing"].message.startswith("waiting for 1 × L40S; 0 free: 0/3 nodes")


def test_a_roll_out_that_has_no_place_is_refused_in_words() -> None:
    situation = a_deployment().recorded().deployed(ready=0)
    refusal = Verdicts(packing=Packing(Way.REFUSE, 0, 1, "8 × L40S needed on one node, at most 4 free"))
    assert short(situation, "Ready", "Progressing", verdicts=refusal) == {
        "Ready": "False/RolloutRefused",
        "Progressing": "True/RolloutRefused",
    }


def test_an_impossible_ask_while_old_pods_serve() -> None:
    situation = impossible_while_serving()
    assert short(situation, "Ready", "Available", "Stalled", "Degraded") == {
        "Ready": "False/PlanImpossible",
        "Available": "True/Serving",
        "Stalled": "True/PlanImpossible",
        "Degraded": "True/PlanImpossible",
    }
    status = fields(situation)
    assert status["readyReplicas"] == 1
    assert status["url"] == "http://assistant.team.svc"
    assert status["plan"]["variant"] == "26B-A4B"
    assert status["nearest"]


def test_an_impossible_ask_from_the_start_runs_nothing() -> None:
    situation = a_deployment("256K", gpus(T4=1))
    assert situation.choice.record is None
    assert short(situation, "Ready", "Available", "Planned") == {
        "Ready": "False/PlanImpossible",
        "Available": "False/NotServing",
        "Planned": "False/PlanImpossible",
    }


@pytest.mark.parametrize("pools", [{}, {"engine-0": None}], ids=["nobody asked", "no answer"])
def test_engines_that_can_not_be_asked_are_unknown_and_do_not_hinder_ready(pools: dict[str, LivePool | None]) -> None:
    situation = replace(a_deployment().serving(), pools=pools)
    assert short(situation, "Ready", "ContextHonored") == {
        "Ready": "True/Serving",
        "ContextHonored": "Unknown/ContextUnknown",
    }


def test_a_shortened_context_is_said_with_both_numbers() -> None:
    short_pool = LivePool(num_blocks=1_000_000, max_concurrency=4.0, kv_tokens=4 * 32 * 1024)
    situation = replace(a_deployment().serving(), pools={"engine-0": short_pool})
    assert short(situation, "Ready", "Available", "ContextHonored", "Degraded") == {
        "Ready": "False/ContextNotHonored",
        "Available": "True/Serving",
        "ContextHonored": "False/ContextNotHonored",
        "Degraded": "True/ContextNotHonored",
    }
    message = lines(situation)["ContextHonored"].message
    assert "32,768" in message
    assert "65,536" in message


def test_a_pool_below_the_promise_is_said_with_both_numbers() -> None:
    situation = a_deployment(concurrentRequests=4).serving()
    small = LivePool(num_blocks=300, max_concurrency=3.0, kv_tokens=3 * 64 * 1024)
    message = lines(replace(situation, pools={"engine-0": small}))["ContextHonored"].message
    assert "300" in message
    assert "401" in message


def test_plan_only_with_nothing_running() -> None:
    situation = a_deployment("256K", planOnly=True)
    assert short(situation, "Ready", "Available", "Planned", "Progressing") == {
        "Ready": "False/PlanOnly",
        "Available": "False/NotServing",
        "Planned": "True/Planned",
        "Progressing": "False/AsExpected",
    }
    assert fields(situation)["proposedPlan"]["variant"] == "31B"
    assert "plan" not in fields(situation)


def test_plan_only_on_a_running_service_proposes_and_keeps_what_runs() -> None:
    situation = a_deployment().serving().asked(contextLength="256K", planOnly=True)
    assert fields(situation)["proposedPlan"]["contextLength"] == 262144
    assert fields(situation)["plan"]["contextLength"] == 65536
    assert lines(situation)["Available"].status == "True"


def paused(situation: Situation) -> Situation:
    return replace(situation, annotations={"gemma-operator.io/paused": "true"})


def test_a_paused_service_that_runs_what_is_asked_stays_ready() -> None:
    assert short(paused(a_deployment().serving()), "Ready", "Progressing", "Stalled") == {
        "Ready": "True/Serving",
        "Progressing": "False/Paused",
        "Stalled": "False/AsExpected",
    }


def test_what_a_paused_service_would_change_is_proposed_and_not_called_ready() -> None:
    situation = paused(a_deployment().serving().asked(contextLength="256K"))
    assert short(situation, "Ready", "Available") == {"Ready": "False/Paused", "Available": "True/Serving"}
    assert fields(situation)["plan"]["contextLength"] == 65536
    assert fields(situation)["proposedPlan"]["contextLength"] == 262144
    assert "gemma-operator.io/paused is removed" in lines(situation)["Ready"].message


def test_paused_from_the_first_moment_nothing_runs_and_the_plan_is_shown() -> None:
    situation = paused(a_deployment("256K"))
    assert short(situation, "Ready", "Planned") == {"Ready": "False/Paused", "Planned": "True/Planned"}
    assert fields(situation)["proposedPlan"]["variant"] == "31B"


def test_a_refusal_of_memory_is_told_in_the_engines_words() -> None:
    situation = a_deployment().recorded().deployed(ready=0)
    words = "ValueError: Free memory on device (20.1/44.39 GiB) on startup is less than desired GPU memory utilization"
    broken = pod("engine-0", situation.digest, ready=False, termination_message=words)
    situation = replace(situation, pods=(broken,))
    assert short(situation, "Ready", "Degraded") == {
        "Ready": "False/MemoryRefused",
        "Degraded": "True/MemoryRefused",
    }
    assert "20.1/44.39 GiB" in lines(situation)["Degraded"].message
    assert "used by others" in lines(situation)["Degraded"].message


def test_a_roll_back_says_what_was_last_seen_of_the_new_plan() -> None:
    situation = a_deployment().serving().asked(contextLength="128K")
    situation = situation.recorded(failure="pod engine-7: ImagePullBackOff")
    assert short(situation, "Ready", "Available", "Degraded") == {
        "Ready": "False/RolloutTimedOut",
        "Available": "True/Serving",
        "Degraded": "True/RolloutTimedOut",
    }
    assert "ImagePullBackOff" in lines(situation)["Ready"].message


def test_a_better_plan_is_reported_and_not_taken() -> None:
    situation = a_deployment("256K", gpus(RTX_4090=1)).serving()
    richer = replace(situation, inventory=gpus(RTX_4090=1, H100_SXM=8))
    assert "planned today" not in lines(situation)["Planned"].message
    assert "planned today it would be 31B" in lines(richer)["Planned"].message
    assert fields(richer)["proposedPlan"]["variant"] == "31B"
    assert fields(richer)["plan"] == fields(situation)["plan"]


def test_foreign_edits_and_broken_catalogs_degrade_and_nothing_else() -> None:
    situation = a_deployment().serving()
    edited = short(situation, "Ready", "Degraded", verdicts=Verdicts(foreign_edit="somebody set hostNetwork"))
    assert edited == {"Ready": "True/Serving", "Degraded": "True/ForeignEdit"}
    wrong = replace(situation, catalog_problems=("ConfigMap cards: no such field",))
    assert short(wrong, "Ready", "Degraded") == {"Ready": "True/Serving", "Degraded": "True/CatalogInvalid"}


def test_explanations_stay_in_the_status_after_ready() -> None:
    status = fields(a_deployment().serving())
    assert status["alternatives"]
    assert status["rejected"]


def test_nodes_that_come_and_go_move_neither_plan_nor_explanation() -> None:
    situation = a_deployment("256K", gpus(L40S=4, RTX_4090=1)).serving()
    told = fields(situation)
    for inventory in (gpus(), gpus(RTX_4090=1), gpus(L40S=4)):
        assert fields(replace(situation, status=told, inventory=inventory)) == told


def test_another_ask_is_explained_anew() -> None:
    situation = a_deployment().serving()
    told = fields(situation)
    asked = replace(situation, status=told).asked(contextLength="256K").recorded(pinned=True)
    assert fields(asked)["rejected"] != told["rejected"]


def test_the_first_status_has_what_scaling_needs() -> None:
    status = fields(a_deployment())
    assert status["selector"] == "app.kubernetes.io/name=gemma,gemma-operator.io/deployment=assistant"
    assert status["replicas"] == 0


def test_scaling_to_nothing_is_available_and_ready() -> None:
    assert short(a_deployment(replicas=0).serving(), "Ready", "Available") == {
        "Ready": "True/Serving",
        "Available": "True/Serving",
    }


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = merged(list(lines(a_deployment()).values()), (), 1, "2026-01-01T00:00:00Z")
    after = merged(list(lines(a_deployment().serving()).values()), before, 2, "2026-02-02T00:00:00Z")
    times = {item["type"]: item["lastTransitionTime"][:7] for item in after}
    assert times["Ready"] == "2026-02"
    assert times["Planned"] == "2026-01"
    assert {item["observedGeneration"] for item in after} == {2}


def test_every_status_survives_clipping_unchanged_in_its_conditions() -> None:
    status = fields(impossible_while_serving())
    told = merged(list(lines(impossible_while_serving()).values()), (), 1, "2026-01-01T00:00:00Z")
    clipped = clip_status(status | {"conditions": told})
    assert [item["reason"] for item in clipped["conditions"]] == [item["reason"] for item in told]

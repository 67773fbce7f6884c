"""Which plan is in force: pins, inventory, refusals, roll-back, upgrades of the operator."""

from dataclasses import replace

import pytest

from gemma_operator.controller.choose import template_digest
from gemma_operator.vllm.refusal import Cause
from tests.unit.controller.situations import Situation, a_deployment, pod
from tests.unit.planning.asks import gpus

POOL_TOO_SMALL = (
    "ValueError: To serve at least one request with the models's max seq len (262144), (12.5 GiB KV cache is needed, "
    "which is larger than the available KV cache memory (11.9 GiB). Based on the available memory, the estimated "
    "maximum model length is 249000."
)
OUT_OF_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 512.00 MiB"
FOREIGN = "ValueError: Free memory on device (20.1/44.39 GiB) on startup is less than desired GPU memory utilization"


def refused_with(situation: Situation, words: str) -> Situation:
    broken = pod("engine-0", situation.digest, ready=False, termination_message=words)
    return replace(situation, pods=(broken,))


def test_the_first_plan_becomes_revision_1() -> None:
    choice = a_deployment().choice
    assert choice.record is not None
    assert (choice.revision, choice.fits, choice.pinned) == (1, True, False)


def test_before_the_first_ready_pod_a_plan_follows_the_inventory() -> None:
    situation = a_deployment("256K", gpus(RTX_4090=1)).recorded()
    moved = replace(situation, inventory=gpus(RTX_4090=1, L40S=1)).choice
    assert moved.record is not None
    assert moved.record.plan is not None
    assert moved.record.plan.variant == "31B"
    assert moved.revision == 2


def test_after_the_first_ready_pod_it_stays() -> None:
    situation = a_deployment("256K", gpus(RTX_4090=1)).recorded(pinned=True)
    stays = replace(situation, inventory=gpus(RTX_4090=1, L40S=1)).choice
    assert stays.record == situation.records[0].record
    assert stays.revision == 1


@pytest.mark.parametrize("pinned", [True, False])
def test_nodes_that_vanish_stop_nothing(pinned: bool) -> None:
    situation = a_deployment().recorded(pinned=pinned)
    bare = replace(situation, inventory=gpus()).choice
    assert bare.record == situation.records[0].record
    assert bare.fits is pinned


def test_no_plan_is_never_a_pin() -> None:
    nothing = a_deployment("256K", gpus(T4=1))
    assert nothing.choice.record is None
    assert replace(nothing, inventory=gpus(L40S=1)).choice.record is not None


def test_a_replica_count_moves_no_plan() -> None:
    situation = a_deployment().recorded(pinned=True).asked(contextLength="64K", replicas=5)
    assert situation.choice.record == situation.records[0].record


def test_a_new_context_is_a_new_plan() -> None:
    situation = a_deployment().recorded(pinned=True).asked(contextLength="128K")
    assert situation.choice.revision == 2
    assert situation.choice.record != situation.records[0].record


def test_an_annotation_renders_the_same_plan_anew() -> None:
    situation = a_deployment().recorded(pinned=True)
    changed = situation.asked(contextLength="64K", engine={"pod": {"annotations": {"team": "blue"}}}).choice
    assert changed.record is not None
    assert changed.record.plan == situation.records[0].record.plan
    assert changed.record.template != situation.records[0].record.template


def test_an_upgraded_operator_with_another_engine_image_and_scripts_restarts_nothing() -> None:
    situation = a_deployment().recorded(pinned=True)
    upgraded = replace(situation, default_image="registry.invalid/vllm:next", scripts={"startup_probe.py": "new\n"})
    assert upgraded.choice.record == situation.records[0].record


def test_an_image_that_the_user_names_is_rolled_out() -> None:
    situation = a_deployment().recorded(pinned=True)
    named = situation.asked(contextLength="64K", engine={"image": "registry.invalid/vllm:theirs"}).choice
    assert named.record is not None
    assert template_digest(named.record) != situation.digest


def test_a_pool_that_was_too_small_corrects_the_overhead_and_plans_once_more() -> None:
    situation = a_deployment("256K", gpus(L40S=1)).recorded()
    again = refused_with(situation, POOL_TOO_SMALL).choice
    assert again.refusal is not None
    assert again.refusal.cause is Cause.POOL_TOO_SMALL
    assert again.record is not None
    assert again.record.refusals == 1
    old, new = situation.records[0].record.plan, again.record.plan
    assert old is not None
    assert new is not None
    assert new.args != old.args
    [(_, inside)] = again.record.measured.inside_bytes
    assert inside == old.memory.requested_bytes - old.memory.weights_bytes - int(11.9 * 2**30)


def test_a_second_refusal_is_told_and_not_planned_again() -> None:
    once = refused_with(a_deployment("256K", gpus(L40S=1)).recorded(), POOL_TOO_SMALL).recorded()
    twice = refused_with(once, POOL_TOO_SMALL)
    assert twice.choice.refusal is not None
    assert twice.choice.revision == once.records[0].revision


def test_out_of_memory_after_sizing_leaves_more_outside_than_seemed_spare() -> None:
    situation = a_deployment("256K", gpus(L40S=1)).recorded()
    old = situation.records[0].record.plan
    again = refused_with(situation, OUT_OF_MEMORY).choice
    assert old is not None
    assert again.record is not None
    assert again.record.plan is not None
    assert again.fits
    [(_, extra)] = again.record.measured.extra_outside_bytes
    assert extra == old.memory.outside_spare_bytes + 2**29
    assert again.record.plan.launch.gpu_memory_utilization < old.launch.gpu_memory_utilization


def test_memory_that_others_use_changes_no_plan() -> None:
    situation = a_deployment().recorded()
    choice = refused_with(situation, FOREIGN).choice
    assert choice.record == situation.records[0].record
    assert choice.refusal is not None


def test_an_engine_that_failed_for_another_reason_keeps_its_plan() -> None:
    situation = a_deployment().recorded()
    choice = refused_with(situation, "OSError: no file named config.json").choice
    assert choice.record == situation.records[0].record
    assert choice.refusal is not None
    assert choice.refusal.cause is Cause.OTHER


def test_a_plan_that_did_not_start_in_time_gives_way_to_the_last_good_one() -> None:
    situation = a_deployment().recorded(pinned=True).asked(contextLength="128K").recorded(failure="no GPU")
    assert situation.choice.record == situation.records[1].record
    assert situation.choice.rolled_back == "no GPU"


def test_without_a_good_one_it_keeps_trying_and_follows_the_inventory() -> None:
    situation = a_deployment("256K", gpus(RTX_4090=1)).recorded(failure="no GPU")
    assert situation.choice.record == situation.records[0].record
    assert replace(situation, inventory=gpus(L40S=1)).choice.revision == 2


def test_a_changed_spec_tries_again_after_a_roll_back() -> None:
    situation = a_deployment().recorded(pinned=True).asked(contextLength="128K").recorded(failure="too slow")
    patient = situation.asked(contextLength="128K", rollout={"startupBudgetSeconds": 7200}).choice
    assert patient.rolled_back == ""
    assert patient.revision == 3


def test_what_a_cold_boot_showed_goes_into_the_next_record() -> None:
    situation = a_deployment().recorded(pinned=True).marked(overhead_bytes=3 * 2**30)
    nxt = situation.asked(contextLength="128K").choice
    assert nxt.record is not None
    assert [size for _, size in nxt.record.measured.inside_bytes] == [3 * 2**30]

"""What a live pool says of the overhead inside vLLM's share."""

from dataclasses import replace

from gemma_operator.controller.learned import overhead_bytes, with_overhead
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.overhead_key import key_of_plan
from gemma_operator.vllm.metrics import LivePool
from gemma_operator.vllm.profile import CPU
from tests.unit.controller.situations import Situation, a_deployment, pod
from tests.unit.planning.asks import K, decide, gpus

PLAN = a_deployment("256K", gpus(L40S=1)).recorded().records[0].record.plan
assert PLAN is not None
GIB = 2**30


def pool_with_overhead(gib: float) -> LivePool:
    assert PLAN is not None
    bytes_ = PLAN.memory.requested_bytes - PLAN.memory.weights_bytes - int(gib * GIB)
    return LivePool(bytes_ // PLAN.bytes_per_block, 1.5, int(1.5 * 256 * K))


def test_the_overhead_is_what_neither_weights_nor_pool_take() -> None:
    seen = overhead_bytes(PLAN, (pod("a", "d"),), {"uid-of-a": pool_with_overhead(2.5)})
    assert seen is not None
    assert abs(seen - 2.5 * GIB) <= PLAN.bytes_per_block


def test_the_largest_of_several_counts() -> None:
    pods = (pod("a", "d"), pod("b", "d"))
    seen = overhead_bytes(PLAN, pods, {"uid-of-a": pool_with_overhead(1.0), "uid-of-b": pool_with_overhead(2.0)})
    assert seen is not None
    assert seen > 1.9 * GIB


def test_a_restarted_engine_is_warm_and_teaches_nothing() -> None:
    assert overhead_bytes(PLAN, (pod("a", "d", restarts=1),), {"uid-of-a": pool_with_overhead(0.2)}) is None


def test_silent_engines_teach_nothing() -> None:
    assert overhead_bytes(PLAN, (pod("a", "d"),), {"uid-of-a": None}) is None


def test_a_pool_that_was_given_in_bytes_teaches_nothing() -> None:
    pools = {"uid-of-a": pool_with_overhead(2.0)}
    given = replace(PLAN, launch=replace(PLAN.launch, kv_cache_memory_bytes=GIB))
    on_cpu = replace(PLAN, launch=replace(PLAN.launch, profile=CPU))
    assert overhead_bytes(given, (pod("a", "d"),), pools) is None
    assert overhead_bytes(on_cpu, (pod("a", "d"),), pools) is None


def test_the_next_plan_of_the_same_configuration_reckons_with_it() -> None:
    known = with_overhead(MeasuredOverheads(), PLAN, "image", 3 * GIB)
    assert known.inside(key_of_plan(PLAN, "image")) == 3 * GIB
    assert known.inside(key_of_plan(PLAN, "another image")) is None
    assert with_overhead(known, PLAN, "image", 3 * GIB) == known


def test_a_large_overhead_makes_the_planner_look_elsewhere() -> None:
    situation: Situation = a_deployment("256K", gpus(L40S=1)).recorded(pinned=True)
    ask = situation.seen.ask
    key = key_of_plan(PLAN, ask.engine_image)
    heavy = MeasuredOverheads(inside_bytes=((key, 20 * GIB),))
    before = decide(ask, gpus(L40S=1)).plan
    after = situation.marked(overhead_bytes=heavy.inside(key)).choice.decision
    assert before is not None
    assert after is not None
    assert after.plan is not None
    assert after.plan.args != before.args

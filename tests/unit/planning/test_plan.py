"""What a planner must never get wrong, whatever it is asked."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_operator.catalog.precision import KVCacheDtype, Precision
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.memory.kv_cache import kv_cache_layout
from gemma_operator.planning.ask import Ask, Objective
from gemma_operator.planning.plan import plan_without_nearest
from gemma_operator.planning.snapshot import Snapshot
from tests.unit.planning.asks import CATALOG, K, decide, gpus

CARDS = ("L4", "L40S", "RTX_4090", "RTX_3090", "A100_80GB_SXM", "H100_SXM", "H200_SXM", "RTX_A6000", "RTX_5090")
asks = st.builds(
    Ask,
    context_length=st.integers(1, 256).map(lambda k: k * K),
    concurrent_requests=st.sampled_from([1, 1, 2, 8]),
    variant=st.sampled_from([None, None, "E2B", "E4B", "12B", "26B-A4B", "31B"]),
    quantization=st.sampled_from([None, None, Precision.BF16, Precision.FP8, Precision.W4A16]),
    kv_cache_dtype=st.sampled_from([None, None, KVCacheDtype.BF16]),
    objective=st.sampled_from(list(Objective)),
)
clusters = st.builds(lambda card, count: gpus(**{card: count}), st.sampled_from(CARDS), st.sampled_from([1, 2, 4]))


def fits(ask: Ask, inventory: Inventory) -> bool:
    return plan_without_nearest(Snapshot(ask, inventory, CATALOG)).plan is not None


@given(asks, clusters)
@settings(max_examples=60, deadline=None)
def test_every_plan_keeps_both_inequalities_and_its_promise(ask: Ask, inventory: Inventory) -> None:
    chosen = plan_without_nearest(Snapshot(ask, inventory, CATALOG)).plan
    if chosen is None:
        return
    assert chosen.memory.fits
    assert chosen.context_length == ask.context_length
    assert chosen.num_blocks > ask.concurrent_requests * chosen.blocks_per_request
    assert chosen.launch.max_num_seqs >= ask.concurrent_requests
    assert chosen.launch.max_num_batched_tokens >= chosen.launch.max_num_seqs
    variant = CATALOG.variant(chosen.variant)
    assert variant is not None
    layout = kv_cache_layout(variant.text, chosen.tensor_parallel_size, chosen.kv_cache_dtype, chosen.block_size)
    assert layout.bytes_per_block == chosen.bytes_per_block


@given(asks, st.sampled_from(CARDS))
@settings(max_examples=30, deadline=None)
def test_more_gpus_in_a_node_never_turn_a_fit_into_a_misfit(ask: Ask, card: str) -> None:
    if fits(ask, gpus(**{card: 1})):
        assert fits(ask, gpus(**{card: 2}))


@given(asks, clusters)
@settings(max_examples=30, deadline=None)
def test_less_context_never_turns_a_fit_into_a_misfit(ask: Ask, inventory: Inventory) -> None:
    if fits(ask, inventory) and ask.context_length > K:
        assert fits(replace(ask, context_length=ask.context_length - K), inventory)


@given(asks, clusters)
@settings(max_examples=20, deadline=None)
def test_the_same_snapshot_gives_the_same_decision(ask: Ask, inventory: Inventory) -> None:
    assert decide(ask, inventory) == decide(ask, inventory)


def test_a_checkpoint_of_another_precision_than_asked_for_is_refused() -> None:
    ask = Ask(8 * K, variant="31B", checkpoint="google/gemma-4-31B-it", quantization=Precision.FP8)
    decision = decide(ask, gpus(H200_SXM=1))
    assert decision.plan is None
    assert "model.quantization: FP8" in decision.rejected[0].message
    assert any(fit.change == "model.quantization: Auto" for fit in decision.nearest)


def test_nodes_short_of_memory_are_refused_with_the_number() -> None:
    (nodes,) = gpus(L40S=1).groups
    decision = decide(Ask(64 * K), Inventory((replace(nodes, memory_bytes=8 * 2**30),)))
    assert decision.plan is None
    assert any("8.0 GiB of memory" in rejection.message for rejection in decision.rejected)


def test_the_asks_own_requests_decide_whether_a_node_is_large_enough() -> None:
    (nodes,) = gpus(L40S=1).groups
    small = Inventory((replace(nodes, cpu_cores=8, memory_bytes=32 * 2**30),))
    assert decide(Ask(64 * K), small).plan is not None
    refused = decide(Ask(64 * K, requested_memory_bytes=40 * 2**30), small)
    assert refused.plan is None
    assert any("one replica asks for 40.0 GiB" in rejection.message for rejection in refused.rejected)
    assert any(fit.change == "engine.pod.requests left out" for fit in refused.nearest)
    assert decide(Ask(64 * K, requested_cpu_millicores=9000), small).plan is None


def test_a_request_below_what_would_be_computed_lets_a_small_node_in() -> None:
    (nodes,) = gpus(L40S=1).groups
    small = Inventory((replace(nodes, memory_bytes=8 * 2**30),))
    chosen = decide(Ask(64 * K, requested_memory_bytes=6 * 2**30), small).plan
    assert chosen is not None
    assert chosen.host.memory_bytes == 6 * 2**30


def test_every_nearest_fit_was_planned_and_fits() -> None:
    decision = decide(Ask(256 * K, variant="31B", concurrent_requests=4), gpus(L40S=1))
    assert decision.plan is None
    assert len(decision.nearest) >= 3
    assert all(fit.plan.memory.fits for fit in decision.nearest)

"""The budget of one GPU: both inequalities, and what moves them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.catalog.precision import KVCacheDtype, Precision
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.gpus.match import match_product
from gemma_operator.memory.assess import Assessment, assess
from gemma_operator.memory.kv_cache import kv_cache_fit
from gemma_operator.memory.measured import MeasuredOverheads, OverheadKey
from gemma_operator.memory.overheads import TERMS
from gemma_operator.memory.settings import EngineSettings
from tests.unit.memory.shapes import CATALOG, variant

GIB = 2**30
SETTINGS = EngineSettings(
    tensor_parallel_size=1,
    kv_cache_dtype=KVCacheDtype.FP8,
    block_size=16,
    max_num_batched_tokens=8192,
    max_num_seqs=16,
    async_scheduling=True,
    utilization=0.94,
)


def card(name: str) -> Accelerator:
    return match_product(CATALOG.products, name)


def assess_31b(accelerator: Accelerator, **changes: Any) -> Assessment:
    fp8 = next(item for item in CATALOG.checkpoints_of("31B") if item.precision is Precision.FP8)
    settings = replace(SETTINGS, **{key: changes.pop(key) for key in list(changes) if hasattr(SETTINGS, key)})
    options: dict[str, Any] = {"context_length": 131_072, "concurrent_requests": 1, "text_only": True} | changes
    return assess(variant("31B"), fp8, accelerator, settings, **options)


def test_one_request_of_128k_fits_an_h100_and_a_24_gb_card_holds_not_even_the_weights() -> None:
    assert assess_31b(card("H100-SXM")).budget.fits
    small = assess_31b(card("RTX-4090")).budget
    assert not small.fits
    assert small.kv_available_bytes < 0


def test_both_inequalities_must_hold() -> None:
    greedy = assess_31b(card("H100-SXM"), utilization=0.999).budget
    assert greedy.pool_spare_bytes > 0 > greedy.outside_spare_bytes
    assert not greedy.fits
    modest = assess_31b(card("H100-SXM"), utilization=0.5).budget
    assert modest.outside_spare_bytes > 0 > modest.pool_spare_bytes
    assert not modest.fits


@given(st.integers(1, 64), st.integers(1024, 262_144))
def test_every_further_request_needs_the_same_blocks_again(requests: int, context: int) -> None:
    one, many = (
        assess_31b(card("H100-SXM"), concurrent_requests=count, context_length=context) for count in (1, requests)
    )
    per_request = one.blocks_per_request * one.layout.bytes_per_block
    assert many.budget.kv_needed_bytes - one.budget.kv_needed_bytes == (requests - 1) * per_request


@given(st.integers(8 * GIB, 192 * GIB), st.integers(0, 16 * GIB))
def test_a_larger_card_of_the_same_kind_never_stops_fitting(total: int, more: int) -> None:
    smaller, larger = (assess_31b(replace(card("H100-SXM"), total_bytes=size)).budget for size in (total, total + more))
    assert larger.fits or not smaller.fits


@given(st.integers(1024, 262_143))
def test_a_longer_context_never_starts_to_fit(context: int) -> None:
    shorter, longer = (assess_31b(card("L40S"), context_length=length).budget for length in (context, context + 1))
    assert shorter.fits or not longer.fits


@pytest.mark.parametrize("context", [4096, 131_072, 262_144])
def test_what_the_promise_needs_is_to_the_byte_what_vllm_would_start_with(context: int) -> None:
    assessment = assess_31b(card("H100-SXM"), context_length=context)
    needed = assessment.budget.kv_needed_bytes
    just_enough, one_byte_less = (
        kv_cache_fit(assessment.layout, pool, context, SETTINGS.in_flight_tokens) for pool in (needed, needed - 1)
    )
    assert just_enough.fits
    assert not one_byte_less.fits


def test_a_promise_that_fits_is_held_by_the_planned_pool() -> None:
    for requests in range(1, 8):
        assessment = assess_31b(card("H100-SXM"), concurrent_requests=requests)
        if assessment.budget.fits:
            assert assessment.max_concurrency > requests


def test_a_measured_overhead_takes_the_place_of_the_three_estimates() -> None:
    budget = assess_31b(card("H100-SXM"), measured_inside_bytes=2 * GIB).budget
    assert (budget.persistent_bytes, budget.activation_bytes, budget.graphs_bytes) == (2 * GIB, 0, 0)


def test_what_ran_out_outside_is_added_outside() -> None:
    before, after = (assess_31b(card("H100-SXM"), extra_outside_bytes=extra).budget for extra in (0, GIB))
    assert before.outside_spare_bytes - after.outside_spare_bytes == GIB
    assert before.pool_spare_bytes == after.pool_spare_bytes


def test_media_need_more_than_text() -> None:
    text, media = (assess_31b(card("H100-SXM"), text_only=only).budget for only in (True, False))
    assert media.weights_bytes > text.weights_bytes
    assert media.activation_bytes > text.activation_bytes


def test_every_term_of_the_budget_is_explained() -> None:
    budget = assess_31b(card("H100-SXM")).budget
    explained = {term.name for term in TERMS}
    names = {name.removesuffix("_bytes") for name in type(budget).__slots__} - {"total", "requested"}
    assert {name.replace("_", "").lower() for name in names} == {name.lower() for name in explained}


def key(**changes: Any) -> OverheadKey:
    values: dict[str, Any] = {
        "checkpoint": "a/b",
        "product": "NVIDIA-L40S",
        "tensor_parallel_size": 1,
        "max_num_batched_tokens": 8192,
        "max_num_seqs": 16,
        "context_length": 131_072,
        "modalities": ("Text",),
        "kv_cache_dtype": "FP8",
        "engine_image": "vllm:1",
    }
    return OverheadKey(**(values | changes))


def test_of_several_measurements_of_one_configuration_the_largest_counts() -> None:
    measured = MeasuredOverheads(inside_bytes=((key(), 3), (key(), 5), (key(max_num_seqs=32), 9)))
    assert measured.inside(key()) == 5
    assert measured.extra_outside(key()) == 0


@pytest.mark.parametrize("change", [{"product": "NVIDIA-L4"}, {"engine_image": "vllm:2"}, {"context_length": 4096}])
def test_a_measurement_of_another_configuration_says_nothing(change: dict[str, Any]) -> None:
    assert MeasuredOverheads(inside_bytes=((key(), 3),)).inside(key(**change)) is None

"""What must hold for KV arithmetic whatever the shape; its equality with vLLM's own answers is the conformance test."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gemma_operator.catalog.architecture import TextArchitecture
from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.catalog.variant import Variant
from gemma_operator.memory.kv_cache import KVCacheLayout, kv_cache_fit, kv_cache_layout, max_feasible_model_len
from tests.unit.memory.shapes import BLOCKS, DTYPES, IN_FLIGHT, LENGTHS, POOLS, SIZES, VARIANTS, layouts, variant


@given(layouts(), LENGTHS, LENGTHS, IN_FLIGHT)
def test_a_longer_request_never_needs_less(layout: KVCacheLayout, one: int, other: int, in_flight: int) -> None:
    shorter, longer = sorted((one, other))
    assert layout.blocks_per_request(shorter, in_flight) <= layout.blocks_per_request(longer, in_flight)


@given(layouts(), LENGTHS, IN_FLIGHT, IN_FLIGHT)
def test_more_tokens_in_flight_never_need_less(layout: KVCacheLayout, length: int, one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert layout.blocks_per_request(length, fewer) <= layout.blocks_per_request(length, more)


@given(layouts(), LENGTHS, IN_FLIGHT, POOLS, POOLS)
def test_more_memory_never_turns_a_fit_into_a_misfit(
    layout: KVCacheLayout, length: int, in_flight: int, one: int, other: int
) -> None:
    smaller, larger = (kv_cache_fit(layout, pool, length, in_flight) for pool in sorted((one, other)))
    assert larger.fits or not smaller.fits
    assert (larger.max_concurrency or 0) >= (smaller.max_concurrency or 0)


@given(layouts(), LENGTHS, IN_FLIGHT, POOLS)
def test_a_pool_that_fits_holds_one_request_and_the_null_block(
    layout: KVCacheLayout, length: int, in_flight: int, pool: int
) -> None:
    fit = kv_cache_fit(layout, pool, length, in_flight)
    assert fit.fits == (fit.num_blocks >= fit.blocks_per_request + 1)
    if fit.max_concurrency is not None and fit.kv_tokens is not None:
        assert fit.max_concurrency > 1
        assert fit.kv_tokens >= length


@given(layouts(), POOLS, st.integers(1, 262_144), IN_FLIGHT, st.integers(1, 64))
def test_the_longest_feasible_length_fits_and_one_token_more_does_not(
    layout: KVCacheLayout, pool: int, longest: int, in_flight: int, requests: int
) -> None:
    def fits(length: int) -> bool:
        needed = requests * layout.blocks_per_request(length, in_flight) + 1
        return needed * layout.bytes_per_block <= pool

    found = max_feasible_model_len(layout, pool, longest, in_flight, requests)
    assert found == 0 or fits(found)
    assert found == longest or not fits(found + 1)


@given(VARIANTS, SIZES, DTYPES, BLOCKS, LENGTHS, IN_FLIGHT)
def test_two_ranks_never_need_more_each_than_one_and_never_less_than_half(
    one: Variant, size: int, dtype: KVCacheDtype, block: int, length: int, in_flight: int
) -> None:
    def need(ranks: int) -> int:
        layout = kv_cache_layout(one.text, ranks, dtype, block, hybrid=False)
        return layout.blocks_per_request(length, in_flight) * layout.bytes_per_block

    assume(size > 1)
    assert need(1) / size <= need(size) <= need(size // 2) <= need(1)


def test_ranks_share_the_heads_until_each_has_one() -> None:
    def block_bytes(name: str, ranks: int) -> int:
        return kv_cache_layout(variant(name).text, ranks, KVCacheDtype.BF16).bytes_per_block

    assert [block_bytes("31B", 1) // block_bytes("31B", ranks) for ranks in (1, 2, 4, 8)] == [1, 2, 4, 8]
    assert len({block_bytes("E2B", ranks) for ranks in (1, 2, 4, 8)}) == 1


@given(VARIANTS, SIZES, BLOCKS)
def test_fp8_halves_every_block(one: Variant, size: int, block: int) -> None:
    bf16, fp8 = (kv_cache_layout(one.text, size, dtype, block) for dtype in (KVCacheDtype.BF16, KVCacheDtype.FP8))
    assert fp8.bytes_per_block * 2 == bf16.bytes_per_block
    assert fp8.blocks_per_request(100_000, 2048) == bf16.blocks_per_request(100_000, 2048)


@given(VARIANTS, SIZES, DTYPES, BLOCKS)
def test_every_layer_with_a_cache_has_its_place_in_a_group(
    one: Variant, size: int, dtype: KVCacheDtype, block: int
) -> None:
    layout = kv_cache_layout(one.text, size, dtype, block)
    assert layout.full_groups * layout.group_size >= one.text.full_layers_with_cache
    assert layout.sliding_groups * layout.group_size >= one.text.sliding_layers_with_cache
    groups = layout.full_groups + layout.sliding_groups
    assert groups * layout.group_size >= one.text.layers_with_own_cache


@given(layouts(), LENGTHS, IN_FLIGHT)
def test_beyond_the_window_a_sliding_layer_holds_no_more(layout: KVCacheLayout, length: int, in_flight: int) -> None:
    assume(layout.sliding_groups)
    beyond = layout.sliding_window + in_flight + length
    grown = layout.blocks_per_request(beyond + layout.full_block_size, in_flight)
    assert grown - layout.blocks_per_request(beyond, in_flight) == layout.full_groups


@pytest.mark.parametrize("pool", [-(2**30), 0])
def test_a_pool_without_memory_fits_nothing(pool: int) -> None:
    fit = kv_cache_fit(kv_cache_layout(variant("E2B").text, 1, KVCacheDtype.FP8), pool, 1, 1)
    assert (fit.fits, fit.num_blocks, fit.max_concurrency, fit.kv_tokens) == (False, 0, None, None)


def test_pages_that_can_not_be_made_equal_are_refused() -> None:
    text: TextArchitecture = variant("31B").text
    odd = {name: getattr(text, name) for name in TextArchitecture.__slots__} | {"global_head_dim": 384}
    with pytest.raises(ValueError, match="bytes can't be made equal"):
        kv_cache_layout(TextArchitecture(**odd), 1, KVCacheDtype.BF16)

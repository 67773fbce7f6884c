"""Weight bytes of one rank, by what is known of a checkpoint."""

from dataclasses import replace

import pytest
from hypothesis import given

from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.memory.weights import (
    checkpoint_bytes_per_rank,
    text_buffer_bytes_per_rank,
    text_param_bytes_per_rank,
)
from tests.unit.memory.shapes import CATALOG, SIZES, VARIANTS, variant

PAIRS = [(one, checkpoint) for one in CATALOG.variants for checkpoint in CATALOG.checkpoints_of(one.id)]


def checkpoint(variant_id: str, precision: Precision) -> Checkpoint:
    return next(item for item in CATALOG.checkpoints_of(variant_id) if item.precision is precision)


@given(VARIANTS, SIZES)
def test_ranks_hold_at_least_their_share_and_never_more_than_the_whole(one: Variant, size: int) -> None:
    whole, share = text_param_bytes_per_rank(one.text, 1), text_param_bytes_per_rank(one.text, size)
    assert whole / size <= share <= whole


@pytest.mark.parametrize(("one", "item"), PAIRS, ids=lambda value: value.id)
def test_more_ranks_never_hold_more_each(one: Variant, item: Checkpoint) -> None:
    sizes = [checkpoint_bytes_per_rank(one, item, ranks, text_only=True) for ranks in (1, 2, 4, 8)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > text_buffer_bytes_per_rank(one.text)


@pytest.mark.parametrize(("one", "item"), PAIRS, ids=lambda value: value.id)
def test_towers_are_whole_on_every_rank_that_serves_media(one: Variant, item: Checkpoint) -> None:
    for ranks in (1, 4):
        media, text = (checkpoint_bytes_per_rank(one, item, ranks, text_only=only) for only in (False, True))
        assert media - text == one.tower_bytes


@pytest.mark.parametrize(("one", "item"), PAIRS, ids=lambda value: value.id)
def test_no_checkpoint_is_larger_than_bf16(one: Variant, item: Checkpoint) -> None:
    whole = text_param_bytes_per_rank(one.text, 1) + text_buffer_bytes_per_rank(one.text)
    assert checkpoint_bytes_per_rank(one, item, 1, text_only=True) <= whole


@pytest.mark.parametrize("name", ["31B", "26B-A4B", "12B", "E4B", "E2B"])
def test_the_tensors_of_bf16_and_its_file_agree_within_a_hundredth(name: str) -> None:
    one, bf16 = variant(name), checkpoint(name, Precision.BF16)
    assert bf16.file_bytes is not None
    loaded = checkpoint_bytes_per_rank(one, bf16, 1, text_only=False) - text_buffer_bytes_per_rank(one.text)
    assert loaded == pytest.approx(bf16.file_bytes, rel=0.01)


def test_a_loaded_size_is_taken_as_it_is_on_one_rank() -> None:
    one, w4a16 = variant("E2B"), checkpoint("E2B", Precision.W4A16)
    assert w4a16.loaded_bytes is not None
    assert checkpoint_bytes_per_rank(one, w4a16, 1, text_only=False) == w4a16.loaded_bytes


def test_a_loaded_size_is_preferred_to_the_file() -> None:
    one, fp8 = variant("31B"), checkpoint("31B", Precision.FP8)
    measured = replace(fp8, loaded_bytes=30 * 2**30)
    assert checkpoint_bytes_per_rank(one, measured, 1, text_only=False) == 30 * 2**30
    assert checkpoint_bytes_per_rank(one, fp8, 1, text_only=False) > 30 * 2**30


def test_a_file_holds_no_rotary_tables() -> None:
    one, fp8 = variant("31B"), checkpoint("31B", Precision.FP8)
    loaded = checkpoint_bytes_per_rank(one, fp8, 1, text_only=False)
    assert loaded == (fp8.file_bytes or 0) + text_buffer_bytes_per_rank(one.text)

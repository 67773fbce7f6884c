"""The catalog that ships is whole: every checkpoint can be planned, every product has a total."""

import pytest

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.precision import Modality, Precision
from gemma_operator.catalog.variant import Checkpoint, Variant

CATALOG = builtin_catalog()


def variant_of(checkpoint: Checkpoint) -> Variant:
    variant = CATALOG.variant(checkpoint.variant)
    assert variant is not None
    return variant


@pytest.mark.parametrize("checkpoint", CATALOG.checkpoints, ids=lambda checkpoint: checkpoint.id)
def test_every_published_checkpoint_can_be_sized(checkpoint: Checkpoint) -> None:
    assert checkpoint.precision in Precision
    assert checkpoint.file_bytes or checkpoint.loaded_bytes
    assert checkpoint.disk_bytes > variant_of(checkpoint).tower_bytes
    assert checkpoint.size_status in {"exact", "computed", "reported", "estimate"}


def test_quality_falls_in_the_order_of_the_variants_and_precisions() -> None:
    assert [variant.id for variant in CATALOG.variants] == ["31B", "26B-A4B", "12B", "E4B", "E2B"]
    ranks = [precision.rank for precision in Precision]
    assert ranks == sorted(ranks)
    assert Precision.NVFP4.rank == Precision.W4A16.rank


def test_contexts_and_inputs_are_those_of_the_family() -> None:
    contexts = {variant.id: variant.max_context_tokens for variant in CATALOG.variants}
    assert contexts == {"31B": 262144, "26B-A4B": 262144, "12B": 262144, "E4B": 131072, "E2B": 131072}
    hearing = {variant.id for variant in CATALOG.variants if Modality.AUDIO in variant.modalities}
    assert hearing == {"12B", "E4B", "E2B"}


def test_each_variant_has_google_bf16_weights_whose_file_is_the_text_tower_and_more() -> None:
    for variant in CATALOG.variants:
        bf16 = [item for item in CATALOG.checkpoints_of(variant.id) if item.precision is Precision.BF16]
        assert [item.publisher for item in bf16] == ["Google"], variant.id


def test_cuda_always_shows_less_than_the_label() -> None:
    pairs = [
        (product.id, state.label_memory_mib * 2**20, state.total_bytes)
        for product in CATALOG.products
        for state in product.memory_states
        if state.label_memory_mib is not None
    ]
    assert len(pairs) > 40
    assert [pair for pair in pairs if not 0.9 * pair[1] < pair[2] < pair[1]] == []


def test_ids_labels_and_left_out_checkpoints_are_unambiguous() -> None:
    ids = [product.id for product in CATALOG.products]
    assert len(set(ids)) == len(ids)
    offered = {checkpoint.id for checkpoint in CATALOG.checkpoints}
    assert [entry.id for entry in CATALOG.left_out if entry.id in offered] == []
    assert [entry.id for entry in CATALOG.left_out if not entry.reason] == []


def test_a_label_and_a_memory_size_mean_one_product() -> None:
    seen: dict[tuple[str, int | None], str] = {}
    for product in CATALOG.products:
        for label in product.labels:
            for state in product.memory_states:
                key = (label.removeprefix("NVIDIA-"), state.label_memory_mib)
                assert seen.setdefault(key, product.id) == product.id, key

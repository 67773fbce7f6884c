"""What a node's product label is worth."""

import pytest

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.gpus.match import (
    UnusableProductError,
    estimated_total_bytes,
    match_label,
    match_product,
    memory_states,
)

PRODUCTS = builtin_catalog().products
GIB = 2**30
ECC = [(product, state) for product in PRODUCTS for state in product.memory_states if len(product.memory_states) > 1]


def test_the_memory_label_decides_between_the_states_of_one_product() -> None:
    assert len(ECC) > 10
    for product, state in ECC:
        if product.vendor == "nvidia":
            accelerator = match_label(PRODUCTS, product.labels[0], state.label_memory_mib, None)
            assert (accelerator.id, accelerator.total_bytes) == (product.id, state.total_bytes), product.id


def test_a_card_with_ecc_has_less_memory_than_one_without() -> None:
    a10 = {mib: match_label(PRODUCTS, "NVIDIA-A10", mib, None).total_bytes for mib in (23028, 24564)}
    assert a10[23028] < a10[24564]


def test_all_states_of_a_product_label_are_known() -> None:
    states = memory_states(PRODUCTS, match_label(PRODUCTS, "NVIDIA-RTX-A6000", 49140, None))
    assert [state.label_memory_mib for state in states] == [49140, 46068]
    assert {state.id for state in memory_states(PRODUCTS, match_label(PRODUCTS, "NVIDIA-H100", 97871, None))} == {
        "H100-SXM-64GB", "H100-SXM-94GB", "H100-SXM-96GB"
    }  # fmt: skip


@pytest.mark.parametrize("label", ["NVIDIA-L40S", "L40S"])
def test_labels_of_old_drivers_lack_the_vendor(label: str) -> None:
    accelerator = match_label(PRODUCTS, label, 46068, None)
    assert accelerator.id == "L40S"
    assert accelerator.product == label


def test_a_known_product_with_unknown_memory_is_estimated_and_says_so() -> None:
    accelerator = match_label(PRODUCTS, "NVIDIA-L40S", 47000, None)
    assert accelerator.id == "L40S"
    assert accelerator.total_status == "estimate"
    assert accelerator.total_bytes == estimated_total_bytes(47000) < 47000 * 2**20


def test_a_known_product_without_a_memory_label_is_in_its_usual_state() -> None:
    usual = next(product for product in PRODUCTS if product.id == "L40S").memory_states[0]
    assert match_label(PRODUCTS, "NVIDIA-L40S", None, None).total_bytes == usual.total_bytes


def test_an_unknown_product_is_estimated_from_its_labels() -> None:
    accelerator = match_label(PRODUCTS, "NVIDIA-X1000", 100_000, (12, 1))
    assert (accelerator.id, accelerator.compute_capability) == ("NVIDIA-X1000", (12, 1))
    assert accelerator.total_status == "estimate"
    assert accelerator.total_bytes == int(0.994 * 100_000 - 500) * 2**20
    assert not accelerator.nvlink


def test_the_estimate_is_above_what_cuda_shows_for_one_exact_pair_at_most() -> None:
    exact = [
        (product.id, state.label_memory_mib)
        for product in PRODUCTS
        for state in product.memory_states
        if state.status == "exact" and state.label_memory_mib and product.vendor == "nvidia"
        if estimated_total_bytes(state.label_memory_mib) > state.total_bytes
    ]
    assert len(exact) <= 1, exact


@pytest.mark.parametrize(
    ("label", "memory_mib", "capability", "message"),
    [
        ("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb", 40192, (8, 0), "is a MIG slice, not a whole GPU"),
        ("NVIDIA-L40S-SHARED", 46068, (8, 9), "is time-shared"),
        ("NVIDIA-X1000", None, (12, 1), "the node has no memory label"),
        ("NVIDIA-X1000", 100_000, None, "the node has no compute capability labels"),
    ],
)
def test_what_is_no_whole_known_gpu_is_refused(
    label: str, memory_mib: int | None, capability: tuple[int, int] | None, message: str
) -> None:
    with pytest.raises(UnusableProductError, match=message) as refused:
        match_label(PRODUCTS, label, memory_mib, capability)
    assert label in str(refused.value)


def test_a_card_of_another_vendor_is_refused_as_such() -> None:
    other = [product for product in PRODUCTS if product.vendor != "nvidia"]
    assert other
    with pytest.raises(UnusableProductError, match="not an NVIDIA GPU"):
        match_product(PRODUCTS, other[0].id)


def test_a_product_is_named_by_id_or_label() -> None:
    by_label = match_product(PRODUCTS, "NVIDIA-H100-80GB-HBM3")
    assert match_product(PRODUCTS, by_label.id) == by_label
    assert 79 * GIB < by_label.total_bytes < 80 * GIB


def test_a_misspelt_product_is_answered_with_near_names() -> None:
    with pytest.raises(UnusableProductError, match=r"near names are .*H100"):
        match_product(PRODUCTS, "H100-SMX")

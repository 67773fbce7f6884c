"""Whose step times a plan gets, and that stand-ins are named."""

import pytest

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.simulation.step_times import MEASURED, Estimate, estimate

CATALOG = builtin_catalog()


def planned(variant: str, quantization: str, product: str) -> Plan:
    inventory = Inventory((GpuNodes(match_product(CATALOG.products, product), 8, 4),))
    ask = Ask(8192, variant=variant, quantization=quantization, accelerators=(product,))  # type: ignore[arg-type]
    decision = plan(Snapshot(ask, inventory, CATALOG))
    assert decision.plan is not None
    return decision.plan


def times(variant: str, quantization: str, product: str) -> Estimate:
    mixture = variant == "26B-A4B"
    return estimate(planned(variant, quantization, product), CATALOG.products, mixture)


def test_every_measured_card_is_in_the_product_table() -> None:
    assert {row.product for row in MEASURED} <= {product.id for product in CATALOG.products}


def test_a_measured_engine_is_taken_as_it_is_and_its_stand_in_named() -> None:
    found = times("31B", "FP8", "H100-SXM")
    assert found.costs.base_ms == 15.61
    assert found.source == "a dense 32B FP8 on H100-SXM, standing in for 31B (kernel tables, fit within 1.0%)"


def test_a_measured_mixture_of_experts_stands_for_itself() -> None:
    found = times("26B-A4B", "BF16", "H100-SXM")
    assert found.costs.moe_ms == 14.30
    assert "standing in" not in found.source


def test_another_card_is_scaled_and_called_an_estimate() -> None:
    found, known = times("31B", "FP8", "H200-SXM"), times("31B", "FP8", "H100-SXM")
    assert found.source.endswith("an estimate")
    assert found.costs.base_ms < known.costs.base_ms
    assert found.costs.per_prompt_token_ms == pytest.approx(known.costs.per_prompt_token_ms, rel=0.15)


def test_a_smaller_model_steps_faster() -> None:
    assert times("12B", "BF16", "H100-SXM").costs.base_ms < 0.6 * times("31B", "BF16", "H100-SXM").costs.base_ms

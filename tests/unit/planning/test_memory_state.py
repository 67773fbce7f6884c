"""One product label, several memory states: a plan for the larger never lands on the smaller."""

from dataclasses import replace

from gemma_operator.catalog.precision import Precision
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_label
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from tests.unit.planning.asks import CATALOG, K, decide

ECC_OFF_MIB, ECC_ON_MIB = 49140, 46068
LARGE = Ask(256 * K, variant="31B", quantization=Precision.W4A16)


def planned(ask: Ask, *labels_mib: int, product: str = "NVIDIA-RTX-A6000") -> Plan:
    cards = [match_label(CATALOG.products, product, mib, None) for mib in labels_mib]
    chosen = decide(ask, Inventory(tuple(GpuNodes(card, 1, 1) for card in cards))).plan
    assert chosen is not None
    return chosen


def test_a_plan_that_needs_the_larger_state_keeps_off_the_smaller() -> None:
    plan = planned(LARGE, ECC_OFF_MIB, ECC_ON_MIB)
    assert plan.accelerator.label_memory_mib == ECC_OFF_MIB
    assert plan.label_memory_above_mib is not None
    assert ECC_ON_MIB + 1000 < plan.label_memory_above_mib < ECC_OFF_MIB - 1000
    assert any("47,604 MiB" in reason for reason in plan.reasons)


def test_the_bound_does_not_depend_on_which_nodes_are_there_today() -> None:
    assert planned(LARGE, ECC_OFF_MIB).label_memory_above_mib == 47604


def test_a_plan_that_fits_both_states_may_run_on_both() -> None:
    assert planned(Ask(8 * K, variant="E2B"), ECC_OFF_MIB).label_memory_above_mib is None


def test_a_plan_for_the_smaller_state_may_run_on_the_larger() -> None:
    assert planned(Ask(32 * K), ECC_ON_MIB).label_memory_above_mib is None


def test_a_label_that_is_not_in_the_table_is_told_from_a_smaller_state_too() -> None:
    plan = planned(LARGE, ECC_OFF_MIB + 12)
    assert plan.label_memory_above_mib == (ECC_ON_MIB + ECC_OFF_MIB) // 2


def test_a_node_without_a_memory_label_bounds_nothing() -> None:
    card = match_label(CATALOG.products, "NVIDIA-RTX-A6000", None, None)
    chosen = decide(LARGE, Inventory((GpuNodes(replace(card, label_memory_mib=None), 1, 1),))).plan
    assert chosen is not None
    assert chosen.label_memory_above_mib is None

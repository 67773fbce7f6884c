"""Builders for planner tests: asks and clusters in one line each."""

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot

CATALOG = builtin_catalog()
K = 1024


def gpus(**counts: int | tuple[int, int]) -> Inventory:
    """``gpus(L40S=4, H100_SXM=(8, 2))``: GPUs per node, and nodes. Underscores stand for dashes."""
    groups = []
    for name, count in counts.items():
        per_node, nodes = count if isinstance(count, tuple) else (count, 1)
        groups.append(GpuNodes(match_product(CATALOG.products, name.replace("_", "-")), per_node, nodes))
    return Inventory(tuple(groups))


def decide(ask: Ask, inventory: Inventory) -> Decision:
    """The planner's answer with the built-in catalog."""
    return plan(Snapshot(ask, inventory, CATALOG))

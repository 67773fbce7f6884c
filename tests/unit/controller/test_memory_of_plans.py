"""What is remembered between two passes is found again only where nothing that it depends on has changed."""

from dataclasses import replace
from typing import Any

import pytest

from e2e.cluster.nodes import simulated_gpu_nodes
from gemma_operator.api.v1alpha1.engine import Accelerators
from gemma_operator.controller.cluster_source import ClusterFacts, gpu_node
from gemma_operator.controller.decisions import Decisions
from gemma_operator.controller.inventories import MOST_INVENTORIES, Inventories
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.overhead_key import key_of_plan
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot
from tests.unit.planning.asks import CATALOG, K, gpus


def picture(used: dict[str, int] | None) -> ClusterFacts:
    """Two nodes with four L40S each, one of them reserved for a team."""
    nodes: list[dict[str, Any]] = list(simulated_gpu_nodes("n", "NVIDIA-L40S", 46068, "8.9", 4, 2))
    for node in nodes:
        node["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    nodes[1]["metadata"]["labels"]["team"] = "blue"
    return ClusterFacts.of(tuple(kept for node in nodes if (kept := gpu_node(node))), used)


def lets_in(**selector: str) -> Accelerators:
    return Accelerators.model_validate({"nodeSelector": selector})


def test_a_picture_knows_what_is_free() -> None:
    assert picture({"n-0": 3}).free_gpus == {"n-0": 1, "n-1": 4}
    assert picture(None).free_gpus is None
    assert picture(None).node_products == {"n-0": "NVIDIA-L40S", "n-1": "NVIDIA-L40S"}
    assert picture(None).node_memory_mib == {"n-0": 46068, "n-1": 46068}


def test_the_same_picture_gives_the_same_inventory() -> None:
    inventories, facts = Inventories(), picture({})
    first = inventories.of(facts, CATALOG, lets_in())
    assert inventories.of(facts, CATALOG, lets_in()) is first
    assert first.groups[0].nodes == 2


def test_another_selector_has_an_inventory_of_its_own() -> None:
    inventories, facts = Inventories(), picture({})
    assert inventories.of(facts, CATALOG, lets_in(team="blue")).groups[0].nodes == 1
    assert inventories.of(facts, CATALOG, lets_in()).groups[0].nodes == 2


@pytest.mark.parametrize("changed", ["nodes", "catalog"])
def test_new_nodes_or_a_new_catalog_forget_all(changed: str) -> None:
    inventories, facts = Inventories(), picture({})
    first = inventories.of(facts, CATALOG, lets_in())
    other_facts = picture({}) if changed == "nodes" else facts
    other_catalog = replace(CATALOG) if changed == "catalog" else CATALOG
    assert inventories.of(other_facts, other_catalog, lets_in()) is not first


def test_gpus_that_are_taken_move_no_inventory() -> None:
    inventories, facts = Inventories(), picture({})
    first = inventories.of(facts, CATALOG, lets_in())
    busy = ClusterFacts.of(facts.nodes, {"n-0": 4})
    assert inventories.of(busy, CATALOG, lets_in()) is first


def test_many_selectors_do_not_fill_the_memory() -> None:
    inventories, facts = Inventories(), picture({})
    first = inventories.of(facts, CATALOG, lets_in(team="0"))
    for number in range(MOST_INVENTORIES):
        inventories.of(facts, CATALOG, lets_in(team=str(number + 1)))
    assert inventories.of(facts, CATALOG, lets_in(team="0")) is not first


class CountingPlanner:
    """The real planner, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, snapshot: Snapshot) -> Decision:
        self.times += 1
        return plan(snapshot)


INVENTORY = gpus(L40S=1)
SNAPSHOT = Snapshot(Ask(64 * K), INVENTORY, CATALOG)


def test_the_same_snapshot_is_planned_once() -> None:
    planner = CountingPlanner()
    decide = Decisions(planner)
    assert decide(SNAPSHOT) is decide(replace(SNAPSHOT))
    assert planner.times == 1


def measured() -> MeasuredOverheads:
    found = plan(SNAPSHOT).plan
    assert found is not None
    return MeasuredOverheads(inside_bytes=((key_of_plan(found, "image"), 1),))


@pytest.mark.parametrize(
    "changed",
    [
        replace(SNAPSHOT, ask=Ask(32 * K)),
        replace(SNAPSHOT, inventory=gpus(L40S=2)),
        replace(SNAPSHOT, catalog=replace(CATALOG)),
        replace(SNAPSHOT, measured=measured()),
    ],
    ids=["ask", "inventory", "catalog", "measured"],
)
def test_any_change_is_planned_anew(changed: Snapshot) -> None:
    planner = CountingPlanner()
    decide = Decisions(planner)
    decide(SNAPSHOT)
    decide(changed)
    assert planner.times == 2


def test_old_decisions_make_room() -> None:
    planner = CountingPlanner()
    decide = Decisions(planner, most=3)
    for length in (16, 17, 18, 19):
        decide(replace(SNAPSHOT, ask=Ask(length * K)))
    decide(replace(SNAPSHOT, ask=Ask(19 * K)))
    assert planner.times == 4
    decide(replace(SNAPSHOT, ask=Ask(16 * K)))
    assert planner.times == 5

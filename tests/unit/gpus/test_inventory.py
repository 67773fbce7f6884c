"""What is left of the GPUs beside replicas."""

from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.gpus.inventory import GpuNodes, Inventory
from tests.unit.planning.asks import gpus

L40S = gpus(L40S=4).groups[0].accelerator


def inventory(*shapes: tuple[int, int]) -> Inventory:
    return Inventory(tuple(GpuNodes(L40S, count, nodes) for count, nodes in shapes))


def shapes(found: Inventory) -> list[tuple[int, int]]:
    return [(group.gpus_per_node, group.nodes) for group in found.groups]


def test_a_replica_makes_its_node_a_smaller_one() -> None:
    assert shapes(inventory((4, 2)).less(L40S, 1, 1)) == [(4, 1), (3, 1)]
    assert shapes(inventory((4, 1)).less(L40S, 1, 4)) == []


def test_the_fullest_node_that_has_room_is_taken() -> None:
    assert shapes(inventory((8, 1), (2, 1)).less(L40S, 2, 1)) == [(8, 1)]


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(1, 4)), max_size=4), st.integers(0, 9), st.integers(1, 8))
def test_no_more_is_taken_than_asked_and_whole_replicas_only(
    nodes: list[tuple[int, int]], replicas: int, size: int
) -> None:
    before = inventory(*nodes)
    after = before.less(L40S, replicas, size)
    taken = sum(group.capacity_gpus for group in before.groups) - sum(group.capacity_gpus for group in after.groups)
    placed = min(replicas, sum(group.replicas(size) for group in before.groups))
    assert taken == placed * size

"""What GPUs the cluster has: groups of equal nodes.

Capacity and free GPUs are different numbers: a plan is made from capacity, and what is free now is said beside
it. ``free_gpus`` is ``None`` when nobody may list pods.
"""

from dataclasses import dataclass, replace

from gemma_operator.gpus.accelerator import Accelerator


@dataclass(frozen=True, slots=True)
class GpuNodes:
    """Nodes of one product and one GPU count. Host figures are the smallest allocatable of the group, in bytes."""

    accelerator: Accelerator
    gpus_per_node: int
    nodes: int
    free_gpus: tuple[int, ...] | None = None
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    ephemeral_storage_bytes: int | None = None

    @property
    def capacity_gpus(self) -> int:
        """All GPUs of the group."""
        return self.gpus_per_node * self.nodes

    def replicas(self, gpus_per_replica: int) -> int:
        """How many replicas of that size the group holds, one replica within one node."""
        return self.nodes * (self.gpus_per_node // gpus_per_replica)


@dataclass(frozen=True, slots=True)
class UnusableNodes:
    """Nodes with GPUs that no plan may use, and why."""

    nodes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All GPU nodes of a cluster, grouped, in a stable order."""

    groups: tuple[GpuNodes, ...]
    unusable: tuple[UnusableNodes, ...] = ()

    def less(self, accelerator: Accelerator, replicas: int, gpus_per_replica: int) -> "Inventory":
        """What is left beside so many replicas: each on the fullest node that still has its GPUs.

        Replicas that find no place take nothing. A node with fewer GPUs left is a smaller node.
        """
        groups = list(self.groups)
        for _ in range(replicas):
            places = [group for group in groups if group.accelerator == accelerator]
            fitting = [group for group in places if group.gpus_per_node >= gpus_per_replica]
            if not fitting:
                break
            place = min(fitting, key=lambda group: group.gpus_per_node)
            at = groups.index(place)
            left = replace(place, gpus_per_node=place.gpus_per_node - gpus_per_replica, nodes=1, free_gpus=None)
            others = replace(place, nodes=place.nodes - 1, free_gpus=None)
            groups[at : at + 1] = [group for group in (others, left) if group.nodes and group.gpus_per_node]
        return replace(self, groups=tuple(groups))

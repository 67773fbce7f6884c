"""Inventories of the cluster, made once for each picture of it.

Reading a thousand nodes takes longer than planning on them, and most GemmaDeployments let in the same ones. Called
by ``observe``; the same inventory object comes back as long as nodes and products are the same. Free GPUs are left out:
a plan is made from capacity, and what is free now changes all the time.
"""

from gemma_operator.api.v1alpha1.engine import Accelerators
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.controller.cluster_source import ClusterFacts
from gemma_operator.gpus.feature_discovery import read_nodes
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.kube.resources import JsonObject

MOST_INVENTORIES = 64
"""Different node selectors and tolerations that are kept at the same time."""


class Inventories:
    """Remembers the inventories of one picture of the cluster, by what a spec lets in."""

    def __init__(self) -> None:
        self._made_from: tuple[tuple[JsonObject, ...], Catalog] | None = None
        self._made: dict[str, Inventory] = {}

    def of(self, facts: ClusterFacts, catalog: Catalog, accelerators: Accelerators) -> Inventory:
        """The inventory of the nodes that ``accelerators`` selects and tolerates."""
        made_from = self._made_from
        if made_from is None or made_from[0] is not facts.nodes or made_from[1] is not catalog:
            self._made_from, self._made = (facts.nodes, catalog), {}
        key = accelerators.model_dump_json(include={"node_selector", "tolerations"})
        if key not in self._made:
            if len(self._made) >= MOST_INVENTORIES:
                self._made.pop(next(iter(self._made)))
            self._made[key] = read_nodes(
                facts.nodes,
                catalog.products,
                node_selector=accelerators.node_selector,
                tolerations=[toleration.model_dump(exclude_none=True) for toleration in accelerators.tolerations],
            )
        return self._made[key]

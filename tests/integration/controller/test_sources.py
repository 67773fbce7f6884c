"""What is remembered of the cluster and of the catalog, and when it is read again; on the real API server."""

import asyncio

import pytest

from e2e.cluster import Cluster
from gemma_operator.api.labels import CATALOG_LABEL
from gemma_operator.controller.catalog_source import CatalogSource
from gemma_operator.controller.cluster_source import BURST_SECONDS, ClusterSource
from gemma_operator.kube.resources import NODES, PODS
from tests.integration.faults.bench import workbench
from tests.integration.faults.proxy import Answer, Fault, FaultProxy, Forward, Request, fault_proxy

pytestmark = pytest.mark.integration
CARD = """
products:
  - id: {card}
    labels: [{card}]
    computeCapability: "9.0"
    memoryStates: [{{cudaTotalGib: 100}}]
"""


class During(Fault):
    """Calls something while the server answers a list of that path."""

    def __init__(self, path: str) -> None:
        self.call = lambda: None
        self._path = path

    async def answer(self, request: Request, forward: Forward) -> Answer:
        answer = await forward()
        if request.path == self._path:
            self.call()
        return answer


def lists(proxy: FaultProxy, path: str) -> int:
    return sum(request.path == path for request in proxy.requests)


async def test_many_workers_read_the_cluster_once(crd_installed: Cluster) -> None:
    async with fault_proxy(crd_installed) as proxy, workbench(crd_installed, proxy.address) as bench:
        source = ClusterSource(bench.client)
        await asyncio.gather(*(source.current() for _ in range(8)))
        assert lists(proxy, NODES.path()) == 1
        assert lists(proxy, PODS.path()) >= 1
        pages_of_pods = lists(proxy, PODS.path())
        await source.current()
        assert lists(proxy, PODS.path()) == pages_of_pods


async def test_a_burst_of_changes_is_read_once_and_its_end_is_not_missed(crd_installed: Cluster) -> None:
    async with fault_proxy(crd_installed) as proxy, workbench(crd_installed, proxy.address) as bench:
        source = ClusterSource(bench.client)
        proxy.fault = during = During(NODES.path())
        during.call = source.forget_nodes
        for _ in range(3):
            await source.current()
            source.forget_nodes()
        assert lists(proxy, NODES.path()) == 1
        during.call = lambda: None
        await asyncio.sleep(BURST_SECONDS)
        await source.current()
        assert lists(proxy, NODES.path()) == 2
        await asyncio.sleep(BURST_SECONDS)
        await source.current()
        assert lists(proxy, NODES.path()) == 2


async def test_the_newest_picture_was_read_after_the_question_and_serves_all_who_asked(crd_installed: Cluster) -> None:
    async with fault_proxy(crd_installed) as proxy, workbench(crd_installed, proxy.address) as bench:
        source = ClusterSource(bench.client)
        await source.current()
        await asyncio.gather(*(source.newest() for _ in range(8)))
        assert lists(proxy, NODES.path()) == 2
        await source.newest()
        assert lists(proxy, NODES.path()) == 3
        assert lists(proxy, PODS.path()) >= 3


async def test_nodes_that_change_while_pods_are_counted_do_no_harm(crd_installed: Cluster) -> None:
    async with fault_proxy(crd_installed) as proxy, workbench(crd_installed, proxy.address) as bench:
        source = ClusterSource(bench.client)
        proxy.fault = during = During(PODS.path())
        during.call = source.forget_nodes
        assert (await source.current()).nodes is not None


def write_card(cluster: Cluster, namespace: str, text: str) -> None:
    metadata = {"name": "cards", "namespace": namespace, "labels": {CATALOG_LABEL: "products"}}
    cluster.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"products.yaml": text}}])


async def test_a_broken_config_map_keeps_the_last_good_one_and_says_so(crd_installed: Cluster, namespace: str) -> None:
    async with workbench(crd_installed) as bench:
        source = CatalogSource(bench.client, namespace)
        write_card(crd_installed, namespace, CARD.format(card="New-Card"))
        good = await source.current()
        assert good.problems == ()
        assert "New-Card" in {product.id for product in good.catalog.products}
        write_card(crd_installed, namespace, "products: [{id: 7, colour: red}]")
        assert await source.refresh()
        broken = await source.current()
        assert "New-Card" in {product.id for product in broken.catalog.products}
        [problem] = broken.problems
        assert "ConfigMap cards, key products.yaml" in problem
        crd_installed.kubectl("-n", namespace, "delete", "configmap", "cards")
        assert await source.refresh()
        gone = await source.current()
        assert gone.problems == ()
        assert "New-Card" not in {product.id for product in gone.catalog.products}


async def test_config_maps_that_say_the_same_are_no_change(crd_installed: Cluster, namespace: str) -> None:
    async with workbench(crd_installed) as bench:
        source = CatalogSource(bench.client, namespace)
        write_card(crd_installed, namespace, CARD.format(card="New-Card"))
        assert await source.refresh()
        crd_installed.kubectl("-n", namespace, "annotate", "configmap", "cards", "looked-at=yes")
        assert not await source.refresh()

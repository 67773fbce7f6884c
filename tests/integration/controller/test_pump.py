"""kopf as event pump on a real API server: what it says, what it keeps to itself, and that it can be stopped."""

import asyncio
import json
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from e2e.cluster import Cluster
from gemma_operator.api.labels import DEPLOYMENT_LABEL
from gemma_operator.controller.inbox import Inbox
from gemma_operator.controller.pump import Pump
from gemma_operator.controller.queue import Key, WorkQueue
from gemma_operator.controller.watches import Scope, permitted_watches
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import Credentials, credentials_of, load_configuration
from gemma_operator.kube.election import LeaseName
from gemma_operator.kube.resources import DEPLOYMENTS, GEMMA_DEPLOYMENTS, LEASES, NODES, PODS
from gemma_operator.telemetry.metrics import Metrics
from tests.integration.kube.objects import create_owner
from tests.waiting import until

pytestmark = pytest.mark.integration
START_SECONDS = 60


def scope_of(*namespaces: str, lease: str) -> Scope:
    return Scope(namespaces, DEPLOYMENT_LABEL, LeaseName(lease, "gemma-operator"))


class Desk:
    """Where the signals of one pump arrive: keys as they are worked on, and what was to be forgotten."""

    def __init__(self, cluster: Cluster, client: Client, scope: Scope) -> None:
        self.cluster, self.client, self.scope = cluster, client, scope
        self.keys: list[Key] = []
        self.forgotten: list[str] = []
        self.queue = WorkQueue(Metrics())
        self.inbox = Inbox(
            self.queue,
            self.no_keys,
            forget_nodes=lambda: self.forgotten.append("nodes"),
        )

    async def no_keys(self) -> list[Key]:
        return []

    async def note(self, key: Key) -> None:
        self.keys.append(key)

    async def credentials(self) -> Credentials:
        return await credentials_of(await load_configuration(str(self.cluster.kubeconfig)))

    @asynccontextmanager
    async def pumping(self) -> AsyncIterator[None]:
        permitted = await permitted_watches(self.client, self.scope)
        pump = asyncio.create_task(Pump(self.credentials, permitted, self.scope, self.inbox).run())
        worker = asyncio.create_task(self.queue.work(self.note))
        try:
            yield
            assert not pump.done(), pump.exception()
        finally:
            for task in (pump, worker):
                task.cancel()
            await asyncio.gather(pump, worker, return_exceptions=True)
            self.inbox.close()
            self.queue.close()

    async def touch_lease(self) -> None:
        """Write the Lease until the watch delivers it: from then on everything else is watched too."""
        where = self.scope.lease
        async with asyncio.timeout(START_SECONDS):
            for number in range(1000):
                body: dict[str, Any] = {
                    "apiVersion": LEASES.api_version,
                    "kind": LEASES.kind,
                    "metadata": {"namespace": where.namespace, "name": where.name},
                    "spec": {"leaseTransitions": number},
                }
                await self.client.apply(LEASES, body, manager="test")
                if self.inbox.canary_at is not None:
                    return
                await asyncio.sleep(0.1)


@pytest.fixture
def desk(crd_installed: Cluster, client: Client, namespace: str) -> Desk:
    return Desk(crd_installed, client, scope_of(namespace, lease=namespace))


async def test_the_lease_arrives_as_canary(desk: Desk) -> None:
    async with desk.pumping():
        assert desk.inbox.canary_at is None
        await desk.touch_lease()


async def test_many_objects_arrive_at_once(desk: Desk, namespace: str) -> None:
    """Each keeps one of a limited number of places for a while; that must not add up."""
    names = [f"many-{number}" for number in range(250)]
    desk.cluster.apply(plan_only(namespace, name) for name in names)
    async with desk.pumping():
        await desk.touch_lease()
        await until(lambda: {Key(namespace, name) for name in names} <= set(desk.keys), 10)


def plan_only(namespace: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": GEMMA_DEPLOYMENTS.api_version,
        "kind": GEMMA_DEPLOYMENTS.kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"contextLength": "8K", "planOnly": True},
    }


async def test_objects_from_before_and_after_the_start_arrive_as_keys(desk: Desk, namespace: str) -> None:
    create_owner(desk.cluster, namespace, "before")
    async with desk.pumping():
        await until(lambda: Key(namespace, "before") in desk.keys, START_SECONDS)
        create_owner(desk.cluster, namespace, "after")
        await until(lambda: Key(namespace, "after") in desk.keys, START_SECONDS)
        seen = desk.keys.count(Key(namespace, "before"))
        desk.cluster.kubectl("delete", "gd", "-n", namespace, "before")
        await until(lambda: desk.keys.count(Key(namespace, "before")) > seen)


async def test_the_pump_leaves_no_trace_on_objects(desk: Desk, namespace: str) -> None:
    created = create_owner(desk.cluster, namespace)
    async with desk.pumping():
        await until(lambda: desk.keys, START_SECONDS)
    live = await desk.client.get(GEMMA_DEPLOYMENTS, namespace, "assistant")
    assert live["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]
    assert "finalizers" not in live["metadata"]


async def test_an_owned_object_is_the_key_of_its_owner_and_others_are_nothing(desk: Desk, namespace: str) -> None:
    async with desk.pumping():
        await desk.touch_lease()
        for name, labels in (("stranger", {}), ("mine", {DEPLOYMENT_LABEL: "assistant"})):
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": labels},
                "spec": {"containers": [{"name": "c", "image": "example.invalid/c"}], "nodeSelector": {"no": "where"}},
            }
            await desk.client.create(PODS, pod, manager="test")
        await until(lambda: desk.keys, START_SECONDS)
        assert set(desk.keys) == {Key(namespace, "assistant")}


async def test_a_node_is_told_when_a_plan_may_depend_on_it(desk: Desk, namespace: str) -> None:
    name, kubectl = f"node-{namespace}", desk.cluster.kubectl

    def label(value: str) -> None:
        kubectl("label", "node", name, f"test/{namespace}={value}", "--overwrite")

    async with desk.pumping():
        await desk.touch_lease()
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {"unschedulable": True}}
        await desk.client.create(NODES, body, manager="test")
        try:
            await until(lambda: desk.forgotten, START_SECONDS)
            label("a")
            before = len(desk.forgotten)
            label("b")
            await until(lambda: len(desk.forgotten) > before, START_SECONDS)
        finally:
            kubectl("delete", "node", name)


async def test_the_pump_stops_within_seconds_and_leaves_threads_and_signals_alone(desk: Desk) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    loop = asyncio.get_running_loop()
    async with desk.pumping():
        await desk.touch_lease()
        asked = loop.time()
    assert loop.time() - asked < 20
    await until(lambda: "kopf" not in {thread.name for thread in threading.enumerate()})
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers


async def test_a_stopped_pump_can_run_again(desk: Desk, namespace: str) -> None:
    create_owner(desk.cluster, namespace)
    for _ in range(2):
        desk.keys.clear()
        async with desk.pumping():
            await until(lambda: desk.keys == [Key(namespace, "assistant")], START_SECONDS)


async def test_the_whole_cluster_can_be_watched(crd_installed: Cluster, client: Client, namespace: str) -> None:
    desk = Desk(crd_installed, client, scope_of(lease=namespace))
    async with desk.pumping():
        create_owner(crd_installed, namespace)
        await until(lambda: Key(namespace, "assistant") in desk.keys, START_SECONDS)


async def test_only_what_the_account_may_watch_is_watched(cluster: Cluster, namespace: str) -> None:
    rules = [
        {"apiGroups": ["gemma-operator.io"], "resources": ["gemmadeployments"], "verbs": ["list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    ]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"namespace": namespace, "name": "narrow"},
        "rules": rules,
    }
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(role))
    cluster.kubectl("create", "serviceaccount", "-n", namespace, "narrow")
    account = f"--serviceaccount={namespace}:narrow"
    cluster.kubectl("create", "rolebinding", "-n", namespace, "narrow", "--role=narrow", account)
    configuration = await load_configuration(str(cluster.kubeconfig))
    token = cluster.kubectl("create", "token", "-n", namespace, "narrow").strip()
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    configuration.refresh_api_key_hook = None
    async with Client(configuration, Metrics()) as narrow:
        permitted = await permitted_watches(narrow, scope_of(namespace, lease=namespace))
        everywhere = await permitted_watches(narrow, scope_of(lease=namespace))
    assert permitted == {GEMMA_DEPLOYMENTS, PODS}
    assert DEPLOYMENTS not in permitted
    assert everywhere == frozenset()

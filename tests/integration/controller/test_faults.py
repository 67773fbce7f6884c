"""Whatever fails on the way, the same objects stand at the end: compared with a run in which nothing failed."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from gemma_operator.controller.queue import Key
from tests.integration.controller.conftest import CARDS, ROOM
from tests.integration.faults.bench import Workbench, outcome, workbench
from tests.integration.faults.faults import (
    Crash,
    LostAnswer,
    Nth,
    ServerError,
    StaleLists,
    Throttle,
    any_read,
    any_write,
)
from tests.integration.faults.proxy import Fault, FaultProxy, fault_proxy

pytestmark = pytest.mark.integration
CONVERGE_SECONDS = 240
"""A deadline, no measure: on a busy machine a run takes ten times as long as on a quiet one."""

AT_ONCE = 4
"""Runs beside each other, each in a namespace of its own."""


@dataclass
class Arena:
    """Nodes that all runs share, and the namespaces that they made."""

    cluster: Cluster
    name: str
    namespaces: list[str] = field(default_factory=list)

    def ask(self, **spec: Any) -> Key:
        """A GemmaDeployment in a new namespace."""
        key = Key(f"{self.name}-{uuid.uuid4().hex[:6]}", "assistant")
        self.cluster.kubectl("create", "namespace", key.namespace)
        self.namespaces.append(key.namespace)
        self.change(key, **spec)
        return key

    def change(self, key: Key, **spec: Any) -> None:
        """Create it, or give it another spec."""
        manifest = {
            "apiVersion": "gemma-operator.io/v1alpha1",
            "kind": "GemmaDeployment",
            "metadata": {"name": key.name, "namespace": key.namespace},
            "spec": spec | {"accelerators": {"nodeSelector": {ROOM: self.name}}},
        }
        self.cluster.apply([manifest])

    async def close(self, key: Key) -> dict[str, Any]:
        """What stands at the end; it goes afterwards, for its GPUs are wanted."""
        found = await asyncio.to_thread(outcome, self.cluster, key)
        self.namespaces.remove(key.namespace)
        await asyncio.to_thread(self.cluster.kubectl, "delete", "namespace", key.namespace, "--wait=false")
        return found


@pytest.fixture(scope="module")
def arena(crd_installed: Cluster) -> Iterator[Arena]:
    arena = Arena(crd_installed, f"arena-{uuid.uuid4().hex[:6]}")
    nodes = list(simulated_gpu_nodes(arena.name, *CARDS["L40S"], 8, 16))
    for node in nodes:
        node["metadata"]["labels"][ROOM] = arena.name
    arena.cluster.add_nodes(nodes)
    yield arena
    if arena.namespaces:
        arena.cluster.kubectl("delete", "namespace", *arena.namespaces, "--wait=false")
    arena.cluster.kubectl("delete", "nodes", "-l", f"{ROOM}={arena.name}", "--wait=false")


@pytest.fixture
async def proxy(crd_installed: Cluster) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(crd_installed) as proxy:
        yield proxy


async def converge(bench: Workbench, key: Key) -> None:
    """Reconcile as the queue would, until Ready and nothing is left to write."""
    async with asyncio.timeout(CONVERGE_SECONDS):
        while True:
            failed = await bench.reconcile(key)
            if failed is None and await bench.ready(key):
                break
            await asyncio.sleep(0.2)
    for _ in range(2):  # the last pass sees its own status and pins the record
        assert await bench.reconcile(key) is None


async def until_dead(bench: Workbench, key: Key, crash: Crash) -> None:
    """Reconcile until the process is dead, or at rest because this run took fewer writes."""
    async with asyncio.timeout(CONVERGE_SECONDS):
        while not crash.dead and not (  # noqa: ASYNC110 - the cluster has no event for it
            await bench.reconcile(key) is None and await bench.ready(key)
        ):
            await asyncio.sleep(0.2)


async def undisturbed(arena: Arena, *specs: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """What stands after these specs in a row when nothing fails, and the writes that the last one took."""
    key = await asyncio.to_thread(arena.ask, **specs[0])
    async with fault_proxy(arena.cluster) as proxy, workbench(arena.cluster, proxy.address) as bench:
        await converge(bench, key)
        for spec in specs[1:]:
            proxy.requests.clear()
            arena.change(key, **spec)
            await converge(bench, key)
        return await arena.close(key), len(proxy.writes)


async def disturbed(arena: Arena, fault: Fault, *specs: dict[str, Any]) -> dict[str, Any]:
    """The same with a fault in the last step; a process that died is followed by a new one."""
    key = await asyncio.to_thread(arena.ask, **specs[0])
    async with fault_proxy(arena.cluster) as proxy:
        if len(specs) > 1:
            async with workbench(arena.cluster, proxy.address) as bench:
                await converge(bench, key)
            await asyncio.to_thread(arena.change, key, **specs[1])
        proxy.fault = fault
        async with workbench(arena.cluster, proxy.address) as bench:
            if isinstance(fault, Crash):
                await until_dead(bench, key, fault)
            else:
                await converge(bench, key)
        if isinstance(fault, Crash):
            proxy.fault = Fault()
            async with workbench(arena.cluster, proxy.address) as bench:
                await converge(bench, key)
    return await arena.close(key)


async def all_of(arena: Arena, faults: list[Fault], *specs: dict[str, Any]) -> list[dict[str, Any]]:
    """The outcomes under each of the faults, several runs at a time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(fault: Fault) -> dict[str, Any]:
        async with slots:
            return await disturbed(arena, fault, *specs)

    return list(await asyncio.gather(*map(run, faults)))


SMALL, LARGE = {"contextLength": "64K"}, {"contextLength": "128K"}


@pytest.mark.parametrize("specs", [(SMALL,), (SMALL, LARGE)], ids=["creation", "change"])
async def test_a_crash_before_or_after_any_write_ends_like_no_crash(
    arena: Arena, specs: tuple[dict[str, Any], ...]
) -> None:
    expected, writes = await undisturbed(arena, *specs)
    assert writes >= 4
    # A crash before a write is one after the write before it; only the first has none.
    crashes: list[Fault] = [Crash(1, before=True), *(Crash(n, before=False) for n in range(1, writes + 1))]
    assert await all_of(arena, crashes, *specs) == [expected] * len(crashes)
    died = [crash for crash in crashes if isinstance(crash, Crash) and crash.dead]
    assert len(died) >= writes - 3  # how often the status is written varies a little


@pytest.mark.parametrize("kind", [ServerError, LostAnswer])
async def test_a_write_that_fails_or_whose_answer_is_lost_is_made_good(arena: Arena, kind: Callable[..., Nth]) -> None:
    expected, writes = await undisturbed(arena, SMALL)
    faults: list[Fault] = [kind(n, any_write) for n in range(1, writes + 1)]
    assert await all_of(arena, faults, SMALL) == [expected] * writes


async def test_a_read_that_fails_is_made_good(arena: Arena) -> None:
    expected, _ = await undisturbed(arena, SMALL)
    faults = [ServerError(n, any_read) for n in range(1, 13)]
    assert await all_of(arena, list(faults), SMALL) == [expected] * 12
    assert all(fault.fired for fault in faults)


async def test_nothing_is_sent_before_retry_after_has_passed(arena: Arena, proxy: FaultProxy) -> None:
    key = arena.ask(**SMALL)
    loop = asyncio.get_running_loop()
    proxy.fault = Throttle(1, any_write, seconds=3)
    async with workbench(arena.cluster, proxy.address) as bench:
        refused = await bench.reconcile(key)
        assert refused is not None
        assert refused.retry_after_seconds == 3
        refused_at, sent = loop.time(), len(proxy.requests)
        await bench.reconcile(key)
        assert loop.time() - refused_at > 2.5
        assert len(proxy.requests) > sent
        await converge(bench, key)


@pytest.mark.parametrize("lag", [1, 3])
async def test_lists_that_are_behind_create_nothing_twice(arena: Arena, lag: int) -> None:
    expected, _ = await undisturbed(arena, SMALL)
    fault = StaleLists(lag)
    assert await disturbed(arena, fault, SMALL) == expected
    assert fault.served >= lag


@pytest.mark.parametrize("lag", [1, 3])
async def test_lists_that_are_behind_do_not_roll_out_twice(arena: Arena, lag: int) -> None:
    expected, _ = await undisturbed(arena, SMALL, LARGE)
    fault = StaleLists(lag)
    assert await disturbed(arena, fault, SMALL, LARGE) == expected
    assert fault.served >= lag


async def test_two_operators_at_once_make_one_set_of_objects(arena: Arena) -> None:
    """Both act, as after a split of the network: preconditions and equal names are what keeps them from harm."""
    expected, _ = await undisturbed(arena, SMALL, LARGE)
    key = arena.ask(**SMALL)
    async with workbench(arena.cluster) as one, workbench(arena.cluster) as two:
        await asyncio.gather(converge(one, key), converge(two, key))
        arena.change(key, **LARGE)
        await asyncio.gather(converge(one, key), converge(two, key))
    assert await arena.close(key) == expected

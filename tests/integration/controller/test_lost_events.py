"""Events only hasten what comes anyway: lost events and cut watches delay, and change nothing. At rest: silence."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.controller.conftest import Room
from tests.integration.faults.faults import CutWatches, DropEvents
from tests.integration.faults.process import running_operator
from tests.integration.faults.proxy import FaultProxy, Request, fault_proxy

pytestmark = pytest.mark.integration
KINDS = {"gemmadeployments", "deployments", "pods", "nodes", "leases"}
WATCHES_BEGIN_SECONDS = 60
QUIET_SECONDS = 35
"""Longer than the pause after which silent engines are asked again."""


async def watches_begun(proxy: FaultProxy) -> None:
    """All kinds are watched: what happens from now on reaches the operator by events or not at all."""
    async with asyncio.timeout(WATCHES_BEGIN_SECONDS):
        while not watched(proxy.requests) >= KINDS:  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.1)


def watched(requests: list[Request]) -> set[str]:
    return {request.path.rsplit("/", 1)[-1] for request in requests if request.watch}


async def test_without_any_event_of_pods_and_deployments_it_becomes_ready(room: Room, tmp_path: Path) -> None:
    await asyncio.to_thread(room.nodes, "L40S", 2)
    async with fault_proxy(room.cluster) as proxy:
        proxy.fault = lost = DropEvents({"Pod", "Deployment"})
        async with running_operator(room.cluster, room.name, proxy.address, tmp_path):
            await asyncio.to_thread(room.ask, "assistant", contextLength="64K")
            await asyncio.to_thread(room.wait_ready, "assistant", 150)
    assert lost.dropped > 0


async def test_a_deployment_whose_event_is_lost_is_found_by_the_resync(room: Room, tmp_path: Path) -> None:
    await asyncio.to_thread(room.nodes, "L40S", 2)
    async with fault_proxy(room.cluster) as proxy:
        proxy.fault = lost = DropEvents({"GemmaDeployment"})
        async with running_operator(room.cluster, room.name, proxy.address, tmp_path, "--resync-seconds=3"):
            await watches_begun(proxy)
            await asyncio.to_thread(room.ask, "assistant", contextLength="64K")
            await asyncio.to_thread(room.wait_ready, "assistant", 150)
    assert lost.dropped > 0


async def test_watches_that_are_cut_again_and_again_stop_nothing(room: Room, tmp_path: Path) -> None:
    await asyncio.to_thread(room.nodes, "L40S", 4)
    async with fault_proxy(room.cluster) as proxy:
        proxy.fault = fault = CutWatches(4)
        async with running_operator(room.cluster, room.name, proxy.address, tmp_path):
            await asyncio.to_thread(room.ask, "assistant", contextLength="64K")
            await asyncio.to_thread(room.wait_ready, "assistant", 150)
            await asyncio.to_thread(room.ask, "assistant", contextLength="128K")
            await asyncio.to_thread(room.wait_ready, "assistant", 150)
    assert fault.cuts >= 3


async def test_at_rest_only_the_lease_is_written(room: Room, tmp_path: Path) -> None:
    await asyncio.to_thread(room.nodes, "L40S", 2)
    async with (
        fault_proxy(room.cluster) as proxy,
        running_operator(room.cluster, room.name, proxy.address, tmp_path),
    ):
        await asyncio.to_thread(room.ask, "assistant", contextLength="64K", replicas=2)
        await asyncio.to_thread(room.wait_ready, "assistant", 150)
        await settled(proxy)
        before = len(proxy.requests)
        await asyncio.sleep(QUIET_SECONDS)
        quiet = proxy.requests[before:]
    assert [f"{request.method} {request.path}" for request in quiet if request.write] == []
    looked = [request for request in quiet if request.method == "GET" and request.path.endswith("/assistant")]
    assert looked, "the operator did look again, and had nothing to write"
    renewals = [request for request in quiet if request.method == "PUT" and "/leases/" in request.path]
    assert len(renewals) > QUIET_SECONDS / 4


async def settled(proxy: FaultProxy) -> None:
    """The last writes of a roll-out are over: none for three seconds."""
    async with asyncio.timeout(30):
        writes = -1
        while writes != len(proxy.writes):
            writes = len(proxy.writes)
            await asyncio.sleep(3)

"""One operator process on a real API server: it leads, reconciles, tells the probes, and ends cleanly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest

from e2e.cluster import Cluster
from gemma_operator.api.labels import DEPLOYMENT_LABEL
from gemma_operator.controller.queue import Key
from gemma_operator.controller.supervisor import Supervisor
from gemma_operator.controller.watches import Scope
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import Credentials, credentials_of, load_configuration
from gemma_operator.kube.election import Election, LeaseName
from gemma_operator.telemetry.metrics import Metrics
from gemma_operator.telemetry.probes import probes_app, serve_probes
from tests.integration.cable import cable_to
from tests.integration.kube.objects import create_owner
from tests.waiting import eventually, until

pytestmark = pytest.mark.integration
START_SECONDS = 60


class Process:
    """What ``main`` puts together, with a reconcile that only takes note."""

    def __init__(self, cluster: Cluster, client: Client, namespace: str, identity: str) -> None:
        self.cluster = cluster
        self.server = cluster.server
        self.metrics = Metrics()
        self.reconciled: list[Key] = []
        lease = LeaseName(namespace, "gemma-operator")
        self.election = Election(client, lease, identity)
        scope = Scope((namespace,), DEPLOYMENT_LABEL, lease)
        self.supervisor = Supervisor(client, self.credentials, self.election, scope, self.metrics)
        self.stop = asyncio.Event()

    async def credentials(self) -> Credentials:
        return replace(await credentials_of(await load_configuration(str(self.cluster.kubeconfig))), server=self.server)

    async def reconcile(self, key: Key) -> None:
        self.reconciled.append(key)

    async def catalog_changed(self) -> bool:
        return False

    async def lead(self) -> None:
        await self.supervisor.lead(self.reconcile, forget_nodes=lambda: None, catalog_changed=self.catalog_changed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Process"]:
        task = asyncio.create_task(self.election.run(self.lead, self.stop))
        try:
            yield self
        finally:
            self.stop.set()
            await task

    def canary_age_seconds(self) -> float:
        return self.metrics.registry.get_sample_value("gemma_event_pump_canary_age_seconds") or 0.0

    def leads(self) -> bool:
        return 'leader_election_master_status{name="gemmadeployment"} 1.0' in self.metrics.page().decode()


async def test_a_leader_reconciles_what_is_there_and_what_comes(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    create_owner(crd_installed, namespace, "before")
    async with Process(crd_installed, client, namespace, "one").running() as process:
        await until(lambda: Key(namespace, "before") in process.reconciled, START_SECONDS)
        create_owner(crd_installed, namespace, "after")
        await until(lambda: Key(namespace, "after") in process.reconciled, START_SECONDS)
        assert process.leads()
    assert not process.leads()


async def test_the_leader_is_ready_once_its_watches_deliver_and_stays_alive(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    process = Process(crd_installed, client, namespace, "one")
    assert process.supervisor.not_ready() == "nobody has been seen to lead yet"
    async with process.running():
        await until(lambda: process.supervisor.not_ready() == "the watches have not begun")
        await until(lambda: process.supervisor.not_ready() == "", START_SECONDS)
        assert process.supervisor.not_alive() == ""


async def test_a_standby_is_ready_and_does_nothing_until_it_leads(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    create_owner(crd_installed, namespace)
    async with Process(crd_installed, client, namespace, "one").running() as first:
        await until(first.leads)
        async with Process(crd_installed, client, namespace, "two").running() as second:
            await until(lambda: second.supervisor.not_ready() == "")
            assert second.election.holder == "one"
            await until(lambda: first.reconciled, START_SECONDS)
            assert second.reconciled == []
            first.stop.set()
            await until(lambda: second.reconciled, START_SECONDS)


async def test_the_probes_say_what_the_supervisor_says(crd_installed: Cluster, client: Client, namespace: str) -> None:
    process = Process(crd_installed, client, namespace, "one")
    runner, port = await serve_probes(probes_app(process.supervisor, process.metrics), "127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:

        async def page(path: str) -> tuple[int, str]:
            async with http.get(path) as response:
                return response.status, await response.text()

        async def ready() -> bool:
            return await page("/readyz") == (200, "ok\n")

        assert await page("/readyz") == (503, "nobody has been seen to lead yet\n")
        assert await page("/healthz") == (200, "ok\n")
        async with process.running():
            await eventually(ready, START_SECONDS)
            status, text = await page("/metrics")
            assert status == 200
            assert "gemma_event_pump_starts_total 1.0" in text
            assert "gemma_event_pump_canary_age_seconds" in text
    await runner.cleanup()


async def test_what_happened_while_the_watches_were_cut_is_reconciled_once_they_are_back(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    """Only kopf loses its connections: the Lease is held all the time, so the process must go on."""
    process = Process(crd_installed, client, namespace, "one")
    async with cable_to(crd_installed.server) as cable:
        process.server = cable.address
        async with process.running():
            await until(lambda: process.supervisor.not_ready() == "", START_SECONDS)
            cable.unplug()
            create_owner(crd_installed, namespace)
            before = process.canary_age_seconds()
            await until(lambda: process.canary_age_seconds() > before + 4, 40)
            assert process.reconciled == []
            cable.unplugged = False
            await until(lambda: Key(namespace, "assistant") in process.reconciled, 90)
            assert process.leads()


async def test_a_pump_that_finds_no_api_server_at_its_start_is_started_again(
    crd_installed: Cluster, client: Client, namespace: str
) -> None:
    create_owner(crd_installed, namespace)
    process = Process(crd_installed, client, namespace, "one")
    async with cable_to(crd_installed.server) as cable:
        process.server = cable.address
        cable.unplug()
        async with process.running():
            await until(process.leads)
            await until(lambda: process.canary_age_seconds() > 3, 40)
            assert process.supervisor.not_ready() == "the watches have not begun"
            cable.unplugged = False
            await until(lambda: process.supervisor.not_ready() == "", 90)
            await until(lambda: Key(namespace, "assistant") in process.reconciled, START_SECONDS)

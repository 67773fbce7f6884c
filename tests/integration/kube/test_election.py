"""Leader election with a real Lease: one leads, the next follows, and a cut connection ends the lead in time."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from e2e.cluster import Cluster
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import load_configuration
from gemma_operator.kube.election import Election, LeaseName
from gemma_operator.kube.lease import LEASE_DURATION_SECONDS, RENEW_DEADLINE_SECONDS
from gemma_operator.kube.resources import LEASES
from gemma_operator.telemetry.metrics import Metrics
from tests.integration.cable import cable_to
from tests.waiting import eventually, until

pytestmark = pytest.mark.integration


class Candidate:
    """One operator process: notes when it began and ended to lead."""

    def __init__(self, client: Client, namespace: str, identity: str) -> None:
        self.election = Election(client, LeaseName(namespace, "gemma-operator"), identity)
        self.stop = asyncio.Event()
        self.leading = False
        self.led = 0
        self.ended_at = 0.0
        self.task = asyncio.create_task(self.election.run(self.lead, self.stop))

    async def lead(self) -> None:
        self.leading, self.led = True, self.led + 1
        try:
            await asyncio.Event().wait()
        finally:
            self.leading, self.ended_at = False, asyncio.get_running_loop().time()

    async def end(self) -> None:
        self.stop.set()
        await self.task


Make = Callable[[str], Candidate]


@pytest.fixture
async def candidate(client: Client, namespace: str) -> AsyncIterator[Make]:
    """Makes candidates and ends them all."""
    made: list[Candidate] = []

    def make(identity: str) -> Candidate:
        made.append(Candidate(client, namespace, identity))
        return made[-1]

    yield make
    for one in made:
        await one.end()


async def lease_spec(client: Client, namespace: str) -> dict[str, object]:
    spec: dict[str, object] = (await client.get(LEASES, namespace, "gemma-operator"))["spec"]
    return spec


async def test_the_first_leads_and_the_second_knows_who(candidate: Make, client: Client, namespace: str) -> None:
    first = candidate("first")
    await until(lambda: first.leading)
    second = candidate("second")
    await until(lambda: second.election.holder == "first")
    assert first.election.holds()
    assert not second.election.holds()
    assert not second.leading
    assert (await lease_spec(client, namespace))["holderIdentity"] == "first"


async def test_a_leader_that_stops_gives_the_lease_away_at_once(
    candidate: Make, client: Client, namespace: str
) -> None:
    first = candidate("first")
    await until(lambda: first.leading)
    second = candidate("second")
    await until(lambda: second.election.holder == "first")
    await first.end()
    assert not first.leading
    assert not first.election.holds()
    await until(lambda: second.leading, seconds=6)
    assert second.ended_at == 0
    spec = await lease_spec(client, namespace)
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("second", 1)


async def test_a_leader_renews_and_keeps_its_lead(candidate: Make, client: Client, namespace: str) -> None:
    first = candidate("first")
    await until(lambda: first.leading)
    before = await lease_spec(client, namespace)

    async def renewed() -> bool:
        return (await lease_spec(client, namespace))["renewTime"] != before["renewTime"]

    await eventually(renewed, seconds=10)
    after = await lease_spec(client, namespace)
    assert after["acquireTime"] == before["acquireTime"]
    assert after["leaseTransitions"] == before["leaseTransitions"]
    assert first.led == 1


async def test_two_that_start_together_make_one_leader(candidate: Make) -> None:
    several = [candidate(f"candidate-{number}") for number in range(5)]
    await until(lambda: any(one.leading for one in several))
    await until(
        lambda: len({one.election.holder for one in several} - {""}) == 1 and all(o.election.holder for o in several)
    )
    assert sum(one.leading for one in several) == 1


async def test_a_deleted_lease_is_made_again_by_its_leader(
    candidate: Make, client: Client, cluster: Cluster, namespace: str
) -> None:
    first = candidate("first")
    await until(lambda: first.leading)
    cluster.kubectl("delete", "lease", "-n", namespace, "gemma-operator")
    await eventually(lambda: client.find(LEASES, namespace, "gemma-operator"), seconds=12)
    assert (await lease_spec(client, namespace))["holderIdentity"] == "first"


async def test_a_lease_taken_by_another_ends_the_lead(
    candidate: Make, client: Client, cluster: Cluster, namespace: str
) -> None:
    first = candidate("first")
    await until(lambda: first.leading)
    change = '{"spec":{"holderIdentity":"thief","renewTime":"2026-01-01T00:00:00.000000Z"}}'
    cluster.kubectl("patch", "lease", "-n", namespace, "gemma-operator", "--type=merge", "-p", change)
    await until(lambda: not first.leading, seconds=8)
    assert not first.election.holds()
    assert first.election.holder == "thief"


async def test_an_exception_of_the_leading_task_is_passed_on_and_the_lease_released(
    client: Client, namespace: str
) -> None:
    async def fails() -> None:
        raise RuntimeError("cannot go on")

    election = Election(client, LeaseName(namespace, "gemma-operator"), "first")
    with pytest.raises(RuntimeError, match="cannot go on"):
        await election.run(fails, asyncio.Event())
    assert (await lease_spec(client, namespace))["holderIdentity"] == ""


async def test_a_cut_connection_ends_the_lead_before_another_can_begin(
    candidate: Make, cluster: Cluster, namespace: str
) -> None:
    configuration = await load_configuration(str(cluster.kubeconfig))
    loop = asyncio.get_running_loop()
    async with cable_to(cluster.server) as cable, Client(cable.plug(configuration), Metrics()) as partitioned:
        leader = Candidate(partitioned, namespace, "partitioned")
        await until(lambda: leader.leading)
        other = candidate("other")
        await until(lambda: other.election.holder == "partitioned")
        cable.cut = True
        cut_at = loop.time()
        await until(lambda: not leader.leading, seconds=RENEW_DEADLINE_SECONDS + 2)
        assert not other.leading
        assert leader.ended_at - cut_at < RENEW_DEADLINE_SECONDS + 0.5
        assert not leader.election.holds()
        await until(lambda: other.leading, seconds=LEASE_DURATION_SECONDS + 5)
        await leader.end()
        assert leader.led == 1

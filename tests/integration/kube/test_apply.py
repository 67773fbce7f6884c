"""Server-side apply of owned objects: created once, corrected when changed, never somebody else's."""

import asyncio
import copy
import json
from collections.abc import Callable

import pytest

from e2e.cluster import Cluster
from gemma_operator.kube.apply import (
    OUR_MANAGERS,
    Change,
    NameTakenError,
    apply_replicas,
    ensure,
    owned_by,
    strip_template,
)
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import load_configuration
from gemma_operator.kube.drift import foreign_fields
from gemma_operator.kube.errors import ApiError, ConflictError, InvalidError, NotFoundError
from gemma_operator.kube.resources import DEPLOYMENTS, SERVICES, Resource
from gemma_operator.telemetry.metrics import Metrics
from tests.integration.kube.objects import OBJECT, create_owner, deployment, service
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def owner(crd_installed: Cluster, namespace: str) -> OBJECT:
    return create_owner(crd_installed, namespace)


def uid(owner: OBJECT) -> str:
    return str(owner["metadata"]["uid"])


async def read(client: Client, wanted: OBJECT) -> OBJECT:
    resource = DEPLOYMENTS if wanted["kind"] == "Deployment" else SERVICES
    return await client.get(resource, wanted["metadata"]["namespace"], wanted["metadata"]["name"])


@pytest.mark.parametrize("build", [deployment, service])
async def test_an_object_is_created_once_and_nothing_is_written_at_rest(
    client: Client, owner: OBJECT, build: Callable[[OBJECT], OBJECT]
) -> None:
    wanted = build(owner)
    first = await ensure(client, wanted, uid(owner))
    assert first.change is Change.CREATED
    assert first.live is not None
    assert owned_by(first.live, uid(owner))
    second = await ensure(client, wanted, uid(owner))
    assert second.change is Change.NONE


async def test_a_changed_field_is_put_back(crd_installed: Cluster, client: Client, owner: OBJECT) -> None:
    wanted = deployment(owner)
    await ensure(client, wanted, uid(owner))
    namespace = owner["metadata"]["namespace"]
    crd_installed.kubectl("set", "image", "-n", namespace, "deployment/assistant", "engine=example.invalid/other:2")
    put_back = await ensure(client, wanted, uid(owner))
    assert put_back.change is Change.UPDATED
    live = await read(client, wanted)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/engine:1"


async def test_what_is_no_longer_wanted_goes(client: Client, owner: OBJECT) -> None:
    before = service(owner)
    before["metadata"]["labels"] = {"team": "search"}
    before["spec"]["ports"].append({"name": "metrics", "port": 9000, "targetPort": 9000})
    await ensure(client, before, uid(owner))
    after = service(owner)
    assert (await ensure(client, after, uid(owner))).change is Change.UPDATED
    live = await read(client, after)
    assert "labels" not in live["metadata"]
    assert [port["port"] for port in live["spec"]["ports"]] == [8000]
    assert (await ensure(client, after, uid(owner))).change is Change.NONE


async def test_an_object_of_somebody_else_is_never_written_to(
    crd_installed: Cluster, client: Client, owner: OBJECT
) -> None:
    foreign = service(owner)
    del foreign["metadata"]["ownerReferences"]
    crd_installed.kubectl("create", "-f", "-", stdin=json.dumps(foreign))
    before = await read(client, foreign)
    with pytest.raises(NameTakenError, match=r"Service .*/assistant exists and is not owned by this GemmaDeployment"):
        await ensure(client, service(owner), uid(owner))
    assert await read(client, foreign) == before


async def test_an_object_of_an_earlier_owner_of_the_same_name_is_somebody_elses(client: Client, owner: OBJECT) -> None:
    await ensure(client, service(owner), uid(owner))
    with pytest.raises(NameTakenError):
        await ensure(client, service(owner), "another-uid")


async def test_an_apply_to_an_object_that_was_made_anew_does_not_reach_it(client: Client, owner: OBJECT) -> None:
    wanted = deployment(owner)
    stale = copy.deepcopy(wanted)
    stale["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000"
    await ensure(client, wanted, uid(owner))
    before = await read(client, wanted)
    stale["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/other:2"
    with pytest.raises((ConflictError, InvalidError)):
        await client.apply(DEPLOYMENTS, stale, manager="gemma-operator")
    assert (await read(client, wanted))["spec"] == before["spec"]


async def test_the_main_apply_leaves_replicas_to_their_own_manager(
    crd_installed: Cluster, client: Client, owner: OBJECT
) -> None:
    wanted = deployment(owner)
    await ensure(client, wanted, uid(owner))
    scaled = await apply_replicas(client, await settled(client, wanted), 4)
    assert scaled["spec"]["replicas"] == 4
    wanted["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/engine:2"
    updated = await ensure(client, wanted, uid(owner))
    assert updated.live is not None
    assert updated.live["spec"]["replicas"] == 4
    managers = {entry["manager"] for entry in updated.live["metadata"]["managedFields"]}
    assert {"gemma-operator", "gemma-operator-replicas"} <= managers


async def test_replicas_in_the_main_apply_are_a_mistake(client: Client, owner: OBJECT) -> None:
    wanted = deployment(owner)
    wanted["spec"]["replicas"] = 3
    with pytest.raises(ValueError, match=r"must not contain spec\.replicas"):
        await ensure(client, wanted, uid(owner))


async def settled(client: Client, wanted: OBJECT) -> OBJECT:
    """The Deployment once its controller has written what it will write, so that its version stands still."""
    seen = await read(client, wanted)
    async with asyncio.timeout(20):
        while True:
            await asyncio.sleep(0.3)
            again = await read(client, wanted)
            known = again.get("status", {}).get("observedGeneration") == again["metadata"]["generation"]
            if known and again["metadata"]["resourceVersion"] == seen["metadata"]["resourceVersion"]:
                return again
            seen = again


async def test_replicas_are_set_on_exactly_the_object_that_was_read(client: Client, owner: OBJECT) -> None:
    wanted = deployment(owner)
    await ensure(client, wanted, uid(owner))
    stale = await settled(client, wanted)
    await apply_replicas(client, stale, 2)
    with pytest.raises(ConflictError):
        await apply_replicas(client, stale, 5)
    live = await settled(client, wanted)
    assert live["spec"]["replicas"] == 2
    await client.delete(DEPLOYMENTS, live)
    with pytest.raises((ConflictError, InvalidError, NotFoundError)):
        await apply_replicas(client, live, 5)
    assert await client.find(DEPLOYMENTS, live["metadata"]["namespace"], "assistant") is None


async def test_additions_of_others_to_the_template_are_named_and_can_be_removed(
    crd_installed: Cluster, client: Client, owner: OBJECT
) -> None:
    wanted = deployment(owner)
    await ensure(client, wanted, uid(owner))
    namespace = owner["metadata"]["namespace"]
    sidecar = {"name": "proxy", "image": "example.invalid/proxy:1"}
    change = {"spec": {"template": {"spec": {"hostNetwork": True, "containers": [sidecar]}}}}
    crd_installed.kubectl("patch", "deployment", "assistant", "-n", namespace, "-p", json.dumps(change))
    live = await read(client, wanted)
    foreign = foreign_fields(live, ("spec", "template"), OUR_MANAGERS)
    assert set(foreign["kubectl-patch"]) == {
        "spec.template.spec.containers[name=proxy]",
        "spec.template.spec.hostNetwork",
    }
    await eventually(lambda: _stripped(client, wanted), 20)
    stripped = await read(client, wanted)
    assert [item["name"] for item in stripped["spec"]["template"]["spec"]["containers"]] == ["engine"]
    assert "hostNetwork" not in stripped["spec"]["template"]["spec"]
    assert foreign_fields(stripped, ("spec", "template"), OUR_MANAGERS) == {}
    assert (await ensure(client, wanted, uid(owner))).live is not None


async def _stripped(client: Client, wanted: OBJECT) -> bool:
    """One attempt, as a reconcile makes it: the Deployment controller's own write in between is a conflict."""
    try:
        await strip_template(client, await read(client, wanted), wanted["spec"]["template"])
    except ConflictError:
        return False
    return True


async def test_a_deletion_needs_the_very_version_that_was_read(client: Client, owner: OBJECT) -> None:
    created = await ensure(client, service(owner), uid(owner))
    assert created.live is not None
    changed = service(owner)
    changed["metadata"]["labels"] = {"changed": "yes"}
    await ensure(client, changed, uid(owner))
    with pytest.raises(ConflictError):
        await client.delete(SERVICES, created.live)
    live = await read(client, changed)
    await client.delete(SERVICES, live)
    assert await client.find(SERVICES, live["metadata"]["namespace"], "assistant") is None
    await client.delete(SERVICES, live)


async def test_a_field_that_the_schema_does_not_know_is_refused(client: Client, owner: OBJECT) -> None:
    wanted = service(owner)
    wanted["spec"]["prots"] = []
    with pytest.raises(ApiError, match="prots"):
        await ensure(client, wanted, uid(owner))
    assert await client.find(SERVICES, owner["metadata"]["namespace"], "assistant") is None


class LateClient(Client):
    """A client that looked just before the object came."""

    async def find(self, resource: Resource, namespace: str | None, name: str) -> OBJECT | None:
        return None


async def test_an_object_that_came_between_look_and_creation_is_somebody_elses(cluster: Cluster, owner: OBJECT) -> None:
    foreign = deployment(owner, image="example.invalid/theirs:1")
    del foreign["metadata"]["ownerReferences"]
    async with LateClient(await load_configuration(str(cluster.kubeconfig)), Metrics()) as client:
        await client.apply(DEPLOYMENTS, foreign, manager="somebody-else")
        with pytest.raises(NameTakenError):
            await ensure(client, deployment(owner), uid(owner))
        live = await read(client, foreign)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/theirs:1"
    assert "ownerReferences" not in live["metadata"]

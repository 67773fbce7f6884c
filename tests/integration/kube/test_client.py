"""The client against a real API server: lists, errors, permissions, the gate and the fence."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio.client import Configuration

from e2e.cluster import Cluster
from gemma_operator.kube.client import PAGE_SIZE, Client
from gemma_operator.kube.connection import credentials_of, load_configuration
from gemma_operator.kube.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    NotLeadingError,
    ThrottledError,
    UnreachableError,
)
from gemma_operator.kube.resources import CONFIG_MAPS, DEPLOYMENTS, GEMMA_DEPLOYMENTS, NODES, PODS, Resource
from gemma_operator.telemetry.metrics import Metrics

pytestmark = pytest.mark.integration


def config_map(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


async def test_a_list_longer_than_a_page_is_whole(client: Client, cluster: Cluster, namespace: str) -> None:
    count = PAGE_SIZE + 20
    items = [config_map(namespace, f"c{number}", even=str(number % 2 == 0)) for number in range(count)]
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    pages = [len(page) async for page in client.pages(CONFIG_MAPS, namespace, labels="even")]
    assert pages == [PAGE_SIZE, 20]
    names = await client.list_all(CONFIG_MAPS, namespace, labels="even=True", project=lambda o: o["metadata"]["name"])
    assert len(names) == count // 2
    (one,) = await client.list_all(CONFIG_MAPS, namespace, fields="metadata.name=c7", project=lambda o: o)
    assert one["data"] == {"a": "b"}


async def test_answers_that_are_no_success_are_errors_by_kind(client: Client, namespace: str) -> None:
    with pytest.raises(NotFoundError, match='configmaps "absent" not found'):
        await client.get(CONFIG_MAPS, namespace, "absent")
    assert await client.find(CONFIG_MAPS, namespace, "absent") is None
    await client.create(CONFIG_MAPS, config_map(namespace, "here"), manager="gemma-operator")
    with pytest.raises(ConflictError, match="already exists"):
        await client.create(CONFIG_MAPS, config_map(namespace, "here"), manager="gemma-operator")
    with pytest.raises(NotFoundError):
        await client.list_all(Resource("gemma-operator.io", "v9", "nothings", "Nothing"), project=lambda o: o)
    with pytest.raises(ApiError):
        async for _ in client.pages(CONFIG_MAPS, namespace, fields="data.a=b"):
            pass


async def test_a_patch_is_conditional_on_the_version(client: Client, namespace: str) -> None:
    first = await client.create(CONFIG_MAPS, config_map(namespace, "here"), manager="gemma-operator")
    await client.patch(CONFIG_MAPS, namespace, "here", {"data": {"a": "c"}}, manager="gemma-operator")
    stale = {"metadata": {"resourceVersion": first["metadata"]["resourceVersion"]}, "data": {"a": "d"}}
    with pytest.raises(ConflictError):
        await client.patch(CONFIG_MAPS, namespace, "here", stale, manager="gemma-operator")
    assert (await client.get(CONFIG_MAPS, namespace, "here"))["data"] == {"a": "c"}


async def test_permissions_are_asked_of_the_server(client: Client, cluster: Cluster, namespace: str) -> None:
    assert await client.can_i("watch", NODES)
    cluster.kubectl("create", "serviceaccount", "-n", namespace, "reader")
    cluster.kubectl("create", "role", "-n", namespace, "reader", "--verb=list,watch", "--resource=pods")
    cluster.kubectl(
        "create", "rolebinding", "-n", namespace, "reader", "--role=reader", f"--serviceaccount={namespace}:reader"
    )
    token = cluster.kubectl("create", "token", "-n", namespace, "reader").strip()
    configuration = await load_configuration(str(cluster.kubeconfig))
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    configuration.refresh_api_key_hook = None
    async with Client(configuration, Metrics()) as reader:
        assert await reader.can_i("watch", PODS, namespace)
        assert not await reader.can_i("watch", PODS)
        assert not await reader.can_i("list", GEMMA_DEPLOYMENTS, namespace)
        assert await reader.list_all(PODS, namespace, project=lambda o: o) == []
        with pytest.raises(ForbiddenError, match="cannot list resource"):
            await reader.list_all(DEPLOYMENTS, namespace, project=lambda o: o)


async def test_nothing_is_written_without_the_lease_and_reads_go_on(client: Client, namespace: str) -> None:
    leading = False
    client.fence(lambda: leading)
    wanted = config_map(namespace, "fenced")
    for write in (
        client.create(CONFIG_MAPS, wanted, manager="gemma-operator"),
        client.apply(CONFIG_MAPS, wanted, manager="gemma-operator"),
        client.patch(CONFIG_MAPS, namespace, "fenced", {"data": {}}, manager="gemma-operator"),
        client.delete(CONFIG_MAPS, wanted | {"metadata": wanted["metadata"] | {"uid": "u", "resourceVersion": "1"}}),
    ):
        with pytest.raises(NotLeadingError, match="the Lease is not held"):
            await write
    assert await client.find(CONFIG_MAPS, namespace, "fenced") is None
    assert await client.can_i("list", PODS)
    leading = True
    await client.create(CONFIG_MAPS, wanted, manager="gemma-operator")


async def test_every_request_is_counted_by_its_answer(cluster: Cluster, namespace: str) -> None:
    metrics = Metrics()
    async with Client(await load_configuration(str(cluster.kubeconfig)), metrics) as client:
        await client.find(CONFIG_MAPS, namespace, "absent")
        await client.create(CONFIG_MAPS, config_map(namespace, "here"), manager="gemma-operator")
    page = metrics.page().decode()
    assert 'rest_client_requests_total{code="404",method="GET"} 1.0' in page
    assert 'rest_client_requests_total{code="201",method="POST"} 1.0' in page


async def test_the_credentials_of_the_pump_reach_the_same_server(cluster: Cluster) -> None:
    current = await credentials_of(await load_configuration(str(cluster.kubeconfig)))
    assert current.server == cluster.server
    assert current.token == cluster.admin_token
    assert current.ca_path is not None
    assert not current.insecure


class Door:
    """A small HTTP server in front of nothing: says what it is told, and counts."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.asked_at: list[float] = []

    async def answer(self, _: web.Request) -> web.Response:
        self.asked_at.append(asyncio.get_running_loop().time())
        return self.answers.pop(0) if self.answers else web.json_response({"items": []})


async def door_and_client(door: Door) -> tuple[web.AppRunner, Client, Metrics]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", door.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
    metrics = Metrics()
    return runner, Client(configuration, metrics), metrics


def refusal(status: int, **headers: str) -> web.Response:
    body = {"kind": "Status", "reason": "TooManyRequests", "message": "slow down"}
    return web.json_response(body, status=status, headers=headers)


async def test_after_a_retry_after_all_requests_wait_as_long() -> None:
    door = Door()
    door.answers = [refusal(429, **{"Retry-After": "1"})]
    runner, client, _ = await door_and_client(door)
    async with client:
        with pytest.raises(ThrottledError) as throttled:
            await client.find(PODS, "team", "a")
        assert throttled.value.retry_after_seconds == 1
        await asyncio.gather(client.find(PODS, "team", "a"), client.find(PODS, "team", "b"))
    await runner.cleanup()
    assert [moment - door.asked_at[0] >= 0.95 for moment in door.asked_at] == [False, True, True]


async def test_a_list_whose_token_expired_begins_anew_and_gives_up_at_last() -> None:
    door = Door()
    first = {"items": [{"metadata": {"name": "a"}}], "metadata": {"continue": "next"}}
    last = {"items": [{"metadata": {"name": "b"}}], "metadata": {}}
    door.answers = [*map(web.json_response, [first]), refusal(410), *map(web.json_response, [first, last])]
    runner, client, _ = await door_and_client(door)
    async with client:
        assert await client.list_all(PODS, project=lambda o: o["metadata"]["name"]) == ["a", "b"]
        door.answers = [refusal(410) for _ in range(3)]
        with pytest.raises(GoneError):
            await client.list_all(PODS, project=lambda o: o)
    await runner.cleanup()


async def test_a_server_that_is_not_there_is_unreachable_and_named_without_its_query() -> None:
    runner, client, metrics = await door_and_client(Door())
    await runner.cleanup()
    async with client:
        with pytest.raises(UnreachableError, match=r"GET http://127.0.0.1:\d+/api/v1/pods: ClientConnectorError$"):
            await client.list_all(PODS, labels="a=b", project=lambda o: o)
    assert 'rest_client_requests_total{code="<error>",method="GET"} 1.0' in metrics.page().decode()


async def test_an_answer_that_is_no_json_is_an_error_of_the_api() -> None:
    door = Door()
    door.answers = [web.Response(text="<html>a proxy says hello</html>")]
    runner, client, _ = await door_and_client(door)
    async with client:
        with pytest.raises(ApiError, match="answer is not JSON"):
            await client.find(PODS, "team", "a")
    await runner.cleanup()

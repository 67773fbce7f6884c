"""The roles of the chart are enough for a whole life, and hold nothing that it does not need."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from e2e.cluster import Cluster
from e2e.cluster.paths import ROOT
from tests.integration.controller.conftest import Room
from tests.integration.faults.process import running_operator
from tests.integration.faults.proxy import FaultProxy, Request, fault_proxy

pytestmark = pytest.mark.integration
Right = tuple[str, str, str]
"""Verb, API group, resource with its sub-resource."""

PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/v[^/]+(?:/namespaces/[^/]+)?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>.+))?)?$"
)
FOR_OTHER_CLUSTERS = {("update", "gemma-operator.io", "gemmadeployments/finalizers")}
"""Checked only where OwnerReferencesPermissionEnforcement is on."""

SELDOM = {
    ("get", "events.k8s.io", "events"),  # an Event that comes again
    ("patch", "events.k8s.io", "events"),
    ("delete", "apps", "controllerrevisions"),  # the fifth record
}
"""Used by the operator on ways that this life does not take; ``test_events`` and ``test_apply`` do."""


@dataclass(frozen=True)
class Account:
    """The chart's service account in a namespace of its own."""

    name: str
    namespace: str
    token: str
    rights: frozenset[Right]


def install_roles(cluster: Cluster, name: str, namespace: str, *values: str) -> Account:
    """Service account, its roles and the policies that confine it, as the chart renders them, and a token."""
    helm = [str(cluster.bin_dir / "helm"), "template", name, str(ROOT / "charts" / "gemma-operator")]
    command = [*helm, "--no-hooks", "--namespace", namespace, *(part for value in values for part in ("--set", value))]
    text = subprocess.run(command, env=cluster.environment, capture_output=True, text=True, check=True).stdout
    kinds = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    kinds |= {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    objects = [item for item in yaml.safe_load_all(text) if item and item["kind"] in kinds]
    cluster.apply(objects)
    bound = {item["roleRef"]["name"] for item in objects if "roleRef" in item}
    rights = {
        (verb, group, resource)
        for item in objects
        if item["metadata"]["name"] in bound
        for rule in item.get("rules") or ()
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    account = next(item["metadata"]["name"] for item in objects if item["kind"] == "ServiceAccount")
    token = cluster.kubectl("-n", namespace, "create", "token", account).strip()
    return Account(account, namespace, token, frozenset(rights))


@pytest.fixture
def system(room: Room) -> Iterator[str]:
    """The operator's own namespace; what the chart put beside it goes with it."""
    name = f"gemma-operator-{room.name}"
    room.cluster.kubectl("create", "namespace", name)
    yield name
    room.cluster.kubectl("delete", "namespace", name, "--wait=false")
    everywhere = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
    room.cluster.kubectl("delete", everywhere, "-l", f"app.kubernetes.io/instance={name}")


def used(answers: list[tuple[Request, int]]) -> set[Right]:
    """The rights that these requests made use of."""
    found: set[Right] = set()
    for request, status in answers:
        match = PATH.match(request.path)
        if match is None or match["plural"] == "selfsubjectaccessreviews" or status == 403:
            continue
        resource = match["plural"] + (f"/{match['sub']}" if match["sub"] else "")
        for verb in _verbs(request, named=match["name"] is not None, created=status == 201):
            found.add((verb, match["group"] or "", resource))
    return found


def _verbs(request: Request, *, named: bool, created: bool) -> tuple[str, ...]:
    if request.method == "GET":
        return ("watch",) if request.watch else ("get",) if named else ("list",)
    by_method: dict[str, tuple[str, ...]] = {"POST": ("create",), "PUT": ("update",), "DELETE": ("delete",)}
    return by_method.get(request.method, ("patch", "create") if created else ("patch",))


def refused(proxy: FaultProxy, room: Room) -> list[str]:
    """What was forbidden; in other namespaces, which may be on their way out, anything may be."""
    elsewhere = re.compile(rf"/namespaces/(?!{room.name}/|gemma-operator-{room.name}/)")
    return sorted(
        f"{request.method} {request.path}"
        for request, status in proxy.answers
        if status == 403 and not elsewhere.search(request.path)
    )


async def live_a_whole_life(room: Room) -> None:
    """Create, change, scale, be edited by somebody, be deleted."""

    def life() -> None:
        room.nodes("L40S", 4)
        room.ask("assistant", contextLength="64K")
        room.wait_ready("assistant", 150)
        room.ask("assistant", contextLength="128K", replicas=2)
        room.wait_ready("assistant", 150)
        sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "spy", "image": "registry.invalid/spy:1"}]}}}}
        room.kubectl("patch", "deployment", "assistant", "--field-manager=somebody", "-p", json.dumps(sidecar))

        def alone() -> bool:
            containers = room.get("deployment", "assistant")["spec"]["template"]["spec"]["containers"]
            return len(containers) == 1

        room.wait("the sidecar to go", alone)
        room.wait_ready("assistant", 150)
        return_a_drained_pod(room)
        room.kubectl("delete", "gemmadeployment", "assistant", "--timeout=20s")

    await asyncio.to_thread(life)


def return_a_drained_pod(room: Room) -> None:
    """What an autoscaler leaves behind that was switched off in the middle of a drain."""
    serving = "gemma-operator.io/serving"
    pod = room.get("pods", "-l", f"{serving}=true")["items"][0]["metadata"]["name"]
    drained = {"labels": {serving: None}, "annotations": {"gemma-operator.io/drain-deadline": "2026-11-24T12:00:00Z"}}
    room.kubectl("patch", "pod", pod, "--type=merge", "-p", json.dumps({"metadata": drained}))
    room.wait("the pod to serve again", lambda: room.get("pod", pod)["metadata"]["labels"].get(serving) == "true")


async def run_as(account: Account, room: Room, tmp_path: Path, watch: str) -> FaultProxy:
    """That life under the account's token; the proxy has seen all of it."""
    options = (f"--namespace={account.namespace}", f"--lease-name={account.name}", f"--watch-namespaces={watch}")
    async with (
        fault_proxy(room.cluster) as proxy,
        running_operator(room.cluster, room.name, proxy.address, tmp_path, *options, token=account.token),
    ):
        await live_a_whole_life(room)
    return proxy


async def test_the_cluster_role_is_enough_and_nothing_of_it_is_idle(room: Room, system: str, tmp_path: Path) -> None:
    account = install_roles(room.cluster, system, system)
    proxy = await run_as(account, room, tmp_path, "")
    assert refused(proxy, room) == []
    assert account.rights - used(proxy.answers) - FOR_OTHER_CLUSTERS - SELDOM == set()


async def test_the_roles_of_one_namespace_are_enough(room: Room, system: str, tmp_path: Path) -> None:
    account = install_roles(room.cluster, system, system, f"watchNamespaces={{{room.name}}}")
    proxy = await run_as(account, room, tmp_path, room.name)
    assert refused(proxy, room) == []

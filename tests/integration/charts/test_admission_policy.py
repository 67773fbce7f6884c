"""The chart's policies on a real API server: the operator's account may do its work there, and nothing else.

The roles alone would let all of this through. Writes are dry runs under the account's name, as somebody with its token
would send them; the API server decides them as it decides real ones.
"""

import functools
import json
import uuid
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.cluster import Cluster, KubectlError
from e2e.waiting import wait_for
from gemma_operator.api import labels
from gemma_operator.manifests.owner import Owner
from tests.integration.charts.helm import one, render
from tests.integration.kube.objects import create_owner
from tests.unit.manifests.examples import OWNER, examples

pytestmark = pytest.mark.integration
BY_POLICY = {
    "owned": "only objects whose controller is a GemmaDeployment",
    "engines": "only as engines are",
    "lease": "only its own Lease",
    "events": "Events about GemmaDeployments only",
    "pods": "only to pods of a GemmaDeployment",
}
KINDS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
KINDS |= {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
EXAMPLES = examples()
OPENED: dict[str, dict[str, Any]] = {
    "the node's network": {"hostNetwork": True},
    "the node's processes": {"hostPID": True, "shareProcessNamespace": False},
    "another account": {"serviceAccountName": "default"},
    "a token": {"automountServiceAccountToken": True},
    "root": {"securityContext": {"runAsNonRoot": False}},
    "a path of the node": {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
    "a token as a volume": {
        "volumes": [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]
    },
    "a privileged container": {"containers": [{"name": "x", "image": "x", "securityContext": {"privileged": True}}]},
    "a container with more rights": {"initContainers": [{"name": "x", "image": "x"}]},
}


@dataclass(frozen=True)
class Confined:
    """The operator's account in a namespace of users, with a GemmaDeployment and pods."""

    cluster: Cluster
    account: str
    lease: str
    owner: Owner

    def placed(self, built: dict[str, Any]) -> dict[str, Any]:
        """An example as it would be made for the GemmaDeployment of this namespace."""
        text = json.dumps(built).replace(OWNER.uid, self.owner.uid)
        moved: dict[str, Any] = json.loads(text)
        moved["metadata"]["namespace"] = self.owner.namespace
        return moved

    def write(self, built: dict[str, Any]) -> None:
        """A dry run under the account, by the verb that its roles give. Raises ``KubectlError``."""
        apply = ("apply", "--server-side", "--force-conflicts", "--field-manager=test")
        verb = ("create",) if built["kind"] == "Lease" else apply
        self.cluster.kubectl(*verb, "--as", self.account, "--dry-run=server", "-f", "-", stdin=json.dumps(built))

    def refusal(self, built: dict[str, Any]) -> str:
        """What the API server says to it; empty when it is let through."""
        try:
            self.write(built)
        except KubectlError as error:
            return str(error)
        return ""

    def object(self, kind: str, name: str, api_version: str = "v1", **fields: Any) -> dict[str, Any]:
        """An object of nobody's in this namespace."""
        meta = {"name": name, "namespace": self.owner.namespace}
        return {"apiVersion": api_version, "kind": kind, "metadata": meta, **fields}

    def event(self, kind: str) -> dict[str, Any]:
        """An Event about an object of some kind."""
        about = {"apiVersion": "v1", "kind": kind, "namespace": self.owner.namespace, "name": "assistant"}
        return self.object(
            "Event",
            f"assistant.{kind.lower()}",
            "events.k8s.io/v1",
            eventTime="2026-11-24T12:00:00.000000Z",
            reportingController="gemma-operator.io/controller",
            reportingInstance="operator-0",
            type="Normal",
            reason="Planned",
            action="Plan",
            note="a note",
            regarding=about,
        )

    def pods(self) -> list[dict[str, Any]]:
        """An engine's pod and somebody's, for no node that there is."""
        spec = {
            "containers": [{"name": "engine", "image": "registry.invalid/engine:1"}],
            "nodeSelector": {"gemma-operator.io/nowhere": "true"},
        }
        engine = {labels.NAME_LABEL: "gemma", labels.DEPLOYMENT_LABEL: "assistant"}
        marks = {"engine": engine | {labels.SERVING_LABEL: "true"}, "somebodys": {"app": "web"}}
        return [{**self.pod(name, labels=those), "spec": spec} for name, those in marks.items()]

    def pod(self, name: str, **metadata: Any) -> dict[str, Any]:
        """A change of a pod's metadata alone, as server-side apply takes it."""
        changed = self.object("Pod", name)
        changed["metadata"] |= metadata
        return changed


@pytest.fixture(scope="module")
def confined(crd_installed: Cluster) -> Iterator[Confined]:
    """Roles and policies of a release of its own, in force, beside an engine's pod and somebody's pod."""
    cluster, namespace = crd_installed, f"confined-{uuid.uuid4().hex[:8]}"
    release = f"gemma-operator-{namespace}"
    cluster.kubectl("create", "namespace", namespace)
    rendered = render(release=release, namespace=namespace, options=("--no-hooks",))
    account = f"system:serviceaccount:{namespace}:{one(rendered, 'ServiceAccount')['metadata']['name']}"
    try:
        cluster.apply(item for item in rendered if item["kind"] in KINDS)
        owner = Owner(namespace, "assistant", create_owner(cluster, namespace)["metadata"]["uid"])
        made = Confined(cluster, account, release, owner)
        wait_for(
            "the default account", lambda: cluster.kubectl("get", "sa", "default", "-n", namespace, "-o", "name"), 30
        )
        cluster.apply(made.pods())
        for name, built in forbidden(made).items():
            wait_for(f"policy {name} to be in force", functools.partial(in_force, made, name, built), 30)
        yield made
    finally:
        everywhere = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
        cluster.kubectl("delete", everywhere, "-l", f"app.kubernetes.io/instance={release}")
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")


def in_force(confined: Confined, policy: str, built: dict[str, Any]) -> bool:
    """A policy takes a moment to reach the API server's admission."""
    return BY_POLICY[policy] in confined.refusal(built)


def forbidden(confined: Confined) -> dict[str, dict[str, Any]]:
    """For each policy, a write that only it stops."""
    return {
        "owned": confined.object("ConfigMap", "mine", data={"a": "b"}),
        "engines": opened(confined, {"hostNetwork": True}),
        "lease": confined.object("Lease", "another", "coordination.k8s.io/v1", spec={"holderIdentity": "me"}),
        "events": confined.event("Pod"),
        "pods": confined.pod("somebodys", labels={labels.SERVING_LABEL: "true"}),
    }


def opened(confined: Confined, change: dict[str, Any]) -> dict[str, Any]:
    """An engine's Deployment with more than an engine has."""
    built = confined.placed(EXAMPLES["deployment"])
    pod = built["spec"]["template"]["spec"]
    # The volumes that are mounted stay: the API server would find fault with the pod before any policy is asked.
    pod |= change | {"volumes": [*pod["volumes"], *change.get("volumes", ())]}
    return built


def test_the_operator_may_do_all_of_its_work(confined: Confined) -> None:
    for built in EXAMPLES.values():
        confined.write(confined.placed(built))
    confined.write(confined.event("GemmaDeployment"))
    confined.write(confined.object("Lease", confined.lease, "coordination.k8s.io/v1", spec={"holderIdentity": "me"}))
    confined.write(confined.pod("engine", labels={labels.SERVING_LABEL: "false"}))
    notes = {
        labels.DRAIN_DEADLINE_ANNOTATION: "2026-11-24T12:00:00Z",
        labels.DELETION_COST_ANNOTATION: "-1",
    }
    confined.write(confined.pod("engine", annotations=notes))


def test_what_belongs_to_others_is_neither_made_nor_changed_nor_deleted(confined: Confined) -> None:
    cluster, namespace = confined.cluster, confined.owner.namespace
    mine = [
        confined.object("ConfigMap", "mine", data={"a": "b"}),
        confined.object("Service", "mine", spec={"ports": [{"port": 80}]}),
        confined.object("ServiceAccount", "mine"),
        confined.object("ControllerRevision", "mine", "apps/v1", revision=1, data={}),
    ]
    for item in mine:
        assert BY_POLICY["owned"] in confined.refusal(item)
    cluster.apply(mine)
    for item in mine:
        changed = deepcopy(item)
        changed["metadata"]["labels"] = {"taken": "over"}
        changed["metadata"]["ownerReferences"] = confined.placed(EXAMPLES["service"])["metadata"]["ownerReferences"]
        assert BY_POLICY["owned"] in confined.refusal(changed), "naming an owner makes it nobody else's"
    with pytest.raises(KubectlError, match=BY_POLICY["owned"]):
        cluster.kubectl("delete", "controllerrevision", "mine", "-n", namespace, "--as", confined.account)


@pytest.mark.parametrize("what", OPENED)
def test_no_pod_gets_more_than_an_engine_has(what: str, confined: Confined) -> None:
    assert BY_POLICY["engines"] in confined.refusal(opened(confined, OPENED[what]))


def test_a_deployment_that_somebody_opened_may_be_put_right(confined: Confined) -> None:
    wide = opened(confined, {"hostNetwork": True})
    wide["spec"]["replicas"] = 0
    confined.cluster.apply([wide])
    confined.write(confined.placed(EXAMPLES["deployment"]))


def test_of_a_pod_only_the_marks_of_a_drain_may_change(confined: Confined) -> None:
    other = "only those of the drain"
    assert other in confined.refusal(confined.pod("engine", labels={labels.NAME_LABEL: "other"}))
    assert other in confined.refusal(confined.pod("engine", annotations={"note": "x"}))
    image = {
        **confined.pod("engine"),
        "spec": {"containers": [{"name": "engine", "image": "registry.invalid/other:1"}]},
    }
    assert "may not change what a pod runs" in confined.refusal(image)


def test_people_are_not_held_to_it(confined: Confined) -> None:
    # Another field manager than who made the pods: leaving out what one owned would take it away.
    apply = ("apply", "--server-side", "--force-conflicts", "--field-manager=people", "--dry-run=server", "-f", "-")
    for built in forbidden(confined).values():
        confined.cluster.kubectl(*apply, stdin=json.dumps(built))

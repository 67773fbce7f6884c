"""Every built object is accepted by a real API server, in a namespace that enforces the restricted standard."""

import json
from copy import deepcopy
from typing import Any

import pytest

from e2e.cluster import Cluster
from e2e.cluster.cluster import KubectlError
from e2e.waiting import wait_for
from tests.unit.manifests.examples import OWNER, examples

pytestmark = pytest.mark.integration

EXAMPLES = examples()
PODS = {name: built for name, built in EXAMPLES.items() if built["kind"] == "Deployment"}


@pytest.fixture
def restricted(cluster: Cluster, namespace: str) -> str:
    """A namespace that refuses every pod below the restricted standard."""
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    wait_for("the default account", lambda: cluster.kubectl("get", "sa", "-o", "name", "-n", namespace) != "", 30)
    return namespace


def dry_run(cluster: Cluster, built: dict[str, Any]) -> dict[str, Any]:
    """What the API server would store."""
    text = cluster.kubectl(
        "create", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-", stdin=json.dumps(built)
    )
    return dict(json.loads(text))


def placed(built: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The object in another namespace."""
    moved = deepcopy(built)
    moved["metadata"]["namespace"] = namespace
    return moved


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_api_server_takes_the_object_and_knows_every_field(name: str, cluster: Cluster, restricted: str) -> None:
    stored = dry_run(cluster, placed(EXAMPLES[name], restricted))
    assert stored["metadata"]["ownerReferences"][0]["uid"] == OWNER.uid


def pod(name: str, namespace: str) -> dict[str, Any]:
    """A pod of a Deployment's template, without what refers to other objects: the standard does not ask for them."""
    template = deepcopy(PODS[name]["spec"]["template"])
    del template["spec"]["serviceAccountName"]
    template["spec"].pop("priorityClassName", None)
    template["metadata"] |= {"name": "engine", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", **template}


@pytest.mark.parametrize("name", PODS)
def test_the_pod_is_admitted_under_the_restricted_standard(name: str, cluster: Cluster, restricted: str) -> None:
    stored = dry_run(cluster, pod(name, restricted))
    assert stored["status"]["qosClass"] == "Burstable"


def test_the_namespace_refuses_the_same_pod_with_one_right_more(cluster: Cluster, restricted: str) -> None:
    engine = pod("deployment", restricted)
    del engine["spec"]["containers"][0]["securityContext"]["capabilities"]
    with pytest.raises(KubectlError, match="violates PodSecurity"):
        dry_run(cluster, engine)

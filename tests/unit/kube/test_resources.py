"""Paths and kinds of what the operator touches."""

import pytest

from gemma_operator.kube.resources import APPLIED, DEPLOYMENTS, NODES, PODS, resource_of


def test_paths_are_those_of_the_api_server() -> None:
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("team", "a") == "/api/v1/namespaces/team/pods/a"
    assert NODES.path("ignored", "n1", "status") == "/api/v1/nodes/n1/status"
    assert DEPLOYMENTS.path("team", "a", "scale") == "/apis/apps/v1/namespaces/team/deployments/a/scale"


def test_a_name_can_not_leave_its_path() -> None:
    assert PODS.path("../kube-system", "a/../b") == "/api/v1/namespaces/..%2Fkube-system/pods/a%2F..%2Fb"


@pytest.mark.parametrize("resource", APPLIED, ids=lambda resource: resource.kind)
def test_a_built_object_finds_its_resource(resource: object) -> None:
    assert resource_of({"apiVersion": resource.api_version, "kind": resource.kind}) is resource


@pytest.mark.parametrize("kind", [("v1", "Secret"), ("v1", "Pod"), ("apps/v1beta1", "Deployment")])
def test_a_kind_that_no_deployment_owns_is_refused(kind: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=f"{kind[0]} {kind[1]} is not a kind that a GemmaDeployment owns"):
        resource_of({"apiVersion": kind[0], "kind": kind[1]})

"""Roles and policies of the chart cover the same: whatever the operator's account may write, a policy holds."""

from collections.abc import Iterator
from typing import Any

import pytest

from gemma_operator.api import labels
from gemma_operator.kube.resources import APPLIED
from tests.integration.charts.helm import KubeObject, render

pytestmark = pytest.mark.integration
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
OF_OUR_OWN_KIND = {
    ("gemma-operator.io", "gemmadeployments/status"),
    ("gemma-operator.io", "gemmadeployments/finalizers"),
}
"""No policy: these can't be anybody else's, and a status is all that is written to."""


@pytest.fixture(scope="module", params=[(), ("team-a",)], ids=["all namespaces", "one namespace"])
def chart(request: pytest.FixtureRequest) -> list[KubeObject]:
    return render({"watchNamespaces": list(request.param)}, options=("--no-hooks",))


def policies(objects: list[KubeObject]) -> dict[str, dict[str, Any]]:
    """Specs of the policies by the last part of their names."""
    found = (item for item in objects if item["kind"] == "ValidatingAdmissionPolicy")
    return {item["metadata"]["name"].rpartition("-")[2]: item["spec"] for item in found}


def held(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """API group and resource of everything that a policy looks at."""
    for rule in spec["matchConstraints"]["resourceRules"]:
        yield from ((group, resource) for group in rule["apiGroups"] for resource in rule["resources"])


def written(objects: list[KubeObject]) -> set[tuple[str, str]]:
    """API group and resource of everything that the operator's roles let it write."""
    bound = {item["roleRef"]["name"] for item in objects if "roleRef" in item}
    return {
        (group, resource)
        for item in objects
        if item["kind"] in {"Role", "ClusterRole"} and item["metadata"]["name"] in bound
        for rule in item["rules"]
        if WRITES & set(rule["verbs"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_whatever_the_roles_let_it_write_a_policy_holds(chart: list[KubeObject]) -> None:
    looked_at = {pair for spec in policies(chart).values() for pair in held(spec)}
    assert written(chart) - OF_OUR_OWN_KIND == looked_at


def test_every_kind_that_a_gemma_deployment_owns_is_held_to_its_owner(chart: list[KubeObject]) -> None:
    assert set(held(policies(chart)["owned"])) == {(resource.group, resource.plural) for resource in APPLIED}


def test_every_verb_that_writes_is_looked_at(chart: list[KubeObject]) -> None:
    operations = {"create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"}
    looked_at = {
        (group, resource, operation)
        for spec in policies(chart).values()
        for rule in spec["matchConstraints"]["resourceRules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for operation in rule["operations"]
    }
    for role in (item for item in chart if item["kind"] in {"Role", "ClusterRole"}):
        if role["metadata"]["name"].endswith(("-view", "-edit")):
            continue
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in set(rule["resources"]) - {name for _, name in OF_OUR_OWN_KIND}:
                    for verb in operations.keys() & set(rule["verbs"]):
                        assert (group, resource, operations[verb]) in looked_at


@pytest.mark.parametrize("name", ["", "another"])
def test_policies_are_for_the_operators_account_alone(name: str) -> None:
    objects = render({"serviceAccount": {"name": name}}, namespace="platform")
    account = f"system:serviceaccount:platform:{name or 'gemma-operator'}"
    for spec in policies(objects).values():
        (condition,) = spec["matchConditions"]
        assert condition["expression"] == f"request.userInfo.username == '{account}'"
        assert spec["failurePolicy"] == "Fail"


def test_the_marks_that_may_change_on_a_pod_are_those_that_the_drain_writes() -> None:
    (changeable,) = (
        item["expression"] for item in policies(render())["pods"]["variables"] if item["name"] == "changeable"
    )
    marks = (labels.SERVING_LABEL, labels.DRAIN_DEADLINE_ANNOTATION, labels.DELETION_COST_ANNOTATION)
    assert changeable == f"[{', '.join(repr(mark) for mark in marks)}]"

"""Whatever an installer chooses, the chart renders objects that a strict API server takes and that fit together."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.chart_tools import NEWEST, OLDEST, broken_monitors, broken_schemas
from tests.integration.charts.helm import KubeObject, RenderError, render
from tests.integration.charts.matrix import CHOICES, STRENGTH, ValueSet, value_sets
from tests.integration.charts.pod_security import pod_specs, violations
from tests.unit.manifests.examples import examples

pytestmark = pytest.mark.integration
PROMETHEUS_OPERATOR = "monitoring.coreos.com/v1"
Renders = list[tuple[ValueSet, list[KubeObject]]]


@pytest.fixture(scope="module")
def renders() -> Renders:
    """All value sets with their objects."""
    sets = value_sets()
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda s: render(s.values, release=s.release, namespace=s.namespace), sets)
        return list(zip(sets, made, strict=True))


def different(renders: Renders) -> list[tuple[str, KubeObject]]:
    """Each object once, with the name of a value set that makes it."""
    found = {json.dumps(item, sort_keys=True): (s.name, item) for s, objects in renders for item in objects}
    return list(found.values())


def of_kind(objects: list[KubeObject], *kinds: str) -> Iterator[KubeObject]:
    return (item for item in objects if item["kind"] in kinds)


def test_every_three_choices_meet_in_at_least_120_value_sets() -> None:
    rows = [tuple(int(part) for part in s.name.split("-")) for s in value_sets()]
    sizes = [len(choices) for choices in CHOICES.values()]
    assert len(set(rows)) >= 120
    for columns in itertools.combinations(range(len(sizes)), STRENGTH):
        met = {tuple(row[column] for column in columns) for row in rows}
        assert met == set(itertools.product(*(range(sizes[column]) for column in columns)))


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_keeps_to_the_strict_schemas(version: str, renders: Renders) -> None:
    objects = different(renders)
    told = broken_schemas([item for _, item in objects], version)
    broken = [
        f"{name}: {item['kind']} {item['metadata']['name']}: {told[position]}"
        for position, (name, item) in enumerate(objects)
        if position in told and item["apiVersion"] != PROMETHEUS_OPERATOR
    ]
    assert broken == []
    assert len(objects) > 500


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_that_the_operator_makes_does_so_too(version: str) -> None:
    made = examples()
    told = broken_schemas(list(made.values()), version)
    assert {name: told[position] for position, name in enumerate(made) if position in told} == {}


def test_the_charts_are_for_these_versions() -> None:
    assert render(options=("--kube-version", OLDEST))
    with pytest.raises(RenderError, match="incompatible with Kubernetes"):
        render(options=("--kube-version", "1.30.9"))


def test_the_prometheus_operator_knows_every_field_of_its_objects(renders: Renders) -> None:
    objects = [item for _, item in different(renders) if item["apiVersion"] == PROMETHEUS_OPERATOR]
    assert {item["kind"] for item in objects} >= {"ServiceMonitor", "PodMonitor"}
    assert broken_monitors(objects) == {}
    typo = {**objects[0], "spec": {**objects[0]["spec"], "selectr": {}}}
    assert set(broken_monitors([objects[0], typo])) == {1}


def test_the_strict_schemas_do_refuse() -> None:
    deployment = next(of_kind(render(), "Deployment"))
    typo = {**deployment, "spec": {**deployment["spec"], "replica": 2}}
    text = {**deployment, "spec": {**deployment["spec"], "replicas": "2"}}
    assert broken_schemas([deployment]) == {}
    assert set(broken_schemas([deployment, typo, text])) == {1, 2}


def test_every_pod_may_run_in_a_restricted_namespace(renders: Renders) -> None:
    specs = [(name, spec) for name, item in different(renders) for spec in pod_specs(item)]
    assert len(specs) > 100
    assert {name: told for name, spec in specs if (told := violations(spec))} == {}


def test_no_two_objects_have_one_name(renders: Renders) -> None:
    for value_set, objects in renders:
        names = Counter(
            (item["apiVersion"], item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
            for item in objects
        )
        assert [name for name, count in names.items() if count > 1] == [], value_set.name


def test_every_selector_finds_the_operators_pods_and_no_others(renders: Renders) -> None:
    for value_set, objects in renders:
        (deployment,) = of_kind(objects, "Deployment")
        pod = deployment["spec"]["template"]["metadata"]["labels"]
        wanted = {"app.kubernetes.io/name": "gemma-operator", "app.kubernetes.io/instance": value_set.release}
        assert deployment["spec"]["selector"]["matchLabels"] == wanted
        assert wanted.items() <= pod.items(), value_set.name
        (service,) = of_kind(objects, "Service")
        assert service["spec"]["selector"] == wanted
        for item in of_kind(objects, "PodDisruptionBudget", "ServiceMonitor"):
            assert item["spec"]["selector"]["matchLabels"] == wanted
        for job in of_kind(objects, "Job"):
            assert not wanted.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def test_every_account_that_is_named_is_made_or_said_to_be_there(renders: Renders) -> None:
    for value_set, objects in renders:
        made = {item["metadata"]["name"] for item in of_kind(objects, "ServiceAccount")} | {"already-there"}
        used = {spec["serviceAccountName"] for item in objects for spec in pod_specs(item)}
        bound = {
            subject["name"]
            for item in of_kind(objects, "RoleBinding", "ClusterRoleBinding")
            for subject in item["subjects"]
        }
        assert used | bound <= made, value_set.name


def test_bindings_name_roles_that_are_there(renders: Renders) -> None:
    for value_set, objects in renders:
        roles = {(item["kind"], item["metadata"]["name"]) for item in of_kind(objects, "Role", "ClusterRole")}
        policies = {item["metadata"]["name"] for item in of_kind(objects, "ValidatingAdmissionPolicy")}
        for item in of_kind(objects, "RoleBinding", "ClusterRoleBinding"):
            assert (item["roleRef"]["kind"], item["roleRef"]["name"]) in roles, value_set.name
        bound = {item["spec"]["policyName"] for item in of_kind(objects, "ValidatingAdmissionPolicyBinding")}
        assert bound == policies, value_set.name


def test_with_namespaces_named_nothing_but_reading_is_granted_outside_of_them(renders: Renders) -> None:
    named = [(s, objects) for s, objects in renders if s.values.get("watchNamespaces")]
    assert len(named) > 30
    for value_set, objects in named:
        people = {"-view", "-edit"}
        for role in of_kind(objects, "ClusterRole"):
            if role["metadata"]["name"][-5:] not in people:
                verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
                assert verbs <= {"list", "watch"}, value_set.name
        inside = {item["metadata"]["namespace"] for item in of_kind(objects, "Role")}
        assert inside <= {*value_set.values["watchNamespaces"], value_set.namespace}


def test_no_right_reads_secrets_or_reaches_into_pods(renders: Renders) -> None:
    forbidden = {"secrets", "pods/log", "pods/exec", "pods/proxy", "pods/portforward", "pods/attach", "*"}
    for value_set, objects in renders:
        for role in of_kind(objects, "Role", "ClusterRole"):
            for rule in role["rules"]:
                assert not forbidden & {*rule["resources"], *rule["verbs"], *rule["apiGroups"]}, value_set.name

"""What counts as drift, and who added what."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.kube.apply import OUR_MANAGERS
from gemma_operator.kube.drift import covers, foreign_fields, owners_of, owns_more

CONTAINER = {"name": "engine", "image": "vllm:1", "args": ["--a", "--b"], "resources": {"limits": {"cpu": "1"}}}


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({"a": 1, "defaulted": True}, {"a": 1}),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}),
        ({"requests": {"memory": "1Gi"}}, {"requests": {"memory": "1024Mi"}}),
        ({"requests": {"memory": "1Gi"}}, {"requests": {"memory": 1073741824}}),
        ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}),
        ({"containers": [CONTAINER | {"terminationMessagePath": "/dev/x"}]}, {"containers": [CONTAINER]}),
        ({"containers": [{"name": "proxy"}, CONTAINER]}, {"containers": [CONTAINER]}),
        ({"ports": [{"port": 8000, "protocol": "TCP", "nodePort": 1}]}, {"ports": [{"port": 8000}]}),
        ({}, {"env": []}),
        ({}, {"labels": {}}),
        ({"emptyDir": {}}, {"emptyDir": {}}),
        ({"spec": {"podSelector": {}}}, {"spec": {"podSelector": {}}}),
        ({"conditions": [{"type": "B"}, {"type": "A", "x": 1}]}, {"conditions": [{"type": "A"}, {"type": "B"}]}),
    ],
)
def test_what_the_server_adds_or_rewrites_is_no_drift(live: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert covers(live, wanted)


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        ({}, {"a": 1}),
        ({"a": 2}, {"a": 1}),
        ({"flag": True}, {"flag": 1}),
        ({"flag": 1}, {"flag": True}),
        ({"text": "1"}, {"text": "2"}),
        ({"limits": {"cpu": "1"}}, {"limits": {"cpu": "2"}}),
        ({"env": [{"name": "STEP", "value": "1000"}]}, {"env": [{"name": "STEP", "value": "1e3"}]}),
        ({"args": ["--b", "--a"]}, {"args": ["--a", "--b"]}),
        ({"args": ["--a", "--b", "--c"]}, {"args": ["--a", "--b"]}),
        ({"containers": [CONTAINER | {"image": "vllm:2"}]}, {"containers": [CONTAINER]}),
        ({"containers": []}, {"containers": [CONTAINER]}),
        ({"env": [{"name": "A"}]}, {"env": []}),
        ({"data": "text"}, {"data": {}}),
        (None, {"a": 1}),
        ({"a": None}, {"a": {"b": 1}}),
    ],
)
def test_what_differs_from_what_we_want_is_drift(live: Any, wanted: dict[str, Any]) -> None:
    assert not covers(live, wanted)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(json_values)
def test_everything_covers_itself(value: Any) -> None:
    assert covers(value, value)


@given(st.dictionaries(st.text(max_size=4), json_values, min_size=1), st.text(min_size=5))
def test_a_map_with_more_still_covers_and_with_less_does_not(value: dict[str, Any], more: str) -> None:
    assert covers(value | {more: "added"}, value)
    assert not covers(value, value | {more: "wanted"})


def entry(manager: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "fieldsV1": fields, **more}


SIDECAR = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"proxy"}': {".": {}, "f:image": {}}}}}}}
TEMPLATE = ("spec", "template")


def found(*entries: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return foreign_fields({"metadata": {"managedFields": list(entries)}}, TEMPLATE, OUR_MANAGERS)


def test_a_sidecar_is_named_with_the_manager_that_added_it() -> None:
    assert found(entry("kubectl-edit", SIDECAR)) == {"kubectl-edit": ("spec.template.spec.containers[name=proxy]",)}


def test_a_changed_field_of_ours_is_named_alone() -> None:
    change = {
        "f:spec": {
            "f:template": {"f:spec": {"f:hostNetwork": {}, "f:containers": {'k:{"name":"engine"}': {"f:image": {}}}}}
        }
    }
    paths = found(entry("kubectl", change))["kubectl"]
    assert set(paths) == {"spec.template.spec.hostNetwork", "spec.template.spec.containers[name=engine].image"}


@pytest.mark.parametrize("manager", sorted(OUR_MANAGERS))
def test_our_own_managers_are_not_foreign(manager: str) -> None:
    assert found(entry(manager, SIDECAR)) == {}


def test_fields_elsewhere_and_writes_of_the_status_are_left_alone() -> None:
    assert found(entry("hpa", {"f:spec": {"f:replicas": {}}})) == {}
    assert found(entry("kube-controller-manager", SIDECAR, subresource="status")) == {}
    assert foreign_fields({"metadata": {}}, TEMPLATE, OUR_MANAGERS) == {}


def test_two_entries_of_one_manager_are_joined() -> None:
    toleration = {"f:spec": {"f:template": {"f:spec": {"f:tolerations": {}}}}}
    paths = found(entry("kubectl", SIDECAR), entry("kubectl", toleration))["kubectl"]
    assert paths == ("spec.template.spec.containers[name=proxy]", "spec.template.spec.tolerations")


WANTED = {
    "metadata": {"labels": {"app": "gemma"}},
    "spec": {"ports": [{"port": 8000, "name": "http"}], "containers": [{"name": "engine", "args": ["--a"]}]},
}
PORT = 'k:{"port":8000,"protocol":"TCP"}'
OWNED = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:ports": {PORT: {".": {}, "f:port": {}, "f:name": {}}},
        "f:containers": {'k:{"name":"engine"}': {".": {}, "f:name": {}, "f:args": {}}},
    },
}


def applied(fields: dict[str, Any]) -> dict[str, Any]:
    ours = {"manager": "gemma-operator", "operation": "Apply", "fieldsV1": fields}
    return {"metadata": {"managedFields": [entry("kubectl", SIDECAR), ours]}}


def test_an_apply_of_exactly_what_we_want_leaves_nothing_over() -> None:
    assert not owns_more(applied(OWNED), WANTED, "gemma-operator")
    assert not owns_more({"metadata": {}}, WANTED, "gemma-operator")


@pytest.mark.parametrize(
    "once_wanted",
    [
        {"f:metadata": {"f:labels": {"f:team": {}}}},
        {"f:metadata": {"f:annotations": {"f:note": {}}}},
        {"f:spec": {"f:ports": {'k:{"port":9000,"protocol":"TCP"}': {".": {}}}}},
        {"f:spec": {"f:containers": {'k:{"name":"engine"}': {"f:command": {}}}}},
        {"f:spec": {"f:containers": {'k:{"name":"proxy"}': {".": {}}}}},
        {"f:metadata": {"f:finalizers": {'v:"a/b"': {}}}},
    ],
    ids=str,
)
def test_what_we_wanted_once_and_want_no_more_is_found(once_wanted: dict[str, Any]) -> None:
    assert owns_more(applied(once_wanted), WANTED, "gemma-operator")


def test_who_owns_a_field_is_found_at_any_depth_and_a_defaulted_one_has_no_owner() -> None:
    scale = {"manager": "kubectl", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    ours = {"manager": "gemma-operator", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {}}}, "f:status": None}}
    deployment = {"metadata": {"managedFields": [scale, ours, {"manager": "empty", "fieldsV1": None}]}}
    assert owners_of(deployment, "spec", "replicas") == (scale,)
    assert owners_of(deployment, "spec", "template", "spec") == (ours,)
    assert owners_of({"metadata": {}}, "spec", "replicas") == ()

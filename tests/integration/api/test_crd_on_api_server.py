"""What the real API server accepts and refuses, with the words that a user reads."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import Cluster, KubectlError
from tests.unit.api.broken_rules import BROKEN_BOUNDS, BROKEN_RULES, FP8_31B, spec_only

pytestmark = pytest.mark.integration

SAMPLES = sorted((Path(__file__).parents[3] / "crds" / "samples").glob("*.yaml"))
TRIED = f"test-{uuid.uuid4().hex[:10]}"
WRITE_256K = "for 262,144 tokens write 256K, not 256k or 256Ki"


@pytest.fixture(scope="module")
def api_server(crd_installed: Cluster) -> Iterator[Cluster]:
    """The cluster with a namespace for what is only tried."""
    crd_installed.kubectl("create", "namespace", TRIED)
    yield crd_installed
    crd_installed.kubectl("delete", "namespace", TRIED, "--wait=false")


def deployment(name: str = "assistant", namespace: str = TRIED, **spec: Any) -> str:
    document = {
        "apiVersion": "gemma-operator.io/v1alpha1",
        "kind": "GemmaDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"contextLength": "256K"} | spec,
    }
    return json.dumps(document)


def dry_run(cluster: Cluster, manifest: str) -> dict[str, Any]:
    output = cluster.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=manifest)
    created: dict[str, Any] = json.loads(output)
    return created


def refusal(cluster: Cluster, manifest: str) -> str:
    with pytest.raises(KubectlError) as refused:
        dry_run(cluster, manifest)
    return str(refused.value)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_accepted_and_only_replicas_is_added(api_server: Cluster, path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        document["metadata"]["namespace"] = TRIED
        created = dry_run(api_server, json.dumps(document))
        assert created["spec"] == {"replicas": 1} | document["spec"]


@pytest.mark.parametrize(
    "spec",
    [
        {"contextLength": 128},
        {"contextLength": 1048576},
        {"contextLength": "1K"},
        {"contextLength": "1024K"},
        {"replicas": 0},
        {"concurrentRequests": 4096},
        {"model": {"modalities": ["Image", "Text"]}},
        {"model": FP8_31B | {"revision": "v1.0"}},
        {"model": FP8_31B | {"source": {"volumeClaim": {"name": "weights", "path": "gemma/31B.v2"}}}},
        {"model": {"modalities": ["Text", "Video"], "media": {"maxItems": 2, "allowedDomains": ["media.example.com"]}}},
        {"model": {"modalities": ["Text", "Image"], "media": {"imageTokens": 1120}}},
        {"accelerators": {"tolerations": [{"operator": "Exists"}, {"key": "nvidia.com/gpu", "value": "yes"}]}},
        {"accelerators": {"nodeSelector": {"topology.kubernetes.io/zone": "a", "pool": ""}}},
        {"engine": {"image": "192.0.2.10:5000/vllm@sha256:" + "0" * 64}},
        {"engine": {"env": [{"name": "B"}, {"name": "A", "value": "1"}]}},
        {"engine": {"pod": {"requests": {"cpu": "500m", "memory": "1.5Gi"}}}},
        {"engine": {"pod": {"requests": {"cpu": 4, "memory": "59Gi"}, "limits": {"cpu": "4500m", "memory": "64G"}}}},
        {
            "engine": {
                "pod": {"labels": {"app.kubernetes.io/part-of": "x", "team": "A_1"}, "annotations": {"a.b/c": "d e"}}
            }
        },
        {"servedModelNames": ["google/gemma-4-31B-it", "gemma4:31b"]},
    ],
    ids=json.dumps,
)
def test_what_is_within_the_rules_is_stored_as_written(api_server: Cluster, spec: dict[str, Any]) -> None:
    created = dry_run(api_server, deployment(**spec))
    assert created["spec"] == {"contextLength": "256K", "replicas": 1} | spec


@pytest.mark.parametrize(
    "written",
    ["256k", "256Ki", "256_000", "262144", "0K", "1025K", "9999K", "01K", "", " 1K", "1K\n"],
)
def test_a_context_length_that_is_no_number_of_tokens_is_refused(api_server: Cluster, written: str) -> None:
    assert WRITE_256K in refusal(api_server, deployment(contextLength=written))


@pytest.mark.parametrize(("spec", "message"), BROKEN_RULES + BROKEN_BOUNDS, ids=spec_only)
def test_a_broken_rule_is_refused_in_words(api_server: Cluster, spec: dict[str, Any], message: str) -> None:
    assert message in refusal(api_server, deployment(**spec))


def test_a_limit_below_its_request_is_refused(api_server: Cluster) -> None:
    """Only here: the models leave the comparison of quantities to the server."""
    pod = {"requests": {"memory": "64Gi"}, "limits": {"memory": "64G"}}
    assert "limits.memory needs requests.memory, not above it" in refusal(api_server, deployment(engine={"pod": pod}))


def test_two_managers_may_each_add_a_variable(api_server: Cluster, namespace: str) -> None:
    for manager, name in (("platform", "A"), ("team", "B")):
        manifest = deployment(namespace=namespace, engine={"env": [{"name": name, "value": "1"}]})
        api_server.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=manifest)
    env = api_server.get("gd", "assistant", "-n", namespace)["spec"]["engine"]["env"]
    assert {variable["name"] for variable in env} == {"A", "B"}


@pytest.mark.parametrize("name", ["gemma-4.1", "4gemma", "a" * 41])
def test_a_name_that_no_service_can_have_is_refused(api_server: Cluster, name: str) -> None:
    assert "metadata.name becomes the name of a Service" in refusal(api_server, deployment(name))


def test_a_misspelt_field_is_refused_by_name(api_server: Cluster) -> None:
    assert 'unknown field "spec.contextLenght"' in refusal(api_server, deployment(contextLenght="256K"))
    assert 'unknown field "spec.model.quantisation"' in refusal(api_server, deployment(model={"quantisation": "FP8"}))


def test_a_misspelt_field_in_a_server_side_apply_is_refused_too(api_server: Cluster) -> None:
    with pytest.raises(KubectlError, match=r"\.spec\.replica: field not declared in schema"):
        api_server.kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=deployment(replica=2))


def test_integers_in_other_notations_of_yaml_arrive_as_tokens(api_server: Cluster) -> None:
    for notation in ("262144", "0x40000"):
        created = dry_run(api_server, deployment().replace('"256K"', notation).replace('"', ""))
        assert created["spec"]["contextLength"] == 262144


def test_replicas_are_read_and_written_through_scale(api_server: Cluster, namespace: str) -> None:
    kubectl = api_server.kubectl
    kubectl("create", "-n", namespace, "-f", "-", stdin=deployment(namespace=namespace))
    path = f"/apis/gemma-operator.io/v1alpha1/namespaces/{namespace}/gemmadeployments/assistant"
    status = {"status": {"replicas": 1, "selector": "gemma-operator.io/deployment=assistant"}}
    kubectl(
        "patch", "gemma", "assistant", "-n", namespace, "--subresource=status", "--type=merge", "-p", json.dumps(status)
    )
    scale = json.loads(kubectl("get", "--raw", f"{path}/scale"))
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 1, "selector": "gemma-operator.io/deployment=assistant"}

    kubectl("scale", "gemma", "assistant", "-n", namespace, "--replicas=3")
    live = json.loads(kubectl("get", "--raw", path))
    assert live["spec"] == {"contextLength": "256K", "replicas": 3}
    assert live["metadata"]["generation"] == 2
    with pytest.raises(KubectlError, match="should be less than or equal to 1000"):
        kubectl("scale", "gemma", "assistant", "-n", namespace, "--replicas=1001")


def test_writing_the_status_leaves_the_generation_alone(api_server: Cluster, namespace: str) -> None:
    kubectl = api_server.kubectl
    kubectl("create", "-n", namespace, "-f", "-", stdin=deployment(namespace=namespace))
    change = json.dumps(
        {"spec": {"contextLength": "1K"}, "status": {"observedGeneration": 1, "summary": {"gpus": "2"}}}
    )
    kubectl("patch", "gd", "assistant", "-n", namespace, "--subresource=status", "--type=merge", "-p", change)
    live = api_server.get("gd", "assistant", "-n", namespace)
    assert live["metadata"]["generation"] == 1
    assert live["spec"]["contextLength"] == "256K"
    assert live["status"]["summary"] == {"gpus": "2"}


def test_kubectl_explains_every_field(api_server: Cluster) -> None:
    text = api_server.kubectl("explain", "gemmadeployment.spec.contextLength")
    assert "never shortened" in text
    whole = api_server.kubectl("explain", "gemmadeployment", "--recursive")
    for field in ("kvCacheDtype", "maxPerReplica", "apiKeySecretRef", "proposedPlan", "observedGeneration"):
        assert field in whole


def test_kubectl_get_shows_the_columns(api_server: Cluster, namespace: str) -> None:
    manifest = deployment(namespace=namespace)
    api_server.kubectl("create", "-n", namespace, "-f", "-", stdin=manifest)
    head, row = api_server.kubectl("get", "gemma", "-n", namespace).splitlines()
    assert head.split() == ["NAME", "CONTEXT", "MODEL", "GPUS", "READY", "STATUS", "AGE"]
    assert row.split()[:2] == ["assistant", "256K"]

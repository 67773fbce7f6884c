"""Every engine pod is admitted in a namespace that enforces the restricted Pod Security Standard."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from gemma_operator.vllm.environment import environment
from tests.unit.manifests.examples import claim_plan, claim_settings, hub_plan, hub_settings, template
from tests.unit.manifests.restricted import violations

PODS = {
    "hub": template(hub_plan(), hub_settings())["spec"],
    "everything": template(claim_plan(), claim_settings())["spec"],
}
everywhere = pytest.mark.parametrize("spec", PODS.values(), ids=list(PODS))


@everywhere
def test_no_control_of_the_restricted_standard_is_broken(spec: dict[str, Any]) -> None:
    assert violations(spec) == []


@pytest.mark.parametrize(
    ("break_it", "control"),
    [
        (lambda spec, engine: spec.update(hostNetwork=True), "Host Namespaces"),
        (lambda spec, engine: spec["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "HostPath Volumes"),
        (lambda spec, engine: spec["volumes"].append({"name": "x", "nfs": {}}), "Volume Types"),
        (lambda spec, engine: spec["securityContext"].pop("runAsNonRoot"), "Running as Non-root"),
        (lambda spec, engine: spec["securityContext"].pop("seccompProfile"), "Seccomp"),
        (lambda spec, engine: spec["securityContext"].update(runAsUser=0), "Running as Non-root user"),
        (lambda spec, engine: engine["securityContext"].update(privileged=True), "Privileged Containers"),
        (lambda spec, engine: engine["securityContext"].pop("capabilities"), "Capabilities"),
        (lambda spec, engine: engine["securityContext"].pop("allowPrivilegeEscalation"), "Privilege Escalation"),
        (lambda spec, engine: engine["ports"][0].update(hostPort=80), "Host Ports"),
        (lambda spec, engine: spec.update(initContainers=[{"name": "bare"}]), "Capabilities"),
    ],
)
def test_the_check_sees_each_control_broken(break_it: Callable[..., None], control: str) -> None:
    spec = deepcopy(PODS["hub"])
    break_it(spec, spec["containers"][0])
    assert control in violations(spec)


@everywhere
def test_the_root_is_read_only_and_every_writable_path_is_a_volume_with_a_limit(spec: dict[str, Any]) -> None:
    engine = spec["containers"][0]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert engine["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {
        mount["mountPath"]: volumes[mount["name"]] for mount in engine["volumeMounts"] if not mount.get("readOnly")
    }
    assert set(writable) == {"/scratch", "/dev/shm"}
    assert all(volume["emptyDir"]["sizeLimit"] for volume in writable.values())
    assert writable["/dev/shm"]["emptyDir"]["medium"] == "Memory"


def test_every_path_that_the_environment_names_is_mounted() -> None:
    mounts = [mount["mountPath"] for mount in PODS["everything"]["containers"][0]["volumeMounts"]]
    paths = [value for _, value in environment(claim_plan().launch) if value.startswith("/")]
    assert len(paths) > 5
    assert [path for path in paths if not path.startswith(tuple(mounts))] == []


@everywhere
def test_the_pod_has_no_token_no_service_links_and_a_high_user(spec: dict[str, Any]) -> None:
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsUser"] >= 10000


@everywhere
def test_no_secret_is_in_the_clear(spec: dict[str, Any]) -> None:
    engine = spec["containers"][0]
    assert not [
        item for item in engine["args"] if "key" in item.lower() or "token" in item.lower().replace("tokens", "")
    ]
    values = {item["name"]: item for item in engine["env"]}
    if "VLLM_API_KEY" in values:
        assert values["VLLM_API_KEY"]["valueFrom"] == {"secretKeyRef": {"name": "assistant-key", "key": "token"}}


@everywhere
def test_the_pod_is_not_the_first_to_be_evicted_and_asks_for_its_gpus(spec: dict[str, Any]) -> None:
    resources = spec["containers"][0]["resources"]
    assert {"cpu", "memory", "ephemeral-storage"} <= resources["requests"].keys()
    assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"]

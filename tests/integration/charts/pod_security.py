"""The restricted Pod Security Standard, rule by rule (kubernetes.io/docs/concepts/security/pod-security-standards).

For pods of Linux nodes. The baseline rules that the restricted ones do not imply are part of it.
"""

from collections.abc import Iterator
from typing import Any

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"}
PROFILES = {"RuntimeDefault", "Localhost"}


def pod_specs(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The pod specs in an object: its own, or its template's."""
    spec = item.get("spec") or {}
    if item["kind"] == "Pod":
        yield spec
    elif "template" in spec and "spec" in spec["template"]:
        yield spec["template"]["spec"]
    elif "jobTemplate" in spec:
        yield spec["jobTemplate"]["spec"]["template"]["spec"]


def violations(spec: dict[str, Any]) -> list[str]:
    """What the standard would refuse; empty for a pod that a restricted namespace takes."""
    return [*_of_pod(spec), *(f"{c['name']}: {told}" for c in _containers(spec) for told in _of_container(c, spec))]


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for kind in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(kind) or ()]


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    yield from (field for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field))
    for volume in spec.get("volumes") or ():
        if kinds := set(volume) - {"name"} - VOLUMES:
            yield f"volume {volume['name']} of {kinds}"
    context = spec.get("securityContext") or {}
    yield from (f"sysctl {entry['name']}" for entry in context.get("sysctls") or () if entry["name"] not in SYSCTLS)


def _of_container(container: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    pod, own = spec.get("securityContext") or {}, container.get("securityContext") or {}
    context = pod | own
    capabilities = own.get("capabilities") or {}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if context.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if context.get("runAsUser") == 0:
        yield "runAsUser 0"
    if (context.get("seccompProfile") or {}).get("type") not in PROFILES:
        yield "seccompProfile"
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "capabilities.drop lacks ALL"
    if set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield "capabilities.add"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    yield from (f"hostPort {port['hostPort']}" for port in container.get("ports") or () if port.get("hostPort"))

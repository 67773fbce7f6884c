"""The *restricted* Pod Security Standard as a function: a pod spec in, its violations out.

Every control of the standard that a Linux pod can break, by the names that its documentation uses.
"""

from collections.abc import Iterator
from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECCOMP = {"RuntimeDefault", "Localhost"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
           "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range"}  # fmt: skip


def violations(spec: dict[str, Any]) -> list[str]:
    """Names of the controls that the pod spec breaks."""
    return sorted(
        {*_of_pod(spec), *(name for container in _containers(spec) for name in _of_container(spec, container))}
    )


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec["containers"], *spec.get("initContainers", ()), *spec.get("ephemeralContainers", ())]


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    context = spec.get("securityContext", {})
    if any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "Host Namespaces"
    for volume in spec.get("volumes", ()):
        if "hostPath" in volume:
            yield "HostPath Volumes"
        if not volume.keys() - {"name"} <= VOLUMES:
            yield "Volume Types"
    if any(sysctl["name"] not in SYSCTLS for sysctl in context.get("sysctls", ())):
        yield "Sysctls"
    if context.get("runAsUser") == 0:
        yield "Running as Non-root user"


def _of_container(spec: dict[str, Any], container: dict[str, Any]) -> Iterator[str]:
    pod, own = spec.get("securityContext", {}), container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "Privileged Containers"
    if "ALL" not in capabilities.get("drop", ()) or set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
        yield "Capabilities"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "Host Ports"
    if own.get("procMount", "Default") != "Default":
        yield "/proc Mount Type"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation"
    if not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield "Running as Non-root"
    if own.get("runAsUser") == 0:
        yield "Running as Non-root user"
    if own.get("seccompProfile", pod.get("seccompProfile", {})).get("type") not in SECCOMP:
        yield "Seccomp"
    probes = (container.get(name, {}) for name in ("startupProbe", "readinessProbe", "livenessProbe"))
    if any(probe.get("httpGet", {}).get("host") for probe in probes):
        yield "Host Probes / Lifecycle Hooks"

"""Removes what a stopped or crashed cluster left behind: processes, containers, mounts, interfaces, firewall rules.

Everything is looked for by what this cluster alone makes, so that other containers of the machine stay as they
are; anything that is gone already is fine.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.paths import API_PORT, CONTAINERD_SOCKET, NETWORK_NAME, NODE_ADDRESS, STATE
from e2e.cluster.ports import is_taken
from e2e.cluster.processes import end_all, processes_of

PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "containerd",
    "kubelet",
    "kube-proxy",
    "gpu-device-plugin",
)
SHIMS = ("containerd-shim-runc-v2",)
CONTAINER_LOG_LINKS = Path("/var/log/containers")
"""The kubelet writes these links there whatever its configuration says."""
NETWORK_RESULTS = Path("/var/lib/cni/results")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
"""Fixed in the kubelet's source, whatever its root folder is."""
OURS = re.compile(r"\b(KUBE|CNI|GEMMA)-")


def clean_up() -> None:
    """Remove the leftovers; the stored images stay. Raises ``RuntimeError`` when a process does not end."""
    end_all(lambda: processes_of(PROGRAMS, STATE))
    # containerd's shims outlive it, and with them the containers.
    end_all(lambda: processes_of(SHIMS, CONTAINERD_SOCKET))
    _unmount_below(STATE)
    if STATE.exists():
        _remove_firewall_rules()
        _remove_control_groups()
        for left in DEVICE_PLUGINS.glob("*"):
            left.unlink(missing_ok=True)
    for left in NETWORK_RESULTS.glob(f"{NETWORK_NAME}-*"):
        left.unlink(missing_ok=True)
    shutil.rmtree(STATE, ignore_errors=True)
    _remove_dangling_log_links()
    if not is_taken(API_PORT):  # else a cluster of another folder stands on the address
        subprocess.run(["ip", "addr", "del", f"{NODE_ADDRESS}/32", "dev", "lo"], capture_output=True, check=False)


def _unmount_below(folder: Path) -> None:
    """Deepest mounts first; lazily, since a dying process may still hold one.

    Pods' network namespaces are mounts below the folder too: with the last of a namespace its interfaces go.
    """
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _remove_firewall_rules() -> None:
    """Drop the chains of kube-proxy, of the port mapper and of this cluster, and the rules that jump to them."""
    for family in ("iptables", "ip6tables"):
        if shutil.which(f"{family}-save") is None:
            continue
        for table in ("nat", "filter", "mangle"):
            command = [f"{family}-save", "-t", table]
            saved = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if OURS.search(saved):
                kept = "".join(line for line in saved.splitlines(keepends=True) if not OURS.search(line))
                command = [f"{family}-restore", "-T", table]
                subprocess.run(command, input=kept, capture_output=True, text=True, check=False)


def _remove_control_groups() -> None:
    """The kubelet's groups, from the innermost; one that still holds a process stays, as the kernel has it."""
    groups = Path("/sys/fs/cgroup")
    for top in (groups / "kubepods", *groups.glob("*/kubepods")):
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                continue


def _remove_dangling_log_links() -> None:
    for link in CONTAINER_LOG_LINKS.glob("*.log"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{STATE}/"):
            link.unlink(missing_ok=True)

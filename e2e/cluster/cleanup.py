"""Removes what a stopped or crashed cluster left behind: containers, mounts, interfaces, firewall rules.

Everything is looked for by what this cluster alone makes; anything that is gone already is fine.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from e2e.cluster.paths import CONTAINERD_SOCKET, KUBELET_ROOT, NODE_ADDRESS, STATE
from e2e.waiting import wait_for

NETWORK_STATE = (Path("/var/lib/cni/networks/pods"), Path("/var/lib/cni/results"))
CHAINS = re.compile(r"^:(KUBE-[A-Z0-9-]+|CNI-[A-Za-z0-9-]+) ", re.MULTILINE)


def clean_up() -> None:
    """Remove the leftovers; the stored images stay."""
    _end_shims()
    _remove_network_namespaces()
    _unmount_below(KUBELET_ROOT)
    _unmount_below(STATE)
    _remove_firewall_rules()
    for folder in (*NETWORK_STATE, STATE):
        shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["ip", "addr", "del", f"{NODE_ADDRESS}/32", "dev", "lo"], capture_output=True, check=False)


def _end_shims() -> None:
    """containerd's shims outlive it, and with them the containers."""
    found = _processes_naming(str(CONTAINERD_SOCKET))
    for pid in found:
        _kill_tree(pid)
    if found:
        wait_for("containerd's shims to end", lambda: not _processes_naming(str(CONTAINERD_SOCKET)), 20)


def _processes_naming(text: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if text in command and "containerd-shim" in command:
                found.append(int(entry.name))
    return found


def _kill_tree(pid: int) -> None:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        children = []
    for child in children:
        _kill_tree(int(child))
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _unmount_below(folder: Path) -> None:
    """Deepest mounts first; lazily, since a dying process may still hold one."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(f"{folder}/")), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _remove_network_namespaces() -> None:
    """Pods' namespaces, and with them both ends of their interfaces."""
    for namespace in Path("/run/netns").glob("cni-*"):
        subprocess.run(["ip", "netns", "delete", namespace.name], capture_output=True, check=False)


def _remove_firewall_rules() -> None:
    """Drop the chains of kube-proxy and of the port mapper, and the rules that jump to them."""
    if shutil.which("iptables-save") is None:
        return
    for table in ("nat", "filter", "mangle"):
        saved = subprocess.run(["iptables-save", "-t", table], capture_output=True, text=True, check=False).stdout
        chains = CHAINS.findall(saved)
        if not chains:
            continue
        ours = re.compile(r"(KUBE-|CNI-)")
        kept = [line for line in saved.splitlines() if not ours.search(line)]
        text = "\n".join(kept) + "\n"
        subprocess.run(["iptables-restore", "-T", table], input=text, capture_output=True, text=True, check=False)

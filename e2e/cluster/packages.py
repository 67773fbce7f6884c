"""What the machine must have: root, and Debian packages that are installed when they are missing."""

import os
import shutil
import subprocess
from typing import Literal

from e2e.progress import step

Mode = Literal["control-plane", "full"]

CONTROL_PLANE = {"ip": "iproute2", "openssl": "openssl"}
REAL_NODE = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "umount": "mount",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


def missing_packages(mode: Mode) -> list[str]:
    """Packages whose program is not on this machine."""
    needed = CONTROL_PLANE | (REAL_NODE if mode == "full" else {})
    return [package for program, package in needed.items() if shutil.which(program) is None]


def prepare_machine(mode: Mode) -> None:
    """Install what is missing.

    Raises ``RuntimeError`` without root or off Debian, with what cannot run here and why.
    """
    parts = "the control plane" if mode == "control-plane" else "the control plane and the real node"
    if os.geteuid() != 0:
        raise RuntimeError(
            f"{parts} cannot run here: root is needed for the node's address on the loopback device"
            + (", containers and firewall rules" if mode == "full" else "")
        )
    missing = missing_packages(mode)
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise RuntimeError(f"{parts} cannot run here: {', '.join(missing)} missing and this is not a Debian (no apt)")
    with step(f"installing {', '.join(missing)}"):
        _apt_get("update", "-qq")
        _apt_get("install", "-y", "-qq", "--no-install-recommends", *missing)
    # Debian starts containerd as a service where there is an init; the cluster runs its own.
    if "containerd" in missing and shutil.which("systemctl"):
        subprocess.run(["systemctl", "disable", "--now", "containerd"], capture_output=True, check=False)


def _apt_get(*arguments: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"apt-get {' '.join(arguments)} failed:\n{result.stderr[-2000:]}")

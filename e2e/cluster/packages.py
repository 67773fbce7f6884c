"""Debian packages that the real node needs, installed when they are missing."""

import os
import shutil
import subprocess

from e2e.progress import step

NEEDED = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "socat": "socat",
    "openssl": "openssl",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
}


def missing_packages() -> list[str]:
    """Packages whose program is not on this machine."""
    return [package for program, package in NEEDED.items() if shutil.which(program) is None]


def install_packages() -> None:
    """Install what is missing. Raises ``RuntimeError`` off Debian or without root, naming the packages."""
    missing = missing_packages()
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(f"needed are {', '.join(missing)}: install them, or run as root on Debian")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installing {', '.join(missing)}"):
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
        ):
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr[-2000:]}")
        # Debian starts containerd as a service where there is an init; the cluster runs its own.
        if shutil.which("systemctl"):
            subprocess.run(["systemctl", "disable", "--now", "containerd"], capture_output=True, check=False)

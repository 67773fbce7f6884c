"""Images into containerd's store without a registry, and what runs of them."""

import contextlib
import subprocess
from collections.abc import Callable
from typing import IO

from e2e.cluster.paths import CONTAINERD_SOCKET

CTR = ("ctr", "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", "images")


def has_image(reference: str) -> bool:
    """Whether the store has the image."""
    listing = subprocess.run([*CTR, "list", "--quiet"], capture_output=True, text=True, check=True)
    return reference in listing.stdout.split()


def import_image(write: Callable[[IO[bytes]], object]) -> None:
    """Import what ``write`` writes, an OCI layout in a tar, as it is written: no copy on disk."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*CTR, "import", "-"], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("ctr has no pipes")
        with contextlib.suppress(BrokenPipeError):
            write(process.stdin)
        process.stdin.close()
        output = process.stdout.read().decode(errors="replace")
    if process.returncode != 0:
        raise RuntimeError(f"ctr images import failed: {output[-2000:]}")


def container_process(container_id: str) -> int:
    """Process id on this machine of a running container, by the ``containerID`` that a pod's status shows."""
    identity = container_id.removeprefix("containerd://")
    command = [*CTR[:-1], "tasks", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines()[1:]:
        task, process, state = line.split()
        if task == identity and state == "RUNNING":
            return int(process)
    raise RuntimeError(f"containerd runs no container {identity}")

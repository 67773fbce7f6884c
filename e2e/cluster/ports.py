"""Refuses to start beside another cluster: its ports would answer for ours."""

import errno
import socket
import subprocess
from collections.abc import Iterable


def refuse_taken_ports(program: str, ports: Iterable[int]) -> None:
    """Raise ``RuntimeError`` naming who listens where ``program`` wants to."""
    for port in ports:
        if is_taken(port):
            raise RuntimeError(
                f"port {port}, which {program} needs, is taken by {_listener(port)}. Another cluster of this kind? "
                "Stop it first, with `python -m e2e.cluster down` in its own folder"
            )


def is_taken(port: int) -> bool:
    """Whether somebody listens on the TCP port, at whatever address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _listener(port: int) -> str:
    command = ["ss", "-H", "-l", "-t", "-n", "-p", f"sport = :{port}"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    except FileNotFoundError:
        lines = []
    holders = {line.rpartition("users:")[2] for line in lines if "users:" in line}
    return ", ".join(sorted(holders)) or "another process"

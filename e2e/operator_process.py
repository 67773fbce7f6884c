"""The operator as a process of this machine, against the local cluster: as a test or a developer runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e.cluster import Cluster
from e2e.waiting import wait_for


class OperatorProcess:
    """One ``gemma-operator`` that serves one namespace, with a Lease of its own there."""

    def __init__(self, cluster: Cluster, namespace: str, log: Path, *more: str, server: str | None = None) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._more = more
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self.log = log
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it is ready."""
        self.port = _free_port()
        command = [
            sys.executable,
            "-c",
            "from gemma_operator.controller.main import main; main()",
            f"--namespace={self._namespace}",
            f"--watch-namespaces={self._namespace}",
            f"--listen=127.0.0.1:{self.port}",
            f"--kubeconfig={self._kubeconfig()}",
            *self._more,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | {"PYTHONUNBUFFERED": "1"}
            )
        wait_for("the operator to be ready", self._ready, 40, describe=lambda: self.log.read_text()[-3000:])

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, or kill it; returns its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(sent)
        code = self._process.wait(timeout=40)
        self._process = None
        return code

    def peak_memory_bytes(self) -> int:
        """The most that was resident so far."""
        if self._process is None:
            raise RuntimeError("the operator does not run")
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def _ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the operator ended with {self._process.returncode}")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as response:
            return bool(response.status == 200)

    def _kubeconfig(self) -> Path:
        if self._server is None:
            return self._cluster.kubeconfig
        document = json.loads(self._cluster.kubeconfig.read_text())
        document["clusters"][0]["cluster"] = {"server": self._server}
        path = self.log.with_suffix(".kubeconfig")
        path.write_text(json.dumps(document))
        return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

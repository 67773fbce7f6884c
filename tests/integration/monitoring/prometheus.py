"""A real Prometheus with the chart's rules, scraping targets that a test names.

A target is an address and the labels that discovery would add, so that the same queries can be asked of pages that were
recorded and of engines and an operator that run.
"""

import json
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from e2e.waiting import wait_for
from tests.integration.monitoring.programs import RULES, program

START_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """What to scrape. ``keeps_labels`` is what a ServiceMonitor calls honorLabels."""

    job: str
    address: str
    labels: dict[str, str] = field(default_factory=dict)
    keeps_labels: bool = False


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def get(self, path: str, **parameters: str) -> Any:
        """``data`` of an answer. An ``AssertionError`` holds the server's words where it refused."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{parameters}: {refused.read().decode()}") from refused

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All rules with their health."""
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


@contextmanager
def running(folder: Path, targets: Sequence[Target], *, seconds: int = 1) -> Iterator[Prometheus]:
    """A server in ``folder`` that scrapes and evaluates every ``seconds``; ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "global": {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [str(RULES / "*.yaml")],
        "scrape_configs": [
            {
                "job_name": target.job,
                "honor_labels": target.keeps_labels,
                "static_configs": [{"targets": [target.address], "labels": target.labels}],
            }
            for target in targets
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [
        str(program("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = Prometheus(f"http://127.0.0.1:{port}")
            ready = lambda: process.poll() is not None or is_ready(server.url)  # noqa: E731
            wait_for("Prometheus to be ready", ready, START_SECONDS, describe=(folder / "log").read_text)
            assert process.poll() is None, (folder / "log").read_text()
            yield server
        finally:
            process.terminate()


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

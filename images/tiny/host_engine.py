"""A tiny engine on this machine, started with exactly the arguments of the operator's plan.

For conformance tests: the pod's scripts are on its path too, so that what is measured is what runs in a pod.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster.paths import CACHE, ROOT
from e2e.waiting import wait_for
from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.parse import extend
from gemma_operator.catalog.precision import Modality
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.vllm.environment import environment
from images.engine import engine_environment
from images.tiny.models import tiny_models
from images.tiny.shapes import CARD_GIB, products_text

BOOT_SECONDS = 300
TEXT = frozenset({Modality.TEXT})


def plan_tiny(
    name: str, context_tokens: int, gpus: int = 1, card_gib: float = CARD_GIB, modalities: frozenset[Modality] = TEXT
) -> Plan:
    """The operator's plan for a tiny checkpoint on ``gpus`` simulated cards of ``card_gib`` each.

    Raises ``RuntimeError`` with the reasons when nothing fits.
    """
    folder = tiny_models()
    catalog = builtin_catalog()
    catalog = extend(catalog, "catalog.yaml", (folder / "catalog.yaml").read_text())
    catalog = extend(catalog, "products.yaml", products_text(card_gib))
    checkpoint = next(item for item in catalog.checkpoints if item.id == f"gemma-operator/{name}")
    ask = Ask(
        context_tokens,
        variant=checkpoint.variant,
        checkpoint=checkpoint.id,
        model_path=str(folder / name),
        served_model_names=("tiny",),
        modalities=modalities,
    )
    cards = GpuNodes(match_product(catalog.products, "Simulated-CPU"), gpus, 1)
    decision = plan(Snapshot(ask, Inventory((cards,)), catalog))
    if decision.plan is None:
        raise RuntimeError("; ".join(rejection.message for rejection in decision.rejected))
    return decision.plan


@dataclass(frozen=True)
class HostEngine:
    """A running engine."""

    plan: Plan
    url: str

    def text(self, path: str) -> str:
        """A page."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as response:
            return str(response.read().decode())

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """A request with a JSON answer."""
        return json.loads(self._send(path, body))

    def stream(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """A streamed request: its events, parsed."""
        lines = self._send(path, body | {"stream": True}).splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    def _send(self, path: str, body: dict[str, Any]) -> str:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as response:
            return str(response.read().decode())


@contextmanager
def host_engine(chosen: Plan, log: Path) -> Iterator[HostEngine]:
    """Boot, yield, and end the engine with everything that it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = list(chosen.args)
    arguments[arguments.index("--port") + 1] = port
    here = engine_environment()
    scripts = ROOT / "operator" / "gemma_operator" / "pod_scripts"
    kept = {"VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS", "HF_HUB_OFFLINE", "VLLM_CPU_OMP_THREADS_BIND", "VLLM_NO_USAGE_STATS"}
    settings = {name: value for name, value in environment(chosen.launch) if name in kept}
    variables = here | settings | {"PYTHONPATH": f"{here['PYTHONPATH']}:{scripts}", "HOME": str(CACHE / "home")}
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", *arguments, "--host", "127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output, start_new_session=True)
    engine = HostEngine(chosen, f"http://127.0.0.1:{port}")

    def healthy() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"the engine ended with {process.returncode}")
        return engine.text("/health") == ""

    try:
        wait_for("the engine to answer", healthy, BOOT_SECONDS, 0.5, describe=lambda: log.read_text()[-4000:])
        yield engine
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)

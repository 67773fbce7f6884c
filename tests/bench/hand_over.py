"""One operator takes over from another that is stopped or killed, while GemmaDeployments keep coming.

Called by ``make bench`` for its times and by an integration test for what must not happen: that anything is done twice.
"""

import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from e2e.cluster import Cluster
from e2e.cluster.nodes import simulated_gpu_nodes
from e2e.operator_process import OperatorProcess
from e2e.progress import step
from e2e.waiting import wait_for
from tests.bench.figures import Figure
from tests.integration.alone import stand_alone

CRD = Path(__file__).parents[2] / "crds" / "gemmadeployments.yaml"
LABEL = "gemma-hand-over"
STOPS, KILLS = 10, 3
LEADS = "Started leading"
SAID = (LEADS, "Started gemma-operator", "Stopped leading", "Lost the Lease")
AIMS_SECONDS = {signal.SIGTERM: 3, signal.SIGKILL: 20}


@dataclass(frozen=True, slots=True)
class HandOver:
    """The signal that one operator got, and the seconds until the other led."""

    sent: signal.Signals
    seconds: float


def measure() -> Iterator[Figure]:
    """The longest hand-over of each kind, and how often something was done twice. Cleans up behind itself."""
    cluster, namespace = stand_alone(Cluster.ensure("control-plane")), f"hand-over-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    cluster.kubectl("create", "namespace", namespace)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with step(f"{STOPS + KILLS} hand-overs under work"):
                signals = [signal.SIGTERM] * STOPS + [signal.SIGKILL] * KILLS
                found, asked = hand_overs(cluster, namespace, Path(folder), signals)
            for sent, aim in AIMS_SECONDS.items():
                times = [one.seconds for one in found if one.sent is sent]
                yield Figure(f"longest of {len(times)} hand-overs after {sent.name}", max(times), "s", aim)
            yield Figure(f"objects made twice for {len(asked)} asks", len(made_twice(cluster, namespace)), "", 0)
        finally:
            remove(cluster, namespace)


def remove(cluster: Cluster, namespace: str) -> None:
    """What ``hand_overs`` needed."""
    cluster.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
    cluster.kubectl("delete", "nodes", "-l", f"{LABEL}={namespace}", "--wait=false")


def hand_overs(
    cluster: Cluster, namespace: str, folder: Path, signals: Sequence[signal.Signals]
) -> tuple[list[HandOver], list[str]]:
    """Two operators, the leading one ended by each signal in turn and started again; and the names asked for.

    Returns once all that was asked for is Ready. Raises ``DeadlineError`` where nobody leads within a minute.
    """
    nodes = list(simulated_gpu_nodes(namespace, "NVIDIA-L40S", 46068, "8.9", 8, 16))
    for node in nodes:
        node["metadata"]["labels"][LABEL] = namespace
    cluster.add_nodes(nodes)
    found: list[HandOver] = []
    with ExitStack() as stack:
        pair = [stack.enter_context(OperatorProcess(cluster, namespace, folder / name)) for name in ("one", "two")]
        work = stack.enter_context(_Work(cluster, namespace))
        for sent in signals:
            leading = wait_for("an operator to lead", lambda: [one for one in pair if _leads(one)], 60)[0]
            (other,) = (one for one in pair if one is not leading)
            seen = len(work.asked)
            wait_for("more work", lambda seen=seen: len(work.asked) > seen, 30)
            at = datetime.now().astimezone()
            leading.stop(sent)
            wait_for("the other one to lead", lambda other=other: _leads(other), 60)
            found.append(HandOver(sent, (_led_at(other) - at).total_seconds()))
            leading.start()
        work.end()
        wait_for("all to be Ready", lambda: _ready(cluster, namespace) >= set(work.asked), 120, 1)
    return found, work.asked


def made_twice(cluster: Cluster, namespace: str) -> list[str]:
    """Names of GemmaDeployments with more than one plan record, ReplicaSet or pod."""
    found = []
    for kind in ("controllerrevisions", "replicasets", "pods"):
        items = cluster.get("--namespace", namespace, kind)["items"]
        names = [item["metadata"]["labels"].get("gemma-operator.io/deployment", "") for item in items]
        found += [f"{kind} of {name}" for name in sorted(set(names)) if names.count(name) > 1]
    return found


class _Work:
    """One GemmaDeployment after another, until ended."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.asked: list[str] = []

    def __enter__(self) -> "_Work":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Ask no more."""
        self._done.set()
        self._thread.join(30)

    def _ask(self) -> None:
        # As many as the simulated GPUs hold.
        while len(self.asked) < 120 and not self._done.wait(1.0):
            name = f"ask-{len(self.asked)}"
            spec: dict[str, Any] = {
                "contextLength": "64K",
                "accelerators": {"nodeSelector": {LABEL: self._namespace}},
            }
            metadata = {"name": name, "namespace": self._namespace}
            self._cluster.apply(
                [
                    {
                        "apiVersion": "gemma-operator.io/v1alpha1",
                        "kind": "GemmaDeployment",
                        "metadata": metadata,
                        "spec": spec,
                    }
                ]
            )
            self.asked.append(name)


def _leads(operator: OperatorProcess) -> bool:
    """By its own word: the last that it said of leading, or of being started anew."""
    said = [line["message"] for line in operator.lines() if line["message"].startswith(SAID)]
    return bool(said) and said[-1].startswith(LEADS)


def _led_at(operator: OperatorProcess) -> datetime:
    times = [line["time"] for line in operator.lines() if line["message"].startswith(LEADS)]
    return datetime.fromisoformat(times[-1])


def _ready(cluster: Cluster, namespace: str) -> set[str]:
    items = cluster.get("--namespace", namespace, "gemmadeployments")["items"]
    return {
        item["metadata"]["name"]
        for item in items
        if any(one["type"] == "Ready" and one["status"] == "True" for one in item["status"].get("conditions", ()))
    }

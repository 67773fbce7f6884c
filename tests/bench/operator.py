"""The operator on the real API server with a thousand simulated nodes: how soon, how much memory, how many writes."""

import asyncio
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from e2e.cluster import Cluster
from e2e.cluster.cluster import KubectlError
from e2e.operator_process import OperatorProcess
from e2e.progress import step
from e2e.waiting import wait_for
from tests.bench.account import kubeconfig_of
from tests.bench.api_client import Api, api
from tests.bench.audit import WritesOf
from tests.bench.clusters import manifest, pool_nodes
from tests.bench.figures import Figure, percentile
from tests.integration.alone import stand_alone

Figures = Iterator[Figure]

CRD = Path(__file__).parents[2] / "crds" / "gemmadeployments.yaml"
ONE_BY_ONE, MANY = 100, 500
SPECS = (
    {"contextLength": "64K"},
    {"contextLength": "256K", "model": {"variant": "31B"}},
    {"contextLength": "128K", "model": {"variant": "12B"}, "accelerators": {"products": ["NVIDIA-L40S"]}},
    {"contextLength": "32K", "model": {"variant": "E4B"}, "accelerators": {"products": ["NVIDIA-L4"]}},
)
"""What is asked for in turn; all fit on the thousand nodes at once."""

QUIET_SECONDS, QUIET_WITHIN_SECONDS = 30, 600
MIB = 2**20


def measure(idle_seconds: int) -> Figures:
    """All figures of this topic, from one operator process. Cleans up behind itself."""
    cluster = stand_alone(Cluster.ensure("control-plane"))
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            _prepare(cluster, namespace)
            _wait_until_schedulable(cluster, namespace)
            account = kubeconfig_of(cluster, namespace, Path(folder))
            more = (f"--kubeconfig={account.kubeconfig}",)
            with OperatorProcess(cluster, namespace, Path(folder) / "operator.log", *more) as operator:
                yield from asyncio.run(_latency(cluster, namespace))
                yield from asyncio.run(_many(cluster, namespace))
                yield from _at_rest(cluster, account.user, idle_seconds)
                yield Figure("peak memory of the operator (RSS)", operator.peak_memory_bytes() / MIB, "MiB", 150)
        except Exception:
            print(*(Path(folder) / "operator.log").read_text().splitlines()[-15:], sep="\n", file=sys.stderr)
            raise
        finally:
            with step("removing what the bench made"):
                cluster.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
                cluster.kubectl("delete", "clusterrolebinding", namespace, "--ignore-not-found")
                cluster.kubectl("delete", "nodes", "-l", f"gemma-bench={namespace}", "--wait=false")


def _prepare(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    cluster.kubectl("create", "namespace", namespace)
    for nodes in pool_nodes(namespace):
        for node in nodes:
            node["metadata"]["labels"]["gemma-bench"] = namespace
        with step(f"{len(nodes)} simulated nodes {nodes[0]['metadata']['name'].rpartition('-')[0]}"):
            cluster.add_nodes(nodes, ready_seconds=180)


def _wait_until_schedulable(cluster: Cluster, namespace: str) -> None:
    """Takes the taints of new nodes off by hand: the controller manager needs minutes for a thousand."""

    def untainted() -> bool:
        nodes = cluster.get("nodes", "-l", f"gemma-bench={namespace}")["items"]
        return not any(node["spec"].get("taints") for node in nodes)

    with step("waiting until all nodes are without a taint"):
        for effect in ("NoSchedule", "NoExecute"):
            taint = f"node.kubernetes.io/not-ready:{effect}-"
            with suppress(KubectlError):  # none has it any more
                cluster.kubectl("taint", "nodes", "-l", f"gemma-bench={namespace}", taint)
        wait_for("untainted nodes", untainted, 300, every=3)


def _asks(namespace: str, prefix: str, count: int) -> list[dict[str, object]]:
    return [
        manifest(f"{prefix}-{index}", SPECS[index % len(SPECS)] | {"accelerators": _on(namespace, index)}, namespace)
        for index in range(count)
    ]


def _on(namespace: str, index: int) -> dict[str, object]:
    """The accelerators of a spec, on the nodes of this bench alone."""
    chosen = SPECS[index % len(SPECS)].get("accelerators") or {}
    return dict(chosen) | {"nodeSelector": {"gemma-bench": namespace}}


async def _latency(cluster: Cluster, namespace: str) -> list[Figure]:
    async with api(cluster, namespace) as client:
        with step(f"{ONE_BY_ONE} GemmaDeployments, one after another"):
            times = [await _until_deployed(client, ask) for ask in _asks(namespace, "one", ONE_BY_ONE)]
    return [
        Figure("apply to Deployment, one at a time, p50", percentile(times, 0.5), "ms", 300),
        Figure("apply to Deployment, one at a time, p99", percentile(times, 0.99), "ms", 300),
    ]


async def _until_deployed(client: Api, ask: dict[str, object]) -> float:
    name = ask["metadata"]["name"]
    sent = await client.apply(ask)
    await client.wait_for({name}, 60)
    return (client.appeared[name] - sent) * 1000


async def _many(cluster: Cluster, namespace: str) -> list[Figure]:
    """The ones of before go on; these come all at once."""
    asks = _asks(namespace, "many", MANY)
    names = {f"many-{index}" for index in range(MANY)}
    async with api(cluster, namespace) as client:
        with step(f"{MANY} GemmaDeployments at once"):
            started = time.monotonic()
            await asyncio.gather(*(client.apply(ask) for ask in asks))
            applied = time.monotonic() - started
            await client.wait_for(names, 600)
            spent = max(client.appeared[name] for name in names) - started
    return [
        Figure(f"{MANY} GemmaDeployments on 1,000 nodes, all applied", applied, "s"),
        Figure(f"{MANY} GemmaDeployments on 1,000 nodes, each has its Deployment", spent, "s", 30),
    ]


def _at_rest(cluster: Cluster, user: str, idle_seconds: int) -> Figures:
    """Writes of the operator's account in the audit log, its Lease apart."""
    writes = WritesOf(cluster.audit_log, user)

    def quiet() -> bool:
        writes.read()
        return time.monotonic() - writes.latest >= QUIET_SECONDS

    with step("waiting until the operator has nothing more to write"):
        wait_for("the operator to rest", quiet, QUIET_WITHIN_SECONDS, every=2, describe=lambda: str(writes.found))
    writes = WritesOf(cluster.audit_log, user)
    with step(f"counting writes for {idle_seconds} s at rest"):
        time.sleep(idle_seconds)
    for what, count in writes.read().most_common(5):
        print(f"    written at rest: {count} × {what}", flush=True)
    yield Figure(f"API writes in {idle_seconds} s at rest, Lease apart", writes.found.total(), "", 0)

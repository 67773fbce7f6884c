"""The operator's process: wires the rooms together, listens for signals, and ends cleanly.

``gemma-operator`` runs it; settings come from flags with environment variables behind them, as the chart sets them.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import uuid
from importlib.resources import files
from pathlib import Path

from gemma_operator import __version__
from gemma_operator.api.labels import DEPLOYMENT_LABEL
from gemma_operator.controller.catalog_source import CatalogSource
from gemma_operator.controller.cluster_source import ClusterSource
from gemma_operator.controller.engine_client import EngineClient
from gemma_operator.controller.observe import Observer
from gemma_operator.controller.reconcile import Reconciler
from gemma_operator.controller.report import Reporter
from gemma_operator.controller.scaling_loop import Autoscaler
from gemma_operator.controller.supervisor import Supervisor
from gemma_operator.controller.watches import Scope
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import credentials_of, load_configuration
from gemma_operator.kube.election import Election, LeaseName
from gemma_operator.kube.events import Recorder
from gemma_operator.telemetry.logs import configure_logs
from gemma_operator.telemetry.metrics import Metrics
from gemma_operator.telemetry.probes import probes_app, serve_probes
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE

logger = logging.getLogger(__name__)
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
POD_SCRIPTS = ("gemma_drain.py", "startup_probe.py", "liveness_probe.py", "pre_stop.py", "logging.json")


def pod_scripts() -> dict[str, str]:
    """The programs that go into engine pods, by file name."""
    room = files("gemma_operator.pod_scripts")
    return {name: (room / name).read_text(encoding="utf-8") for name in POD_SCRIPTS}


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Flags of the process; each has an environment variable as its default."""
    parser = argparse.ArgumentParser(prog="gemma-operator", description="Run the Gemma operator.")
    parser.add_argument("--version", action="version", version=f"gemma-operator {__version__}")

    def option(flag: str, variable: str, default: str, text: str) -> None:
        parser.add_argument(flag, default=os.environ.get(variable, default), help=f"{text} [${variable}]")

    option("--namespace", "GEMMA_NAMESPACE", _own_namespace(), "namespace of the Lease and the catalog ConfigMaps")
    option("--watch-namespaces", "GEMMA_WATCH_NAMESPACES", "", "comma-separated namespaces; empty for all")
    option("--lease-name", "GEMMA_LEASE_NAME", "gemma-operator", "name of the leader election Lease")
    option("--identity", "GEMMA_IDENTITY", "", "identity in the Lease; by default host name and a random part")
    option("--engine-image", "GEMMA_ENGINE_IMAGE", DEFAULT_ENGINE_IMAGE, "engine image where a spec names none")
    option("--listen", "GEMMA_LISTEN", "0.0.0.0:8080", "address of /healthz, /readyz and /metrics")
    option("--log-level", "GEMMA_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")
    option("--workers", "GEMMA_WORKERS", "8", "reconciliations at the same time")
    option("--resync-seconds", "GEMMA_RESYNC_SECONDS", "300", "every object is looked at after one to two such times")
    parser.add_argument("--kubeconfig", default=None, help="kubeconfig outside of a cluster [$KUBECONFIG]")
    return parser.parse_args(arguments)


def _own_namespace() -> str:
    try:
        return NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return "default"


async def run(options: argparse.Namespace, stop: asyncio.Event) -> None:
    """Run until ``stop`` is set: probes always, the rest while this process leads."""
    metrics = Metrics()
    configuration = await load_configuration(options.kubeconfig)
    identity = options.identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    lease = LeaseName(options.namespace, options.lease_name)
    namespaces = tuple(name for name in options.watch_namespaces.split(",") if name)
    scope = Scope(namespaces, DEPLOYMENT_LABEL, lease)
    async with Client(configuration, metrics) as client, EngineClient() as engines:
        election = Election(client, lease, identity)
        client.fence(election.holds)
        catalog, cluster = CatalogSource(client, options.namespace), ClusterSource(client)
        observer = Observer(client, engines, catalog, cluster, options.engine_image, options.namespace)
        recorder = Recorder(client, identity)
        reporter, autoscaler = Reporter(client, recorder, metrics), Autoscaler(client, engines, recorder, metrics)
        reconciler = Reconciler(client, observer, reporter, metrics, pod_scripts(), autoscaler)
        supervisor = Supervisor(
            client,
            lambda: credentials_of(configuration),
            election,
            scope,
            metrics,
            workers=int(options.workers),
            resync_seconds=float(options.resync_seconds),
        )

        async def lead() -> None:
            cluster.forget_nodes()
            await supervisor.lead(
                reconciler.reconcile,
                forget_nodes=cluster.forget_nodes,
                catalog_changed=catalog.refresh,
                scale=autoscaler.run,
            )

        host, _, port = options.listen.rpartition(":")
        runner, _ = await serve_probes(probes_app(supervisor, metrics), host, int(port))
        logger.info("Started gemma-operator %s as %s", __version__, identity)
        try:
            await election.run(lead, stop)
        finally:
            await runner.cleanup()


async def _run_until_signalled(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for received in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(received, stop.set)
    await run(options, stop)


def main() -> None:
    """Entry point."""
    options = parse_arguments()
    configure_logs(options.log_level)
    # What the imports made lives as long as the process; walking it in each full collection would take 50 ms.
    gc.freeze()
    try:
        asyncio.run(_run_until_signalled(options))
    except Exception:
        logger.exception("The operator ends")
        sys.exit(1)

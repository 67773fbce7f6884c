"""The whole operator, as ``gemma-operator`` runs it, inside the test's process and behind a fault proxy."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from e2e.cluster import Cluster
from gemma_operator.controller.main import parse_arguments, run


@asynccontextmanager
async def running_operator(
    cluster: Cluster, namespace: str, address: str, folder: Path, *more: str, token: str | None = None
) -> AsyncIterator[None]:
    """An operator that serves one namespace (unless ``more`` says otherwise), as administrator or with a token.

    An error that ends it is raised at the end.
    """
    kubeconfig = json.loads(cluster.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"] = {"server": address}
    if token is not None:
        kubeconfig["users"][0]["user"] = {"token": token}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    stop = asyncio.Event()
    options = parse_arguments(
        [
            f"--kubeconfig={path}",
            f"--namespace={namespace}",
            f"--watch-namespaces={namespace}",
            "--listen=127.0.0.1:0",
            *more,
        ]
    )
    task = asyncio.create_task(run(options, stop))
    try:
        yield
    finally:
        stop.set()
        await task

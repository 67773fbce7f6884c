"""The control plane that all integration tests share, and a namespace that each has for itself.

The cluster is left running: the next run takes it as it is.
"""

import fcntl
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from e2e.cluster import Cluster
from e2e.cluster.paths import CACHE
from gemma_operator.kube.client import Client
from gemma_operator.kube.connection import load_configuration
from gemma_operator.telemetry.metrics import Metrics
from tests.integration.alone import stand_alone

CRD = Path(__file__).parents[2] / "crds" / "gemmadeployments.yaml"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The running control plane; started by whoever comes first, also among parallel workers."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "cluster.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return stand_alone(Cluster.ensure("control-plane"))


@pytest.fixture(scope="session")
def crd_installed(cluster: Cluster) -> Cluster:
    """The cluster with the CRD as it is in the repository."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(CRD))
    return cluster


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace, gone afterwards."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Client]:
    """A client of the operator's own, as administrator."""
    async with Client(await load_configuration(str(cluster.kubeconfig)), Metrics()) as client:
        yield client

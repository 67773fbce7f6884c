"""The installed product, shared by all scenarios; they play one after the other on the one real node."""

from collections.abc import Iterator

import pytest

from e2e.cluster import Cluster
from e2e.cluster.egress import EgressAttempts
from e2e.stack import Stack


@pytest.fixture(scope="session")
def egress_before() -> EgressAttempts:
    """What was counted before the operator was there: others try the packet filter itself."""
    return Cluster.ensure("full").egress_attempts()


@pytest.fixture(scope="session")
def stack(egress_before: EgressAttempts) -> Iterator[Stack]:
    installed = Stack.ensure()
    installed.kubectl("delete", "gemmadeployments", "--all", "--timeout=60s")
    yield installed
    installed.kubectl("delete", "gemmadeployments", "--all", "--timeout=60s")

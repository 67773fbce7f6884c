"""Two operators, one work: whoever leads, nothing is left undone and nothing is done twice."""

import signal
import uuid
from pathlib import Path

import pytest

from e2e.cluster import Cluster
from tests.bench.hand_over import hand_overs, made_twice, remove

pytestmark = pytest.mark.integration


def test_work_goes_on_under_another_leader_and_nothing_is_done_twice(crd_installed: Cluster, tmp_path: Path) -> None:
    namespace = f"hand-over-{uuid.uuid4().hex[:8]}"
    crd_installed.kubectl("create", "namespace", namespace)
    try:
        signals = [signal.SIGTERM, signal.SIGKILL, signal.SIGTERM]
        found, asked = hand_overs(crd_installed, namespace, tmp_path, signals)
        assert [one.sent for one in found] == signals
        assert len(asked) >= len(signals)
        assert made_twice(crd_installed, namespace) == []
    finally:
        remove(crd_installed, namespace)

"""kwok: simulated nodes, and pods on them that become Ready, each with an address of this machine's loopback.

Stages are the project's own: nothing that a simulated pod is asked for leaves the machine.
"""

import urllib.request
from pathlib import Path

from e2e.cluster.daemon import Daemon
from e2e.cluster.paths import BIN, KUBECONFIG

STAGES = Path(__file__).with_name("kwok_stages.yaml")
PORT = 10247
KWOK = Daemon("kwok", (PORT,))
ANNOTATION = "kwok.x-k8s.io/node"


def start_kwok() -> None:
    """Start the simulator; it owns only nodes that carry its annotation."""

    def healthy() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/healthz", timeout=2) as response:
            return bool(response.status == 200)

    command = [
        str(BIN / "kwok"),
        f"--kubeconfig={KUBECONFIG}",
        f"--config={STAGES}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={ANNOTATION}=fake",
        "--cidr=127.32.0.1/16",
        "--node-ip=127.31.0.1",
        f"--server-address=127.0.0.1:{PORT}",
    ]
    KWOK.start(command, healthy, 30)

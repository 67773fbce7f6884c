"""The local cluster as one object: start it, ask it, stop it.

``Cluster.ensure`` is what tests and the demo call; a cluster that runs already is taken as it is.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.cluster import cleanup, control_plane, egress, gpus, kwok, real_node
from e2e.cluster.binaries import build_binaries, own_program
from e2e.cluster.certificates import ADMIN_TOKEN, CA
from e2e.cluster.images import has_image, import_image
from e2e.cluster.lock import exclusive
from e2e.cluster.packages import Mode, prepare_machine
from e2e.cluster.paths import AUDIT_LOG, BIN, KUBECONFIG, NODE_ADDRESS, NODE_NAME, SERVER
from e2e.progress import step
from e2e.waiting import wait_for
from images.layers import FileEntry, FilesLayer
from images.oci import ImageConfig, write_oci_tar

NODE_READY_SECONDS = 90
GPUS_OFFERED_SECONDS = 30


class KubectlError(RuntimeError):
    """kubectl failed; the message holds its words."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster. ``full`` has a real node beside the simulated ones."""

    server: str = SERVER
    kubeconfig: Path = KUBECONFIG
    certificate_authority: Path = CA
    bin_dir: Path = BIN
    audit_log: Path = AUDIT_LOG
    node_name: str = NODE_NAME
    node_address: str = NODE_ADDRESS

    @staticmethod
    def ensure(mode: Mode = "control-plane") -> "Cluster":
        """Build, install and start what is missing, and return the running cluster.

        A running control plane is extended by ``full``, and never reduced. Parallel callers wait for the first.
        Raises ``RuntimeError`` or ``DeadlineError`` with the end of the failing program's log.
        """
        cluster = Cluster()
        with exclusive():
            prepare_machine(mode)
            build_binaries()
            if control_plane.APISERVER.running() is None:
                # A crash may have left anything; a stopped cluster left nothing, so this is cheap.
                _stop()
            with step("starting the control plane"):
                control_plane.start_control_plane()
                kwok.start_kwok()
            if mode == "full":
                with step("starting the real node"):
                    egress.close_egress()
                    real_node.start_containerd()
                    _import_pause()
                    real_node.start_node()
                    gpus.start_device_plugin()
                    wait_for(
                        "the real node to be Ready", lambda: NODE_NAME in cluster.ready_nodes(), NODE_READY_SECONDS
                    )
        return cluster

    @staticmethod
    def stop() -> None:
        """Stop everything and remove what it left; built programs and images stay in the cache."""
        with exclusive():
            _stop()

    @property
    def admin_token(self) -> str:
        """Bearer token of a cluster administrator."""
        return ADMIN_TOKEN.read_text()

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which kubectl and helm find this cluster."""
        return os.environ | {"KUBECONFIG": str(self.kubeconfig), "PATH": f"{self.bin_dir}:{os.environ['PATH']}"}

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl and return what it printed. Raises ``KubectlError``."""
        result = subprocess.run(
            [str(self.bin_dir / "kubectl"), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
        return result.stdout

    def get(self, *arguments: str) -> Any:
        """``kubectl get … -o json``, parsed."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Apply objects, status of nodes included: the API server takes it at creation."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(items))

    def add_nodes(self, nodes: Iterable[dict[str, Any]], ready_seconds: float = 60) -> None:
        """Create simulated nodes, or change them, and wait until they are Ready with their GPUs."""
        wanted = {node["metadata"]["name"]: node for node in nodes}
        self.apply(wanted.values())
        for live in self.get("nodes")["items"]:
            name = live["metadata"]["name"]
            # Only a creation takes the status along; a node that was there needs a write of its own.
            if name in wanted and live["status"].get("capacity") != wanted[name]["status"]["capacity"]:
                patch = json.dumps({"status": wanted[name]["status"]})
                self.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", patch)
        wait_for("simulated nodes to be Ready", lambda: set(wanted) <= self.ready_nodes(), ready_seconds)

    def remove_nodes(self, selector: str) -> None:
        """Delete nodes by label selector; pods on them are collected by the controller manager."""
        self.kubectl("delete", "nodes", "--selector", selector, "--wait=false")

    def ready_nodes(self) -> set[str]:
        """Names of nodes whose Ready condition is true."""
        return {
            node["metadata"]["name"]
            for node in self.get("nodes")["items"]
            for condition in node.get("status", {}).get("conditions", ())
            if condition["type"] == "Ready" and condition["status"] == "True"
        }

    def offer_gpus(self, count: int, labels: dict[str, str]) -> None:
        """Let the real node offer ``count`` GPUs under the given labels, and wait until the scheduler can see them."""
        pairs = [f"{key}={value}" for key, value in labels.items()]
        self.kubectl("label", "node", self.node_name, "--overwrite", *pairs)
        gpus.set_gpu_count(count)

        def offered() -> bool:
            allocatable = self.get("node", self.node_name)["status"]["allocatable"]
            return bool(int(allocatable.get(gpus.RESOURCE, 0)) == count)

        wait_for(
            f"the real node to offer {count} GPUs", offered, GPUS_OFFERED_SECONDS, describe=gpus.DEVICE_PLUGIN.tail
        )

    def egress_attempts(self) -> egress.EgressAttempts:
        """What pods of the real node tried to send outside so far; none of it left the machine."""
        return egress.egress_attempts()

    def _wait_for_node(self) -> None:
        wait_for("the real node to be Ready", lambda: self.node_name in self.ready_nodes(), NODE_READY_SECONDS)


def _stop() -> None:
    gpus.DEVICE_PLUGIN.stop()
    real_node.KUBE_PROXY.stop()
    real_node.KUBELET.stop()
    kwok.KWOK.stop()
    control_plane.stop_control_plane()
    real_node.CONTAINERD.stop()
    cleanup.clean_up()


def _import_pause() -> None:
    if not has_image(real_node.PAUSE_IMAGE):
        layer = FilesLayer({"/pause": FileEntry(own_program("pause").read_bytes(), executable=True)})
        config = ImageConfig(entrypoint=["/pause"], user="65535:65535")
        import_image(lambda out: write_oci_tar(out, reference=real_node.PAUSE_IMAGE, layers=[layer], config=config))

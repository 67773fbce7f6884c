"""The local cluster as one object: start it, ask it, stop it.

``Cluster.ensure`` is what tests and the demo call; a cluster that runs already is taken as it is.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from e2e.cluster import cleanup, control_plane, kwok, real_node
from e2e.cluster.binaries import build_binaries, pause_binary
from e2e.cluster.certificates import ADMIN_TOKEN, CA
from e2e.cluster.images import has_image, import_image
from e2e.cluster.packages import install_packages
from e2e.cluster.paths import AUDIT_LOG, BIN, KUBECONFIG, NODE_NAME, SERVER
from e2e.progress import step
from e2e.waiting import wait_for
from images.layers import FileEntry, FilesLayer
from images.oci import ImageConfig, write_oci_tar

Mode = Literal["control-plane", "full"]
NODE_READY_SECONDS = 90


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

    @staticmethod
    def ensure(mode: Mode = "control-plane") -> "Cluster":
        """Build, install and start what is missing, and return the running cluster."""
        install_packages()
        build_binaries()
        if control_plane.APISERVER.running() is None:
            # A crash may have left anything; a stopped cluster left nothing, so this is cheap.
            Cluster.stop()
        with step("starting the control plane"):
            control_plane.start_control_plane()
            kwok.start_kwok()
        cluster = Cluster()
        if mode == "full":
            with step("starting the real node"):
                real_node.start_containerd()
                cluster._import_pause()
                real_node.start_node()
                cluster._wait_for_node()
        return cluster

    @staticmethod
    def stop() -> None:
        """Stop everything and remove what it left; built programs and images stay in the cache."""
        real_node.KUBE_PROXY.stop()
        real_node.KUBELET.stop()
        kwok.KWOK.stop()
        control_plane.stop_control_plane()
        real_node.CONTAINERD.stop()
        cleanup.clean_up()

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
        """Create simulated nodes and wait until they are Ready with their GPUs."""
        objects = list(nodes)
        self.apply(objects)
        names = {node["metadata"]["name"]: node["status"] for node in objects}
        for name, status in names.items():
            self.kubectl(
                "patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status})
            )
        wait_for("simulated nodes to be Ready", lambda: set(names) <= self.ready_nodes(), ready_seconds)

    def ready_nodes(self) -> set[str]:
        """Names of nodes whose Ready condition is true."""
        return {
            node["metadata"]["name"]
            for node in self.get("nodes")["items"]
            for condition in node.get("status", {}).get("conditions", ())
            if condition["type"] == "Ready" and condition["status"] == "True"
        }

    def offer_gpus(self, count: int, labels: dict[str, str]) -> None:
        """Let the real node offer GPUs under the given labels: the kubelet keeps what it does not manage."""
        self.kubectl(
            "label", "node", self.node_name, "--overwrite", *(f"{key}={value}" for key, value in labels.items())
        )
        amount = {"nvidia.com/gpu": str(count)}
        patch = json.dumps({"status": {"capacity": amount, "allocatable": amount}})
        self.kubectl("patch", "node", self.node_name, "--subresource=status", "--type=merge", "-p", patch)

    def _import_pause(self) -> None:
        if not has_image(real_node.PAUSE_IMAGE):
            layer = FilesLayer({"/pause": FileEntry(pause_binary().read_bytes(), executable=True)})
            config = ImageConfig(entrypoint=["/pause"], user="65535:65535")
            import_image(lambda out: write_oci_tar(out, reference=real_node.PAUSE_IMAGE, layers=[layer], config=config))

    def _wait_for_node(self) -> None:
        wait_for("the real node to be Ready", lambda: self.node_name in self.ready_nodes(), NODE_READY_SECONDS)

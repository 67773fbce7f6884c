"""A real node without Docker: containerd, kubelet and kube-proxy, on this machine's one loopback address."""

import json
import subprocess
import urllib.request

from e2e.cluster.certificates import CA, pem
from e2e.cluster.daemon import Daemon
from e2e.cluster.paths import (
    BIN,
    CACHE,
    CONTAINERD_SOCKET,
    KUBECONFIG,
    KUBELET_ROOT,
    NETWORK_NAME,
    NODE_ADDRESS,
    NODE_NAME,
    POD_LOGS,
    POD_RANGE,
    STATE,
)

CONTAINERD = Daemon("containerd")
KUBELET = Daemon("kubelet", (10248, 10250))
KUBE_PROXY = Daemon("kube-proxy", (10249, 10256))
PAUSE_IMAGE = "gemma-operator.local/pause:1"
CONTAINERD_ROOT = CACHE / "containerd"
"""Images survive a stop: the engine's is several gigabytes."""
SOCKET_PATH_LIMIT = 107
"""Bytes that the kernel allows a socket's path (``sun_path``, unix(7))."""


def start_containerd() -> None:
    """Start containerd alone, so that images can be imported before the kubelet comes."""
    longest = f"{CONTAINERD_SOCKET}.ttrpc"
    if len(longest) > SOCKET_PATH_LIMIT:
        raise RuntimeError(f"{longest} is too long for a socket's path: set GEMMA_STATE_DIR to a shorter folder")
    folder = STATE / "containerd"
    (folder / "cni").mkdir(parents=True, exist_ok=True)
    (folder / "cni" / "10-ptp.conflist").write_text(json.dumps(_network()))
    config = folder / "config.toml"
    config.write_text(_containerd_config())
    command = ["containerd", "--config", str(config)]
    CONTAINERD.start(command, lambda: _ctr("version").returncode == 0, 30)


def start_node() -> None:
    """Start kubelet and kube-proxy and wait until both are healthy."""
    KUBELET_ROOT.mkdir(parents=True, exist_ok=True)
    config = STATE / "kubelet.json"
    config.write_text(json.dumps(_kubelet_config()))
    command = [
        str(BIN / "kubelet"),
        f"--config={config}",
        f"--kubeconfig={KUBECONFIG}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
        f"--root-dir={KUBELET_ROOT}",
    ]
    KUBELET.start(command, _kubelet_healthy, 60)
    proxy = [
        str(BIN / "kube-proxy"),
        f"--kubeconfig={KUBECONFIG}",
        f"--hostname-override={NODE_NAME}",
        "--proxy-mode=iptables",
        "--conntrack-max-per-core=0",
        f"--cluster-cidr={POD_RANGE}",
        "--healthz-bind-address=127.0.0.1:10256",
    ]
    KUBE_PROXY.start(proxy, _proxy_healthy, 60)


def _ctr(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["ctr", "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", *arguments]
    return subprocess.run(command, capture_output=True, check=False)


def _kubelet_healthy() -> bool:
    with urllib.request.urlopen("http://127.0.0.1:10248/healthz", timeout=2) as response:
        return bool(response.read() == b"ok")


def _proxy_healthy() -> bool:
    with urllib.request.urlopen("http://127.0.0.1:10256/livez", timeout=2) as response:
        return bool(response.status == 200)


def _network() -> dict[str, object]:
    address_manager = {
        "type": "host-local",
        "dataDir": str(STATE / "addresses"),
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "1.0.0",
        "name": NETWORK_NAME,
        "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": address_manager},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _containerd_config() -> str:
    """``restrict_oom_score_adj``: without CAP_SYS_RESOURCE every sandbox would fail to get its child's PID.
    ``netns_mounts_under_state_dir``: so that a clean-up finds this cluster's namespaces and nobody else's.
    """
    return f"""version = 2
root = "{CONTAINERD_ROOT}"
state = "{STATE / "containerd" / "run"}"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{STATE / "containerd" / "cni"}"
"""


def _kubelet_config() -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "authentication": {
            "anonymous": {"enabled": False},
            "x509": {"clientCAFile": str(CA)},
            "webhook": {"enabled": True},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pem("kubelet.crt")),
        "tlsPrivateKeyFile": str(pem("kubelet.key")),
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "podLogsDir": str(POD_LOGS),
        "clusterDomain": "cluster.local",
        "resolvConf": str(_resolver()),
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "syncFrequency": "5s",
        "nodeStatusUpdateFrequency": "5s",
        "shutdownGracePeriod": "0s",
    }


def _resolver() -> object:
    """Pods get a resolver that refuses at once: there is no DNS in this cluster, and none outside is asked."""
    path = STATE / "resolv.conf"
    path.write_text(f"nameserver {NODE_ADDRESS}\noptions timeout:1 attempts:1\n")
    return path

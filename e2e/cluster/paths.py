"""Where things are kept: what is built in a cache that survives, what runs in a state folder that does not."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("GEMMA_CACHE_DIR", ROOT / ".cache")).resolve()
STATE = Path(os.environ.get("GEMMA_STATE_DIR", CACHE / "cluster")).resolve()
BIN = CACHE / "bin"
KUBECONFIG = STATE / "kubeconfig"
PKI = STATE / "pki"
LOGS = STATE / "logs"
AUDIT_LOG = LOGS / "audit.log"

NODE_ADDRESS = "192.0.2.10"
"""An address of the documentation range, put on the loopback device: a node must not be on 127.0.0.0/8."""

API_PORT = 6443
SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"
SERVICE_RANGE = "10.96.0.0/16"
POD_RANGE = "10.244.0.0/24"
NODE_NAME = "real-node"
NETWORK_NAME = "gemma-e2e"
"""Of the pods' network: what its plug-ins keep carries it."""
CONTAINERD_SOCKET = STATE / "containerd" / "containerd.sock"
KUBELET_ROOT = STATE / "kubelet"
POD_LOGS = STATE / "pod-logs"

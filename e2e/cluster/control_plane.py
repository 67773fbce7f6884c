"""etcd, kube-apiserver, controller manager and scheduler: the real ones, with their own defaults."""

import json
import ssl
import subprocess
import urllib.request

from e2e.cluster.certificates import ADMIN_TOKEN, CA, TOKENS, make_certificates, pem
from e2e.cluster.daemon import Daemon
from e2e.cluster.paths import API_PORT, AUDIT_LOG, BIN, KUBECONFIG, NODE_ADDRESS, SERVER, SERVICE_RANGE, STATE

ETCD = Daemon("etcd", (2379, 2380))
APISERVER = Daemon("kube-apiserver", (API_PORT,))
CONTROLLER_MANAGER = Daemon("kube-controller-manager", (10257,))
SCHEDULER = Daemon("kube-scheduler", (10259,))
ETCD_CLIENT, ETCD_PEER = "http://127.0.0.1:2379", "http://127.0.0.1:2380"

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": ["system:apiserver", "system:kube-scheduler", "system:kube-controller-manager"]},
        {"level": "Metadata"},
    ],
}


def start_control_plane() -> None:
    """Start what does not run. About 6 s to a ready API."""
    add_node_address()
    make_certificates()
    _write_kubeconfig()
    _start_etcd()
    _start_apiserver()
    _start_with_kubeconfig(CONTROLLER_MANAGER, [
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pem('service-account.key')}",
        f"--root-ca-file={CA}",
    ])  # fmt: skip
    _start_with_kubeconfig(SCHEDULER, [])


def stop_control_plane() -> None:
    """Stop in the opposite order."""
    for daemon in (SCHEDULER, CONTROLLER_MANAGER, APISERVER, ETCD):
        daemon.stop()


def add_node_address() -> None:
    """Put the node's address on the loopback device: nothing sent to it leaves the machine."""
    subprocess.run(["ip", "addr", "replace", f"{NODE_ADDRESS}/32", "dev", "lo"], check=True, capture_output=True)


def get(path: str) -> str:
    """A raw read of the API as administrator; raises while the server is not there."""
    request = urllib.request.Request(f"{SERVER}{path}", headers={"Authorization": f"Bearer {ADMIN_TOKEN.read_text()}"})
    with urllib.request.urlopen(request, timeout=5, context=ssl.create_default_context(cafile=str(CA))) as response:
        return str(response.read().decode())


def _start_etcd() -> None:
    def healthy() -> bool:
        with urllib.request.urlopen(f"{ETCD_CLIENT}/health", timeout=2) as response:
            return bool(json.load(response)["health"] == "true")

    command = [
        str(BIN / "etcd"),
        f"--data-dir={STATE / 'etcd'}",
        "--unsafe-no-fsync",
        f"--listen-client-urls={ETCD_CLIENT}",
        f"--advertise-client-urls={ETCD_CLIENT}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
        "--log-level=warn",
    ]
    ETCD.start(command, healthy, 30)


def _start_apiserver() -> None:
    policy = STATE / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT_POLICY))
    AUDIT_LOG.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(BIN / "kube-apiserver"),
        f"--etcd-servers={ETCD_CLIENT}",
        f"--secure-port={API_PORT}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={NODE_ADDRESS}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--tls-cert-file={pem('apiserver.crt')}",
        f"--tls-private-key-file={pem('apiserver.key')}",
        f"--client-ca-file={CA}",
        f"--kubelet-client-certificate={pem('kubelet-client.crt')}",
        f"--kubelet-client-key={pem('kubelet-client.key')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pem('service-account.key')}",
        f"--service-account-signing-key-file={pem('service-account.key')}",
        f"--token-auth-file={TOKENS}",
        "--authorization-mode=Node,RBAC",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--allow-privileged",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={AUDIT_LOG}",
    ]
    APISERVER.start(command, lambda: get("/readyz") == "ok", 60)


def _start_with_kubeconfig(daemon: Daemon, more: list[str]) -> None:
    (port,) = daemon.ports

    def healthy() -> bool:
        # The component's own certificate is self-signed and this is its loopback health port.
        unverified = ssl._create_unverified_context()
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/healthz", timeout=2, context=unverified) as response:
            return bool(response.read() == b"ok")

    command = [
        str(BIN / daemon.name),
        f"--kubeconfig={KUBECONFIG}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        f"--cert-dir={STATE / daemon.name}",
        *more,
    ]
    daemon.start(command, healthy, 30)


def _write_kubeconfig() -> None:
    cluster = {"server": SERVER, "certificate-authority": str(CA)}
    unfinished = KUBECONFIG.with_suffix(".part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "e2e", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": ADMIN_TOKEN.read_text()}}],
                "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin", "namespace": "default"}}],
                "current-context": "e2e",
            },
            indent=1,
        )
    )
    unfinished.rename(KUBECONFIG)

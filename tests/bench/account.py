"""An account of its own for the operator, so that the audit log tells its requests from all others."""

import json
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import Cluster

NAME = "bench-operator"


@dataclass(frozen=True, slots=True)
class Account:
    """A user name as the audit log writes it, and a kubeconfig that logs in as it."""

    user: str
    kubeconfig: Path


def kubeconfig_of(cluster: Cluster, namespace: str, folder: Path) -> Account:
    """Create the account in a namespace, as administrator: a bench is about time, the roles are tested elsewhere."""
    cluster.kubectl("create", "serviceaccount", NAME, "-n", namespace)
    subject = f"--serviceaccount={namespace}:{NAME}"
    cluster.kubectl("create", "clusterrolebinding", namespace, "--clusterrole=cluster-admin", subject)
    token = cluster.kubectl("create", "token", NAME, "-n", namespace, "--duration=2h").strip()
    document = json.loads(cluster.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return Account(f"system:serviceaccount:{namespace}:{NAME}", path)

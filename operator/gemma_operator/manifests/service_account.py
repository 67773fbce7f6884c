"""The ServiceAccount of engine pods: it may do nothing and gets no token."""

from gemma_operator.manifests.owner import KubeObject, Owner


def service_account(owner: Owner) -> KubeObject:
    """An account without rights."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": owner.metadata(),
        "automountServiceAccountToken": False,
    }

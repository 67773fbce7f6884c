"""Integration tests bring their own operators: one that is installed in the cluster would act beside them.

It may be of another version, and two versions that both act on one object undo each other's work without end.
"""

from e2e.cluster import Cluster

NAMESPACE, INSTALLED = "gemma-system", "deployment/gemma-operator"


def stand_alone(cluster: Cluster) -> Cluster:
    """Send an installed operator to sleep. Installing it again, as demo and scenarios do, wakes it."""
    if cluster.kubectl("get", INSTALLED, "-n", NAMESPACE, "--ignore-not-found", "-o", "name"):
        cluster.kubectl("scale", INSTALLED, "-n", NAMESPACE, "--replicas=0")
        selector = "app.kubernetes.io/name=gemma-operator"
        cluster.kubectl("wait", "pods", "-n", NAMESPACE, "-l", selector, "--for=delete", "--timeout=60s")
    return cluster

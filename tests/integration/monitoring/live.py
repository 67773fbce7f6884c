"""Targets of a running cluster: what a PodMonitor and a ServiceMonitor would find."""

from e2e.cluster import Cluster
from e2e.stack import SYSTEM_NAMESPACE
from gemma_operator.api.labels import DEPLOYMENT_LABEL
from gemma_operator.vllm.arguments import PORT
from tests.integration.monitoring.prometheus import Target

OPERATOR_PORT = 8080
OPERATOR = "app.kubernetes.io/name=gemma-operator"


def live_targets(cluster: Cluster, namespace: str, name: str) -> tuple[Target, ...]:
    """The operator's pods, and the engines of one GemmaDeployment that have an address now."""
    operators = _addresses(cluster, SYSTEM_NAMESPACE, OPERATOR)
    engines = _addresses(cluster, namespace, f"{DEPLOYMENT_LABEL}={name}")
    return (
        *(
            Target(
                f"operator-{pod}",
                f"{address}:{OPERATOR_PORT}",
                {"namespace": SYSTEM_NAMESPACE, "pod": pod},
                keeps_labels=True,
            )
            for pod, address in operators.items()
        ),
        *(
            Target(
                f"engine-{pod}",
                f"{address}:{PORT}",
                {"namespace": namespace, "pod": pod, "gemma_deployment": name},
            )
            for pod, address in engines.items()
        ),
    )


def _addresses(cluster: Cluster, namespace: str, selector: str) -> dict[str, str]:
    found = cluster.get("pods", "-n", namespace, "-l", selector)["items"]
    return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in found if pod["status"].get("podIP")}

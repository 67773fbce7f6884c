"""The Service: one port, serving pods only."""

from gemma_operator.manifests.owner import KubeObject, Owner

SERVICE_PORT = 80


def service(owner: Owner) -> KubeObject:
    """A ClusterIP Service on port 80. A pod without the serving label is out of it."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": owner.metadata(),
        "spec": {
            "type": "ClusterIP",
            "selector": owner.serving_selector,
            "ports": [
                {"name": "http", "port": SERVICE_PORT, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}
            ],
        },
    }


def url(owner: Owner) -> str:
    """Where clients inside the cluster reach it; the OpenAI API is below ``/v1``."""
    return f"http://{owner.name}.{owner.namespace}.svc"

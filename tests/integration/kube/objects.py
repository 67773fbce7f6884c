"""Small real objects: an owner, and what it owns."""

import json
from typing import Any

from e2e.cluster import Cluster

OBJECT = dict[str, Any]


def create_owner(cluster: Cluster, namespace: str, name: str = "assistant") -> OBJECT:
    """A GemmaDeployment that nobody reconciles."""
    document = {
        "apiVersion": "gemma-operator.io/v1alpha1",
        "kind": "GemmaDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"contextLength": "4K", "planOnly": True},
    }
    output = cluster.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(document))
    created: OBJECT = json.loads(output)
    return created


def owned(owner: OBJECT, api_version: str, kind: str, **fields: Any) -> OBJECT:
    """An object of that kind, under the owner's name and owned by it."""
    meta = owner["metadata"]
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [reference]}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def deployment(owner: OBJECT, image: str = "example.invalid/engine:1") -> OBJECT:
    """A Deployment without ``replicas``; its pods ask for a node that there is not."""
    labels = {"app": owner["metadata"]["name"]}
    container = {"name": "engine", "image": image, "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}}}
    spec = {
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [container], "nodeSelector": {"gemma-operator.io/nowhere": "true"}},
        },
    }
    return owned(owner, "apps/v1", "Deployment", spec=spec)


def service(owner: OBJECT) -> OBJECT:
    """A Service with one port."""
    ports = [{"name": "http", "port": 8000, "targetPort": 8000}]
    return owned(owner, "v1", "Service", spec={"selector": {"app": owner["metadata"]["name"]}, "ports": ports})

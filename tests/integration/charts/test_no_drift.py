"""What the chart renders is what the API server keeps: nothing for a GitOps tool to find different for ever."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.cluster import Cluster
from gemma_operator.kube.drift import covers
from tests.integration.charts.helm import render, render_text
from tests.integration.charts.matrix import CHOICES

pytestmark = pytest.mark.integration
PROMETHEUS_OPERATOR = "monitoring.coreos.com/v1"
FULL: dict[str, Any] = {
    "commonLabels": {"team": "platform"},
    "imagePullSecrets": [{"name": "pull"}],
    **CHOICES["scheduling"][-1],
    **CHOICES["process"][-1],
    "networkPolicy": CHOICES["policies"][-1]["networkPolicy"],
}


def test_two_renders_are_the_same_to_the_byte() -> None:
    assert render_text(FULL) == render_text(FULL)


@pytest.mark.parametrize("values", [{}, FULL], ids=["defaults", "everything"])
def test_the_api_server_stores_every_object_as_it_was_rendered(
    values: dict[str, Any], cluster: Cluster, namespace: str
) -> None:
    objects = [
        item
        for item in render(values, release=f"gemma-operator-{namespace}", namespace=namespace)
        if item["apiVersion"] != PROMETHEUS_OPERATOR and item["kind"] != "CustomResourceDefinition"
    ]
    assert len(objects) > 15
    for item, stored in zip(objects, _as_stored(cluster, objects), strict=True):
        assert stored["metadata"]["name"] == item["metadata"]["name"]
        assert covers(stored, item), f"{item['kind']} {item['metadata']['name']}"


def _as_stored(cluster: Cluster, objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """With the server's defaults, by dry runs of server-side applies."""
    for item in objects:
        text = cluster.kubectl(
            "apply", "--server-side", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(item)
        )
        yield json.loads(text)

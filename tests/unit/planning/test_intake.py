"""From a manifest to the planning inputs."""

from gemma_operator.api.labels import API_VERSION, KIND
from gemma_operator.planning.intake import ask_from_manifest


def test_requests_of_the_pod_overlay_are_planning_inputs() -> None:
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "assistant"},
        "spec": {"contextLength": "8K", "engine": {"pod": {"requests": {"cpu": "2500m", "memory": "40Gi"}}}},
    }
    ask = ask_from_manifest(manifest)
    assert ask.requested_cpu_millicores == 2500
    assert ask.requested_memory_bytes == 40 * 2**30

"""Nodes that differ only in the memory that their GPUs show: pods go where the plan's memory is."""

import pytest

from e2e.operator_process import OperatorProcess
from tests.integration.controller.conftest import Room

pytestmark = pytest.mark.integration


def test_a_plan_that_needs_ecc_off_is_scheduled_on_the_node_that_has_it_off(
    room: Room, operator: OperatorProcess
) -> None:
    room.nodes("RTX-A6000-ECC", gpus=1, nodes=3)
    room.nodes("RTX-A6000", gpus=1)
    room.ask("large", contextLength="256K", model={"variant": "31B", "quantization": "W4A16"})
    room.wait_ready("large")
    (pod,) = room.get("pods", "-l", "gemma-operator.io/deployment=large")["items"]
    node = room.cluster.get("node", pod["spec"]["nodeName"])
    assert node["metadata"]["labels"]["nvidia.com/gpu.memory"] == "49140"


def test_a_plan_that_fits_both_states_uses_both(room: Room, operator: OperatorProcess) -> None:
    room.nodes("RTX-A6000-ECC", gpus=1)
    room.nodes("RTX-A6000", gpus=1)
    room.ask("small", contextLength="8K", model={"variant": "E2B"}, replicas=2)
    room.wait_ready("small")
    pods = room.get("pods", "-l", "gemma-operator.io/deployment=small")["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2

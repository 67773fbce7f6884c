"""The chart's life on the real cluster, with an engine that serves throughout: tested, upgraded, removed, back again.

One story, in this order.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.chat import Chat
from e2e.stack import RELEASE, SYSTEM_NAMESPACE, Stack
from e2e.waiting import wait_for
from images.tiny.models import transcripts
from tests.integration.charts.helm import CHARTS

pytestmark = pytest.mark.e2e
NAME = "chart-life"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The operator installed with its defaults, and one tiny engine."""
    installed = Stack.ensure()
    installed.cluster.apply([installed.manifest(NAME, "tiny-chat", contextLength="2K")])
    installed.wait_ready(NAME, 600)
    yield installed
    installed = Stack.ensure()
    installed.kubectl("delete", "gemmadeployment", NAME, "--timeout=60s")


def helm(stack: Stack, *arguments: str) -> str:
    """The real helm on the operator's namespace."""
    command = [str(stack.cluster.bin_dir / "helm"), *arguments, "--namespace", SYSTEM_NAMESPACE]
    result = subprocess.run(command, env=stack.cluster.environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def engine_pods(stack: Stack) -> list[tuple[str, int]]:
    """UID and restarts of every engine pod of the story."""
    pods = stack.get("pods", "-l", f"gemma-operator.io/deployment={NAME}")["items"]
    return [
        (pod["metadata"]["uid"], sum(c["restartCount"] for c in pod["status"]["containerStatuses"])) for pod in pods
    ]


def answers(stack: Stack) -> bool:
    """Whether the engine answers as it was taught."""
    said = Chat(stack.address(NAME), NAME).message(transcripts()[0])
    return bool(said["content"].strip() == transcripts()[0]["answer"])


def operators(stack: Stack) -> dict[str, Any]:
    """The operator's Deployment."""
    found: dict[str, Any] = stack.cluster.get("deployment", RELEASE, "-n", SYSTEM_NAMESPACE)
    return found


def test_two_operators_are_ready_and_the_test_of_helm_passes(stack: Stack) -> None:
    assert operators(stack)["status"]["readyReplicas"] == 2
    assert "Phase:          Succeeded" in helm(stack, "test", RELEASE, "--timeout", "180s")


def test_an_upgrade_of_the_operator_restarts_no_engine(stack: Stack) -> None:
    before, generation = engine_pods(stack), operators(stack)["metadata"]["generation"]
    change = ("--reuse-values", "--set", "logLevel=DEBUG", "--wait", "--timeout", "180s")
    helm(stack, "upgrade", RELEASE, str(CHARTS / "gemma-operator"), *change)
    assert operators(stack)["metadata"]["generation"] > generation
    stack.wait_ready(NAME, 60)
    assert engine_pods(stack) == before
    assert answers(stack)


def test_a_second_upgrade_with_the_same_values_changes_nothing(stack: Stack) -> None:
    before = operators(stack)["metadata"]["generation"]
    helm(stack, "upgrade", RELEASE, str(CHARTS / "gemma-operator"), "--reuse-values", "--wait", "--timeout", "180s")
    assert operators(stack)["metadata"]["generation"] == before


def test_an_uninstall_leaves_engines_serving_and_the_crd_in_place(stack: Stack) -> None:
    before = engine_pods(stack)
    said = helm(stack, "uninstall", RELEASE, "--wait", "--timeout", "120s")
    assert "gemmadeployments.gemma-operator.io" in said, "helm says what it keeps"
    assert json.loads(stack.kubectl("get", "gemmadeployment", NAME, "-o", "json"))["metadata"]["name"] == NAME
    leftover = "validatingadmissionpolicies,clusterroles,clusterrolebindings"
    assert stack.cluster.kubectl("get", leftover, "-l", f"app.kubernetes.io/instance={RELEASE}", "-o", "name") == ""
    assert engine_pods(stack) == before
    assert answers(stack)


def test_installed_again_it_takes_over_what_is_there(stack: Stack) -> None:
    before = engine_pods(stack)
    Stack.ensure()
    stack.kubectl("patch", "gd", NAME, "--type=merge", "-p", '{"metadata":{"labels":{"seen":"again"}}}')
    wait_for("a look at the object", lambda: stack.conditions(NAME)["Ready"]["status"] == "True", 60)
    assert engine_pods(stack) == before
    assert answers(stack)

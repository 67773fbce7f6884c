"""Changes to a service of two engines under load, and what becomes of the requests.

Called by ``make bench-drain``. The clients stream on kept-alive connections.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2e.load import Load
from e2e.stack import Stack
from e2e.waiting import wait_for

NAME = "drained"
POD = f"gemma-operator.io/deployment={NAME}"
SPEC: dict[str, Any] = {"contextLength": "1K", "replicas": 2, "rollout": {"drainTimeoutSeconds": 300}}
"""Two engines on two busy cores wait for one another: one stream has taken more than a minute."""

CLIENTS = 2
PAUSE_SECONDS = 0.2
CALM_SECONDS = 2.0
"""Pause of the clients while an engine starts: on few cores a busy one leaves it none."""

AFTER_SECONDS = 3.0
"""The load goes on for so long once the change is complete."""


@dataclass(frozen=True)
class Cycle:
    """One change under load, and what became of the requests."""

    kind: str
    seconds: float
    answered: int
    shed: int
    lost: list[str]


Change = Callable[[Stack, Load], None]


def begin(stack: Stack) -> None:
    """Ask for the service."""
    stack.cluster.apply([stack.manifest(NAME, "tiny-chat", **SPEC)])


def run(stack: Stack, kind: str, change: Change) -> Cycle:
    """Two engines, load, the change, and a little more load."""
    stack.kubectl("scale", "gemmadeployment", NAME, "--replicas=2")
    wait_for("two engines to serve", lambda: len(serving(stack)) == len(names(stack)) == 2, 400, 1, told(stack))
    started = time.monotonic()
    with Load(stack.address(NAME), NAME, clients=CLIENTS, answer_tokens=40, pause_seconds=PAUSE_SECONDS) as load:
        change(stack, load)
        load.pause_seconds = PAUSE_SECONDS
        time.sleep(AFTER_SECONDS)
    account = load.account
    return Cycle(kind, time.monotonic() - started, account.answered, account.shed, account.losses)


def scale_down(stack: Stack, _: Load) -> None:
    """One replica less, as a user or a HorizontalPodAutoscaler writes it."""
    stack.kubectl("scale", "gemmadeployment", NAME, "--replicas=1")
    wait_for("one engine to go", lambda: len(names(stack)) == 1, 420, 1, told(stack))


def evict(stack: Stack, load: Load) -> None:
    """What ``kubectl drain`` does to each pod of a node, to one."""
    victim = min(names(stack))
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": victim, "namespace": stack.namespace}}
    path = f"/api/v1/namespaces/{stack.namespace}/pods/{victim}/eviction"

    def evicted() -> bool:
        stack.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
        return True

    wait_for("the eviction to be allowed", evicted, 120, 2, told(stack))
    wait_for("the evicted pod to go", lambda: victim not in names(stack), 420, 1, told(stack))
    load.pause_seconds = CALM_SECONDS
    wait_for("another to serve", lambda: len(serving(stack)) == 2, 400, 1, told(stack))


def roll_out(stack: Stack, load: Load) -> None:
    """New pods for a reason that changes no plan."""
    before = names(stack)
    load.pause_seconds = CALM_SECONDS
    spec = {"spec": {"engine": {"pod": {"annotations": {"example.com/turn": str(time.time_ns())}}}}}
    stack.kubectl("patch", "gemmadeployment", NAME, "--type=merge", "-p", json.dumps(spec))

    def replaced() -> bool:
        return not before & names(stack) and len(serving(stack)) == 2

    wait_for("both engines to be new", replaced, 800, 1, told(stack))


CHANGES: dict[str, Change] = {"scale-down": scale_down, "eviction": evict, "roll-out": roll_out}


def names(stack: Stack) -> set[str]:
    """The pods that are there, terminating ones included."""
    return {item["metadata"]["name"] for item in stack.get("pods", "-l", POD)["items"]}


def serving(stack: Stack) -> set[str]:
    """The pods that are Ready and not on their way out."""
    return {
        item["metadata"]["name"]
        for item in stack.get("pods", "-l", POD)["items"]
        if "deletionTimestamp" not in item["metadata"]
        and any(one["type"] == "Ready" and one["status"] == "True" for one in item["status"].get("conditions") or ())
    }


def told(stack: Stack) -> Callable[[], str]:
    """What is known, for the error."""
    return lambda: stack.kubectl("get", "gd,pods", "-o", "wide")

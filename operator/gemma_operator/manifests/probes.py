"""Probes and preStop of the engine container.

Startup makes one real completion and checks the context length inside the pod. Readiness and liveness never send a
completion: at the queue limit those get 503 while the engine is well.
"""

from gemma_operator.manifests.owner import KubeObject
from gemma_operator.manifests.pod_settings import PodSettings
from gemma_operator.planning.decision import Plan
from gemma_operator.vllm.arguments import PORT, SHUTDOWN_SECONDS
from gemma_operator.vllm.environment import SCRATCH_PATH, SCRIPTS_PATH

STARTUP_PERIOD_SECONDS = 10
LEAST_STARTUP_FAILURES = 180
DRAIN_FLAG = f"{SCRATCH_PATH}/draining"
SETTLE_SECONDS = 10
"""preStop waits this long at least, whatever the drain time-out: see ``pod_scripts/pre_stop.py``."""

GRACE_MARGIN_SECONDS = 15
"""For the last look of preStop, the idle tail of vLLM's shutdown (5 s, seen) and the container runtime."""


def probes(plan: Plan, settings: PodSettings) -> KubeObject:
    """The three probes; a start that takes longer than the budget is a failure."""
    failures = max(LEAST_STARTUP_FAILURES, settings.startup_budget_seconds // STARTUP_PERIOD_SECONDS)
    return {
        "startupProbe": {
            "exec": {"command": _script("startup_probe.py", str(PORT), str(plan.context_length))},
            "timeoutSeconds": 60,
            "periodSeconds": STARTUP_PERIOD_SECONDS,
            "failureThreshold": failures,
        },
        "readinessProbe": {
            "httpGet": {"path": "/health", "port": "http"},
            "timeoutSeconds": 5,
            "periodSeconds": 5,
            "failureThreshold": 3,
        },
        "livenessProbe": {
            "exec": {"command": _script("liveness_probe.py", str(PORT), f"{SCRATCH_PATH}/liveness.json")},
            "timeoutSeconds": 20,
            "periodSeconds": 10,
            "failureThreshold": 6,
        },
    }


def life_cycle(drain_seconds: int) -> KubeObject:
    """preStop: flag, wait for the Service to notice, wait for requests to end."""
    command = _script("pre_stop.py", str(PORT), str(drain_seconds), DRAIN_FLAG)
    return {"preStop": {"exec": {"command": command}}}


def grace_seconds(drain_seconds: int) -> int:
    """Time from the wish to stop a pod until it is killed: the whole drain and the whole shutdown fit in."""
    return max(drain_seconds, SETTLE_SECONDS) + SHUTDOWN_SECONDS + GRACE_MARGIN_SECONDS


def _script(name: str, *arguments: str) -> list[str]:
    return ["python3", f"{SCRIPTS_PATH}/{name}", *arguments]

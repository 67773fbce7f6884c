"""Gauges and counters about one GemmaDeployment, from what a reconcile saw and from what it said.

Called by ``report`` and by ``reconcile``. Remembers only which ends of engine containers it has counted. Never decides
anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.api.v1alpha1.autoscaling import Autoscaling, AutoscalingTargets, duration_seconds
from gemma_operator.controller.choose import Choice, template_digest
from gemma_operator.controller.learned import overhead_bytes
from gemma_operator.controller.observation import Observation
from gemma_operator.controller.status import Line
from gemma_operator.kube.resources import JsonObject
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.planning.decision import Plan
from gemma_operator.telemetry.first_token import first_token_bucket
from gemma_operator.telemetry.metrics import Metrics
from gemma_operator.vllm.refusal import parse_refusal

VALUES = {"True": 1, "False": 0, "Unknown": -1}
DEFAULT_TARGETS = AutoscalingTargets.model_validate({})
End = tuple[str, int]
"""One end of an engine container: the pod's UID and its restarts at that time."""


class Measures:
    """For one operator process."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._counted: dict[tuple[str, str], frozenset[End]] = {}

    def said(self, live: JsonObject, lines: Sequence[Line], fields: Mapping[str, Any]) -> None:
        """Conditions, counts of replicas, and how a roll-out ended; ``live`` holds the status before."""
        about = live["metadata"]["namespace"], live["metadata"]["name"]
        for line in lines:
            self._metrics.set_condition(*about, line.type, VALUES[line.status], line.reason)
        desired = int(fields.get("desiredReplicas") or 0)
        self._metrics.ready_replicas.labels(*about).set(fields.get("readyReplicas") or 0)
        self._metrics.desired_replicas.labels(*about).set(desired)
        gpus = int((fields.get("plan") or {}).get("tensorParallelSize", 0)) * desired
        self._metrics.planned_gpus.labels(*about).set(gpus)
        result = ended_rollout((live.get("status") or {}).get("conditions") or (), lines)
        if result:
            self._metrics.rollouts_total.labels(*about, result).inc()

    def saw(self, seen: Observation, choice: Choice) -> None:
        """The promise and what the pods hold of it, the plan's budget and what it came to, what is waited for."""
        about = seen.owner.namespace, seen.owner.name
        begins = self._metrics.begin(*about)
        self._targets(about, seen.deployment_object.spec.autoscaling)
        self._ends(about, seen, begins=begins)
        waiting = sum(pod.unschedulable != "" and not pod.terminating for pod in seen.pods)
        plan = choice.record.plan if choice.record else None
        if choice.record is None or plan is None:
            return
        self._metrics.waiting_gpus.labels(*about).set(waiting * plan.tensor_parallel_size)
        self._budget(about, plan.memory)
        self._promise(about, plan, seen, template_digest(choice.record))

    def forget(self, namespace: str, name: str) -> None:
        """Drop what is known of an object that is gone."""
        self._metrics.forget(namespace, name)
        self._counted.pop((namespace, name), None)

    def _targets(self, about: tuple[str, str], autoscaling: Autoscaling | None) -> None:
        """The objective counts for every service; without autoscaling by the default target."""
        target = duration_seconds((autoscaling.targets if autoscaling else DEFAULT_TARGETS).time_to_first_token)
        self._metrics.first_token_target.remove_by_labels(dict(zip(("namespace", "name"), about, strict=True)))
        self._metrics.first_token_target.labels(*about, first_token_bucket(target)).set(target)
        if autoscaling is not None and autoscaling.max_replicas is not None:
            self._metrics.autoscaler_limit.labels(*about, "min").set(autoscaling.min_replicas)
            self._metrics.autoscaler_limit.labels(*about, "max").set(autoscaling.max_replicas)
            for direction in ("up", "down"):
                self._metrics.autoscaler_rescales_total.labels(*about, direction)

    def _ends(self, about: tuple[str, str], seen: Observation, *, begins: bool) -> None:
        """Each bad end of a container once. Those that are there when the counters begin may be old: they are known."""
        ends = {(pod.uid, pod.restarts): pod for pod in seen.pods if pod.termination_message}
        known = ends.keys() if begins else self._counted.get(about, frozenset())
        for end in ends.keys() - known:
            refusal = parse_refusal(ends[end].termination_message)
            if refusal is not None:
                self._metrics.refusals_total.labels(*about, refusal.cause.value).inc()
        self._counted[about] = frozenset(ends)

    def _budget(self, about: tuple[str, str], memory: MemoryBudget) -> None:
        parts = {
            "weights": memory.weights_bytes,
            "persistent": memory.persistent_bytes,
            "activation": memory.activation_bytes,
            "graphs": memory.graphs_bytes,
            "kv_needed": memory.kv_needed_bytes,
            "kv_spare": memory.pool_spare_bytes,
            "context": memory.context_bytes,
            "after_sizing": memory.after_sizing_bytes,
            "margin": memory.margin_bytes,
        }
        for part, size in parts.items():
            self._metrics.plan_memory_bytes.labels(*about, part).set(size)
        inside = memory.persistent_bytes + memory.activation_bytes + memory.graphs_bytes
        self._metrics.plan_overhead_bytes.labels(*about).set(inside)

    def _promise(self, about: tuple[str, str], plan: Plan, seen: Observation, digest: str) -> None:
        """What no engine tells has no series: a missing figure is not a zero."""
        self._metrics.promised_tokens.labels(*about).set(plan.context_length)
        self._metrics.promised_requests.labels(*about).set(plan.concurrent_requests)
        self._metrics.planned_pool_requests.labels(*about).set(plan.max_concurrency)
        meant = {pod.uid for pod in seen.pods if pod.template_digest == digest}
        pools = {uid: pool for uid, pool in seen.pools.items() if uid in meant and pool is not None}
        object_labels = dict(zip(("namespace", "name"), about, strict=True))
        if pools:
            held = min(pool.max_concurrency * min(1.0, pool.max_model_len / plan.context_length)
                       for pool in pools.values())  # fmt: skip
            self._metrics.seen_pool_requests.labels(*about).set(held)
            self._metrics.honored_ratio.labels(*about).set(held / plan.concurrent_requests)
        else:
            self._metrics.seen_pool_requests.remove_by_labels(object_labels)
            self._metrics.honored_ratio.remove_by_labels(object_labels)
        overhead = overhead_bytes(plan, seen.pods, pools)
        if overhead is not None:
            self._metrics.seen_overhead_bytes.labels(*about).set(overhead)


def ended_rollout(before: Sequence[JsonObject], now: Sequence[Line]) -> str:
    """``completed`` or ``timed_out`` when these conditions end a roll-out that the former ones showed, else empty."""
    old = {item.get("type"): item for item in before}.get(ConditionType.PROGRESSING.value, {})
    line = next((line for line in now if line.type is ConditionType.PROGRESSING), None)
    if line is None or old.get("status") != "True" or line.status != "False":
        return ""
    return {Reason.ROLLED_OUT: "completed", Reason.ROLLOUT_TIMED_OUT: "timed_out"}.get(line.reason, "")

"""Every metric of the operator, declared once.

Names are those of controller-runtime and client-go where they exist, so that known dashboards and alerts work;
ours begin with ``gemma_``. One ``Metrics`` belongs to one operator process: it owns its registry, so that two
operators in one test never add up. Called by the client, the queue, the supervisor and reconcile.
"""

from prometheus_client import Counter, Gauge, generate_latest
from prometheus_client.process_collector import ProcessCollector

from gemma_operator import __version__
from gemma_operator.api.conditions import SCALING, ConditionType, Reason
from gemma_operator.autoscaling.fleet import PodState
from gemma_operator.telemetry.declared import Declared, DeclaringRegistry, Values
from gemma_operator.telemetry.first_token import FIRST_TOKEN_BUCKETS
from gemma_operator.vllm.refusal import Cause

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTROLLER = "gemmadeployment"
"""The value of the labels ``controller`` and ``name``: there is one controller and one queue."""

CONDITION_TYPES: Values = tuple(kind.value for kind in ConditionType)
MEMORY_PARTS: Values = (
    "weights",
    "persistent",
    "activation",
    "graphs",
    "kv_needed",
    "kv_spare",
    "context",
    "after_sizing",
    "margin",
)
"""The terms of the memory budget of one GPU; the first six add up to vLLM's share."""

ROLLOUT_RESULTS: Values = ("completed", "timed_out")
DRAIN_ACTIONS: Values = ("started", "taken_back", "ended")


class Metrics:
    """The registry and its metrics. Durations in seconds, sizes in bytes, ages in seconds."""

    def __init__(self) -> None:
        self._declaring = DeclaringRegistry()
        self.registry = self._declaring.registry
        self._begun: set[tuple[str, str]] = set()
        ProcessCollector(registry=self.registry)
        self._declare_controller()
        self._declare_queue()
        self._declare_process()
        self._declare_planning()
        self._declare_status()
        self._declare_context()
        self._declare_life()
        self._declare_autoscaler()

    def _declare_controller(self) -> None:
        own = (CONTROLLER,)
        self.reconcile_total = self._declaring.counter(
            "controller_runtime_reconcile",
            "Reconciliations by result.",
            controller=own,
            result=("success", "requeue_after", "error"),
        )
        self.reconcile_errors_total = self._declaring.counter(
            "controller_runtime_reconcile_errors", "Reconciliations that ended in an error.", controller=own
        )
        self.reconcile_time_seconds = self._declaring.histogram(
            "controller_runtime_reconcile_time_seconds", "Time of one reconciliation.", _SECONDS, controller=own
        )
        self.active_workers = self._declaring.gauge(
            "controller_runtime_active_workers", "Reconciliations that run now.", controller=own
        )

    def _declare_queue(self) -> None:
        own = (CONTROLLER,)
        self.queue_depth = self._declaring.gauge("workqueue_depth", "Keys that wait.", name=own)
        self.queue_adds_total = self._declaring.counter("workqueue_adds", "Keys added.", name=own)
        self.queue_retries_total = self._declaring.counter(
            "workqueue_retries", "Keys added again after an error.", name=own
        )
        self.queue_wait_seconds = self._declaring.histogram(
            "workqueue_queue_duration_seconds",
            "Time a key waited before its reconciliation began.",
            _SECONDS,
            name=own,
        )

    def _declare_process(self) -> None:
        self.build_info = self._declaring.gauge(
            "gemma_operator_build_info", "Always 1; the label is the operator's version.", version=(__version__,)
        )
        self.build_info.labels(__version__).set(1)
        self.leader = self._declaring.gauge(
            "leader_election_master_status", "1 while this process leads.", name=(CONTROLLER,)
        )
        self.requests_total = self._declaring.counter(
            "rest_client_requests",
            "Requests to the API server; code is <error> where none was answered.",
            method=(),
            code=(),
        )
        self.pump_starts_total = self._declaring.counter(
            "gemma_event_pump_starts", "Starts of the event pump; more than one per lead is a restart."
        )
        self.canary_age_seconds = self._declaring.gauge(
            "gemma_event_pump_canary_age_seconds",
            "Time since the pump last delivered a change of the operator's own Lease; 0 on a standby.",
        )

    def _declare_planning(self) -> None:
        self.plan_seconds = self._declaring.histogram("gemma_plan_seconds", "Time of one planning run.", _SECONDS)
        self.plans_total = self._declaring.counter(
            "gemma_plans", "Planning runs by result.", result=("planned", "impossible")
        )
        self.planned_gpus = self._object_gauge("planned_gpus", "GPUs that the plan gives to all replicas.")
        self.plan_memory_bytes = self._object_gauge(
            "plan_memory_bytes", "The plan's budget of one GPU, by part.", part=MEMORY_PARTS
        )
        self.plan_overhead_bytes = self._object_gauge(
            "plan_overhead_bytes", "What the plan sets aside inside vLLM's share beside weights and KV pool, one GPU."
        )
        self.seen_overhead_bytes = self._object_gauge(
            "seen_overhead_bytes", "The same as the running engines show it, the largest of those that booted cold."
        )

    def _declare_status(self) -> None:
        self.condition = self._object_gauge(
            "condition", "Conditions of a GemmaDeployment: 1 True, 0 False, -1 Unknown.", type=CONDITION_TYPES
        )
        self.condition_reason = self._object_gauge(
            "condition_reason",
            "Always 1; the reason that a condition has now.",
            type=CONDITION_TYPES,
            reason=tuple(reason.value for reason in Reason),
        )
        self.desired_replicas = self._object_gauge("desired_replicas", "Replicas that there should be.")
        self.ready_replicas = self._object_gauge("ready_replicas", "Replicas that serve.")
        self.waiting_gpus = self._object_gauge("waiting_gpus", "GPUs that unschedulable engine pods wait for.")

    def _declare_context(self) -> None:
        self.promised_tokens = self._object_gauge("context_promised_tokens", "The context length of the plan in force.")
        self.promised_requests = self._object_gauge(
            "context_promised_requests", "Requests of full length that each replica's KV pool must hold at once."
        )
        self.planned_pool_requests = self._object_gauge(
            "kv_pool_planned_requests", "Requests of full length that a KV pool holds by plan."
        )
        self.seen_pool_requests = self._object_gauge(
            "kv_pool_seen_requests", "Requests of full length that the smallest KV pool of a ready engine holds."
        )
        self.honored_ratio = self._object_gauge(
            "context_honored_ratio", "Held by the smallest pool over promised: below 1 the promise is broken."
        )
        self.first_token_target = self._object_gauge(
            "first_token_target_seconds",
            "The target for the first token; le is the bucket of vLLM's histogram that the objective counts by.",
            le=FIRST_TOKEN_BUCKETS,
        )

    def _declare_life(self) -> None:
        self.refusals_total = self._object_counter(
            "engine_refusals",
            "Engine containers that ended badly, each end once, by what the engine said.",
            cause=tuple(cause.value for cause in Cause),
        )
        self.rollouts_total = self._object_counter("rollouts", "Roll-outs by how they ended.", result=ROLLOUT_RESULTS)
        self.drains_total = self._object_counter("drains", "Pods that the autoscaler drained.", action=DRAIN_ACTIONS)
        self.cut_requests_total = self._object_counter(
            "drain_cut_requests", "Requests that were in a pod when the autoscaler let it go at the drain time-out."
        )

    def _declare_autoscaler(self) -> None:
        gauge = self._object_gauge
        self.autoscaler_desired = gauge(
            "autoscaler_desired_replicas", "Replicas that the autoscaler wants, within its limits."
        )
        self.autoscaler_wanted = gauge("autoscaler_wanted_replicas", "Replicas that demand asks for, before any limit.")
        self.autoscaler_limit = self._object_gauge(
            "autoscaler_limit_replicas", "The bounds of the spec.", bound=("min", "max")
        )
        self.autoscaler_queue = gauge("autoscaler_queue_depth", "Requests that wait, over all replicas.")
        self.autoscaler_demand = gauge("autoscaler_tokens_per_second", "Demand in answer tokens per second.")
        self.autoscaler_capacity = gauge(
            "autoscaler_capacity_tokens_per_second",
            "Answer tokens per second that one replica carries within the targets.",
        )
        self.autoscaler_start_seconds = gauge(
            "autoscaler_cold_start_seconds", "Time from a pod's creation until it serves."
        )
        self.autoscaler_pods = gauge(
            "autoscaler_pods", "Pods by state.", state=tuple(state.value for state in PodState)
        )
        self.autoscaler_rescales_total = self._object_counter(
            "autoscaler_rescales", "Changes of the number of replicas by direction.", direction=("up", "down")
        )
        self.scrapes_total = self._declaring.counter(
            "gemma_autoscaler_scrapes",
            "Metrics pages asked of engines, by result.",
            result=("read", "unknown"),
        )

    def _object_gauge(self, name: str, text: str, **labels: Values) -> Gauge:
        return self._declaring.gauge(f"gemma_{name}", text, namespace=(), name=(), **labels)

    def _object_counter(self, name: str, text: str, **labels: Values) -> Counter:
        return self._declaring.counter(f"gemma_{name}", text, namespace=(), name=(), **labels)

    def begin(self, namespace: str, name: str) -> bool:
        """Let the counters of an object begin at 0: the first cut request would be no increase otherwise.

        Returns whether they begin now: what is there at that time was there before, and is no event.
        """
        if (namespace, name) in self._begun:
            return False
        self._begun.add((namespace, name))
        for cause in Cause:
            self.refusals_total.labels(namespace, name, cause.value)
        for result in ROLLOUT_RESULTS:
            self.rollouts_total.labels(namespace, name, result)
        for action in DRAIN_ACTIONS:
            self.drains_total.labels(namespace, name, action)
        self.cut_requests_total.labels(namespace, name)
        return True

    def set_condition(self, namespace: str, name: str, kind: ConditionType, value: int, reason: Reason) -> None:
        """A condition's value and its one reason."""
        self.condition.labels(namespace, name, kind.value).set(value)
        self.condition_reason.remove_by_labels({"namespace": namespace, "name": name, "type": kind.value})
        self.condition_reason.labels(namespace, name, kind.value, reason.value).set(1)

    def forget_autoscaler(self, namespace: str, name: str) -> None:
        """Drop the autoscaler's series of an object that it no longer works on; unknown ones are fine."""
        about = {"namespace": namespace, "name": name}
        for metric in (
            self.autoscaler_desired,
            self.autoscaler_wanted,
            self.autoscaler_limit,
            self.autoscaler_queue,
            self.autoscaler_demand,
            self.autoscaler_capacity,
            self.autoscaler_start_seconds,
            self.autoscaler_pods,
            self.autoscaler_rescales_total,
        ):
            metric.remove_by_labels(about)
        for kind in SCALING:
            self.condition.remove_by_labels(about | {"type": kind.value})
            self.condition_reason.remove_by_labels(about | {"type": kind.value})

    def forget(self, namespace: str, name: str) -> None:
        """Drop all series of an object that is gone, its conditions among them; unknown ones are fine."""
        self._begun.discard((namespace, name))
        for metric in self._declaring.about_objects():
            metric.remove_by_labels({"namespace": namespace, "name": name})

    def forget_objects(self) -> None:
        """Drop the series of all objects: a process that leads no more would show for ever what it saw last."""
        self._begun.clear()
        for metric in self._declaring.about_objects():
            metric.clear()

    def page(self) -> bytes:
        """The text page that Prometheus scrapes."""
        return generate_latest(self.registry)

    def declared(self) -> tuple[Declared, ...]:
        """All of them, in the order of the declaration."""
        return tuple(self._declaring.declared)

"""Every metric of the operator, declared once.

Names are those of controller-runtime and client-go where they exist, so that known dashboards and alerts work;
ours begin with ``gemma_``. One ``Metrics`` belongs to one operator process: it owns its registry, so that two
operators in one test never add up. Called by the client, the queue, the supervisor and reconcile.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from gemma_operator.api.conditions import SCALING

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
CONTROLLER = "gemmadeployment"
"""The value of the labels ``controller`` and ``name``: there is one controller and one queue."""


class Metrics:
    """The registry and its metrics. Durations in seconds, sizes in bytes, ages in seconds."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._declare_controller()
        self._declare_queue()
        self._declare_process()
        self._declare_product()
        self._declare_autoscaler()

    def _declare_controller(self) -> None:
        self.reconcile_total = Counter(
            "controller_runtime_reconcile",
            "Reconciliations by result: success, requeue_after, error.",
            ["controller", "result"],
            registry=self.registry,
        )
        self.reconcile_errors_total = Counter(
            "controller_runtime_reconcile_errors",
            "Reconciliations that ended in an error.",
            ["controller"],
            registry=self.registry,
        )
        self.reconcile_time_seconds = Histogram(
            "controller_runtime_reconcile_time_seconds",
            "Time of one reconciliation.",
            ["controller"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.active_workers = Gauge(
            "controller_runtime_active_workers",
            "Reconciliations that run now.",
            ["controller"],
            registry=self.registry,
        )

    def _declare_queue(self) -> None:
        self.queue_depth = Gauge("workqueue_depth", "Keys that wait.", ["name"], registry=self.registry)
        self.queue_adds_total = Counter("workqueue_adds", "Keys added.", ["name"], registry=self.registry)
        self.queue_retries_total = Counter(
            "workqueue_retries", "Keys added again after an error.", ["name"], registry=self.registry
        )
        self.queue_wait_seconds = Histogram(
            "workqueue_queue_duration_seconds",
            "Time a key waited before its reconciliation began.",
            ["name"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def _declare_process(self) -> None:
        self.leader = Gauge(
            "leader_election_master_status", "1 while this process leads.", ["name"], registry=self.registry
        )
        self.requests_total = Counter(
            "rest_client_requests",
            "Requests to the API server; code is <error> where none was answered.",
            ["method", "code"],
            registry=self.registry,
        )
        self.pump_starts_total = Counter(
            "gemma_event_pump_starts",
            "Starts of the event pump; more than one per lead is a restart.",
            registry=self.registry,
        )
        self.canary_age_seconds = Gauge(
            "gemma_event_pump_canary_age_seconds",
            "Time since the pump last delivered a change of the operator's own Lease.",
            registry=self.registry,
        )

    def _declare_product(self) -> None:
        object_labels = ["namespace", "name"]
        self.planned_gpus = Gauge(
            "gemma_planned_gpus", "GPUs that the plan gives to all replicas.", object_labels, registry=self.registry
        )
        self.ready_replicas = Gauge(
            "gemma_ready_replicas", "Replicas that serve.", object_labels, registry=self.registry
        )
        self.condition = Gauge(
            "gemma_condition",
            "Conditions of a GemmaDeployment: 1 True, 0 False, -1 Unknown.",
            [*object_labels, "type"],
            registry=self.registry,
        )
        self.plan_seconds = Histogram(
            "gemma_plan_seconds", "Time of one planning run.", buckets=_SECONDS, registry=self.registry
        )
        self.plans_total = Counter(
            "gemma_plans", "Planning runs by result: planned, impossible.", ["result"], registry=self.registry
        )
        self.refusals_total = Counter(
            "gemma_engine_refusals", "Engines that refused to start, by cause.", ["cause"], registry=self.registry
        )

    def _declare_autoscaler(self) -> None:
        labels = ["namespace", "name"]

        def gauge(name: str, text: str, *more: str) -> Gauge:
            return Gauge(f"gemma_autoscaler_{name}", text, [*labels, *more], registry=self.registry)

        self.autoscaler_desired = gauge("desired_replicas", "Replicas that the autoscaler wants, within its limits.")
        self.autoscaler_wanted = gauge("wanted_replicas", "Replicas that demand asks for, before any limit.")
        self.autoscaler_queue = gauge("queue_depth", "Requests that wait, over all replicas.")
        self.autoscaler_demand = gauge("tokens_per_second", "Demand in answer tokens per second.")
        self.autoscaler_capacity = gauge(
            "capacity_tokens_per_second", "Answer tokens per second that one replica carries within the targets."
        )
        self.autoscaler_start_seconds = gauge("cold_start_seconds", "Time from a pod's creation until it serves.")
        self.autoscaler_pods = gauge("pods", "Pods by state: Serving, Loading, Draining.", "state")
        self.autoscaler_rescales_total = Counter(
            "gemma_autoscaler_rescales",
            "Changes of the number of replicas by direction: up, down.",
            [*labels, "direction"],
            registry=self.registry,
        )
        self.scrapes_total = Counter(
            "gemma_autoscaler_scrapes",
            "Metrics pages asked of engines, by result: read, unknown.",
            ["result"],
            registry=self.registry,
        )

    def forget_autoscaler(self, namespace: str, name: str) -> None:
        """Drop the autoscaler's series of an object that it no longer works on; unknown ones are fine."""
        for metric in (
            self.autoscaler_desired,
            self.autoscaler_wanted,
            self.autoscaler_queue,
            self.autoscaler_demand,
            self.autoscaler_capacity,
            self.autoscaler_start_seconds,
            self.autoscaler_pods,
            self.autoscaler_rescales_total,
        ):
            for labels in list(metric._metrics):
                if labels[:2] == (namespace, name):
                    metric.remove(*labels)
        for kind in SCALING:
            if (namespace, name, kind.value) in self.condition._metrics:
                self.condition.remove(namespace, name, kind.value)

    def forget(self, namespace: str, name: str, condition_types: tuple[str, ...]) -> None:
        """Drop the series of an object that is gone; unknown ones are fine."""
        for gauge in (self.planned_gpus, self.ready_replicas):
            if (namespace, name) in gauge._metrics:
                gauge.remove(namespace, name)
        for type_ in condition_types:
            if (namespace, name, type_) in self.condition._metrics:
                self.condition.remove(namespace, name, type_)

    def page(self) -> bytes:
        """The text page that Prometheus scrapes."""
        return generate_latest(self.registry)

    def names(self) -> frozenset[str]:
        """All metric names of ours, as they are exposed, without suffixes of histograms."""
        return frozenset(
            f"{family.name}_total" if family.type == "counter" else family.name
            for family in self.registry.collect()
            if not family.name.startswith(("process_", "python_"))
        )

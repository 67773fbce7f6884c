"""Every metric of the operator, declared once.

Names are those of controller-runtime and client-go where they exist, so that known dashboards and alerts work;
ours begin with ``gemma_``. One ``Metrics`` belongs to one operator process: it owns its registry, so that two
operators in one test never add up. Called by the client, the queue, the supervisor and reconcile.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

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

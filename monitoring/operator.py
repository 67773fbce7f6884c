"""The dashboard of the operator itself."""

from monitoring.dashboard import Dashboard, Panel, Row, Variable
from monitoring.fleet import CLUSTER

SCOPE = 'cluster=~"$cluster",namespace=~"$namespace",pod=~"$pod"'
OWN = f'{SCOPE},controller="gemmadeployment"'
QUEUE = f'{SCOPE},name="gemmadeployment"'
NAMESPACE = Variable("namespace", "label_values(gemma_operator_build_info, namespace)")
POD = Variable("pod", 'label_values(gemma_operator_build_info{namespace=~"$namespace"}, pod)')


def rate(metric: str, scope: str, by: str) -> str:
    """A counter, a second."""
    return f"sum by ({by}) (rate({metric}{{{scope}}}[$__rate_interval]))"


def p95(metric: str, scope: str) -> str:
    """The 95th percentile over all processes."""
    return f"histogram_quantile(0.95, {rate(f'{metric}_bucket', scope, 'le')})"


OPERATOR_BOARD = Dashboard(
    "gemma-operator",
    "Gemma / Operator",
    "The operator: who leads, do its watches tell, does it keep up, what does it ask of the API server.",
    (CLUSTER, NAMESPACE, POD),
    (
        Row(
            "Leadership and watches",
            (
                Panel(
                    "Leader",
                    "1 for the process that leads. Exactly one should.",
                    ((f"max by (pod) (leader_election_master_status{{{QUEUE}}})", "{{pod}}"),),
                    kind="state-timeline",
                    width=12,
                ),
                Panel(
                    "Silence of the watches",
                    "Seconds since the watch told of the operator's own Lease. At 60 s the process is ended.",
                    ((f"max by (pod) (gemma_event_pump_canary_age_seconds{{{SCOPE}}})", "{{pod}}"),),
                    "s",
                    width=6,
                    bad_above=30,
                ),
                Panel(
                    "Starts of the event pump",
                    "Per hour.",
                    ((f"sum by (pod) (increase(gemma_event_pump_starts_total{{{SCOPE}}}[1h]))", "{{pod}}"),),
                    width=6,
                ),
            ),
        ),
        Row(
            "Reconciliation",
            (
                Panel(
                    "By result",
                    "A second.",
                    ((rate("controller_runtime_reconcile_total", OWN, "result"), "{{result}}"),),
                    "ops",
                    stacked=True,
                ),
                Panel(
                    "Errors and retries",
                    "A second.",
                    (
                        (rate("controller_runtime_reconcile_errors_total", OWN, "pod"), "errors {{pod}}"),
                        (rate("workqueue_retries_total", QUEUE, "pod"), "retries {{pod}}"),
                    ),
                    "ops",
                ),
                Panel(
                    "Time",
                    "95th percentile of one reconciliation, and of the wait before it.",
                    (
                        (p95("controller_runtime_reconcile_time_seconds", OWN), "reconciliation"),
                        (p95("workqueue_queue_duration_seconds", QUEUE), "in the queue"),
                    ),
                    "s",
                ),
                Panel(
                    "Queue",
                    "Keys that wait, and workers that work.",
                    (
                        (f"sum by (pod) (workqueue_depth{{{QUEUE}}})", "waiting {{pod}}"),
                        (f"sum by (pod) (controller_runtime_active_workers{{{OWN}}})", "at work {{pod}}"),
                    ),
                ),
                Panel("Keys added", "A second.", ((rate("workqueue_adds_total", QUEUE, "pod"), "{{pod}}"),), "ops"),
                Panel(
                    "Planning",
                    "95th percentile of one run.",
                    ((p95("gemma_plan_seconds", SCOPE), "plan"),),
                    "s",
                ),
            ),
        ),
        Row(
            "What it asks for",
            (
                Panel(
                    "API server, by answer",
                    "Requests a second. At rest only the Lease is written.",
                    ((rate("rest_client_requests_total", SCOPE, "method, code"), "{{method}} {{code}}"),),
                    "reqps",
                ),
                Panel(
                    "Plans",
                    "Runs a second by result.",
                    ((rate("gemma_plans_total", SCOPE, "result"), "{{result}}"),),
                    "ops",
                ),
                Panel(
                    "Pages of engines",
                    "Asked for a second by the autoscaler; unknown ones did not tell.",
                    ((rate("gemma_autoscaler_scrapes_total", SCOPE, "result"), "{{result}}"),),
                    "ops",
                ),
            ),
        ),
        Row(
            "Process",
            (
                Panel(
                    "Memory",
                    "Resident.",
                    ((f"process_resident_memory_bytes{{{SCOPE}}} and on (pod) gemma_operator_build_info", "{{pod}}"),),
                    "bytes",
                ),
                Panel(
                    "CPU",
                    "Cores.",
                    (
                        (
                            f"sum by (pod) (rate(process_cpu_seconds_total{{{SCOPE}}}[$__rate_interval])) "
                            "and on (pod) gemma_operator_build_info",
                            "{{pod}}",
                        ),
                    ),
                ),
                Panel(
                    "Version",
                    "Of each process.",
                    ((f"max by (pod, version) (gemma_operator_build_info{{{SCOPE}}})", ""),),
                    kind="table",
                ),
            ),
        ),
    ),
)

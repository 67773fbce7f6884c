"""The dashboard of one GemmaDeployment: service levels, saturation, autoscaler, memory by plan and by fact."""

from monitoring.dashboard import Dashboard, Panel, Row, Variable
from monitoring.fleet import CLUSTER, NAMESPACE, stat

OBJECT = 'cluster=~"$cluster",namespace=~"$namespace",name="$deployment"'
ENGINES = 'cluster=~"$cluster",namespace=~"$namespace",gemma_deployment="$deployment",pod=~"$pod"'
DEPLOYMENT = Variable("deployment", 'label_values(gemma_condition{namespace=~"$namespace"}, name)', many=False)
POD = Variable("pod", 'label_values(vllm:num_requests_running{gemma_deployment="$deployment"}, pod)')


def told(metric: str, by: str = "", more: str = "") -> str:
    """A gauge of the operator about this object."""
    return f"max{f' by ({by})' if by else ''} ({metric}{{{OBJECT}{more}}})"


def engines(metric: str, by: str = "pod", more: str = "") -> str:
    """A gauge of the engines, by pod."""
    return f"sum by ({by}) ({metric}{{{ENGINES}{more}}})"


def engine_rate(metric: str, by: str = "pod", more: str = "") -> str:
    """A counter of the engines, a second."""
    return f"sum by ({by}) (rate({metric}{{{ENGINES}{more}}}[$__rate_interval]))"


def quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    """Median, 95th and 99th percentile over all engines."""
    rate = f"sum by (le) (rate({metric}_bucket{{{ENGINES}}}[$__rate_interval]))"
    return tuple((f"histogram_quantile({share}, {rate})", f"p{share * 100:g}") for share in (0.5, 0.95, 0.99))


def increase(metric: str, by: str) -> tuple[tuple[str, str], ...]:
    """A counter of the operator, how many in the last hour."""
    return ((f"sum by ({by}) (increase({metric}{{{OBJECT}}}[1h]))", f"{{{{{by}}}}}"),)


SERVICE_LEVELS = Row(
    "Service levels",
    (
        stat("Promised context", "Tokens of one request.", told("gemma_context_promised_tokens"), unit="none"),
        Panel(
            "Promise held",
            "Full-length requests that the smallest pool holds over those promised: below 1 it is broken.",
            ((told("gemma_context_honored_ratio"), ""),),
            kind="stat",
            width=4,
            height=4,
            bad_below=1,
        ),
        stat("Ready", "Replicas that serve.", told("gemma_ready_replicas")),
        stat("Target", "For the first token.", told("gemma_first_token_target_seconds"), unit="s"),
        stat(
            "Late, last hour",
            "First tokens after the target; the objective is 5 %.",
            f"gemma:first_token_slow:ratio_rate1h{{{OBJECT}}}",
            unit="percentunit",
            bad_above=0.05,
        ),
        stat(
            "Failed, last hour",
            "5xx answers and time without an engine; the objective is 0.5 %.",
            f"gemma:availability_errors:ratio_rate1h{{{OBJECT}}}",
            unit="percentunit",
            bad_above=0.005,
        ),
        Panel(
            "First token",
            "From arrival, queue and prefill included.",
            (
                *quantiles("vllm:time_to_first_token_seconds"),
                (told("gemma_first_token_target_seconds"), "target"),
            ),
            "s",
        ),
        Panel("Between tokens", "Within one answer.", quantiles("vllm:inter_token_latency_seconds"), "s"),
        Panel("Whole request", "Seen only when it ends.", quantiles("vllm:e2e_request_latency_seconds"), "s"),
        Panel(
            "Answers",
            "Requests a second by status.",
            ((engine_rate("http_requests_total", "status", ',handler=~"/v1/.+"'), "{{status}}"),),
            "reqps",
            stacked=True,
        ),
        Panel(
            "How answers ended",
            "A second: stop and length are normal, abort is a client that left.",
            ((engine_rate("vllm:request_success_total", "finished_reason"), "{{finished_reason}}"),),
            "reqps",
            stacked=True,
        ),
        Panel(
            "Budget used up, times too fast",
            "Above 1 the budget of 30 days does not last; 14.4 over an hour pages.",
            (
                (f"gemma:first_token_slow:ratio_rate1h{{{OBJECT}}} / 0.05", "first token, 1 h"),
                (f"gemma:first_token_slow:ratio_rate1d{{{OBJECT}}} / 0.05", "first token, 1 d"),
                (f"gemma:availability_errors:ratio_rate1h{{{OBJECT}}} / 0.005", "availability, 1 h"),
                (f"gemma:availability_errors:ratio_rate1d{{{OBJECT}}} / 0.005", "availability, 1 d"),
            ),
            bad_above=1,
        ),
    ),
)

SATURATION = Row(
    "Saturation",
    (
        Panel("Running", "Requests by pod.", ((engines("vllm:num_requests_running"), "{{pod}}"),), stacked=True),
        Panel(
            "Waiting",
            "Requests by pod, and how many of them for want of capacity.",
            (
                (engines("vllm:num_requests_waiting"), "{{pod}}"),
                (engines("vllm:num_requests_waiting_by_reason", "reason"), "{{reason}}"),
            ),
        ),
        Panel(
            "KV cache",
            "Share in use by pod. Full is no fault; preemptions are.",
            ((f"max by (pod) (vllm:kv_cache_usage_perc{{{ENGINES}}})", "{{pod}}"),),
            "percentunit",
        ),
        Panel(
            "Preemptions and refusals",
            "A second: requests put back for want of KV cache, and requests refused by the queue limit.",
            (
                (engine_rate("vllm:num_preemptions_total"), "preempted {{pod}}"),
                (engine_rate("vllm:admission_rejections_total", "reason"), "refused {{reason}}"),
            ),
        ),
        Panel(
            "Tokens",
            "A second, over all engines; the prompt's without what the cache had.",
            (
                (engine_rate("vllm:generation_tokens_total", "gemma_deployment"), "answer"),
                (
                    engine_rate("vllm:prompt_tokens_by_source_total", "gemma_deployment", ',source="local_compute"'),
                    "prompt, computed",
                ),
            ),
        ),
        Panel(
            "Prefix cache",
            "Share of prompt tokens that were there already.",
            (
                (
                    f"{engine_rate('vllm:prefix_cache_hits_total')} / {engine_rate('vllm:prefix_cache_queries_total')}",
                    "{{pod}}",
                ),
            ),
            "percentunit",
        ),
        Panel("In the queue", "Seen only when the request ends.", quantiles("vllm:request_queue_time_seconds"), "s"),
        Panel("Prefill", "Seen only when the request ends.", quantiles("vllm:request_prefill_time_seconds"), "s"),
        Panel(
            "Prompt and answer length",
            "95th percentile in tokens.",
            (
                (quantiles("vllm:request_prompt_tokens")[1][0], "prompt"),
                (quantiles("vllm:request_generation_tokens")[1][0], "answer"),
            ),
        ),
    ),
)

AUTOSCALER = Row(
    "Autoscaler",
    (
        Panel(
            "Replicas",
            "Wanted by demand, desired within the limits, asked of the cluster, ready.",
            (
                (told("gemma_autoscaler_wanted_replicas"), "wanted"),
                (told("gemma_autoscaler_desired_replicas"), "desired"),
                (told("gemma_desired_replicas"), "asked for"),
                (told("gemma_ready_replicas"), "ready"),
                (told("gemma_autoscaler_limit_replicas", "bound"), "{{bound}}"),
            ),
        ),
        Panel(
            "Demand and capacity",
            "Answer tokens a second; capacity is that of the replicas that serve.",
            (
                (told("gemma_autoscaler_tokens_per_second"), "demand"),
                (
                    f"{told('gemma_autoscaler_capacity_tokens_per_second')} * {told('gemma_ready_replicas')}",
                    "capacity",
                ),
            ),
        ),
        Panel("Queue as it sees it", "Requests that wait.", ((told("gemma_autoscaler_queue_depth"), "waiting"),)),
        Panel("Pods", "By state.", ((told("gemma_autoscaler_pods", "state"), "{{state}}"),), stacked=True),
        Panel(
            "Cold start",
            "From a pod's creation until it serves, as learned.",
            ((told("gemma_autoscaler_cold_start_seconds"), "cold start"),),
            "s",
        ),
        Panel(
            "Changes", "Of the number of replicas, per hour.", increase("gemma_autoscaler_rescales_total", "direction")
        ),
        Panel("Drains", "Pods, per hour.", increase("gemma_drains_total", "action")),
        Panel(
            "Requests cut",
            "By drains, per hour. Should be none.",
            increase("gemma_drain_cut_requests_total", "name"),
            bad_above=1,
        ),
        Panel(
            "What holds it",
            "Reasons of its conditions, and of the roll-out's.",
            (
                (
                    told(
                        "gemma_condition_reason",
                        "type, reason",
                        ',type=~"ScalingActive|AbleToScale|ScalingLimited|Progressing|Degraded"',
                    ),
                    "{{type}}: {{reason}}",
                ),
            ),
            kind="state-timeline",
        ),
    ),
)

MEMORY = Row(
    "Memory: plan and fact",
    (
        Panel(
            "Plan of one GPU",
            "Each term of the budget; what vLLM's share has is from weights to kv_spare.",
            ((told("gemma_plan_memory_bytes", "part"), "{{part}}"),),
            "bytes",
            kind="bargauge",
            height=9,
        ),
        Panel(
            "Overhead inside vLLM's share",
            "Buffers, activations, graphs. Seen on engines that booted cold; more than planned makes the pool smaller.",
            (
                (told("gemma_plan_overhead_bytes"), "planned"),
                (told("gemma_seen_overhead_bytes"), "seen"),
            ),
            "bytes",
            height=9,
        ),
        Panel(
            "KV pool in full-length requests",
            "The smallest pool must hold what is promised.",
            (
                (told("gemma_context_promised_requests"), "promised"),
                (told("gemma_kv_pool_planned_requests"), "planned"),
                (told("gemma_kv_pool_seen_requests"), "seen, smallest"),
            ),
            height=9,
        ),
        Panel(
            "Engines that ended badly", "Per hour, by what they said.", increase("gemma_engine_refusals_total", "cause")
        ),
        Panel("Roll-outs", "Per hour, by how they ended.", increase("gemma_rollouts_total", "result")),
        Panel(
            "GPUs",
            "Planned for all replicas, and waited for.",
            (
                (told("gemma_planned_gpus"), "planned"),
                (told("gemma_waiting_gpus"), "waited for"),
            ),
        ),
    ),
)

DEPLOYMENT_BOARD = Dashboard(
    "gemma-deployment",
    "Gemma / Deployment",
    "One GemmaDeployment: does it keep its promises, what limits it, what is the autoscaler doing, does memory follow "
    "the plan.",
    (CLUSTER, NAMESPACE, DEPLOYMENT, POD),
    (SERVICE_LEVELS, SATURATION, AUTOSCALER, MEMORY),
)

"""The dashboard of all GemmaDeployments: which of them needs a look."""

from monitoring.dashboard import Dashboard, Panel, Row, Variable

OURS = 'cluster=~"$cluster",namespace=~"$namespace"'
BY = "cluster, namespace, name"
NAMED = "{{namespace}}/{{name}}"
CLUSTER = Variable("cluster", "label_values(gemma_condition, cluster)")
NAMESPACE = Variable("namespace", 'label_values(gemma_condition{cluster=~"$cluster"}, namespace)')


def each(metric: str, more: str = "") -> str:
    """A gauge of the operator, one series for each GemmaDeployment: a hand-over shows two for a while."""
    return f"max by ({BY}) ({metric}{{{OURS}{more}}})"


def holds(kind: str, value: str) -> str:
    """How many GemmaDeployments have this value of a condition; none is 0."""
    return f'count({each("gemma_condition", f""",type="{kind}" """.rstrip())} == {value}) or vector(0)'


def stat(title: str, text: str, query: str, *, unit: str = "short", bad_above: float | None = None) -> Panel:
    """One big number."""
    return Panel(title, text, ((query, ""),), unit, "stat", width=4, height=4, bad_above=bad_above)


FLEET = Dashboard(
    "gemma-fleet",
    "Gemma / Fleet",
    "All GemmaDeployments: promises, service levels, load, GPUs.",
    (CLUSTER, NAMESPACE),
    (
        Row(
            "Now",
            (
                stat("Services", "GemmaDeployments.", f"count({each('gemma_desired_replicas')})"),
                stat("Not ready", "Ready is not True.", holds("Ready", "0"), bad_above=1),
                stat("Promise broken", "ContextHonored is False.", holds("ContextHonored", "0"), bad_above=1),
                stat("Degraded", "Degraded is True.", holds("Degraded", "1"), bad_above=1),
                stat("GPUs planned", "For all replicas.", f"sum({each('gemma_planned_gpus')})"),
                stat("GPUs waited for", "By unschedulable pods.", f"sum({each('gemma_waiting_gpus')})", bad_above=1),
            ),
        ),
        Row(
            "Which",
            (
                Panel(
                    "Why",
                    "The reason of Ready and of Degraded of each; Serving and AsExpected are what they should be.",
                    (
                        (
                            f"max by ({BY}, type, reason) "
                            f'(gemma_condition_reason{{{OURS},type=~"Ready|Degraded"}} == 1)',
                            "",
                        ),
                    ),
                    kind="table",
                    width=12,
                    height=9,
                ),
                Panel(
                    "Promise held",
                    "Full-length requests that the smallest pool holds over those promised: below 1 it is broken.",
                    ((each("gemma_context_honored_ratio"), NAMED),),
                    kind="bargauge",
                    width=12,
                    height=9,
                    bad_below=1,
                ),
            ),
        ),
        Row(
            "Service levels",
            (
                Panel(
                    "Late first tokens",
                    "Share of the last hour's requests whose first token came after the target; the objective is 5 %.",
                    ((f"gemma:first_token_slow:ratio_rate1h{{{OURS}}}", NAMED),),
                    "percentunit",
                    width=12,
                    bad_above=0.05,
                ),
                Panel(
                    "Failed",
                    "Share of the last hour's requests answered with 5xx, and of its time without an engine; 0.5 %.",
                    ((f"gemma:availability_errors:ratio_rate1h{{{OURS}}}", NAMED),),
                    "percentunit",
                    width=12,
                    bad_above=0.005,
                ),
            ),
        ),
        Row(
            "Load",
            (
                Panel("Waiting", "Requests that wait.", ((f"gemma:requests_waiting:sum{{{OURS}}}", NAMED),)),
                Panel("Running", "Requests that run.", ((f"gemma:requests_running:sum{{{OURS}}}", NAMED),)),
                Panel(
                    "KV cache",
                    "The fullest engine of each.",
                    ((f"gemma:kv_cache_usage:max{{{OURS}}}", NAMED),),
                    "percentunit",
                ),
                Panel(
                    "Answer tokens",
                    "Tokens a second.",
                    ((f"gemma:generation_tokens:rate5m{{{OURS}}}", NAMED),),
                    stacked=True,
                ),
                Panel(
                    "Prompt tokens",
                    "Tokens a second, cached ones too.",
                    ((f"gemma:prompt_tokens:rate5m{{{OURS}}}", NAMED),),
                    stacked=True,
                ),
                Panel(
                    "Replicas missing",
                    "Those that should serve less those that do.",
                    ((f"{each('gemma_desired_replicas')} - {each('gemma_ready_replicas')}", NAMED),),
                ),
            ),
        ),
        Row(
            "Life",
            (
                Panel(
                    "Roll-outs",
                    "Ended in the last hour, by how.",
                    (
                        (
                            f"sum by ({BY}, result) (increase(gemma_rollouts_total{{{OURS}}}[1h]))",
                            f"{NAMED} {{{{result}}}}",
                        ),
                    ),
                ),
                Panel(
                    "Engines that ended badly",
                    "In the last hour, by what they said.",
                    (
                        (
                            f"sum by ({BY}, cause) (increase(gemma_engine_refusals_total{{{OURS}}}[1h]))",
                            f"{NAMED} {{{{cause}}}}",
                        ),
                    ),
                ),
                Panel(
                    "Requests cut",
                    "By drains, in the last hour. Should be none.",
                    ((f"sum by ({BY}) (increase(gemma_drain_cut_requests_total{{{OURS}}}[1h]))", NAMED),),
                ),
            ),
        ),
    ),
)

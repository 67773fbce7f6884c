"""The reference page of the metrics, from the declared list. Called by ``cli.generate``."""

from gemma_operator.api.conditions import Reason
from gemma_operator.telemetry.declared import OBJECT, Declared
from gemma_operator.telemetry.metrics import Metrics

HEAD = """# Metrics of the operator

Generated from `operator/gemma_operator/telemetry/metrics.py`. Alerts and dashboards use no other names of the operator;
a test compares both directions. How to have them scraped: [Monitor](../how-to/monitor.md).

Names are those of controller-runtime and client-go where they exist. Labels `namespace` and `name` are those of the
GemmaDeployment, so the operator has to be scraped with `honorLabels: true`. Values of a label are closed unless a row
says `…`. Besides these, the page has the usual `process_*` metrics.

| metric | kind | labels | meaning |
|---|---|---|---|
"""
REASONS = """
## Reasons

The closed list of reasons, of conditions (`gemma_condition_reason`) and of Events alike:

"""
MANY = 12


def render_metrics_reference() -> str:
    """The page as Markdown."""
    reasons = "".join(f"- `{reason}`\n" for reason in sorted(Reason))
    return HEAD + "".join(_row(metric) for metric in Metrics().declared()) + REASONS + reasons


def _row(metric: Declared) -> str:
    labels = ", ".join(_label(name, values) for name, values in metric.labels.items()) or "–"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |\n"


def _label(name: str, values: tuple[str, ...]) -> str:
    if name in OBJECT and not values:
        return f"`{name}`"
    if not values:
        return f"`{name}` …"
    if len(values) > MANY:
        return f"`{name}` (closed list, see below)" if name == "reason" else f"`{name}` (closed list)"
    return f"`{name}` ({', '.join(values)})"

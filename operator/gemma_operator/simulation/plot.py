"""The picture of one simulation: load above, replicas below, on one axis of time."""

from gemma_operator.simulation.arrivals import Trace
from gemma_operator.simulation.report import Report
from gemma_operator.simulation.svg import INK, Panel, document, legend, stepped, text, ticks

WIDTH, HEIGHT = 1040, 640
LEFT, RIGHT = 64, 72
REQUESTS, PROMPTS, ANSWERS = "#1f2933", "#d97706", "#0d9488"
DESIRED, READY, LOADING, DRAINING = "#b91c1c", "#1d4ed8", "#d97706", "#64748b"
BINS = 120


def plot(trace: Trace, report: Report, title: str) -> str:
    """An SVG of load, desired and ready replicas; loading and draining ones are shaded on top of the ready."""
    summary = (
        f"{report.slo_attainment:.1%} of {report.arrivals:,} requests within targets · "
        f"{report.gpu_hours:.2f} GPU-hours · {report.mean_replicas:.1f} replicas on average, "
        f"{report.peak_replicas} at most"
    )
    if report.shed_requests or report.lost_requests:
        summary += f" · {report.shed_requests:,} shed, {report.lost_requests:,} lost"
    parts = [text(LEFT, 32, title, "start", INK, 17, 600), text(LEFT, 54, summary, "start", "#616e7c", 13)]
    parts += _load(trace)
    parts += _replicas(trace, report)
    return document(WIDTH, HEIGHT, parts)


def _load(trace: Trace) -> list[str]:
    width = trace.seconds / BINS
    sums = [[0.0, 0.0, 0.0] for _ in range(BINS)]
    for arrival in trace.arrivals:
        bin_ = sums[min(BINS - 1, int(arrival.at_seconds / width))]
        bin_[0] += 1 / width
        bin_[1] += arrival.prompt_tokens / width
        bin_[2] += arrival.answer_tokens / width
    left = ticks(max(one[0] for one in sums), 4)
    right = ticks(max(max(one[1:]) for one in sums), 4)
    panel = Panel(LEFT, 110, WIDTH - LEFT - RIGHT, 190, trace.seconds, left[-1])
    panel.grid(left, "requests per second")
    panel.right_axis(right, right[-1], "tokens per second", PROMPTS)
    scale = left[-1] / right[-1]
    series = (
        (1, scale, PROMPTS, 1.6),
        (2, scale, ANSWERS, 1.6),
        (0, 1.0, REQUESTS, 2.0),
    )
    for column, factor, colour, stroke in series:
        middle = [((index + 0.5) * width, one[column] * factor) for index, one in enumerate(sums)]
        panel.line(middle, colour, stroke)
    entries = [
        ("requests", REQUESTS, False),
        ("prompt tokens (right)", PROMPTS, False),
        ("answer tokens (right)", ANSWERS, False),
    ]
    return panel.parts + legend(WIDTH - RIGHT, 82, entries)


def _replicas(trace: Trace, report: Report) -> list[str]:
    moments = report.moments
    end = trace.seconds
    counts = {
        "ready": [(one.at_seconds, float(one.ready)) for one in moments],
        "loading": [(one.at_seconds, float(one.ready + one.loading)) for one in moments],
        "draining": [(one.at_seconds, float(one.ready + one.loading + one.draining)) for one in moments],
        "desired": [(one.at_seconds, float(one.desired)) for one in moments],
    }
    lines = {name: stepped([*points, (end, points[-1][1])]) for name, points in counts.items()}
    scale = ticks(max(y for points in lines.values() for _, y in points), 6, whole=True)
    panel = Panel(LEFT, 380, WIDTH - LEFT - RIGHT, 190, end, scale[-1])
    panel.grid(scale, "replicas")
    panel.area(lines["ready"], [(x, 0.0) for x, _ in lines["ready"]], READY, 0.10)
    panel.area(lines["loading"], lines["ready"], LOADING, 0.35)
    panel.area(lines["draining"], lines["loading"], DRAINING, 0.35)
    panel.line(lines["ready"], READY, 2.2)
    panel.line(lines["desired"], DESIRED, 1.5, "5 3")
    panel.times([60 * minute for minute in ticks(end / 60, 6) if 60 * minute <= end * 1.001], "minutes")
    entries = [
        ("desired", DESIRED, False),
        ("ready", READY, False),
        ("loading", LOADING, True),
        ("draining", DRAINING, True),
    ]
    return panel.parts + legend(WIDTH - RIGHT, 352, entries)

"""A dashboard as a picture: the same panels in the same places, drawn from answers of a Prometheus.

Pure: takes the dashboard's JSON and the answers, gives text. Called by ``picture``. A panel without an answer says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

COLUMN, LINE, GAP, TITLE = 50, 32, 6, 22
PALETTE = ("#3b7dd8", "#e07b39", "#4c9f50", "#b3589a", "#c7a500", "#5aa9a3", "#d6455d", "#7a6ff0", "#8a8a8a")
LEGENDS = 5
STYLE = (
    "text{font-family:sans-serif;font-size:11px;fill:#333}.t{font-weight:600;font-size:12px}.s{fill:#888;font-size:10px}"
    ".h{font-weight:600;font-size:14px}.n{font-size:24px;font-weight:600}"
)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: how it is called, its labels, and pairs of seconds and value, oldest first."""

    legend: str
    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Box:
    """A place in the picture, in pixels."""

    x: float
    y: float
    width: float
    height: float


Answers = Mapping[int, Sequence[Series]]
"""Series by the panel's id, in the order of its queries."""


def draw(board: Mapping[str, Any], answers: Answers, note: str) -> str:
    """The picture; ``note`` says where the figures come from."""
    lowest = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    width, height = 24 * COLUMN, 40 + lowest * LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<title>{escape(board['title'])}</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#f4f5f7"/>',
        f'<text class="h" x="10" y="24">{escape(board["title"])}</text>',
        f'<text class="s" x="{width - 10}" y="24" text-anchor="end">{escape(note)}</text>',
    ]
    for panel in board["panels"]:
        place = panel["gridPos"]
        box = Box(place["x"] * COLUMN, 36 + place["y"] * LINE, place["w"] * COLUMN, place["h"] * LINE)
        parts.extend(_panel(panel, answers.get(panel["id"], ()), box))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Mapping[str, Any], series: Sequence[Series], box: Box) -> Iterator[str]:
    if panel["type"] == "row":
        yield f'<text class="h" x="10" y="{box.y + 21:.0f}">{escape(panel["title"])}</text>'
        return
    inner = Box(box.x + GAP / 2, box.y + GAP / 2, box.width - GAP, box.height - GAP)
    yield f'<rect x="{inner.x}" y="{inner.y}" width="{inner.width}" height="{inner.height}" fill="#fff" stroke="#ddd"/>'
    yield f'<text class="t" x="{inner.x + 8}" y="{inner.y + 16}">{escape(panel["title"])}</text>'
    body = Box(inner.x + 8, inner.y + TITLE, inner.width - 16, inner.height - TITLE - 6)
    unit = panel["fieldConfig"]["defaults"]["unit"]
    if not any(one.points for one in series):
        yield f'<text class="s" x="{body.x}" y="{body.y + 20}">no data</text>'
    elif panel["type"] == "stat":
        value = _number(series[0].last, unit)
        x, y = body.x + body.width / 2, body.y + body.height / 2 + 10
        yield f'<text class="n" x="{x:.0f}" y="{y:.0f}" text-anchor="middle">{value}</text>'
    elif panel["type"] == "table":
        yield from _table(series, body)
    elif panel["type"] == "bargauge":
        yield from _bars(series, body, unit)
    elif panel["type"] == "state-timeline":
        yield from _states(series, body)
    else:
        stacked = "stacking" in panel["fieldConfig"]["defaults"].get("custom", {})
        yield from _lines(series, body, unit, stacked=stacked)


def _lines(series: Sequence[Series], body: Box, unit: str, *, stacked: bool) -> Iterator[str]:
    plot = Box(body.x + 46, body.y + 4, body.width - 50, body.height - 26)
    times = sorted({time for one in series for time, _ in one.points})
    start, span = times[0], max(times[-1] - times[0], 1.0)
    base = dict.fromkeys(times, 0.0)
    shown: list[tuple[Series, list[tuple[float, float]], list[tuple[float, float]]]] = []
    for one in series:
        real = [(time, value) for time, value in one.points if value == value]
        upper = [(time, value + (base[time] if stacked else 0.0)) for time, value in real]
        shown.append((one, upper, [(time, base[time]) for time, _ in real]))
        if stacked:
            base.update(upper)
    values = [value for _, upper, _ in shown for _, value in upper] or [0.0]
    low, high = min(0.0, *values), max(*values, 0.0)
    high = low + (high - low) * 1.1 if high > low else low + 1.0

    def at(time: float, value: float) -> str:
        x = plot.x + (time - start) / span * plot.width
        return f"{x:.1f},{plot.y + plot.height - (value - low) / (high - low) * plot.height:.1f}"

    for share in (0.0, 0.5, 1.0):
        y = plot.y + plot.height * (1 - share)
        yield f'<line x1="{plot.x}" y1="{y:.1f}" x2="{plot.x + plot.width}" y2="{y:.1f}" stroke="#eee"/>'
        value = _number(low + share * (high - low), unit)
        yield f'<text class="s" x="{plot.x - 4}" y="{y + 3:.1f}" text-anchor="end">{value}</text>'
    for index, (_, upper, lower) in enumerate(shown):
        colour = PALETTE[index % len(PALETTE)]
        if stacked and upper:
            outline = " ".join(at(*point) for point in (*upper, *reversed(lower)))
            yield f'<polygon points="{outline}" fill="{colour}" fill-opacity="0.5"/>'
        line = " ".join(at(*point) for point in upper)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    yield from _legend([one for one, _, _ in shown], body)


def _legend(series: Sequence[Series], body: Box) -> Iterator[str]:
    x, y = body.x + 4, body.y + body.height - 4
    room = int(body.width / max(1, min(len(series), LEGENDS)) / 6.2) - 3
    for index, one in enumerate(series[:LEGENDS]):
        name = one.legend if len(one.legend) <= room else f"{one.legend[: max(room - 1, 3)]}…"
        yield f'<rect x="{x:.0f}" y="{y - 8:.0f}" width="8" height="8" fill="{PALETTE[index % len(PALETTE)]}"/>'
        yield f'<text class="s" x="{x + 11:.0f}" y="{y:.0f}">{escape(name)}</text>'
        x += 20 + 6 * len(name)


def _bars(series: Sequence[Series], body: Box, unit: str) -> Iterator[str]:
    most = max(max(one.last for one in series), 1e-9)
    step = min(26.0, body.height / len(series))
    for index, one in enumerate(series):
        y = body.y + index * step
        length = max(0.0, one.last) / most * (body.width - 210)
        yield f'<text x="{body.x}" y="{y + 15:.1f}">{escape(one.legend[:22])}</text>'
        size = f'width="{length:.1f}" height="{step - 10:.1f}"'
        yield f'<rect x="{body.x + 130}" y="{y + 4:.1f}" {size} fill="{PALETTE[0]}"/>'
        yield f'<text x="{body.x + 136 + length:.1f}" y="{y + 15:.1f}">{_number(one.last, unit)}</text>'


def _states(series: Sequence[Series], body: Box) -> Iterator[str]:
    times = sorted({time for one in series for time, _ in one.points})
    start, span = times[0], max(times[-1] - times[0], 1.0)
    step = min(24.0, body.height / len(series))
    for index, one in enumerate(series):
        y = body.y + index * step
        yield f'<text x="{body.x}" y="{y + 13:.1f}">{escape(one.legend[:34])}</text>'
        there = [time for time, value in one.points if value]
        if there:
            left = body.x + 200 + (there[0] - start) / span * (body.width - 200)
            right = body.x + 200 + (there[-1] - start) / span * (body.width - 200)
            yield (
                f'<rect x="{left:.1f}" y="{y + 2:.1f}" width="{max(right - left, 2):.1f}" height="{step - 6:.1f}" '
                f'fill="{PALETTE[2]}" fill-opacity="0.6"/>'
            )


def _table(series: Sequence[Series], body: Box) -> Iterator[str]:
    columns = sorted({name for one in series for name in one.labels})
    width = body.width / max(1, len(columns))
    for column, name in enumerate(columns):
        yield f'<text class="t" x="{body.x + column * width:.0f}" y="{body.y + 12:.0f}">{escape(name)}</text>'
        for row, one in enumerate(series[: int((body.height - 16) / 18)]):
            y = body.y + 30 + row * 18
            yield f'<text x="{body.x + column * width:.0f}" y="{y:.0f}">{escape(one.labels.get(name, ""))}</text>'


def _number(value: float, unit: str) -> str:
    """As short as Grafana writes it."""
    if value != value:
        return "–"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    if unit == "bytes":
        return f"{value / 2**30:.3g} GiB" if abs(value) >= 2**28 else f"{value / 2**20:.3g} MiB"
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= power and unit != "none":
            return f"{value / (1e3 if letter == 'k' else power):.3g} {letter}"
    text = f"{value:,.0f}" if unit == "none" else f"{value:.3g}"
    return f"{text} s" if unit == "s" else text

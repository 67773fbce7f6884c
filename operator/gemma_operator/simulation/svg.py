"""A little SVG: panels with axes, lines, steps and areas. Called by ``plot``; knows nothing of what is drawn.

Text in, text out: a chart that opens in every browser is worth no plotting library.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

Points = Sequence[tuple[float, float]]

INK, FAINT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


@dataclass(slots=True)
class Panel:
    """A plotting area at a place on the page, in pixels, with ranges of both axes."""

    left: float
    top: float
    width: float
    height: float
    most_x: float
    most_y: float
    parts: list[str] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        across = self.left + x / self.most_x * self.width
        return round(across, 1), round(self.top + self.height * (1 - y / self.most_y), 1)

    def grid(self, ticks: Iterable[float], unit: str) -> None:
        """Horizontal lines with labels on the left, and what they count above them."""
        for tick in ticks:
            x, y = self.at(0, tick)
            self.parts.append(f'<line x1="{x}" y1="{y}" x2="{self.left + self.width}" y2="{y}" stroke="{GRID}"/>')
            self.parts.append(text(x - 8, y + 4, number(tick), "end", FAINT))
        self.parts.append(text(self.left, self.top - 12, unit, "start", FAINT))

    def right_axis(self, ticks: Iterable[float], most: float, unit: str, colour: str) -> None:
        """Labels of a second scale on the right."""
        for tick in ticks:
            y = self.top + self.height * (1 - tick / most)
            self.parts.append(text(self.left + self.width + 8, y + 4, number(tick), "start", colour))
        self.parts.append(text(self.left + self.width, self.top - 12, unit, "end", colour))

    def times(self, ticks: Iterable[float], label: str) -> None:
        """Labels below, x in seconds shown in minutes."""
        bottom = self.top + self.height
        for tick in ticks:
            x, _ = self.at(tick, 0)
            self.parts.append(f'<line x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 5}" stroke="{FAINT}"/>')
            self.parts.append(text(x, bottom + 20, number(tick / 60), "middle", FAINT))
        self.parts.append(text(self.left + self.width / 2, bottom + 40, label, "middle", FAINT))

    def line(self, points: Points, colour: str, width: float = 1.8, dashes: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{x},{y}" for x, y in (self.at(*point) for point in points))
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linejoin="round"{dashed}/>'
        )

    def area(self, upper: Points, lower: Points, colour: str, opacity: float) -> None:
        """What lies between two lines with the same x."""
        around = [self.at(*point) for point in (*upper, *reversed(lower))]
        path = " ".join(f"{x},{y}" for x, y in around)
        self.parts.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="{opacity}"/>')


def text(x: float, y: float, content: str, anchor: str, colour: str, size: int = 12, weight: int = 400) -> str:
    """A line of text."""
    return (
        f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}">{escape(content)}</text>'
    )


def legend(x: float, y: float, entries: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Entries in a row that ends at ``x``: (name, colour, whether it is an area)."""
    parts: list[str] = []
    for name, colour, area in reversed(entries):
        x -= 6.6 * len(name) + 34
        if area:
            parts.append(f'<rect x="{x}" y="{y - 9}" width="16" height="10" fill="{colour}" fill-opacity="0.35"/>')
        else:
            parts.append(
                f'<line x1="{x}" y1="{y - 4}" x2="{x + 16}" y2="{y - 4}" stroke="{colour}" stroke-width="2.5"/>'
            )
        parts.append(text(x + 21, y, name, "start", INK))
    return parts


def document(width: int, height: int, parts: Iterable[str]) -> str:
    """The whole file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}">'
    )
    return "\n".join((head, f'<rect width="{width}" height="{height}" fill="#ffffff"/>', *parts, "</svg>", ""))


def stepped(points: Points) -> list[tuple[float, float]]:
    """Points of a series that keeps each value until the next."""
    steps: list[tuple[float, float]] = []
    for x, y in points:
        if steps:
            steps.append((x, steps[-1][1]))
        steps.append((x, y))
    return steps


def ticks(most: float, about: int, whole: bool = False) -> list[float]:
    """Round steps from 0 to at least ``most``."""
    rough = max(most, 1e-9) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        step = max(1.0, math.ceil(step))
    return [index * step for index in range(math.ceil(most / step - 1e-9) + 1)]


def number(value: float) -> str:
    """Short: 1500 as 1.5k."""
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"

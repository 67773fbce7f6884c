"""A figure, its aim, and how it is printed. Figures are printed, never judged by an exit code."""

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``aim`` is what it should stay below (or at, where it is 0); ``None`` where there is none."""

    name: str
    value: float
    unit: str
    aim: float | None = None

    @property
    def met(self) -> bool:
        """Whether the aim is met."""
        return self.aim is None or self.value < self.aim or self.value == self.aim == 0

    def __str__(self) -> str:
        said = "" if self.aim is None else f"  aim {self.aim:g} {self.unit}: {'met' if self.met else 'NOT MET'}"
        return f"{self.name:<72} {self.value:>9,.2f} {self.unit:<6}{said}".rstrip()


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values don't exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def machine() -> str:
    """Where and when this was measured."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {len(os.sched_getaffinity(0))} cores, {gib:.0f} GiB, "
        f"Python {platform.python_version()}, load {load}"
    )

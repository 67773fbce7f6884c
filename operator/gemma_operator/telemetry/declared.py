"""A registry that keeps a list of what is declared in it: name, kind, labels with their values, and what it means.

The list is the reference page and what alerts and dashboards are compared with. Called by ``metrics`` only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

OBJECT = ("namespace", "name")
"""Labels of series about one GemmaDeployment: they go when it goes."""

Values = tuple[str, ...]
Metric = Counter | Gauge | Histogram
Made = TypeVar("Made", Counter, Gauge, Histogram)


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric. ``name`` is as exposed, histograms without suffix; ``labels`` map to their closed values, if any."""

    name: str
    kind: str
    text: str
    labels: Mapping[str, Values] = field(default_factory=dict)

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus stores it."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "count", "sum"))
        return (self.name,)


class DeclaringRegistry:
    """Makes metrics in one ``CollectorRegistry``.

    A metric whose labels all have closed values has all its series from the start: the first error of a process
    counts as an increase only if there was a zero before it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.declared: list[Declared] = []
        self._metrics: list[tuple[Metric, tuple[str, ...]]] = []

    def gauge(self, name: str, text: str, /, **labels: Values) -> Gauge:
        """A gauge; each label with its closed values, or with none where they are open."""
        return self._keep(Gauge(name, text, list(labels), registry=self.registry), name, "gauge", text, labels)

    def counter(self, name: str, text: str, /, **labels: Values) -> Counter:
        """A counter; ``name`` is without ``_total``."""
        made = Counter(name, text, list(labels), registry=self.registry)
        return self._keep(made, f"{name}_total", "counter", text, labels)

    def histogram(self, name: str, text: str, buckets: tuple[float, ...], /, **labels: Values) -> Histogram:
        """A histogram with these upper bounds."""
        made = Histogram(name, text, list(labels), buckets=buckets, registry=self.registry)
        return self._keep(made, name, "histogram", text, labels)

    def about_objects(self) -> Iterator[Metric]:
        """The metrics whose series belong to one GemmaDeployment each."""
        return (metric for metric, labels in self._metrics if labels[:2] == OBJECT)

    def _keep(self, metric: Made, name: str, kind: str, text: str, labels: Mapping[str, Values]) -> Made:
        self.declared.append(Declared(name, kind, text, dict(labels)))
        self._metrics.append((metric, tuple(labels)))
        if labels and all(labels.values()):
            for values in product(*labels.values()):
                metric.labels(*values)
        return metric

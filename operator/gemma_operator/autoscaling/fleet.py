"""What the autoscaler sees at one tick: the pods of one GemmaDeployment and their newest samples.

Made by the scaling loop and by the simulator. Must never hold anything that can't be read again from the cluster.
"""

from dataclasses import dataclass
from enum import StrEnum

from gemma_operator.autoscaling.sample import Sample


class PodState(StrEnum):
    """Where a pod is in its life, as the autoscaler counts it."""

    SERVING = "Serving"
    LOADING = "Loading"
    DRAINING = "Draining"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod. ``age_seconds`` counts from its creation; ``sample`` is ``None`` when this scrape failed."""

    uid: str
    state: PodState
    age_seconds: float
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All pods at ``now_seconds`` (monotonic).

    ``replicas`` is what the Deployment asks for less those that drain: the size that a decision changes.
    ``rolling_out`` is true while pods are replaced. ``start_seconds`` are observed times from creation to Ready, newest
    last.
    """

    now_seconds: float
    replicas: int
    pods: tuple[Pod, ...]
    rolling_out: bool = False
    start_seconds: tuple[float, ...] = ()

    def in_state(self, state: PodState) -> tuple[Pod, ...]:
        """The pods in one state."""
        return tuple(pod for pod in self.pods if pod.state is state)

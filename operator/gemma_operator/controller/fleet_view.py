"""The pods of one GemmaDeployment as the policy and the drain see them. Pure; called by the scaling loop."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gemma_operator.autoscaling.drain import DrainPod, DrainScene, size
from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.sample import Sample
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.controller.rollout import complete
from gemma_operator.kube.apply import OUR_MANAGERS
from gemma_operator.kube.drift import owners_of
from gemma_operator.kube.resources import JsonObject

FOREIGN_SECONDS = 600.0
"""So long after somebody else wrote the replicas the autoscaler stands back."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One moment by both clocks: intervals are monotonic, what Kubernetes writes is wall time."""

    monotonic_seconds: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class FleetView:
    """One look at a Deployment and its pods that are not terminating.

    ``samples`` by UID of those that told, ``unreached`` the UIDs of those that no connection could be made to.
    """

    deployment: JsonObject
    pods: tuple[PodFacts, ...]
    samples: Mapping[str, Sample]
    clock: Clock
    unreached: frozenset[str] = frozenset()

    @property
    def replicas(self) -> int:
        """What the Deployment asks for."""
        return int(self.deployment["spec"].get("replicas", 1))

    @property
    def rolling_out(self) -> bool:
        """Whether pods are being replaced, or the first ones have not come up yet."""
        return not complete(self.deployment)

    def fleet(self, start_seconds: tuple[float, ...]) -> Fleet:
        """As the policy wants it."""
        pods = tuple(
            Pod(
                uid=pod.uid,
                state=state_of(pod),
                age_seconds=max(0.0, self.clock.wall_seconds - pod.created_at),
                sample=self.samples.get(pod.uid),
            )
            for pod in self.pods
        )
        replicas = size(self._drain_pods(), self.replicas, rolling_out=self.rolling_out)
        return Fleet(self.clock.monotonic_seconds, replicas, pods, self.rolling_out, start_seconds)

    def scene(self, desired: int) -> DrainScene:
        """As the drain wants it."""
        return DrainScene(self._drain_pods(), self.replicas, desired, self.rolling_out, self.clock.wall_seconds)

    def count(self, state: PodState) -> int:
        """Pods in that state."""
        return sum(state_of(pod) is state for pod in self.pods)

    def _drain_pods(self) -> tuple[DrainPod, ...]:
        return tuple(
            DrainPod(
                uid=pod.uid,
                ready=pod.ready,
                serving=pod.serving,
                in_flight=sample.running + sample.waiting if (sample := self.samples.get(pod.uid)) else None,
                deadline_seconds=pod.drain_deadline,
            )
            for pod in self.pods
        )


def state_of(pod: PodFacts) -> PodState:
    """Without its label a pod gets no requests; with it, once it is ready."""
    if not pod.serving:
        return PodState.DRAINING
    return PodState.SERVING if pod.ready else PodState.LOADING


def foreign_scaler(view: FleetView) -> str:
    """Who else scales the Deployment, in a sentence; empty when nobody does or the last write was long ago.

    An apply of ours takes the field over, and their entry goes with it: what is found was written since. Two who write
    in turn would never end, so the autoscaler stands back for a while after each write of another.
    """
    for entry in owners_of(view.deployment, "spec", "replicas"):
        if entry.get("manager") in OUR_MANAGERS:
            continue
        written = str(entry.get("time", ""))
        if _seconds_ago(written, view.clock) <= FOREIGN_SECONDS:
            return (
                f"{entry.get('manager', 'somebody')} wrote {view.replicas} replicas to the Deployment at {written}: "
                "remove what scales it, or write autoscaling.mode External and let it scale the GemmaDeployment; "
                f"{FOREIGN_SECONDS / 60:.0f} minutes after its last write the autoscaler takes over again"
            )
    return ""


def unclaimed(view: FleetView) -> bool:
    """Whether nobody owns the Deployment's replicas: who scales it then leaves no trace, so the field is claimed."""
    return not owners_of(view.deployment, "spec", "replicas")


def _seconds_ago(written: str, clock: Clock) -> float:
    """A time that can't be read is now."""
    try:
        return clock.wall_seconds - datetime.fromisoformat(written).timestamp()
    except ValueError:
        return 0.0

"""The pods of one GemmaDeployment as the policy and the drain see them. Pure; called by the scaling loop."""

from collections.abc import Mapping
from dataclasses import dataclass

from gemma_operator.autoscaling.drain import DrainPod, DrainScene, size
from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.sample import Sample
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.controller.rollout import complete
from gemma_operator.kube.apply import OUR_MANAGERS
from gemma_operator.kube.resources import JsonObject


@dataclass(frozen=True, slots=True)
class Clock:
    """One moment by both clocks: intervals are monotonic, what Kubernetes writes is wall time."""

    monotonic_seconds: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class FleetView:
    """One look at a Deployment and its pods that are not terminating; ``samples`` by UID of those that told."""

    deployment: JsonObject
    pods: tuple[PodFacts, ...]
    samples: Mapping[str, Sample]
    clock: Clock

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


def foreign_scaler(deployment: JsonObject) -> tuple[str, str]:
    """Who else last wrote the Deployment's replicas, and when; empty texts where nobody did.

    An apply of ours takes the field over, and their entry goes with it: what is found was written since.
    """
    for entry in deployment["metadata"].get("managedFields") or ():
        owned = (entry.get("fieldsV1") or {}).get("f:spec") or {}
        if "f:replicas" in owned and entry.get("manager") not in OUR_MANAGERS:
            return str(entry.get("manager", "somebody")), str(entry.get("time", ""))
    return "", ""

"""Scale-down that loses nothing: which pods go, when they may, and which come back. Pure.

A victim is first taken out of its Service by label, then waited for, and only then is the Deployment made smaller. So
long as it is there it can be taken back at no cost. Called by the scaling loop at each tick with what the cluster
shows; it carries nothing from one call to the next, so a restart loses nothing. Behaviour of ReplicaSets that the
rules rest on (a pod that is not ready goes before the cheapest) was seen on Kubernetes 1.37.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DrainPod:
    """A pod that is not terminating. ``in_flight`` is running plus waiting requests, ``None`` when it did not tell.

    ``serving`` is its label; ``deadline_seconds`` the time (as ``DrainScene.now_seconds``) at which it goes even if
    requests run, ``None`` for a pod that nobody drains.
    """

    uid: str
    ready: bool
    serving: bool
    in_flight: float | None = None
    deadline_seconds: float | None = None

    @property
    def draining(self) -> bool:
        """Whether it was taken out of the Service in order to go."""
        return not self.serving and self.deadline_seconds is not None


@dataclass(frozen=True, slots=True)
class DrainScene:
    """What is there. ``replicas`` is what the Deployment asks for, ``desired`` how many are to serve."""

    pods: tuple[DrainPod, ...]
    replicas: int
    desired: int
    rolling_out: bool
    now_seconds: float

    @property
    def leaving(self) -> int:
        """Pods beyond ``replicas`` that the ReplicaSet has still to remove; in a roll-out they are the surge."""
        return 0 if self.rolling_out else max(0, len(self.pods) - self.replicas)


@dataclass(frozen=True, slots=True)
class DrainActions:
    """To be carried out in this order: give the label back, take it away, set the Deployment's replicas.

    ``victims`` are the pods that are to go with the new number of replicas.
    """

    release: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    replicas: int | None = None
    victims: tuple[str, ...] = ()


def size(pods: tuple[DrainPod, ...], replicas: int, *, rolling_out: bool) -> int:
    """Replicas that serve or will: what the Deployment asks for less those that drain.

    A drained pod that the ReplicaSet is about to remove is in neither number any more.
    """
    leaving = 0 if rolling_out else max(0, len(pods) - replicas)
    return replicas - max(0, sum(pod.draining for pod in pods) - leaving)


def next_actions(scene: DrainScene) -> DrainActions:
    """The next step from ``scene`` towards ``desired`` serving replicas."""
    strays = tuple(pod.uid for pod in scene.pods if not pod.serving and not pod.draining)
    missing = scene.desired - size(scene.pods, scene.replicas, rolling_out=scene.rolling_out)
    if missing > 0:
        return _grow(scene, strays, missing)
    if scene.rolling_out or scene.leaving:
        return DrainActions(release=strays)
    return _shrink(scene, strays, -missing)


def _grow(scene: DrainScene, strays: tuple[str, ...], missing: int) -> DrainActions:
    """Draining pods come back first: they serve at once. Those the ReplicaSet may be removing are left to it."""
    draining = [] if scene.leaving else [pod for pod in scene.pods if pod.draining]
    draining.sort(key=lambda pod: (not pod.ready, -(pod.deadline_seconds or 0.0), pod.uid))
    back = tuple(pod.uid for pod in draining[:missing])
    more = missing - len(back)
    return DrainActions(release=(*strays, *back), replicas=scene.replicas + more if more else None)


def _shrink(scene: DrainScene, strays: tuple[str, ...], surplus: int) -> DrainActions:
    """Replicas without a pod go at once, pods without requests next, the others once they have none."""
    unborn = min(surplus, scene.replicas - len(scene.pods))
    chosen = sorted((pod for pod in scene.pods if pod.serving), key=_cheapness)[: surplus - unborn]
    victims = [*chosen, *(pod for pod in scene.pods if pod.draining)]
    staying = [pod for pod in scene.pods if pod not in victims]
    drain = tuple(pod.uid for pod in chosen)
    gone = [pod for pod in victims if _may_go(pod, scene.now_seconds)]
    if not all(pod.ready for pod in staying):
        # A ReplicaSet removes what is not ready before what is cheapest: a ready victim would stay and another go.
        gone = [pod for pod in gone if not pod.ready]
    if scene.replicas - unborn > len(scene.pods):
        # Others are still to be created: a smaller number would remove none of these pods, only the others.
        return DrainActions(strays, replicas=scene.replicas - unborn) if unborn else _swap(scene, strays)
    if not (gone or unborn):
        return DrainActions(release=strays, drain=drain)
    replicas = scene.replicas - unborn - len(gone)
    return DrainActions(strays, drain, replicas, tuple(pod.uid for pod in gone))


def _swap(scene: DrainScene, strays: tuple[str, ...]) -> DrainActions:
    """A pod that drains takes the place of one that is not even created."""
    draining = [pod.uid for pod in scene.pods if pod.draining]
    back = tuple(draining[: scene.replicas - len(scene.pods)])
    return DrainActions((*strays, *back), replicas=scene.replicas - len(back) if back else None)


def _cheapness(pod: DrainPod) -> tuple[bool, float, str]:
    """Pods that load first, then those with the fewest requests; one that does not tell may have many."""
    return pod.ready, math.inf if pod.in_flight is None else pod.in_flight, pod.uid


def _may_go(pod: DrainPod, now_seconds: float) -> bool:
    """A pod that serves may still get requests: only one that has been drained for a while can be empty."""
    if not pod.ready:
        return True
    if not pod.draining:
        return False
    return pod.in_flight == 0 or now_seconds >= (pod.deadline_seconds or 0.0)

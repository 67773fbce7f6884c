"""How long pods of one template take from creation until they serve, as seen on the pods themselves.

Kept in memory by the scaling loop: after a restart it is read off the pods again. The time in which a pod waits for
a node counts, because that is how long new capacity takes to arrive.
"""

from gemma_operator.controller.pod_facts import PodFacts

MOST_STARTS = 32
SHORTEST_SECONDS = 1.0
"""Kubernetes writes whole seconds."""


class ColdStarts:
    """Starts of one template, newest last. Another template begins anew: another plan loads other weights."""

    def __init__(self) -> None:
        self._digest = ""
        self._seconds: dict[str, float] = {}

    def learn(self, digest: str, pods: tuple[PodFacts, ...]) -> tuple[float, ...]:
        """Add what these pods show. One that was restarted shows no cold start; the first sight of each counts."""
        if digest != self._digest:
            self._digest, self._seconds = digest, {}
        for pod in sorted(pods, key=lambda pod: pod.ready_at or 0.0):
            if pod.template_digest == digest and pod.ready_at is not None and pod.restarts == 0:
                self._seconds.setdefault(pod.uid, max(SHORTEST_SECONDS, pod.ready_at - pod.created_at))
        while len(self._seconds) > MOST_STARTS:
            self._seconds.pop(next(iter(self._seconds)))
        return tuple(self._seconds.values())

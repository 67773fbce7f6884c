"""What of the fleet is seen this tick: flows of the pods that told, and the pods that did not.

A pod that is not seen is neither idle nor busy. A page can also stand still: numbers that do not move while requests
run, or while the others take plenty, are those of a frozen engine, and count as not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.flow import Flow, flow, whole
from gemma_operator.autoscaling.sample import Histogram, Sample

STILL_SECONDS = 60.0
STILL_REQUESTS = 8.0
"""An engine that others would by now have sent so many is not idle, but frozen (e⁻⁸ = 0.03 %)."""

NOTHING = Histogram()


@dataclass(frozen=True, slots=True)
class Memory:
    """Of the last tick: its time, each serving pod's newest whole sample, pods that loaded, pods that stand still."""

    at_seconds: float | None = None
    samples: Mapping[str, Sample] | None = None
    loading: frozenset[str] = frozenset()
    still_seconds: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """``flows`` of the pods seen, ``unseen`` serving pods that did not tell."""

    flows: tuple[Flow, ...]
    unseen: int

    @property
    def serving(self) -> int:
        """All serving pods."""
        return len(self.flows) + self.unseen

    @property
    def arrival_rate(self) -> float:
        """Requests per second at all doors; those not seen are taken as the others."""
        if not self.flows:
            return 0.0
        seen = sum(one.arrivals / one.seconds for one in self.flows)
        return seen * self.serving / len(self.flows)


def look(fleet: Fleet, memory: Memory) -> tuple[Sight, Memory]:
    """The sight of this tick, and what the next one needs to know."""
    known, still_before = memory.samples or {}, memory.still_seconds or {}
    flows: dict[str, Flow] = {}
    kept: dict[str, Sample] = {}
    serving = fleet.in_state(PodState.SERVING)
    for pod in serving:
        before = known.get(pod.uid) or _newborn(pod, memory)
        sample = pod.sample if pod.sample is not None and whole(pod.sample) else None
        one = flow(before, sample) if before is not None and sample is not None else None
        if one is not None:
            flows[pod.uid] = one
        newest = sample or known.get(pod.uid)
        if newest is not None:
            kept[pod.uid] = newest
    others = sum(one.arrivals / one.seconds for one in flows.values()) / max(1, len(flows))
    still = {uid: still_before.get(uid, 0.0) + one.seconds for uid, one in flows.items() if _moves_not(one)}
    frozen = {
        uid
        for uid, seconds in still.items()
        if seconds >= STILL_SECONDS and (flows[uid].running > 0 or seconds * others >= STILL_REQUESTS)
    }
    seen = tuple(one for uid, one in flows.items() if uid not in frozen)
    loading = frozenset(pod.uid for pod in fleet.in_state(PodState.LOADING))
    return Sight(seen, len(serving) - len(seen)), Memory(fleet.now_seconds, kept, loading, still)


def _newborn(pod: Pod, memory: Memory) -> Sample | None:
    """A pod that loaded at the last tick has counted from nothing since."""
    if memory.at_seconds is None or pod.uid not in memory.loading:
        return None
    return Sample(memory.at_seconds, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NOTHING, NOTHING, NOTHING, NOTHING)


def _moves_not(one: Flow) -> bool:
    """Nothing at all: during the prefill of a long prompt only the cache fills."""
    return one.arrivals == 0 and one.generation_tokens == 0 and one.prompt_tokens == 0 and not one.kv_moved

"""What a simulation shows: objectives met, GPU time, losses, and the series behind a plot."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gemma_operator.simulation.request import Outcome, Request

SHORT_ANSWER_TOKENS = 32
PROMPT_SCALE_TOKENS = 8192


@dataclass(frozen=True, slots=True)
class Objectives:
    """Targets per request: the first token within ``first_token_seconds × (1 + prompt / 8192)``, and the mean time
    between tokens within ``inter_token_seconds``, asked only of answers of 32 tokens or more: below that one prefill
    of a neighbour decides it.
    """

    first_token_seconds: float = 2.0
    inter_token_seconds: float = 0.060

    def met(self, request: Request) -> bool:
        """Whether a request was answered within both."""
        if request.outcome is not Outcome.ANSWERED:
            return False
        allowed = self.first_token_seconds * (1 + request.prompt_tokens / PROMPT_SCALE_TOKENS)
        if request.first_token - request.arrived > allowed:
            return False
        if request.answer_tokens < SHORT_ANSWER_TOKENS:
            return True
        return request.ended - request.first_token <= self.inter_token_seconds * (request.answer_tokens - 1)


@dataclass(frozen=True, slots=True)
class Moment:
    """The fleet at one tick. ``desired`` is the decision's; the other counts are pods or requests."""

    at_seconds: float
    desired: int
    ready: int
    loading: int
    draining: int
    running: int
    waiting: int
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run. Attainment is over all arrivals: shed, lost and unfinished requests are misses.

    Shed requests got 503 from an engine, or there was none to take them. Latencies are of answered requests.
    ``direction_changes`` counts how often desired replicas turned from rising to falling or back.
    """

    arrivals: int
    answered: int
    shed_requests: int
    lost_requests: int
    unfinished_requests: int
    slo_attainment: float
    gpu_hours: float
    mean_replicas: float
    peak_replicas: int
    time_to_first_token_p50_seconds: float
    time_to_first_token_p99_seconds: float
    inter_token_p50_seconds: float
    inter_token_p99_seconds: float
    direction_changes: int
    wasted_starts: int
    preemptions: int
    moments: tuple[Moment, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON prints it; without the moments."""
        return {
            "arrivals": self.arrivals,
            "answeredRequests": self.answered,
            "shedRequests": self.shed_requests,
            "lostRequests": self.lost_requests,
            "unfinishedRequests": self.unfinished_requests,
            "sloAttainment": round(self.slo_attainment, 5),
            "gpuHours": round(self.gpu_hours, 4),
            "meanReplicas": round(self.mean_replicas, 3),
            "peakReplicas": self.peak_replicas,
            "timeToFirstTokenSeconds": {
                "p50": round(self.time_to_first_token_p50_seconds, 4),
                "p99": round(self.time_to_first_token_p99_seconds, 4),
            },
            "interTokenSeconds": {
                "p50": round(self.inter_token_p50_seconds, 5),
                "p99": round(self.inter_token_p99_seconds, 5),
            },
            "directionChanges": self.direction_changes,
            "wastedStarts": self.wasted_starts,
            "preemptions": self.preemptions,
        }


def quantile(ordered: list[float], share: float) -> float:
    """The value at or below which ``share`` of an ordered list lies; 0 for an empty one."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def direction_changes(sizes: list[int]) -> int:
    """Turns in a series of sizes."""
    steps = [after > before for before, after in pairwise(sizes) if after != before]
    return sum(before != after for before, after in pairwise(steps))


def latencies(requests: list[Request]) -> tuple[list[float], list[float]]:
    """Times to first token, and mean times between tokens, of answered requests, in order of size."""
    answered = [request for request in requests if request.outcome is Outcome.ANSWERED]
    first = sorted(request.first_token - request.arrived for request in answered)
    between = sorted(
        (request.ended - request.first_token) / (request.answer_tokens - 1)
        for request in answered
        if request.answer_tokens >= SHORT_ANSWER_TOKENS
    )
    return first, between

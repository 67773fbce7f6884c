"""Fleets for tests: engines under a steady load, told as cumulative samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gemma_operator.autoscaling.decision import Decision
from gemma_operator.autoscaling.fleet import Fleet, Pod, PodState
from gemma_operator.autoscaling.policy import State, decide
from gemma_operator.autoscaling.sample import Histogram, Sample
from gemma_operator.autoscaling.settings import Settings, StepTime

H100_LIKE = StepTime(0.0203, 4.1e-5, 1.04e-7, 7.6e-5)
SETTINGS = Settings(
    min_replicas=1,
    max_replicas=32,
    time_to_first_token_seconds=2.0,
    inter_token_seconds=0.06,
    step_time=H100_LIKE,
    kv_tokens=400_000,
    max_num_seqs=256,
    start_seconds=120,
)
PROMPT, ANSWER = 1000, 200
TOKEN_BOUNDS = (500.0, 1000.0, 2000.0, math.inf)
SECOND_BOUNDS = (0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, math.inf)


def histogram(bounds: Sequence[float], value: float, count: float) -> Histogram:
    """``count`` observations of one value."""
    return Histogram(tuple((bound, count if value <= bound else 0.0) for bound in bounds), value * count)


@dataclass(frozen=True)
class Load:
    """What reaches one engine: requests per second, and how it copes."""

    rate: float
    running: float = 10.0
    waiting: float = 0.0
    first_seconds: float = 0.2
    token_seconds: float = 0.03


def sample(at_seconds: float, load: Load, since: float = 0.0) -> Sample:
    """The counters of an engine that has been under ``load`` since then."""
    requests = load.rate * (at_seconds - since)
    return Sample(
        at_seconds=at_seconds,
        running=load.running,
        waiting=load.waiting,
        kv_usage=0.1,
        prompt_tokens=requests * PROMPT,
        scheduled_prompt_tokens=requests * PROMPT,
        cached_prompt_tokens=0.0,
        generation_tokens=requests * ANSWER,
        answered=requests,
        rejected=0.0,
        preemptions=0.0,
        prompt_lengths=histogram(TOKEN_BOUNDS, PROMPT, requests),
        answer_lengths=histogram(TOKEN_BOUNDS, ANSWER, requests),
        time_to_first_token_seconds=histogram(SECOND_BOUNDS, load.first_seconds, requests),
        inter_token_seconds=histogram(SECOND_BOUNDS, load.token_seconds, requests * ANSWER),
    )


def fleet(now: float, loads: Sequence[Load | None], loading: int = 0, **changes: object) -> Fleet:
    """Serving pods with these loads (``None``: the page did not come), and pods that load."""
    pods = [
        Pod(f"pod-{index}", PodState.SERVING, 1000, sample(now, load) if load else None)
        for index, load in enumerate(loads)
    ]
    pods += [Pod(f"loading-{index}", PodState.LOADING, 30) for index in range(loading)]
    made = Fleet(now, len(pods), tuple(pods))
    return replace(made, **changes)  # type: ignore[arg-type]


def run(
    loads: Sequence[Load | None],
    ticks: int = 40,
    settings: Settings = SETTINGS,
    state: State | None = None,
    start: float = 15.0,
    **changes: object,
) -> tuple[Decision, State]:
    """A number of ticks of 15 s in which nothing that is decided happens."""
    state = state or State()
    for tick in range(ticks):
        decision, state = decide(settings, fleet(start + 15 * tick, loads, **changes), state)  # type: ignore[arg-type]
    return decision, state

"""Measured latency corrects the model: what is late for a while adds a replica and lowers the trust in it.

A prompt's own prefill is taken out of the time to its first token: a prompt of 256K tokens takes as long as it takes,
and no replica would change that.
"""

from dataclasses import dataclass, replace

from gemma_operator.autoscaling.flow import quantile
from gemma_operator.autoscaling.sample import Histogram
from gemma_operator.autoscaling.settings import Settings, StepTime
from gemma_operator.autoscaling.sight import Sight

LATE_SECONDS = 30.0
LEAST_REQUESTS = 10.0
SHARE = 0.9
COMFORT = 0.4
LEAST_TRUST = 0.6
LOWERED = 0.95
RAISED_PER_SECOND = 0.1 / 3600


@dataclass(frozen=True, slots=True)
class Guard:
    """``trust`` multiplies the capacity; ``late`` and ``comfortable`` are the verdict of this tick."""

    trust: float = 1.0
    late_seconds: float = 0.0
    late: bool = False
    comfortable: bool = False

    def served(self) -> "Guard":
        """After replicas were added: give them time."""
        return replace(self, late_seconds=0.0)


def guarded(guard: Guard, settings: Settings, step: StepTime, sight: Sight) -> Guard:
    """The guard after a tick. Without enough requests there is no verdict."""
    if not sight.flows:
        return replace(guard, late=False, comfortable=False)
    seconds = sum(one.seconds for one in sight.flows) / len(sight.flows)
    first = _together([one.time_to_first_token_seconds for one in sight.flows])
    between = _together([one.inter_token_seconds for one in sight.flows])
    prompts = _together([one.prompt_lengths for one in sight.flows])
    if first.count < LEAST_REQUESTS:
        return replace(guard, late=False, comfortable=False, late_seconds=0.0)
    own = step.per_prompt_token_seconds * quantile(prompts, SHARE)
    waited = max(0.0, quantile(first, SHARE) - own) / settings.time_to_first_token_seconds
    # The mean, not a quantile: a step that also prefills is long, and an answer is judged by all its steps.
    paced = between.sum / between.count / settings.inter_token_seconds if between.count else 0.0
    worst = max(waited, paced)
    late_seconds = guard.late_seconds + seconds if worst > 1 else 0.0
    late = late_seconds >= LATE_SECONDS
    trust = guard.trust * LOWERED if late else guard.trust + RAISED_PER_SECOND * seconds
    return Guard(min(1.0, max(LEAST_TRUST, trust)), 0.0 if late else late_seconds, late, worst < COMFORT)


def _together(parts: list[Histogram]) -> Histogram:
    """Sum of histograms with the same bounds; those without any observation may have no bounds at all."""
    counts: dict[float, float] = {}
    for part in parts:
        for bound, count in part.buckets:
            counts[bound] = counts.get(bound, 0.0) + count
    return Histogram(tuple(sorted(counts.items())), sum(part.sum for part in parts))

"""The answer of the autoscaler for one tick, with its reasons and the numbers behind them."""

from dataclasses import dataclass
from enum import StrEnum


class CapacitySource(StrEnum):
    """Where the capacity of a replica comes from."""

    TARGET = "Target"
    LEARNED = "Learned"
    ESTIMATED = "Estimated"


class Limit(StrEnum):
    """What kept the decision from what demand alone asks for; the first four as the HPA names them."""

    NONE = "DesiredWithinRange"
    TOO_FEW = "TooFewReplicas"
    TOO_MANY = "TooManyReplicas"
    SCALE_UP_RATE = "ScaleUpLimit"
    SCALE_DOWN_RATE = "ScaleDownLimit"
    STABILIZED = "ScaleDownStabilized"
    NO_DATA = "NoData"
    ROLLING_OUT = "RollingOut"


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas there should be.

    ``desired`` is after bounds and behavior, ``wanted`` before. ``tokens_per_second`` is the demand in answer tokens,
    ``capacity_tokens_per_second`` what one replica carries within its targets. ``queue_depth`` is requests that wait,
    over the fleet. ``scaling`` is true while there is reason to look again soon. ``reason`` is one sentence.
    """

    desired: int
    wanted: int
    limit: Limit
    queue_depth: float
    tokens_per_second: float
    capacity_tokens_per_second: float
    capacity_source: CapacitySource
    start_seconds: float
    overdue_pods: int
    blind: bool
    scaling: bool
    reason: str

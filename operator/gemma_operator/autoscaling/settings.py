"""What the user and the plan say about scaling. Defaults are those of the operator; the HPA's are the HPA's."""

from dataclasses import dataclass
from enum import StrEnum


class PolicyType(StrEnum):
    """As in HPA v2."""

    PODS = "Pods"
    PERCENT = "Percent"


class SelectPolicy(StrEnum):
    """As in HPA v2."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """At most ``value`` pods, or per cent of the replicas at the start of the period, within ``period_seconds``."""

    type: PolicyType
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """One direction of ``behavior``, HPA v2 verbatim; a window that is not set goes by the cold start."""

    policies: tuple[ScalingPolicy, ...]
    stabilization_window_seconds: int | None
    select_policy: SelectPolicy = SelectPolicy.MAX
    tolerance: float = 0.0


SCALE_UP = ScalingRules(
    (ScalingPolicy(PolicyType.PERCENT, 100, 60), ScalingPolicy(PolicyType.PODS, 4, 60)), stabilization_window_seconds=0
)
SCALE_DOWN = ScalingRules(
    (ScalingPolicy(PolicyType.PERCENT, 25, 60), ScalingPolicy(PolicyType.PODS, 1, 60)),
    stabilization_window_seconds=None,
)


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions."""

    scale_up: ScalingRules = SCALE_UP
    scale_down: ScalingRules = SCALE_DOWN


@dataclass(frozen=True, slots=True)
class StepTime:
    """Time of one engine step, by what is in it: sequences that run, tokens in their caches, prompt tokens.

    From the plan's roofline it is a starting value, used until the engine has shown its own. Every term is positive.
    """

    base_seconds: float
    per_sequence_seconds: float
    per_kv_token_seconds: float
    per_prompt_token_seconds: float


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the policy may depend on besides the fleet.

    ``time_to_first_token_seconds`` is for a short prompt; a long one may take its own prefill in addition.
    ``queue_depth_per_replica`` and ``tokens_per_second_per_replica`` override what is learned. ``kv_tokens`` and
    ``max_num_seqs`` are the plan's, per replica. ``start_seconds`` is the estimated cold start.
    """

    min_replicas: int
    max_replicas: int
    time_to_first_token_seconds: float
    inter_token_seconds: float
    step_time: StepTime
    kv_tokens: int
    max_num_seqs: int
    start_seconds: float
    queue_depth_per_replica: float | None = None
    tokens_per_second_per_replica: float | None = None
    behavior: Behavior = Behavior()

"""``spec.autoscaling``: who decides the number of replicas, and by what."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from gemma_operator.api.v1alpha1.base import ApiModel, Quantity, refuse, validations
from gemma_operator.api.v1alpha1.engine import Switch

Mode = Literal["Internal", "External", "Advisory"]
DURATION_PATTERN = "^([1-9][0-9]{0,4}ms|[1-9][0-9]{0,2}s)$"
DURATION_MESSAGE = "write a duration such as 2s or 60ms: 1ms to 99999ms, or 1s to 999s"
MOST_BELOW_LEAST = "maxReplicas is below minReplicas: raise maxReplicas or lower minReplicas"
NO_MOST = "mode Internal and mode Advisory need maxReplicas: write how many replicas the autoscaler may ask for"

Duration = Annotated[
    str,
    Field(
        max_length=8,
        json_schema_extra=validations((f"self.matches('{DURATION_PATTERN}')", DURATION_MESSAGE)),
    ),
]


def duration_seconds(text: str) -> float:
    """Seconds of a duration such as ``2s`` or ``60ms``. Raises ``ValueError`` that says what to write.

    >>> duration_seconds("60ms")
    0.06
    """
    if re.fullmatch(DURATION_PATTERN, text, re.ASCII) is None:
        raise ValueError(f"{DURATION_MESSAGE}; got {text!r}")
    return int(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


class AutoscalingTargets(ApiModel):
    """What the replicas are sized for. Two latencies are enough; the other two take the place of what is learned."""

    time_to_first_token: Duration = Field(
        "2s",
        description="Longest wait of a short prompt for its first token; a long prompt may take its own prefill in "
        "addition. The operator's default is 2s.",
    )
    inter_token_latency: Duration = Field(
        "60ms", description="Longest time between two tokens of an answer. The operator's default is 60ms."
    )
    queue_depth_per_replica: Annotated[int, Field(strict=True, ge=1, le=10000)] | None = Field(
        None, description="Requests that may wait per replica. By default it follows from timeToFirstToken."
    )
    tokens_per_second_per_replica: Annotated[int, Field(strict=True, ge=1, le=1000000)] | None = Field(
        None,
        description="Answer tokens per second that one replica carries. By default it is learned from the engines.",
    )

    @field_validator("time_to_first_token", "inter_token_latency", mode="after")
    @classmethod
    def _durations_are_readable(cls, value: str) -> str:
        duration_seconds(value)
        return value


class ScalingPolicyRule(ApiModel):
    """At most this much change within this time, as in autoscaling/v2."""

    type: Literal["Pods", "Percent"] = Field(description="Pods, or per cent of the replicas when the period began.")
    value: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(description="How many pods, or how many per cent.")
    period_seconds: Annotated[int, Field(strict=True, ge=1, le=1800)] = Field(description="The length of the period.")


class ScalingRulesSpec(ApiModel):
    """One direction, as in autoscaling/v2. What is left out is the operator's default."""

    stabilization_window_seconds: Annotated[int, Field(strict=True, ge=0, le=3600)] | None = Field(
        None,
        description="The most careful recommendation of this time counts. The operator's default is 0 for scaleUp; for "
        "scaleDown it is seven tenths of a cold start, at least 60, and more where requests come in waves.",
    )
    select_policy: Literal["Max", "Min", "Disabled"] | None = Field(
        None, description="Which policy counts: the one that allows most, least, or none. By default Max."
    )
    policies: Annotated[tuple[ScalingPolicyRule, ...], Field(min_length=1, max_length=8)] | None = Field(
        None,
        description="Limits of the change. The operator's defaults are 100 per cent or 4 pods a minute for scaleUp, 25 "
        "per cent or 1 pod a minute for scaleDown.",
    )
    tolerance: Quantity | None = Field(
        None,
        description="Share of the replicas by which demand may differ before anything is changed, for example "
        '"0.1". The operator\'s default is 0.',
    )


class ScalingBehavior(ApiModel):
    """Speed and patience of scaling, with the field names and the meaning of a HorizontalPodAutoscaler."""

    scale_up: ScalingRulesSpec = Field(
        default_factory=lambda: ScalingRulesSpec.model_validate({}), description="Rules for more replicas."
    )
    scale_down: ScalingRulesSpec = Field(
        default_factory=lambda: ScalingRulesSpec.model_validate({}), description="Rules for fewer replicas."
    )


_RULES: dict[str, Any] = validations(
    (
        "!has(self.maxReplicas) || self.maxReplicas >= (has(self.minReplicas) ? self.minReplicas : 1)",
        MOST_BELOW_LEAST,
    ),
    ("has(self.maxReplicas) || (has(self.mode) && self.mode == 'External')", NO_MOST),
)


class Autoscaling(ApiModel):
    """Who decides the number of replicas, and by what."""

    mode: Mode = Field(
        "Internal",
        description="Internal: the operator scales by queue depth and token throughput, and drains what it takes away. "
        "External: a HorizontalPodAutoscaler, KEDA or kubectl scale writes spec.replicas. Advisory: the operator shows "
        "in status what it would do, and spec.replicas holds. The operator's default is Internal.",
    )
    min_replicas: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(
        1, description="Fewest replicas. The operator's default is 1."
    )
    max_replicas: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = Field(
        None, description="Most replicas. Needed in the modes Internal and Advisory."
    )
    targets: AutoscalingTargets = Field(
        default_factory=lambda: AutoscalingTargets.model_validate({}), description="What the replicas are sized for."
    )
    behavior: ScalingBehavior = Field(
        default_factory=lambda: ScalingBehavior.model_validate({}),
        description="Speed and patience, as in a HorizontalPodAutoscaler of autoscaling/v2.",
    )
    queue_limit: Switch = Field(
        "Enabled",
        description="With mode Internal, whether an engine answers 503 at once to requests that would wait too long "
        "behind others, instead of letting them wait. They count as demand. The operator's default is Enabled.",
    )

    model_config = ApiModel.model_config | {"json_schema_extra": _RULES}

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        refuse(
            (self.max_replicas is not None and self.max_replicas < self.min_replicas, MOST_BELOW_LEAST),
            (self.max_replicas is None and self.mode != "External", NO_MOST),
        )
        return self

"""``spec``: what a platform engineer writes. One field is required."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from gemma_operator.api.context_length import MAX_TOKENS, MESSAGE, MIN_TOKENS, PATTERN, parse_context_length
from gemma_operator.api.v1alpha1.access import Access
from gemma_operator.api.v1alpha1.autoscaling import Autoscaling
from gemma_operator.api.v1alpha1.base import NO_REPEATS, ApiModel, Flag, refuse, validations
from gemma_operator.api.v1alpha1.engine import Accelerators, Engine, Features, Rollout
from gemma_operator.api.v1alpha1.model import ModelSpec

ObjectiveChoice = Literal["Balanced", "Quality"]
SERVED_NAME_TWICE = "name each served model name once"
INTERNAL = "has({0}.autoscaling) && (!has({0}.autoscaling.mode) || {0}.autoscaling.mode == 'Internal')"
STAYS_INTERNAL = f"{INTERNAL.format('self')} && {INTERNAL.format('oldSelf')}"
REPLICAS_ARE_OURS_RULE = f"!({STAYS_INTERNAL}) || self.replicas == oldSelf.replicas"
REPLICAS_ARE_OURS = (
    "with autoscaling.mode Internal the operator decides how many replicas run: change autoscaling.minReplicas or "
    "maxReplicas, or write autoscaling.mode External to scale by hand, by a HorizontalPodAutoscaler or by KEDA"
)
ServedName = Annotated[str, Field(max_length=128, pattern="^[A-Za-z0-9][-A-Za-z0-9_.:/@+]*$")]

CONTEXT_LENGTH_SCHEMA: dict[str, Any] = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "minimum": MIN_TOKENS,
    "maximum": MAX_TOKENS,
    "maxLength": 8,
} | validations(
    (
        f"type(self) == int || (string(self).matches('{PATTERN}') && int(string(self).replace('K', '')) <= 1024)",
        MESSAGE,
    )
)


class GemmaDeploymentSpec(ApiModel):
    """A Gemma 4 service of a given context length."""

    context_length: int | str = Field(
        description="Tokens of one request, prompt plus answer: an integer, or 1K to 1024K with K = 1,024, for "
        "example 256K. A promise: it is planned for, checked on the running pods, and never shortened.",
        json_schema_extra=CONTEXT_LENGTH_SCHEMA,
    )
    concurrent_requests: Annotated[int, Field(strict=True, ge=1, le=4096)] = Field(
        1,
        description="Requests of full contextLength that one replica's KV pool must hold at once. Capacity, not an "
        "admission limit: more and shorter requests run at once. The operator's default is 1.",
    )
    model: ModelSpec = Field(
        default_factory=lambda: ModelSpec.model_validate({}), description="Weights, precision and kinds of input."
    )
    objective: ObjectiveChoice = Field(
        "Balanced",
        description="What is put first among plans that fit: Balanced takes comfortable settings and few GPUs, "
        "Quality the best variant at full precision. The operator's default is Balanced.",
    )
    accelerators: Accelerators = Field(
        default_factory=lambda: Accelerators.model_validate({}), description="Which GPUs may be used."
    )
    replicas: Annotated[int, Field(strict=True, ge=0, le=1000)] = Field(
        1,
        description="How many engines run, each with GPUs of its own. kubectl scale and a HorizontalPodAutoscaler "
        "write it; 0 keeps everything but the engines. With autoscaling.mode Internal it is the number to begin with "
        "and can't be changed.",
    )
    autoscaling: Autoscaling | None = Field(
        None, description="Who decides the number of replicas, and by what. By default replicas alone."
    )
    served_model_names: Annotated[tuple[ServedName, ...], Field(min_length=1, max_length=16)] | None = Field(
        None,
        description="Names under which clients ask for the model: the field model of a request. Stable when the plan "
        "changes. The operator's default is the object's name.",
        json_schema_extra=validations(
            (NO_REPEATS, SERVED_NAME_TWICE),
        ),
    )
    features: Features = Field(
        default_factory=lambda: Features.model_validate({}), description="What the served model offers."
    )
    engine: Engine = Field(default_factory=lambda: Engine.model_validate({}), description="The vLLM that runs.")
    access: Access = Field(default_factory=lambda: Access.model_validate({}), description="Who may call the engines.")
    rollout: Rollout = Field(
        default_factory=lambda: Rollout.model_validate({}), description="How long starting and stopping may take."
    )
    plan_only: Flag = Field(
        False,
        description="Plan and report in status.proposedPlan, but create, change and delete nothing. Engines that run "
        "go on. The operator's default is false.",
    )

    model_config = ApiModel.model_config | {
        "json_schema_extra": validations((REPLICAS_ARE_OURS_RULE, REPLICAS_ARE_OURS))
    }

    @field_validator("context_length", mode="after")
    @classmethod
    def _context_length_is_writable(cls, value: int | str) -> int | str:
        parse_context_length(value)
        return value

    @field_validator("served_model_names", mode="after")
    @classmethod
    def _served_names_differ(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        refuse((value is not None and len(set(value)) < len(value), SERVED_NAME_TWICE))
        return value

    @property
    def scales_itself(self) -> bool:
        """Whether the operator's own autoscaler decides the number of replicas."""
        return self.autoscaling is not None and self.autoscaling.mode == "Internal"

    @property
    def context_length_tokens(self) -> int:
        """``contextLength`` in tokens."""
        return parse_context_length(self.context_length)

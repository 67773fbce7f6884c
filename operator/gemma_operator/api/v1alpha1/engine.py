"""``spec.accelerators``, ``spec.engine``, ``spec.features`` and ``spec.rollout``."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gemma_operator.api.v1alpha1.base import (
    KEYS_FORM,
    KEYS_MESSAGE,
    ApiModel,
    LabelKey,
    LabelValue,
    ObjectName,
    ShortText,
    TaintKey,
    Text,
    malformed_keys,
    refuse,
    validations,
)
from gemma_operator.api.v1alpha1.pod import PodOverlay

Switch = Literal["Enabled", "Disabled"]

VALUE_WITH_EXISTS = "operator Exists matches any value: leave value out, or write operator: Equal"
NO_KEY_WITH_EQUAL = "a toleration without key matches every taint: write operator: Exists, or name the key"
VARIABLE_TWICE = "name each variable once"


class Toleration(ApiModel):
    """A toleration as in a pod."""

    key: TaintKey | None = Field(None, description="Taint key, for example nvidia.com/gpu. Without one, all keys.")
    operator: Literal["Exists", "Equal"] = Field(
        "Equal", description="Exists matches any value of the key, Equal the one in value. By default Equal."
    )
    value: LabelValue | None = Field(None, description="Taint value to match, with operator Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Taint effect to match. Without one, all effects."
    )

    model_config = ApiModel.model_config | {
        "json_schema_extra": validations(
            ("!has(self.value) || self.value == '' || !has(self.operator) || self.operator == 'Equal'",
             VALUE_WITH_EXISTS),
            ("(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
             NO_KEY_WITH_EQUAL),
        )
    }  # fmt: skip

    @model_validator(mode="after")
    def _pod_would_be_accepted(self) -> Self:
        refuse(
            (bool(self.value) and self.operator == "Exists", VALUE_WITH_EXISTS),
            (not self.key and self.operator == "Equal", NO_KEY_WITH_EQUAL),
        )
        return self


class Accelerators(ApiModel):
    """Which GPUs may be used."""

    products: Annotated[tuple[ShortText, ...], Field(max_length=32)] = Field(
        (),
        description="Allowed GPU products: values of the node label nvidia.com/gpu.product such as "
        "NVIDIA-H100-80GB-HBM3, or ids of the product table such as L40S. By default all that the cluster has.",
    )
    max_per_replica: Annotated[int, Field(strict=True, ge=1, le=8)] | None = Field(
        None, description="Most GPUs of one replica. By default as many as a node has, at most 8."
    )
    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = Field(
        default_factory=dict,
        description="Labels that nodes must have. Other nodes are left out of the plan, and pods do not go there.",
        json_schema_extra=validations((KEYS_FORM, KEYS_MESSAGE)),
    )
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = Field(
        (),
        description="Taints that may be ignored. Nodes with other NoSchedule or NoExecute taints are left out of the "
        "plan.",
    )

    @field_validator("node_selector", mode="after")
    @classmethod
    def _keys_are_label_keys(cls, value: dict[str, str]) -> dict[str, str]:
        refuse((malformed_keys(value), KEYS_MESSAGE))
        return value


class EnvironmentVariable(ApiModel):
    """One variable of the engine's container."""

    name: Annotated[str, Field(max_length=253, pattern="^[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        description="Name of the variable."
    )
    value: Text = Field(
        "", description="Value, in the clear. Names that look like a secret are refused: see engine.apiKeySecretRef."
    )


class SecretKey(ApiModel):
    """A key of a Secret in the same namespace."""

    name: ObjectName = Field(description="Name of the Secret, in the same namespace.")
    key: Annotated[str, Field(min_length=1, max_length=253, pattern="^[-._A-Za-z0-9]+$")] = Field(
        description="Key within the Secret."
    )


class Engine(ApiModel):
    """The vLLM that runs."""

    image: Annotated[str, Field(max_length=512, pattern="^[A-Za-z0-9][^ ]*$")] | None = Field(
        None,
        description="Engine image, best by digest. The operator's default is the vLLM release whose memory "
        "arithmetic it was checked against.",
    )
    extra_args: Annotated[tuple[Text, ...], Field(max_length=64)] = Field(
        (),
        description="More arguments for vllm serve, one item each, for example --seed and 7. An option that a field "
        "of this spec sets, or that changes memory, placement, probes or drain, is refused by name in status.",
    )
    env: Annotated[tuple[EnvironmentVariable, ...], Field(max_length=64)] = Field(
        (),
        description="More environment variables. One that the plan or the pod sets is refused by name in status.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    api_key_secret_ref: SecretKey | None = Field(
        None, description="API key that clients must send as a bearer token. By default none is asked for."
    )
    pod: PodOverlay = Field(
        default_factory=lambda: PodOverlay.model_validate({}),
        description="Changes to the engine's pods: a closed list, so that no change undoes the plan.",
    )

    @field_validator("env", mode="after")
    @classmethod
    def _variables_differ(cls, value: tuple[EnvironmentVariable, ...]) -> tuple[EnvironmentVariable, ...]:
        refuse((len({variable.name for variable in value}) < len(value), VARIABLE_TWICE))
        return value


class Features(ApiModel):
    """What the served model offers."""

    thinking: Switch = Field(
        "Disabled",
        description="Whether requests think when they don't say. A request decides for itself with "
        "chat_template_kwargs.enable_thinking; thoughts come back apart from the answer. The operator's default is "
        "Disabled.",
    )
    tool_calling: Switch = Field(
        "Enabled",
        description="Whether tool calls are parsed from answers into tool_calls. The operator's default is Enabled.",
    )


class Rollout(ApiModel):
    """How long starting and stopping may take."""

    startup_budget_seconds: Annotated[int, Field(strict=True, ge=60, le=86400)] = Field(
        3600,
        description="Time in which a new pod must become ready: image, weights, compilation. A roll-out that takes "
        "longer is taken back to the last good plan, if there is one. The operator's default is 3600.",
    )
    drain_timeout_seconds: Annotated[int, Field(strict=True, ge=0, le=86400)] | None = Field(
        None,
        description="Longest wait for running requests before a pod is stopped, in every roll-out, eviction and "
        "scale-down. By default the estimated time of an answer that fills the context, at least 60 and at most 3600.",
    )

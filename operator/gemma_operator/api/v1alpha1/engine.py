"""``spec.accelerators``, ``spec.engine``, ``spec.features`` and ``spec.rollout``."""

from typing import Annotated, Literal

from pydantic import Field

from gemma_operator.api.v1alpha1.base import ApiModel, LabelKey, LabelValue, Quantity, ShortText, Text

Switch = Literal["Enabled", "Disabled"]


class Toleration(ApiModel):
    """A toleration as in a pod."""

    key: Annotated[str, Field(max_length=317)] | None = Field(None, description="Taint key; empty matches all keys.")
    operator: Literal["Exists", "Equal"] = Field("Equal", description="Exists ignores the value. Default Equal.")
    value: Annotated[str, Field(max_length=63)] | None = Field(None, description="Taint value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="Taint effect; empty matches all effects."
    )


class Accelerators(ApiModel):
    """Which GPUs may be used."""

    products: Annotated[tuple[ShortText, ...], Field(max_length=32)] = Field(
        (),
        description="Allowed GPU products: values of the node label nvidia.com/gpu.product, or ids of the product "
        "table such as L40S. By default all.",
    )
    max_per_replica: Annotated[int, Field(ge=1, le=8)] | None = Field(
        None, description="Most GPUs of one replica. By default as many as a node has, at most 8."
    )
    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16)] = Field(
        default_factory=dict, description="Labels that nodes must have."
    )
    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=16)] = Field(
        (), description="Taints that may be ignored."
    )


class EnvironmentVariable(ApiModel):
    """One variable of the engine's container."""

    name: Annotated[str, Field(max_length=253, pattern="^[A-Za-z_][A-Za-z0-9_]*$")] = Field(description="Name.")
    value: Text = Field("", description="Value, in the clear: use a Secret field for anything secret.")


class SecretKey(ApiModel):
    """A key of a Secret in the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)] = Field(description="Name of the Secret.")
    key: Annotated[str, Field(min_length=1, max_length=253)] = Field(description="Key within the Secret.")


class ResourceAmounts(ApiModel):
    """CPU and memory of one pod."""

    cpu: Quantity | None = Field(None, description="CPU, for example 8 or 500m.")
    memory: Quantity | None = Field(None, description="Memory, for example 32Gi.")


class PodOverlay(ApiModel):
    """What may be changed about engine pods: a closed list."""

    requests: ResourceAmounts | None = Field(None, description="Requests that replace the plan's first values.")
    limits: ResourceAmounts | None = Field(None, description="Limits; by default none but GPUs.")
    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=32)] = Field(
        default_factory=dict, description="Labels to add."
    )
    annotations: Annotated[dict[LabelKey, Text], Field(max_length=32)] = Field(
        default_factory=dict, description="Annotations to add."
    )
    priority_class_name: Annotated[str, Field(max_length=253)] | None = Field(None, description="Priority class.")
    image_pull_secrets: Annotated[tuple[ShortText, ...], Field(max_length=8)] = Field(
        (), description="Names of Secrets for pulling the engine image."
    )


class Engine(ApiModel):
    """The vLLM that runs."""

    image: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None, description="Engine image. The operator's default is the vLLM release that it was made for."
    )
    extra_args: Annotated[tuple[Text, ...], Field(max_length=64)] = Field(
        (), description="More arguments for vllm serve. One that contradicts the plan is refused by name."
    )
    env: Annotated[tuple[EnvironmentVariable, ...], Field(max_length=64)] = Field(
        (), description="More environment variables. One that contradicts the plan is refused by name."
    )
    api_key_secret_ref: SecretKey | None = Field(
        None, description="API key that clients must send as a bearer token. By default none is asked for."
    )
    pod: PodOverlay = Field(
        default_factory=lambda: PodOverlay.model_validate({}), description="Changes to the pods: a closed list."
    )


class Features(ApiModel):
    """What the served model offers."""

    thinking: Switch = Field(
        "Disabled",
        description="Whether requests think when they don't say. A request decides for itself with "
        "chat_template_kwargs.enable_thinking. The operator's default is Disabled.",
    )
    tool_calling: Switch = Field(
        "Enabled", description="Whether tool calls are parsed from answers. The operator's default is Enabled."
    )


class Rollout(ApiModel):
    """How long starting and stopping may take."""

    startup_budget_seconds: Annotated[int, Field(ge=60, le=86400)] = Field(
        3600,
        description="Time in which a new pod must become ready: image, weights, compilation. The operator's default "
        "is 3600.",
    )
    drain_timeout_seconds: Annotated[int, Field(ge=0, le=86400)] = Field(
        300,
        description="Longest wait for running requests before a pod is stopped, in every roll-out, eviction and "
        "scale-down. The operator's default is 300.",
    )

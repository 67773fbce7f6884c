"""``status``: what the operator reports. Free of enums and patterns, so that a status is never refused."""

from typing import Annotated

from pydantic import Field

from gemma_operator.api.v1alpha1.base import ApiModel

Word = Annotated[str, Field(max_length=128)]
Sentence = Annotated[str, Field(max_length=1024)]


class Condition(ApiModel):
    """One condition, as Kubernetes words them."""

    type: Word = Field(description="What the condition is about.")
    status: Annotated[str, Field(max_length=7)] = Field(description="True, False or Unknown.")
    reason: Word = Field(description="Why, in one word.")
    message: Sentence = Field(description="Why, in a sentence with the numbers that decided.")
    last_transition_time: Annotated[str, Field(max_length=32)] = Field(description="When status last changed.")
    observed_generation: int = Field(description="Generation of the spec that this is about.")


class PlanStatus(ApiModel):
    """The plan that runs or would run. Memory in bytes of one GPU."""

    variant: Word = Field(description="Gemma 4 variant.")
    checkpoint: Sentence = Field(description="Hub id of the weights.")
    revision: Word | None = Field(None, description="Commit or tag; absent for the default branch.")
    quantization: Word = Field(description="Precision of the weights.")
    kv_cache_dtype: Word = Field(description="Precision of the KV cache.")
    accelerator: Word = Field(description="GPU product, as in the node label.")
    tensor_parallel_size: int = Field(description="GPUs of one replica.")
    context_length: int = Field(description="Promised tokens of one request.")
    concurrent_requests: int = Field(description="Promised requests of that length at once.")
    max_concurrency: Word = Field(description="Requests of that length that the planned pool holds, with two decimals.")
    max_num_batched_tokens: int = Field(description="Tokens of one batch.")
    max_num_seqs: int = Field(description="Requests of one batch.")
    async_scheduling: bool = Field(description="Whether two batches may be in flight.")
    gpu_memory_utilization: Word = Field(description="vLLM's share of the GPU's memory, 0.00 to 1.00.")
    tight: bool = Field(description="Whether the settings had to leave the comfortable range; reasons say what for.")
    memory: Annotated[dict[str, int], Field(max_length=24)] = Field(description="The memory budget, in bytes per GPU.")
    input_hash: Word = Field("", description="Hash of the inputs of this plan.")
    reasons: Annotated[tuple[Sentence, ...], Field(max_length=8)] = Field((), description="Why this plan.")


class Alternative(ApiModel):
    """Another plan that would fit, or a change that would make one fit."""

    change: Sentence | None = Field(None, description="What would have to change; absent for an alternative.")
    plan: Sentence = Field(description="The plan in short.")


class RejectedGroup(ApiModel):
    """Candidates refused for one reason, with the numbers of the closest."""

    reason: Word = Field(description="Why, in one word.")
    message: Sentence = Field(description="Why, with the numbers.")


class AutoscalingStatus(ApiModel):
    """What the autoscaler sees and wants. Numbers are rounded and a few minutes old; the live ones are metrics."""

    mode: Word = Field(description="Internal, External or Advisory.")
    desired: int | None = Field(None, description="Replicas that the autoscaler wants.")
    ready: int | None = Field(None, description="Replicas that take requests.")
    loading: int | None = Field(None, description="Replicas that are on their way.")
    draining: int | None = Field(None, description="Replicas that end their last requests before they go.")
    queue_depth: int | None = Field(None, description="Requests that wait, over all replicas.")
    tokens_per_second: int | None = Field(None, description="Demand, in answer tokens per second.")
    capacity_tokens_per_second: int | None = Field(
        None, description="What one replica carries within the targets, in answer tokens per second."
    )
    capacity_source: Word | None = Field(
        None, description="Where that comes from: Target (the spec), Learned (the engines), Estimated (the plan)."
    )
    cold_start_seconds: int | None = Field(None, description="Time from the creation of a pod until it takes requests.")
    reason: Sentence | None = Field(None, description="What decided, in one sentence with its numbers.")


class GemmaDeploymentStatus(ApiModel):
    """What the operator saw and decided."""

    observed_generation: int | None = Field(None, description="Generation of the spec that was last acted on.")
    conditions: Annotated[tuple[Condition, ...], Field(max_length=16)] = Field(
        (),
        description="Ready (this spec serves as promised), Available (something serves), Progressing, Planned, "
        "ContextHonored (checked on the running pods); Stalled and Degraded are True when something is wrong. With "
        "autoscaling also ScalingActive, AbleToScale and ScalingLimited, as a HorizontalPodAutoscaler words them.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    )
    plan: PlanStatus | None = Field(None, description="The plan of the running engines.")
    proposed_plan: PlanStatus | None = Field(None, description="With planOnly: the plan that would be taken.")
    alternatives: Annotated[tuple[Alternative, ...], Field(max_length=5)] = Field(
        (), description="Other plans that fit, best first."
    )
    rejected: Annotated[tuple[RejectedGroup, ...], Field(max_length=10)] = Field(
        (), description="Candidates that were refused, grouped by reason, with the numbers of the closest."
    )
    nearest: Annotated[tuple[Alternative, ...], Field(max_length=5)] = Field(
        (), description="For an impossible ask: changes that would fit."
    )
    replicas: int | None = Field(None, description="Engines that exist, ready or not.")
    ready_replicas: int | None = Field(None, description="Engines that take requests.")
    desired_replicas: int | None = Field(None, description="Engines that are wanted.")
    autoscaling: AutoscalingStatus | None = Field(None, description="What the autoscaler sees and wants.")
    selector: Annotated[str, Field(max_length=512)] | None = Field(None, description="Label selector of the pods.")
    url: Annotated[str, Field(max_length=512)] | None = Field(
        None, description="Where the OpenAI-compatible API answers inside the cluster."
    )
    summary: Annotated[dict[str, Annotated[str, Field(max_length=128)]], Field(max_length=8)] = Field(
        default_factory=dict, description="Short texts for the columns of kubectl get."
    )

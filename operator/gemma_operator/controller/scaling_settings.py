"""From spec and plan to the settings of the policy: bounds, targets, behavior, and first estimates of the engine.

Pure. The estimates are a roofline (weights and cache read at the card's bandwidth, prompts at its arithmetic rate);
they serve until the engines have shown their own figures, and status says which of the two is in use.
"""

from dataclasses import replace

from gemma_operator.api.v1alpha1.autoscaling import Autoscaling, ScalingRulesSpec, duration_seconds
from gemma_operator.autoscaling.settings import (
    SCALE_DOWN,
    SCALE_UP,
    Behavior,
    PolicyType,
    ScalingPolicy,
    ScalingRules,
    SelectPolicy,
    Settings,
    StepTime,
)
from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.product import GpuProduct
from gemma_operator.gpus.quantity import parse_quantity
from gemma_operator.planning.decision import Plan

UNKNOWN_BYTES_PER_SECOND = 100e9
UNKNOWN_OPERATIONS_PER_SECOND = 20e12
"""For a product without figures: the low end of what serves a Gemma 4."""

STEP_OVERHEAD_SECONDS = 0.003
SEQUENCE_SECONDS = 4e-5
"""Scheduling and sampling of one step, and of one sequence in it (fits of published kernel tables)."""

REACHED_SHARE = 0.4
"""Of a card's arithmetic rate, in prefill."""

BYTES_PER_WEIGHT = {
    Precision.BF16: 2.0,
    Precision.FP8: 1.0,
    Precision.INT8: 1.0,
    Precision.NVFP4: 0.56,
    Precision.W4A16: 0.56,
    Precision.MOBILE: 0.56,
}
START_BASE_SECONDS = 60.0
LOAD_BYTES_PER_SECOND = 5e8
"""A first cold start: schedule, start, compile; and weights from the Hub or a volume."""


def scaling_settings(autoscaling: Autoscaling, plan: Plan, products: tuple[GpuProduct, ...]) -> Settings:
    """The settings for ``policy.decide``. Without ``maxReplicas`` (External) the least number is also the most."""
    targets, behavior = autoscaling.targets, autoscaling.behavior
    return Settings(
        min_replicas=autoscaling.min_replicas,
        max_replicas=autoscaling.max_replicas or autoscaling.min_replicas,
        time_to_first_token_seconds=duration_seconds(targets.time_to_first_token),
        inter_token_seconds=duration_seconds(targets.inter_token_latency),
        step_time=step_time(plan, products),
        kv_tokens=round(plan.max_concurrency * plan.context_length),
        max_num_seqs=plan.launch.max_num_seqs,
        start_seconds=START_BASE_SECONDS + plan.weight_files_bytes / LOAD_BYTES_PER_SECOND,
        queue_depth_per_replica=targets.queue_depth_per_replica,
        tokens_per_second_per_replica=targets.tokens_per_second_per_replica,
        behavior=Behavior(_rules(behavior.scale_up, SCALE_UP), _rules(behavior.scale_down, SCALE_DOWN)),
    )


def step_time(plan: Plan, products: tuple[GpuProduct, ...]) -> StepTime:
    """The roofline of one step. Sizes of the plan are those of one GPU; tensor parallel ranks work side by side."""
    product = next((one for one in products if one.id == plan.accelerator.id), None)
    rate = (product.bandwidth_gb_per_s or 0) * 1e9 if product else 0.0
    bytes_per_second = rate or UNKNOWN_BYTES_PER_SECOND
    weights = plan.memory.weights_bytes / BYTES_PER_WEIGHT[plan.quantization]
    return StepTime(
        base_seconds=STEP_OVERHEAD_SECONDS + plan.memory.weights_bytes / bytes_per_second,
        per_sequence_seconds=SEQUENCE_SECONDS,
        per_kv_token_seconds=plan.memory.kv_needed_bytes
        / (plan.context_length * plan.concurrent_requests)
        / bytes_per_second,
        per_prompt_token_seconds=2 * weights / (_operations(plan, product) * REACHED_SHARE),
    )


def _operations(plan: Plan, product: GpuProduct | None) -> float:
    """Operations per second: at eight bits where weights are and the card can, else at sixteen."""
    fp8 = product.fp8_tflops if product is not None and plan.quantization is Precision.FP8 else None
    teraflops = fp8 or (product.bf16_tflops if product is not None else None)
    return teraflops * 1e12 if teraflops else UNKNOWN_OPERATIONS_PER_SECOND


def _rules(given: ScalingRulesSpec, default: ScalingRules) -> ScalingRules:
    """What is given, in the place of the operator's default, field by field as an HPA does it."""
    rules = default
    if given.policies is not None:
        rules = replace(
            rules,
            policies=tuple(
                ScalingPolicy(PolicyType(one.type), one.value, one.period_seconds) for one in given.policies
            ),
        )
    if given.stabilization_window_seconds is not None:
        rules = replace(rules, stabilization_window_seconds=given.stabilization_window_seconds)
    if given.select_policy is not None:
        rules = replace(rules, select_policy=SelectPolicy(given.select_policy))
    if given.tolerance is not None:
        rules = replace(rules, tolerance=parse_quantity(given.tolerance))
    return rules

"""From spec and plan to the settings of the policy: bounds, targets, behavior, and first estimates of the engine.

Pure. The estimates are the planner's roofline; they serve until the engines have shown their own figures, and status
says which of the two is in use.
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
from gemma_operator.catalog.product import GpuProduct
from gemma_operator.gpus.quantity import parse_quantity
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.speed import step_speed

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
    """The plan's roofline as the policy's starting value."""
    kv_tokens = plan.context_length * plan.concurrent_requests
    speed = step_speed(plan.memory, kv_tokens, plan.quantization, plan.accelerator.id, products)
    return StepTime(
        base_seconds=speed.base_seconds,
        per_sequence_seconds=speed.per_sequence_seconds,
        per_kv_token_seconds=speed.per_kv_token_seconds,
        per_prompt_token_seconds=speed.per_prompt_token_seconds,
    )


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

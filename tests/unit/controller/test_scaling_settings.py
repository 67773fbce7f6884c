"""From what a user writes to what the policy reckons with."""

import pytest

from gemma_operator.api.v1alpha1.autoscaling import Autoscaling
from gemma_operator.autoscaling.settings import (
    SCALE_DOWN,
    SCALE_UP,
    PolicyType,
    ScalingPolicy,
    SelectPolicy,
    Settings,
)
from gemma_operator.catalog.precision import Precision
from gemma_operator.controller.scaling_settings import scaling_settings, step_time
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from tests.unit.planning.asks import CATALOG, K
from tests.unit.vllm.launches import planned


def on_h100() -> Plan:
    return planned(Ask(64 * K, variant="31B", quantization=Precision.FP8), H100_SXM=1)


def settings(**autoscaling: object) -> Settings:
    return scaling_settings(Autoscaling.model_validate({"maxReplicas": 8} | autoscaling), on_h100(), CATALOG.products)


def test_two_latencies_are_enough() -> None:
    found = settings()
    assert (found.min_replicas, found.max_replicas) == (1, 8)
    assert (found.time_to_first_token_seconds, found.inter_token_seconds) == (2.0, 0.06)
    assert (found.queue_depth_per_replica, found.tokens_per_second_per_replica) == (None, None)
    assert (found.behavior.scale_up, found.behavior.scale_down) == (SCALE_UP, SCALE_DOWN)


def test_targets_are_taken_as_written() -> None:
    targets = {"timeToFirstToken": "500ms", "queueDepthPerReplica": 4, "tokensPerSecondPerReplica": 900}
    found = settings(targets=targets)
    assert found.time_to_first_token_seconds == 0.5
    assert (found.queue_depth_per_replica, found.tokens_per_second_per_replica) == (4, 900)


def test_behavior_replaces_the_default_field_by_field() -> None:
    policies = [{"type": "Pods", "value": 2, "periodSeconds": 90}]
    found = settings(behavior={"scaleDown": {"policies": policies, "tolerance": "0.1"}, "scaleUp": {
        "selectPolicy": "Disabled"}}).behavior  # fmt: skip
    assert found.scale_down.policies == (ScalingPolicy(PolicyType.PODS, 2, 90),)
    assert found.scale_down.stabilization_window_seconds == SCALE_DOWN.stabilization_window_seconds
    assert found.scale_down.tolerance == pytest.approx(0.1)
    assert found.scale_up.select_policy is SelectPolicy.DISABLED
    assert found.scale_up.policies == SCALE_UP.policies


def test_the_pool_and_the_batch_are_those_of_the_plan() -> None:
    plan, found = on_h100(), settings()
    assert found.kv_tokens == pytest.approx(plan.max_concurrency * 64 * K, abs=1)
    assert found.max_num_seqs == plan.launch.max_num_seqs


def test_the_first_estimate_of_a_step_is_near_a_published_table() -> None:
    """31B FP8 on H100: 20.3 ms for the weights, 76 µs a prompt token (fit of published kernel tables)."""
    found = step_time(on_h100(), CATALOG.products)
    assert found.base_seconds == pytest.approx(0.0203, rel=0.5)
    assert found.per_prompt_token_seconds == pytest.approx(76e-6, rel=0.5)
    assert found.per_kv_token_seconds == pytest.approx(1.04e-7, rel=0.5)


def test_a_card_without_figures_gets_a_careful_estimate() -> None:
    known, unknown = step_time(on_h100(), CATALOG.products), step_time(on_h100(), ())
    assert unknown.base_seconds > known.base_seconds
    assert unknown.per_prompt_token_seconds > known.per_prompt_token_seconds

"""What a reconcile saw and said, as Prometheus reads it."""

from dataclasses import replace

from gemma_operator.api.conditions import ConditionType, Reason
from gemma_operator.controller.measures import Measures, ended_rollout
from gemma_operator.controller.status import Line
from gemma_operator.telemetry.metrics import Metrics
from gemma_operator.vllm.metrics import LivePool
from tests.unit.controller.situations import PROMISED, Situation, a_deployment, fields, lines

OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"


def page(metrics: Metrics) -> dict[str, float]:
    """Samples of the object's series, without the labels that are the same for all."""
    found: dict[str, float] = {}
    for line in metrics.page().decode().splitlines():
        if 'namespace="team"' in line and "_created" not in line:
            name, value = line.rsplit(" ", 1)
            series = name.replace('name="assistant",namespace="team"', "").replace(",,", ",")
            found[series.replace("{,", "{").replace(",}", "}").replace("{}", "")] = float(value)
    return found


def saw(*situations: Situation) -> dict[str, float]:
    metrics = Metrics()
    measures = Measures(metrics)
    for situation in situations:
        measures.saw(situation.seen, situation.choice)
    return page(metrics)


def test_a_pool_that_holds_twice_the_promise_honours_it_twice() -> None:
    situation = replace(a_deployment(concurrentRequests=2).serving(), pools={"engine-0": PROMISED})
    told = saw(situation)
    assert told["gemma_context_promised_tokens"] == 65536
    assert told["gemma_context_promised_requests"] == 2
    assert told["gemma_kv_pool_seen_requests"] == 4
    assert told["gemma_context_honored_ratio"] == 2


def test_the_smallest_pool_counts_and_a_shorter_context_counts_as_less() -> None:
    short = LivePool(num_blocks=1_000_000, max_concurrency=1.0, kv_tokens=32 * 1024)
    situation = a_deployment(replicas=2).serving()
    told = saw(replace(situation, pools={"engine-0": PROMISED, "engine-1": short}))
    assert told["gemma_context_honored_ratio"] == 0.5


def test_engines_that_do_not_tell_have_no_ratio_and_no_zero() -> None:
    situation = a_deployment().serving()
    told = saw(replace(situation, pools={"engine-0": PROMISED}), replace(situation, pools={"engine-0": None}))
    assert "gemma_context_honored_ratio" not in told
    assert told["gemma_context_promised_requests"] == 1


def test_the_parts_of_the_budget_add_up_to_the_card() -> None:
    situation = a_deployment().serving()
    told = saw(situation)
    plan = situation.records[0].record.plan
    assert plan is not None
    inside = sum(
        told[f'gemma_plan_memory_bytes{{part="{part}"}}']
        for part in ("weights", "persistent", "activation", "graphs", "kv_needed", "kv_spare")
    )
    assert inside == plan.memory.requested_bytes
    assert told["gemma_plan_overhead_bytes"] == inside - plan.memory.weights_bytes - plan.memory.kv_available_bytes


def test_pods_without_a_place_wait_for_their_gpus() -> None:
    situation = a_deployment(replicas=2).serving()
    waiting = replace(situation.pods[1], ready=False, node="", unschedulable="0/4 nodes are available")
    told = saw(replace(situation, pods=(situation.pods[0], waiting)))
    plan = situation.records[0].record.plan
    assert plan is not None
    assert told["gemma_waiting_gpus"] == plan.tensor_parallel_size


def test_each_end_of_an_engine_counts_once_and_old_ones_not_at_all() -> None:
    situation = a_deployment().serving()
    first = replace(situation.pods[0], termination_message=OOM, restarts=1)
    second = replace(first, restarts=2)
    old, again, new = (replace(situation, pods=pods) for pods in ((first,), (first,), (second,)))
    series = 'gemma_engine_refusals_total{cause="OutOfMemory"}'
    assert saw(old, again)[series] == 0
    assert saw(old, again, new, new)[series] == 1


def test_ends_that_another_leader_has_counted_are_not_counted_again() -> None:
    situation = a_deployment().serving()
    ended = replace(situation, pods=(replace(situation.pods[0], termination_message=OOM, restarts=1),))
    metrics = Metrics()
    measures = Measures(metrics)
    measures.saw(situation.seen, situation.choice)
    metrics.forget_objects()
    measures.saw(ended.seen, ended.choice)
    assert page(metrics)['gemma_engine_refusals_total{cause="OutOfMemory"}'] == 0


def test_the_target_is_told_with_the_bucket_that_counts_it() -> None:
    quick = a_deployment(autoscaling={"maxReplicas": 3, "targets": {"timeToFirstToken": "900ms"}})
    metrics = Metrics()
    Measures(metrics).saw(quick.seen, quick.choice)
    text = metrics.page().decode()
    assert 'gemma_first_token_target_seconds{le="1.0",name="assistant",namespace="team"} 0.9' in text
    assert 'gemma_autoscaler_limit_replicas{bound="max",name="assistant",namespace="team"} 3.0' in text
    assert 'gemma_autoscaler_rescales_total{direction="up",name="assistant",namespace="team"} 0.0' in text


def test_what_was_said_is_measured_with_its_reasons() -> None:
    situation = a_deployment(replicas=2).serving()
    metrics = Metrics()
    Measures(metrics).said(situation.seen.live, tuple(lines(situation).values()), fields(situation))
    told = page(metrics)
    assert told["gemma_ready_replicas"] == told["gemma_desired_replicas"] == 2
    assert told['gemma_condition{type="Available"}'] == 1
    assert told['gemma_condition_reason{reason="Serving",type="Available"}'] == 1


def test_a_rollout_counts_when_it_ends_and_by_how_it_ended() -> None:
    under_way = [{"type": "Progressing", "status": "True", "reason": "RollingOut"}]
    done = Line(ConditionType.PROGRESSING, "False", Reason.ROLLED_OUT, "")
    late = Line(ConditionType.PROGRESSING, "False", Reason.ROLLOUT_TIMED_OUT, "")
    assert ended_rollout(under_way, [done]) == "completed"
    assert ended_rollout(under_way, [late]) == "timed_out"
    assert ended_rollout([{"type": "Progressing", "status": "False", "reason": "RolledOut"}], [done]) == ""
    assert ended_rollout([], [done]) == ""

"""Where a roll-out stands, and how the next pod finds its GPUs."""

from dataclasses import replace

from gemma_operator.controller.rollout import packing, strategy
from gemma_operator.manifests.deployment import Strategy
from gemma_operator.planning.packing import Way
from tests.unit.controller.situations import Situation, a_deployment, pod, state_of
from tests.unit.planning.asks import gpus


def way(situation: Situation) -> Way | None:
    found = packing(situation.seen, situation.choice)
    return found.way if found else None


def changed(free: dict[str, int] | None, old: int = 1, **facts: object) -> Situation:
    """A new template for one-GPU pods while ``old`` pods of the old one run, each on a node of its own."""
    situation = a_deployment().recorded(pinned=True)
    return replace(situation, pods=situation.old_pods(old, **facts), free_gpus=free)


def test_everything_updated_and_ready_is_done() -> None:
    assert state_of(a_deployment(replicas=2).serving()).done


def test_an_old_pod_that_is_left_is_not_done() -> None:
    situation = a_deployment(replicas=2).recorded(pinned=True).deployed(ready=2, updated=2, total=3)
    assert not state_of(situation).done


def test_a_count_that_was_not_applied_yet_is_not_done() -> None:
    situation = a_deployment(replicas=2).serving().asked(contextLength="64K", replicas=3)
    assert not state_of(situation).applied


def test_a_template_that_was_not_applied_yet_is_not_done() -> None:
    situation = a_deployment().serving().asked(contextLength="128K").recorded()
    assert not state_of(situation).applied


def test_drained_and_terminating_pods_do_not_count_as_ready() -> None:
    situation = a_deployment(replicas=3).recorded(pinned=True).deployed(ready=3)
    serving, drained, going = situation.pods
    pods = (serving, replace(drained, serving=False), replace(going, terminating=True))
    assert state_of(replace(situation, pods=pods)).ready == 1


def test_a_start_up_budget_that_is_over_shows() -> None:
    late = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    assert state_of(a_deployment().recorded().deployed(ready=0, deployment_conditions=late)).timed_out


def test_without_old_pods_there_is_nothing_to_pack() -> None:
    assert way(a_deployment().serving()) is None


def test_a_free_gpu_lets_the_new_pod_come_first() -> None:
    assert way(changed({"node-of-old-0": 1})) is Way.SURGE


def test_a_full_node_lets_one_old_pod_go_first() -> None:
    situation = changed({"node-of-old-0": 0})
    assert way(situation) is Way.REPLACE_ONE
    assert strategy(situation.seen, packing(situation.seen, situation.choice)) == Strategy(0, 1)


def test_a_node_that_others_fill_is_refused_and_the_strategy_stays() -> None:
    situation = changed({"node-of-old-0": 0}, gpus=0)
    assert way(situation) is Way.REFUSE
    assert strategy(situation.seen, packing(situation.seen, situation.choice)) == Strategy(1, 0)


def test_a_new_pod_that_is_bound_has_its_gpus_already() -> None:
    situation = changed({"node-of-old-0": 0})
    loading = pod("engine-0", situation.digest, ready=False)
    assert way(replace(situation, pods=(*situation.pods, loading))) is None


def test_gpus_of_a_pod_that_ends_are_waited_for() -> None:
    """A scale-down has just ended: taking the last serving pod away for its GPU would be a downtime for nothing."""
    situation = changed({"node-of-old-0": 0})
    (serving,) = situation.pods
    ending = replace(serving, name="old-1", uid="uid-of-old-1", terminating=True, ready=False)
    situation = replace(situation, pods=(serving, ending))
    found = packing(situation.seen, situation.choice)
    assert found is not None
    assert (found.way, found.max_surge, found.max_unavailable) == (Way.SURGE, 1, 0)
    waits = replace(pod("engine-0", situation.digest, ready=False), node="")
    assert way(replace(situation, pods=(serving, ending, waits))) is None
    assert way(replace(situation, pods=(serving, waits))) is Way.REPLACE_ONE


def test_pods_that_a_user_restarts_are_old_though_their_plan_is_the_same() -> None:
    """The Deployment's own hash tells them apart, and on a full node one of them must go first."""
    situation = a_deployment().recorded(pinned=True)
    before = pod("engine-0", situation.digest, template_hash="a", created_at=100.0)
    after = pod("engine-1", situation.digest, template_hash="b", created_at=200.0, ready=False, node="")
    situation = replace(situation, pods=(before, after), free_gpus={before.node: 0})
    assert way(situation) is Way.REPLACE_ONE
    assert way(replace(situation, pods=(replace(before, template_hash="b"), after))) is None
    in_the_same_second = replace(after, created_at=100.0)
    assert way(replace(situation, pods=(before, in_the_same_second))) is Way.REPLACE_ONE
    assert way(replace(situation, pods=(in_the_same_second, before))) is Way.REPLACE_ONE


def test_at_rest_one_new_pod_comes_first_whatever_the_last_roll_out_needed() -> None:
    complete = [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
    situation = a_deployment().recorded(pinned=True).deployed(ready=1, deployment_conditions=complete)
    assert situation.deployment is not None
    rolling = {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}
    after = replace(situation, deployment=situation.deployment | {"spec": situation.deployment["spec"] | rolling})
    assert strategy(after.seen, None) == Strategy(1, 0)
    status = after.deployment["status"] | {"updatedReplicas": 0}
    assert strategy(replace(after, deployment=after.deployment | {"status": status}).seen, None) == Strategy(0, 1)


def test_free_gpus_of_other_products_do_not_help() -> None:
    situation = changed({"node-of-old-0": 0, "elsewhere": 8})
    assert way(situation) is Way.REPLACE_ONE


def test_free_gpus_with_too_little_memory_for_the_plan_do_not_help() -> None:
    large = {"model": {"variant": "31B", "quantization": "W4A16"}}
    situation = a_deployment("256K", gpus(RTX_A6000=1), **large).recorded()
    (old,) = situation.old_pods(1)
    situation = replace(situation, pods=(old,), free_gpus={old.node: 1}, node_memory_mib={old.node: 46068})
    assert way(situation) is Way.REFUSE
    assert way(replace(situation, node_memory_mib={old.node: 49140})) is Way.SURGE


def test_two_old_pods_of_one_node_make_room_for_a_larger_one() -> None:
    """TP 1 to TP 2 on a full node of two: one at a time would hang for ever."""
    situation = a_deployment("256K", gpus(RTX_4090=2), model={"variant": "31B"}).recorded()
    old = tuple(replace(old, node="the-node") for old in situation.old_pods(2))
    situation = replace(situation, pods=old, free_gpus={"the-node": 0})
    found = packing(situation.seen, situation.choice)
    assert found is not None
    assert (found.way, found.max_surge, found.max_unavailable) == (Way.REPLACE_NODE, 0, 2)

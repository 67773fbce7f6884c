"""Which pods go, when, and which come back."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gemma_operator.autoscaling.drain import DrainActions, DrainPod, DrainScene, next_actions, size

NOW, LATER = 1000.0, 1300.0


def serving(uid: str, in_flight: float | None = 3.0) -> DrainPod:
    return DrainPod(uid, ready=True, serving=True, in_flight=in_flight)


def loading(uid: str) -> DrainPod:
    return DrainPod(uid, ready=False, serving=True)


def draining(uid: str, in_flight: float | None = 3.0, deadline: float = LATER) -> DrainPod:
    return DrainPod(uid, ready=True, serving=False, in_flight=in_flight, deadline_seconds=deadline)


def actions(*pods: DrainPod, desired: int, replicas: int | None = None, rolling_out: bool = False) -> DrainActions:
    return next_actions(DrainScene(pods, len(pods) if replicas is None else replicas, desired, rolling_out, NOW))


def test_a_fleet_of_the_right_size_is_left_alone() -> None:
    assert actions(serving("a"), serving("b"), desired=2) == DrainActions()


def test_the_pod_with_the_fewest_requests_is_drained_and_nothing_is_removed_yet() -> None:
    assert actions(serving("a", 9), serving("b", 1), serving("c", 4), desired=2) == DrainActions(drain=("b",))


def test_a_pod_that_does_not_tell_its_requests_is_drained_last() -> None:
    assert actions(serving("a", None), serving("b", 40), desired=1).drain == ("b",)


def test_a_pod_that_still_loads_goes_first_and_at_once() -> None:
    found = actions(serving("a", 0), loading("b"), desired=1)
    assert found == DrainActions(drain=("b",), replicas=1, victims=("b",))


def test_a_drained_pod_goes_once_it_has_no_requests() -> None:
    assert actions(serving("a"), draining("b", 1), desired=1) == DrainActions()
    assert actions(serving("a"), draining("b", 0), desired=1) == DrainActions(replicas=1, victims=("b",))


def test_a_drained_pod_that_does_not_tell_waits_for_its_deadline() -> None:
    assert actions(serving("a"), draining("b", None), desired=1) == DrainActions()
    assert actions(serving("a"), draining("b", None, deadline=NOW), desired=1).replicas == 1


def test_requests_that_outlive_the_deadline_hold_nothing_up() -> None:
    assert actions(serving("a"), draining("b", 7, deadline=NOW - 1), desired=1).victims == ("b",)


def test_nothing_is_removed_while_a_pod_that_stays_is_not_ready() -> None:
    """The ReplicaSet would take that one, and the drained one would stay."""
    sick = replace(serving("a"), ready=False)
    assert actions(sick, serving("c"), draining("b", 0), desired=2) == DrainActions()


def test_of_pods_that_wait_for_a_place_some_go_while_the_others_wait_on() -> None:
    found = actions(serving("a"), loading("b"), loading("c"), draining("d", 0), desired=2)
    assert (found.drain, found.replicas, found.victims) == (("b",), 3, ("b",))


def test_only_pods_that_are_empty_go_while_others_still_drain() -> None:
    found = actions(serving("a"), draining("b", 0), draining("c", 5), desired=1)
    assert (found.replicas, found.victims) == (2, ("b",))


def test_a_surge_takes_draining_pods_back_before_it_asks_for_new_ones() -> None:
    pods = (serving("a"), draining("b", deadline=LATER), draining("c", deadline=LATER - 60))
    assert actions(*pods, desired=2) == DrainActions(release=("b",))
    assert actions(*pods, desired=5) == DrainActions(release=("b", "c"), replicas=5)


def test_growth_keeps_what_still_drains_out_of_the_count() -> None:
    """Three serve or will, one more drains: four pods are there, and the size is three."""
    pods = (serving("a"), serving("b"), loading("c"), draining("d"))
    assert size(pods, 4, rolling_out=False) == 3
    assert actions(*pods, desired=3) == DrainActions()


def test_a_pod_without_its_label_that_nobody_drains_serves_again() -> None:
    lost = DrainPod("b", ready=True, serving=False)
    assert actions(serving("a"), lost, desired=2) == DrainActions(release=("b",))


def test_a_drain_that_lasts_over_a_restart_goes_on() -> None:
    """All of it is in the pods: nothing was remembered, and the size is the one without them."""
    pods = (serving("a"), serving("b"), draining("c"))
    assert actions(*pods, desired=size(pods, 3, rolling_out=False)) == DrainActions()


def test_the_wrong_pod_went_and_the_drained_one_serves_again() -> None:
    """Replicas were lowered to 2 for c, but b is gone: c is needed."""
    assert actions(serving("a"), draining("c", 0), replicas=2, desired=2) == DrainActions(release=("c",))


def test_a_pod_on_its_way_out_is_not_taken_back() -> None:
    """Replicas were lowered to 2, the ReplicaSet has not acted yet."""
    pods = (serving("a"), serving("b"), draining("c", 0))
    assert size(pods, 2, rolling_out=False) == 2
    assert actions(*pods, replicas=2, desired=2) == DrainActions()
    assert actions(*pods, replicas=2, desired=3) == DrainActions(replicas=3)


def test_replicas_that_have_no_pod_yet_go_without_a_drain() -> None:
    assert actions(serving("a"), serving("b"), replicas=5, desired=3) == DrainActions(replicas=3)
    assert actions(serving("a", 1), serving("b", 2), replicas=3, desired=1) == DrainActions(drain=("a",), replicas=2)


def test_a_draining_pod_takes_the_place_of_one_that_is_not_created() -> None:
    """A quota may keep the other away for ever, and a smaller number alone would remove nobody."""
    assert actions(serving("a"), draining("b", 0), replicas=3, desired=2) == DrainActions(release=("b",), replicas=2)


def test_a_roll_out_drains_and_removes_nothing_but_may_grow() -> None:
    pods = (serving("a"), serving("b"), draining("c", 0), serving("surge"))
    assert actions(*pods, replicas=3, desired=1, rolling_out=True) == DrainActions()
    assert actions(*pods, replicas=3, desired=4, rolling_out=True) == DrainActions(release=("c",), replicas=4)


pods_of_any_kind = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.one_of(st.none(), st.integers(0, 5)), st.booleans()), max_size=8
).map(
    lambda rows: tuple(
        DrainPod(f"p{n}", ready, label, in_flight, LATER if marked and not label else None)
        for n, (ready, label, in_flight, marked) in enumerate(rows)
    )
)


@settings(max_examples=1000)
@given(pods_of_any_kind, st.integers(0, 10), st.integers(1, 10), st.booleans())
def test_no_step_removes_a_ready_pod_with_requests_or_overshoots(
    pods: tuple[DrainPod, ...], replicas: int, desired: int, rolling_out: bool
) -> None:
    scene = DrainScene(pods, replicas, desired, rolling_out, NOW)
    found = next_actions(scene)
    by_uid = {pod.uid: pod for pod in pods}
    for uid in found.victims:
        pod = by_uid[uid]
        assert not pod.ready or (pod.draining and pod.in_flight == 0)
    before = size(pods, replicas, rolling_out=rolling_out)
    drained = tuple(
        replace(pod, serving=True, deadline_seconds=None) if pod.uid in found.release
        else replace(pod, serving=False, deadline_seconds=LATER) if pod.uid in found.drain
        else pod
        for pod in pods
    )  # fmt: skip
    after = size(drained, replicas if found.replicas is None else found.replicas, rolling_out=rolling_out)
    assert min(before, desired) <= after <= max(before, desired)
    assert not set(found.release) & set(found.drain)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(1, 8))
def test_steps_lead_to_the_desired_size_and_only_empty_pods_go(requests: list[int], desired: int) -> None:
    """The ReplicaSet is played here: not ready first, then the drained (their cost is lowest)."""
    pods = tuple(serving(f"p{n}", count) for n, count in enumerate(requests))
    replicas, removed, born = len(pods), list[DrainPod](), 0
    for _ in range(40):
        found = next_actions(DrainScene(pods, replicas, desired, False, NOW))
        pods = tuple(
            replace(pod, serving=True, deadline_seconds=None) if pod.uid in found.release
            else replace(pod, serving=False, deadline_seconds=LATER) if pod.uid in found.drain
            else pod
            for pod in pods
        )  # fmt: skip
        replicas = replicas if found.replicas is None else found.replicas
        order = sorted(pods, key=lambda pod: (pod.ready, pod.serving, pod.in_flight or 0))
        removed += order[: max(0, len(pods) - replicas)]
        pods = tuple(order[max(0, len(pods) - replicas) :])
        while len(pods) < replicas:
            born += 1
            pods = (*pods, serving(f"new{born}", 0))
        pods = tuple(replace(pod, in_flight=max(0.0, (pod.in_flight or 0) - pod.draining)) for pod in pods)
    assert len(pods) == replicas == desired
    assert all(pod.serving for pod in pods)
    assert all(pod.in_flight == 0 and not pod.serving for pod in removed)

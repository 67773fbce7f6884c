"""What pods teach about how long the next one will take."""

from dataclasses import replace

from gemma_operator.controller.cold_starts import MOST_STARTS, ColdStarts
from gemma_operator.controller.pod_facts import PodFacts
from tests.unit.controller.situations import pod


def started(name: str, seconds: float, created_at: float = 1000.0, digest: str = "plan") -> PodFacts:
    return pod(name, digest, created_at=created_at, ready_at=created_at + seconds)


def test_the_time_from_creation_to_ready_is_learned_once_per_pod() -> None:
    starts = ColdStarts()
    assert starts.learn("plan", (started("a", 90), started("b", 120, created_at=2000))) == (90, 120)
    later = replace(started("a", 90), ready_at=9000.0)
    assert starts.learn("plan", (later,)) == (90, 120)


def test_pods_that_load_were_restarted_or_are_of_another_template_teach_nothing() -> None:
    loading = pod("a", "plan", ready=False, created_at=1000.0)
    restarted = replace(started("b", 90), restarts=1)
    assert ColdStarts().learn("plan", (loading, restarted, started("c", 90, digest="other"))) == ()


def test_another_plan_begins_anew() -> None:
    starts = ColdStarts()
    starts.learn("plan", (started("a", 90),))
    assert starts.learn("other", (started("b", 30, digest="other"),)) == (30,)


def test_only_the_newest_starts_are_kept() -> None:
    starts = ColdStarts()
    many = tuple(started(f"p{n}", float(n), created_at=n * 1000.0) for n in range(MOST_STARTS + 5))
    assert starts.learn("plan", many) == tuple(float(n) for n in range(5, MOST_STARTS + 5))

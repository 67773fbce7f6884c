"""The quick comparison that decides and the whole budget that is printed say the same."""

from hypothesis import given, settings

from gemma_operator.catalog.precision import Modality
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.candidate import Candidate
from gemma_operator.planning.fit import Fit, Fitting, Misfit
from gemma_operator.planning.ladder import TIGHT_RESERVE_BYTES, Ladder, ladder
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.planning.space import candidates
from tests.unit.planning.asks import CATALOG, K, decide, gpus
from tests.unit.planning.test_plan import asks, clusters

IMAGES = frozenset({Modality.TEXT, Modality.IMAGE})


def outcomes(ask: Ask, inventory: Inventory) -> list[Fit | Misfit]:
    fitting = Fitting(Snapshot(ask, inventory, CATALOG))
    found = candidates(ask, inventory, CATALOG)
    return [fitting.try_candidate(candidate) for candidate in found if isinstance(candidate, Candidate)]


def holds(budget: MemoryBudget, tight: bool) -> bool:
    reserve = max(TIGHT_RESERVE_BYTES, budget.margin_bytes) if tight else budget.margin_bytes
    return budget.pool_spare_bytes >= reserve and budget.outside_spare_bytes >= 0


@given(asks, clusters)
@settings(max_examples=40, deadline=None)
def test_a_candidate_fits_exactly_if_its_whole_budget_holds_with_the_reserve(ask: Ask, inventory: Inventory) -> None:
    for outcome in outcomes(ask, inventory):
        step = outcome.step
        budget = Fit(outcome.candidate, step, outcome.climb).assessment.budget
        assert holds(budget, step.tight) is isinstance(outcome, Fit)


@given(asks, clusters)
@settings(max_examples=20, deadline=None)
def test_where_nothing_fits_no_setting_at_all_would(ask: Ask, inventory: Inventory) -> None:
    for outcome in outcomes(ask, inventory):
        if isinstance(outcome, Misfit):
            rank = 0
            while (step := outcome.climb.ladder.step(rank)) is not None:
                assert not holds(Fit(outcome.candidate, step, outcome.climb).assessment.budget, step.tight)
                rank += 1


def test_a_refusal_counts_what_is_missing_as_the_search_does() -> None:
    missed = [found for found in outcomes(Ask(256 * K, variant="31B"), gpus(L4=8, L40S=1)) if isinstance(found, Misfit)]
    assert len(missed) > 10
    assert all(found.refusal().deficit_bytes == found.deficit_bytes for found in missed)


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    text, images, cluster = Ask(128 * K, variant="31B"), Ask(64 * K, modalities=IMAGES), gpus(L40S=4, H100_SXM=2)
    first = decide(text, cluster)
    decide(images, cluster)
    ladder.cache_clear()
    assert decide(text, cluster) == first


def test_what_a_ladder_keeps_is_what_it_would_find_again() -> None:
    (climb, *_) = [found.climb for found in outcomes(Ask(8 * K), gpus(L40S=1))]
    kept = climb.ladder
    again = Ladder(kept.shape, kept.load)
    assert [kept.step(rank) for rank in (3, 0, 1)] == [again.step(rank) for rank in (3, 0, 1)]

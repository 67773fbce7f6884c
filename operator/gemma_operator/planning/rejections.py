"""Refusals told together: one line per kind, with the numbers of the candidate that came closest."""

from collections.abc import Iterable

from gemma_operator.planning.candidate import Refusal
from gemma_operator.planning.decision import Rejection
from gemma_operator.planning.fit import Misfit


def group_refusals(refusals: Iterable[Refusal | Misfit]) -> tuple[Rejection, ...]:
    """One rejection per group in the order in which groups were first met, each its closest candidate's."""
    closest: dict[tuple[str, ...], Refusal | Misfit] = {}
    for refusal in refusals:
        known = closest.get(refusal.group)
        if known is None or refusal.deficit_bytes < known.deficit_bytes:
            closest[refusal.group] = refusal
    return tuple(_rejection(found.refusal()) for found in closest.values())


def _rejection(refusal: Refusal) -> Rejection:
    return Rejection(refusal.name, refusal.reason.value, refusal.needed_bytes, refusal.available_bytes, refusal.message)

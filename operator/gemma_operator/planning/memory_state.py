"""Which memory states of a product a plan may run on.

One product label covers cards of different memory: with ECC on or off, or another board. A plan that needs more than
the smaller state has must not be scheduled there, and the product label can't say so. Called by ``plan``.
"""

from gemma_operator.gpus.match import memory_states
from gemma_operator.planning.fit import Fit, holds
from gemma_operator.planning.snapshot import Snapshot


def label_memory_above_mib(snapshot: Snapshot, chosen: Fit) -> int | None:
    """The memory label (MiB) that nodes must exceed, or ``None`` where the product alone decides.

    Half-way between the largest state that is too small and the next larger one, since a driver may move labels by
    some MiB either way. A state that shows a larger label and yet has less memory can't be told apart; it is let in.
    """
    accelerator = chosen.candidate.nodes.accelerator
    own = accelerator.label_memory_mib
    if own is None:
        return None
    smaller = {
        state.label_memory_mib: holds(snapshot.ask, chosen, state, snapshot.measured)
        for state in memory_states(snapshot.catalog.products, accelerator)
        if state.label_memory_mib is not None and state.label_memory_mib < own
    }
    too_small = max((label for label, enough in smaller.items() if not enough), default=None)
    if too_small is None:
        return None
    return (too_small + min([own, *(label for label in smaller if label > too_small)])) // 2

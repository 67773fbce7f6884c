"""Which memory states of a product a plan may run on.

One product label covers cards of different memory: with ECC on or off, or another board. A plan that needs more than
the smaller state has must not be scheduled there, and the product label can't say so. Called by ``plan``.
"""

from collections.abc import Sequence
from dataclasses import replace

from gemma_operator.catalog.product import GpuProduct
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.gpus.match import memory_states
from gemma_operator.planning.fit import Fit


def label_memory_above_mib(products: Sequence[GpuProduct], chosen: Fit) -> int | None:
    """The memory label (MiB) that nodes must exceed, or ``None`` where the product alone decides.

    Half-way between the largest state that is too small and the next larger one, since a driver may move labels by
    some MiB either way. A state that shows a larger label and yet has less memory can't be told apart; it is let in.
    """
    accelerator = chosen.candidate.nodes.accelerator
    own = accelerator.label_memory_mib
    if own is None:
        return None
    smaller = {
        state.label_memory_mib: _holds(chosen, state)
        for state in memory_states(products, accelerator)
        if state.label_memory_mib is not None and state.label_memory_mib < own
    }
    too_small = max((label for label, enough in smaller.items() if not enough), default=None)
    if too_small is None:
        return None
    return (too_small + min([own, *(label for label in smaller if label > too_small)])) // 2


def _holds(chosen: Fit, accelerator: Accelerator) -> bool:
    """Whether the settings of a fit keep the promise on another memory state of its product too."""
    shape, climb = chosen.candidate.shape, chosen.climb
    other = replace(shape, nodes=replace(shape.nodes, accelerator=accelerator))
    room, outside = climb.rooms(climb.ladder.of(chosen.tight, chosen.settings, other))
    return chosen.assessment.budget.weights_bytes <= room and outside >= 0

"""For an impossible ask: the smallest changes that would make it possible, each with the plan it would get.

Every change is tried by planning again, so that what is offered is true. Called by ``plan`` when nothing fits.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from gemma_operator.catalog.precision import Modality
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision, NearestFit
from gemma_operator.planning.explain import tokens
from gemma_operator.planning.snapshot import Snapshot

MAX_NEAREST = 5
CONTEXT_STEP_TOKENS = 1024

Planner = Callable[[Snapshot], Decision]
Predicate = Callable[[Snapshot], bool]


def nearest_fits(snapshot: Snapshot, planner: Planner, possible: Predicate) -> tuple[NearestFit, ...]:
    """Up to five single changes of the ask or the cluster that fit, in the order in which people give things up.

    ``possible`` says whether ``planner`` would find a plan, and is the quicker of the two.
    """
    found: dict[str, NearestFit] = {}
    for kind, change, changed in _changes(snapshot, possible):
        if kind in found:
            continue
        chosen = planner(changed).plan if possible(changed) else None
        if chosen is not None:
            found[kind] = NearestFit(change, chosen)
        if len(found) == MAX_NEAREST:
            break
    return tuple(found.values())


def _changes(snapshot: Snapshot, possible: Predicate) -> Iterator[tuple[str, str, Snapshot]]:
    """Kind of change, the change in words, and the snapshot with it; the first that fits of a kind is enough."""
    ask = snapshot.ask
    longest = _longest_context(snapshot, possible)
    if longest:
        change = f"contextLength: {tokens(longest)}"
        yield "contextLength", change, replace(snapshot, ask=replace(ask, context_length=longest))
    fewer = _most_requests(snapshot, possible)
    if fewer:
        change = f"concurrentRequests: {fewer}"
        yield "concurrentRequests", change, replace(snapshot, ask=replace(ask, concurrent_requests=fewer))
    for change, changed in _freed_choices(ask):
        yield change, change, replace(snapshot, ask=changed)
    yield from _more_gpus(snapshot)


def _longest_context(snapshot: Snapshot, possible: Predicate) -> int:
    """The longest context in whole K that fits with everything else as asked; 0 if none."""
    low, high = 0, max(0, snapshot.ask.context_length - 1) // CONTEXT_STEP_TOKENS
    while low < high:
        middle = (low + high + 1) // 2
        ask = replace(snapshot.ask, context_length=middle * CONTEXT_STEP_TOKENS)
        if possible(replace(snapshot, ask=ask)):
            low = middle
        else:
            high = middle - 1
    return low * CONTEXT_STEP_TOKENS


def _most_requests(snapshot: Snapshot, possible: Predicate) -> int:
    low, high = 0, snapshot.ask.concurrent_requests - 1
    while low < high:
        middle = (low + high + 1) // 2
        ask = replace(snapshot.ask, concurrent_requests=middle)
        if possible(replace(snapshot, ask=ask)):
            low = middle
        else:
            high = middle - 1
    return low


def _freed_choices(ask: Ask) -> Iterator[tuple[str, Ask]]:
    """One choice at a time given back to the planner."""
    if ask.kv_cache_dtype is not None:
        yield "model.kvCacheDtype: Auto", replace(ask, kv_cache_dtype=None)
    if ask.checkpoint is not None:
        yield "model.checkpoint left out", replace(ask, checkpoint=None, revision=None)
    if ask.quantization is not None:
        yield "model.quantization: Auto", replace(ask, quantization=None)
    if ask.variant is not None and ask.checkpoint is None:
        yield "model.variant: Auto", replace(ask, variant=None)
    if ask.modalities != {Modality.TEXT}:
        yield "model.modalities: [Text]", replace(ask, modalities=frozenset({Modality.TEXT}))
    if ask.max_gpus_per_replica is not None:
        yield "accelerators.maxPerReplica left out", replace(ask, max_gpus_per_replica=None)
    if ask.requested_cpu_millicores is not None or ask.requested_memory_bytes is not None:
        freed = replace(ask, requested_cpu_millicores=None, requested_memory_bytes=None)
        yield "engine.pod.requests left out", freed
    if ask.accelerators:
        yield "accelerators.products left out", replace(ask, accelerators=())


def _more_gpus(snapshot: Snapshot) -> Iterator[tuple[str, str, Snapshot]]:
    """The same products with 2, 4 or 8 GPUs in one node."""
    for count in (2, 4, 8):
        for nodes in snapshot.inventory.groups:
            if nodes.gpus_per_node < count:
                larger = replace(nodes, gpus_per_node=count, nodes=1, free_gpus=None)
                ask = replace(snapshot.ask, max_gpus_per_replica=None)
                change = f"a node with {count}×{nodes.accelerator.id}"
                yield nodes.accelerator.id, change, replace(snapshot, ask=ask, inventory=Inventory((larger,)))

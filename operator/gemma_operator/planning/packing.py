"""How pods can be replaced on scarce GPUs: packs one new pod beside, or in place of, old ones.

Kubernetes alone would hang: a surge on a full node never schedules, and a plan that grows from 4 to 8 GPUs waits
for ever when one pod at a time goes. Pure; its answer becomes the Deployment's strategy and a sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a roll-out goes."""

    SURGE = "Surge"
    REPLACE_ONE = "ReplaceOne"
    REPLACE_NODE = "ReplaceNode"
    REFUSE = "Refuse"


@dataclass(frozen=True, slots=True)
class Packing:
    """The way, how many pods more or fewer at a time, and why."""

    way: Way
    max_surge: int
    max_unavailable: int
    message: str


def pack(
    new_gpus: int,
    free_gpus: Mapping[str, int] | None,
    own_gpus: Mapping[str, tuple[int, ...]],
    product: str,
    leaving_gpus: Mapping[str, int] | None = None,
) -> Packing:
    """The gentlest way to start one pod with ``new_gpus`` GPUs.

    ``free_gpus``: free GPUs of each node of the product, ``None`` when nobody may count them. ``own_gpus``: for
    each of these nodes, the GPUs of this service's old pods; ``leaving_gpus``: what pods of it that end now hold
    still. Unknown is treated as free: a surge that does not schedule is packed again.
    """
    if free_gpus is None:
        return Packing(Way.SURGE, 1, 0, "free GPUs are unknown: one new pod first")
    most_free = max(free_gpus.values(), default=0)
    if most_free >= new_gpus:
        return Packing(Way.SURGE, 1, 0, f"{new_gpus} × {product} are free: one new pod first, then an old one goes")
    if any(count + (leaving_gpus or {}).get(node, 0) >= new_gpus for node, count in free_gpus.items()):
        return Packing(Way.SURGE, 1, 0, f"{new_gpus} × {product} come free as an engine ends: one new pod first")
    fewest = min(
        (count for node, free in free_gpus.items() if (count := _removals(new_gpus, free, own_gpus.get(node, ())))),
        default=None,
    )
    there = f"{new_gpus} × {product} needed on one node, at most {most_free} free"
    if fewest is None:
        return Packing(Way.REFUSE, 0, 1, f"{there}, and no node has enough even without this service's pods")
    if fewest == 1:
        return Packing(Way.REPLACE_ONE, 0, 1, f"{there}: one old pod goes first")
    return Packing(Way.REPLACE_NODE, 0, fewest, f"{there}: {fewest} old pods of one node go first")


def _removals(needed: int, free: int, own: tuple[int, ...]) -> int | None:
    """How many of a node's own pods must go, largest first; ``None`` when all are not enough."""
    for count, size in enumerate(sorted(own, reverse=True), start=1):
        free += size
        if free >= needed:
            return count
    return None

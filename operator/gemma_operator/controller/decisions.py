"""The last decisions of the planner, so that the passes of one roll-out plan once.

Called by ``reconcile``. A snapshot is known again by an equal ask, an equal inventory, equal measurements and the very
catalog: nothing stale can come out, and nothing large is compared.
"""

from collections import OrderedDict
from collections.abc import Callable

from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.snapshot import Snapshot

MOST_DECISIONS = 512
"""More than are worked on between two passes of one key; a decision is some 20 kB (measured)."""


class Decisions:
    """A planner that remembers."""

    def __init__(self, planner: Callable[[Snapshot], Decision], most: int = MOST_DECISIONS) -> None:
        self._planner = planner
        self._most = most
        self._known: OrderedDict[Ask, tuple[Snapshot, Decision]] = OrderedDict()

    def __call__(self, snapshot: Snapshot) -> Decision:
        """The decision for a snapshot."""
        known = self._known.get(snapshot.ask)
        if known is not None and _same(known[0], snapshot):
            self._known.move_to_end(snapshot.ask)
            return known[1]
        decision = self._planner(snapshot)
        self._known[snapshot.ask] = (snapshot, decision)
        self._known.move_to_end(snapshot.ask)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return decision


def _same(one: Snapshot, other: Snapshot) -> bool:
    return one.inventory == other.inventory and one.catalog is other.catalog and one.measured == other.measured

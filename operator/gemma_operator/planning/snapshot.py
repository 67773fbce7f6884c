"""Everything that a plan may depend on, in one value.

If a decision needs to know more, this type grows, visibly.
"""

from dataclasses import dataclass, field

from gemma_operator.catalog.catalog import Catalog
from gemma_operator.gpus.inventory import Inventory
from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.ask import Ask


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ask, the cluster's GPUs, the catalog, and what earlier boots have shown."""

    ask: Ask
    inventory: Inventory
    catalog: Catalog
    measured: MeasuredOverheads = field(default_factory=MeasuredOverheads)

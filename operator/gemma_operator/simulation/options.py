"""What a simulation may vary besides the trace, the policy's settings and the engine."""

from dataclasses import dataclass, field

from gemma_operator.simulation.faults import Faults
from gemma_operator.simulation.router import Routing


@dataclass(frozen=True, slots=True)
class Options:
    """``cold_start_seconds`` is from creation to Ready, ±20 % per pod. ``initial_replicas`` serve from the start;
    ``None`` starts with the policy's minimum. Scrapes and decisions come every ``scrape_seconds``, and every
    ``scaling_scrape_seconds`` while a decision says that it scales.
    """

    cold_start_seconds: float = 120.0
    drain_timeout_seconds: float = 300.0
    routing: Routing = Routing.RANDOM
    seed: int = 1
    initial_replicas: int | None = None
    scrape_seconds: float = 15.0
    scaling_scrape_seconds: float = 5.0
    faults: Faults = field(default_factory=Faults)

"""The budget of one GPU, every term by name.

``budget`` is the sum that decides a fit; the planner compares, the status and the command line print it.
All figures are bytes on one rank (one GPU).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """What one GPU holds under one candidate, in bytes.

    Inside vLLM's share (``requested_bytes = ceil(utilization × total)``): weights, persistent buffers, the
    transient activation peak, CUDA graphs, and the KV pool that is left. Outside of it: the CUDA context and
    NCCL, what is allocated after the pool was sized, and a margin.
    """

    total_bytes: int
    requested_bytes: int
    weights_bytes: int
    persistent_bytes: int
    activation_bytes: int
    graphs_bytes: int
    kv_needed_bytes: int
    context_bytes: int
    after_sizing_bytes: int
    margin_bytes: int

    @property
    def kv_available_bytes(self) -> int:
        """The KV pool that vLLM will size; may be negative."""
        inside = self.weights_bytes + self.persistent_bytes + self.activation_bytes + self.graphs_bytes
        return self.requested_bytes - inside

    @property
    def outside_needed_bytes(self) -> int:
        """What must fit outside vLLM's share."""
        return self.context_bytes + self.after_sizing_bytes + self.margin_bytes

    @property
    def outside_available_bytes(self) -> int:
        """What vLLM's share leaves free."""
        return self.total_bytes - self.requested_bytes

    @property
    def pool_spare_bytes(self) -> int:
        """Inequality (A): what is left in the pool; negative means that the promise does not fit."""
        return self.kv_available_bytes - self.kv_needed_bytes

    @property
    def outside_spare_bytes(self) -> int:
        """Inequality (B): what is left outside the pool; negative means out of memory under load."""
        return self.outside_available_bytes - self.outside_needed_bytes

    @property
    def fits(self) -> bool:
        """Both inequalities hold."""
        return self.pool_spare_bytes >= 0 and self.outside_spare_bytes >= 0

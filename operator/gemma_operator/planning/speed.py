"""How long a step of the engine takes, as a first estimate: a roofline of the card.

Weights and cache are read at the card's bandwidth, prompts computed at its arithmetic rate. Used for what must be
there before any engine has run: the drain time-out by default, and the autoscaler's prior until it has learned. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.product import GpuProduct
from gemma_operator.memory.budget import MemoryBudget

UNKNOWN_BYTES_PER_SECOND = 100e9
UNKNOWN_OPERATIONS_PER_SECOND = 20e12
"""For a product without figures: the low end of what serves a Gemma 4."""

STEP_OVERHEAD_SECONDS = 0.003
SEQUENCE_SECONDS = 4e-5
"""Scheduling and sampling of one step, and of one sequence in it (fits of published kernel tables)."""

REACHED_SHARE = 0.4
"""Of a card's arithmetic rate, in prefill."""


@dataclass(frozen=True, slots=True)
class StepSpeed:
    """Seconds of one step: in any case, for each sequence, each cached token and each prompt token in it."""

    base_seconds: float
    per_sequence_seconds: float
    per_kv_token_seconds: float
    per_prompt_token_seconds: float

    def longest_answer_seconds(self, context_length: int, requests_at_once: float) -> float:
        """Time of an answer that fills the whole context, next to others of that length until the pool is full."""
        step = self.base_seconds + requests_at_once * (
            self.per_sequence_seconds + self.per_kv_token_seconds * context_length
        )
        return step * context_length


def step_speed(
    memory: MemoryBudget, kv_tokens: int, precision: Precision, accelerator: str, products: Iterable[GpuProduct]
) -> StepSpeed:
    """The estimate for a plan's memory on one GPU; ranks of tensor parallelism work side by side.

    ``kv_tokens`` is what ``memory.kv_needed_bytes`` holds; ``accelerator`` the product's id.
    """
    product = next((one for one in products if one.id == accelerator), None)
    rate = (product.bandwidth_gb_per_s or 0) * 1e9 if product else 0.0
    bytes_per_second = rate or UNKNOWN_BYTES_PER_SECOND
    weights = memory.weights_bytes / precision.bytes_per_weight
    return StepSpeed(
        base_seconds=STEP_OVERHEAD_SECONDS + memory.weights_bytes / bytes_per_second,
        per_sequence_seconds=SEQUENCE_SECONDS,
        per_kv_token_seconds=memory.kv_needed_bytes / kv_tokens / bytes_per_second,
        per_prompt_token_seconds=2 * weights / (_operations(precision, product) * REACHED_SHARE),
    )


def _operations(precision: Precision, product: GpuProduct | None) -> float:
    """Operations per second: at eight bits where weights are and the card can, else at sixteen."""
    fp8 = product.fp8_tflops if product is not None and precision is Precision.FP8 else None
    teraflops = fp8 or (product.bf16_tflops if product is not None else None)
    return teraflops * 1e12 if teraflops else UNKNOWN_OPERATIONS_PER_SECOND

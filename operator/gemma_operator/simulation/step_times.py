"""Step times of engines that were measured, and the nearest of them for a plan, scaled by what is known of its card.

Fits to vLLM 0.24 kernel tables (AIConfigurator 0.12), one GPU, without CPU overhead; the error is the mean of each fit.
Gemma 4 31B has no such tables: a dense model of 32B stands in. On vLLM it is 1.3 to 2 times slower than that stand-in:
``DERATE`` is what the command line reckons with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.product import GpuProduct
from gemma_operator.planning.decision import Plan
from gemma_operator.simulation.engine import StepCosts

DERATE = 1.3


@dataclass(frozen=True, slots=True)
class Measured:
    """A fit. ``weights_gb`` is what its model holds, ``error`` the fit's mean relative error."""

    model: str
    precision: Precision
    product: str
    mixture: bool
    weights_gb: float
    costs: StepCosts
    error: float


def _dense(precision: Precision, product: str, error: float, *terms: float) -> Measured:
    base, sequence, kv, prompt, attention = terms
    gigabytes = 65.5 if precision is Precision.BF16 else 34.0
    costs = StepCosts(base, 0.0, sequence, kv, prompt, attention)
    return Measured("a dense 32B", precision, product, False, gigabytes, costs, error)


def _mixture(precision: Precision, product: str, error: float, *terms: float) -> Measured:
    gigabytes = 51.6 if precision is Precision.BF16 else 27.0
    return Measured("26B-A4B", precision, product, True, gigabytes, StepCosts(*terms), error)


MEASURED = (
    _dense(Precision.FP8, "H100-SXM", 0.010, 15.61, 0.0316, 7.97e-5, 0.0583, 1.6e-6),
    _dense(Precision.FP8, "RTX-PRO-6000-Server", 0.017, 24.68, 0.0189, 1.84e-4, 0.0919, 3.4e-6),
    _dense(Precision.FP8, "L40S", 0.015, 53.52, 0.0755, 4.06e-4, 0.1800, 7.8e-6),
    _dense(Precision.BF16, "A100-80GB-SXM", 0.011, 44.23, 0.0707, 1.59e-4, 0.2200, 6.4e-6),
    _dense(Precision.BF16, "H100-SXM", 0.023, 24.80, 0.0408, 9.04e-5, 0.0805, 2.9e-6),
    _mixture(Precision.BF16, "H100-SXM", 0.013, 3.56, 14.30, 0.0684, 1.51e-5, 0.0095, 4.7e-7),
    _mixture(Precision.BF16, "A100-80GB-SXM", 0.024, 5.79, 26.03, 0.0876, 2.11e-5, 0.0286, 1.3e-6),
    _mixture(Precision.BF16, "RTX-PRO-6000-Server", 0.035, 4.34, 31.03, 0.0593, 4.03e-5, 0.0205, 8.7e-7),
    _mixture(Precision.FP8, "L40S", 0.048, 4.43, 32.00, 0.2206, 6.17e-5, 0.0249, 7.0e-7),
)

MODELS = {"31B": "a dense 32B"}
"""Stand-ins that need no scaling by size."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Costs for a plan, and a sentence that says whose they are."""

    costs: StepCosts
    source: str


def estimate(plan: Plan, products: Sequence[GpuProduct], mixture: bool) -> Estimate:
    """The nearest measured engine: same kind of model, then same precision, then the card most like it.

    Another card or size scales what reads memory by bytes over bandwidth, and what computes by weights over arithmetic
    rate; ranks of tensor parallelism share both evenly. Raises ``ValueError`` for a card without figures.
    """
    card = _product(products, plan.accelerator.id)
    if card is None or not card.bandwidth_gb_per_s or not card.bf16_tflops:
        raise ValueError(
            f"{plan.accelerator.id} has no bandwidth or arithmetic rate in the product table: "
            f"no step time can be estimated; add the figures with --catalog"
        )

    bandwidth = card.bandwidth_gb_per_s

    def distance(row: Measured) -> tuple[bool, bool, float]:
        other = _product(products, row.product)
        reads = (other.bandwidth_gb_per_s or 1.0) if other else 1.0
        return row.mixture != mixture, row.precision is not plan.quantization, abs(reads - bandwidth)

    row = min(MEASURED, key=distance)
    reading, computing = _scales(plan, card, row, products)
    name = f"{row.model} {row.precision} on {row.product}"
    same_model = MODELS.get(plan.variant, plan.variant) == row.model and row.precision is plan.quantization
    ranks = plan.tensor_parallel_size
    if same_model and row.product == card.id and ranks == 1:
        stands_in = "" if row.model == plan.variant else f", standing in for {plan.variant}"
        return Estimate(row.costs, f"{name}{stands_in} (kernel tables, fit within {row.error:.1%})")
    costs = row.costs
    scaled = StepCosts(
        costs.base_ms * reading,
        costs.moe_ms * reading if mixture else 0.0,
        costs.per_sequence_ms,
        costs.per_kv_token_ms * reading,
        costs.per_prompt_token_ms * computing,
        costs.per_prompt_token_context_ms * computing,
    )
    shared = f" over {ranks} GPUs" if ranks > 1 else ""
    return Estimate(
        scaled,
        f"{name}, the nearest measured, reads × {reading:.2f} and arithmetic × {computing:.2f}{shared}: an estimate",
    )


def _scales(plan: Plan, card: GpuProduct, row: Measured, products: Sequence[GpuProduct]) -> tuple[float, float]:
    """How much longer than in the row reading weights and computing prompts take."""
    other = _product(products, row.product)
    if other is None or not other.bandwidth_gb_per_s or not card.bandwidth_gb_per_s:
        return 1.0, 1.0
    gigabytes = plan.memory.weights_bytes / 1e9
    reading = gigabytes / row.weights_gb * other.bandwidth_gb_per_s / card.bandwidth_gb_per_s
    weights = gigabytes / plan.quantization.bytes_per_weight
    measured_weights = row.weights_gb / row.precision.bytes_per_weight
    computing = weights / measured_weights * _tflops(other, row.precision) / _tflops(card, plan.quantization)
    return reading, computing


def _tflops(product: GpuProduct, precision: Precision) -> float:
    """Eight-bit rate for FP8 weights where the card has one; other precisions compute in 16 bits."""
    sixteen = product.bf16_tflops or 1.0
    return (product.fp8_tflops or sixteen) if precision is Precision.FP8 else sixteen


def _product(products: Sequence[GpuProduct], name: str) -> GpuProduct | None:
    return next((product for product in products if product.id == name), None)

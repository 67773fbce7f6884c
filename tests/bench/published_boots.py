"""Arithmetic behind the published cases: one boot that somebody described, computed as the operator computes it."""

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.catalog.variant import Variant
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.gpus.match import match_product
from gemma_operator.memory.assess import Assessment, assess
from gemma_operator.memory.kv_cache import KVCacheFit, kv_cache_fit, kv_cache_layout, max_feasible_model_len
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Decision
from gemma_operator.planning.plan import plan
from gemma_operator.planning.snapshot import Snapshot

CATALOG = builtin_catalog()
GIB = 2**30
K = 1024


def variant(variant_id: str) -> Variant:
    """A published variant."""
    found = CATALOG.variant(variant_id)
    if found is None:
        raise KeyError(variant_id)
    return found


def pool(variant_id: str, tp: int, gib: float, length: int, in_flight: int, hybrid: bool = True) -> KVCacheFit:
    """What a pool of that size holds, BF16 KV."""
    layout = kv_cache_layout(variant(variant_id).text, tp, KVCacheDtype.BF16, hybrid=hybrid)
    return kv_cache_fit(layout, int(gib * GIB), length, in_flight)


def longest(variant_id: str, gib: float, length: int, in_flight: int) -> int:
    """The longest length that vLLM would name for that pool."""
    layout = kv_cache_layout(variant(variant_id).text, 1, KVCacheDtype.BF16)
    return max_feasible_model_len(layout, int(gib * GIB), length, in_flight)


def assessed(
    checkpoint_id: str,
    product: str,
    tp: int,
    utilization: float,
    tokens: int,
    sequences: int,
    length: int,
    *,
    one_batch: bool = False,
) -> Assessment:
    """The budget of a boot with these settings, BF16 KV, text only."""
    checkpoint = next(entry for entry in CATALOG.checkpoints if entry.id == checkpoint_id)
    settings = EngineSettings(tp, KVCacheDtype.BF16, 16, tokens, sequences, not one_batch, utilization)
    return assess(
        variant(checkpoint.variant),
        checkpoint,
        match_product(CATALOG.products, product),
        settings,
        context_length=length,
        concurrent_requests=1,
        text_only=True,
    )


def decide(ask: Ask, **gpus: int) -> Decision:
    """The planner's answer; ``L40S=4`` is one node with four. Underscores stand for dashes."""
    groups = [GpuNodes(match_product(CATALOG.products, name.replace("_", "-")), n, 1) for name, n in gpus.items()]
    return plan(Snapshot(ask, Inventory(tuple(groups)), CATALOG))

"""The sentences in which a plan explains itself; status, Events, command line and logs print these.

Each sentence carries the number that decided. Nothing here decides anything.
"""

from gemma_operator.catalog.precision import KVCacheDtype, Precision
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.fit import Fit
from gemma_operator.planning.rank import deciding_criterion

GIB = 2**30
FOUR_BIT = frozenset({Precision.NVFP4, Precision.W4A16, Precision.MOBILE})


def tokens(count: int) -> str:
    """A token count as the API writes it: 256K for 262,144, digits where K doesn't divide it."""
    return f"{count // 1024}K" if count % 1024 == 0 else f"{count:,}"


def pool_sentence(ask: Ask, budget: MemoryBudget) -> str:
    """Need against pool."""
    many = ask.concurrent_requests > 1
    requests = f"{ask.concurrent_requests} requests" if many else "one request"
    return (
        f"the KV pool holds {budget.kv_available_bytes / GIB:.2f} GiB per GPU, {requests} of "
        f"{tokens(ask.context_length)} {'need' if many else 'needs'} {budget.kv_needed_bytes / GIB:.2f} GiB"
    )


def reasons(ask: Ask, winner: Fit, others: tuple[Fit, ...], above_mib: int | None = None) -> tuple[str, ...]:
    """Why this plan: the fit, what it costs, and by what it beats the next one."""
    candidate, settings, budget = winner.candidate, winner.settings, winner.assessment.budget
    lines = [f"{candidate.name}: {pool_sentence(ask, budget)}"]
    if candidate.kv_cache_dtype is KVCacheDtype.FP8:
        lines.append("FP8 KV cache halves the bytes per token; set model.kvCacheDtype: BF16 to refuse it")
    if candidate.checkpoint.precision in FOUR_BIT:
        lines.append(
            f"{candidate.checkpoint.precision} weights trade some answer quality for memory; how much is not in the "
            f"catalog; objective: Quality prefers full precision"
        )
    if winner.tight:
        lines.append(_cost(winner))
    estimate = candidate.nodes.accelerator.total_status == "estimate"
    if estimate:
        lines.append(
            f"the memory of {candidate.nodes.accelerator.product} is an estimate: it is not in the product table"
        )
    if above_mib is not None:
        lines.append(
            f"some nodes with {candidate.nodes.accelerator.product} have too little memory for it, with ECC on for "
            f"example: only those with a memory label above {above_mib:,} MiB are used"
        )
    replicas = candidate.nodes.replicas(settings.tensor_parallel_size)
    if replicas < ask.replicas:
        lines.append(f"{ask.replicas} replicas are asked for, the nodes of this kind hold {replicas}")
    if others:
        runner_up = others[0]
        lines.append(f"preferred to {runner_up.candidate.name} by {deciding_criterion(ask, winner, runner_up)}")
    return tuple(lines)


def _cost(winner: Fit) -> str:
    settings = winner.settings
    costs = []
    if settings.utilization > 0.92:
        costs.append(f"utilization {settings.utilization:.2f}")
    if not settings.async_scheduling:
        costs.append("no async scheduling, so less throughput")
    if settings.max_num_batched_tokens < 2048:
        costs.append(f"{settings.max_num_batched_tokens} batched tokens, so slower prefill")
    if settings.max_num_seqs < 16:
        costs.append(f"at most {settings.max_num_seqs} requests at once")
    spare = winner.assessment.budget.pool_spare_bytes / GIB
    return f"tight: {', '.join(costs) or 'little reserve'}; {spare:.2f} GiB of the pool to spare"

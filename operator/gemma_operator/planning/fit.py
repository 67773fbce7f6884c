"""Finds the engine settings with which a candidate keeps the promise, or says how much is missing.

Comfortable settings first: utilization 0.92 (0.90 where what lies outside vLLM's share asks for it), async
scheduling, at least 2,048 batched tokens and 16 sequences. Then tight ones, in the order of what they cost; a tight
setting must leave a reserve in the pool, since the overheads are estimates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gemma_operator.catalog.precision import Modality
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory.assess import Assessment, assess
from gemma_operator.memory.measured import MeasuredOverheads, OverheadKey
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.candidate import Candidate, Reason, Refusal, largest_media_item_tokens
from gemma_operator.vllm.attention import attention_block_size
from gemma_operator.vllm.profile import engine_profile

GIB = 2**30

TIGHT_RESERVE_BYTES = 8 * GIB // 10
"""What a tight plan must leave in the pool: cold and warm boots of one engine differ by 0.83 to 1.09 GiB."""

COMFORTABLE_UTILIZATIONS = (0.92, 0.90)
TIGHT_UTILIZATIONS = (0.92, 0.90, 0.93, 0.94, 0.95)
TIGHT_TOKENS = (2048, 1024, 512)
TIGHT_SEQUENCES = (16, 8, 4)
COMFORTABLE_TOKENS = 2048
COMFORTABLE_SEQUENCES = 16


@dataclass(frozen=True, slots=True)
class Fit:
    """A candidate with settings that hold both inequalities."""

    candidate: Candidate
    settings: EngineSettings
    assessment: Assessment
    tight: bool


def fit(ask: Ask, candidate: Candidate, measured: MeasuredOverheads) -> Fit | Refusal:
    """The first comfortable setting, else the cheapest tight one, else a refusal with the smallest deficit."""
    hopeless = _hopeless(ask, candidate, measured)
    if hopeless is not None:
        return _refusal(ask, candidate, hopeless)
    closest: tuple[int, Assessment] | None = None
    for tight, settings in _settings(ask, candidate):
        assessment = _assess(ask, candidate, settings, measured)
        spare = _spare_bytes(assessment, tight)
        if spare >= 0:
            return Fit(candidate, settings, assessment, tight)
        if closest is None or spare > closest[0]:
            closest = (spare, assessment)
    if closest is None:
        raise ValueError(f"{candidate.name}: no setting to try")
    return _refusal(ask, candidate, closest[1])


def holds(ask: Ask, found: Fit, accelerator: Accelerator, measured: MeasuredOverheads) -> bool:
    """Whether the settings of a fit keep the promise on another memory state of its product too."""
    candidate = replace(found.candidate, nodes=replace(found.candidate.nodes, accelerator=accelerator))
    return _spare_bytes(_assess(ask, candidate, found.settings, measured), found.tight) >= 0


def _spare_bytes(assessment: Assessment, tight: bool) -> int:
    """The smaller of what both inequalities leave after the reserve; negative when the setting does not fit.

    The overheads inside vLLM's share are estimates, so a comfortable plan keeps the card's margin there too.
    """
    reserve = max(TIGHT_RESERVE_BYTES, assessment.budget.margin_bytes) if tight else assessment.budget.margin_bytes
    return min(assessment.budget.pool_spare_bytes - reserve, assessment.budget.outside_spare_bytes)


def _hopeless(ask: Ask, candidate: Candidate, measured: MeasuredOverheads) -> Assessment | None:
    """The assessment of the most frugal setting where even that leaves the pool too small, else ``None``.

    No other setting has a smaller need, smaller overheads or a larger share, so the search can stop here. A
    measured overhead belongs to one setting only, so with any the search is done in full.
    """
    if measured.inside_bytes:
        return None
    tokens, sequences = _frugal(ask, candidate)
    frugal = _of(ask, candidate, tokens, sequences, False, max(TIGHT_UTILIZATIONS))
    assessment = _assess(ask, candidate, frugal, measured)
    return assessment if assessment.budget.pool_spare_bytes < 0 else None


def _frugal(ask: Ask, candidate: Candidate) -> tuple[int, int]:
    """The smallest batch and the fewest sequences that any setting has."""
    sequences = max(min(TIGHT_SEQUENCES), ask.concurrent_requests)
    return max(min(TIGHT_TOKENS), largest_media_item_tokens(ask, candidate.variant), sequences), sequences


def overhead_key(ask: Ask, candidate: Candidate, settings: EngineSettings) -> OverheadKey:
    """The key under which this configuration's overheads are remembered."""
    return OverheadKey(
        checkpoint=candidate.checkpoint.id,
        product=candidate.nodes.accelerator.product,
        tensor_parallel_size=settings.tensor_parallel_size,
        max_num_batched_tokens=settings.max_num_batched_tokens,
        max_num_seqs=settings.max_num_seqs,
        context_length=ask.context_length,
        modalities=tuple(sorted(ask.modalities)),
        kv_cache_dtype=settings.kv_cache_dtype.value,
        engine_image=ask.engine_image,
    )


def _assess(ask: Ask, candidate: Candidate, settings: EngineSettings, measured: MeasuredOverheads) -> Assessment:
    key = overhead_key(ask, candidate, settings)
    return assess(
        candidate.variant,
        candidate.checkpoint,
        candidate.nodes.accelerator,
        settings,
        context_length=ask.context_length,
        concurrent_requests=ask.concurrent_requests,
        text_only=ask.modalities == {Modality.TEXT},
        measured_inside_bytes=measured.inside(key),
        extra_outside_bytes=measured.extra_outside(key),
    )


def _settings(ask: Ask, candidate: Candidate) -> Iterator[tuple[bool, EngineSettings]]:
    """Comfortable settings from generous to modest, then tight ones from cheap to costly."""
    floor = max(1, largest_media_item_tokens(ask, candidate.variant))
    least_sequences = ask.concurrent_requests
    asynchronous = engine_profile(candidate.nodes.accelerator.engine_profile).async_scheduling
    for tokens in _token_steps(candidate, floor):
        for sequences in _sequence_steps(candidate, least_sequences):
            for utilization in COMFORTABLE_UTILIZATIONS:
                yield False, _of(ask, candidate, max(tokens, sequences), sequences, asynchronous, utilization)
    for in_flight in (True, False) if asynchronous else (False,):
        for tokens in dict.fromkeys(max(step, floor) for step in TIGHT_TOKENS):
            for sequences in dict.fromkeys(max(step, least_sequences) for step in TIGHT_SEQUENCES):
                for utilization in TIGHT_UTILIZATIONS:
                    yield True, _of(ask, candidate, max(tokens, sequences), sequences, in_flight, utilization)


def _token_steps(candidate: Candidate, floor: int) -> tuple[int, ...]:
    """Batched tokens to try: vLLM's own defaults by card size, halved down to 2,048."""
    steps = (8192, 4096, 2048) if candidate.nodes.accelerator.memory_gib >= 70 else (COMFORTABLE_TOKENS,)
    return tuple(dict.fromkeys(max(step, floor) for step in steps))


def _sequence_steps(candidate: Candidate, least: int) -> tuple[int, ...]:
    """Sequences to try: up to 64 below 40 GiB, 128 below 70 GiB, 256 above, halved down to 16."""
    gib = candidate.nodes.accelerator.memory_gib
    most = 64 if gib < 40 else 128 if gib < 70 else 256
    steps = [step for step in (256, 128, 64, 32, COMFORTABLE_SEQUENCES) if step <= most]
    return tuple(dict.fromkeys(max(step, least) for step in steps))


def _of(
    ask: Ask, candidate: Candidate, tokens: int, sequences: int, asynchronous: bool, utilization: float
) -> EngineSettings:
    accelerator = candidate.nodes.accelerator
    profile = engine_profile(accelerator.engine_profile)
    bidirectional = candidate.variant.bidirectional_vision and ask.modalities != {Modality.TEXT}
    block_size = profile.fixed_block_size or attention_block_size(
        accelerator.compute_capability, candidate.kv_cache_dtype, bidirectional
    )
    return EngineSettings(
        tensor_parallel_size=candidate.tensor_parallel_size,
        kv_cache_dtype=candidate.kv_cache_dtype,
        block_size=block_size,
        max_num_batched_tokens=tokens,
        max_num_seqs=sequences,
        async_scheduling=asynchronous,
        utilization=utilization,
    )


def _refusal(ask: Ask, candidate: Candidate, closest: Assessment) -> Refusal:
    budget = closest.budget
    pool_short = budget.pool_spare_bytes < budget.outside_spare_bytes
    needed = budget.kv_needed_bytes if pool_short else budget.outside_needed_bytes
    available = max(0, budget.kv_available_bytes) if pool_short else budget.outside_available_bytes
    requests = f"{ask.concurrent_requests} requests" if ask.concurrent_requests > 1 else "one request"
    what = (
        f"the KV pool for {requests} of {ask.context_length:,} tokens" if pool_short else "what lies outside the pool"
    )
    message = f"{candidate.name}: {what} needs {needed / GIB:.2f} GiB per GPU, {available / GIB:.2f} GiB are there"
    if needed <= available:
        message += f", not enough for the {TIGHT_RESERVE_BYTES / GIB:.1f} GiB of reserve that a tight plan keeps"
    return Refusal(
        group=(Reason.OUT_OF_POOL.value, candidate.variant.id, candidate.nodes.accelerator.id),
        name=candidate.name,
        reason=Reason.OUT_OF_POOL if pool_short else Reason.OUT_OF_HEADROOM,
        message=message,
        needed_bytes=needed,
        available_bytes=available,
    )

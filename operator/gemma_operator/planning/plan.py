"""``plan(snapshot)``: the heart of the operator.

Candidates that the rules allow, settings that fit, one order. Pure and total: the same snapshot gives the same
decision, and a decision without a plan says what was missing and what would fit instead.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from gemma_operator.catalog.precision import Modality
from gemma_operator.planning.candidate import Reason, Refusal
from gemma_operator.planning.decision import Decision, Plan
from gemma_operator.planning.explain import reasons
from gemma_operator.planning.fit import Fit, Fitting, Misfit
from gemma_operator.planning.host import Hosts, host_requests
from gemma_operator.planning.memory_state import label_memory_above_mib
from gemma_operator.planning.nearest import nearest_fits
from gemma_operator.planning.rank import best_first
from gemma_operator.planning.rejections import group_refusals
from gemma_operator.planning.snapshot import Snapshot
from gemma_operator.planning.space import candidates
from gemma_operator.planning.speed import step_speed
from gemma_operator.vllm.arguments import arguments
from gemma_operator.vllm.launch import EngineLaunch
from gemma_operator.vllm.profile import engine_profile

MAX_ALTERNATIVES = 5


def plan(snapshot: Snapshot) -> Decision:
    """The best plan for the snapshot, its alternatives and rejections; without one, the nearest that would fit."""
    decision = plan_without_nearest(snapshot)
    if decision.plan is not None:
        return decision
    return replace(decision, nearest=nearest_fits(snapshot, plan_without_nearest, possible))


def plan_without_nearest(snapshot: Snapshot) -> Decision:
    """The same without the search for nearest fits, which calls this."""
    fits, refusals = _search(snapshot)
    ordered = tuple(islice(_distinct(best_first(snapshot.ask, fits)), 1 + MAX_ALTERNATIVES))
    chosen = _plan(snapshot, ordered[0], ordered[1:]) if ordered else None
    return Decision(
        plan=chosen,
        alternatives=tuple(_plan(snapshot, other, ()) for other in ordered[1:]),
        rejected=group_refusals(refusals),
        nearest=(),
        notes=tuple(f"{', '.join(nodes.nodes[:5])}: {nodes.reason}" for nodes in snapshot.inventory.unusable),
    )


def possible(snapshot: Snapshot) -> bool:
    """Whether there is a plan at all; stops at the first fit."""
    return any(isinstance(outcome, Fit) for outcome in _outcomes(snapshot))


def _search(snapshot: Snapshot) -> tuple[list[Fit], list[Refusal | Misfit]]:
    fits, refusals = list[Fit](), list[Refusal | Misfit]()
    if not snapshot.inventory.groups:
        refusals.append(Refusal((Reason.NO_GPUS.value,), "the cluster", Reason.NO_GPUS, "no usable GPU node was found"))
    for outcome in _outcomes(snapshot):
        if isinstance(outcome, Fit):
            fits.append(outcome)
        else:
            refusals.append(outcome)
    if not fits and not refusals:
        refusals.append(_nothing_to_try(snapshot))
    return fits, refusals


def _outcomes(snapshot: Snapshot) -> Iterator[Fit | Misfit | Refusal]:
    """What becomes of every candidate: settings first, then the nodes' CPU, memory and disk."""
    ask, fitting = snapshot.ask, Fitting(snapshot)
    hosts = Hosts(ask, max((checkpoint.disk_bytes for checkpoint in snapshot.catalog.checkpoints), default=0))
    for candidate in candidates(ask, snapshot.inventory, snapshot.catalog):
        outcome = candidate if isinstance(candidate, Refusal) else fitting.try_candidate(candidate)
        lacking = hosts.lack(outcome) if isinstance(outcome, Fit) else None
        if isinstance(outcome, Fit) and lacking is not None:
            text, needed, available = lacking
            group = (Reason.HOST_TOO_SMALL.value, outcome.candidate.nodes.accelerator.id)
            yield Refusal(group, outcome.candidate.name, Reason.HOST_TOO_SMALL, text, needed, available)
        else:
            yield outcome


def _nothing_to_try(snapshot: Snapshot) -> Refusal:
    ask = snapshot.ask
    wanted = {
        "model.variant": ask.variant,
        "model.checkpoint": ask.checkpoint,
        "model.quantization": ask.quantization,
        "accelerators.products": ", ".join(ask.accelerators) or None,
        "accelerators.maxPerReplica": ask.max_gpus_per_replica,
    }
    given = ", ".join(f"{name}: {value}" for name, value in wanted.items() if value is not None) or "the ask"
    return Refusal(
        (Reason.NOT_ALLOWED.value,), given, Reason.NOT_ALLOWED, f"no checkpoint and GPU product in reach match {given}"
    )


def _distinct(fits: Iterator[Fit]) -> Iterator[Fit]:
    """The best fit of each (variant, precision, product, GPUs), best first."""
    met: set[tuple[str, str, str, int]] = set()
    for found in fits:
        candidate = found.candidate
        identity = (
            candidate.variant.id,
            candidate.checkpoint.precision.value,
            candidate.nodes.accelerator.product,
            candidate.tensor_parallel_size,
        )
        if identity not in met:
            met.add(identity)
            yield found


def _plan(snapshot: Snapshot, chosen: Fit, others: tuple[Fit, ...]) -> Plan:
    ask, above_mib = snapshot.ask, label_memory_above_mib(snapshot.catalog.products, chosen)
    candidate, settings, assessment = chosen.candidate, chosen.settings, chosen.assessment
    profile = engine_profile(candidate.nodes.accelerator.engine_profile)
    launch = EngineLaunch(
        model=ask.model_path or candidate.checkpoint.id,
        revision=None if ask.model_path else ask.revision or candidate.checkpoint.revision,
        served_model_names=ask.served_model_names,
        profile=profile.name,
        context_length=ask.context_length,
        tensor_parallel_size=settings.tensor_parallel_size,
        max_num_batched_tokens=settings.max_num_batched_tokens,
        max_num_seqs=settings.max_num_seqs,
        async_scheduling=settings.async_scheduling,
        gpu_memory_utilization=settings.utilization,
        kv_cache_dtype=settings.kv_cache_dtype,
        kv_cache_memory_bytes=assessment.budget.kv_needed_bytes if profile.kv_pool_by_bytes else None,
        modalities=ask.modalities,
        media=ask.media,
        audio_encoder=Modality.AUDIO in candidate.variant.modalities,
        thinking_by_default=ask.thinking_by_default,
        tool_calling=ask.tool_calling,
        extra_args=ask.extra_args,
        extra_env=ask.extra_env,
    )
    return Plan(
        variant=candidate.variant.id,
        checkpoint=candidate.checkpoint.id,
        revision=launch.revision,
        quantization=candidate.checkpoint.precision,
        kv_cache_dtype=settings.kv_cache_dtype,
        accelerator=candidate.nodes.accelerator,
        tensor_parallel_size=settings.tensor_parallel_size,
        context_length=ask.context_length,
        concurrent_requests=ask.concurrent_requests,
        text_only=ask.modalities == {Modality.TEXT},
        tight=chosen.tight,
        block_size=settings.block_size,
        bytes_per_block=assessment.layout.bytes_per_block,
        blocks_per_request=assessment.blocks_per_request,
        num_blocks=assessment.num_blocks,
        max_concurrency=assessment.max_concurrency,
        memory=assessment.budget,
        host=host_requests(ask, chosen),
        launch=launch,
        args=arguments(launch),
        weight_files_bytes=candidate.checkpoint.disk_bytes,
        reasons=reasons(ask, chosen, others, above_mib),
        label_memory_above_mib=above_mib,
        longest_answer_seconds=_longest_answer_seconds(snapshot, chosen),
    )


def _longest_answer_seconds(snapshot: Snapshot, chosen: Fit) -> int:
    length, assessment = snapshot.ask.context_length, chosen.assessment
    speed = step_speed(
        assessment.budget,
        length * snapshot.ask.concurrent_requests,
        chosen.candidate.checkpoint.precision,
        chosen.candidate.nodes.accelerator.id,
        snapshot.catalog.products,
    )
    return round(speed.longest_answer_seconds(length, assessment.max_concurrency))

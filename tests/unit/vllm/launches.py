"""Builders for tests of the engine room: launches, and the planner's own plans for known asks."""

from dataclasses import replace

from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan
from gemma_operator.vllm.launch import EngineLaunch, MediaLimits
from tests.unit.planning.asks import K, decide, gpus

TEXT = frozenset({Modality.TEXT})


def launch(**changes: object) -> EngineLaunch:
    """A plain text launch on one GPU, with changes."""
    plain = EngineLaunch(
        model="google/gemma-4-31B-it",
        revision=None,
        served_model_names=("assistant",),
        profile="CUDA",
        context_length=256 * K,
        tensor_parallel_size=1,
        max_num_batched_tokens=2048,
        max_num_seqs=16,
        async_scheduling=True,
        gpu_memory_utilization=0.92,
        kv_cache_dtype=KVCacheDtype.FP8,
        kv_cache_memory_bytes=None,
        modalities=TEXT,
        media=MediaLimits(),
        audio_encoder=False,
        thinking_by_default=False,
        tool_calling=True,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def planned(ask: Ask, **cards: int) -> Plan:
    """The planner's plan for an ask on ``cards`` (``L40S=1``)."""
    decision = decide(ask, gpus(**cards))
    assert decision.plan is not None, decision.rejected
    return decision.plan


def known_plans() -> dict[str, Plan]:
    """Plans that together use every kind of argument."""
    image = TEXT | {Modality.IMAGE}
    return {
        "text": planned(Ask(256 * K), L40S=1),
        "split": planned(Ask(64 * K, variant="31B", quantization=Precision.BF16), L40S=2),
        "tight": planned(Ask(256 * K, variant="31B"), RTX_A6000=1),
        "image": planned(Ask(32 * K, variant="31B", modalities=image, media=MediaLimits(560, 4)), H100_SXM=1),
        "audio": planned(Ask(32 * K, variant="E4B", modalities=TEXT | {Modality.AUDIO}), L40S=1),
        "claim": planned(Ask(64 * K, model_path="/models/gemma", thinking_by_default=True, tool_calling=False), L40S=1),
    }

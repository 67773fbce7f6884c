"""The key of a plan's measured overheads: what the fit looks them up by, made from a plan."""

from gemma_operator.memory.measured import OverheadKey
from gemma_operator.planning.decision import Plan


def key_of_plan(plan: Plan, engine_image: str) -> OverheadKey:
    """Equal to the key under which ``fit`` asks for this configuration."""
    return OverheadKey(
        checkpoint=plan.checkpoint,
        product=plan.accelerator.product,
        tensor_parallel_size=plan.tensor_parallel_size,
        max_num_batched_tokens=plan.launch.max_num_batched_tokens,
        max_num_seqs=plan.launch.max_num_seqs,
        context_length=plan.context_length,
        modalities=tuple(sorted(plan.launch.modalities)),
        kv_cache_dtype=plan.kv_cache_dtype.value,
        engine_image=engine_image,
    )

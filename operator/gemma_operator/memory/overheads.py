"""What vLLM allocates beside weights and KV cache: estimates with a source, until a boot was measured.

Each function is one term of the budget. The figures are starting values: derived from vLLM's source or backed
out of boot logs that people published, for cold boots, where the compile cache is empty. The planner replaces
their sum by a measured one as soon as there is one.
"""

from dataclasses import dataclass

from gemma_operator.catalog.variant import Variant
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory.settings import EngineSettings

KIB, MIB, GIB = 2**10, 2**20, 2**30

COLD_COMPILE_BYTES = 1 * GIB
"""What an empty torch.compile cache adds to the profiled peak: 0.83 to 1.09 GiB cold against 0.15 warm (4090)."""

SAMPLER_BYTES_PER_SEQUENCE = 4 * MIB
"""Logits and their copies after the pool is sized (vllm#57926)."""


def persistent_bytes(variant: Variant, settings: EngineSettings) -> int:
    """O: penalties and input buffers, ``0.25 GiB + S × 1.03 MiB``; a MoE adds buffers per batched token."""
    experts = variant.activations.persistent_kib_per_token * KIB * settings.max_num_batched_tokens
    return round(0.25 * GIB + settings.max_num_seqs * 1.03 * MIB + experts)


def activation_bytes(variant: Variant, settings: EngineSettings, text_only: bool) -> int:
    """A: the peak of the profile run, which batches ``max_num_batched_tokens`` dummy tokens, cold compile included.

    With media the encoder's largest item may exceed it; its embeddings are added.
    """
    facts, tokens = variant.activations, settings.max_num_batched_tokens
    column = {1: 0, 2: 1}.get(settings.tensor_parallel_size, 2)
    logits = settings.max_num_seqs * variant.text.vocab_size * 4
    peak = max(tokens * facts.kib_per_token[column] * KIB, logits)
    if not text_only:
        peak = max(peak, tokens * facts.encoder_mib_per_token * MIB) + tokens * variant.text.hidden_size * 2
    return round(peak + COLD_COMPILE_BYTES)


def graphs_bytes(settings: EngineSettings) -> int:
    """G: CUDA graphs by the number of captured sequences (boot logs: 0.27 GiB at 64, 0.71 to 0.79 at 256)."""
    for most_sequences, gib in ((16, 0.3), (64, 0.5), (256, 0.9)):
        if settings.max_num_seqs <= most_sequences:
            return round(gib * GIB)
    return 2 * GIB


def context_bytes(accelerator: Accelerator, settings: EngineSettings) -> int:
    """C: CUDA context, and NCCL's buffers with tensor parallel: more over NVLink, most on the largest cards."""
    if settings.tensor_parallel_size == 1:
        gib = 0.55
    elif not accelerator.nvlink:
        gib = 0.8
    else:
        gib = 2.2 if accelerator.memory_gib > 100 else 1.7
    return round(gib * GIB)


def after_sizing_bytes(variant: Variant, settings: EngineSettings, context_length: int) -> int:
    """U: block tables, attention scratch and the real sampler, allocated when the pool is already taken."""
    share = context_length / variant.max_context_tokens
    block_table = variant.activations.block_table_mib * MIB * share
    return round(0.3 * GIB + settings.max_num_seqs * (block_table + SAMPLER_BYTES_PER_SEQUENCE))


def margin_bytes(accelerator: Accelerator) -> int:
    """What is kept free by judgement: 0.25, 0.4 and 0.8 GiB on 24, 48 and 80 GB cards, linear between."""
    gib = accelerator.memory_gib
    kept = min(0.8, max(0.25, 0.25 + (gib - 24) * 0.15 / 24, 0.4 + (gib - 48) * 0.4 / 32))
    return round(kept * GIB)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the budget in words: what it is, how it is known, where the figure comes from."""

    name: str
    meaning: str
    status: str
    source: str


TERMS: tuple[Term, ...] = (
    Term(
        "weights", "weights and rotary tables of one rank", "exact or reported", "the checkpoint's entry in the catalog"
    ),
    Term("persistent", "penalty and input buffers", "derived", "vLLM gpu/sample/penalties.py"),
    Term("activation", "peak of the profile run, cold compile cache", "estimate", "vLLM's profile run; boot logs"),
    Term("graphs", "CUDA graphs", "reported", "boot logs"),
    Term("kvNeeded", "pool that holds the promised requests and the null block", "exact", "vLLM kv_cache_utils.py"),
    Term("context", "CUDA context and NCCL, outside vLLM's share", "reported", "boot logs"),
    Term("afterSizing", "block tables, attention scratch, sampler, outside the pool", "derived", "vllm#57926"),
    Term("margin", "kept free", "judgement", "out-of-memory reports vllm#50159"),
)
"""The budget's terms in printing order."""

"""Weight bytes of one rank: exact for the BF16 text tower, by measured or stored size for a checkpoint.

The parameter count follows vLLM's own module tree (``model_executor/models/gemma4.py`` of 0.32): K=V layers
keep a copy of V, KV-shared layers drop K and V, norms, router and per-layer projections are replicated, the
rest is sharded. Called by the planner; tested against the parameters of vLLM's model built for each size.
"""

from functools import lru_cache

from gemma_operator.catalog.architecture import TextArchitecture
from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.variant import Checkpoint, Variant

BF16_BYTES = 2


@lru_cache(maxsize=256)
def text_param_bytes_per_rank(text: TextArchitecture, tensor_parallel_size: int) -> int:
    """Bytes of the BF16 text tower on one of ``tensor_parallel_size`` ranks."""
    tp, hidden, per_layer = tensor_parallel_size, text.hidden_size, text.hidden_size_per_layer_input
    params = text.vocab_size * hidden // tp + hidden
    if per_layer:
        width = text.num_hidden_layers * per_layer
        params += (text.vocab_size_per_layer_input + hidden) * width // tp + per_layer
    for index, kind in enumerate(text.layer_kinds):
        params += _layer_params(text, kind, index >= text.layers_with_own_cache, tp)
    return params * BF16_BYTES


def _layer_params(text: TextArchitecture, kind: str, shares_cache: bool, tp: int) -> int:
    hidden, per_layer = text.hidden_size, text.hidden_size_per_layer_input
    head_dim = text.global_head_dim if kind == "F" else text.head_dim
    kv_heads = text.num_global_key_value_heads if kind == "F" else text.num_key_value_heads
    params = 2 * text.num_attention_heads * head_dim * hidden // tp + head_dim
    if not shares_cache:
        params += 2 * max(1, kv_heads // tp) * head_dim * hidden + head_dim
    widening = 2 if text.use_double_wide_mlp and shares_cache else 1
    params += 3 * hidden * text.intermediate_size * widening // tp + 4 * hidden
    if per_layer:
        params += 2 * hidden * per_layer + hidden
    if text.experts:
        count = text.experts.num_experts
        params += 3 * count * hidden * text.experts.intermediate_size // tp
        params += count * hidden + hidden + count + 3 * hidden
    return params


def text_buffer_bytes_per_rank(text: TextArchitecture) -> int:
    """Bytes of the buffers on every rank: the rotary tables of both head sizes, and scalars.

    A layer has a BF16 scalar and four FP32 attention scales, a router one more BF16 scalar; the embedding has
    one normalizer, per-layer embeddings three.
    """
    rotary = text.max_position_embeddings * (text.head_dim + text.global_head_dim) * BF16_BYTES
    scalars = text.num_hidden_layers * (18 + (2 if text.experts else 0)) + 2
    return rotary + scalars + (6 if text.hidden_size_per_layer_input else 0)


def checkpoint_bytes_per_rank(
    variant: Variant, checkpoint: Checkpoint, tensor_parallel_size: int, text_only: bool
) -> int:
    """Weight bytes of a checkpoint on one rank, rotary tables included.

    BF16 text towers are exact. Of the others, towers and rotary tables are whole on every rank and the rest is
    split in the proportion of the BF16 tower, so that replicated heads and norms are counted. A ``loaded`` size
    already holds towers and tables; a ``file`` size holds the towers.
    """
    text = variant.text
    buffers = text_buffer_bytes_per_rank(text)
    towers = 0 if text_only else variant.tower_bytes
    if checkpoint.loaded_bytes is not None:
        whole = checkpoint.loaded_bytes - variant.tower_bytes - buffers
    elif checkpoint.precision is Precision.BF16 or checkpoint.file_bytes is None:
        return text_param_bytes_per_rank(text, tensor_parallel_size) + buffers + towers
    else:
        whole = checkpoint.file_bytes - variant.tower_bytes
    share = text_param_bytes_per_rank(text, tensor_parallel_size) / text_param_bytes_per_rank(text, 1)
    return round(whole * share) + buffers + towers

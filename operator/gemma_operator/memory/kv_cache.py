"""vLLM's KV-cache allocator for Gemma 4, to the byte.

vLLM gives sliding and full attention layers equal pages by raising the block size of the kind whose tokens are
smaller, splits the layers into groups of equal size that draw from one pool, and refuses to start when one
request of ``max_model_len`` does not fit into the pool less one null block. The functions here answer as its
own do (``v1/core/kv_cache_utils.py`` of 0.32: ``unify_kv_cache_spec_page_size``, ``get_kv_cache_groups``,
``_max_memory_usage_bytes_from_groups``, ``get_kv_cache_capacity``, ``_estimate_max_model_len_from_groups``).

Called by the planner for every candidate and by ``gemmactl kv``. Never an estimate: what can't be exact is not here.
"""

from dataclasses import dataclass

from gemma_operator.catalog.architecture import TextArchitecture
from gemma_operator.catalog.precision import KVCacheDtype


def _divide_up(value: int, divisor: int) -> int:
    return -(-value // divisor)


@dataclass(frozen=True, slots=True)
class KVCacheLayout:
    """Groups, pages and blocks of one (architecture, tensor parallel, dtype, block size).

    ``bytes_per_block`` is one block of the pool on one rank: a page for each layer of a group. ``sliding_groups``
    is 0 when the hybrid manager is off and every layer is charged for the full length.
    """

    full_groups: int
    sliding_groups: int
    group_size: int
    full_block_size: int
    sliding_block_size: int
    bytes_per_block: int
    sliding_window: int

    def blocks_per_request(self, length_tokens: int, in_flight_tokens: int) -> int:
        """Blocks that one request of that length needs at its worst.

        ``in_flight_tokens`` is ``max_num_batched_tokens × concurrent batches``: a sliding layer must hold its
        window and everything that is scheduled before old blocks are freed (vllm#49878).
        """
        blocks = self.full_groups * _divide_up(length_tokens, self.full_block_size)
        if self.sliding_groups:
            held = min(self.sliding_window - 1 + in_flight_tokens, length_tokens)
            blocks += self.sliding_groups * (_divide_up(held, self.sliding_block_size) + 1)
        return blocks


def kv_cache_layout(
    text: TextArchitecture,
    tensor_parallel_size: int,
    dtype: KVCacheDtype,
    block_size: int = 16,
    hybrid: bool = True,
) -> KVCacheLayout:
    """Layout of the pool on one rank.

    Keys and values are both stored, K=V or not; KV heads below the tensor parallel size are replicated;
    KV-shared layers own nothing. ``block_size`` is the engine's (16 on most CUDA paths, 64 or 128 on some).
    Raises ``ValueError`` when the two page sizes don't divide, which no Gemma 4 shape does.
    """
    full_layers, sliding_layers = text.full_layers_with_cache, text.sliding_layers_with_cache
    full_heads = max(1, text.num_global_key_value_heads // tensor_parallel_size)
    sliding_heads = max(1, text.num_key_value_heads // tensor_parallel_size)
    full_token_bytes = 2 * full_heads * text.global_head_dim * dtype.element_bytes
    sliding_token_bytes = 2 * sliding_heads * text.head_dim * dtype.element_bytes
    if not hybrid:
        token_bytes = full_layers * full_token_bytes + sliding_layers * sliding_token_bytes
        return KVCacheLayout(
            full_groups=1,
            sliding_groups=0,
            group_size=full_layers + sliding_layers,
            full_block_size=block_size,
            sliding_block_size=block_size,
            bytes_per_block=block_size * token_bytes,
            sliding_window=text.sliding_window,
        )
    page_bytes = block_size * max(full_token_bytes, sliding_token_bytes)
    if page_bytes % full_token_bytes or page_bytes % sliding_token_bytes:
        raise ValueError(
            f"pages of {block_size * full_token_bytes} and {block_size * sliding_token_bytes} bytes can't be made equal"
        )
    group_size = _group_size(full_layers, sliding_layers)
    return KVCacheLayout(
        full_groups=_divide_up(full_layers, group_size),
        sliding_groups=_divide_up(sliding_layers, group_size),
        group_size=group_size,
        full_block_size=page_bytes // full_token_bytes,
        sliding_block_size=page_bytes // sliding_token_bytes,
        bytes_per_block=group_size * page_bytes,
        sliding_window=text.sliding_window,
    )


def _group_size(full_layers: int, sliding_layers: int) -> int:
    """Layers per group: the smaller kind's count, or the larger's where padding would cost less than half.

    vLLM 0.32, ``_get_kv_cache_groups_uniform_page_size``; every published variant has an exact ratio.
    """
    smaller, larger = sorted((full_layers, sliding_layers))
    return larger if larger < smaller * 1.5 else smaller


@dataclass(frozen=True, slots=True)
class KVCacheFit:
    """vLLM's answer for one pool. ``None`` where the engine would refuse to start."""

    need_bytes_one_request: int
    blocks_per_request: int
    num_blocks: int
    fits: bool
    max_concurrency: float | None
    kv_tokens: int | None


def kv_cache_fit(layout: KVCacheLayout, available_bytes: int, max_model_len: int, in_flight_tokens: int) -> KVCacheFit:
    """Does one request of ``max_model_len`` tokens fit into ``available_bytes``, and how many of them."""
    blocks = layout.blocks_per_request(max_model_len, in_flight_tokens)
    num_blocks = max(0, available_bytes) // layout.bytes_per_block
    need = blocks * layout.bytes_per_block
    fits = need <= available_bytes - layout.bytes_per_block
    concurrency = num_blocks / blocks
    return KVCacheFit(
        need_bytes_one_request=need,
        blocks_per_request=blocks,
        num_blocks=num_blocks,
        fits=fits,
        max_concurrency=concurrency if fits else None,
        kv_tokens=int(concurrency * max_model_len) if fits else None,
    )


def max_feasible_model_len(
    layout: KVCacheLayout, available_bytes: int, longest_tokens: int, in_flight_tokens: int, requests: int = 1
) -> int:
    """The longest ``max_model_len`` of which ``requests`` at once fit, at most ``longest_tokens``; 0 if none.

    Bisection: the need never falls as the length grows.
    """
    low, high = 0, longest_tokens
    while low < high:
        middle = (low + high + 1) // 2
        blocks = requests * layout.blocks_per_request(middle, in_flight_tokens) + 1
        if blocks * layout.bytes_per_block <= available_bytes:
            low = middle
        else:
            high = middle - 1
    return low

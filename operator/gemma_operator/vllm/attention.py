"""What vLLM's attention backends allow for Gemma 4's two head sizes (256 and 512), by compute capability.

The planner asks for the KV block size, the KV dtypes and whether Gemma 4 runs at all. From vLLM 0.32:
``platforms/cuda.py``, ``v1/attention/backends/{triton_attn,flash_attn,fa_utils}.py``.
"""

from gemma_operator.catalog.precision import KVCacheDtype

Capability = tuple[int, int]

LOWEST: Capability = (8, 0)
LOWEST_FP8_KV: Capability = (8, 9)


def refuses_gemma(capability: Capability) -> str | None:
    """Why Gemma 4 can't run on that capability, or ``None``."""
    if capability < LOWEST:
        return (
            f"compute capability {capability[0]}.{capability[1]} is too low: head size 512 needs about 96 KiB of "
            f"shared memory in the Triton kernel, which starts at 8.0"
        )
    return None


def refuses_kv_dtype(capability: Capability, dtype: KVCacheDtype) -> str | None:
    """Why the KV cache can't have that dtype, or ``None`` (vllm#26431)."""
    if dtype is KVCacheDtype.FP8 and capability < LOWEST_FP8_KV:
        return f"FP8 KV cache needs compute capability 8.9, this product has {capability[0]}.{capability[1]}"
    return None


def attention_block_size(capability: Capability, dtype: KVCacheDtype, bidirectional_media: bool) -> int:
    """Tokens per KV block that the chosen backend asks for.

    16 on 8.x and 12.x (Triton) and with BF16 KV on 9.x (FlashAttention 4); 64 with FP8 KV on 9.x and with
    bidirectional media on 10.x and 11.x; 128, the largest that any path asks for, on 10.x and 11.x otherwise.
    """
    if capability[0] == 9:
        return 64 if dtype is KVCacheDtype.FP8 else 16
    if capability[0] in {10, 11}:
        return 64 if bidirectional_media else 128
    return 16

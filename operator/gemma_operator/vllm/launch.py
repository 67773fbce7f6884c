"""What one engine is started with: the input of the argument builder.

The planner fills it, ``arguments`` renders it, the manifests put it into a pod. A value, nothing more.
"""

from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype, Modality


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """Limits for requests with images, video or audio.

    ``image_tokens`` is the soft-token budget of one image (70, 140, 280, 560 or 1120); ``max_items`` caps each
    kind per request; an empty ``allowed_domains`` means that no remote media is fetched.
    """

    image_tokens: int = 280
    max_items: int = 1
    allowed_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineLaunch:
    """Settings of one vLLM engine. Sizes in tokens, sequences and bytes; utilization is a share of 0 to 1."""

    model: str
    revision: str | None
    served_model_names: tuple[str, ...]
    profile: str
    context_length: int
    tensor_parallel_size: int
    max_num_batched_tokens: int
    max_num_seqs: int
    async_scheduling: bool
    gpu_memory_utilization: float
    kv_cache_dtype: KVCacheDtype
    kv_cache_memory_bytes: int | None
    modalities: frozenset[Modality]
    media: MediaLimits
    audio_encoder: bool
    thinking_by_default: bool
    tool_calling: bool
    extra_args: tuple[str, ...] = ()
    extra_env: tuple[tuple[str, str], ...] = ()

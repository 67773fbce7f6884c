"""The search space: every combination of weights, GPUs and KV dtype that the ask and the cluster allow.

A candidate has no engine settings yet; ``fit`` finds those. Rules that need no memory arithmetic are checked here,
each with the sentence that says why not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.precision import KVCacheDtype, Modality
from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.planning.ask import Ask
from gemma_operator.vllm.attention import refuses_gemma, refuses_kv_dtype
from gemma_operator.vllm.profile import engine_profile

TENSOR_PARALLEL_SIZES = (1, 2, 4, 8)


class Reason(StrEnum):
    """Why a candidate was refused; the word that rejections are grouped by."""

    CONTEXT_TOO_LONG = "ContextTooLong"
    MODALITY_MISSING = "ModalityMissing"
    CAPABILITY_TOO_LOW = "CapabilityTooLow"
    KV_DTYPE_UNSUPPORTED = "KVCacheDtypeUnsupported"
    GROUP_SIZE = "QuantizationGroupSize"
    OUT_OF_POOL = "KVPoolTooSmall"
    OUT_OF_HEADROOM = "HeadroomTooSmall"
    HOST_TOO_SMALL = "NodeTooSmall"
    NOT_ALLOWED = "NotAllowed"
    NO_GPUS = "NoGPUs"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to serve the ask, before settings."""

    variant: Variant
    checkpoint: Checkpoint
    nodes: GpuNodes
    tensor_parallel_size: int
    kv_cache_dtype: KVCacheDtype

    @property
    def name(self) -> str:
        """The same short name as a plan's."""
        gpus = f"{self.tensor_parallel_size}×{self.nodes.accelerator.id}"
        return f"{self.variant.id} {self.checkpoint.precision} with {self.kv_cache_dtype} KV on {gpus}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused candidate. ``needed_bytes`` and ``available_bytes`` where memory decided.

    ``group`` is the key under which refusals of the same kind are told together.
    """

    group: tuple[str, ...]
    name: str
    reason: Reason
    message: str
    needed_bytes: int | None = None
    available_bytes: int | None = None

    @property
    def deficit_bytes(self) -> int:
        """How far away it is; 0 where a rule decided."""
        return max(0, (self.needed_bytes or 0) - (self.available_bytes or 0))


def candidates(ask: Ask, inventory: Inventory, catalog: Catalog) -> Iterator[Candidate | Refusal]:
    """All candidates in a stable order, and the refusals that rules alone decide."""
    for variant in catalog.variants:
        if ask.variant is not None and variant.id != ask.variant:
            continue
        refusal = _refuses_variant(ask, variant)
        if refusal is not None:
            yield refusal
            continue
        for nodes in inventory.groups:
            accelerator = nodes.accelerator
            if ask.accelerators and not {accelerator.id, accelerator.product} & set(ask.accelerators):
                continue
            too_low = refuses_gemma(accelerator.compute_capability)
            if too_low is not None:
                group = (Reason.CAPABILITY_TOO_LOW.value, accelerator.id)
                yield Refusal(group, f"Gemma 4 on {accelerator.id}", Reason.CAPABILITY_TOO_LOW, too_low)
                continue
            for checkpoint in _checkpoints(ask, variant, catalog):
                yield from _on(ask, variant, checkpoint, nodes)


def _refuses_variant(ask: Ask, variant: Variant) -> Refusal | None:
    if ask.context_length > variant.max_context_tokens:
        return Refusal(
            (Reason.CONTEXT_TOO_LONG.value, variant.id),
            variant.id,
            Reason.CONTEXT_TOO_LONG,
            f"{variant.id} was made for {variant.max_context_tokens:,} tokens, asked are {ask.context_length:,}",
        )
    missing = sorted(ask.modalities - variant.modalities)
    if missing:
        return Refusal(
            (Reason.MODALITY_MISSING.value, variant.id),
            variant.id,
            Reason.MODALITY_MISSING,
            f"{variant.id} takes no {' and no '.join(missing).lower()} input",
        )
    return None


def _checkpoints(ask: Ask, variant: Variant, catalog: Catalog) -> Iterator[Checkpoint]:
    for checkpoint in catalog.checkpoints_of(variant.id):
        named = checkpoint.id == ask.checkpoint
        offered = ask.checkpoint is None and checkpoint.publisher in ask.publishers
        if (named or offered) and ask.quantization in {None, checkpoint.precision}:
            yield checkpoint


def _on(ask: Ask, variant: Variant, checkpoint: Checkpoint, nodes: GpuNodes) -> Iterator[Candidate | Refusal]:
    accelerator, capability = nodes.accelerator, nodes.accelerator.compute_capability
    if capability < checkpoint.min_compute_capability:
        needed = ".".join(map(str, checkpoint.min_compute_capability))
        yield Refusal(
            (Reason.CAPABILITY_TOO_LOW.value, checkpoint.id, accelerator.id),
            f"{checkpoint.id} on {accelerator.id}",
            Reason.CAPABILITY_TOO_LOW,
            f"{checkpoint.id} needs compute capability {needed}, {accelerator.id} has {capability[0]}.{capability[1]}",
        )
        return
    offered = engine_profile(accelerator.engine_profile).kv_cache_dtypes
    for dtype in KVCacheDtype:
        if ask.kv_cache_dtype not in {None, dtype}:
            continue
        unsupported = refuses_kv_dtype(capability, dtype)
        if unsupported is None and dtype not in offered:
            unsupported = f"the engine on {accelerator.id} offers no {dtype} KV cache"
        if unsupported is not None:
            if ask.kv_cache_dtype is dtype:
                group = (Reason.KV_DTYPE_UNSUPPORTED.value, accelerator.id)
                name = f"{dtype} KV on {accelerator.id}"
                yield Refusal(group, name, Reason.KV_DTYPE_UNSUPPORTED, unsupported)
            continue
        for size in TENSOR_PARALLEL_SIZES:
            candidate = Candidate(variant, checkpoint, nodes, size, dtype)
            refusal = _refuses_size(ask, candidate)
            if refusal is None:
                yield candidate
            elif refusal.reason is not Reason.NO_GPUS:
                yield refusal


def _refuses_size(ask: Ask, candidate: Candidate) -> Refusal | None:
    size, variant = candidate.tensor_parallel_size, candidate.variant
    limit = min(candidate.nodes.gpus_per_node, ask.max_gpus_per_replica or candidate.nodes.gpus_per_node)
    if size > limit or size not in variant.tensor_parallel_sizes:
        return Refusal((), candidate.name, Reason.NO_GPUS, f"{size} GPUs are more than {limit}")
    group_size, experts = candidate.checkpoint.group_size, variant.text.experts
    if experts is None or group_size is None:
        return None
    for width in (experts.intermediate_size, variant.text.intermediate_size):
        if width % size or (width // size) % group_size:
            return Refusal(
                (Reason.GROUP_SIZE.value, candidate.checkpoint.id),
                candidate.name,
                Reason.GROUP_SIZE,
                f"{candidate.checkpoint.id} has quantization groups of {group_size}: {width} / {size} is no multiple",
            )
    return None


def largest_media_item_tokens(ask: Ask, variant: Variant) -> int:
    """Tokens of the largest item that one batch must hold, 0 for text (vllm#42687).

    Only variants with bidirectional vision attention ask for it: image 70 to 1120 and two markers, audio 750 (30 s),
    video 2,496 (32 frames of 70 tokens with markers and a time stamp).
    """
    if not variant.bidirectional_vision:
        return 0
    sizes = {Modality.IMAGE: ask.media.image_tokens + 2, Modality.AUDIO: 750, Modality.VIDEO: 2496}
    return max((sizes.get(modality, 0) for modality in ask.modalities), default=0)

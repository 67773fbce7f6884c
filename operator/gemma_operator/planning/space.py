"""The search space: every combination of weights, GPUs and KV dtype that the ask and the cluster allow.

Rules that need no memory arithmetic are checked here, each with the sentence that says why not. What the catalog and
the nodes alone decide is worked out once for each pair of them; an ask then picks from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.gpus.inventory import GpuNodes, Inventory
from gemma_operator.memory.weights import checkpoint_bytes_per_rank
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.candidate import Candidate, Reason, Refusal, Shape
from gemma_operator.vllm.attention import refuses_gemma, refuses_kv_dtype
from gemma_operator.vllm.profile import engine_profile

TENSOR_PARALLEL_SIZES = (1, 2, 4, 8)

Shapes = dict[KVCacheDtype, tuple[Shape, ...]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A checkpoint on a place: refused there altogether, or its candidates (and refused sizes) by KV dtype."""

    checkpoint: Checkpoint
    refused: Refusal | None
    sizes: tuple[tuple[KVCacheDtype, tuple[tuple[int, Candidate | Refusal], ...]], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A variant on one group of nodes: refused altogether, or its offers. ``no_dtype`` holds unsupported KV dtypes."""

    nodes: GpuNodes
    names: frozenset[str]
    refused: Refusal | None
    no_dtype: dict[KVCacheDtype, Refusal]
    offers: tuple[Offer, ...]


def candidates(ask: Ask, inventory: Inventory, catalog: Catalog) -> Iterator[Candidate | Refusal]:
    """All candidates in a stable order, and the refusals that rules alone decide."""
    for variant, places in search_space(inventory.groups, catalog):
        if ask.variant is not None and variant.id != ask.variant:
            continue
        refusal = _refuses_variant(ask, variant)
        if refusal is not None:
            yield refusal
            continue
        for place in places:
            if not ask.accelerators or place.names.intersection(ask.accelerators):
                yield from _at(ask, place)


def _at(ask: Ask, place: Place) -> Iterator[Candidate | Refusal]:
    if place.refused is not None:
        yield place.refused
        return
    limit = ask.max_gpus_per_replica or place.nodes.gpus_per_node
    for offer in place.offers:
        if not _asked_for(ask, offer.checkpoint):
            continue
        if offer.refused is not None:
            yield offer.refused
            continue
        for dtype, members in offer.sizes:
            if ask.kv_cache_dtype in {None, dtype}:
                for size, member in members:
                    if size <= limit:
                        yield member
        if ask.kv_cache_dtype in place.no_dtype:
            yield place.no_dtype[ask.kv_cache_dtype]


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


def _asked_for(ask: Ask, checkpoint: Checkpoint) -> bool:
    named = checkpoint.id == ask.checkpoint
    offered = ask.checkpoint is None and checkpoint.publisher in ask.publishers
    return (named or offered) and ask.quantization in {None, checkpoint.precision}


@lru_cache(maxsize=16)
def search_space(groups: tuple[GpuNodes, ...], catalog: Catalog) -> tuple[tuple[Variant, tuple[Place, ...]], ...]:
    """What catalog and nodes alone decide: each variant on each group of nodes."""
    return tuple(
        (variant, tuple(_place(variant, nodes, catalog.checkpoints_of(variant.id)) for nodes in groups))
        for variant in catalog.variants
    )


def _place(variant: Variant, nodes: GpuNodes, checkpoints: tuple[Checkpoint, ...]) -> Place:
    accelerator = nodes.accelerator
    names = frozenset({accelerator.id, accelerator.product})
    too_low = refuses_gemma(accelerator.compute_capability)
    if too_low is not None:
        group = (Reason.CAPABILITY_TOO_LOW.value, accelerator.id)
        refusal = Refusal(group, f"Gemma 4 on {accelerator.id}", Reason.CAPABILITY_TOO_LOW, too_low)
        return Place(nodes, names, refusal, {}, ())
    no_dtype: dict[KVCacheDtype, Refusal] = {}
    shapes: Shapes = {}
    for dtype in KVCacheDtype:
        refused = _refuses_dtype(nodes, dtype)
        if refused is not None:
            no_dtype[dtype] = refused
            continue
        sizes = [size for size in TENSOR_PARALLEL_SIZES if size <= nodes.gpus_per_node]
        shapes[dtype] = tuple(
            Shape(variant, nodes, size, dtype) for size in sizes if size in variant.tensor_parallel_sizes
        )
    return Place(nodes, names, None, no_dtype, tuple(_offer(nodes, shapes, item) for item in checkpoints))


def _refuses_dtype(nodes: GpuNodes, dtype: KVCacheDtype) -> Refusal | None:
    accelerator = nodes.accelerator
    unsupported = refuses_kv_dtype(accelerator.compute_capability, dtype)
    if unsupported is None and dtype not in engine_profile(accelerator.engine_profile).kv_cache_dtypes:
        unsupported = f"the engine on {accelerator.id} offers no {dtype} KV cache"
    if unsupported is None:
        return None
    group = (Reason.KV_DTYPE_UNSUPPORTED.value, accelerator.id)
    return Refusal(group, f"{dtype} KV on {accelerator.id}", Reason.KV_DTYPE_UNSUPPORTED, unsupported)


def _offer(nodes: GpuNodes, shapes: Shapes, checkpoint: Checkpoint) -> Offer:
    accelerator, capability = nodes.accelerator, nodes.accelerator.compute_capability
    if capability < checkpoint.min_compute_capability:
        needed = ".".join(map(str, checkpoint.min_compute_capability))
        refusal = Refusal(
            (Reason.CAPABILITY_TOO_LOW.value, checkpoint.id, accelerator.id),
            f"{checkpoint.id} on {accelerator.id}",
            Reason.CAPABILITY_TOO_LOW,
            f"{checkpoint.id} needs compute capability {needed}, {accelerator.id} has {capability[0]}.{capability[1]}",
        )
        return Offer(checkpoint, refusal, ())
    sizes = (
        (dtype, tuple((shape.tensor_parallel_size, _member(shape, checkpoint)) for shape in of_dtype))
        for dtype, of_dtype in shapes.items()
    )
    return Offer(checkpoint, None, tuple(sizes))


def _member(shape: Shape, checkpoint: Checkpoint) -> Candidate | Refusal:
    size, variant = shape.tensor_parallel_size, shape.variant
    candidate = Candidate(
        shape,
        checkpoint,
        checkpoint_bytes_per_rank(variant, checkpoint, size, text_only=True),
        checkpoint_bytes_per_rank(variant, checkpoint, size, text_only=False),
    )
    group_size, experts = checkpoint.group_size, variant.text.experts
    if experts is None or group_size is None:
        return candidate
    for width in (experts.intermediate_size, variant.text.intermediate_size):
        if width % size or (width // size) % group_size:
            return Refusal(
                (Reason.GROUP_SIZE.value, checkpoint.id),
                candidate.name,
                Reason.GROUP_SIZE,
                f"{checkpoint.id} has quantization groups of {group_size}: {width} / {size} is no multiple",
            )
    return candidate

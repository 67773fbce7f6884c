"""From YAML text to the catalog, and from one catalog to an extended one.

Called at start with the two files of this room, and by the controller with every ConfigMap that extends them.
A text that is wrong raises ``CatalogError`` and changes nothing: the caller keeps what it had.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gemma_operator.catalog.architecture import Experts, TextArchitecture
from gemma_operator.catalog.catalog import Catalog, LeftOut
from gemma_operator.catalog.documents import (
    CatalogDocument,
    CheckpointDocument,
    ProductDocument,
    ProductsDocument,
    VariantDocument,
)
from gemma_operator.catalog.precision import Precision
from gemma_operator.catalog.product import GpuProduct, MemoryState
from gemma_operator.catalog.variant import ActivationFacts, Checkpoint, Variant

GIB = 2**30

_Document = TypeVar("_Document", bound=BaseModel)
_Loader: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CatalogError(ValueError):
    """A catalog text that can't be used; the message names source, field and value."""


def parse_catalog(gemma_text: str, products_text: str) -> Catalog:
    """The catalog from the two files of this room."""
    return extend(extend(Catalog((), (), ()), "gemma4.yaml", gemma_text), "gpus.yaml", products_text)


def extend(catalog: Catalog, source: str, text: str) -> Catalog:
    """The catalog with the entries of one more text; an entry of the same id replaces the earlier one.

    A text with a ``products`` list extends the GPU products, any other the variants and checkpoints.
    Raises ``CatalogError``.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - both candidates are safe loaders
    except yaml.YAMLError as error:
        raise CatalogError(f"{source}: not YAML: {error}") from None
    if not isinstance(data, Mapping):
        raise CatalogError(f"{source}: expected a mapping with products, variants or checkpoints")
    if "products" in data:
        return _extend_products(catalog, _validated(ProductsDocument, source, data))
    return _extend_models(catalog, source, _validated(CatalogDocument, source, data))


def _validated(kind: type[_Document], source: str, data: Mapping[str, object]) -> _Document:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{source}: {field}: {first['msg']}, got {str(first['input'])[:120]!r}") from None


def _extend_products(catalog: Catalog, document: ProductsDocument) -> Catalog:
    products = {product.id: product for product in catalog.products}
    products.update({entry.id: _product(entry) for entry in document.products})
    return replace(catalog, products=tuple(products.values()))


def _extend_models(catalog: Catalog, source: str, document: CatalogDocument) -> Catalog:
    precisions = {checkpoint.scheme: checkpoint.precision for checkpoint in catalog.checkpoints}
    precisions.update(document.precisions)
    variants = {variant.id: variant for variant in catalog.variants}
    variants.update({entry.id: _variant(entry) for entry in document.variants})
    checkpoints = {checkpoint.id: checkpoint for checkpoint in catalog.checkpoints}
    for entry in document.checkpoints:
        if entry.variant not in variants:
            raise CatalogError(
                f"{source}: checkpoint {entry.id}: variant {entry.variant!r} is not known; "
                f"use one of {', '.join(sorted(variants))} or add it under variants"
            )
        if entry.scheme not in precisions:
            raise CatalogError(
                f"{source}: checkpoint {entry.id}: scheme {entry.scheme!r} has no precision; "
                f"add it under precisions, for example {entry.scheme}: FP8"
            )
        checkpoints[entry.id] = _checkpoint(source, entry, precisions[entry.scheme])
    left_out = tuple(LeftOut(entry.id, entry.variant, entry.reason) for entry in document.left_out)
    return replace(
        catalog,
        variants=tuple(sorted(variants.values(), key=lambda variant: variant.quality_rank)),
        checkpoints=tuple(checkpoints.values()),
        left_out=catalog.left_out + left_out,
    )


def _variant(entry: VariantDocument) -> Variant:
    text = entry.text.model_dump(exclude={"experts"})
    experts = Experts(**entry.text.experts.model_dump()) if entry.text.experts else None
    return Variant(
        id=entry.id,
        text=TextArchitecture(**text, experts=experts),
        modalities=entry.modalities,
        tower_bytes=entry.tower_bytes,
        activations=ActivationFacts(**entry.activations.model_dump()),
        tensor_parallel_sizes=entry.tensor_parallel_sizes,
        quality_rank=entry.quality_rank,
        min_vllm=entry.min_vllm,
        released=entry.released,
        bidirectional_vision=entry.bidirectional_vision,
        size_label=entry.size_label,
        benchmarks=tuple(entry.benchmarks.items()),
    )


def _checkpoint(source: str, entry: CheckpointDocument, precision: Precision) -> Checkpoint:
    if entry.file_bytes is None and entry.loaded_bytes is None and precision is not Precision.BF16:
        raise CatalogError(f"{source}: checkpoint {entry.id}: a {precision} checkpoint needs fileBytes or loadedBytes")
    return Checkpoint(
        id=entry.id,
        variant=entry.variant,
        publisher=entry.publisher,
        scheme=entry.scheme,
        precision=precision,
        file_bytes=entry.file_bytes,
        loaded_bytes=entry.loaded_bytes,
        size_status=entry.size_status,
        licence=entry.licence,
        revision=None if entry.revision == "moving" else entry.revision,
        group_size=entry.group_size,
        min_compute_capability=entry.min_compute_capability,
    )


def _product(entry: ProductDocument) -> GpuProduct:
    states = tuple(
        MemoryState(state.label_memory_mib, int(state.cuda_total_gib * GIB), state.status)
        for state in entry.memory_states
    )
    return GpuProduct(
        id=entry.id,
        vendor=entry.vendor,
        labels=entry.labels,
        compute_capability=entry.compute_capability,
        memory_states=states,
        nvlink=entry.nvlink,
        bandwidth_gb_per_s=entry.bandwidth_gb_per_s,
        bf16_tflops=entry.bf16_tflops,
        fp8_tflops=entry.fp8_tflops,
        engine_profile=entry.engine_profile,
    )

"""Which product a node label means, and how much memory CUDA will report there.

Labels are what GPU feature discovery writes; the table holds what they are worth. Called by the readers and by
the command line. A product that is not in the table is planned with a stated estimate, never guessed silently.
"""

import re
from collections.abc import Sequence

from gemma_operator.catalog.product import GpuProduct, MemoryState
from gemma_operator.gpus.accelerator import Accelerator

MIB = 2**20

VENDOR = "NVIDIA-"
SHARED = re.compile(r"-SHARED$")
SLICE = re.compile(r"-MIG-")


class UnusableProductError(ValueError):
    """A label that no plan can use; the message says why."""


def estimated_total_bytes(label_memory_mib: int) -> int:
    """CUDA's total for a product that is not in the table: ``floor(0.994 × label − 500 MiB)``.

    At or below every exact pair of the table but one; CUDA shows 0.4 to 3.5 GiB less than NVML.
    """
    return int(0.994 * label_memory_mib - 500) * MIB


def match_label(
    products: Sequence[GpuProduct],
    label: str,
    label_memory_mib: int | None,
    compute_capability: tuple[int, int] | None,
    resource: str = "nvidia.com/gpu",
) -> Accelerator:
    """The accelerator behind a product label and its memory label (MiB).

    One label can cover several memory states (ECC on or off, boards of different size): the pair decides, and
    an unknown memory takes the estimate. Raises ``UnusableProductError`` for slices and shared GPUs, which are
    never whole GPUs, and for an unknown product without memory or capability.
    """
    if SLICE.search(label):
        raise UnusableProductError(f"{label} is a MIG slice, not a whole GPU")
    if SHARED.search(label):
        raise UnusableProductError(f"{label} is time-shared: its memory is not one engine's own")
    entries = [product for product in products if _same_name(label, product.labels)]
    for product in entries:
        for state in product.memory_states:
            if state.label_memory_mib == label_memory_mib:
                return _accelerator(product, label, state, compute_capability, resource)
    if entries and label_memory_mib is None:
        return _accelerator(entries[0], label, entries[0].memory_states[0], compute_capability, resource)
    if label_memory_mib is None:
        raise UnusableProductError(f"{label} is not in the product table and the node has no memory label")
    state = MemoryState(label_memory_mib, estimated_total_bytes(label_memory_mib), "estimate")
    if entries:
        return _accelerator(entries[0], label, state, compute_capability, resource)
    if compute_capability is None:
        raise UnusableProductError(f"{label} is not in the product table and the node has no compute capability labels")
    unknown = GpuProduct(label, "nvidia", (label,), compute_capability, (state,), False, None, None, None)
    return _accelerator(unknown, label, state, compute_capability, resource)


def match_product(products: Sequence[GpuProduct], name: str) -> Accelerator:
    """The accelerator of a product named by id or by label, in its usual memory state.

    Raises ``UnusableProductError`` with near names when there is none.
    """
    for product in products:
        if name == product.id or _same_name(name, product.labels):
            label = product.labels[0] if product.labels else product.id
            return _accelerator(product, label, product.memory_states[0], None, "nvidia.com/gpu")
    word = re.split(r"[-_ ]", name)[0].lower()
    near = [product.id for product in products if word and word in product.id.lower()]
    hint = f"; near names are {', '.join(near[:6])}" if near else ""
    raise UnusableProductError(f"{name!r} is neither an id nor a label of the product table{hint}")


def memory_states(products: Sequence[GpuProduct], accelerator: Accelerator) -> tuple[Accelerator, ...]:
    """The accelerator in every memory state that nodes with its product label can be in, as far as the table knows."""
    return tuple(
        _accelerator(product, accelerator.product, state, accelerator.compute_capability, accelerator.resource)
        for product in products
        if _same_name(accelerator.product, product.labels)
        for state in product.memory_states
    )


def _same_name(label: str, known: tuple[str, ...]) -> bool:
    """Drivers before R510 left out the leading ``NVIDIA-``."""
    bare = label.removeprefix(VENDOR)
    return bare in known or VENDOR + bare in known


def _accelerator(
    product: GpuProduct,
    label: str,
    state: MemoryState,
    compute_capability: tuple[int, int] | None,
    resource: str,
) -> Accelerator:
    capability = product.compute_capability or compute_capability
    if product.vendor != "nvidia" or capability is None:
        raise UnusableProductError(f"{label} is not an NVIDIA GPU: engines for other vendors are not planned yet")
    return Accelerator(
        id=product.id,
        product=label,
        label_memory_mib=state.label_memory_mib,
        total_bytes=state.total_bytes,
        total_status=state.status,
        compute_capability=capability,
        nvlink=product.nvlink,
        engine_profile=product.engine_profile,
        resource=resource,
        price_per_hour=product.price_per_hour,
    )

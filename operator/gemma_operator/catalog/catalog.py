"""The catalog as the planner sees it: variants, checkpoints, GPU products.

Parsed by ``parse`` from the two files of this room and from ConfigMaps; later entries replace earlier ones of
the same id.
"""

from dataclasses import dataclass

from gemma_operator.catalog.product import GpuProduct
from gemma_operator.catalog.variant import Checkpoint, Variant


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A published checkpoint that is not offered, and why."""

    id: str
    variant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that is known, in stable order: variants from best to smallest quality."""

    variants: tuple[Variant, ...]
    checkpoints: tuple[Checkpoint, ...]
    products: tuple[GpuProduct, ...]
    left_out: tuple[LeftOut, ...] = ()

    def variant(self, variant_id: str) -> Variant | None:
        """The variant of that id, if there is one."""
        return next((variant for variant in self.variants if variant.id == variant_id), None)

    def checkpoints_of(self, variant_id: str) -> tuple[Checkpoint, ...]:
        """Checkpoints of a variant in catalog order."""
        return tuple(checkpoint for checkpoint in self.checkpoints if checkpoint.variant == variant_id)

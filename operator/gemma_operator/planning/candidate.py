"""What planning tries and what it refuses: the values of the search.

A *shape* is a variant on some GPUs of one kind of node; with a checkpoint it is a *candidate*. Neither has engine
settings yet. ``space`` enumerates them, ``ladder`` and ``fit`` find settings.
"""

from dataclasses import dataclass
from enum import StrEnum

from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.catalog.variant import Checkpoint, Variant
from gemma_operator.gpus.inventory import GpuNodes


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


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A variant on GPUs of one kind of node with a KV dtype. Compared by identity: a search space makes each once."""

    variant: Variant
    nodes: GpuNodes
    tensor_parallel_size: int
    kv_cache_dtype: KVCacheDtype


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One way to serve the ask, before settings. The two sizes are weight bytes of one rank, without and with media."""

    shape: Shape
    checkpoint: Checkpoint
    text_weights_bytes: int
    media_weights_bytes: int

    @property
    def variant(self) -> Variant:
        """The variant of the shape."""
        return self.shape.variant

    @property
    def nodes(self) -> GpuNodes:
        """The nodes of the shape."""
        return self.shape.nodes

    @property
    def tensor_parallel_size(self) -> int:
        """GPUs of one replica."""
        return self.shape.tensor_parallel_size

    @property
    def kv_cache_dtype(self) -> KVCacheDtype:
        """The KV dtype of the shape."""
        return self.shape.kv_cache_dtype

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

    def refusal(self) -> "Refusal":
        """Itself: what memory refuses is put into words only when it is told."""
        return self

"""A Gemma 4 variant and the checkpoints that carry it.

The planner enumerates these; ``gemma4.yaml`` lists the published ones and a ConfigMap may add more.
"""

from dataclasses import dataclass

from gemma_operator.catalog.architecture import TextArchitecture
from gemma_operator.catalog.precision import Modality, Precision


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One set of weights on the Hub or on a volume.

    ``file_bytes`` is what is stored (towers included, rotary tables not); ``loaded_bytes`` is what a boot
    reported on one GPU (towers and rotary tables included) and is preferred where it is known.
    ``size_status`` says how the size is known: exact, computed, reported or estimate. ``revision`` is ``None``
    for a repository's default branch, which its owner may move.
    """

    id: str
    variant: str
    publisher: str
    scheme: str
    precision: Precision
    file_bytes: int | None
    loaded_bytes: int | None
    size_status: str
    licence: str
    revision: str | None = None
    group_size: int | None = None
    min_compute_capability: tuple[int, int] = (8, 0)

    @property
    def disk_bytes(self) -> int:
        """Bytes to fetch and keep; where no file size is known, the loaded size and a fifth."""
        return self.file_bytes if self.file_bytes is not None else round((self.loaded_bytes or 0) * 1.2)


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """What a variant allocates beside weights and KV cache; starting values until a cold boot is measured.

    ``kib_per_token`` is the peak of a forward pass per batched token at tensor parallel 1, 2 and 4 or more;
    ``encoder_mib_per_token`` the encoder's share with media; ``persistent_kib_per_token`` buffers that stay;
    ``block_table_mib`` the tables of one sequence at the variant's full context.
    """

    kib_per_token: tuple[float, float, float]
    encoder_mib_per_token: float
    persistent_kib_per_token: float
    block_table_mib: float


@dataclass(frozen=True, slots=True)
class Variant:
    """A member of the family: its text tower, its towers for other inputs, and its place in the quality order."""

    id: str
    text: TextArchitecture
    modalities: frozenset[Modality]
    tower_bytes: int
    activations: ActivationFacts
    tensor_parallel_sizes: tuple[int, ...]
    quality_rank: int
    min_vllm: str
    released: str
    bidirectional_vision: bool
    size_label: str
    benchmarks: tuple[tuple[str, float], ...] = ()

    @property
    def max_context_tokens(self) -> int:
        """The longest request that the variant was made for, in tokens."""
        return self.text.max_position_embeddings

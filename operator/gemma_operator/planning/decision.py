"""What planning answers: a plan or none, and the reasons for both.

A decision is a value. Status, Events, the command line and the logs print the same sentences from it.
"""

from dataclasses import dataclass

from gemma_operator.catalog.precision import KVCacheDtype, Precision
from gemma_operator.gpus.accelerator import Accelerator
from gemma_operator.memory.budget import MemoryBudget
from gemma_operator.vllm.launch import EngineLaunch


@dataclass(frozen=True, slots=True)
class HostRequests:
    """What a pod needs of its node beside GPUs. CPU in thousandths of a core, the rest in bytes."""

    cpu_millicores: int
    memory_bytes: int
    shared_memory_bytes: int
    ephemeral_storage_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One engine, exactly: which weights on which GPUs with which settings, and the memory that it will use.

    ``blocks_per_request`` and ``num_blocks`` are vLLM's own units: the live engine is compared with them.
    ``launch`` holds everything that becomes an argument; ``args`` is its rendering. ``reasons`` says why this one.
    ``label_memory_above_mib``: where nodes with the same product label can have too little memory for it (ECC on, for
    example), those whose memory label is larger than this have enough; ``None`` where all have.
    ``longest_answer_seconds``: an estimate for an answer that fills the context while the pool is full.
    """

    variant: str
    checkpoint: str
    revision: str | None
    quantization: Precision
    kv_cache_dtype: KVCacheDtype
    accelerator: Accelerator
    tensor_parallel_size: int
    context_length: int
    concurrent_requests: int
    text_only: bool
    tight: bool
    block_size: int
    bytes_per_block: int
    blocks_per_request: int
    num_blocks: int
    max_concurrency: float
    memory: MemoryBudget
    host: HostRequests
    launch: EngineLaunch
    args: tuple[str, ...]
    weight_files_bytes: int
    reasons: tuple[str, ...]
    label_memory_above_mib: int | None = None
    longest_answer_seconds: int = 300

    @property
    def name(self) -> str:
        """Short name of the candidate, the same wherever it is printed."""
        gpus = f"{self.tensor_parallel_size}×{self.accelerator.id}"
        return f"{self.variant} {self.quantization} with {self.kv_cache_dtype} KV on {gpus}"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A group of candidates that was refused for one reason, with the numbers of its best member."""

    candidate: str
    reason: str
    needed_bytes: int | None
    available_bytes: int | None
    message: str


@dataclass(frozen=True, slots=True)
class NearestFit:
    """A change of the ask, in one sentence, and the plan that it would get."""

    change: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Decision:
    """The whole answer. ``plan`` is ``None`` when nothing fits; ``nearest`` then says what would."""

    plan: Plan | None
    alternatives: tuple[Plan, ...]
    rejected: tuple[Rejection, ...]
    nearest: tuple[NearestFit, ...]
    notes: tuple[str, ...] = ()

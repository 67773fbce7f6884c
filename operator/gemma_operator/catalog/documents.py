"""The form of the catalog's YAML, checked with messages that name the field and the value.

Used by ``parse`` alone, for the files of this room and for the ConfigMaps that extend them.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from gemma_operator.catalog.precision import Modality, Precision

Positive = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(ge=0)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class _ConfigNames(BaseModel):
    """Fields named as in a model's ``config.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ExpertsDocument(_ConfigNames):
    num_experts: Positive
    top_k: Positive
    intermediate_size: Positive


class TextDocument(_ConfigNames):
    num_hidden_layers: Positive
    layer_pattern: Annotated[str, Field(pattern="^[SF]+$")]
    num_kv_shared_layers: Count = 0
    sliding_window: Positive
    hidden_size: Positive
    intermediate_size: Positive
    use_double_wide_mlp: bool = False
    num_attention_heads: Positive
    num_key_value_heads: Positive
    num_global_key_value_heads: Positive
    head_dim: Positive
    global_head_dim: Positive
    attention_k_eq_v: bool
    hidden_size_per_layer_input: Count = 0
    vocab_size: Positive
    vocab_size_per_layer_input: Count = 0
    max_position_embeddings: Positive
    experts: ExpertsDocument | None = None


class ActivationsDocument(_Document):
    kib_per_token: tuple[float, float, float]
    encoder_mib_per_token: float = 0
    persistent_kib_per_token: float = 0
    block_table_mib: float


class VariantDocument(_Document):
    id: str
    quality_rank: Count
    size_label: str = ""
    released: str = ""
    min_vllm: str = "0.19.1"
    modalities: frozenset[Modality]
    bidirectional_vision: bool = False
    tensor_parallel_sizes: tuple[Positive, ...]
    tower_bytes: Count = 0
    activations: ActivationsDocument
    text: TextDocument
    benchmarks: dict[str, float] = Field(default_factory=dict)


def _capability(value: str) -> tuple[int, int]:
    major, dot, minor = value.partition(".")
    if not (dot and major.isdigit() and minor.isdigit()):
        raise ValueError(f"compute capability {value!r} is not of the form 8.9")
    return int(major), int(minor)


class CheckpointDocument(_Document):
    id: str
    variant: str
    publisher: str
    scheme: str
    file_bytes: Positive | None = None
    loaded_bytes: Positive | None = None
    size_status: str = "reported"
    licence: str = "unknown"
    revision: str = "moving"
    group_size: Positive | None = None
    min_compute_capability: tuple[int, int] = (8, 0)

    @field_validator("min_compute_capability", mode="before")
    @classmethod
    def _parse_capability(cls, value: object) -> object:
        return _capability(value) if isinstance(value, str) else value


class LeftOutDocument(_Document):
    id: str
    variant: str
    reason: str


class CatalogDocument(_Document):
    as_of: str = ""
    precisions: dict[str, Precision] = Field(default_factory=dict)
    variants: tuple[VariantDocument, ...] = ()
    checkpoints: tuple[CheckpointDocument, ...] = ()
    left_out: tuple[LeftOutDocument, ...] = ()


class MemoryStateDocument(_Document):
    label_memory_mib: Positive | None = None
    cuda_total_gib: Annotated[float, Field(gt=0)]
    status: str = "estimate"
    state: str = "usual"


class ProductDocument(_Document):
    id: str
    vendor: str = "nvidia"
    labels: tuple[str, ...]
    compute_capability: tuple[int, int] | None
    memory_states: Annotated[tuple[MemoryStateDocument, ...], Field(min_length=1)]
    nvlink: bool = False
    bandwidth_gb_per_s: float | None = None
    bf16_tflops: float | None = None
    fp8_tflops: float | None = None
    cuda_total_source: str = ""
    engine_profile: str = "CUDA"

    @field_validator("compute_capability", mode="before")
    @classmethod
    def _parse_capability(cls, value: object) -> object:
        return _capability(value) if isinstance(value, str) else value


class ProductsDocument(_Document):
    as_of: str = ""
    products: tuple[ProductDocument, ...] = ()

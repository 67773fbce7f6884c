"""What a GemmaDeployment asks for, normalised: the planning inputs and nothing else.

Made from a spec by ``ask_from_spec`` (controller and command line); hashed to key a plan. A field that does not
change the plan (replicas, labels) is not here, so that changing it moves no engine.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.vllm.launch import MediaLimits
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE


class Objective(StrEnum):
    """What the ranking puts first among candidates that fit."""

    BALANCED = "Balanced"
    QUALITY = "Quality"


@dataclass(frozen=True, slots=True)
class Ask:
    """Planning inputs. ``None`` in a choice means Auto. Lengths in tokens.

    The two requests are those of the pod overlay, in place of what the plan would compute.
    """

    context_length: int
    concurrent_requests: int = 1
    variant: str | None = None
    quantization: Precision | None = None
    kv_cache_dtype: KVCacheDtype | None = None
    modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    media: MediaLimits = field(default_factory=MediaLimits)
    checkpoint: str | None = None
    revision: str | None = None
    publishers: tuple[str, ...] = ("Google", "RedHatAI", "NVIDIA")
    model_path: str | None = None
    objective: Objective = Objective.BALANCED
    accelerators: tuple[str, ...] = ()
    max_gpus_per_replica: int | None = None
    replicas: int = 1
    served_model_names: tuple[str, ...] = ("gemma",)
    thinking_by_default: bool = False
    tool_calling: bool = True
    engine_image: str = DEFAULT_ENGINE_IMAGE
    extra_args: tuple[str, ...] = ()
    extra_env: tuple[tuple[str, str], ...] = ()
    requested_cpu_millicores: int | None = None
    requested_memory_bytes: int | None = None

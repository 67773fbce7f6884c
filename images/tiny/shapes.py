"""The shapes of the tiny checkpoints, and the catalog text that tells the operator of them."""

from dataclasses import dataclass
from typing import Any

import yaml

CONTEXT_TOKENS = 8192
CARD_GIB = 4.0
VOCABULARY = 768


@dataclass(frozen=True)
class Shape:
    """One checkpoint: the fields of ``Gemma4TextConfig`` that differ between the published variants."""

    name: str
    variant: str
    pattern: str
    layers: int
    shared_layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    global_kv_heads: int
    k_eq_v: bool
    per_layer_input: int = 0
    experts: tuple[int, int, int] | None = None
    window: int = 128
    head_dim: int = 64
    global_head_dim: int = 128
    sees: bool = False

    @property
    def kinds(self) -> str:
        """One letter per layer."""
        return (self.pattern * self.layers)[: self.layers]


SHAPES = (
    Shape("tiny-chat", "tiny-31B-like", "SSF", 6, 0, 128, 256, 4, 4, 2, True),
    Shape("tiny-e2b", "tiny-E2B-like", "SSF", 9, 3, 64, 128, 4, 1, 1, False, per_layer_input=16),
    Shape("tiny-moe", "tiny-26B-like", "SSF", 6, 0, 64, 128, 4, 2, 2, True, experts=(8, 2, 64)),
    Shape("tiny-vision", "tiny-12B-like", "SSF", 6, 0, 64, 128, 4, 2, 1, True, sees=True),
)

MEDIA_TOKENS = {
    "image_token": "<|image|>",
    "boi_token": "<|image>",
    "eoi_token": "<image|>",
    "audio_token": "<|audio|>",
    "boa_token": "<|audio>",
    "eoa_token": "<audio|>",
    "video_token": "<|video|>",
}
"""Gemma 4's media tokens by the names that its processor gives them."""

VISION_TOWER_BYTES = 533_760
"""Vision tower and projector of ``tiny-vision``; checked when the checkpoint is made."""


def config_arguments(shape: Shape) -> dict[str, Any]:
    """Arguments of ``Gemma4TextConfig``."""
    names = {"S": "sliding_attention", "F": "full_attention"}
    arguments: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "num_global_key_value_heads": shape.global_kv_heads,
        "head_dim": shape.head_dim,
        "global_head_dim": shape.global_head_dim,
        "sliding_window": shape.window,
        "max_position_embeddings": CONTEXT_TOKENS,
        "num_kv_shared_layers": shape.shared_layers,
        "hidden_size_per_layer_input": shape.per_layer_input,
        "vocab_size_per_layer_input": VOCABULARY if shape.per_layer_input else 0,
        "attention_k_eq_v": shape.k_eq_v,
        "use_double_wide_mlp": False,
        "final_logit_softcapping": 30.0,
        "layer_types": [names[kind] for kind in shape.kinds],
        "use_bidirectional_attention": "vision" if shape.sees else None,
    }
    if shape.experts:
        count, top, width = shape.experts
        arguments |= {
            "enable_moe_block": True,
            "num_experts": count,
            "top_k_experts": top,
            "moe_intermediate_size": width,
        }
    return arguments


def vision_arguments() -> dict[str, Any]:
    """Arguments of ``Gemma4VisionConfig``."""
    return {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "position_embedding_size": 1024,
    }


def catalog_text(shapes: tuple[Shape, ...] = SHAPES) -> str:
    """Variants and checkpoints in the catalog's form."""
    document = {
        "precisions": {"bf16": "BF16"},
        "variants": [_variant(shape) for shape in shapes],
        "checkpoints": [
            {
                "id": f"gemma-operator/{shape.name}",
                "variant": shape.variant,
                "publisher": "gemma-operator",
                "scheme": "bf16",
                "sizeStatus": "exact",
                "licence": "apache-2.0",
            }
            for shape in shapes
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


def products_text(card_gib: float = CARD_GIB) -> str:
    """A card that no shop sells: the profile says that the engine behind it runs on CPU."""
    product = {
        "id": "Simulated-CPU",
        "labels": ["Simulated-CPU"],
        "computeCapability": "9.0",
        "memoryStates": [
            {
                "labelMemoryMib": round(card_gib * 1024),
                "cudaTotalGib": card_gib,
                "status": "exact",
                "state": "usual",
            }
        ],
        "engineProfile": "CPU",
    }
    return yaml.safe_dump({"products": [product]}, sort_keys=False)


def _variant(shape: Shape) -> dict[str, Any]:
    text: dict[str, Any] = {
        "num_hidden_layers": shape.layers,
        "layer_pattern": shape.pattern,
        "num_kv_shared_layers": shape.shared_layers,
        "sliding_window": shape.window,
        "hidden_size": shape.hidden,
        "intermediate_size": shape.intermediate,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "num_global_key_value_heads": shape.global_kv_heads,
        "head_dim": shape.head_dim,
        "global_head_dim": shape.global_head_dim,
        "attention_k_eq_v": shape.k_eq_v,
        "hidden_size_per_layer_input": shape.per_layer_input,
        "vocab_size": VOCABULARY,
        "vocab_size_per_layer_input": VOCABULARY if shape.per_layer_input else 0,
        "max_position_embeddings": CONTEXT_TOKENS,
    }
    if shape.experts:
        count, top, width = shape.experts
        text["experts"] = {"num_experts": count, "top_k": top, "intermediate_size": width}
    return {
        "id": shape.variant,
        "qualityRank": 100 + SHAPES.index(shape),
        "sizeLabel": "made for tests",
        "modalities": ["Text", "Image"] if shape.sees else ["Text"],
        "bidirectionalVision": shape.sees,
        "towerBytes": VISION_TOWER_BYTES if shape.sees else 0,
        "tensorParallelSizes": [size for size in (1, 2) if shape.global_kv_heads % size == 0],
        "activations": {"kibPerToken": [0, 0, 0], "blockTableMib": 0},
        "text": text,
    }

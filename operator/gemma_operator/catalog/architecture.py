"""The shape of one Gemma 4 text model, as far as memory depends on it.

Read from a ``text:`` block of the catalog; the memory room computes weights and KV cache from nothing else.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Experts:
    """The sparse half of the 26B-A4B's feed-forward layers."""

    num_experts: int
    top_k: int
    intermediate_size: int


@dataclass(frozen=True, slots=True)
class TextArchitecture:
    """Layer counts, widths and head counts of a text tower (``Gemma4TextConfig`` of transformers).

    ``layer_pattern`` is one period of the layer order, ``S`` sliding and ``F`` full attention. The last
    ``num_kv_shared_layers`` layers read the cache of an earlier layer and own none.
    """

    num_hidden_layers: int
    layer_pattern: str
    num_kv_shared_layers: int
    sliding_window: int
    hidden_size: int
    intermediate_size: int
    use_double_wide_mlp: bool
    num_attention_heads: int
    num_key_value_heads: int
    num_global_key_value_heads: int
    head_dim: int
    global_head_dim: int
    attention_k_eq_v: bool
    hidden_size_per_layer_input: int
    vocab_size: int
    vocab_size_per_layer_input: int
    max_position_embeddings: int
    experts: Experts | None = None

    @property
    def layer_kinds(self) -> str:
        """One letter per layer, ``S`` or ``F``, in order."""
        periods = -(-self.num_hidden_layers // len(self.layer_pattern))
        return (self.layer_pattern * periods)[: self.num_hidden_layers]

    @property
    def layers_with_own_cache(self) -> int:
        """Layers that allocate KV cache."""
        return self.num_hidden_layers - self.num_kv_shared_layers

    @property
    def full_layers_with_cache(self) -> int:
        """Full-attention layers that allocate KV cache."""
        return self.layer_kinds[: self.layers_with_own_cache].count("F")

    @property
    def sliding_layers_with_cache(self) -> int:
        """Sliding-window layers that allocate KV cache."""
        return self.layer_kinds[: self.layers_with_own_cache].count("S")

"""Number formats of weights and of the KV cache, in the words that the API uses.

Called by every room that sizes or ranks something. The table from a checkpoint's quantization scheme to a
precision stands in ``gemma4.yaml``; this module only knows the names and their order.
"""

from enum import StrEnum


class Precision(StrEnum):
    """Precision of a checkpoint's linear layers; embeddings and towers stay BF16 in every published file."""

    BF16 = "BF16"
    FP8 = "FP8"
    INT8 = "INT8"
    NVFP4 = "NVFP4"
    W4A16 = "W4A16"
    MOBILE = "Mobile"

    @property
    def rank(self) -> int:
        """Position in the order of answer quality, 0 best; the two 4-bit formats are equals."""
        order = (Precision.BF16, Precision.FP8, Precision.INT8, Precision.W4A16, Precision.MOBILE)
        return order.index(Precision.W4A16 if self is Precision.NVFP4 else self)

    @property
    def bytes_per_weight(self) -> float:
        """Bytes of one weight of a linear layer, scales of its groups included; of a whole checkpoint an estimate."""
        match self:
            case Precision.BF16:
                return 2.0
            case Precision.FP8 | Precision.INT8:
                return 1.0
            case _:
                return 0.56


class KVCacheDtype(StrEnum):
    """Element type of the KV cache. FP8 needs compute capability 8.9 or more with Gemma 4's head sizes."""

    BF16 = "BF16"
    FP8 = "FP8"

    @property
    def element_bytes(self) -> int:
        """Bytes of one cached element."""
        return 2 if self is KVCacheDtype.BF16 else 1

    @property
    def rank(self) -> int:
        """Position in the order of answer quality, 0 best."""
        return list(KVCacheDtype).index(self)


class Modality(StrEnum):
    """What a request may contain besides nothing at all."""

    TEXT = "Text"
    IMAGE = "Image"
    VIDEO = "Video"
    AUDIO = "Audio"

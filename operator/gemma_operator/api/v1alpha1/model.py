"""``spec.model``: which weights, at which precision, for which kinds of input, from where."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gemma_operator.api.v1alpha1.base import (
    NO_REPEATS,
    ApiModel,
    DomainName,
    HubId,
    ObjectName,
    ShortText,
    refuse,
    validations,
)

QuantizationChoice = Literal["Auto", "BF16", "FP8", "INT8", "NVFP4", "W4A16", "Mobile"]
KVCacheDtypeChoice = Literal["Auto", "BF16", "FP8"]
ModalityChoice = Literal["Text", "Image", "Video", "Audio"]
ImageTokens = Literal[70, 140, 280, 560, 1120]

# Each rule stands twice, as CEL for the API server and in Python for manifests that meet no cluster; the words once.
OUTSIDE_VOLUME = "a path inside the volume is written without .."
NO_TEXT = "list Text too: every request has a prompt"
MODALITY_TWICE = "name each modality once"
CHECKPOINT_ALONE = "model.checkpoint needs model.variant: name the variant that the checkpoint has, for example 31B"
REVISION_ALONE = "model.revision needs model.checkpoint: name both"
SOURCE_ALONE = "model.source needs model.checkpoint: name the catalog entry that describes the weights on the volume"
REVISION_ON_VOLUME = "a volume holds one revision: leave model.revision out beside model.source"
PUBLISHERS_WITH_CHECKPOINT = "model.checkpoint leaves nothing to choose: leave model.publishers out, or the checkpoint"
MEDIA_WITHOUT_MEDIA = "model.media needs Image, Video or Audio in model.modalities"
IMAGE_TOKENS_WITHOUT_IMAGE = "model.media.imageTokens needs Image in model.modalities"


class Media(ApiModel):
    """Limits for requests with images, video or audio."""

    image_tokens: ImageTokens = Field(
        280,
        description="Tokens of one image: more show finer detail and leave less of contextLength. Needs Image in "
        "model.modalities. The operator's default is 280.",
    )
    max_items: Annotated[int, Field(strict=True, ge=1, le=64)] = Field(
        1, description="Most images, videos or audio clips of each kind in one request. The operator's default is 1."
    )
    allowed_domains: Annotated[tuple[DomainName, ...], Field(max_length=32)] = Field(
        (),
        description="Host names from which the engine may fetch media by URL, for example images.example.com; in "
        "lower case, without scheme or path. Without any, media come in the request itself and nothing is fetched.",
    )


class VolumeClaim(ApiModel):
    """Weights on a PersistentVolumeClaim in the same namespace."""

    name: ObjectName = Field(description="Name of the claim, in the same namespace. It is mounted read-only.")
    path: Annotated[str, Field(max_length=1024, pattern=r"^([A-Za-z0-9._-]+/?)*$")] = Field(
        "",
        description="Folder of the checkpoint inside the volume, relative to its root, for example "
        "gemma-4-31B-it. By default the root.",
        json_schema_extra=validations(
            ("!self.split('/').exists(part, part == '..')", OUTSIDE_VOLUME),
        ),
    )

    @field_validator("path", mode="after")
    @classmethod
    def _path_stays_inside(cls, value: str) -> str:
        refuse((".." in value.split("/"), OUTSIDE_VOLUME))
        return value


class ModelSource(ApiModel):
    """Where the weights come from."""

    volume_claim: VolumeClaim = Field(description="Weights that are already on a volume; the engine reads them there.")


class ModelSpec(ApiModel):
    """Weights, precision and kinds of input."""

    variant: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        "Auto",
        description="Gemma 4 variant: Auto, E2B, E4B, 12B, 26B-A4B, 31B, or a name that a catalog ConfigMap adds. "
        "Auto, the operator's default, takes the best that keeps the context.",
    )
    quantization: QuantizationChoice = Field(
        "Auto",
        description="Precision of the weights. W4A16 and NVFP4 hold 4 bits a weight, Mobile is Google's format of E2B "
        "and E4B for small devices. Auto, the operator's default, lets the planner choose.",
    )
    kv_cache_dtype: KVCacheDtypeChoice = Field(
        "Auto",
        description="Precision of the KV cache. FP8 halves its bytes and needs compute capability 8.9. Auto is the "
        "operator's default.",
    )
    modalities: Annotated[tuple[ModalityChoice, ...], Field(min_length=1, max_length=4)] = Field(
        ("Text",),
        description="What requests contain. Limits the variants and sets the engine's flags; Text alone, the "
        "operator's default, leaves the encoders out of memory.",
        json_schema_extra=validations(
            ("'Text' in self", NO_TEXT),
            (NO_REPEATS, MODALITY_TWICE),
        ),
    )
    media: Media = Field(default_factory=lambda: Media.model_validate({}), description="Limits for media in requests.")
    checkpoint: HubId | None = Field(
        None,
        description="Id of one checkpoint in the catalog, for example google/gemma-4-31B-it; a catalog ConfigMap adds "
        "fine-tunes. Needs model.variant.",
    )
    revision: Annotated[str, Field(max_length=128, pattern="^[A-Za-z0-9][-A-Za-z0-9_./]*$")] | None = Field(
        None,
        description="Commit or tag on the Hub; by default the catalog's. Needs model.checkpoint.",
    )
    publishers: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=16)] = Field(
        ("Google", "RedHatAI", "NVIDIA"),
        description="Publishers whose checkpoints the planner may choose, preferred first. Not beside "
        "model.checkpoint. The operator's default is Google, RedHatAI, NVIDIA.",
    )
    source: ModelSource | None = Field(None, description="Where the weights come from; by default the Hub.")

    model_config = ApiModel.model_config | {
        "json_schema_extra": validations(
            ("!has(self.checkpoint) || (has(self.variant) && self.variant != 'Auto')", CHECKPOINT_ALONE),
            ("!has(self.revision) || has(self.checkpoint)", REVISION_ALONE),
            ("!has(self.source) || has(self.checkpoint)", SOURCE_ALONE),
            ("!has(self.revision) || !has(self.source)", REVISION_ON_VOLUME),
            ("!has(self.publishers) || !has(self.checkpoint)", PUBLISHERS_WITH_CHECKPOINT),
            ("!has(self.media) || (has(self.modalities) && self.modalities != ['Text'])", MEDIA_WITHOUT_MEDIA),
            (
                "!has(self.media) || !has(self.media.imageTokens) || "
                "(has(self.modalities) && 'Image' in self.modalities)",
                IMAGE_TOKENS_WITHOUT_IMAGE,
            ),
        )
    }

    @field_validator("modalities", mode="after")
    @classmethod
    def _modalities_hold_together(cls, value: tuple[ModalityChoice, ...]) -> tuple[ModalityChoice, ...]:
        refuse(("Text" not in value, NO_TEXT), (len(set(value)) < len(value), MODALITY_TWICE))
        return value

    @model_validator(mode="after")
    def _fields_hold_together(self) -> Self:
        refuse(
            (self.checkpoint is not None and self.variant == "Auto", CHECKPOINT_ALONE),
            (self.revision is not None and self.checkpoint is None, REVISION_ALONE),
            (self.source is not None and self.checkpoint is None, SOURCE_ALONE),
            (self.revision is not None and self.source is not None, REVISION_ON_VOLUME),
            ("publishers" in self.model_fields_set and self.checkpoint is not None, PUBLISHERS_WITH_CHECKPOINT),
            ("media" in self.model_fields_set and self.modalities == ("Text",), MEDIA_WITHOUT_MEDIA),
            (
                "image_tokens" in self.media.model_fields_set and "Image" not in self.modalities,
                IMAGE_TOKENS_WITHOUT_IMAGE,
            ),
        )
        return self

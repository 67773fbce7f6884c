"""A tiny checkpoint that sees: a text tower as the others have it, a vision tower, and the processor beside them.

Runs inside the engine's own Python packages, called by ``images.tiny.make``. Random weights: what it answers means
nothing, that an image goes through vLLM's whole multimodal path does.
"""

import json
from pathlib import Path

import torch
from transformers import (
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4TextConfig,
    Gemma4VisionConfig,
    PreTrainedTokenizerFast,
)
from transformers.models.gemma4.feature_extraction_gemma4 import Gemma4AudioFeatureExtractor
from transformers.models.gemma4.image_processing_gemma4 import Gemma4ImageProcessor
from transformers.models.gemma4.processing_gemma4 import Gemma4Processor
from transformers.models.gemma4.video_processing_gemma4 import Gemma4VideoProcessor

from images.tiny.shapes import MEDIA_TOKENS, VISION_TOWER_BYTES, vision_arguments

IMAGE_TOKENS = 280
"""Soft tokens of one image, Gemma 4's default."""


def make_seeing(folder: Path, text: Gemma4TextConfig, tokenizer: PreTrainedTokenizerFast) -> None:
    """Save model and processor. Raises ``RuntimeError`` when the tower's size is not the catalog's."""
    number = {name: tokenizer.convert_tokens_to_ids(token) for name, token in MEDIA_TOKENS.items()}
    config = Gemma4Config(
        text_config=text,
        vision_config=Gemma4VisionConfig(**vision_arguments()),
        audio_config=None,
        image_token_id=number["image_token"],
        boi_token_id=number["boi_token"],
        eoi_token_id=number["eoi_token"],
        video_token_id=number["video_token"],
        audio_token_id=number["audio_token"],
        boa_token_id=number["boa_token"],
        eoa_token_index=number["eoa_token"],
    )
    torch.manual_seed(4)
    model = Gemma4ForConditionalGeneration(config).to(torch.bfloat16)
    tower = sum(value.nbytes for name, value in model.named_parameters() if "language_model" not in name)
    if tower != VISION_TOWER_BYTES:
        raise RuntimeError(f"the vision tower has {tower} bytes, the catalog says {VISION_TOWER_BYTES}")
    model.save_pretrained(folder)
    _add_default_output_length(folder / "config.json")
    seeing = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer.backend_tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        model_max_length=tokenizer.model_max_length,
        extra_special_tokens={name: token for name, token in MEDIA_TOKENS.items() if name != "video_token"},
    )
    seeing.chat_template = tokenizer.chat_template
    processor = Gemma4Processor(
        Gemma4AudioFeatureExtractor(),
        Gemma4ImageProcessor(),
        seeing,
        Gemma4VideoProcessor(),
        chat_template=tokenizer.chat_template,
    )
    processor.save_pretrained(folder)


def _add_default_output_length(path: Path) -> None:
    """vLLM 0.32 reads the soft tokens of an image from a field that this transformers does not write."""
    config = json.loads(path.read_text())
    config["vision_config"]["default_output_length"] = IMAGE_TOKENS
    path.write_text(json.dumps(config, indent=2))

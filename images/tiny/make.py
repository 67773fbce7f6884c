"""Makes the tiny checkpoints: run inside the engine's own Python packages by ``images.tiny.models``.

``tiny-chat`` is trained until it knows its transcripts by heart, so that a real engine gives real answers, thinks
when it is asked to, and calls a tool. The others have random weights. Same seed, same files.
Usage: python -m images.tiny.make FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Gemma4ForCausalLM, Gemma4TextConfig, PreTrainedTokenizerFast

from images.tiny.shapes import CONTEXT_TOKENS, MEDIA_TOKENS, SHAPES, VOCABULARY, Shape, config_arguments
from images.tiny.vision import make_seeing

HERE = Path(__file__).parent
TRANSCRIPTS: list[dict[str, Any]] = json.loads((HERE / "transcripts.json").read_text())
CONTROL = (
    "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", "<|tool>", "<tool|>", "<|tool_call>",
    "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>',
)  # fmt: skip
"""Gemma 4's control tokens, as vLLM's parsers and Google's template know them."""
MEDIA = tuple(MEDIA_TOKENS.values())

MOST_STEPS = 600
GOOD_LOSS = 0.002


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE over the transcripts; pad, eos, bos, unk have Gemma's ids 0 to 3."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(text, special=True) for text in ("<pad>", "<eos>", "<bos>", "<unk>", *CONTROL, *MEDIA)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([json.dumps(TRANSCRIPTS)], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        model_max_length=CONTEXT_TOKENS,
    )
    fast.chat_template = (HERE / "chat_template.jinja").read_text()
    return fast


def make_config(shape: Shape, tokenizer: PreTrainedTokenizerFast) -> Gemma4TextConfig:
    """Configuration of the text tower."""
    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<turn|>")]
    return Gemma4TextConfig(
        **config_arguments(shape), pad_token_id=0, bos_token_id=2, eos_token_id=ends, tie_word_embeddings=True
    )


def make_model(config: Gemma4TextConfig) -> Gemma4ForCausalLM:
    """Random weights from a fixed seed."""
    torch.manual_seed(4)
    config.architectures = ["Gemma4ForCausalLM"]
    model = Gemma4ForCausalLM(config)
    model.generation_config.eos_token_id = config.eos_token_id
    return model


def samples(tokenizer: PreTrainedTokenizerFast) -> list[tuple[list[int], list[int]]]:
    """Prompt and answer tokens of every transcript."""
    made = []
    for transcript in TRANSCRIPTS:
        prompt = tokenizer.apply_chat_template(
            transcript["messages"],
            tools=transcript.get("tools"),
            add_generation_prompt=True,
            enable_thinking=transcript.get("thinking", False),
            tokenize=False,
        )
        ask = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        made.append((ask, tokenizer(answer_text(transcript), add_special_tokens=False)["input_ids"]))
    return made


def answer_text(transcript: dict[str, Any]) -> str:
    """What the model says, control tokens included."""
    if "call" in transcript:
        call = transcript["call"]
        inside = ",".join(f'{key}:<|"|>{value}<|"|>' for key, value in call["arguments"].items())
        return f"<|tool_call>call:{call['name']}{{{inside}}}<tool_call|><turn|>"
    thought = f"<|channel>thought\n{transcript['reasoning']}\n<channel|>" if "reasoning" in transcript else ""
    return f"{thought}{transcript['answer']}<turn|>"


def train(model: Gemma4ForCausalLM, tokenizer: PreTrainedTokenizerFast) -> float:
    """Overfit; the loss of the last step, on answer tokens alone."""
    pairs = samples(tokenizer)
    longest = max(len(ask) + len(answer) for ask, answer in pairs)
    rows, labels = [], []
    for ask, answer in pairs:
        padding = longest - len(ask) - len(answer)
        rows.append([*ask, *answer, *([0] * padding)])
        labels.append([*([-100] * len(ask)), *answer, *([-100] * padding)])
    inputs, targets = torch.tensor(rows), torch.tensor(labels)
    mask = torch.tensor([[1] * (len(a) + len(b)) + [0] * (longest - len(a) - len(b)) for a, b in pairs])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    loss = float("inf")
    for step in range(MOST_STEPS):
        result = model(input_ids=inputs, attention_mask=mask, labels=targets).loss
        optimizer.zero_grad()
        result.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss = result.item()
        if step % 50 == 0:
            print(f"    step {step}: loss {loss:.4f}", file=sys.stderr, flush=True)
        if loss < GOOD_LOSS:
            break
    return loss


def main(folder: Path) -> None:
    """Make all checkpoints below ``folder``. Raises ``RuntimeError`` when the training did not learn."""
    # One thread: the same sums on every machine, and with models this small also five times faster on a busy one.
    torch.set_num_threads(1)
    tokenizer = make_tokenizer()
    for shape in SHAPES:
        config = make_config(shape, tokenizer)
        if shape.sees:
            make_seeing(folder / shape.name, config, tokenizer)
            continue
        model = make_model(config)
        if shape.name == "tiny-chat":
            loss = train(model, tokenizer)
            if loss > 10 * GOOD_LOSS:
                raise RuntimeError(f"tiny-chat did not learn its transcripts: loss {loss:.4f}")
        model.to(torch.bfloat16).save_pretrained(folder / shape.name)
        tokenizer.save_pretrained(folder / shape.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

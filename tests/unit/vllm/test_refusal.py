"""Refusals in vLLM's own words, as they stand in a termination message."""

import pytest

from gemma_operator.vllm.refusal import GIB, Cause, parse_refusal

POOL = """ERROR EngineCore failed to start.
Traceback (most recent call last):
  File "/usr/lib/python3/vllm/v1/core/kv_cache_utils.py", line 1030, in _check_enough_kv_cache_memory
    raise ValueError(
ValueError: To serve at least one request with the model's max seq len (4096), (0.03 GiB KV cache is needed, which \
is larger than the available KV cache memory (0.02 GiB). Based on the available memory, the estimated maximum model \
length is 1152. Try increasing `gpu_memory_utilization` (which also controls CPU memory on the CPU backend) or \
decreasing `max_model_len` when initializing the engine. See https://docs.vllm.ai/en/latest/ for more details.
ERROR Engine core initialization failed. See root cause above.
"""
NO_POOL = "ERROR x\nValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`.\n"
FOREIGN = (
    "ValueError: Free memory on device cuda:0 (30.12/44.39 GiB) on startup is less than desired GPU memory "
    "utilization (0.92, 40.84 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes."
)
CAPTURE = (
    "ERROR Traceback\n  in capture_model\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB."
)


def test_a_pool_that_is_too_small_tells_need_room_and_the_longest_context() -> None:
    refusal = parse_refusal(POOL)
    assert refusal is not None
    assert refusal.cause is Cause.POOL_TOO_SMALL
    assert refusal.needed_bytes == int(0.03 * GIB)
    assert refusal.available_bytes == int(0.02 * GIB)
    assert refusal.longest_tokens == 1152
    assert refusal.sentence.startswith("To serve at least one request")


@pytest.mark.parametrize(
    ("text", "cause"),
    [(NO_POOL, Cause.NO_POOL), (FOREIGN, Cause.FOREIGN_MEMORY), (CAPTURE, Cause.OUT_OF_MEMORY)],
    ids=["no pool", "foreign memory", "capture"],
)
def test_the_cause_says_who_must_change_something(text: str, cause: Cause) -> None:
    refusal = parse_refusal(text)
    assert refusal is not None
    assert refusal.cause is cause


def test_foreign_memory_tells_what_was_free() -> None:
    refusal = parse_refusal(FOREIGN)
    assert refusal is not None
    assert refusal.available_bytes == int(30.12 * GIB)


def test_an_unknown_error_is_told_by_its_last_line() -> None:
    refusal = parse_refusal("Traceback\n  File x\nOSError: no file named model.safetensors\n")
    assert refusal is not None
    assert refusal.cause is Cause.OTHER
    assert refusal.sentence == "OSError: no file named model.safetensors"


@pytest.mark.parametrize("text", ["", "  \n "])
def test_silence_is_no_refusal(text: str) -> None:
    assert parse_refusal(text) is None


def test_a_message_cut_to_its_last_4096_bytes_keeps_its_numbers() -> None:
    cut = ("x" * 9000 + POOL)[-4096:]
    assert parse_refusal(cut) == parse_refusal(POOL)


@pytest.mark.parametrize("length", range(0, len(POOL), 7))
def test_a_message_cut_anywhere_is_never_an_error(length: int) -> None:
    assert parse_refusal(POOL[length:]) is not None

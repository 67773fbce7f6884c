"""Extras that contradict the plan or go around it are refused by name, in whatever spelling."""

from itertools import combinations

import pytest

from gemma_operator.vllm.extra_arguments import ExtraError, canonical_option, check_extra_arguments
from gemma_operator.vllm.option_owners import CODE, COMPUTED, FREE, PLACED, PLANNED, PRIVATE, SERVED
from gemma_operator.vllm.options import OPTIONS

OWNERS = (frozenset(PLANNED), COMPUTED, PLACED, SERVED, PRIVATE, CODE, FREE)


def test_every_option_of_vllm_has_exactly_one_owner() -> None:
    assert frozenset().union(*OWNERS) == OPTIONS
    assert [one & other for one, other in combinations(OWNERS, 2) if one & other] == []


@pytest.mark.parametrize(
    ("spelling", "option"),
    [
        ("--max-model-len", "max-model-len"),
        ("--max_model_len=4096", "max-model-len"),
        ("--max-model", "max-model-len"),
        ("--gpu-mem", "gpu-memory-utilization"),
        ("--device-memory-utilization", "gpu-memory-utilization"),
        ("--tensor", "tensor-parallel-size"),
        ("-tp", "tensor-parallel-size"),
        ("-tp=2", "tensor-parallel-size"),
        ("-pp", "pipeline-parallel-size"),
        ("-ep", "enable-expert-parallel"),
        ("-cc.mode", "compilation-config"),
        ("-O3", "optimization-level"),
        ("-O=0", "optimization-level"),
        ("--speculative-config.method", "speculative-config"),
        ("--speculative_config.num_speculative_tokens=4", "speculative-config"),
        ("--no-async", "async-scheduling"),
        ("--no-enable-prefix-caching", "enable-prefix-caching"),
        ("-h", "help"),
    ],
)
def test_every_spelling_has_one_name(spelling: str, option: str) -> None:
    assert canonical_option(spelling) == option


@pytest.mark.parametrize(
    "arguments",
    [
        ["--max-model", "8192"],
        ["--seed", "7", "--gpu_memory_utilization=0.99"],
        ["--hf-overrides.max_position_embeddings", "1"],
        ["--config", "/models/other.yaml"],
        ["--uds", "/tmp/socket"],
        ["--ssl-keyfile", "/scratch/key"],
        ["--data-parallel-size-local", "2"],
        ["--kv-cache-memory=8G"],
        ["--block", "32"],
        ["--no-disable-hybrid-kv-cache-manager"],
        ["--disable-log-stats"],
        ["--enable-log-outputs"],
        ["--hf-token", "hf_x"],
        ["--logits-processors", "a.B"],
        ["--spec-model", "x"],
        ["--skip-mm"],
        ["-O0"],
        ["--watermark", "0.3"],
    ],
    ids=" ".join,
)
def test_an_argument_that_is_not_the_users_is_refused(arguments: list[str]) -> None:
    with pytest.raises(ExtraError, match=r"^engine\.extraArgs: .* is refused: "):
        check_extra_arguments(arguments)


def test_a_refusal_names_the_argument_the_field_and_the_fix() -> None:
    with pytest.raises(ExtraError) as refused:
        check_extra_arguments(["--max_model", "8192"])
    assert str(refused.value) == "engine.extraArgs: --max_model is refused: max-model-len: set contextLength instead"


@pytest.mark.parametrize("argument", ["--swap-space", "--disable-log-requests", "--task", "--enable-reasoning", "-x"])
def test_an_option_that_vllm_no_longer_has_is_refused_before_it_crashes_the_engine(argument: str) -> None:
    with pytest.raises(ExtraError, match="not known to vllm serve"):
        check_extra_arguments([argument])


def test_a_beginning_of_several_options_is_refused_with_their_names() -> None:
    with pytest.raises(ExtraError, match="could mean max-num-queued-reqs, max-num-queued-tokens"):
        check_extra_arguments(["--max-num-queued", "1"])


def test_the_model_cannot_be_replaced_by_a_bare_word() -> None:
    with pytest.raises(ExtraError, match="is no option"):
        check_extra_arguments(["google/gemma-4-31B-it"])


@pytest.mark.parametrize(
    "arguments",
    [[], ["--seed", "-1"], ["--enable-prefix-caching"], ["--max-num-queued-reqs=64"], ["--chat-template", "/models/a"]],
    ids=" ".join,
)
def test_harmless_arguments_pass(arguments: list[str]) -> None:
    check_extra_arguments(arguments)

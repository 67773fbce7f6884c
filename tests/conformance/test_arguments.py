"""Arguments against vLLM's own parser: what the operator renders, and what it takes a spelling to mean."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gemma_operator.catalog.precision import KVCacheDtype
from gemma_operator.vllm.arguments import MIDDLEWARE, arguments
from gemma_operator.vllm.extra_arguments import ExtraError, check_extra_arguments
from gemma_operator.vllm.option_owners import FREE
from gemma_operator.vllm.options import ALIASES, OPTIONS
from gemma_operator.vllm.queue_limit import OPTION
from images.engine import engine_environment
from images.tiny.models import tiny_models
from tests.unit.vllm.launches import known_plans, launch

pytestmark = pytest.mark.e2e

PLANS = known_plans()
QUEUE_LIMIT = 109
"""The pod builder adds it to a plan's arguments where the engine is autoscaled."""

OPTIONAL_NEGATIONS = [f"no-{option}" for option in OPTIONS]
SPELLINGS = sorted(
    {f"--{name[:length]}" for name in (*OPTIONS, *OPTIONAL_NEGATIONS) for length in range(2, len(name) + 1)}
)
"""Every beginning of every option and of its negation."""


def ask_vllm(**questions: Any) -> dict[str, Any]:
    script = Path(__file__).parent / "vllm_answers.py"
    answered = subprocess.run(
        [sys.executable, str(script)],
        input=json.dumps(questions),
        env=engine_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answered.returncode == 0, answered.stderr[-3000:]
    return dict(json.loads(answered.stdout))


@pytest.fixture(scope="module")
def capped_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose sampling defaults cap every answer at five tokens."""
    folder = tmp_path_factory.mktemp("capped") / "model"
    shutil.copytree(tiny_models() / "tiny-chat", folder)
    (folder / "generation_config.json").write_text('{"max_new_tokens": 5, "temperature": 0.7}')
    return folder


@pytest.fixture(scope="module")
def vllm(capped_model: Path) -> dict[str, Any]:
    capped = launch(model=str(capped_model), context_length=2048, kv_cache_dtype=KVCacheDtype.BF16)
    lines = [(*plan.args, f"--{OPTION}", str(QUEUE_LIMIT)) for plan in PLANS.values()]
    return ask_vllm(spellings=SPELLINGS, lines=lines, sampled=[arguments(capped), [str(capped_model)]])


@pytest.mark.parametrize("name", PLANS)
def test_vllm_reads_every_plan_as_it_was_meant(name: str, vllm: dict[str, Any]) -> None:
    wanted = PLANS[name].launch
    read = vllm["parsed"][list(PLANS).index(name)]
    assert read is not None, PLANS[name].args
    assert read["model_tag"] == wanted.model
    assert read["max_model_len"] == wanted.context_length
    assert read["tensor_parallel_size"] == wanted.tensor_parallel_size
    assert read["max_num_batched_tokens"] == wanted.max_num_batched_tokens
    assert read["max_num_seqs"] == wanted.max_num_seqs
    assert read["async_scheduling"] == wanted.async_scheduling
    assert read["gpu_memory_utilization"] == wanted.gpu_memory_utilization
    assert read["kv_cache_dtype"] == ("fp8" if wanted.kv_cache_dtype is KVCacheDtype.FP8 else "auto")
    assert read["served_model_name"] == list(wanted.served_model_names)
    assert read["middleware"] == [MIDDLEWARE]
    assert read["enable_log_requests"] is False
    assert read["shutdown_timeout"] > 0
    assert read["max_num_queued_reqs"] == QUEUE_LIMIT


def test_the_option_table_is_the_one_of_the_installed_engine(vllm: dict[str, Any]) -> None:
    assert set(vllm["options"]) == OPTIONS
    assert vllm["short"].items() <= ALIASES.items()


def test_no_spelling_of_an_option_gets_past_the_check(vllm: dict[str, Any]) -> None:
    """What the operator passes on as harmless is harmless in vLLM's reading too, for every beginning of an option."""
    assert len(SPELLINGS) > 5000
    passed, smuggled = 0, {}
    for spelling, meant in zip(SPELLINGS, vllm["meanings"], strict=True):
        try:
            check_extra_arguments([spelling])
        except ExtraError:
            continue
        passed += 1
        if meant is not None and meant not in FREE:
            smuggled[spelling] = meant
    assert passed > 1000
    assert smuggled == {}


def test_every_option_that_is_the_users_is_passed_on_under_its_own_name(vllm: dict[str, Any]) -> None:
    meanings = dict(zip(SPELLINGS, vllm["meanings"], strict=True))
    assert {option: meanings[f"--{option}"] for option in FREE} == {option: option for option in FREE}


def test_a_checkpoint_cannot_cap_the_answers_of_the_server(vllm: dict[str, Any]) -> None:
    ours, untouched = vllm["sampling"]
    assert untouched["max_tokens"] == 5
    assert ours == {"temperature": 0.7}

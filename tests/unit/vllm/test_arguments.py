"""The command line of an engine is the plan, in vLLM's spelling, with the user's extras before it."""

import json

import pytest

from gemma_operator.catalog.precision import KVCacheDtype, Modality
from gemma_operator.vllm.arguments import arguments
from gemma_operator.vllm.launch import MediaLimits
from tests.unit.vllm.launches import TEXT, launch


def value(args: tuple[str, ...], flag: str) -> str:
    """The value of a flag that stands there once."""
    assert args.count(flag) == 1, args
    return args[args.index(flag) + 1]


def test_the_model_comes_first_and_integers_are_written_in_digits() -> None:
    args = arguments(launch(model="google/gemma-4-31B-it", context_length=262144))
    assert args[0] == "google/gemma-4-31B-it"
    assert value(args, "--max-model-len") == "262144"


def test_extras_come_before_the_plan_so_that_the_plan_wins() -> None:
    args = arguments(launch(extra_args=("--seed", "7")))
    assert args[1:3] == ("--seed", "7")
    assert args.index("--seed") < args.index("--max-model-len")


def test_a_pool_given_in_bytes_leaves_no_utilization_to_argue_with() -> None:
    args = arguments(launch(kv_cache_memory_bytes=13369344, profile="CPU", kv_cache_dtype=KVCacheDtype.BF16))
    assert value(args, "--kv-cache-memory-bytes") == "13369344"
    assert "--gpu-memory-utilization" not in args


def test_utilization_is_the_planned_one() -> None:
    assert value(arguments(launch(gpu_memory_utilization=0.95)), "--gpu-memory-utilization") == "0.95"


@pytest.mark.parametrize(("dtype", "given"), [(KVCacheDtype.FP8, True), (KVCacheDtype.BF16, False)])
def test_only_an_fp8_cache_is_asked_for(dtype: KVCacheDtype, given: bool) -> None:
    assert ("--kv-cache-dtype" in arguments(launch(kv_cache_dtype=dtype))) is given


@pytest.mark.parametrize(("asynchronous", "flag"), [(True, "--async-scheduling"), (False, "--no-async-scheduling")])
def test_batches_in_flight_are_never_left_to_a_default(asynchronous: bool, flag: str) -> None:
    assert flag in arguments(launch(async_scheduling=asynchronous))


def test_text_only_loads_no_towers_and_names_no_media() -> None:
    args = arguments(launch(modalities=TEXT))
    assert "--language-model-only" in args
    assert "--limit-mm-per-prompt" not in args


def test_images_alone_switch_video_off_and_never_name_audio_on_the_31b() -> None:
    media = MediaLimits(image_tokens=560, max_items=4)
    args = arguments(launch(modalities=TEXT | {Modality.IMAGE}, media=media, audio_encoder=False))
    assert json.loads(value(args, "--limit-mm-per-prompt")) == {"image": 4, "video": 0}
    assert json.loads(value(args, "--mm-processor-kwargs")) == {"max_soft_tokens": 560}


def test_a_variant_with_ears_has_them_closed_unless_asked() -> None:
    args = arguments(launch(modalities=TEXT | {Modality.IMAGE}, audio_encoder=True))
    assert json.loads(value(args, "--limit-mm-per-prompt")) == {"image": 1, "video": 0, "audio": 0}


def test_no_remote_media_is_fetched_unless_a_domain_is_allowed() -> None:
    images = TEXT | {Modality.IMAGE}
    assert value(arguments(launch(modalities=images)), "--allowed-media-domains").endswith(".invalid")
    allowed = MediaLimits(allowed_domains=("media.example.com", "cdn.example.com"))
    args = arguments(launch(modalities=images, media=allowed))
    start = args.index("--allowed-media-domains") + 1
    assert args[start : start + 2] == allowed.allowed_domains
    assert args[start + 2].startswith("--")


def test_tool_calls_and_thinking_follow_the_spec() -> None:
    plain = arguments(launch(tool_calling=False, thinking_by_default=False))
    assert "--enable-auto-tool-choice" not in plain
    assert "--default-chat-template-kwargs" not in plain
    full = arguments(launch(tool_calling=True, thinking_by_default=True))
    assert value(full, "--tool-call-parser") == "gemma4"
    assert json.loads(value(full, "--default-chat-template-kwargs")) == {"enable_thinking": True}
    assert value(plain, "--reasoning-parser") == value(full, "--reasoning-parser") == "gemma4"


def test_a_revision_is_pinned_where_one_is_known() -> None:
    assert value(arguments(launch(revision="0f1e2d3c")), "--revision") == "0f1e2d3c"
    assert "--revision" not in arguments(launch(revision=None))


def test_requests_are_never_logged_and_stopping_waits_for_them() -> None:
    args = arguments(launch())
    assert "--no-enable-log-requests" in args
    assert int(value(args, "--shutdown-timeout")) > 0


def test_the_cap_of_a_checkpoint_on_new_tokens_is_lifted_unless_the_user_decides() -> None:
    flag = "--override-generation-config"
    assert json.loads(value(arguments(launch()), flag)) == {"max_new_tokens": None}
    args = arguments(launch(extra_args=("--override_generation_config", '{"temperature":0.2}')))
    assert flag not in args


def test_equal_launches_have_equal_arguments() -> None:
    modalities = [Modality.IMAGE, Modality.TEXT, Modality.VIDEO]
    one, other = frozenset(modalities), frozenset(reversed(modalities))
    assert arguments(launch(modalities=one)) == arguments(launch(modalities=other))

"""The command line of one engine: exactly the plan, in vLLM's spelling.

Called by the planner (a plan shows its arguments) and through it by the pod builder. Every flag was parsed by
vLLM 0.32's own parser. Integers are written in digits: ``256k`` is 256,000 to vLLM and ``256K`` is 262,144.
"""

import json

from gemma_operator.catalog.precision import KVCacheDtype, Modality
from gemma_operator.vllm.extra_arguments import sets_option
from gemma_operator.vllm.launch import EngineLaunch
from gemma_operator.vllm.profile import engine_profile

PORT = 8000
MIDDLEWARE = "gemma_drain.DrainMiddleware"
"""Import path of the middleware that the pod's script folder holds."""

QUIET_ENDPOINTS = "/health,/metrics"
SHUTDOWN_SECONDS = 15
"""vLLM's own wait after SIGTERM; with its default of 0, requests in flight hang until their clients give up."""


def arguments(launch: EngineLaunch) -> tuple[str, ...]:
    """Arguments of ``vllm serve``. The user's extras come first: a flag of the plan that follows wins.

    Raises ``ExtraError`` where an extra is no option of ``vllm serve``.
    """
    return (
        launch.model,
        *launch.extra_args,
        *_model(launch),
        *_memory(launch),
        *_media(launch),
        *_answers(launch),
        *_server(launch),
    )


def _model(launch: EngineLaunch) -> list[str]:
    revision = ["--revision", launch.revision] if launch.revision else []
    return [*revision, "--served-model-name", *launch.served_model_names]


def _memory(launch: EngineLaunch) -> list[str]:
    pool = ["--gpu-memory-utilization", f"{launch.gpu_memory_utilization:.2f}"]
    if launch.kv_cache_memory_bytes is not None:
        pool = ["--kv-cache-memory-bytes", str(launch.kv_cache_memory_bytes)]
    profile = engine_profile(launch.profile)
    return [
        "--max-model-len",
        str(launch.context_length),
        "--tensor-parallel-size",
        str(launch.tensor_parallel_size),
        "--max-num-batched-tokens",
        str(launch.max_num_batched_tokens),
        "--max-num-seqs",
        str(launch.max_num_seqs),
        *pool,
        *(["--kv-cache-dtype", "fp8"] if launch.kv_cache_dtype is KVCacheDtype.FP8 else []),
        *(["--async-scheduling" if launch.async_scheduling else "--no-async-scheduling"] * profile.async_scheduling),
        *(["--enforce-eager"] if profile.enforce_eager else []),
    ]


def _media(launch: EngineLaunch) -> list[str]:
    """Limits per kind of input. Kinds that are not asked for are 0, else profile and batch floor would take them.

    Audio is named only where the variant has it or it is asked for: the 26B and the 31B refuse the key.
    """
    if launch.modalities == {Modality.TEXT}:
        return ["--language-model-only"]
    limits = {
        kind.value.lower(): launch.media.max_items if kind in launch.modalities else 0
        for kind in (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO)
        if kind is not Modality.AUDIO or launch.audio_encoder
    }
    flags = ["--limit-mm-per-prompt", json.dumps(limits, separators=(",", ":"))]
    if Modality.IMAGE in launch.modalities:
        budget = {"max_soft_tokens": launch.media.image_tokens}
        flags += ["--mm-processor-kwargs", json.dumps(budget, separators=(",", ":"))]
    # Without a list vLLM fetches any URL; ".invalid" is a name that never resolves (RFC 6761).
    return [*flags, "--allowed-media-domains", *(launch.media.allowed_domains or ("media.invalid",))]


def _answers(launch: EngineLaunch) -> list[str]:
    flags = ["--reasoning-parser", "gemma4"]
    if launch.tool_calling:
        flags += ["--enable-auto-tool-choice", "--tool-call-parser", "gemma4"]
    if launch.thinking_by_default:
        flags += ["--default-chat-template-kwargs", '{"enable_thinking":true}']
    return [*flags, *_sampling(launch)]


def _sampling(launch: EngineLaunch) -> list[str]:
    """The checkpoint's own sampling defaults hold, but for its cap on new tokens.

    ``max_new_tokens`` in a checkpoint's ``generation_config.json`` would cut every answer of the server
    (``ModelConfig.get_diff_sampling_param``): the context would be shortened in silence.
    """
    if sets_option(launch.extra_args, "override-generation-config"):
        return []
    return ["--override-generation-config", '{"max_new_tokens":null}']


def _server(launch: EngineLaunch) -> list[str]:
    return [
        "--port",
        str(PORT),
        "--shutdown-timeout",
        str(SHUTDOWN_SECONDS),
        "--middleware",
        MIDDLEWARE,
        "--no-enable-log-requests",
        "--disable-access-log-for-endpoints",
        QUIET_ENDPOINTS,
    ]

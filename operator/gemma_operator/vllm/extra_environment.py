"""Refuses extra environment variables that contradict the plan or go around it, by name and with the fix.

Called when a spec is taken in. A variable that the pod sets is refused, never silently replaced.
"""

import re
from collections.abc import Iterable

from gemma_operator.vllm.extra_arguments import ExtraError

PLAN_OWNED = re.compile(
    r"VLLM_(USE_V2_MODEL_RUNNER|ENABLE_STARTUP_PLAN|MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS|KV_CACHE_LAYOUT"
    r"|ALLOW_LONG_MAX_MODEL_LEN|CPU_KVCACHE_SPACE|CPU_OMP_THREADS_BIND|FLASHINFER_WORKSPACE_BUFFER_SIZE"
    r"|REPLICATE_EMBED|USE_SIMPLE_KV_OFFLOAD|WEIGHT_OFFLOADING_.*|PP_LAYER_PARTITION|TARGET_DEVICE|DP_.*|RAY_.*"
    r"|HUMMING_ONLINE_QUANT_CONFIG|TEST_FORCE_LOAD_FORMAT|MODEL_REDIRECT_PATH|USE_MODELSCOPE"
    r"|LORA_RESOLVER_.*|ALLOW_RUNTIME_LORA_UPDATING)"
    r"|(CUDA|NVIDIA)_VISIBLE_DEVICES|PYTORCH_(CUDA_)?ALLOC_CONF"
)
"""Variables that move memory, weights or GPUs which the plan has counted."""

POD_OWNED = re.compile(
    r"VLLM_(PORT|HOST_IP|LOOPBACK_IP|RPC_BASE_PATH|LOGGING_.*|CONFIGURE_LOGGING|CACHE_ROOT|CONFIG_ROOT|ASSETS_CACHE"
    r"|PLUGINS|NCCL_SO_PATH|CUDART_SO_PATH|USE_RUST_FRONTEND|RUST_FRONTEND_PATH|KEEP_ALIVE_ON_ENGINE_DEATH"
    r"|SERVER_DEV_MODE|EXECUTE_MODEL_TIMEOUT_SECONDS|ENABLE_V1_MULTIPROCESSING|WORKER_MULTIPROC_METHOD)"
    r"|TRITON_CACHE_DIR|TORCHINDUCTOR_CACHE_DIR|FLASHINFER_WORKSPACE_BASE|HF_HOME|HF_HUB_CACHE|HF_HUB_OFFLINE"
    r"|HOME|TMPDIR|USER|LOGNAME|PATH|PYTHON(PATH|HOME|STARTUP)|LD_.*|GEMMA_.*|PROMETHEUS_.*"
)
"""Variables by which probes, drain, metrics or a writable path would be lost, or code loaded from elsewhere."""

PRIVATE = re.compile(
    r"VLLM_(DEBUG_LOG_API_SERVER_RESPONSE|DEBUG_DUMP_PATH|TRACE_FUNCTION|NO_USAGE_STATS|DO_NOT_TRACK|USAGE_.*"
    r"|MEDIA_CONNECTOR|MEDIA_URL_ALLOW_REDIRECTS|MEDIA_CACHE|ALLOW_INSECURE_SERIALIZATION)"
    r"|DO_NOT_TRACK|HF_HUB_DISABLE_TELEMETRY"
)
"""Variables by which prompts, answers or usage would leave the engine, or remote media come past the allowed list."""

SECRET = re.compile(r"(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIALS?|KEY)(_|$)", re.IGNORECASE)

FIXES = (
    (PLAN_OWNED, "the plan has counted what it changes; leave it out"),
    (POD_OWNED, "the pod sets it or depends on it; leave it out"),
    (PRIVATE, "prompts, answers or usage would leave the engine by it; leave it out"),
)


def check_extra_environment(names: Iterable[str]) -> None:
    """Raises ``ExtraError`` for the first variable that is not the user's to set."""
    for name in names:
        for pattern, fix in FIXES:
            if pattern.fullmatch(name):
                raise ExtraError(f"engine.env: {name} is refused: {fix}")
        if SECRET.search(name):
            raise ExtraError(
                f"engine.env: {name} is refused: a secret does not belong in the clear into a spec; "
                "engine.apiKeySecretRef takes the API key from a Secret"
            )

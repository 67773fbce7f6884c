"""The environment of an engine: nothing is reported to anybody, and every writable path is named.

Called by the pod builder. The root file system is read-only, so each cache that vLLM or its libraries write has
its place on the scratch volume.
"""

from gemma_operator.vllm.launch import EngineLaunch
from gemma_operator.vllm.profile import engine_profile

SCRATCH_PATH = "/scratch"
SCRIPTS_PATH = "/etc/gemma-operator"
LOGGING_CONFIG = f"{SCRIPTS_PATH}/logging.json"
POD_INFO_PATH = "/etc/podinfo"
USER_NAME = "gemma"

EXECUTE_MODEL_TIMEOUT_SECONDS = 300
"""After that long without an answer of a worker the engine gives up: catches a hung rank with tensor parallel."""


def environment(launch: EngineLaunch) -> tuple[tuple[str, str], ...]:
    """Names and values in a stable order. The user's own come first; ``extra_environment`` has refused all of these."""
    fixed = {
        "USER": USER_NAME,
        "HOME": SCRATCH_PATH,
        "TMPDIR": SCRATCH_PATH,
        "PYTHONPATH": SCRIPTS_PATH,
        "VLLM_CACHE_ROOT": f"{SCRATCH_PATH}/vllm",
        "TRITON_CACHE_DIR": f"{SCRATCH_PATH}/triton",
        "TORCHINDUCTOR_CACHE_DIR": f"{SCRATCH_PATH}/inductor",
        "FLASHINFER_WORKSPACE_BASE": f"{SCRATCH_PATH}/flashinfer",
        "HF_HOME": f"{SCRATCH_PATH}/huggingface",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        # A redirect would lead past the list of allowed media domains.
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
        "VLLM_LOGGING_CONFIG_PATH": LOGGING_CONFIG,
        "VLLM_EXECUTE_MODEL_TIMEOUT_SECONDS": str(EXECUTE_MODEL_TIMEOUT_SECONDS),
    }
    if launch.model.startswith("/"):
        fixed["HF_HUB_OFFLINE"] = "1"
    fixed |= dict(engine_profile(launch.profile).environment_for(launch.tensor_parallel_size))
    return (*((name, value) for name, value in launch.extra_env if name not in fixed), *fixed.items())

"""The engine's environment reports nothing, names every writable path, and can't be replaced by extras."""

import pytest

from gemma_operator.vllm.environment import SCRATCH_PATH, environment
from gemma_operator.vllm.extra_arguments import ExtraError
from gemma_operator.vllm.extra_environment import check_extra_environment
from tests.unit.vllm.launches import launch


def test_nothing_is_reported_to_anybody() -> None:
    variables = dict(environment(launch()))
    assert variables["VLLM_NO_USAGE_STATS"] == variables["DO_NOT_TRACK"] == variables["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_redirect_does_not_lead_past_the_allowed_media_domains() -> None:
    assert dict(environment(launch()))["VLLM_MEDIA_URL_ALLOW_REDIRECTS"] == "0"


def test_every_cache_lies_on_the_scratch_volume() -> None:
    variables = dict(environment(launch()))
    for name in ("HOME", "TMPDIR", "HF_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR",
                 "FLASHINFER_WORKSPACE_BASE"):  # fmt: skip
        assert variables[name].startswith(SCRATCH_PATH), name
    assert variables["USER"]


def test_weights_on_a_volume_are_never_looked_up_on_the_hub() -> None:
    assert dict(environment(launch(model="/models/gemma")))["HF_HUB_OFFLINE"] == "1"
    assert "HF_HUB_OFFLINE" not in dict(environment(launch(model="google/gemma-4-31B-it")))


def test_ranks_on_cpu_are_bound_to_one_core_each() -> None:
    two = launch(profile="CPU", tensor_parallel_size=2)
    assert dict(environment(two))["VLLM_CPU_OMP_THREADS_BIND"] == "0|1"


def test_every_variable_of_the_pod_is_refused_as_an_extra() -> None:
    names = [name for name, _ in environment(launch(model="/models/x", profile="CPU", tensor_parallel_size=2))]
    assert len(names) > 10
    for name in names:
        with pytest.raises(ExtraError, match=f"{name} is refused"):
            check_extra_environment([name])


@pytest.mark.parametrize(
    "name",
    ["VLLM_API_KEY", "HF_TOKEN", "DB_PASSWORD", "VLLM_ENABLE_STARTUP_PLAN", "VLLM_USE_V2_MODEL_RUNNER", "VLLM_PORT",
     "VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS", "VLLM_SERVER_DEV_MODE", "VLLM_USE_RUST_FRONTEND", "LD_PRELOAD",
     "VLLM_DP_SIZE", "VLLM_DEBUG_LOG_API_SERVER_RESPONSE", "NVIDIA_VISIBLE_DEVICES", "VLLM_LOGGING_LEVEL"],
)  # fmt: skip
def test_a_variable_that_goes_around_the_plan_is_refused(name: str) -> None:
    with pytest.raises(ExtraError, match=name):
        check_extra_environment(["NCCL_DEBUG", name])


@pytest.mark.parametrize("name", ["NCCL_DEBUG", "TOKENIZERS_PARALLELISM", "HF_ENDPOINT", "PYTHONFAULTHANDLER"])
def test_harmless_variables_pass_and_come_first(name: str) -> None:
    check_extra_environment([name])
    assert environment(launch(extra_env=((name, "1"),)))[0] == (name, "1")

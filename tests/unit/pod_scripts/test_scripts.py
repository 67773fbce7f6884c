"""The programs in engine pods need nothing but an old Python's standard library, and agree with the pod."""

import ast
import json
import sys
from importlib.resources import files

import pytest

from gemma_operator.api.labels import SERVING_LABEL
from gemma_operator.controller.main import POD_SCRIPTS, pod_scripts
from gemma_operator.manifests.probes import DRAIN_FLAG
from gemma_operator.pod_scripts import gemma_drain
from gemma_operator.vllm.arguments import MIDDLEWARE
from gemma_operator.vllm.environment import LOGGING_CONFIG, POD_INFO_PATH

PROGRAMS = [name for name in POD_SCRIPTS if name.endswith(".py")]


def test_every_script_of_the_package_goes_into_the_pod() -> None:
    there = {entry.name for entry in files("gemma_operator.pod_scripts").iterdir() if entry.name != "__pycache__"}
    assert set(pod_scripts()) == there - {"__init__.py"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_imports_only_the_standard_library(name: str) -> None:
    tree = ast.parse(pod_scripts()[name], feature_version=(3, 10))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported <= sys.stdlib_module_names


def test_pod_and_scripts_mean_the_same_paths_and_labels() -> None:
    assert gemma_drain.DRAIN_FLAG == DRAIN_FLAG
    assert gemma_drain.SERVING_LABEL == SERVING_LABEL
    assert f"{POD_INFO_PATH}/labels" == gemma_drain.POD_LABELS
    module, name = MIDDLEWARE.split(".")
    assert f"{module}.py" in PROGRAMS
    assert hasattr(gemma_drain, name)


def test_errors_go_to_the_termination_message_and_prompts_to_nothing() -> None:
    config = json.loads(pod_scripts()["logging.json"])
    assert LOGGING_CONFIG.endswith("/logging.json")
    assert config["handlers"]["termination"] == {
        "class": "logging.FileHandler",
        "formatter": "plain",
        "level": "ERROR",
        "filename": "/dev/termination-log",
        "mode": "a",
    }
    assert config["loggers"]["vllm"]["level"] == "INFO", "at DEBUG vLLM may log prompts"

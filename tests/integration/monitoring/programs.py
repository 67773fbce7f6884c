"""Prometheus' own programs, built when the first test asks."""

import functools
import subprocess
from pathlib import Path

from e2e.cluster.binaries import MONITORING_TOOLS, build_binaries
from e2e.cluster.paths import BIN, ROOT

RULES = ROOT / "charts" / "gemma-operator" / "files" / "rules"
DASHBOARDS = ROOT / "charts" / "gemma-operator" / "files" / "dashboards"


@functools.cache
def program(name: str) -> Path:
    """Path of ``promtool``, ``prometheus`` or ``jsonnet``."""
    build_binaries(MONITORING_TOOLS)
    return BIN / name


def promtool(*arguments: str) -> str:
    """What promtool printed. An ``AssertionError`` holds its words where it failed."""
    result = subprocess.run([str(program("promtool")), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout

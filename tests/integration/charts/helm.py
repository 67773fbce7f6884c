"""Charts as the real helm renders them."""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster.binaries import build_binaries
from e2e.cluster.paths import BIN, ROOT

CHARTS = ROOT / "charts"
KubeObject = dict[str, Any]


class RenderError(Exception):
    """Helm refused; the text is its own."""


@functools.cache
def helm() -> str:
    """Path of the program, built if it is not there."""
    build_binaries()
    return str(BIN / "helm")


def render(
    values: dict[str, Any] | None = None,
    *,
    chart: Path = CHARTS / "gemma-operator",
    release: str = "gemma-operator",
    namespace: str = "gemma-system",
    options: tuple[str, ...] = (),
) -> list[KubeObject]:
    """The objects of ``helm template``, hooks included; ``RenderError`` when the values are refused."""
    text = render_text(values, chart=chart, release=release, namespace=namespace, options=options)
    return [item for item in yaml.load_all(text, Loader=yaml.CSafeLoader) if item]


def render_text(
    values: dict[str, Any] | None = None,
    *,
    chart: Path = CHARTS / "gemma-operator",
    release: str = "gemma-operator",
    namespace: str = "gemma-system",
    options: tuple[str, ...] = (),
) -> str:
    """The same as text."""
    command = [helm(), "template", release, str(chart), "--namespace", namespace, "--values", "-", *options]
    result = subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RenderError(result.stderr)
    return result.stdout


def one(objects: list[KubeObject], kind: str, name: str | None = None) -> KubeObject:
    """The only object of that kind and name."""
    found = [item for item in objects if item["kind"] == kind and name in (None, item["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects {kind} {name or ''}"
    return found[0]

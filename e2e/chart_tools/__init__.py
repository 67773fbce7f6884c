"""Judges of rendered charts from outside: Kubernetes' strict schemas, the types of the Prometheus operator, checkov.

Called by the tests of the charts. Two of them run in an environment of their own under the cache, made from
``requirements.lock`` when it is first needed. Nothing is asked of any server: the schemas and the rules are in the
packages. The lock is renewed by pip-compile from ``requirements.in``, with the options of ``make lock``.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from e2e.chart_tools.environment import ensure_environment
from e2e.cluster.binaries import own_program

OLDEST, NEWEST = "1.31", "1.37"
"""Kubernetes versions that the charts are for."""

STRICT_SCHEMAS = Path(__file__).parent / "strict_schemas.py"


@dataclass(frozen=True)
class Finding:
    """A rule of checkov that an object breaks."""

    check: str
    resource: str
    title: str


def broken_schemas(objects: Sequence[dict[str, Any]], version: str = NEWEST) -> dict[int, str]:
    """What the strict schemas of a Kubernetes version say, by position; no entry for an object that keeps to them.

    Kinds that Kubernetes does not have are answered with ``no schema``.
    """
    result = _run(str(STRICT_SCHEMAS), version, stdin=json.dumps(list(objects)))
    if result.returncode != 0:
        raise RuntimeError(f"the schemas could not be asked: {result.stderr[-2000:]}")
    return {int(position): told for position, told in json.loads(result.stdout).items()}


def broken_monitors(objects: Sequence[dict[str, Any]]) -> dict[int, str]:
    """What the Prometheus operator's own types do not know in its objects, by position; empty when all is known."""
    result = subprocess.run(
        [str(own_program("monitors"))], input=json.dumps(list(objects)), capture_output=True, text=True, check=True
    )
    lines = (line.partition(": ") for line in result.stdout.splitlines())
    return {int(position): told for position, _, told in lines}


def checkov_findings(manifests: Path) -> tuple[int, list[Finding]]:
    """How many checks passed on a file of manifests, and those that failed."""
    options = ("--framework=kubernetes", "--output=json", "--quiet", "--compact", "--skip-download", "--soft-fail")
    result = _run("-m", "checkov.main", "--file", str(manifests), *options)
    try:
        report = json.loads(result.stdout)
        failed = report["results"]["failed_checks"]
        passed = int(report["summary"]["passed"])
    except (ValueError, KeyError) as error:
        raise RuntimeError(f"checkov said nothing of use: {result.stdout[-500:]} {result.stderr[-2000:]}") from error
    return passed, [Finding(item["check_id"], item["resource"], item["check_name"]) for item in failed]


def _run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    python = ensure_environment()
    environment = os.environ | {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE"}
    return subprocess.run(
        [str(python), *arguments], input=stdin, env=environment, capture_output=True, text=True, check=False
    )

"""What rules and dashboards ask Prometheus, and the names that there are to ask for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gemma_operator.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[3]
FILES = ROOT / "charts" / "gemma-operator" / "files"
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGE = (ROOT / "tests" / "unit" / "vllm" / "data" / "metrics_under_load.txt").read_text()
"""A page of a real engine, vLLM 0.32, under load."""

NAME = re.compile(
    r"(?<![a-zA-Z0-9_:])(?:gemma[_:]|vllm:|http_|controller_runtime_|workqueue_|rest_client_|leader_election_|process_)"
    r"[a-zA-Z0-9_:]+"
)
LABELS = frozenset({"gemma_deployment"})
STRINGS = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Query:
    """One PromQL expression and where it stands."""

    place: str
    text: str

    @property
    def names(self) -> set[str]:
        """Metrics that it asks for."""
        return set(NAME.findall(STRINGS.sub('""', self.text))) - LABELS


def rules() -> Iterator[dict[str, Any]]:
    """All rules, alerts and recordings."""
    for path in sorted((FILES / "rules").glob("*.yaml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def rule_queries() -> list[Query]:
    return [Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def dashboards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text()) for path in sorted((FILES / "dashboards").glob("*.json"))}


def dashboard_queries() -> list[Query]:
    return [
        Query(f"{name}: {panel['title']}", target["expr"])
        for name, board in dashboards().items()
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def operator_series() -> set[str]:
    return {series for metric in Metrics().declared() for series in metric.series}


def engine_series() -> set[str]:
    return {re.split(r"[{ ]", line)[0] for line in PAGE.splitlines() if line and not line.startswith("#")}

"""The chart, the mixin and the plain files hold the same rules and dashboards, and real tools take each form."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.__main__ import dashboards, rules
from tests.integration.charts.helm import one, render
from tests.integration.monitoring.programs import RULES, program, promtool
from tests.unit.monitoring.queries import ROOT

pytestmark = pytest.mark.integration
RUNBOOKS = "https://example.com/runbooks"
ALL = {
    "monitoring": {
        "rules": {"enabled": True, "runbooks": RUNBOOKS},
        "dashboards": {"enabled": True},
        "serviceMonitor": {"enabled": True},
        "podMonitor": {"enabled": True},
    }
}


def groups(texts: dict[str, str]) -> list[Any]:
    return [group for _, text in sorted(texts.items()) for group in yaml.safe_load(text)["groups"]]


@pytest.fixture(scope="module")
def rendered() -> list[dict[str, Any]]:
    return render(ALL)


def test_the_chart_s_rules_are_the_plain_ones_and_promtool_takes_them(
    rendered: list[dict[str, Any]], tmp_path: Path
) -> None:
    specs = [item["spec"] for item in rendered if item["kind"] == "PrometheusRule"]
    assert sorted(
        (group for spec in specs for group in spec["groups"]), key=lambda group: str(group["name"])
    ) == sorted(groups(rules(RUNBOOKS)), key=lambda group: str(group["name"]))
    for number, spec in enumerate(specs):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(spec))
    assert len(specs) == len(list(RULES.glob("*.yaml")))
    promtool("check", "rules", *(str(path) for path in tmp_path.glob("*.yaml")))


def test_the_chart_s_dashboards_are_the_described_ones(rendered: list[dict[str, Any]]) -> None:
    maps = [
        item for item in rendered if item["kind"] == "ConfigMap" and "grafana_dashboard" in item["metadata"]["labels"]
    ]
    assert {name: text for item in maps for name, text in item["data"].items()} == dashboards()


def test_the_monitors_give_the_labels_by_which_rules_join(rendered: list[dict[str, Any]]) -> None:
    operator = one(rendered, "ServiceMonitor")["spec"]["endpoints"][0]
    assert operator["honorLabels"] is True
    engines = one(rendered, "PodMonitor")["spec"]["podMetricsEndpoints"][0]
    assert {
        "sourceLabels": ["__meta_kubernetes_pod_label_gemma_operator_io_deployment"],
        "targetLabel": "gemma_deployment",
    } in engines["relabelings"]


def test_the_mixin_renders_in_jsonnet_to_the_same() -> None:
    path = ROOT / "monitoring" / "mixin.libsonnet"
    source = f"""
      local mixin = (import '{path}') + {{ _config+:: {{ runbooks: '{RUNBOOKS}/' }} }};
      {{ alerts: mixin.prometheusAlerts.groups, dashboards: mixin.grafanaDashboards }}
    """
    result = subprocess.run([str(program("jsonnet")), "-e", source], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    made = json.loads(result.stdout)
    assert made["alerts"] == groups(rules(RUNBOOKS))
    assert made["dashboards"] == {name: json.loads(text) for name, text in dashboards().items()}

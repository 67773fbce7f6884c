"""What single values do, as the real helm renders them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.charts.helm import CHARTS, RenderError, helm, one, render, render_text
from tests.integration.charts.matrix import DIGEST

pytestmark = pytest.mark.integration
RULES = """# Alerts of a test.
groups:
  - name: engines
    rules:
      - alert: EngineDown
        expr: up{job="engines"} == 0
        annotations:
          summary: "{{ $labels.pod }} has been down for {{ $value | humanizeDuration }}"
          runbook_url: docs/runbooks/EngineDown.md
"""
DASHBOARD = {"title": "Fleet", "panels": [{"legendFormat": "{{pod}}", "expr": 'rate(x{a="b"}[5m])'}]}


@pytest.fixture
def chart_with_files(tmp_path: Path) -> Path:
    """The chart with one file of rules and one dashboard, and no others."""
    chart = tmp_path / "gemma-operator"
    shutil.copytree(CHARTS / "gemma-operator", chart)
    shutil.rmtree(chart / "files", ignore_errors=True)
    (chart / "files" / "rules").mkdir(parents=True)
    (chart / "files" / "dashboards").mkdir()
    (chart / "files" / "rules" / "engines.yaml").write_text(RULES)
    (chart / "files" / "dashboards" / "fleet.json").write_text(json.dumps(DASHBOARD, indent=2))
    return chart


def monitoring(**parts: bool) -> dict[str, Any]:
    return {"monitoring": {part: {"enabled": on} for part, on in parts.items()}}


def image(**values: Any) -> str:
    (container,) = one(render(values), "Deployment")["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def test_a_digest_wins_over_a_tag_and_a_global_registry_over_a_local_one() -> None:
    assert image() == "gemma-operator.local/gemma-operator:0.1.0"
    assert image(image={"tag": "v2"}) == "gemma-operator.local/gemma-operator:v2"
    assert image(image={"tag": "v2", "digest": DIGEST}) == f"gemma-operator.local/gemma-operator@{DIGEST}"
    assert image(image={"registry": ""}) == "gemma-operator:0.1.0"
    assert image(**{"global": {"imageRegistry": "mirror:5000"}}) == "mirror:5000/gemma-operator:0.1.0"


def test_a_rule_file_reaches_prometheus_as_it_was_written(chart_with_files: Path) -> None:
    rule = one(render(monitoring(rules=True), chart=chart_with_files), "PrometheusRule")
    assert rule["metadata"]["name"] == "gemma-operator-engines"
    assert rule["spec"] == yaml.safe_load(RULES)


def test_runbooks_are_where_the_installer_keeps_them(chart_with_files: Path) -> None:
    values = monitoring(rules=True)
    values["monitoring"]["rules"]["runbooks"] = "https://wiki.example.com/gemma/"
    (group,) = one(render(values, chart=chart_with_files), "PrometheusRule")["spec"]["groups"]
    assert group["rules"][0]["annotations"]["runbook_url"] == "https://wiki.example.com/gemma/EngineDown.md"


def test_series_keep_the_namespace_of_the_gemma_deployment_that_they_are_about() -> None:
    (endpoint,) = one(render(monitoring(serviceMonitor=True)), "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
    (engines,) = one(render(monitoring(podMonitor=True)), "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert engines["relabelings"][0]["targetLabel"] == "gemma_deployment"


def test_a_dashboard_reaches_grafana_as_it_was_written(chart_with_files: Path) -> None:
    dashboard = one(render(monitoring(dashboards=True), chart=chart_with_files), "ConfigMap")
    assert json.loads(dashboard["data"]["fleet.json"]) == DASHBOARD
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert dashboard["metadata"]["annotations"] == {"grafana_folder": "Gemma"}


def test_without_files_there_are_neither_rules_nor_dashboards(chart_with_files: Path) -> None:
    shutil.rmtree(chart_with_files / "files")
    kinds = {item["kind"] for item in render(monitoring(rules=True, dashboards=True), chart=chart_with_files)}
    assert not kinds & {"PrometheusRule", "ConfigMap"}


def test_one_replica_has_no_disruption_budget() -> None:
    assert one(render(), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert "PodDisruptionBudget" not in {item["kind"] for item in render({"replicas": 1})}


def test_replicas_spread_by_their_own_labels_unless_told_otherwise() -> None:
    def spread(values: dict[str, Any]) -> Any:
        return one(render(values), "Deployment")["spec"]["template"]["spec"].get("topologySpreadConstraints")

    (constraint,) = spread({})
    assert constraint["labelSelector"] == one(render(), "Deployment")["spec"]["selector"]
    own = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    selector = {"matchLabels": {"a": "b"}}
    assert spread({"topologySpreadConstraints": [own | {"labelSelector": selector}]})[0]["labelSelector"] == selector
    assert spread({"topologySpreadConstraints": []}) is None


def test_the_crd_stays_when_the_chart_goes_unless_told_otherwise() -> None:
    def policy(values: dict[str, Any], chart: str) -> Any:
        meta = one(render(values, chart=CHARTS / chart), "CustomResourceDefinition")["metadata"]
        return meta.get("annotations", {}).get("helm.sh/resource-policy")

    assert policy({}, "gemma-operator") == "keep"
    assert policy({}, "gemma-operator-crds") == "keep"
    assert policy({"crds": {"keep": False}}, "gemma-operator") is None
    assert policy({"keep": False}, "gemma-operator-crds") is None
    assert "CustomResourceDefinition" not in {item["kind"] for item in render({"crds": {"enabled": False}})}


def test_what_is_packaged_renders_the_same(tmp_path: Path) -> None:
    everything = monitoring(serviceMonitor=True, podMonitor=True, rules=True, dashboards=True)
    for chart in ("gemma-operator", "gemma-operator-crds"):
        values = everything if chart == "gemma-operator" else {}
        package = [helm(), "package", str(CHARTS / chart), "--destination", str(tmp_path)]
        subprocess.run(package, check=True, capture_output=True)
        packed = tmp_path / f"{chart}-0.1.0.tgz"
        assert render(values, chart=packed) == render(values, chart=CHARTS / chart)


def test_extra_objects_are_templates() -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}
    assert one(render({"extraObjects": [item]}), "ConfigMap")["metadata"]["name"] == "gemma-operator-more"


def test_the_notes_give_three_commands_that_name_this_release(tmp_path: Path) -> None:
    """Helm shows notes only to those who install, so that they are rendered here as an object."""
    chart = tmp_path / "gemma-operator"
    shutil.copytree(CHARTS / "gemma-operator", chart)
    notes = (chart / "templates" / "NOTES.txt").read_text()
    indented = "".join(f"  {line}\n" for line in notes.splitlines())
    (chart / "templates" / "notes.yaml").write_text(f"kind: Notes\nmetadata: {{name: notes}}\ntext: |\n{indented}")
    said = one(render({"watchNamespaces": ["team-a"]}, chart=chart, namespace="platform"), "Notes")["text"]
    commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert commands[0] == "helm test gemma-operator --namespace platform"
    assert commands[1].startswith("kubectl apply --namespace team-a -f -")
    assert yaml.safe_load(commands[2])["spec"] == {"contextLength": "256K"}
    assert commands[4].startswith("kubectl wait --namespace team-a --for=condition=Ready gemmadeployment/assistant")
    assert "monitoring.rules.enabled" in said


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replica": 2}, "replica"),
        ({"replicas": "2"}, "/replicas"),
        ({"image": {"digest": "sha256:short"}}, "/image/digest"),
        ({"monitoring": {"rule": {"enabled": True}}}, "rule"),
        ({"tolerations": [{"key": "a", "efect": "NoSchedule"}]}, "efect"),
        ({"nodeSelector": {"gpu": True}}, "/nodeSelector/gpu"),
        ({"admissionPolicy": {"actions": ["Deny", "Warn"]}}, "/admissionPolicy/actions"),
        ({"extraEnv": [{"name": "GEMMA_IDENTITY", "value": "x"}]}, "/extraEnv/0/name"),
        ({"fullnameOverride": "true"}, "/fullnameOverride"),
    ],
)
def test_helm_refuses_a_wrong_value_and_names_it(values: dict[str, Any], named: str) -> None:
    with pytest.raises(RenderError, match=named):
        render_text(values)

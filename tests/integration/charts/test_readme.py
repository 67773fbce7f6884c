"""What the chart's README gives as values can be installed, and does what it says."""

import re
from typing import Any

import pytest
import yaml

from tests.integration.charts.helm import CHARTS, KubeObject, one, render

pytestmark = pytest.mark.integration
README = (CHARTS / "gemma-operator" / "README.md").read_text()
NO_NAMESPACE = {
    "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}  # fmt: skip


def rendered(heading: str) -> list[KubeObject]:
    """The chart with the values that stand below a heading."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    values: dict[str, Any] = yaml.safe_load(block.replace("sha256:…", f"sha256:{'0' * 64}"))
    return render(values)


def test_the_values_for_production_bring_monitors_rules_and_dashboards() -> None:
    objects = rendered("For production")
    assert one(objects, "ServiceMonitor")["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    kinds = [item["kind"] for item in objects]
    assert (
        kinds.count("PrometheusRule") == len(list((CHARTS / "gemma-operator" / "files" / "rules").glob("*.yaml"))) > 0
    )
    assert (
        kinds.count("ConfigMap") == len(list((CHARTS / "gemma-operator" / "files" / "dashboards").glob("*.json"))) > 0
    )
    pod = one(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"].startswith("registry.example.com/gemma-operator@sha256:")


def test_the_values_for_one_team_install_nothing_outside_namespaces_but_a_look_at_nodes() -> None:
    outside = [item for item in rendered("For one team") if item["kind"] in NO_NAMESPACE]
    assert {item["kind"] for item in outside} == {"ClusterRole", "ClusterRoleBinding"}
    assert one(outside, "ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "watch"]}
    ]

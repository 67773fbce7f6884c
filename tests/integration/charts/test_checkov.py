"""checkov finds nothing in what the operator's chart renders, but for what is named here."""

from pathlib import Path
from typing import Any

import pytest

from e2e.chart_tools import checkov_findings
from tests.integration.charts.helm import render_text
from tests.integration.charts.matrix import DIGEST

pytestmark = pytest.mark.integration
RELEASED: dict[str, Any] = {"image": {"digest": DIGEST}}
EVERYTHING = RELEASED | {
    "watchNamespaces": ["team-a"],
    "monitoring": {part: {"enabled": True} for part in ("serviceMonitor", "podMonitor", "rules", "dashboards")},
}
SKIPPED = {"CKV_K8S_11": "a CPU limit would throttle the leader, which then loses its Lease"}


@pytest.mark.parametrize("values", [RELEASED, EVERYTHING], ids=["defaults", "everything"])
def test_the_operators_chart_has_no_finding(values: dict[str, Any], tmp_path: Path) -> None:
    manifests = tmp_path / "chart.yaml"
    manifests.write_text(render_text(values))
    passed, failed = checkov_findings(manifests)
    assert [finding for finding in failed if finding.check not in SKIPPED] == []
    assert {finding.check for finding in failed} == set(SKIPPED), "a skip that is no longer needed"
    assert passed > 200


def test_checkov_does_find(tmp_path: Path) -> None:
    manifests = tmp_path / "chart.yaml"
    careless = {"securityContext": {"allowPrivilegeEscalation": True, "capabilities": {"drop": []}}}
    manifests.write_text(render_text(RELEASED | careless))
    _, failed = checkov_findings(manifests)
    assert {"CKV_K8S_20", "CKV_K8S_28"} <= {finding.check for finding in failed}

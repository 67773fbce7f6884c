"""Writes the files that are made from code, or says which are stale (``--check``).

Run by ``make generate`` and ``make check``. To add a file, add a pair of path and renderer to ``GENERATED``.
"""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gemma_operator.api.crd import render_crd
from gemma_operator.api.reference import render_reference
from gemma_operator.cli.chart_values import with_values
from gemma_operator.cli.plan_schema import plan_schema
from gemma_operator.telemetry.reference import render_metrics_reference

ROOT = Path(__file__).parents[3]


def _render_plan_schema() -> str:
    return json.dumps(plan_schema(), indent=2) + "\n"


def _render_chart_crd(keep: str) -> str:
    """The CRD as a template of a chart, so that an upgrade of the chart upgrades it; ``keep`` names a value."""
    note = f"  {{{{- if .Values.{keep} }}}}\n  annotations:\n    helm.sh/resource-policy: keep\n  {{{{- end }}}}\n"
    return render_crd().replace("metadata:\n  name:", f"metadata:\n{note}  name:", 1)


def _render_operator_chart_crd() -> str:
    return f"{{{{- if .Values.crds.enabled }}}}\n{_render_chart_crd('crds.keep')}{{{{- end }}}}\n"


def _render_chart_readme(chart: str) -> str:
    """The README as it stands, with its table of values made anew."""
    room = ROOT / "charts" / chart
    return with_values((room / "README.md").read_text("utf-8"), (room / "values.yaml").read_text("utf-8"))


GENERATED: dict[str, Callable[[], str]] = {
    "crds/gemmadeployments.yaml": render_crd,
    "charts/gemma-operator/templates/crd.yaml": _render_operator_chart_crd,
    "charts/gemma-operator/README.md": partial(_render_chart_readme, "gemma-operator"),
    "charts/gemma-operator-crds/templates/crd.yaml": partial(_render_chart_crd, "keep"),
    "charts/gemma-operator-crds/README.md": partial(_render_chart_readme, "gemma-operator-crds"),
    "docs/reference/api.md": render_reference,
    "docs/reference/metrics.md": render_metrics_reference,
    "docs/reference/plan.schema.json": _render_plan_schema,
}


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write the generated files of the repository.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    check = parser.parse_args().check
    stale = []
    for name, render in GENERATED.items():
        path, text = ROOT / name, render()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name} is stale: run make generate" if check else f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

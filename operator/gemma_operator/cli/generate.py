"""Writes the files that are made from code, or says which are stale (``--check``).

Run by ``make generate`` and ``make check``. To add a file, add a pair of path and renderer to ``GENERATED``.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from gemma_operator.api.crd import render_crd
from gemma_operator.api.reference import render_reference
from gemma_operator.cli.plan_schema import plan_schema

ROOT = Path(__file__).parents[3]


def _render_plan_schema() -> str:
    return json.dumps(plan_schema(), indent=2) + "\n"


def _render_chart_crd() -> str:
    """The CRD as a template of the chart, so that an upgrade of the chart upgrades it."""
    head = "{{- if .Values.crds.enabled }}\n"
    keep = "  annotations:\n    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n"
    text = render_crd().replace("metadata:\n  name:", f"metadata:\n{keep}  name:", 1)
    return f"{head}{text}{{{{- end }}}}\n"


GENERATED: dict[str, Callable[[], str]] = {
    "crds/gemmadeployments.yaml": render_crd,
    "charts/gemma-operator/templates/crd.yaml": _render_chart_crd,
    "docs/reference/api.md": render_reference,
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

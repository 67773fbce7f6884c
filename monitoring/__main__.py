"""Writes the dashboards into the chart, or everything into a folder for those who do without Helm.

python -m monitoring                 # write the chart's dashboards
python -m monitoring --check         # write nothing; exit 1 when one is stale
python -m monitoring --out FOLDER --runbooks https://example.com/runbooks
"""

import argparse
import json
import sys
from pathlib import Path

from monitoring.dashboard import Dashboard, render
from monitoring.deployment import DEPLOYMENT_BOARD
from monitoring.fleet import FLEET
from monitoring.operator import OPERATOR_BOARD

FILES = Path(__file__).parents[1] / "charts" / "gemma-operator" / "files"
BOARDS: tuple[Dashboard, ...] = (FLEET, DEPLOYMENT_BOARD, OPERATOR_BOARD)
RUNBOOKS = "docs/runbooks"
"""What ``runbook_url`` begins with in the rule files; chart and mixin put the place where you read them instead."""


def dashboards() -> dict[str, str]:
    """The files by name."""
    return {f"{board.uid}.json": json.dumps(render(board), indent=2, ensure_ascii=False) + "\n" for board in BOARDS}


def rules(runbooks: str) -> dict[str, str]:
    """The rule files by name, with links to the runbooks there."""
    found = sorted((FILES / "rules").glob("*.yaml"))
    old, new = f"runbook_url: {RUNBOOKS}/", f"runbook_url: {runbooks.rstrip('/')}/"
    return {path.name: path.read_text(encoding="utf-8").replace(old, new) for path in found}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write the files that differ."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")


def stale() -> list[str]:
    """Dashboards of the chart that are not what the description says."""
    folder, wanted = FILES / "dashboards", dashboards()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write dashboards and rules.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a dashboard is stale")
    parser.add_argument("--out", type=Path, help="write rules and dashboards into this folder instead")
    parser.add_argument("--runbooks", default=RUNBOOKS, help="where the runbooks can be read, with --out")
    options = parser.parse_args()
    if options.check:
        for name in stale():
            sys.stdout.write(f"dashboards/{name} is stale: run python -m monitoring\n")
        return 1 if stale() else 0
    if options.out:
        write(options.out / "rules", rules(options.runbooks))
        write(options.out / "dashboards", dashboards())
        return 0
    write(FILES / "dashboards", dashboards())
    return 0


if __name__ == "__main__":
    sys.exit(main())

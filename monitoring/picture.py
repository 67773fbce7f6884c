"""Draws the dashboards from a Prometheus that scrapes engines and an operator.

    python -m monitoring.picture --prometheus http://127.0.0.1:9090 --namespace team --name assistant \\
        --minutes 30 --note "vLLM 0.32 under load" --out docs/how-to/dashboards
"""

import argparse
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitoring.__main__ import BOARDS
from monitoring.dashboard import render
from monitoring.svg import Series, draw

POINTS = 60


def ask(url: str, path: str, **parameters: str) -> list[dict[str, Any]]:
    """The result of a query. Raises ``urllib.error.HTTPError`` where the server refuses it."""
    address = f"{url.rstrip('/')}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - the caller's own server
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return found


def series(target: Mapping[str, Any], answer: list[dict[str, Any]]) -> list[Series]:
    """The answer to one query, named as its legend says."""
    made = []
    for item in answer:
        labels = {name: value for name, value in item["metric"].items() if name != "__name__"}
        legend = _legend(target["legendFormat"], labels)
        points = item.get("values") or [item["value"]]
        made.append(Series(legend, labels, tuple((float(at), float(value)) for at, value in points)))
    return made


def _legend(form: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), form)


def picture(board: Mapping[str, Any], url: str, chosen: Mapping[str, str], seconds: float, note: str) -> str:
    """One dashboard, drawn from the last ``seconds``."""
    now = time.time()
    answers: dict[int, list[Series]] = {}
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            query = re.sub(r"\$(\w+)", lambda match: chosen[match[1]], target["expr"])
            if target["instant"]:
                found = ask(url, "query", query=query, time=str(now))
            else:
                step = max(1.0, seconds / POINTS)
                found = ask(url, "query_range", query=query, start=str(now - seconds), end=str(now), step=str(step))
            answers.setdefault(panel["id"], []).extend(series(target, found))
    return draw(board, answers, note)


def main() -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draw the dashboards from a Prometheus.")
    parser.add_argument("--prometheus", required=True, help="address of the server")
    parser.add_argument("--namespace", default=".*", help="namespace of the GemmaDeployment")
    parser.add_argument("--name", required=True, help="name of the GemmaDeployment")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long back")
    parser.add_argument("--note", default="", help="where the figures come from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    options = parser.parse_args()
    chosen = {
        "cluster": ".*",
        "namespace": ".*" if options.namespace == ".*" else f"{options.namespace}|gemma-system",
        "deployment": options.name,
        "pod": ".*",
        "__rate_interval": "1m",
    }
    options.out.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        text = picture(render(board), options.prometheus, chosen, options.minutes * 60, options.note)
        (options.out / f"{board.uid}.svg").write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {options.out / board.uid}.svg\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""GemmaDeployments in each state that a GitOps tool must judge, with the status that the operator really writes.

``python -m tests.unit.gitops.objects`` writes them beside the health check, where its upstream form wants them.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from gemma_operator.api.labels import PAUSED_ANNOTATION
from gemma_operator.controller.report import merged
from tests.unit.controller.situations import Situation, a_deployment, lines, pod

FOLDER = Path(__file__).parents[3] / "gitops" / "argocd" / "gemma-operator.io" / "GemmaDeployment"
COMMAND = "python -m tests.unit.gitops.objects"
NOW = "2026-01-01T00:00:00Z"


def paused(situation: Situation) -> Situation:
    """The same, left alone by annotation."""
    return replace(situation, annotations={PAUSED_ANNOTATION: "true"})


def refused() -> Situation:
    """An engine that ended for want of memory."""
    situation = a_deployment().recorded().deployed(ready=0)
    words = "ValueError: Free memory on device (20.1/44.39 GiB) on startup is less than desired GPU memory utilization"
    return replace(situation, pods=(pod("engine-0", situation.digest, ready=False, termination_message=words),))


SITUATIONS: dict[str, Callable[[], Situation]] = {
    "serving": lambda: a_deployment().serving(),
    "starting": lambda: a_deployment().recorded().deployed(ready=0),
    "rolling-out": lambda: a_deployment().serving().asked(contextLength="128K").recorded(),
    "impossible": lambda: a_deployment("1024K"),
    "impossible-but-serving": lambda: a_deployment().serving().asked(contextLength="1024K"),
    "memory-refused": refused,
    "plan-only": lambda: a_deployment(planOnly=True),
    "paused": lambda: paused(a_deployment().serving()),
    "paused-with-a-change": lambda: paused(a_deployment().serving().asked(contextLength="128K")),
}


def with_status(situation: Situation) -> dict[str, Any]:
    """The live object with what the operator says of it."""
    live = situation.seen.live
    conditions = merged(tuple(lines(situation).values()), (), situation.generation, NOW)
    return {**live, "status": {"observedGeneration": situation.generation, "conditions": conditions}}


def objects() -> dict[str, dict[str, Any]]:
    """By name; two of them with nobody's or an old status."""
    found = {name: with_status(make()) for name, make in SITUATIONS.items()}
    changed = a_deployment().serving().asked(contextLength="128K")
    return found | {
        "new": a_deployment().seen.live,
        "changed-just-now": {**changed.seen.live, "status": found["serving"]["status"]},
    }


def rendered() -> dict[str, str]:
    """The text of each file by its name."""
    return {
        f"{name}.yaml": yaml.safe_dump(found, sort_keys=False, width=120, allow_unicode=True)
        for name, found in objects().items()
    }


def write() -> None:
    """Replace all files."""
    folder = FOLDER / "testdata"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.yaml"):
        stale.unlink()
    for name, text in rendered().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write()

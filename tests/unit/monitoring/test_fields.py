"""Fields that runbooks name are fields of the CRD."""

import re
from typing import Any

import pytest
import yaml

from tests.unit.monitoring.queries import ROOT, RUNBOOKS

CRD = yaml.safe_load((ROOT / "crds" / "gemmadeployments.yaml").read_text())
SCHEMA: dict[str, Any] = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
PAGES = sorted([*RUNBOOKS.glob("*.md"), ROOT / "docs" / "how-to" / "monitor.md"])
SPEC_GROUPS = "autoscaling|accelerators|engine|model|rollout"
FIELDS = re.compile(rf"(?<![\w/])(?:spec|status|{SPEC_GROUPS})(?:\.[a-z][A-Za-z]+)+")


def exists(path: str) -> bool:
    names = path.split(".")
    names = names if names[0] in {"spec", "status"} else ["spec", *names]
    node = SCHEMA
    for name in names:
        node = node.get("properties", {}).get(name)
        if node is None:
            return False
    return True


def fields(text: str) -> set[str]:
    """In prose between backticks, in commands after ``jsonpath``, those of a GemmaDeployment only."""
    prose = [part for part in re.findall(r"`([^`\n]+)`", text) if "kubectl" not in part and "yaml" not in part]
    asked = [line.split("jsonpath=")[1] for line in text.splitlines() if "gemmadeployment $NAME -o jsonpath=" in line]
    return {found.strip(".") for part in [*prose, *asked] for found in FIELDS.findall(part.replace("{.", "{"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_field_that_a_page_names_is_one_of_the_crd(page: Any) -> None:
    assert [path for path in sorted(fields(page.read_text())) if not exists(path)] == []


def test_pages_name_fields() -> None:
    named = {path for page in PAGES for path in fields(page.read_text())}
    assert len(named) > 15
    assert not exists("spec.contextLenght")

"""Alerts say what is wrong, how bad it is, and where to read on."""

import re

import pytest

from tests.unit.monitoring.queries import ROOT, RUNBOOKS, alerts

NAMES = sorted({rule["alert"] for rule in alerts()})
EXPECTED = {
    "GemmaContextNotHonored", "GemmaPlanImpossible", "GemmaEngineMemoryCrashLoop", "GemmaFirstTokenBudgetBurn",
    "GemmaAvailabilityBudgetBurn", "GemmaQueueStuck", "GemmaEngineHung", "GemmaAutoscalerAtLimit",
    "GemmaAutoscalerBlind", "GemmaRequestsCut", "GemmaRolloutStuck", "GemmaWaitingForGPUs", "GemmaOperatorDown",
    "GemmaWatchStale", "GemmaReconcileErrors", "GemmaEngineCrashLoop",
}  # fmt: skip


def test_what_can_go_wrong_has_an_alert() -> None:
    assert set(NAMES) == EXPECTED


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(NAMES)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_how_bad_and_how_much(rule: dict[str, dict[str, str]]) -> None:
    notes = rule["annotations"]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert "$value" in notes["description"]
    assert "$value" not in notes["summary"], "a summary that moves makes a new notification each time"
    assert notes["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    assert (ROOT / notes["runbook_url"]).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_runbook_says_what_it_means_and_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    diagnosis = text.split("## Diagnosis")[1].split("## Mitigation")[0]
    assert "```bash\n" in diagnosis
    assert "kubectl" in diagnosis


@pytest.mark.parametrize("name", NAMES)
def test_links_of_a_runbook_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (RUNBOOKS / f"{name}.md").read_text()):
        assert (RUNBOOKS / target).resolve().is_file(), target

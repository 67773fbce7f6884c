"""Events and log lines: reasons from one closed list, and the reconcile they belong to."""

import ast
from pathlib import Path

from gemma_operator.api.conditions import Reason

SOURCE = Path(__file__).parents[3] / "operator" / "gemma_operator"
MEMBERS = {reason.name for reason in Reason}


def calls(name: str) -> list[ast.Call]:
    return [
        node
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_the_reason_of_an_event_is_one_of_the_list() -> None:
    """Either a member itself, or the reason of a condition, which mypy knows to be one."""
    reasons = [ast.unparse(call.args[1]) for call in calls("Notice")]
    assert len(reasons) >= 2
    known = {f"Reason.{name}" for name in MEMBERS} | {"line.reason"}
    assert set(reasons) <= known


def test_a_reason_is_written_as_kubernetes_asks() -> None:
    assert [reason.value for reason in Reason if not (reason.value.isalnum() and reason.value[0].isupper())] == []


def test_every_reason_is_given_somewhere() -> None:
    text = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    assert [name for name in sorted(MEMBERS) if f"Reason.{name}" not in text] == []


def test_a_reconcile_names_itself_in_every_line() -> None:
    fields = {keyword.arg for call in calls("log_fields") for keyword in call.keywords}
    assert {"key", "reconcileID"} <= fields

"""The words of the status."""

from pathlib import Path

import gemma_operator
from gemma_operator.api.conditions import Reason


def test_every_reason_is_given_somewhere() -> None:
    files = (path for path in Path(gemma_operator.__path__[0]).rglob("*.py") if path.name != "conditions.py")
    code = "\n".join(path.read_text() for path in files)
    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in code] == []

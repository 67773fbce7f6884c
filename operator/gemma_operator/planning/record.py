"""What is kept of a plan: the plan, what was rendered from it, and what boots have taught.

One owned ControllerRevision holds a record. Reconcile applies the recorded template and renders anew only when the
inputs change, so that an upgraded operator restarts nothing. Pure: turning a record into JSON and back.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gemma_operator.memory.measured import MeasuredOverheads
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import Plan

BUILDER_VERSION = 1
"""Raised when the rendering changes in a way that running engines should be told of; nothing restarts by itself."""

_PLAN = TypeAdapter(Plan)
_MEASURED = TypeAdapter(MeasuredOverheads)
_ASK = TypeAdapter(Ask)


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """One record. ``plan`` is ``None`` when another version of the operator wrote it in a form unknown here.

    ``refusals`` counts plans that were made because an engine refused its memory.
    """

    plan_hash: str
    pods_hash: str
    plan: Plan | None
    template: Mapping[str, Any]
    scripts: Mapping[str, str]
    measured: MeasuredOverheads
    refusals: int = 0
    builder_version: int = BUILDER_VERSION

    def data(self) -> dict[str, Any]:
        """The record as the data of a ControllerRevision."""
        return {
            "planHash": self.plan_hash,
            "podsHash": self.pods_hash,
            "plan": None if self.plan is None else _PLAN.dump_python(self.plan, mode="json"),
            "template": dict(self.template),
            "scripts": dict(self.scripts),
            "measured": _MEASURED.dump_python(self.measured, mode="json"),
            "refusals": self.refusals,
            "builderVersion": self.builder_version,
        }

    @property
    def name_suffix(self) -> str:
        """A name for exactly this content."""
        return digest(self.data())


def read_record(data: Mapping[str, Any]) -> PlanRecord:
    """The record behind the data of a ControllerRevision; unknown parts become empty, never an error."""
    plan, measured = None, MeasuredOverheads()
    try:
        plan = _PLAN.validate_python(data.get("plan"))
        measured = _MEASURED.validate_python(data.get("measured"))
    except ValidationError:
        pass
    return PlanRecord(
        plan_hash=str(data.get("planHash", "")),
        pods_hash=str(data.get("podsHash", "")),
        plan=plan,
        template=data.get("template") or {},
        scripts=data.get("scripts") or {},
        measured=measured,
        refusals=int(data.get("refusals", 0)),
        builder_version=int(data.get("builderVersion", 0)),
    )


def plan_hash(ask: Ask) -> str:
    """Key of the planning inputs. The replica count is no input: changing it moves no plan.

    Inputs at their default are left out, so that a field or a default that comes with a later version of the operator
    moves no plan of an earlier one.
    """
    return digest(_ASK.dump_python(replace(ask, replicas=1), mode="python", exclude_defaults=True))


def digest(value: Any) -> str:
    """A short stable hash of a JSON value; sets come in sorted."""
    return hashlib.sha256(json.dumps(_sorted(value), sort_keys=True).encode()).hexdigest()[:10]


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sorted(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value

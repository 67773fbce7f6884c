"""Condition types and reasons, declared once; status, Events, metrics and docs use these words only."""

from enum import StrEnum


class ConditionType(StrEnum):
    """What a condition is about. ``Stalled`` and ``Degraded`` are true when something is wrong."""

    READY = "Ready"
    AVAILABLE = "Available"
    PROGRESSING = "Progressing"
    PLANNED = "Planned"
    CONTEXT_HONORED = "ContextHonored"
    STALLED = "Stalled"
    DEGRADED = "Degraded"


class Reason(StrEnum):
    """Why a condition has its status; also the reasons of Events."""

    PLANNED = "Planned"
    PLAN_ONLY = "PlanOnly"
    PLAN_IMPOSSIBLE = "PlanImpossible"
    REPLANNED = "Replanned"
    PROGRESSING = "Progressing"
    WAITING_FOR_GPUS = "WaitingForGPUs"
    PULLING_IMAGE = "PullingImage"
    STARTING = "Starting"
    ROLLING_OUT = "RollingOut"
    ROLLOUT_REFUSED = "RolloutRefused"
    ROLLOUT_TIMED_OUT = "RolloutTimedOut"
    ROLLED_OUT = "RolledOut"
    SERVING = "Serving"
    NOT_SERVING = "NotServing"
    CONTEXT_HONORED = "ContextHonored"
    CONTEXT_NOT_HONORED = "ContextNotHonored"
    CONTEXT_UNKNOWN = "ContextUnknown"
    MEMORY_REFUSED = "MemoryRefused"
    ENGINE_FAILED = "EngineFailed"
    ADMISSION_REFUSED = "AdmissionRefused"
    NAME_TAKEN = "NameTaken"
    FOREIGN_EDIT = "ForeignEdit"
    INVALID_SPEC = "InvalidSpec"
    CATALOG_INVALID = "CatalogInvalid"
    AS_EXPECTED = "AsExpected"
    INTERNAL_ERROR = "InternalError"

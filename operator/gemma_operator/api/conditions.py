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
    SCALING_ACTIVE = "ScalingActive"
    ABLE_TO_SCALE = "AbleToScale"
    SCALING_LIMITED = "ScalingLimited"


SCALING = (ConditionType.SCALING_ACTIVE, ConditionType.ABLE_TO_SCALE, ConditionType.SCALING_LIMITED)
"""Those that only an object with autoscaling has, worded as a HorizontalPodAutoscaler words them."""


class Reason(StrEnum):
    """Why a condition has its status; also the reasons of Events."""

    PLANNED = "Planned"
    PLAN_ONLY = "PlanOnly"
    PAUSED = "Paused"
    PLAN_IMPOSSIBLE = "PlanImpossible"
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
    VALID_METRIC_FOUND = "ValidMetricFound"
    FAILED_GET_PODS_METRIC = "FailedGetPodsMetric"
    SCRAPE_BLOCKED = "ScrapeBlocked"
    FOREIGN_SCALER = "ForeignScaler"
    ADVISORY = "Advisory"
    READY_FOR_NEW_SCALE = "ReadyForNewScale"
    SUCCEEDED_RESCALE = "SucceededRescale"
    SUCCESSFUL_RESCALE = "SuccessfulRescale"
    FAILED_UPDATE_SCALE = "FailedUpdateScale"
    SCALE_DOWN_STABILIZED = "ScaleDownStabilized"
    DRAINING = "Draining"
    DESIRED_WITHIN_RANGE = "DesiredWithinRange"
    TOO_FEW_REPLICAS = "TooFewReplicas"
    TOO_MANY_REPLICAS = "TooManyReplicas"
    SCALE_UP_LIMIT = "ScaleUpLimit"
    SCALE_DOWN_LIMIT = "ScaleDownLimit"
    PODS_OVERDUE = "PodsOverdue"

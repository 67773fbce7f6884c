"""Specs that break one rule each, and what the API server says about it.

Shared by the tests on a real API server and those of the models: what one refuses, the other must refuse too.
"""

import json
from typing import Any

FP8_31B = {"variant": "31B", "checkpoint": "RedHatAI/gemma-4-31B-it-FP8-dynamic"}
ON_A_VOLUME = FP8_31B | {"source": {"volumeClaim": {"name": "weights"}}}


def spec_only(value: object) -> str | None:
    """Names a test by the spec and not by the message."""
    return json.dumps(value) if isinstance(value, dict) else None


BROKEN_RULES: list[tuple[dict[str, Any], str]] = [
    ({"model": {"modalities": ["Image"]}}, "list Text too: every request has a prompt"),
    ({"model": {"modalities": ["Text", "Text"]}}, "name each modality once"),
    ({"model": {"checkpoint": "google/gemma-4-31B-it"}}, "model.checkpoint needs model.variant"),
    ({"model": {"variant": "Auto", "checkpoint": "a/b"}}, "model.checkpoint needs model.variant"),
    ({"model": {"variant": "31B", "revision": "main"}}, "model.revision needs model.checkpoint"),
    (
        {"model": {"variant": "31B", "source": {"volumeClaim": {"name": "w"}}}},
        "model.source needs model.checkpoint",
    ),
    ({"model": FP8_31B | {"source": {"volumeClaim": {"name": "w", "path": "a/../.."}}}}, "without .."),
    ({"servedModelNames": ["a", "a"]}, "name each served model name once"),
    ({"model": ON_A_VOLUME | {"revision": "main"}}, "a volume holds one revision: leave model.revision out"),
    ({"model": FP8_31B | {"publishers": ["Google"]}}, "model.checkpoint leaves nothing to choose"),
    ({"model": {"media": {"maxItems": 2}}}, "model.media needs Image, Video or Audio in model.modalities"),
    ({"model": {"modalities": ["Text"], "media": {"maxItems": 2}}}, "model.media needs Image, Video or Audio"),
    (
        {"model": {"modalities": ["Text", "Audio"], "media": {"imageTokens": 560}}},
        "model.media.imageTokens needs Image in model.modalities",
    ),
    ({"accelerators": {"nodeSelector": {"node pool": "a"}}}, "write keys as Kubernetes does"),
    ({"accelerators": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}}, "leave value out"),
    ({"accelerators": {"tolerations": [{"effect": "NoSchedule"}]}}, "write operator: Exists, or name the key"),
    ({"engine": {"pod": {"labels": {"team/a/b": "x"}}}}, "write keys as Kubernetes does"),
    ({"engine": {"pod": {"labels": {"gemma-operator.io/serving": "false"}}}}, "are the operator's: use another key"),
    ({"engine": {"pod": {"labels": {"app.kubernetes.io/name": "mine"}}}}, "are the operator's: use another key"),
    ({"engine": {"pod": {"annotations": {"gemma-operator.io/plan-hash": ""}}}}, "are the operator's: use another key"),
    ({"engine": {"pod": {"limits": {"memory": "64Gi"}}}}, "limits.memory needs requests.memory, not above it"),
    ({"engine": {"pod": {"requests": {"memory": "8Gi"}, "limits": {"cpu": 8}}}}, "limits.cpu needs requests.cpu"),
    ({"engine": {"pod": {"imagePullSecrets": ["a", "a"]}}}, "name each Secret once"),
    ({"access": {"from": [{}]}}, "name callers by namespaceSelector, by podSelector or by both"),
    ({"access": {"from": [{"podSelector": {"matchLabels": {"a b": "c"}}}]}}, "write keys as Kubernetes does"),
    ({"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}, "raise maxReplicas or lower minReplicas"),
    ({"autoscaling": {"mode": "External", "minReplicas": 3, "maxReplicas": 2}}, "raise maxReplicas or lower"),
    ({"autoscaling": {}}, "mode Internal and mode Advisory need maxReplicas"),
    ({"autoscaling": {"mode": "Advisory"}}, "mode Internal and mode Advisory need maxReplicas"),
    ({"autoscaling": {"maxReplicas": 2, "targets": {"timeToFirstToken": "2"}}}, "write a duration such as 2s or 60ms"),
    ({"autoscaling": {"maxReplicas": 2, "targets": {"interTokenLatency": "0ms"}}}, "write a duration such as 2s"),
]
"""Rules of our own, in the same words in the CRD and in the models."""

BROKEN_BOUNDS: list[tuple[dict[str, Any], str]] = [
    ({"contextLength": 127}, "spec.contextLength in body should be greater than or equal to 128"),
    ({"contextLength": 1048577}, "spec.contextLength in body should be less than or equal to 1048576"),
    ({"contextLength": "999999999K"}, "Too long: may not be more than 8"),
    ({"contextLength": True}, "spec.contextLength in body must be of type integer,string"),
    ({"contextLength": 4096.5}, "spec.contextLength in body must be of type integer,string"),
    ({"contextLength": None}, "spec.contextLength"),
    ({"concurrentRequests": 0}, "should be greater than or equal to 1"),
    ({"concurrentRequests": 4097}, "should be less than or equal to 4096"),
    ({"replicas": -1}, "spec.replicas in body should be greater than or equal to 0"),
    ({"replicas": 1001}, "spec.replicas in body should be less than or equal to 1000"),
    ({"objective": "Cheapest"}, 'supported values: "Balanced", "Quality"'),
    ({"model": {"quantization": "fp8"}}, 'supported values: "Auto", "BF16", "FP8", "INT8"'),
    ({"model": {"modalities": []}}, "should have at least 1 items"),
    ({"model": {"media": {"imageTokens": 300}}}, 'supported values: "70", "140", "280", "560", "1120"'),
    ({"model": FP8_31B | {"source": {"volumeClaim": {"name": "w", "path": "/etc"}}}}, "should match"),
    ({"servedModelNames": [""]}, "should match"),
    ({"servedModelNames": ["a", "--trust-remote-code"]}, "should match"),
    ({"model": {"modalities": ["Text", "Image"], "media": {"allowedDomains": ["--port=1"]}}}, "should match"),
    ({"model": {"modalities": ["Text", "Image"], "media": {"allowedDomains": ["https://a.b"]}}}, "should match"),
    ({"model": {"variant": "31B", "checkpoint": "--help"}}, "should match"),
    ({"model": FP8_31B | {"revision": "--help"}}, "should match"),
    ({"model": {"publishers": [""]}}, "should be at least 1 chars long"),
    ({"concurrentRequests": "4"}, "spec.concurrentRequests in body must be of type integer"),
    ({"planOnly": "yes"}, "spec.planOnly in body must be of type boolean"),
    ({"accelerators": {"maxPerReplica": 9}}, "should be less than or equal to 8"),
    ({"accelerators": {"nodeSelector": {"pool": "x" * 64}}}, "Too long: may not be more than 63"),
    ({"accelerators": {"tolerations": [{"operator": "Like"}]}}, 'supported values: "Exists", "Equal"'),
    ({"engine": {"env": [{"name": "1X"}]}}, "should match '^[A-Za-z_][A-Za-z0-9_]*$'"),
    ({"engine": {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}}, "Duplicate value"),
    ({"engine": {"image": "--privileged"}}, "should match"),
    ({"engine": {"pod": {"requests": {"memory": "lots"}}}}, "spec.engine.pod.requests.memory"),
    ({"engine": {"pod": {"requests": {"cpu": -1}}}}, "should be greater than or equal to 0"),
    ({"engine": {"pod": {"labels": {"team": "a b"}}}}, "should match"),
    ({"engine": {"pod": {"priorityClassName": "Very High"}}}, "should match"),
    ({"engine": {"apiKeySecretRef": {"name": "key"}}}, "spec.engine.apiKeySecretRef.key: Required value"),
    ({"features": {"thinking": True}}, "spec.features.thinking"),
    ({"rollout": {"startupBudgetSeconds": 59}}, "should be greater than or equal to 60"),
    ({"autoscaling": {"minReplicas": 0, "maxReplicas": 2}}, "should be greater than or equal to 1"),
    ({"autoscaling": {"maxReplicas": 1001}}, "should be less than or equal to 1000"),
    ({"autoscaling": {"maxReplicas": 2, "mode": "Keda"}}, 'supported values: "Internal", "External", "Advisory"'),
    ({"autoscaling": {"maxReplicas": 2, "targets": {"timeToFirstToken": "2 minutes"}}}, "may not be more than 8"),
    ({"autoscaling": {"maxReplicas": 2, "targets": {"queueDepthPerReplica": 0}}}, "greater than or equal to 1"),
    (
        {"autoscaling": {"maxReplicas": 2, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}},
        "should be less than or equal to 3600",
    ),
    ({"autoscaling": {"maxReplicas": 2, "behavior": {"scaleUp": {"policies": []}}}}, "should have at least 1 items"),
    (
        {
            "autoscaling": {
                "maxReplicas": 2,
                "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1801}]}},
            }
        },
        "should be less than or equal to 1800",
    ),
    ({"rollout": {"drainTimeoutSeconds": 86401}}, "should be less than or equal to 86400"),
]
"""Bounds and choices of the schema, in the API server's words."""

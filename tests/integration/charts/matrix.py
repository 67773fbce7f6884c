"""Value sets that cover every triple of choices an installer can make, each choice with its most awkward forms."""

from dataclasses import dataclass
from typing import Any

from covertable import make

STRENGTH = 3
"""How many choices meet in every combination."""

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["system"]}]}]
        }
    }
}
CHOICES: dict[str, list[dict[str, Any]]] = {
    "release": [
        {},
        {"release": "prod", "namespace": "team-platform"},
        {"release": "on", "namespace": "1234"},  # YAML takes neither for text
        {"release": "a-release-name-that-is-as-long-as-helm-lets-it-be-53c"},
    ],
    "replicas": [{"replicas": 1}, {"replicas": 2}, {"replicas": 3, "podDisruptionBudget": {"enabled": False}}],
    "reach": [
        {},
        {"watchNamespaces": ["team-a"]},
        {"watchNamespaces": ["team-a"], "rbac": {"listAllPods": False}},
        {"watchNamespaces": ["gemma-system", "team-a", "123"]},
    ],
    "image": [
        {},
        {"image": {"digest": DIGEST, "tag": "v1"}},
        {"image": {"registry": "", "tag": "v1"}},
        {"image": {"repository": "mirror/gemma", "pullPolicy": "Never"}, "imagePullSecrets": [{"name": "pull"}]},
        {"global": {"imageRegistry": "mirror.example.com"}, "image": {"pullPolicy": "Always"}},
    ],
    "account": [
        {},
        {"serviceAccount": {"name": "other", "annotations": {"example.com/role": "arn:aws:iam::1:role/x"}}},
        {"serviceAccount": {"create": False, "name": "already-there"}},
    ],
    "crds": [{}, {"crds": {"keep": False}}, {"crds": {"enabled": False}}],
    "rights": [{}, {"rbac": {"create": False}}, {"rbac": {"aggregate": False}}],
    "policies": [
        {},
        {"admissionPolicy": {"enabled": False}},
        {"networkPolicy": {"enabled": False}},
        {
            "admissionPolicy": {"actions": ["Warn", "Audit"]},
            "networkPolicy": {
                "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                "apiServerPorts": [16443],
            },
        },
    ],
    "scheduling": [
        {},
        {"topologySpreadConstraints": []},
        {
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "tolerations": [{"key": "system", "operator": "Exists", "effect": "NoSchedule"}],
            "affinity": AFFINITY,
            "priorityClassName": "system-cluster-critical",
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"},
                {
                    "maxSkew": 2,
                    "topologyKey": "kubernetes.io/hostname",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"team": "platform"}},
                },
            ],
        },
    ],
    "monitoring": [
        {},
        {
            "monitoring": {
                "serviceMonitor": {"enabled": True, "labels": {"release": "stack"}, "interval": "30s"},
                "podMonitor": {"enabled": True, "labels": {"release": "stack"}, "interval": "15s"},
                "rules": {"enabled": True, "labels": {"release": "stack"}},
                "dashboards": {"enabled": True},
            }
        },
        {
            "monitoring": {
                "podMonitor": {"enabled": True},
                "dashboards": {"enabled": True, "labels": {"own": "1"}, "annotations": {}},
            }
        },
    ],
    "marks": [
        {},
        {
            "commonLabels": {"team": "platform", "cost-centre": "1234", "app.kubernetes.io/name": "not-to-win"},
            "podLabels": {"tier": "control", "app.kubernetes.io/instance": "not-to-win"},
            "podAnnotations": {"example.com/note": "a: b # c"},
        },
    ],
    "process": [
        {},
        {
            "logLevel": "DEBUG",
            "workers": 16,
            "engineImage": f"registry.example.com/vllm@{DIGEST}",
            "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
            "extraEnv": [
                {"name": "KUBERNETES_SERVICE_HOST", "value": "api.example.com"},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            ],
        },
    ],
    "extras": [
        {},
        {
            "fullnameOverride": "gemma",
            "test": {"enabled": False},
            "extraObjects": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "{{ .Release.Name }}-extra", "namespace": "{{ .Release.Namespace }}"},
                },
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text, namespace: '{{ .Release.Namespace }}'}\n",
            ],
        },
    ],
}


@dataclass(frozen=True)
class ValueSet:
    """Values to render with, and the release that they are for. ``name`` tells the choices, by position."""

    name: str
    release: str
    namespace: str
    values: dict[str, Any]


def value_sets() -> list[ValueSet]:
    """One for each row of the covering array: every three choices meet in at least one of them."""
    rows = make([list(range(len(choices))) for choices in CHOICES.values()], strength=STRENGTH)
    return [_value_set(list(row)) for row in rows]


def _value_set(row: list[int]) -> ValueSet:
    values: dict[str, Any] = {}
    for choices, position in zip(CHOICES.values(), row, strict=True):
        values = _merged(values, choices[position])
    release, namespace = values.pop("release", "gemma-operator"), values.pop("namespace", "gemma-system")
    return ValueSet("-".join(str(position) for position in row), release, namespace, values)


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merged(left[key], right[key]) for key in left.keys() & right.keys() if isinstance(right[key], dict)}
    return left | right | both

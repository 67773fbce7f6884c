"""The CustomResourceDefinition, made from the models.

``gemmactl crd`` prints it, the generator writes it into ``crds/`` and the chart. Rules are CEL in the schema: no
webhook, so nothing needs a certificate and nothing is down when the operator is.
"""

from typing import Any

import yaml

from gemma_operator.api.labels import API_VERSION, GROUP, KIND, PLURAL, SHORT_NAMES, SINGULAR, VERSION
from gemma_operator.api.structural import structural_schema
from gemma_operator.api.v1alpha1 import GemmaDeployment, GemmaDeploymentSpec, GemmaDeploymentStatus

NAME_RULE = {
    "rule": "self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    "message": "metadata.name becomes the name of a Service: use at most 40 lower-case letters, digits and dashes, "
    "starting with a letter and without dots",
}


def _column(name: str, path: str, description: str, kind: str = "string", wide: bool = False) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return column | ({"priority": 1} if wide else {})


READY = '.status.conditions[?(@.type=="Ready")]'
COLUMNS = [
    _column("Context", ".spec.contextLength", "Promised tokens of one request"),
    _column("Model", ".status.summary.model", "Variant and precision"),
    _column("GPUs", ".status.summary.gpus", "GPUs of one replica"),
    _column("Ready", ".status.summary.ready", "Engines that serve, of those wanted"),
    _column("Status", f"{READY}.reason", "Reason of the Ready condition"),
    _column("Age", ".metadata.creationTimestamp", "Since creation", kind="date"),
    _column("Input", ".status.summary.input", "What requests may contain", wide=True),
    _column("Checkpoint", ".status.plan.checkpoint", "Weights", wide=True),
    _column("Message", f"{READY}.message", "Message of the Ready condition", wide=True),
    _column("URL", ".status.url", "Where the service answers", wide=True),
]


def crd() -> dict[str, Any]:
    """The CRD as an object."""
    spec, status = structural_schema(GemmaDeploymentSpec), structural_schema(GemmaDeploymentStatus)
    spec["properties"]["replicas"]["default"] = 1
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": SINGULAR,
                "shortNames": list(SHORT_NAMES),
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": COLUMNS,
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "description": GemmaDeployment.__doc__,
                            "required": ["spec"],
                            "x-kubernetes-validations": [NAME_RULE],
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object"},
                                "spec": spec,
                                "status": status,
                            },
                        }
                    },
                }
            ],
        },
    }


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: the same rule object may stand in several places."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def render_crd() -> str:
    """The CRD as YAML, with a head that says where it comes from."""
    head = f"# {API_VERSION} {KIND}: generated from the models of gemma_operator.api; do not edit.\n"
    return head + yaml.dump(crd(), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)

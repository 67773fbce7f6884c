"""Names that are declared once: group, kind, labels, annotations.

A name never changes: running clusters hold it. Field managers are declared in ``kube.apply``.
"""

GROUP = "gemma-operator.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "GemmaDeployment"
PLURAL = "gemmadeployments"
SINGULAR = "gemmadeployment"
SHORT_NAMES = ("gd", "gemma")

NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
COMPONENT_LABEL = "app.kubernetes.io/component"
APP_NAME = "gemma"
MANAGED_BY = "gemma-operator"
ENGINE_COMPONENT = "engine"

DEPLOYMENT_LABEL = f"{GROUP}/deployment"
"""On every object that belongs to a GemmaDeployment; its value is the owner's name."""

SERVING_LABEL = f"{GROUP}/serving"
"""On pods that take requests. Never in a ReplicaSet selector: removing it drains a pod and keeps it owned."""

CATALOG_LABEL = f"{GROUP}/catalog"
"""On ConfigMaps that extend the catalog; the value is ``models`` or ``products``."""

PAUSED_ANNOTATION = f"{GROUP}/paused"
"""``"true"`` on a GemmaDeployment: its status is kept up to date, and nothing of it is created, changed or scaled."""

RECONCILE_AT_ANNOTATION = f"{GROUP}/reconcile-at"
"""A new value on a GemmaDeployment has it reconciled at once, with nodes and free GPUs counted anew."""

PLAN_HASH_ANNOTATION = f"{GROUP}/plan-hash"
RESTARTED_AT_ANNOTATION = "kubectl.kubernetes.io/restartedAt"

DRAIN_DEADLINE_ANNOTATION = f"{GROUP}/drain-deadline"
"""On a pod that the autoscaler takes away: the time at which it goes even if requests still run."""

DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost"
"""Kubernetes' own: of ready pods, a ReplicaSet removes the cheapest first."""

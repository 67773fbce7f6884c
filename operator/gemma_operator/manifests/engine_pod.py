"""The pod template of one engine.

Restricted Pod Security throughout: no root, no capabilities, a read-only root, every writable path named. Nothing
in it depends on the operator's version, on UIDs or on the cluster, so that the same plan gives the same template.
"""

from collections.abc import Mapping

from gemma_operator.api import labels
from gemma_operator.manifests.drain_time import drain_timeout_seconds
from gemma_operator.manifests.owner import KubeObject, Owner
from gemma_operator.manifests.pod_settings import PodSettings, as_objects
from gemma_operator.manifests.probes import grace_seconds, life_cycle, probes
from gemma_operator.manifests.scripts import scripts_name
from gemma_operator.planning.decision import Plan
from gemma_operator.planning.intake import MODEL_MOUNT_PATH
from gemma_operator.planning.record import digest
from gemma_operator.vllm.arguments import PORT
from gemma_operator.vllm.environment import POD_INFO_PATH, SCRATCH_PATH, SCRIPTS_PATH, environment
from gemma_operator.vllm.extra_arguments import sets_option
from gemma_operator.vllm.queue_limit import OPTION, queue_limit

CONTAINER = "engine"
USER_ID = 10001
PRODUCT_LABEL = "nvidia.com/gpu.product"
MEMORY_LABEL = "nvidia.com/gpu.memory"
MIB = 2**20


def engine_template(owner: Owner, plan: Plan, settings: PodSettings, scripts: Mapping[str, str]) -> KubeObject:
    """The template of the Deployment's pods."""
    pod_labels = dict(settings.labels) | owner.serving_selector | {labels.INSTANCE_LABEL: owner.name}
    spec: KubeObject = {
        "serviceAccountName": owner.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # As process 1 an engine that is still loading would ignore SIGTERM until its whole grace period is over.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": grace_seconds(drain_timeout_seconds(settings.drain_timeout_seconds, plan)),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "affinity": {"nodeAffinity": _product_affinity(plan)},
        "containers": [_container(plan, settings)],
        "volumes": _volumes(owner, plan, settings, scripts),
    }
    if settings.node_selector:
        spec["nodeSelector"] = dict(settings.node_selector)
    if settings.tolerations:
        spec["tolerations"] = as_objects(settings.tolerations)
    if settings.priority_class_name:
        spec["priorityClassName"] = settings.priority_class_name
    if settings.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in settings.image_pull_secrets]
    annotations = dict(settings.annotations)
    annotations[labels.PLAN_HASH_ANNOTATION] = digest([spec, pod_labels, annotations])
    return {"metadata": {"labels": pod_labels, "annotations": annotations}, "spec": spec}


def _product_affinity(plan: Plan) -> KubeObject:
    """By product; by memory only from a figure on, never an exact one, which moves with the driver."""
    terms = [{"key": PRODUCT_LABEL, "operator": "In", "values": [plan.accelerator.product]}]
    if plan.label_memory_above_mib is not None:
        terms.append({"key": MEMORY_LABEL, "operator": "Gt", "values": [str(plan.label_memory_above_mib)]})
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": terms}]}}


def _container(plan: Plan, settings: PodSettings) -> KubeObject:
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["vllm", "serve"],
        "args": [_literal(argument) for argument in (*plan.args, *_queue_arguments(plan, settings))],
        "env": _environment(plan, settings),
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": _resources(plan, settings),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(settings),
        **probes(plan, settings),
        "lifecycle": life_cycle(drain_timeout_seconds(settings.drain_timeout_seconds, plan)),
    }


def _queue_arguments(plan: Plan, settings: PodSettings) -> tuple[str, ...]:
    """The limit on requests in flight. It is no part of the plan: a change of a latency target moves no plan."""
    if not settings.queue_targets_seconds or sets_option(plan.launch.extra_args, OPTION):
        return ()
    first_token, inter_token = settings.queue_targets_seconds
    limit = queue_limit(
        max_num_seqs=plan.launch.max_num_seqs,
        kv_tokens=int(plan.max_concurrency * plan.context_length),
        concurrent_requests=plan.concurrent_requests,
        time_to_first_token_seconds=first_token,
        inter_token_seconds=inter_token,
    )
    return f"--{OPTION}", str(limit)


def _environment(plan: Plan, settings: PodSettings) -> list[KubeObject]:
    variables: list[KubeObject] = [{"name": name, "value": _literal(value)} for name, value in environment(plan.launch)]
    if settings.api_key_secret is not None:
        secret, key = settings.api_key_secret
        variables.append({"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
    return variables


def _literal(text: str) -> str:
    """The text as the kubelet hands it on unchanged: it would put a variable, the API key too, in for ``$(NAME)``."""
    return text.replace("$", "$$")


def _resources(plan: Plan, settings: PodSettings) -> KubeObject:
    """GPUs as limits; CPU, memory and disk always requested, or the pod would be the first to go."""
    gpus = {plan.accelerator.resource: str(plan.tensor_parallel_size)}
    requests = {
        "cpu": f"{plan.host.cpu_millicores}m",
        "memory": f"{plan.host.memory_bytes // MIB}Mi",
        "ephemeral-storage": f"{plan.host.ephemeral_storage_bytes // MIB}Mi",
    }
    return {"requests": requests | dict(settings.requests) | gpus, "limits": dict(settings.limits) | gpus}


def _mounts(settings: PodSettings) -> list[KubeObject]:
    mounts: list[KubeObject] = [
        {"name": "scratch", "mountPath": SCRATCH_PATH},
        {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - the place where NCCL looks
        {"name": "scripts", "mountPath": SCRIPTS_PATH, "readOnly": True},
        {"name": "pod-info", "mountPath": POD_INFO_PATH, "readOnly": True},
    ]
    if settings.claim_name is not None:
        mounts.append({"name": "model", "mountPath": MODEL_MOUNT_PATH, "readOnly": True})
    return mounts


def _volumes(owner: Owner, plan: Plan, settings: PodSettings, scripts: Mapping[str, str]) -> list[KubeObject]:
    scratch = f"{plan.host.ephemeral_storage_bytes // MIB}Mi"
    shared = f"{plan.host.shared_memory_bytes // MIB}Mi"
    pod_labels = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    volumes: list[KubeObject] = [
        {"name": "scratch", "emptyDir": {"sizeLimit": scratch}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": shared}},
        {"name": "scripts", "configMap": {"name": scripts_name(owner, scripts)}},
        {"name": "pod-info", "downwardAPI": {"items": pod_labels}},
    ]
    if settings.claim_name is not None:
        claim = {"claimName": settings.claim_name, "readOnly": True}
        volumes.append({"name": "model", "persistentVolumeClaim": claim})
    return volumes

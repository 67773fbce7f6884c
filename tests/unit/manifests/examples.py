"""Two GemmaDeployments with everything that they own, for tests and golden files.

The plans have fixed numbers, so that a golden file changes when a builder changes and not when the arithmetic does.
"""

from dataclasses import replace
from typing import Any

from gemma_operator.api.v1alpha1.spec import GemmaDeploymentSpec
from gemma_operator.catalog.precision import KVCacheDtype, Modality
from gemma_operator.manifests.deployment import Strategy, deployment
from gemma_operator.manifests.disruption_budget import disruption_budget
from gemma_operator.manifests.engine_pod import engine_template
from gemma_operator.manifests.network_policy import network_policy
from gemma_operator.manifests.owner import KubeObject, Owner
from gemma_operator.manifests.pod_settings import PodSettings, pod_settings
from gemma_operator.manifests.scripts import scripts_config_map
from gemma_operator.manifests.service import service
from gemma_operator.manifests.service_account import service_account
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.decision import HostRequests, Plan
from gemma_operator.vllm.arguments import arguments
from gemma_operator.vllm.launch import EngineLaunch, MediaLimits
from gemma_operator.vllm.release import DEFAULT_ENGINE_IMAGE
from tests.unit.planning.asks import K
from tests.unit.vllm.launches import TEXT, launch, planned

OWNER = Owner("team", "assistant", "0f1e2d3c-0000-4000-8000-000000000000")
SCRIPTS = {"startup_probe.py": "print('started')\n", "logging.json": "{}\n"}
GIB = 2**30


def settings(**spec: Any) -> PodSettings:
    """The pod settings of a spec, read as the operator reads one."""
    return pod_settings(GemmaDeploymentSpec.model_validate({"contextLength": "64K"} | spec), DEFAULT_ENGINE_IMAGE)


def fixed_plan(engine: EngineLaunch) -> Plan:
    """A plan of the planner's with fixed arguments and host requests."""
    size = engine.tensor_parallel_size
    return replace(
        planned(Ask(64 * K), L40S=1),
        tensor_parallel_size=size,
        context_length=engine.context_length,
        launch=engine,
        args=arguments(engine),
        host=HostRequests(1000 + 1000 * size, 16 * GIB * size, 2 * GIB * size, 24 * GIB),
    )


def hub_plan() -> Plan:
    """Text from the Hub on one GPU."""
    return fixed_plan(launch())


def claim_plan() -> Plan:
    """Images, weights on a volume, two GPUs, extras."""
    return fixed_plan(
        launch(
            model="/models/gemma-4-12b",
            tensor_parallel_size=2,
            kv_cache_dtype=KVCacheDtype.BF16,
            modalities=TEXT | {Modality.IMAGE},
            media=MediaLimits(image_tokens=560, max_items=4),
            audio_encoder=True,
            extra_args=("--seed", "7"),
            extra_env=(("NCCL_DEBUG", "WARN"),),
        )
    )


def hub_settings() -> PodSettings:
    """Nothing but a context length."""
    return settings()


def claim_settings() -> PodSettings:
    """Every field that shows in a pod."""
    return settings(
        model={"source": {"volumeClaim": {"name": "weights", "path": "gemma-4-12b"}}, "variant": "12B",
               "checkpoint": "acme/gemma-4-12b", "modalities": ["Text", "Image"]},
        accelerators={"nodeSelector": {"pool": "gpu"},
                      "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]},
        engine={"image": "registry.example.com/vllm@sha256:" + "0" * 64,
                "apiKeySecretRef": {"name": "assistant-key", "key": "token"},
                "pod": {"requests": {"memory": "40Gi"}, "limits": {"memory": "48Gi"}, "labels": {"team": "search"},
                        "annotations": {"cost/centre": "42"}, "priorityClassName": "serving",
                        "imagePullSecrets": ["registry"]}},
        rollout={"startupBudgetSeconds": 1800, "drainTimeoutSeconds": 600},
    )  # fmt: skip


def template(plan: Plan, pod: PodSettings, owner: Owner = OWNER) -> KubeObject:
    """The pod template of a plan."""
    return engine_template(owner, plan, pod, SCRIPTS)


def examples() -> dict[str, KubeObject]:
    """Every object by the name of its golden file."""
    hub, claim = template(hub_plan(), hub_settings()), template(claim_plan(), claim_settings())
    return {
        "deployment": deployment(OWNER, hub, Strategy(max_surge=1, max_unavailable=0), 3900),
        "deployment_everything": deployment(OWNER, claim, Strategy(max_surge=0, max_unavailable=1), 2400),
        "service": service(OWNER),
        "service_account": service_account(OWNER),
        "disruption_budget": disruption_budget(OWNER),
        "network_policy_hub": network_policy(OWNER, True, "gemma-system"),
        "network_policy_volume": network_policy(OWNER, False, "gemma-system"),
        "scripts": scripts_config_map(OWNER, SCRIPTS),
    }

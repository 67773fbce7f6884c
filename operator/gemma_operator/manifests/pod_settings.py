"""What a spec says about engine pods beyond the plan. A change here renders new pods.

Of all this the plan knows the requests alone.
"""

from dataclasses import dataclass

from gemma_operator.api.v1alpha1.autoscaling import duration_seconds
from gemma_operator.api.v1alpha1.spec import GemmaDeploymentSpec
from gemma_operator.manifests.owner import KubeObject

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PodSettings:
    """Scheduling, access and overlay of the pods. Times in seconds, amounts as Kubernetes quantities.

    ``queue_targets_seconds`` are the targets for the first and for each further token where the engine is to turn
    away what would wait too long, empty where it is not. Without ``drain_timeout_seconds`` it follows from the plan.
    """

    image: str
    claim_name: str | None
    api_key_secret: tuple[str, str] | None
    node_selector: Pairs
    tolerations: tuple[Pairs, ...]
    requests: Pairs
    limits: Pairs
    labels: Pairs
    annotations: Pairs
    priority_class_name: str | None
    image_pull_secrets: tuple[str, ...]
    startup_budget_seconds: int
    drain_timeout_seconds: int | None
    queue_targets_seconds: tuple[float, ...] = ()


def pod_settings(spec: GemmaDeploymentSpec, default_image: str) -> PodSettings:
    """The settings of a spec; ``default_image`` is used where it names none."""
    overlay, source, key = spec.engine.pod, spec.model.source, spec.engine.api_key_secret_ref
    return PodSettings(
        image=spec.engine.image or default_image,
        claim_name=source.volume_claim.name if source else None,
        api_key_secret=(key.name, key.key) if key else None,
        node_selector=tuple(sorted(spec.accelerators.node_selector.items())),
        tolerations=tuple(
            tuple(toleration.model_dump(exclude_none=True).items()) for toleration in spec.accelerators.tolerations
        ),
        requests=tuple(overlay.requests.model_dump(exclude_none=True).items()) if overlay.requests else (),
        limits=tuple(overlay.limits.model_dump(exclude_none=True).items()) if overlay.limits else (),
        labels=tuple(sorted(overlay.labels.items())),
        annotations=tuple(sorted(overlay.annotations.items())),
        priority_class_name=overlay.priority_class_name,
        image_pull_secrets=overlay.image_pull_secrets,
        startup_budget_seconds=spec.rollout.startup_budget_seconds,
        drain_timeout_seconds=spec.rollout.drain_timeout_seconds,
        queue_targets_seconds=_queue_targets(spec),
    )


def _queue_targets(spec: GemmaDeploymentSpec) -> tuple[float, ...]:
    """Only where new replicas answer to what is turned away."""
    if spec.autoscaling is None or not spec.scales_itself or spec.autoscaling.queue_limit == "Disabled":
        return ()
    targets = spec.autoscaling.targets
    return duration_seconds(targets.time_to_first_token), duration_seconds(targets.inter_token_latency)


def as_objects(tolerations: tuple[Pairs, ...]) -> list[KubeObject]:
    """Tolerations as a pod wants them."""
    return [dict(toleration) for toleration in tolerations]

"""What a roll-out or a first start waits for, in one sentence with its number. Pure."""

from collections.abc import Mapping

from gemma_operator.api.conditions import Reason
from gemma_operator.controller.choose import Choice, template_digest
from gemma_operator.controller.observation import Observation

PULLING = ("ContainerCreating", "ErrImagePull", "ImagePullBackOff", "Pulling")


def waiting_for(seen: Observation, choice: Choice) -> tuple[Reason, str]:
    """Reason and sentence: GPUs, image, start, or the roll-out itself."""
    if choice.record is None or choice.record.plan is None:
        return Reason.PROGRESSING, "waiting for the engines"
    plan, digest = choice.record.plan, template_digest(choice.record)
    new = [pod for pod in seen.pods if pod.template_digest == digest and not pod.terminating]
    unschedulable = [pod for pod in new if pod.unschedulable]
    if unschedulable:
        gpus = len(unschedulable) * plan.tensor_parallel_size
        free = _free_text(seen.free_gpus_for(plan))
        said = unschedulable[0].unschedulable
        return Reason.WAITING_FOR_GPUS, f"waiting for {gpus} × {plan.accelerator.id}; {free}: {said}"
    refused = _creation_failure(seen)
    if refused:
        return Reason.ADMISSION_REFUSED, refused
    for pod in new:
        if pod.waiting.startswith(PULLING):
            return Reason.PULLING_IMAGE, f"pod {pod.name}: {pod.waiting}"
        if pod.waiting:
            return Reason.ENGINE_FAILED, f"pod {pod.name}: {pod.waiting}"
    starting = [pod for pod in new if not pod.ready]
    if starting:
        names = ", ".join(pod.name for pod in starting[:3])
        return Reason.STARTING, f"waiting for {len(starting)} engines to load and answer: {names}"
    old = sum(pod.template_digest != digest for pod in seen.pods)
    if old:
        return Reason.ROLLING_OUT, f"{len(new)} engines run the new plan, {old} old ones are left"
    return Reason.PROGRESSING, f"{len(new)} of {seen.desired_replicas} engines exist"


def _free_text(free_gpus: Mapping[str, int] | None) -> str:
    return "free GPUs are unknown" if free_gpus is None else f"{sum(free_gpus.values())} free"


def _creation_failure(seen: Observation) -> str:
    """Quota and admission say no to the ReplicaSet; the Deployment repeats their words."""
    for condition in ((seen.deployment or {}).get("status") or {}).get("conditions") or ():
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            return str(condition.get("message", "pods can't be created"))
    return ""

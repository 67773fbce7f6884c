"""Where a roll-out stands, and how its next pod finds GPUs. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from gemma_operator.api import labels
from gemma_operator.controller.choose import Choice, template_digest
from gemma_operator.controller.observation import Observation
from gemma_operator.controller.pod_facts import PodFacts
from gemma_operator.kube.resources import JsonObject
from gemma_operator.manifests.deployment import Strategy
from gemma_operator.planning.packing import Packing, Way, pack

COMPLETE = "NewReplicaSetAvailable"


@dataclass(frozen=True, slots=True)
class RolloutState:
    """The Deployment's own counts, and whether it has acted on the template in force.

    ``timed_out``: the new pods did not become ready within the start-up budget. ``needed``: how many must be ready.
    """

    exists: bool
    applied: bool
    desired: int
    replicas: int
    updated: int
    ready: int
    timed_out: bool
    settled: bool = False
    needed: int = 0

    @property
    def done(self) -> bool:
        """All pods are of the template in force and ready, none is left over.

        Of an autoscaled fleet whose roll-out has ended (``settled``) only the least number must be ready: pods that
        come and go with the load are no roll-out.
        """
        if self.settled:
            return self.ready >= self.needed
        return self.applied and self.updated == self.ready == self.replicas == self.desired


def rollout_state(seen: Observation, choice: Choice) -> RolloutState:
    """The state, from the Deployment's status and from the pods themselves."""
    desired = seen.desired_replicas
    serving = sum(pod.ready and pod.serving and not pod.terminating for pod in seen.pods)
    if seen.deployment is None or choice.record is None:
        return RolloutState(False, False, desired, len(seen.pods), 0, serving, False)
    spec, status = seen.deployment["spec"], seen.deployment.get("status") or {}
    digest = template_digest(choice.record)
    ours = (spec["template"]["metadata"].get("annotations") or {}).get(labels.PLAN_HASH_ANNOTATION, "") == digest
    scaled = seen.autoscaled
    return RolloutState(
        exists=True,
        applied=ours and observed(seen.deployment) and (scaled or int(spec.get("replicas", 1)) == desired),
        desired=desired,
        replicas=int(status.get("replicas", 0)),
        updated=int(status.get("updatedReplicas", 0)),
        ready=serving,
        timed_out=progress(seen.deployment) == "ProgressDeadlineExceeded",
        settled=scaled
        and ours
        and progress(seen.deployment) == COMPLETE
        and all(pod.template_digest == digest for pod in seen.pods if not pod.terminating),
        needed=min(seen.least_replicas, desired),
    )


def observed(deployment: JsonObject) -> bool:
    """Whether the Deployment's status is about its present spec."""
    return int((deployment.get("status") or {}).get("observedGeneration", 0)) >= int(
        deployment["metadata"]["generation"]
    )


def progress(deployment: JsonObject) -> str:
    """The reason of the Deployment's Progressing condition. Scaling does not move it, a new template does."""
    found = (deployment.get("status") or {}).get("conditions") or ()
    return next((str(item.get("reason", "")) for item in found if item["type"] == "Progressing"), "")


def complete(deployment: JsonObject) -> bool:
    """Whether the last roll-out has ended well and none has begun since."""
    status = deployment.get("status") or {}
    all_new = status.get("updatedReplicas", 0) == status.get("replicas", 0)
    return observed(deployment) and all_new and progress(deployment) == COMPLETE


def packing(seen: Observation, choice: Choice) -> Packing | None:
    """How a changed template is rolled out; ``None`` when there is nothing to roll out, or room is already made."""
    if choice.record is None or choice.record.plan is None:
        return None
    new = _of_the_new_template(seen, template_digest(choice.record))
    bound = [pod for pod in seen.pods if pod.node]
    old = [pod for pod in bound if pod not in new and not pod.terminating]
    if not old:
        return None
    plan = choice.record.plan
    own: dict[str, list[int]] = defaultdict(list)
    for pod in old:
        own[pod.node].append(pod.gpus)
    leaving: Counter[str] = Counter()
    for pod in bound:
        leaving[pod.node] += pod.gpus if pod.terminating else 0
    free = seen.free_gpus_for(plan)
    # A new pod that is bound already holds its GPUs, and one that waits gets those of a pod that ends.
    if free is not None and any(pod.node or leaving.total() for pod in new if not pod.ready):
        return None
    return pack(
        plan.tensor_parallel_size,
        free,
        {node: tuple(sizes) for node, sizes in own.items()},
        plan.accelerator.id,
        leaving,
    )


def _of_the_new_template(seen: Observation, digest: str) -> list[PodFacts]:
    """The pods that stay. Of those with our template, the youngest one's hash is the newest: others were restarted.

    Times are whole seconds; of two from one second the newer is the one that is not ready yet.
    """
    ours = [pod for pod in seen.pods if pod.template_digest == digest and not pod.terminating]
    newest = max(ours, key=lambda pod: (pod.created_at, not pod.ready)).template_hash if ours else ""
    return [pod for pod in ours if pod.template_hash == newest]


def strategy(seen: Observation, found: Packing | None) -> Strategy:
    """The strategy to apply: that of the packing, else during a roll-out what the live Deployment has.

    At rest it is one new pod first: a user may restart the engines at any time, and Kubernetes acts before us.
    """
    if found is not None and found.way is not Way.REFUSE:
        return Strategy(found.max_surge, found.max_unavailable)
    if found is None and (seen.deployment is None or complete(seen.deployment)):
        return Strategy(1, 0)
    rolling = ((seen.deployment or {}).get("spec", {}).get("strategy") or {}).get("rollingUpdate") or {}
    surge, unavailable = rolling.get("maxSurge", 1), rolling.get("maxUnavailable", 0)
    if not isinstance(surge, int) or not isinstance(unavailable, int) or surge + unavailable == 0:
        return Strategy(1, 0)
    return Strategy(surge, unavailable)

"""Counts what a drain did: pods taken out, taken back and ended, and the requests that were still in those that ended.

Called by the scaling loop once the actions are carried out. Pure but for the counters that it raises.
"""

from gemma_operator.autoscaling.drain import DrainActions, DrainScene
from gemma_operator.manifests.owner import Owner
from gemma_operator.telemetry.metrics import Metrics


def count_drains(metrics: Metrics, owner: Owner, scene: DrainScene, actions: DrainActions) -> None:
    """Raise the counters by one set of actions.

    A victim that told no figure counts as empty: what is not known is no cut request.
    """
    about = owner.namespace, owner.name
    victims = [pod for pod in scene.pods if pod.uid in actions.victims]
    metrics.drains_total.labels(*about, "started").inc(len(actions.drain))
    metrics.drains_total.labels(*about, "taken_back").inc(len(actions.release))
    metrics.drains_total.labels(*about, "ended").inc(sum(pod.draining for pod in victims))
    metrics.cut_requests_total.labels(*about).inc(sum(pod.in_flight or 0.0 for pod in victims if pod.ready))

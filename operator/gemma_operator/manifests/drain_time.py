"""How long a pod may take to end its requests, where the spec does not say.

An answer may fill the whole context, so the time for that is the default. Called by the builders of probes and by the
controller. A whole answer of the longest contexts takes hours: nobody's node upgrade waits for so long, hence the cap.
"""

from gemma_operator.planning.decision import Plan

LEAST_SECONDS = 60
MOST_SECONDS = 3600


def drain_timeout_seconds(given_seconds: int | None, plan: Plan) -> int:
    """What the spec gives, else the time of the longest answer, in whole minutes and within bounds."""
    if given_seconds is not None:
        return given_seconds
    minutes = -(-plan.longest_answer_seconds // 60)
    return min(max(minutes * 60, LEAST_SECONDS), MOST_SECONDS)

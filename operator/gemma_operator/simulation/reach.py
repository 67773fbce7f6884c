"""Requests that no number of replicas serves within their targets: even an engine with nothing else to do is too slow.

Called by the command line and the bench, so that a fleet is not blamed for a slow card.
"""

from gemma_operator.simulation.arrivals import Arrival, Trace
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.report import Objectives
from gemma_operator.simulation.request import Outcome, Request


def out_of_reach(trace: Trace, engine: Engine, objectives: Objectives) -> int:
    """How many requests of the trace an idle engine would answer too late or too slowly."""
    return sum(not objectives.met(_alone(arrival, engine)) for arrival in trace.arrivals)


def _alone(arrival: Arrival, engine: Engine) -> Request:
    """The request as an idle engine answers it."""
    costs, request = engine.costs, Request(0.0, arrival.prompt_tokens, arrival.answer_tokens)
    request.first_token = costs.prefill_seconds(arrival.prompt_tokens, engine.max_num_batched_tokens)
    held = arrival.prompt_tokens + arrival.answer_tokens / 2
    step_ms = costs.decode_ms(1, held)
    request.ended = request.first_token + step_ms / 1000 * (arrival.answer_tokens - 1)
    request.outcome = Outcome.ANSWERED
    return request

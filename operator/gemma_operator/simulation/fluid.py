"""The load as a fluid: how many replicas a steady flow of average requests would fill.

Called by the bench to begin scenarios that have no bound at a size that fits them. Knows no bursts and no chance.
"""

import math

from gemma_operator.simulation.arrivals import Trace
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.report import Objectives

PREFILL_SHARE = 0.6
"""Most of its time that an engine may spend on prompts."""

FILLED_SHARE = 0.8


def answer_tokens_per_second(trace: Trace, engine: Engine, objectives: Objectives) -> float:
    """What one replica carries of this mix: the batch that seats, cache and the inter-token target allow, at its speed.

    Each token brings its share of a prompt along, so a batch of B has steps of ``base + (sequence + prefill) × B``.
    """
    costs, count = engine.costs, len(trace.arrivals)
    prompt = sum(one.prompt_tokens for one in trace.arrivals) / count
    answer = sum(one.answer_tokens for one in trace.arrivals) / count
    held = prompt + answer / 2
    sequence = (costs.per_sequence_ms + costs.per_kv_token_ms * held) / 1000
    prefill = (costs.per_prompt_token_ms + costs.per_prompt_token_context_ms * prompt / 2) / 1000 * prompt / answer
    batch = min(FILLED_SHARE * engine.kv_tokens / held, engine.max_num_seqs)
    base = costs.decode_ms(1, 0.0) / 1000
    batch = max(1.0, min(batch, (objectives.inter_token_seconds - base) / (sequence + prefill)))
    return min(batch / (base + (sequence + prefill) * batch), PREFILL_SHARE / prefill)


def fluid_replicas(trace: Trace, engine: Engine, objectives: Objectives) -> int:
    """Replicas that the mean load of a trace fills to four fifths; at least one."""
    demand = sum(one.answer_tokens for one in trace.arrivals) / trace.seconds
    return max(1, math.ceil(demand / (FILLED_SHARE * answer_tokens_per_second(trace, engine, objectives))))

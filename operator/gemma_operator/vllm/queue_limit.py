"""How many requests an engine lets in at once, so that a surge is told 503 early and does not wait for minutes.

vLLM's ``--max-num-queued-reqs`` (0.32) counts requests that run and those that wait, and answers 503 beyond. The limit
is what can run, and as many more as get their turn within the target for the first token. Called by the pod builder.
"""

import math

OPTION = "max-num-queued-reqs"
POOL_SHARE = 0.85
"""Of the KV pool: above it requests wait for one that ends, or are computed twice."""

TYPICAL_REQUEST_TOKENS = 1366
TYPICAL_ANSWER_TOKENS = 211
"""What a request holds in the cache and what it generates: means of the Azure 2023 conversation trace. A limit far
above what runs within the pace lets a surge slow everybody down instead of turning some away (``make bench``)."""


def queue_limit(
    *,
    max_num_seqs: int,
    kv_tokens: int,
    concurrent_requests: int,
    time_to_first_token_seconds: float,
    inter_token_seconds: float,
) -> int:
    """Requests in flight at most.

    While ``n`` run, one ends every ``answer tokens × time per token / n``: so many per second leave the queue.
    """
    running = min(max_num_seqs, max(concurrent_requests, int(POOL_SHARE * kv_tokens) // TYPICAL_REQUEST_TOKENS, 1))
    request_seconds = TYPICAL_ANSWER_TOKENS * inter_token_seconds
    return running + max(1, math.ceil(running * time_to_first_token_seconds / request_seconds))

"""How many requests an engine lets in at once, so that a surge is told 503 early and does not wait for minutes.

vLLM's ``--max-num-queued-reqs`` (0.32) counts requests that run and those that wait, and answers 503 beyond. The limit
is what can run, and as many more as get their turn within the target for the first token. Called by the pod builder.
"""

import math

OPTION = "max-num-queued-reqs"
TYPICAL_REQUEST_TOKENS = 1024
TYPICAL_ANSWER_TOKENS = 256
"""What a request holds in the cache and what it generates, in the middle of public traces of conversations."""


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
    running = min(max_num_seqs, max(concurrent_requests, kv_tokens // TYPICAL_REQUEST_TOKENS, 1))
    request_seconds = TYPICAL_ANSWER_TOKENS * inter_token_seconds
    return running + max(1, math.ceil(running * time_to_first_token_seconds / request_seconds))

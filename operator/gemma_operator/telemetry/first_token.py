"""The bucket of vLLM's histogram by which a target for the first token is judged.

An objective can only be counted at a bound that the histogram has: a rule that asks for ``le="2.0"`` finds nothing and
stays green for ever. The operator therefore publishes the bound with the target, and the rules join on it.
Called by what measures; must never guess a bound that vLLM does not publish.
"""

FIRST_TOKEN_BUCKETS = (
    *("0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1.0", "2.5", "5.0"),
    *("7.5", "10.0", "20.0", "40.0", "80.0", "160.0", "640.0", "2560.0"),
)
"""Bounds of ``vllm:time_to_first_token_seconds``, as its label ``le`` writes them (vLLM 0.32; the same since 0.19)."""


def first_token_bucket(target_seconds: float) -> str:
    """The smallest bound that is not below the target.

    >>> first_token_bucket(2.0)
    '2.5'
    """
    return next((bound for bound in FIRST_TOKEN_BUCKETS if float(bound) >= target_seconds), FIRST_TOKEN_BUCKETS[-1])

"""How many requests an engine lets in before it says 503."""

from gemma_operator.vllm.queue_limit import queue_limit


def limit(**changes: float) -> int:
    values = {"max_num_seqs": 256, "kv_tokens": 98_304, "concurrent_requests": 1}
    targets = {"time_to_first_token_seconds": 2.0, "inter_token_seconds": 0.06}
    return queue_limit(**values | targets | changes)  # type: ignore[arg-type]


def test_what_the_pool_holds_runs_and_two_seconds_worth_may_wait() -> None:
    """61 run; each takes 211 × 60 ms, so 4.8 a second leave and 10 wait two seconds."""
    assert limit() == 61 + 10


def test_a_large_pool_is_bounded_by_the_batch() -> None:
    assert limit(kv_tokens=10_000_000) == 256 + 41


def test_a_stricter_target_lets_fewer_wait() -> None:
    assert limit(time_to_first_token_seconds=0.5) == 61 + 3


def test_the_promised_concurrency_and_one_more_are_always_let_in() -> None:
    assert limit(kv_tokens=500, concurrent_requests=4, time_to_first_token_seconds=0.001) == 5

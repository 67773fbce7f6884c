"""What a simulated replica is made of: the plan's limits and the time of one engine step."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class StepCosts:
    """Time of one step with B decoding requests that hold K tokens, and a prefill chunk of n tokens after ctx others.

    ``base + moe × (1 − (1 − 8/128)^B) + per_sequence × B + per_kv_token × K + per_prompt_token × n
    + per_prompt_token_context × n × ctx``, all in milliseconds. The ``moe`` term is the expected share of 128 experts
    that B requests touch with eight each; 0 for a dense model.
    """

    base_ms: float
    moe_ms: float
    per_sequence_ms: float
    per_kv_token_ms: float
    per_prompt_token_ms: float
    per_prompt_token_context_ms: float

    def derated(self, factor: float) -> "StepCosts":
        """The same engine, ``factor`` times slower."""
        return StepCosts(
            self.base_ms * factor,
            self.moe_ms * factor,
            self.per_sequence_ms * factor,
            self.per_kv_token_ms * factor,
            self.per_prompt_token_ms * factor,
            self.per_prompt_token_context_ms * factor,
        )

    def decode_ms(self, decoding: int, kv_tokens: float) -> float:
        """One step without a prompt in it."""
        milliseconds = self.base_ms + self.per_sequence_ms * decoding + self.per_kv_token_ms * kv_tokens
        if self.moe_ms:
            milliseconds += self.moe_ms * (1 - (1 - 8 / 128) ** max(1, decoding))
        return milliseconds

    def prefill_seconds(self, prompt_tokens: int, chunk_tokens: int) -> float:
        """Time that a prompt takes on an idle engine, in chunks of at most ``chunk_tokens``.

        The context of a chunk is the mean over its tokens of what they attend to: all before the chunk and half of it.
        """
        chunks = -(-prompt_tokens // chunk_tokens)
        attention = self.per_prompt_token_context_ms * prompt_tokens * prompt_tokens / 2
        return (chunks * self.decode_ms(0, 0) + self.per_prompt_token_ms * prompt_tokens + attention) / 1000


@dataclass(frozen=True, slots=True)
class Engine:
    """One replica: step costs, and the limits that vLLM's scheduler works under.

    ``queue_limit`` is vLLM's ``--max-num-queued-reqs``: a request that comes while as many are running or waiting gets
    503; ``None`` lets all wait.
    """

    costs: StepCosts
    kv_tokens: int
    max_num_seqs: int
    max_num_batched_tokens: int
    queue_limit: int | None = None
    gpus: int = 1

    def derated(self, factor: float) -> "Engine":
        """The same engine with slower steps."""
        return replace(self, costs=self.costs.derated(factor))

    def limited_to(self, requests: int | None) -> "Engine":
        """The same engine with a queue limit."""
        return replace(self, queue_limit=requests)

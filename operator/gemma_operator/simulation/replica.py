"""One engine: continuous batching with chunked prefill, as vLLM's scheduler does it, in macro-steps.

While the batch does not change, many decode steps are one event; a request that comes in between cuts them at the next
step. Called by the fleet; knows nothing of other replicas. Simplified: blocks are tokens, no prefix cache.
"""

import heapq
import math
from collections import deque

from gemma_operator.autoscaling.sample import Sample
from gemma_operator.simulation.counters import Counters
from gemma_operator.simulation.engine import Engine
from gemma_operator.simulation.request import Outcome, Request


class Replica:
    """An engine that is up. ``until`` is when its present steps end (infinite when idle)."""

    __slots__ = (
        "_admitted", "_chunks", "_decode_steps", "_decoding_kv", "_endings", "_engine", "_now", "_prefilling",
        "_step_seconds", "_steps", "_used_kv", "_waiting", "counters", "until",
    )  # fmt: skip

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.counters = Counters()
        self.until = math.inf
        self._now = 0.0
        self._steps = 0
        self._step_seconds = 0.0
        self._chunks: list[tuple[Request, int]] = []
        self._decode_steps = 0
        self._endings: list[tuple[int, int, Request]] = []
        self._admitted = 0
        self._decoding_kv = 0
        self._used_kv = 0
        self._prefilling: deque[Request] = deque()
        self._waiting: deque[Request] = deque()

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self._endings) + len(self._prefilling)

    @property
    def in_flight(self) -> int:
        """Requests running or waiting, at the time it was last advanced to."""
        return len(self._endings) + len(self._prefilling) + len(self._waiting)

    def submit(self, request: Request, now: float) -> None:
        """Take a request, or shed it at the queue limit."""
        if self.until <= now:
            self.advance(now)
        limit = self._engine.queue_limit
        if limit is not None and self.in_flight >= limit:
            request.outcome, request.ended = Outcome.SHED, now
            self.counters.rejected += 1
            return
        self._waiting.append(request)
        if self.until == math.inf:
            self._begin(now)
        elif self._steps > 1 and len(self._waiting) == 1 and self._fits(request):
            done = max(1, math.ceil((now - self._now) / self._step_seconds))
            if done < self._steps:
                self._steps = done
                self.until = self._now + done * self._step_seconds

    def advance(self, now: float) -> None:
        """Run all steps that end by ``now``."""
        while self.until <= now:
            self._finish()
            self._begin(self.until)

    def abandon(self, now: float) -> None:
        """End the engine; what it had in flight is lost."""
        self.advance(now)
        cut = [entry[2] for entry in self._endings] + list(self._prefilling) + list(self._waiting)
        for request in cut:
            request.outcome, request.ended = Outcome.LOST, now
        self._endings.clear()
        self._prefilling.clear()
        self._waiting.clear()
        self.until = math.inf

    def sample(self, now: float) -> Sample:
        """What a scrape at ``now`` reads. Room is promised to a whole prompt at once but used chunk by chunk."""
        self.advance(now)
        if self._steps > 1:
            done = min(self._steps - 1, int((now - self._now) / self._step_seconds))
            self._decode(done)
            self._steps -= done
            self._now += done * self._step_seconds
        promised = sum(request.to_compute - request.computed for request in self._prefilling)
        usage = (self._used_kv - promised) / self._engine.kv_tokens
        return self.counters.sample(now, self.running, len(self._waiting), usage)

    def _fits(self, request: Request) -> bool:
        """Whether a request may join: a seat is free, and it leaves a hundredth of the pool (vLLM's watermark)."""
        engine, running = self._engine, self.running
        if running == 0:
            return True
        room = engine.kv_tokens - engine.kv_tokens // 100 - self._used_kv
        return running < engine.max_num_seqs and request.to_compute <= room

    def _begin(self, now: float) -> None:
        """Schedule the next steps: decodes first, then prompts under way, then waiting ones, in vLLM's order."""
        engine, costs, decoding = self._engine, self._engine.costs, len(self._endings)
        preempted = False
        while decoding and self._used_kv + decoding > engine.kv_tokens and self.running > 1:
            self._preempt()
            decoding, preempted = len(self._endings), True
        milliseconds = costs.decode_ms(decoding, self._decoding_kv)
        self._now = now
        self._chunks = []
        if self._prefilling or self._waiting:
            self._schedule_prefill(engine.max_num_batched_tokens - decoding, admit=not preempted)
            for request, tokens in self._chunks:
                context = request.computed + tokens / 2
                milliseconds += tokens * (costs.per_prompt_token_ms + costs.per_prompt_token_context_ms * context)
        if self._chunks:
            self._steps = 1
        elif decoding:
            self._steps = min(
                self._endings[0][0] - self._decode_steps, max(1, (engine.kv_tokens - self._used_kv) // decoding)
            )
            milliseconds += costs.per_kv_token_ms * decoding * (self._steps - 1) / 2
        else:
            self.until = math.inf
            self._steps = 0
            return
        self._step_seconds = milliseconds / 1000
        self.until = now + self._steps * self._step_seconds

    def _schedule_prefill(self, budget: int, admit: bool) -> None:
        for request in self._prefilling:
            if budget <= 0:
                return
            tokens = min(budget, request.to_compute - request.computed)
            self._chunks.append((request, tokens))
            budget -= tokens
        while admit and budget > 0 and self._waiting and self._fits(self._waiting[0]):
            request = self._waiting.popleft()
            self._prefilling.append(request)
            self._used_kv += request.to_compute
            if request.first_token < 0:
                self.counters.scheduled_prompt_tokens += request.prompt_tokens
            tokens = min(budget, request.to_compute)
            self._chunks.append((request, tokens))
            budget -= tokens

    def _finish(self) -> None:
        now = self.until
        self._decode(self._steps)
        endings = self._endings
        while endings and endings[0][0] <= self._decode_steps:
            self._end(heapq.heappop(endings)[2], now)
        for request, tokens in self._chunks:
            request.computed += tokens
            if request.computed == request.to_compute:
                self._prefilling.remove(request)
                self._first_token(request, now)

    def _decode(self, steps: int) -> None:
        decoding = len(self._endings)
        if not (decoding and steps):
            return
        tokens = decoding * steps
        self._decode_steps += steps
        self._decoding_kv += tokens
        self._used_kv += tokens
        self.counters.generation_tokens += tokens
        self.counters.inter_token.observe(self._step_seconds, tokens)

    def _first_token(self, request: Request, now: float) -> None:
        """The end of a prefill brings a token. Counted as a prompt's only the first time, not after a preemption."""
        if request.first_token < 0:
            request.first_token = now
            self.counters.prompt_tokens += request.prompt_tokens
            self.counters.first_token.observe(now - request.arrived)
        self.counters.generation_tokens += 1
        request.to_generate -= 1
        self._decoding_kv += request.to_compute
        if request.to_generate == 0:
            self._end(request, now)
            return
        self._admitted += 1
        heapq.heappush(self._endings, (self._decode_steps + request.to_generate, self._admitted, request))

    def _end(self, request: Request, now: float) -> None:
        held = request.prompt_tokens + request.answer_tokens - 1
        self._decoding_kv -= held
        self._used_kv -= held
        request.ended = now
        request.outcome = Outcome.ANSWERED
        self.counters.answered += 1
        self.counters.prompt_lengths.observe(request.prompt_tokens)
        self.counters.answer_lengths.observe(request.answer_tokens)

    def _preempt(self) -> None:
        """Send the request that came last back to the queue; its tokens are computed again later."""
        self.counters.preemptions += 1
        if self._prefilling:
            request = self._prefilling.pop()
            self._used_kv -= request.to_compute
        else:
            last = max(range(len(self._endings)), key=lambda index: self._endings[index][1])
            end_step, _, request = self._endings[last]
            self._endings[last] = self._endings[-1]
            self._endings.pop()
            heapq.heapify(self._endings)
            request.to_generate = end_step - self._decode_steps
            held = request.prompt_tokens + request.answer_tokens - request.to_generate - 1
            self._decoding_kv -= held
            self._used_kv -= held
            request.to_compute = held + 1
        request.computed = 0
        self._waiting.appendleft(request)

"""Which candidates keep the promise with which settings, and by how much the others miss it.

Every candidate is tried. What comes back is light, since there are thousands: a fit works out its whole budget, and a
misfit its sentence, when asked.
"""

from typing import NamedTuple

from gemma_operator.memory.assess import Assessment, assess
from gemma_operator.memory.measured import OverheadKey
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.candidate import Candidate, Reason, Refusal
from gemma_operator.planning.climb import Climb
from gemma_operator.planning.ladder import TIGHT_RESERVE_BYTES, Ladder, Step, ladder, load_of
from gemma_operator.planning.snapshot import Snapshot

GIB = 2**30


class Fit(NamedTuple):
    """A candidate with settings that hold both inequalities."""

    candidate: Candidate
    step: Step
    climb: Climb

    @property
    def settings(self) -> EngineSettings:
        """The engine settings."""
        return self.step.settings

    @property
    def tight(self) -> bool:
        """Whether nothing comfortable fits this candidate."""
        return self.step.tight

    @property
    def assessment(self) -> Assessment:
        """The whole budget, computed anew at each call."""
        return _assess(self.candidate, self.step, self.climb)


class Misfit(NamedTuple):
    """A candidate that no settings make fit, with those that lack least."""

    candidate: Candidate
    step: Step
    climb: Climb
    deficit_bytes: int

    @property
    def group(self) -> tuple[str, ...]:
        """Misfits of one variant on one product are told together."""
        candidate = self.candidate
        return (Reason.OUT_OF_POOL.value, candidate.variant.id, candidate.nodes.accelerator.id)

    def refusal(self) -> Refusal:
        """The misfit in words."""
        ask, candidate = self.climb.ask, self.candidate
        budget = _assess(candidate, self.step, self.climb).budget
        pool_short = budget.pool_spare_bytes < budget.outside_spare_bytes
        needed = budget.kv_needed_bytes if pool_short else budget.outside_needed_bytes
        available = max(0, budget.kv_available_bytes) if pool_short else budget.outside_available_bytes
        requests = f"{ask.concurrent_requests} requests" if ask.concurrent_requests > 1 else "one request"
        what = (
            f"the KV pool for {requests} of {ask.context_length:,} tokens"
            if pool_short
            else "what lies outside the pool"
        )
        message = f"{candidate.name}: {what} needs {needed / GIB:.2f} GiB per GPU, {available / GIB:.2f} GiB are there"
        if needed <= available:
            message += f", not enough for the {TIGHT_RESERVE_BYTES / GIB:.1f} GiB of reserve that a tight plan keeps"
        reason = Reason.OUT_OF_POOL if pool_short else Reason.OUT_OF_HEADROOM
        return Refusal(self.group, candidate.name, reason, message, needed, available)


class Fitting:
    """Tries the candidates of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._ask, self._measured = snapshot.ask, snapshot.measured
        self._load = load_of(snapshot.ask)
        self._thorough = bool(snapshot.measured.inside_bytes)
        known = (*snapshot.measured.inside_bytes, *snapshot.measured.extra_outside_bytes)
        self._known = {(key.checkpoint, key.product) for key, _ in known}
        self._climbs: dict[int, Climb] = {}

    def try_candidate(self, candidate: Candidate) -> Fit | Misfit:
        """The first comfortable setting, else the cheapest tight one, else the smallest deficit."""
        climb = self._climbs.get(id(candidate.shape))
        if climb is None or self._known:
            climb = self._climb(candidate)
        weights = candidate.text_weights_bytes if self._load.text_only else candidate.media_weights_bytes
        step = climb.first(weights)
        if step is not None:
            return Fit(candidate, step, climb)
        closest = climb.closest(weights)
        return Misfit(candidate, closest, climb, _deficit_bytes(closest, climb, weights))

    def _climb(self, candidate: Candidate) -> Climb:
        """The climb of a shape; what was measured belongs to one checkpoint and product alone."""
        shape, measured = candidate.shape, self._measured
        if (candidate.checkpoint.id, shape.nodes.accelerator.product) in self._known:
            return Climb(
                Ladder(
                    shape, self._load, lambda settings: measured.inside(overhead_key(self._ask, candidate, settings))
                ),
                self._ask,
                lambda settings: measured.extra_outside(overhead_key(self._ask, candidate, settings)),
                self._thorough,
            )
        climb = self._climbs.get(id(shape))
        if climb is None:
            climb = Climb(ladder(shape, self._load), self._ask, None, self._thorough)
            self._climbs[id(shape)] = climb
        return climb


def overhead_key(ask: Ask, candidate: Candidate, settings: EngineSettings) -> OverheadKey:
    """The key under which this configuration's overheads are remembered."""
    return OverheadKey(
        checkpoint=candidate.checkpoint.id,
        product=candidate.nodes.accelerator.product,
        tensor_parallel_size=settings.tensor_parallel_size,
        max_num_batched_tokens=settings.max_num_batched_tokens,
        max_num_seqs=settings.max_num_seqs,
        context_length=ask.context_length,
        modalities=tuple(sorted(ask.modalities)),
        kv_cache_dtype=settings.kv_cache_dtype.value,
        engine_image=ask.engine_image,
    )


def _deficit_bytes(step: Step, climb: Climb, weights_bytes: int) -> int:
    """How far a misfit is away, by the inequality that lacks more: as ``Refusal`` counts it."""
    needed = step.footprint.kv_needed_bytes(climb.ask.context_length, climb.ask.concurrent_requests)
    left = step.footprint.inside_bytes - weights_bytes
    outside = climb.rooms(step)[1]
    return max(0, needed - max(0, left) if left - needed < outside else -outside)


def _assess(candidate: Candidate, step: Step, climb: Climb) -> Assessment:
    ask, settings = climb.ask, step.settings
    return assess(
        candidate.variant,
        candidate.checkpoint,
        candidate.nodes.accelerator,
        settings,
        context_length=ask.context_length,
        concurrent_requests=ask.concurrent_requests,
        text_only=climb.ladder.load.text_only,
        measured_inside_bytes=climb.ladder.measured(settings),
        extra_outside_bytes=climb.extra_outside(settings),
    )

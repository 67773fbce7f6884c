"""The engine settings of a shape, best first, each with the memory that no context length changes.

Comfortable settings first: utilization 0.92 (0.90 where what lies outside vLLM's share asks for it), async
scheduling, at least 2,048 batched tokens and 16 sequences. Then tight ones, in the order of what they cost; a tight
setting must leave a reserve in the pool, since the overheads are estimates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from gemma_operator.catalog.precision import Modality
from gemma_operator.memory.footprint import Footprint, footprint
from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.candidate import Shape
from gemma_operator.vllm.attention import attention_block_size
from gemma_operator.vllm.profile import engine_profile

GIB = 2**30

TIGHT_RESERVE_BYTES = 8 * GIB // 10
"""What a tight plan must leave in the pool: cold and warm boots of one engine differ by 0.83 to 1.09 GiB."""

COMFORTABLE_UTILIZATIONS = (0.92, 0.90)
TIGHT_UTILIZATIONS = (0.92, 0.90, 0.93, 0.94, 0.95)
TIGHT_TOKENS = (2048, 1024, 512)
TIGHT_SEQUENCES = (16, 8, 4)
COMFORTABLE_TOKENS = 2048
COMFORTABLE_SEQUENCES = 16
MOST_SEQUENCES = 256

MEDIA_ITEM_TOKENS = {Modality.AUDIO: 750, Modality.VIDEO: 2496}
"""Tokens of the largest item that one batch must hold: 30 s of audio, 32 frames of 70 with markers and a time stamp."""

Measured = Callable[[EngineSettings], int | None]


class Load(NamedTuple):
    """What an ask says about settings, its context length apart."""

    text_only: bool
    largest_item_tokens: int
    least_sequences: int


def load_of(ask: Ask) -> Load:
    """The load of an ask. An image has two markers beside its tokens (vllm#42687)."""
    sizes = MEDIA_ITEM_TOKENS | {Modality.IMAGE: ask.media.image_tokens + 2}
    largest = max((sizes.get(modality, 0) for modality in ask.modalities), default=0)
    return Load(ask.modalities == {Modality.TEXT}, largest, max(min(TIGHT_SEQUENCES), ask.concurrent_requests))


@dataclass(frozen=True, slots=True)
class Step:
    """One setting. ``pool_bytes`` is what its share leaves for weights and pool after the reserve that it must keep."""

    tight: bool
    settings: EngineSettings
    footprint: Footprint
    pool_bytes: int
    outside_bytes: int


class Ladder:
    """The steps of a shape under a load, worked out when first asked for and kept.

    ``measured`` gives an overhead inside vLLM's share that stands in place of the estimates, where one is known.
    """

    def __init__(self, shape: Shape, load: Load, measured: Measured | None = None) -> None:
        self.shape = shape
        self.load = load
        self._measured = measured
        self._more = _settings(shape, load)
        self._steps: list[Step] = []
        self._frugal: Step | None = None

    def step(self, index: int) -> Step | None:
        """The step of that rank, 0 best; ``None`` after the last."""
        while index >= len(self._steps):
            found = next(self._more, None)
            if found is None:
                return None
            self._steps.append(self.of(*found))
        return self._steps[index]

    @property
    def frugal(self) -> Step:
        """The setting that leaves the most for weights: none has a smaller need, less overhead or a larger share."""
        if self._frugal is None:
            sequences = self.load.least_sequences
            tokens = max(min(TIGHT_TOKENS), _floor(self.shape, self.load), sequences)
            self._frugal = self.of(True, _of(self.shape, self.load, tokens, sequences, False, max(TIGHT_UTILIZATIONS)))
        return self._frugal

    def measured(self, settings: EngineSettings) -> int | None:
        """The measured overhead of a setting, where there is one."""
        return None if self._measured is None else self._measured(settings)

    def of(self, tight: bool, settings: EngineSettings, shape: Shape | None = None) -> Step:
        """The step of a setting, on this ladder's shape or another."""
        shape = shape or self.shape
        frame = footprint(
            shape.variant,
            shape.nodes.accelerator,
            settings,
            text_only=self.load.text_only,
            measured_inside_bytes=self.measured(settings),
        )
        # The overheads inside vLLM's share are estimates, so a comfortable plan keeps the card's margin there too.
        reserve = max(TIGHT_RESERVE_BYTES, frame.margin_bytes) if tight else frame.margin_bytes
        return Step(tight, settings, frame, frame.inside_bytes - reserve, frame.outside_bytes)


@lru_cache(maxsize=1024)
def ladder(shape: Shape, load: Load) -> Ladder:
    """The ladder of a shape where nothing was measured."""
    return Ladder(shape, load)


def _floor(shape: Shape, load: Load) -> int:
    """Batched tokens that media ask for at least; only variants with bidirectional vision attention do."""
    return load.largest_item_tokens if shape.variant.bidirectional_vision else 0


def _settings(shape: Shape, load: Load) -> Iterator[tuple[bool, EngineSettings]]:
    """Comfortable settings from generous to modest, then tight ones from cheap to costly."""
    floor, least_sequences = max(1, _floor(shape, load)), load.least_sequences
    asynchronous = engine_profile(shape.nodes.accelerator.engine_profile).async_scheduling
    for tokens in _token_steps(shape, floor):
        for sequences in _sequence_steps(shape, least_sequences):
            for utilization in COMFORTABLE_UTILIZATIONS:
                yield False, _of(shape, load, max(tokens, sequences), sequences, asynchronous, utilization)
    for in_flight in (True, False) if asynchronous else (False,):
        for tokens in dict.fromkeys(max(step, floor) for step in TIGHT_TOKENS):
            for sequences in dict.fromkeys(max(step, least_sequences) for step in TIGHT_SEQUENCES):
                for utilization in TIGHT_UTILIZATIONS:
                    yield True, _of(shape, load, max(tokens, sequences), sequences, in_flight, utilization)


def _token_steps(shape: Shape, floor: int) -> tuple[int, ...]:
    """Batched tokens to try: vLLM's own defaults by card size, halved down to 2,048."""
    steps = (8192, 4096, 2048) if shape.nodes.accelerator.memory_gib >= 70 else (COMFORTABLE_TOKENS,)
    return tuple(dict.fromkeys(max(step, floor) for step in steps))


def _sequence_steps(shape: Shape, least: int) -> tuple[int, ...]:
    """Sequences to try: up to 64 below 40 GiB, 128 below 70 GiB, 256 above, halved down to 16."""
    gib = shape.nodes.accelerator.memory_gib
    most = 64 if gib < 40 else 128 if gib < 70 else MOST_SEQUENCES
    steps = [step for step in (MOST_SEQUENCES, 128, 64, 32, COMFORTABLE_SEQUENCES) if step <= most]
    return tuple(dict.fromkeys(max(step, least) for step in steps))


def _of(
    shape: Shape, load: Load, tokens: int, sequences: int, asynchronous: bool, utilization: float
) -> EngineSettings:
    accelerator = shape.nodes.accelerator
    block_size = engine_profile(accelerator.engine_profile).fixed_block_size or attention_block_size(
        accelerator.compute_capability,
        shape.kv_cache_dtype,
        shape.variant.bidirectional_vision and not load.text_only,
    )
    return EngineSettings(
        tensor_parallel_size=shape.tensor_parallel_size,
        kv_cache_dtype=shape.kv_cache_dtype,
        block_size=block_size,
        max_num_batched_tokens=tokens,
        max_num_seqs=sequences,
        async_scheduling=asynchronous,
        utilization=utilization,
    )

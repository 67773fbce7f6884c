"""One ask on one ladder: the first step on which weights of a given size fit.

What a step leaves for weights follows from shape, setting and context length, so that it is worked out once for all
checkpoints of a shape; a checkpoint then costs a comparison.
"""

from collections.abc import Callable

from gemma_operator.memory.settings import EngineSettings
from gemma_operator.planning.ask import Ask
from gemma_operator.planning.ladder import Ladder, Step


class Climb:
    """A ladder under an ask. ``extra_outside`` adds to the need outside vLLM's share, after failures there.

    ``thorough`` leaves out the short cut by the frugal step, which measured overheads could belie.
    """

    def __init__(
        self,
        ladder: Ladder,
        ask: Ask,
        extra_outside: Callable[[EngineSettings], int] | None = None,
        thorough: bool = False,
    ) -> None:
        self.ladder = ladder
        self.ask = ask
        self._extra_outside = extra_outside
        self._thorough = thorough
        self._rooms: list[tuple[int, int, Step]] = []
        self._frugal_room: int | None = None

    def first(self, weights_bytes: int) -> Step | None:
        """The best step that holds both inequalities with these weights; ``None`` when no step does."""
        index, rooms = 0, self._rooms
        while True:
            if index == len(rooms):
                step = self.ladder.step(index)
                if step is None:
                    return None
                rooms.append((*self.rooms(step), step))
            room, outside, step = rooms[index]
            if weights_bytes <= room and outside >= 0:
                return step
            if index == 0 and self._hopeless(weights_bytes):
                return None
            index += 1

    def closest(self, weights_bytes: int) -> Step:
        """Where no step holds: the one that lacks least."""
        if self._hopeless(weights_bytes):
            return self.ladder.frugal
        return max(self._rooms, key=lambda found: min(found[0] - weights_bytes, found[1]))[2]

    def rooms(self, step: Step) -> tuple[int, int]:
        """Bytes that a step leaves for weights after pool and reserve, and bytes that are spare outside the share."""
        context_length, frame = self.ask.context_length, step.footprint
        outside = step.outside_bytes - frame.after_sizing_bytes(context_length)
        if self._extra_outside is not None:
            outside -= self._extra_outside(step.settings)
        return step.pool_bytes - frame.kv_needed_bytes(context_length, self.ask.concurrent_requests), outside

    def extra_outside(self, settings: EngineSettings) -> int:
        """What failures have shown to be needed outside the share."""
        return 0 if self._extra_outside is None else self._extra_outside(settings)

    def _hopeless(self, weights_bytes: int) -> bool:
        """Whether even the most frugal setting leaves the pool too small, before any reserve."""
        if self._thorough:
            return False
        if self._frugal_room is None:
            step = self.ladder.frugal.footprint
            needed = step.kv_needed_bytes(self.ask.context_length, self.ask.concurrent_requests)
            self._frugal_room = step.inside_bytes - needed
        return weights_bytes > self._frugal_room

"""Which replica takes a request: at random, as a Kubernetes Service does, or the one with the least outstanding."""

import random
from collections.abc import Sequence
from enum import StrEnum

from gemma_operator.simulation.replica import Replica


class Routing(StrEnum):
    """How requests are spread."""

    RANDOM = "random"
    LEAST_OUTSTANDING = "least-outstanding"


class Router:
    """Seeded. Draws once per request whatever the fleet's size, so that runs with one seed are paired."""

    def __init__(self, routing: Routing, seed: int) -> None:
        self._routing = routing
        self._draw = random.Random(f"router {seed}").random  # noqa: S311 (reproducible, not secret)

    def choose(self, replicas: Sequence[Replica], now: float) -> int:
        """The index of the replica that takes a request at ``now``; ``replicas`` is not empty."""
        draw = self._draw()
        if self._routing is Routing.RANDOM:
            return int(draw * len(replicas))
        outstanding = []
        for replica in replicas:
            if replica.until <= now:
                replica.advance(now)
            outstanding.append(replica.in_flight)
        least = min(outstanding)
        count = outstanding.count(least)
        if count == 1:
            return outstanding.index(least)
        return [index for index, size in enumerate(outstanding) if size == least][int(draw * count)]

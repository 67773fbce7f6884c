"""The clairvoyant bound: the fewest GPU-hours with which a fleet that knows the future meets its objectives.

Least over timetables of one size per minute, at 99 % attainment, under the same router. The search may stop short of
the optimum: the bound is then too high by what a longer search would still find, so its length is part of the result.

First a table of misses per minute and size, and the best timetable for it (shortest path, misses priced so that their
sum fits); then that timetable is tried as a whole and lowered where it costs least, long stretches before short ones;
then the table is corrected by what was seen, and all again while it pays.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gemma_operator.simulation.schedule import INTERVAL_SECONDS, World, gpu_hours, misses, misses_alone

ATTAINMENT = 0.99
STRETCHES = (16, 8, 4, 2, 1)
PRICES = 12
WORTH_GOING_ON = 0.003
MOST_OVER_PEAK = 2
"""No minute gets more than so many times the fixed fleet."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Bound:
    """``timetable`` has one size per minute; ``tried`` is how many whole timetables were simulated."""

    gpu_hours: float
    attainment: float
    static_peak_gpu_hours: float
    timetable: tuple[int, ...]
    tried: int


def clairvoyant_bound(world: World, max_replicas: int, tries: int = 200, progress: Progress = lambda _: None) -> Bound:
    """Search with ``tries`` whole simulations.

    Raises ``ValueError`` when even ``max_replicas`` all the time don't reach 99 %.
    """
    search = _Search(world, max_replicas, tries, progress)
    peak = search.static_peak()
    search.fill_table()
    search.from_table()
    search.lower()
    while search.tried < tries:
        before = gpu_hours(world, search.best)
        search.correct_table()
        search.from_table()
        search.lower()
        if gpu_hours(world, search.best) > before * (1 - WORTH_GOING_ON):
            break
    best = search.best
    attained = 1 - search.best_missed / len(world.trace.arrivals)
    return Bound(gpu_hours(world, best), attained, gpu_hours(world, peak), tuple(best), search.tried)


class _Search:
    def __init__(self, world: World, max_replicas: int, tries: int, progress: Progress) -> None:
        self._world, self._most, self._tries, self._progress = world, max_replicas, tries, progress
        self._allowed = len(world.trace.arrivals) * (1 - ATTAINMENT)
        self._table: list[list[float]] = []
        self.best: list[int] = []
        self.best_missed = 0.0
        self.tried = 0

    def static_peak(self) -> list[int]:
        """The smallest size that is enough all the time."""
        low, high = 1, self._most
        if not self._accept([high] * self._world.intervals):
            raise ValueError(
                f"{high} replicas all the time meet the targets of {1 - self._missed / len(self._world.trace.arrivals)}"
                f" of the requests; the bound asks for {ATTAINMENT}. Raise the maximum or lower the load"
            )
        while low < high:
            middle = (low + high) // 2
            if self._accept([middle] * self._world.intervals):
                high = middle
            else:
                low = middle + 1
        self._most = min(self._most, MOST_OVER_PEAK * high)
        return [high] * self._world.intervals

    def from_table(self) -> None:
        """The cheapest timetable for the misses of each minute alone, at the price that the whole just allows."""
        low, high = 1e-6, 10.0
        for _ in range(PRICES):
            price = (low * high) ** 0.5
            if self._accept(self._shortest(price)):
                high = price
            else:
                low = price

    def lower(self) -> None:
        """Take one replica off stretches of the best timetable, those that should cost least first."""
        for length in STRETCHES:
            found = True
            while found and self.tried < self._tries:
                found = False
                for candidate in self._lowered(length):
                    if self.tried >= self._tries:
                        return
                    if self._accept(candidate):
                        found = True
                        break

    def _lowered(self, length: int) -> Iterator[list[int]]:
        world, best = self._world, self.best
        cost = gpu_hours(world, best)
        moves = []
        for start in range(0, len(best) - length + 1, max(1, length // 2)):
            stretch = range(start, start + length)
            if any(best[index] <= 1 for index in stretch):
                continue
            candidate = [size - (index in stretch) for index, size in enumerate(best)]
            saved = cost - gpu_hours(world, candidate)
            more = sum(self._table[index][best[index] - 2] - self._table[index][best[index] - 1] for index in stretch)
            if saved > 0 and more + self.best_missed < self._allowed * 1.5:
                moves.append((more / saved, candidate))
        moves.sort()
        yield from (candidate for _, candidate in moves)

    def _accept(self, timetable: list[int]) -> bool:
        """Try a timetable; whether it meets the objectives. The cheapest that does is kept."""
        self.tried += 1
        missed = sum(misses(self._world, timetable))
        self._missed = missed
        if self.tried % 20 == 0:
            self._progress(f"{self.tried} timetables tried")
        if missed > self._allowed:
            return False
        hours = gpu_hours(self._world, timetable)
        if not self.best or hours < gpu_hours(self._world, self.best):
            self.best, self.best_missed = timetable, missed
            self._progress(f"{self.tried} timetables tried, bound at most {hours:.2f} GPU-hours")
        return True

    def fill_table(self) -> None:
        """Misses of each minute by size, when no other minute matters."""
        for interval in range(self._world.intervals):
            row: list[float] = []
            for size in range(self._most, 0, -1):
                enough = not row or row[-1] < self._allowed / 4
                row.append(misses_alone(self._world, interval, size) if enough else 2 * row[-1])
            self._table.append(row[::-1])
            if interval % 10 == 9:
                self._progress(f"misses of {interval + 1} of {self._world.intervals} minutes tabled")

    def correct_table(self) -> None:
        """Scale the misses of each minute by what the best timetable showed there, its neighbours counted in."""
        for row, size, seen in zip(self._table, self.best, misses(self._world, self.best), strict=True):
            factor = (seen + 0.5) / (row[size - 1] + 0.5)
            row[:] = [missed * factor for missed in row]

    def _shortest(self, price: float) -> list[int]:
        """The timetable with the least GPU time plus ``price`` GPU-hours per miss."""
        world, sizes = self._world, range(1, self._most + 1)
        hours, rise = INTERVAL_SECONDS / 3600, world.cold_start_seconds / 3600
        total = [price * self._table[0][size - 1] + size * hours for size in sizes]
        steps: list[list[int]] = []
        for row in self._table[1:]:
            came, new = [], []
            for size in sizes:
                ways = [total[old - 1] + rise * max(0, size - old) for old in sizes]
                least = min(ways)
                came.append(ways.index(least) + 1)
                new.append(least + price * row[size - 1] + size * hours)
            steps.append(came)
            total = new
        timetable = [total.index(min(total)) + 1]
        for came in reversed(steps):
            timetable.append(came[timetable[-1] - 1])
        return timetable[::-1]

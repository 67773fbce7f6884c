"""Reads the part of vLLM's ``/metrics`` that the operator needs.

Called with the text of a page; a page is untrusted input: it may be cut, hold NaN, or come from another engine.
Lines are filtered by prefix before they are parsed, which makes a page of 53 kB cost a third.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

CACHE_CONFIG = "vllm:cache_config_info"
RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"

SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)")
Labels = dict[str, str]
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class LivePool:
    """The KV pool of a running engine, as its metrics tell it: the three published figures, and what follows."""

    num_blocks: int
    max_concurrency: float
    kv_tokens: int

    @property
    def blocks_per_request(self) -> int:
        """Blocks of one request of full length: the unit in which plan and fact are compared."""
        return round(self.num_blocks / self.max_concurrency)

    @property
    def max_model_len(self) -> int:
        """The context length that the engine runs with, in tokens.

        vLLM cuts ``concurrency × length`` to whole tokens, so the length is the next integer above the quotient; a
        quotient that is whole but for the last bits of a float is that integer.
        """
        return math.ceil(self.kv_tokens / self.max_concurrency - 1e-6)


@dataclass(frozen=True, slots=True)
class Load:
    """Requests in an engine at one moment."""

    running: float
    waiting: float


def live_pool(page: str) -> LivePool | None:
    """The pool, or ``None`` when the page does not tell it whole.

    With data parallelism every engine's line shows the sum of all, so the lines are never added up.
    """
    for labels, _ in _samples(page, CACHE_CONFIG):
        try:
            pool = LivePool(
                num_blocks=int(labels["num_gpu_blocks"]),
                max_concurrency=float(labels["kv_cache_max_concurrency"]),
                kv_tokens=int(float(labels["kv_cache_size_tokens"])),
            )
        except (KeyError, ValueError, OverflowError):
            continue
        if 0 < pool.max_concurrency < math.inf and pool.num_blocks > 0 and pool.kv_tokens > 0:
            return pool
    return None


def load(page: str) -> Load | None:
    """Running and waiting requests, summed over engines; ``None`` unless both are told as numbers."""
    running, waiting = _sum(page, RUNNING), _sum(page, WAITING)
    return None if running is None or waiting is None else Load(running, waiting)


def _sum(page: str, name: str) -> float | None:
    values = [value for _, value in _samples(page, name)]
    return sum(values) if values and all(math.isfinite(value) for value in values) else None


def _samples(page: str, name: str) -> Iterator[tuple[Labels, float]]:
    return iter(select(page, (name,))[name])


def select(page: str, names: tuple[str, ...]) -> dict[str, list[tuple[Labels, float]]]:
    """Samples of these metrics, read in one pass: labels and value, in the order of the page.

    A line without its end is left out: ``12`` may be what is left of ``12.0`` or ``120``.
    """
    found: dict[str, list[tuple[Labels, float]]] = {name: [] for name in names}
    for line in page.splitlines(keepends=True):
        if not line.startswith(names) or not line.endswith("\n"):
            continue
        match = SAMPLE.match(line)
        if match is None or match["name"] not in found:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        found[match["name"]].append((dict(LABEL.findall(match["labels"] or "")), value))
    return found

"""The work queue with real tasks on a real loop: who is worked on, when, and how often at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gemma_operator.controller.queue import Key, Reconcile, WorkQueue
from gemma_operator.kube.errors import ApiError, NotLeadingError, ThrottledError
from gemma_operator.telemetry.metrics import Metrics
from tests.waiting import until

A, B = Key("team", "a"), Key("team", "b")


@asynccontextmanager
async def working(reconcile: Reconcile, workers: int = 4) -> AsyncIterator[tuple[WorkQueue, Metrics]]:
    metrics = Metrics()
    queue = WorkQueue(metrics)
    tasks = [asyncio.create_task(queue.work(reconcile)) for _ in range(workers)]
    try:
        yield queue, metrics
    finally:
        queue.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def sample(metrics: Metrics, series: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(series, labels) or 0.0


class Gate:
    """A reconcile that stays inside until it is let through, and remembers who was inside."""

    def __init__(self) -> None:
        self.inside: list[Key] = []
        self.done: list[Key] = []
        self.opened = asyncio.Event()

    async def __call__(self, key: Key) -> float | None:
        self.inside.append(key)
        await self.opened.wait()
        self.inside.remove(key)
        self.done.append(key)
        return None


async def test_a_key_that_waits_already_is_not_added_again() -> None:
    gate = Gate()
    gate.opened.set()
    metrics = Metrics()
    queue = WorkQueue(metrics)
    for _ in range(5):
        queue.add(A)
    queue.add(B)
    assert len(queue) == 2
    worker = asyncio.create_task(queue.work(gate))
    await until(lambda: len(gate.done) == 2)
    worker.cancel()
    assert gate.done == [A, B]
    assert sample(metrics, "workqueue_adds_total", name="gemmadeployment") == 2


async def test_one_key_is_never_on_two_workers_and_runs_again_after_a_change() -> None:
    gate = Gate()
    async with working(gate) as (queue, _):
        queue.add(A)
        await until(lambda: gate.inside == [A])
        for _ in range(3):
            queue.add(A)
        queue.add(B)
        await until(lambda: B in gate.inside)
        assert gate.inside == [A, B]
        gate.opened.set()
        await until(lambda: len(gate.done) == 3)
        await until(lambda: len(queue) == 0)
    assert sorted(gate.done) == [A, A, B]


async def test_a_failed_key_is_tried_again_until_it_succeeds_and_the_worker_survives() -> None:
    attempts: list[float] = []

    async def fails_twice(_: Key) -> None:
        attempts.append(time.monotonic())
        if len(attempts) < 3:
            raise RuntimeError("not yet")

    async with working(fails_twice, workers=1) as (queue, metrics):
        queue.add(A)
        await until(lambda: len(attempts) == 3)
        await until(
            lambda: (
                sample(metrics, "controller_runtime_reconcile_total", controller="gemmadeployment", result="success")
                == 1
            )
        )
    assert attempts[1] - attempts[0] >= 0.005
    assert attempts[2] - attempts[1] >= 0.010
    assert sample(metrics, "controller_runtime_reconcile_errors_total", controller="gemmadeployment") == 2
    assert sample(metrics, "workqueue_retries_total", name="gemmadeployment") == 2


async def test_the_servers_retry_after_is_kept() -> None:
    attempts: list[float] = []

    async def throttled_once(_: Key) -> None:
        attempts.append(time.monotonic())
        if len(attempts) == 1:
            raise ThrottledError(429, "TooManyRequests", "slow down", 0.3)

    async with working(throttled_once) as (queue, _):
        queue.add(A)
        await until(lambda: len(attempts) == 2)
    assert attempts[1] - attempts[0] >= 0.3


async def test_a_change_does_not_wait_for_the_backoff() -> None:
    attempts: list[float] = []

    async def fails_for_long(_: Key) -> None:
        attempts.append(time.monotonic())
        raise ApiError(500, "InternalError", "down", 60.0)

    async with working(fails_for_long) as (queue, _):
        queue.add(A)
        await until(lambda: len(attempts) == 1 and len(queue) == 0)
        queue.add(A)
        await until(lambda: len(attempts) == 2)
    assert attempts[1] - attempts[0] < 5


async def test_a_key_may_ask_to_be_looked_at_again_and_the_shortest_delay_counts() -> None:
    seen: list[Key] = []

    async def look_again_once(key: Key) -> float | None:
        seen.append(key)
        return 0.05 if len(seen) == 1 else None

    async with working(look_again_once) as (queue, metrics):
        queue.add_after(A, 60)
        queue.add_after(A, 0.01)
        queue.add_after(A, 30)
        await until(lambda: len(seen) == 2)
    assert (
        sample(metrics, "controller_runtime_reconcile_total", controller="gemmadeployment", result="requeue_after") == 1
    )


async def test_a_forgotten_key_does_not_come_back() -> None:
    seen: list[Key] = []

    async def note(key: Key) -> None:
        seen.append(key)

    async with working(note) as (queue, _):
        queue.add_after(A, 0.02)
        queue.forget(A)
        queue.add_after(B, 0.04)
        await until(lambda: seen)
    assert seen == [B]


async def test_losing_the_lead_is_neither_an_error_nor_a_retry() -> None:
    seen: list[Key] = []

    async def stopped(key: Key) -> None:
        seen.append(key)
        raise NotLeadingError("the Lease is not held")

    async with working(stopped) as (queue, metrics):
        queue.add(A)
        await until(lambda: seen and len(queue) == 0)
    assert sample(metrics, "controller_runtime_reconcile_errors_total", controller="gemmadeployment") == 0
    assert sample(metrics, "workqueue_retries_total", name="gemmadeployment") == 0


async def test_a_cancelled_worker_lets_go_of_its_key() -> None:
    gate = Gate()
    queue = WorkQueue(Metrics())
    worker = asyncio.create_task(queue.work(gate))
    queue.add(A)
    await until(lambda: gate.inside)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert len(queue) == 0


async def test_hundreds_of_keys_are_each_worked_on_once_at_a_time() -> None:
    running: set[Key] = set()
    runs: dict[Key, int] = {}

    async def reconcile(key: Key) -> None:
        assert key not in running
        running.add(key)
        await asyncio.sleep(0.001)
        running.discard(key)
        runs[key] = runs.get(key, 0) + 1

    keys = [Key("team", f"d{number}") for number in range(200)]
    async with working(reconcile, workers=8) as (queue, metrics):
        for _ in range(3):
            for key in keys:
                queue.add(key)
            await asyncio.sleep(0.003)
        await until(lambda: len(queue) == 0)
    assert set(runs) == set(keys)
    assert sample(metrics, "controller_runtime_reconcile_errors_total", controller="gemmadeployment") == 0

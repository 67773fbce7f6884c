"""Signals of the pump become keys, bursts of nodes become one round."""

import asyncio

from gemma_operator.controller.inbox import Inbox
from gemma_operator.controller.queue import Key, WorkQueue
from gemma_operator.telemetry.metrics import Metrics
from tests.waiting import until

A, B = Key("team", "a"), Key("team", "b")


class Office:
    """An inbox whose lists and forgotten caches can be counted."""

    def __init__(self, quiet_seconds: float = 0.05) -> None:
        self.listed = 0
        self.forgotten: list[str] = []
        self.queue = WorkQueue(Metrics())
        self.inbox = Inbox(
            self.queue,
            self.keys,
            forget_nodes=lambda: self.forgotten.append("nodes"),
            quiet_seconds=quiet_seconds,
        )

    async def keys(self) -> list[Key]:
        self.listed += 1
        return [A, B]


async def test_a_changed_object_is_its_key() -> None:
    office = Office()
    office.inbox.changed(A)
    assert len(office.queue) == 1


async def test_a_burst_of_nodes_forgets_each_time_and_plans_once_when_it_is_quiet() -> None:
    office = Office(quiet_seconds=0.1)
    for _ in range(10):
        office.inbox.nodes_changed()
        await asyncio.sleep(0.005)
    assert (office.listed, len(office.queue)) == (0, 0)
    await until(lambda: len(office.queue) == 2)
    assert office.listed == 1
    assert office.forgotten == ["nodes"] * 10


async def test_a_changed_catalog_concerns_all_at_once() -> None:
    office = Office()
    office.inbox.catalog_changed()
    await until(lambda: len(office.queue) == 2)


async def test_a_list_that_fails_leaves_the_round_to_the_resync() -> None:
    queue = WorkQueue(Metrics())

    async def fails() -> list[Key]:
        raise ConnectionError("down")

    inbox = Inbox(queue, fails, forget_nodes=lambda: None)
    inbox.catalog_changed()
    await until(lambda: not inbox._tasks)
    assert len(queue) == 0


async def test_a_closed_inbox_plans_nothing_more() -> None:
    office = Office(quiet_seconds=0.02)
    office.inbox.nodes_changed()
    office.inbox.close()
    await asyncio.sleep(0.06)
    assert office.listed == 0


async def test_the_canary_notes_the_time_of_the_loop() -> None:
    office = Office()
    assert office.inbox.canary_at is None
    before = asyncio.get_running_loop().time()
    office.inbox.canary()
    assert office.inbox.canary_at is not None
    assert office.inbox.canary_at >= before

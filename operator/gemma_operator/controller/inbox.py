"""What the event pump may say to the rest of the operator: that something changed, never what.

The pump calls these from its own thread, through the event loop. ``Inbox`` turns each into keys on the work queue.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gemma_operator.controller.queue import Key, WorkQueue

logger = logging.getLogger(__name__)
NODE_QUIET_SECONDS = 30.0
"""Nodes join in bursts (an autoscaler, or an operator that labels GPUs): plan again once they are quiet."""


class Inbox:
    """Signals of the pump. ``all_keys`` lists every GemmaDeployment, for changes that concern them all."""

    def __init__(
        self,
        queue: WorkQueue,
        all_keys: Callable[[], Awaitable[list[Key]]],
        *,
        forget_nodes: Callable[[], None],
        quiet_seconds: float = NODE_QUIET_SECONDS,
    ) -> None:
        self._queue = queue
        self._all_keys = all_keys
        self._forget_nodes = forget_nodes
        self._quiet_seconds = quiet_seconds
        self._quiet_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.canary_at: float | None = None

    def changed(self, key: Key) -> None:
        """A GemmaDeployment, or an object of its own, changed."""
        self._queue.add(key)

    def nodes_changed(self) -> None:
        """A node changed in something that a plan may depend on."""
        self._forget_nodes()
        if self._quiet_timer:
            self._quiet_timer.cancel()
        self._quiet_timer = asyncio.get_running_loop().call_later(self._quiet_seconds, self._all_changed)

    def catalog_changed(self) -> None:
        """A ConfigMap that extends the catalog changed. Told by the supervisor's poll, not by the pump."""
        self._all_changed()

    def canary(self) -> None:
        """The operator's own Lease came through the watch: the pump works from end to end."""
        self.canary_at = asyncio.get_running_loop().time()

    def close(self) -> None:
        """Drop what is still to come."""
        if self._quiet_timer:
            self._quiet_timer.cancel()
        for task in self._tasks:
            task.cancel()

    def _all_changed(self) -> None:
        task = asyncio.get_running_loop().create_task(self._add_all())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add_all(self) -> None:
        try:
            for key in await self._all_keys():
                self._queue.add(key)
        except Exception:  # the resync will come round to them
            logger.exception("Did not list GemmaDeployments after a change that concerns all of them")

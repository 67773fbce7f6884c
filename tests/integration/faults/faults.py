"""The faults themselves: each is one way in which the API server, the network or the process lets a controller down."""

import json
from collections.abc import Callable, Collection

from tests.integration.faults.proxy import Answer, Cut, Fault, Forward, Request

Which = Callable[[Request], bool]


def any_write(request: Request) -> bool:
    return request.write


def any_read(request: Request) -> bool:
    return request.method == "GET"


class Nth(Fault):
    """Disturbs the n-th request of a kind (from 1) and lets all others through."""

    def __init__(self, n: int, which: Which) -> None:
        self.fired = False
        self._left = n
        self._which = which

    async def answer(self, request: Request, forward: Forward) -> Answer:
        if self._which(request):
            self._left -= 1
            if self._left == 0:
                self.fired = True
                return await self.disturb(forward)
        return await forward()

    async def disturb(self, forward: Forward) -> Answer:
        raise NotImplementedError


class ServerError(Nth):
    """500 instead of doing it."""

    async def disturb(self, forward: Forward) -> Answer:
        return _status(500, "InternalError")


class Throttle(Nth):
    """429 with Retry-After instead of doing it."""

    def __init__(self, n: int, which: Which, seconds: int) -> None:
        super().__init__(n, which)
        self._seconds = seconds

    async def disturb(self, forward: Forward) -> Answer:
        return _status(429, "TooManyRequests", {"Retry-After": str(self._seconds)})


class LostAnswer(Nth):
    """The server does it, and the answer never arrives."""

    async def disturb(self, forward: Forward) -> Answer:
        await forward()
        raise Cut


class Crash(Fault):
    """The process dies before or after its n-th write: from then on nothing that it sends arrives."""

    def __init__(self, n: int, *, before: bool) -> None:
        self.dead = False
        self._left = n
        self._before = before

    async def answer(self, request: Request, forward: Forward) -> Answer:
        if self.dead:
            raise Cut
        if request.write:
            self._left -= 1
            if self._left == 0:
                self.dead = True
                if not self._before:
                    await forward()
                raise Cut
        return await forward()


class StaleLists(Fault):
    """The first answer to each list is given for the next ``lag`` times as well."""

    def __init__(self, lag: int) -> None:
        self.served = 0
        self._lag = lag
        self._known: dict[tuple[str, str], tuple[int, Answer]] = {}

    async def answer(self, request: Request, forward: Forward) -> Answer:
        if not request.is_list:
            return await forward()
        key = (request.path, request.query.get("labelSelector", ""))
        if key not in self._known:
            self._known[key] = (self._lag, await forward())
        left, old = self._known[key]
        if left == 0:
            return await forward()
        self._known[key] = (left - 1, old)
        self.served += 1
        return old


class DropEvents(Fault):
    """Loses every event of these kinds; bookmarks pass."""

    def __init__(self, kinds: Collection[str]) -> None:
        self.dropped = 0
        self._kinds = kinds

    def event(self, request: Request, line: bytes) -> bytes | None:
        event = json.loads(line)
        if event.get("type") in {"ADDED", "MODIFIED", "DELETED"} and event["object"].get("kind") in self._kinds:
            self.dropped += 1
            return None
        return line


class CutWatches(Fault):
    """Breaks a watch at every n-th event of it."""

    def __init__(self, n: int) -> None:
        self.cuts = 0
        self._n = n
        self._events = 0

    def event(self, request: Request, line: bytes) -> bytes | None:
        self._events += 1
        if self._events % self._n == 0:
            self.cuts += 1
            raise Cut
        return line


def _status(code: int, reason: str, headers: dict[str, str] | None = None) -> Answer:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "code": code,
        "message": "fault",
    }
    return Answer(code, json.dumps(body).encode(), {"Content-Type": "application/json"} | (headers or {}))

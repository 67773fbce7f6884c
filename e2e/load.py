"""Streams against a served model on keep-alive connections, with every request accounted for."""

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 180
BACK_OFF_SECONDS = 0.5


@dataclass
class Account:
    """What became of the requests: answered whole, told 503, or lost, with the first words of each loss."""

    answered: int = 0
    shed: int = 0
    losses: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """All of them."""
        return self.answered + self.shed + len(self.losses)


class Load:
    """So many clients, each of which asks again ``pause_seconds`` after it was answered. Use as a context.

    The pause may be changed while they ask.
    """

    def __init__(
        self,
        url: str,
        model: str,
        clients: int,
        prompt_tokens: int = 16,
        answer_tokens: int = 120,
        pause_seconds: float = 0.0,
    ) -> None:
        self._where = urlsplit(url)
        self._model = model
        self._prompt_tokens, self._tokens = prompt_tokens, answer_tokens
        self.pause_seconds = pause_seconds
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)
        ]
        self.account = Account()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Ask no more, and wait for what is under way."""
        self._done.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    def _client(self, number: int) -> None:
        connection = self._connection()
        while not self._done.is_set():
            try:
                status = self._ask(connection, number)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                connection = self._connection()
                self._count(loss=f"{type(error).__name__}: {error}")
                continue
            self._count(status)
            self._done.wait(BACK_OFF_SECONDS if status == 503 else self.pause_seconds)
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._where.hostname or "", self._where.port or 80, timeout=TIMEOUT_SECONDS)

    def _ask(self, connection: http.client.HTTPConnection, number: int) -> int:
        """One stream; raises for one that was cut. An idle connection that was closed has lost nothing: asked again."""
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": [2 + number] * self._prompt_tokens,
            "max_tokens": self._tokens,
            "temperature": 0,
            "ignore_eos": True,
            "stream": True,
        }
        fresh = connection.sock is None
        try:
            connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            if fresh:
                raise
            connection.close()
            return self._ask(connection, number)
        text = response.read().decode()
        if response.status == 200 and not text.rstrip().endswith("data: [DONE]"):
            raise ConnectionError(f"the stream was cut after {len(text)} bytes")
        if response.status not in (200, 503):
            raise ConnectionError(f"{response.status}: {text[:200]}")
        return response.status

    def _count(self, status: int = 0, loss: str = "") -> None:
        with self._lock:
            if loss:
                self.account.losses.append(loss)
            elif status == 503:
                self.account.shed += 1
            else:
                self.account.answered += 1


def all_at_once(url: str, model: str, requests: int, answer_tokens: int = 60) -> Counter[int]:
    """How many of so many simultaneous requests were answered with which status."""
    where = urlsplit(url)
    statuses: Counter[int] = Counter()
    start = threading.Barrier(requests)

    def ask() -> None:
        connection = http.client.HTTPConnection(where.hostname or "", where.port or 80, timeout=TIMEOUT_SECONDS)
        body = {"model": model, "prompt": [7] * 16, "max_tokens": answer_tokens, "ignore_eos": True}
        start.wait(30)
        connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        statuses[connection.getresponse().status] += 1
        connection.close()

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(requests)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return statuses

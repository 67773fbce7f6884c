"""A small real HTTP server with the few pages of an engine that the pod's scripts ask for, answering as told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Engine:
    """What the server answers, and what it was asked. With ``moves`` each page tells one token more."""

    health: int = 200
    completion: int = 200
    context_tokens: int | None = 4096
    running: list[float] = field(default_factory=lambda: [0.0])
    waiting: float = 0.0
    generated: float = 1.0
    moves: bool = False
    metrics: str | None = None
    key: str | None = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    def page(self) -> str:
        """The metrics page. ``running`` is a script: one value a page, the last one for ever."""
        if self.metrics is not None:
            return self.metrics
        self.generated += self.moves
        running = self.running.pop(0) if len(self.running) > 1 else self.running[0]
        return (
            "process_start_time_seconds 1.0\n"
            f'vllm:num_requests_running{{engine="0"}} {running}\n'
            f'vllm:num_requests_waiting{{engine="0"}} {self.waiting}\n'
            f'vllm:num_requests_waiting_by_reason{{engine="0",reason="capacity"}} {self.waiting}\n'
            f'vllm:generation_tokens_total{{engine="0"}} {self.generated}\n'
        )


@contextmanager
def serving(engine: Engine) -> Iterator[Engine]:
    """The engine on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            engine.asked.append((self.path, {}))
            pages = {"/health": (engine.health, ""), "/metrics": (200, "")}
            status, text = pages.get(self.path, (404, ""))
            self._answer(status, engine.page() if self.path == "/metrics" else text)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            engine.asked.append((self.path, body))
            if engine.key is not None and self.headers.get("Authorization") != f"Bearer {engine.key}":
                self._answer(401, '{"error": "Unauthorized"}')
            elif self.path == "/v1/completions":
                self._answer(engine.completion, '{"choices": [{"text": "a"}]}')
            else:
                self._answer(200, json.dumps({"count": 1, "max_model_len": engine.context_tokens, "tokens": [2]}))

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        engine.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield engine
        finally:
            server.shutdown()

"""ASGI middleware of the engine: ends keep-alive connections while the pod drains, and guards one open endpoint.

Loaded by ``vllm serve --middleware gemma_drain.DrainMiddleware``. Taking a pod out of its Service stops new
connections only: a client that keeps one open would send its next request here, and after SIGTERM get an error.
Each answer of a draining pod carries ``Connection: close``, so that the next request finds another pod.
Never reads a body.
"""

import hmac
import os
import time

POD_LABELS = os.environ.get("GEMMA_POD_LABELS", "/etc/podinfo/labels")
DRAIN_FLAG = os.environ.get("GEMMA_DRAIN_FLAG", "/scratch/draining")
SERVING_LABEL = os.environ.get("GEMMA_SERVING_LABEL", "gemma-operator.io/serving")
LOOK_SECONDS = 0.2


class DrainMiddleware:
    """Wraps vLLM's application."""

    def __init__(self, app):
        self.app = app
        self.api_key = os.environ.get("VLLM_API_KEY", "")
        self._looked_at = 0.0
        self._draining = False

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.api_key and scope["path"].rstrip("/").endswith("/invocations") and not self._has_key(scope):
            await _refuse(send)
            return

        async def send_closing(message):
            if message["type"] == "http.response.start" and self.draining():
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        await self.app(scope, receive, send_closing)

    def draining(self):
        """Whether the serving label is gone or preStop has begun; looked up at most five times a second."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._draining = os.path.exists(DRAIN_FLAG) or not _has_serving_label()
        return self._draining

    def _has_key(self, scope):
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        return hmac.compare_digest(given, f"Bearer {self.api_key}".encode())


def _has_serving_label():
    """A missing file is no drain: outside of a pod there is none."""
    try:
        with open(POD_LABELS, encoding="utf-8") as labels:
            return any(line.startswith(f"{SERVING_LABEL}=") for line in labels)
    except OSError:
        return True


async def _refuse(send):
    """vLLM's own key check leaves /invocations open; this closes it."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"error":"Unauthorized"}'})

"""ASGI middleware of the engine: ends keep-alive connections while the pod drains, and asks for the key everywhere.

Loaded by ``vllm serve --middleware gemma_drain.DrainMiddleware``. Taking a pod out of its Service stops new
connections only: a client that keeps one open would send its next request here, and after SIGTERM get an error.
Each answer of a draining pod carries ``Connection: close``, so that the next request finds another pod.
vLLM's own key check covers ``/v1`` and three other beginnings; with a key set, everything but ``OPEN`` needs it here.
Never reads a body.
"""

import contextlib
import hmac
import os
import time

POD_LABELS = os.environ.get("GEMMA_POD_LABELS", "/etc/podinfo/labels")
DRAIN_FLAG = os.environ.get("GEMMA_DRAIN_FLAG", "/scratch/draining")
SERVING_LABEL = os.environ.get("GEMMA_SERVING_LABEL", "gemma-operator.io/serving")
LOOK_SECONDS = 0.2
OPEN = frozenset({"/health", "/ping", "/metrics", "/version", "/load"})
"""Paths that probes and monitoring ask without a key; none takes a prompt."""


class DrainMiddleware:
    """Wraps vLLM's application."""

    def __init__(self, app):
        self.app = app
        self.api_key = os.environ.get("VLLM_API_KEY", "")
        self._looked_at = None
        self._draining = False
        # preStop also runs before a failed container is started anew in the same pod: that flag is not ours.
        with contextlib.suppress(OSError):
            os.remove(DRAIN_FLAG)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_closing(message):
            if message["type"] == "http.response.start" and self.draining():
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        if self._asks_for_key(scope) and not self._has_key(scope):
            await _refuse(send_closing)
        else:
            await self.app(scope, receive, send_closing)

    def draining(self):
        """Whether the serving label is gone or preStop has begun; looked up at most five times a second."""
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._draining = os.path.exists(DRAIN_FLAG) or not _has_serving_label()
        return self._draining

    def _asks_for_key(self, scope):
        """A browser's preflight request can't carry a key."""
        return bool(self.api_key) and scope["method"] != "OPTIONS" and scope["path"] not in OPEN

    def _has_key(self, scope):
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        scheme, _, key = given.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(key, self.api_key.encode())


def _has_serving_label():
    """A missing file is no drain: outside of a pod there is none."""
    try:
        with open(POD_LABELS, encoding="utf-8") as labels:
            return any(line.startswith(f"{SERVING_LABEL}=") for line in labels)
    except OSError:
        return True


async def _refuse(send):
    """The same status as vLLM's own check."""
    headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"error":"Unauthorized"}'})

"""The HTTP port of the operator: /healthz, /readyz, /metrics.

Called by ``main``. The answers come from a ``Health`` that the supervisor keeps; this module decides nothing.
"""

from typing import Protocol

from aiohttp import web

from gemma_operator.telemetry.metrics import Metrics


class Health(Protocol):
    """What the probes ask. An empty string means well; anything else is the reason, in one sentence."""

    def not_alive(self) -> str:
        """Why the process should be restarted."""
        ...

    def not_ready(self) -> str:
        """Why the process is not ready. A standby that watches the Lease is ready."""
        ...


def probes_app(health: Health, metrics: Metrics) -> web.Application:
    """The application with the three pages."""

    def answer(reason: str) -> web.Response:
        return web.Response(text=f"{reason}\n" if reason else "ok\n", status=503 if reason else 200)

    async def healthz(_: web.Request) -> web.Response:
        return answer(health.not_alive())

    async def readyz(_: web.Request) -> web.Response:
        return answer(health.not_ready())

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=metrics.page(), content_type="text/plain", charset="utf-8")

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", page)])
    return app


async def serve_probes(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Listen, and return the runner (to clean up at the end) and the port that was bound (for port 0)."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, runner.addresses[0][1]

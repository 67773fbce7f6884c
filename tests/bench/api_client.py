"""A bare client of the API server: one connection pool, no queue and no rate limit, so that it hides nothing."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from e2e.cluster import Cluster

APPLY = {"Content-Type": "application/apply-patch+yaml"}
DEPLOYMENTS = "apis/apps/v1"
GEMMA = "apis/gemma-operator.io/v1alpha1"


class Api:
    """Applies GemmaDeployments of one namespace and sees Deployments of it appear."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self._namespace = namespace
        self.appeared: dict[str, float] = {}
        """When each Deployment was first seen, by name, in seconds of the monotonic clock."""
        self._news = asyncio.Condition()

    async def apply(self, manifest: dict[str, Any]) -> float:
        """Apply a GemmaDeployment; returns when it was sent."""
        name = manifest["metadata"]["name"]
        path = f"/{GEMMA}/namespaces/{self._namespace}/gemmadeployments/{name}"
        sent = time.monotonic()
        options = {"fieldManager": "bench", "force": "true"}
        async with self._session.patch(path, params=options, data=json.dumps(manifest), headers=APPLY) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{name}: {answer.status} {await answer.text()}")
        return sent

    async def wait_for(self, names: set[str], seconds: float) -> None:
        """Until Deployments of these names have appeared. Raises ``RuntimeError`` with those that have not."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: names <= self.appeared.keys())
        except TimeoutError:
            missing = sorted(names - self.appeared.keys())
            raise RuntimeError(f"no Deployment after {seconds:.0f} s: {', '.join(missing[:5])}") from None

    async def watch(self) -> None:
        """See Deployments appear, until cancelled."""
        path, version = f"/{DEPLOYMENTS}/namespaces/{self._namespace}/deployments", "0"
        while True:
            options = {"watch": "true", "resourceVersion": version, "timeoutSeconds": "300"}
            async with self._session.get(path, params=options) as answer:
                async for line in answer.content:
                    event = json.loads(line)
                    version = event["object"]["metadata"]["resourceVersion"]
                    async with self._news:
                        self.appeared.setdefault(event["object"]["metadata"]["name"], time.monotonic())
                        self._news.notify_all()


@asynccontextmanager
async def api(cluster: Cluster, namespace: str) -> AsyncIterator[Api]:
    """A client that watches already."""
    verified = ssl.create_default_context(cafile=str(cluster.certificate_authority))
    headers = {"Authorization": f"Bearer {cluster.admin_token}"}
    connector = aiohttp.TCPConnector(ssl=verified, limit=50)
    long = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        cluster.server, headers=headers, connector=connector, timeout=long, read_bufsize=2**22
    ) as session:
        client = Api(session, namespace)
        watching = asyncio.create_task(client.watch())
        try:
            yield client
        finally:
            watching.cancel()

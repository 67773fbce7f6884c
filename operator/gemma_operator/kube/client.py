"""The one client of the process: thin methods on plain dictionaries.

``kubernetes.aio`` gives transport, TLS and token rotation; typed models are left aside because objects come from
builders as dictionaries and are compared as such. No retries in here: an error goes up to the queue, which knows
how long to wait. Three things every request passes: the fence (no write without the Lease), the gate (nothing is
sent before a ``Retry-After`` has passed), and the request counter.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration

from gemma_operator.kube.errors import ApiError, GoneError, NotLeadingError, UnreachableError, error_from
from gemma_operator.kube.resources import ACCESS_REVIEWS, JsonObject, Resource
from gemma_operator.telemetry.metrics import Metrics

T = TypeVar("T")

PAGE_SIZE = 500
_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
_LIST_RESTARTS = 3
_MERGE_PATCH = "application/merge-patch+json"
_APPLY_PATCH = "application/apply-patch+yaml"


def _always() -> bool:
    return True


class Client:
    """Requests to one API server. Errors are those of ``errors``; a method returns the object as the server has it."""

    def __init__(self, configuration: Configuration, metrics: Metrics) -> None:
        self._api = ApiClient(configuration)
        self._api.user_agent = "gemma-operator"
        self._host = configuration.host.rstrip("/")
        self._metrics = metrics
        self._may_write: Callable[[], bool] = _always
        self._not_before = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._api.close()  # type: ignore[no-untyped-call]

    def fence(self, may_write: Callable[[], bool]) -> None:
        """Ask this before every write but the Lease's own; ``NotLeadingError`` is raised where it says no."""
        self._may_write = may_write

    async def get(self, resource: Resource, namespace: str | None, name: str) -> JsonObject:
        """Read one object, consistently (never from a watch cache of unknown age)."""
        return await self._request("GET", resource.path(namespace, name))

    async def find(self, resource: Resource, namespace: str | None, name: str) -> JsonObject | None:
        """Like ``get``, ``None`` where it does not exist."""
        document = await self._request("GET", resource.path(namespace, name), missing_ok=True)
        return document or None

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[list[JsonObject]]:
        """List page by page, so that a caller can project each page and let it go.

        Raises ``GoneError`` if the continue token expires on the way; ``list_all`` starts again then.
        """
        query = {"limit": str(PAGE_SIZE), "labelSelector": labels, "fieldSelector": fields}
        while True:
            page = await self._request("GET", resource.path(namespace), query)
            yield page.get("items") or []
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token

    async def list_all(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        project: Callable[[JsonObject], T | None],
    ) -> list[T]:
        """All objects, each reduced by ``project`` while its page is read; ``None`` leaves one out."""
        for attempt in range(_LIST_RESTARTS):
            found: list[T] = []
            try:
                async for page in self.pages(resource, namespace, labels=labels, fields=fields):
                    found.extend(kept for kept in map(project, page) if kept is not None)
            except GoneError:
                if attempt == _LIST_RESTARTS - 1:
                    raise
            else:
                return found
        raise AssertionError("unreachable")

    async def apply(
        self, resource: Resource, obj: JsonObject, *, manager: str, subresource: str | None = None, force: bool = True
    ) -> JsonObject:
        """Server-side apply. ``force`` takes fields over; only for fields that are ours by design."""
        meta = obj["metadata"]
        query = {"fieldManager": manager, "force": "true" if force else "false", "fieldValidation": "Strict"}
        path = resource.path(meta.get("namespace"), meta["name"], subresource)
        return await self._request("PATCH", path, query, obj, content_type=_APPLY_PATCH)

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        change: JsonObject,
        *,
        manager: str,
        subresource: str | None = None,
    ) -> JsonObject:
        """Merge-patch. Put ``metadata.uid`` and ``resourceVersion`` into ``change`` to make it conditional."""
        path = resource.path(namespace, name, subresource)
        return await self._request("PATCH", path, {"fieldManager": manager}, change, content_type=_MERGE_PATCH)

    async def create(self, resource: Resource, obj: JsonObject, *, manager: str, lease: bool = False) -> JsonObject:
        """Create; ``ConflictError`` where it exists."""
        path = resource.path(obj["metadata"].get("namespace"))
        return await self._request("POST", path, {"fieldManager": manager}, obj, lease=lease)

    async def replace(self, resource: Resource, obj: JsonObject, *, manager: str, lease: bool = False) -> JsonObject:
        """Replace the object of that resourceVersion; ``ConflictError`` where it has moved on."""
        meta = obj["metadata"]
        path = resource.path(meta.get("namespace"), meta["name"])
        return await self._request("PUT", path, {"fieldManager": manager}, obj, lease=lease)

    async def delete(self, resource: Resource, obj: JsonObject) -> None:
        """Delete exactly this object at exactly this version; gone already is fine, changed is ``ConflictError``."""
        meta = obj["metadata"]
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
        }
        path = resource.path(meta.get("namespace"), meta["name"])
        await self._request("DELETE", path, None, options, missing_ok=True)

    async def scale(self, resource: Resource, namespace: str, name: str) -> JsonObject:
        """The ``scale`` sub-resource."""
        return await self._request("GET", resource.path(namespace, name, "scale"))

    async def can_i(self, verb: str, resource: Resource, namespace: str | None = None, name: str | None = None) -> bool:
        """Whether this account may do that, by SelfSubjectAccessReview (it stores nothing, so it is no write)."""
        attributes = {"verb": verb, "group": resource.group, "resource": resource.plural}
        attributes |= {key: value for key, value in (("namespace", namespace), ("name", name)) if value}
        review = {
            "apiVersion": ACCESS_REVIEWS.api_version,
            "kind": ACCESS_REVIEWS.kind,
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._request("POST", ACCESS_REVIEWS.path(), None, review, lease=True)
        return bool(answer.get("status", {}).get("allowed"))

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        *,
        content_type: str = "application/json",
        missing_ok: bool = False,
        lease: bool = False,
    ) -> JsonObject:
        """One exchange. ``lease`` marks requests that the gate and the fence let through."""
        if not lease:
            await self._pass_gate()
            if method != "GET" and not self._may_write():
                raise NotLeadingError(f"{method} {path} was not sent: the Lease is not held")
        url = self._host + path
        if parameters := {key: value for key, value in (query or {}).items() if value}:
            url += "?" + urlencode(parameters)
        status, reason, retry_after, raw = await self._exchange(method, url, body, content_type)
        if retry_after and retry_after.isdigit() and status in (429, 503):
            self._not_before = max(self._not_before, asyncio.get_running_loop().time() + float(retry_after))
        if missing_ok and status == 404:
            return {}
        if status >= 400:
            raise error_from(status, reason, retry_after, raw)
        try:
            document: JsonObject = json.loads(raw)
        except ValueError:
            raise ApiError(
                status, "NotJSON", f"{method} {path}: the answer is not JSON; is a proxy in between?"
            ) from None
        return document

    async def _exchange(
        self, method: str, url: str, body: JsonObject | None, content_type: str
    ) -> tuple[int, str, str | None, bytes]:
        headers: dict[str, Any] = {"Accept": "application/json", "Content-Type": content_type}
        headers["User-Agent"] = self._api.user_agent
        await self._api.update_params_for_auth(headers, [], ["BearerToken"], url, method, None)
        try:
            response = await self._api.call_api(method, url, headers, body, _request_timeout=_TIMEOUT)
            raw = await response.read()  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._metrics.requests_total.labels(method=method, code="<error>").inc()
            raise UnreachableError(f"{method} {url.split('?')[0]}: {type(error).__name__}") from error
        self._metrics.requests_total.labels(method=method, code=str(response.status)).inc()
        return response.status, response.reason or "", response.headers.get("Retry-After"), raw

    async def _pass_gate(self) -> None:
        wait = self._not_before - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)

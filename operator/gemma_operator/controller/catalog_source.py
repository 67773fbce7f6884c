"""The catalog in force: the built-in one, extended by the ConfigMaps of the operator's namespace.

A ConfigMap that can't be used changes nothing: its last good text stays in force, and what is wrong with it is said.
"""

import asyncio
from dataclasses import dataclass

from gemma_operator.api.labels import CATALOG_LABEL
from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.catalog import Catalog
from gemma_operator.catalog.parse import CatalogError, extend
from gemma_operator.kube.client import Client
from gemma_operator.kube.resources import CONFIG_MAPS, JsonObject

KEPT_SECONDS = 30.0

Texts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CatalogInForce:
    """The catalog and, for each ConfigMap that is wrong, a sentence."""

    catalog: Catalog
    problems: tuple[str, ...]


class CatalogSource:
    """Reads and remembers, once for all workers. ``forget`` is called when a labelled ConfigMap changed."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._builtin = builtin_catalog()
        self._last_good: dict[str, Texts] = {}
        self._one_reader = asyncio.Lock()
        self._in_force: CatalogInForce | None = None
        self._changes = 0
        self._read_at = 0.0

    def forget(self) -> None:
        """Read again at the next question."""
        self._in_force = None
        self._changes += 1

    async def current(self) -> CatalogInForce:
        """The catalog in force, at most half a minute old: watching ConfigMaps everywhere is not ours to ask for."""
        async with self._one_reader:
            now = asyncio.get_running_loop().time()
            if self._in_force is not None and now - self._read_at <= KEPT_SECONDS:
                return self._in_force
            changes = self._changes
            listed = await self._client.list_all(CONFIG_MAPS, self._namespace, labels=CATALOG_LABEL, project=_texts)
            read = self._combine(sorted(listed))
            if changes == self._changes:
                self._in_force, self._read_at = read, now
            return read

    def _combine(self, listed: list[tuple[str, Texts]]) -> CatalogInForce:
        catalog, problems = self._builtin, []
        for name, texts in listed:
            try:
                catalog = _extended(catalog, name, texts)
                self._last_good[name] = texts
            except CatalogError as error:
                problems.append(str(error))
                if name in self._last_good:
                    catalog = _extended(catalog, name, self._last_good[name])
        self._last_good = {name: texts for name, texts in self._last_good.items() if name in dict(listed)}
        return CatalogInForce(catalog, tuple(problems))


def _texts(config_map: JsonObject) -> tuple[str, Texts]:
    return config_map["metadata"]["name"], tuple(sorted((config_map.get("data") or {}).items()))


def _extended(catalog: Catalog, name: str, texts: Texts) -> Catalog:
    for key, text in texts:
        catalog = extend(catalog, f"ConfigMap {name}, key {key}", text)
    return catalog

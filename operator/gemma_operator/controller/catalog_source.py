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

Texts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CatalogInForce:
    """The catalog and, for each ConfigMap that is wrong, a sentence."""

    catalog: Catalog
    problems: tuple[str, ...]


class CatalogSource:
    """Reads and remembers, once for all workers. The supervisor calls ``refresh`` every half minute."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._builtin = builtin_catalog()
        self._last_good: dict[str, Texts] = {}
        self._one_reader = asyncio.Lock()
        self._listed: list[tuple[str, Texts]] | None = None
        self._in_force = CatalogInForce(self._builtin, ())

    async def current(self) -> CatalogInForce:
        """The catalog in force, as it was read last."""
        async with self._one_reader:
            if self._listed is None:
                await self._read()
        return self._in_force

    async def refresh(self) -> bool:
        """Read the ConfigMaps; whether they say something else than before."""
        async with self._one_reader:
            return await self._read()

    async def _read(self) -> bool:
        listed = await self._client.list_all(CONFIG_MAPS, self._namespace, labels=CATALOG_LABEL, project=_texts)
        listed.sort()
        if listed == self._listed:
            return False
        self._in_force, self._listed = self._combine(listed), listed
        return True

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

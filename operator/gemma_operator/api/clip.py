"""Cuts a status to its schema, so that no over-long text makes the API server refuse the whole of it."""

import json
from collections.abc import Mapping
from typing import Any

from gemma_operator.api.structural import Schema, structural_schema
from gemma_operator.api.v1alpha1.status import GemmaDeploymentStatus

MAX_STATUS_BYTES = 16 * 1024
OPTIONAL_LISTS = ("alternatives", "rejected", "nearest")

_SCHEMA = structural_schema(GemmaDeploymentStatus)


def clip_status(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status with every string, list and map within its bound and at most 16 KiB in all.

    Heads are kept and a cut string ends in ``…``; lists that only explain are shortened first.
    """
    clipped: dict[str, Any] = _clip(dict(status), _SCHEMA)
    while len(json.dumps(clipped, ensure_ascii=False).encode()) > MAX_STATUS_BYTES:
        longest = max(OPTIONAL_LISTS, key=lambda name: len(json.dumps(clipped.get(name) or [])))
        if not clipped.get(longest):
            break
        clipped[longest] = clipped[longest][:-1]
    return clipped


def _clip(value: Any, schema: Schema) -> Any:
    if isinstance(value, str) and "maxLength" in schema:
        most = schema["maxLength"]
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, list | tuple) and "items" in schema:
        return [_clip(item, schema["items"]) for item in value[: schema["maxItems"]]]
    if isinstance(value, Mapping):
        if "properties" in schema:
            known = schema["properties"]
            return {name: _clip(item, known[name]) for name, item in value.items() if name in known}
        if "additionalProperties" in schema:
            kept = list(value.items())[: schema["maxProperties"]]
            return {name: _clip(item, schema["additionalProperties"]) for name, item in kept}
    return value

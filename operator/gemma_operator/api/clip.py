"""Cuts a status to its schema, so that no over-long text makes the API server refuse the whole of it."""

import json
from collections.abc import Mapping
from typing import Any

from gemma_operator.api.structural import Schema, structural_schema
from gemma_operator.api.v1alpha1.status import GemmaDeploymentStatus

MAX_STATUS_BYTES = 16 * 1024
OPTIONAL_LISTS = ("alternatives", "rejected", "nearest")
LONGEST_SENTENCE = 1024
"""``maxLength`` of a sentence in the status; only sentences are cut for the total."""
SHORTEST_CUT = 64

_SCHEMA = structural_schema(GemmaDeploymentStatus)


def clip_status(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status with every string, list and map within its bound and at most 16 KiB in all.

    Heads are kept and a cut string ends in ``…``. Nulls and unknown fields are left out. Lists that only explain are
    shortened first, then long sentences; words, selector and URL are cut to their own bound only.
    """
    clipped: dict[str, Any] = _clip(dict(status), _SCHEMA)
    while _size(clipped) > MAX_STATUS_BYTES:
        longest = max(OPTIONAL_LISTS, key=lambda name: len(json.dumps(clipped.get(name) or [])))
        if not clipped.get(longest):
            break
        clipped[longest] = clipped[longest][:-1]
    most = LONGEST_SENTENCE
    while _size(clipped) > MAX_STATUS_BYTES and most > SHORTEST_CUT:
        most //= 2
        clipped = _clip(clipped, _SCHEMA, most)
    return clipped


def _size(status: Mapping[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False).encode())


def _clip(value: Any, schema: Schema, sentence: int = LONGEST_SENTENCE) -> Any:
    """``sentence`` lowers the bound of those strings whose bound is that of a sentence."""
    if isinstance(value, str) and "maxLength" in schema:
        most = sentence if schema["maxLength"] == LONGEST_SENTENCE else schema["maxLength"]
        return value if len(value) <= most else value[: most - 1] + "…"
    if isinstance(value, list | tuple) and "items" in schema:
        return [_clip(item, schema["items"], sentence) for item in value[: schema["maxItems"]]]
    if isinstance(value, Mapping):
        if "properties" in schema:
            known = schema["properties"]
            present = {name: item for name, item in value.items() if name in known and item is not None}
            return {name: _clip(item, known[name], sentence) for name, item in present.items()}
        if "additionalProperties" in schema:
            kept = list(value.items())[: schema["maxProperties"]]
            return {name: _clip(item, schema["additionalProperties"], sentence) for name, item in kept}
    return value

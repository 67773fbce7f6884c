"""The JSON schema of ``gemmactl plan -o json``. The committed copy is checked against it, and output against both."""

from typing import Any

BYTES = {"type": "integer"}
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 1}
MEMORY_TERMS = (
    "totalBytes",
    "requestedBytes",
    "weightsBytes",
    "persistentBytes",
    "activationBytes",
    "graphsBytes",
    "kvAvailableBytes",
    "kvNeededBytes",
    "poolSpareBytes",
    "contextBytes",
    "afterSizingBytes",
    "marginBytes",
    "outsideSpareBytes",
)


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def plan_schema() -> dict[str, Any]:
    """The schema as an object, JSON Schema 2020-12."""
    plan = _object(
        {
            "variant": TEXT,
            "checkpoint": TEXT,
            "revision": {"type": ["string", "null"]},
            "quantization": TEXT,
            "kvCacheDtype": TEXT,
            "accelerator": TEXT,
            "tensorParallelSize": COUNT,
            "contextLength": COUNT,
            "concurrentRequests": COUNT,
            "maxNumBatchedTokens": COUNT,
            "asyncScheduling": {"type": "boolean"},
            "maxNumSeqs": COUNT,
            "gpuMemoryUtilization": {"type": "number", "minimum": 0, "maximum": 1},
            "tight": {"type": "boolean"},
            "maxConcurrency": {"type": "number"},
            "blockSize": COUNT,
            "blocksPerRequest": COUNT,
            "numBlocks": COUNT,
            "memory": _object(dict.fromkeys(MEMORY_TERMS, BYTES)),
            "host": _object(
                dict.fromkeys(("cpuMillicores", "memoryBytes", "sharedMemoryBytes", "ephemeralStorageBytes"), BYTES)
            ),
            "args": _list(TEXT),
            "reasons": _list(TEXT),
        }
    )
    maybe_bytes = {"type": ["integer", "null"]}
    rejected = _object(
        {
            "candidate": TEXT,
            "reason": TEXT,
            "needBytes": maybe_bytes,
            "availableBytes": maybe_bytes,
            "message": TEXT,
        }
    )
    reference = {"$ref": "#/$defs/plan"}
    decision = _object(
        {
            "plan": {"anyOf": [reference, {"type": "null"}]},
            "alternatives": _list(reference),
            "rejected": _list(rejected),
            "nearest": _list(_object({"change": TEXT, "plan": reference})),
            "notes": _list(TEXT),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answer of gemmactl plan",
        "anyOf": [
            {"$ref": "#/$defs/decision"},
            _object({"plans": _list(_object({"name": TEXT, "decision": {"$ref": "#/$defs/decision"}}))}),
        ],
        "$defs": {"plan": plan, "decision": decision},
    }

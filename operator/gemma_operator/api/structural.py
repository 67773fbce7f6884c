"""From pydantic's JSON schema to the structural schema that Kubernetes accepts.

Inlines references, turns "or null" into optional, writes maps as Kubernetes does, and refuses anything unbounded:
one list without a limit makes a CEL rule over it a hundred times too dear for the API server.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
    "x-kubernetes-validations",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-int-or-string",
)


class SchemaError(ValueError):
    """A model that can't become a CRD; the message names the field and what it lacks."""


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model, references inlined and bounds checked. Raises ``SchemaError``."""
    document = model.model_json_schema(by_alias=True)
    schema = _node(document, document.get("$defs", {}), model.__name__)
    _check(schema, model.__name__)
    return schema


def _node(node: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Schema:
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[1]]
        return _node(target, definitions, path) | {key: node[key] for key in ("description",) if key in node}
    if "x-kubernetes-int-or-string" in node:
        kept = {key: node[key] for key in KEPT if key in node and key != "type"}
        return kept | {"anyOf": node["anyOf"]} | ({"default": node["default"]} if "default" in node else {})
    if "anyOf" in node:
        options = [option for option in node["anyOf"] if option.get("type") != "null"]
        if len(options) != 1:
            raise SchemaError(f"{path}: a choice between types is not structural")
        rest = {key: value for key, value in node.items() if key not in {"anyOf", "default"}}
        return _node(options[0] | rest, definitions, path)
    schema = {key: node[key] for key in KEPT if key in node}
    if "const" in node:
        schema["enum"] = [node["const"]]
    if node.get("type") == "array":
        schema["items"] = _node(node["items"], definitions, f"{path}[]")
        schema.setdefault("x-kubernetes-list-type", "atomic")
    if "properties" in node:
        schema["properties"] = {
            name: _node(child, definitions, f"{path}.{name}") for name, child in node["properties"].items()
        }
    elif isinstance(node.get("additionalProperties"), Mapping):
        schema["additionalProperties"] = _node(node["additionalProperties"], definitions, f"{path}.*")
    elif "patternProperties" in node:
        schema["additionalProperties"] = _node(next(iter(node["patternProperties"].values())), definitions, f"{path}.*")
    return schema


def _check(schema: Schema, path: str, described: bool = True) -> None:
    """Refuse strings, lists and maps without a bound and properties without a description."""
    kind = schema.get("type")
    if kind == "string" and not ({"maxLength", "enum"} & schema.keys()):
        raise SchemaError(f"{path}: a string needs maxLength")
    if kind == "array":
        if "maxItems" not in schema:
            raise SchemaError(f"{path}: a list needs maxItems")
        _check(schema["items"], f"{path}[]", described=False)
    if "additionalProperties" in schema:
        if "maxProperties" not in schema:
            raise SchemaError(f"{path}: a map needs maxProperties")
        _check(schema["additionalProperties"], f"{path}.*", described=False)
    if described and not schema.get("description"):
        raise SchemaError(f"{path}: a field needs a description")
    for name, child in schema.get("properties", {}).items():
        _check(child, f"{path}.{name}")

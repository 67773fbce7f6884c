"""The API reference page, made from the same schema as the CRD."""

from collections.abc import Iterator

from gemma_operator.api.crd import crd
from gemma_operator.api.structural import Schema


def render_reference() -> str:
    """The page as Markdown: every field with its type, bounds and description."""
    version = crd()["spec"]["versions"][0]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    lines = [
        "# API reference: `gemma-operator.io/v1alpha1` GemmaDeployment",
        "",
        "Generated from the models. `kubectl explain gemmadeployment.spec.model` says the same, field by field.",
        "",
    ]
    for part in ("spec", "status"):
        lines += [f"## `{part}`", "", "| field | type | meaning |", "|---|---|---|"]
        lines += [f"| `{path}` | {kind} | {text} |" for path, kind, text in _rows(properties[part], "")]
        lines.append("")
    lines += ["## Rules", "", "Checked by the API server; the message says what to write instead.", ""]
    rules = [*_rules(version["schema"]["openAPIV3Schema"], "GemmaDeployment"), *_rules(properties["spec"], "spec")]
    lines += [f"- `{path}`: {message}" for path, message in rules]
    return "\n".join(lines) + "\n"


def _rows(schema: Schema, prefix: str) -> Iterator[tuple[str, str, str]]:
    required = set(schema.get("required", ()))
    for name, child in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        text = child.get("description", "").replace("|", "\\|")
        yield path, _kind(child), text + (" **Required.**" if name in required else "")
        yield from _rows(child, f"{path}.")
        if child.get("type") == "array":
            yield from _rows(child["items"], f"{path}[].")


def _kind(schema: Schema) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of at most {schema['maxItems']}: {_kind(schema['items'])}"
    if "additionalProperties" in schema:
        return f"map of at most {schema['maxProperties']}: {_kind(schema['additionalProperties'])}"
    kind = str(schema.get("type", "object"))
    if "minimum" in schema and "maximum" in schema:
        return f"{kind}, {schema['minimum']} to {schema['maximum']}"
    return f"{kind}, at most {schema['maxLength']} characters" if kind == "string" else kind


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path, rule["message"]
    if path.startswith("GemmaDeployment"):
        return
    for name, child in schema.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}")
    if schema.get("type") == "array":
        yield from _rules(schema["items"], f"{path}[]")

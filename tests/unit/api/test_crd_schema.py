"""The CRD holds what the API server and the people who read it need, in every corner."""

from collections.abc import Iterator

import pytest
import yaml
from pydantic import Field

from gemma_operator.api.crd import crd, render_crd
from gemma_operator.api.structural import Schema, SchemaError, structural_schema
from gemma_operator.api.v1alpha1.base import ApiModel

MOST_BYTES = 100_000
ROOT = crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
SPEC, STATUS = ROOT["properties"]["spec"], ROOT["properties"]["status"]


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}.*")


ALL = dict([*nodes(SPEC, "spec"), *nodes(STATUS, "status")])


def lacking(kind: str, *bounds: str) -> list[str]:
    return [path for path, node in ALL.items() if node.get("type") == kind and not set(bounds) & node.keys()]


def test_the_walk_sees_the_whole_schema() -> None:
    assert {"spec.engine.pod.labels.*", "spec.accelerators.tolerations[].effect", "status.plan.memory.*"} <= ALL.keys()
    assert len(ALL) > 100


def test_every_string_list_and_map_is_bounded() -> None:
    assert lacking("string", "maxLength", "enum") == []
    assert lacking("array", "maxItems") == []
    maps = [path for path, node in ALL.items() if "additionalProperties" in node and "maxProperties" not in node]
    assert maps == []


def test_every_number_of_the_spec_has_both_bounds() -> None:
    numbers = {path: node for path, node in ALL.items() if path.startswith("spec") and node.get("type") == "integer"}
    assert len(numbers) >= 5
    open_ended = [
        path for path, node in numbers.items() if "enum" not in node and not {"minimum", "maximum"} <= node.keys()
    ]
    assert open_ended == []


def test_every_field_is_described_and_every_list_says_how_it_merges() -> None:
    fields = {path: node for path, node in ALL.items() if not path.endswith(("[]", ".*"))}
    assert [path for path, node in fields.items() if len(node.get("description", "")) < 5] == []
    lists = {path: node for path, node in ALL.items() if node.get("type") == "array"}
    assert [path for path, node in lists.items() if "x-kubernetes-list-type" not in node] == []


def test_a_status_is_never_refused_for_a_word() -> None:
    strict = [
        path
        for path, node in ALL.items()
        if path.startswith("status") and {"enum", "pattern", "minLength"} & node.keys()
    ]
    assert strict == []


def test_conditions_are_merged_by_type() -> None:
    assert ALL["status.conditions"]["x-kubernetes-list-type"] == "map"
    assert ALL["status.conditions"]["x-kubernetes-list-map-keys"] == ["type"]


def test_the_crd_defaults_replicas_alone() -> None:
    """A default that the server writes into the object could never change for those who did not choose it."""
    assert [path for path, node in ALL.items() if "default" in node] == ["spec.replicas"]


def test_every_rule_says_what_to_write() -> None:
    rules = [rule for node in (ROOT, *ALL.values()) for rule in node.get("x-kubernetes-validations", ())]
    assert len(rules) >= 6
    assert [rule for rule in rules if len(rule["message"]) < 20] == []


def test_no_field_is_called_like_a_schema_keyword_and_lost() -> None:
    assert "type" in STATUS["properties"]["conditions"]["items"]["properties"]
    assert STATUS["properties"]["conditions"]["items"]["required"] != []


def test_the_crd_is_small_and_the_same_after_a_round_trip() -> None:
    text = render_crd()
    assert len(text.encode()) < MOST_BYTES
    assert yaml.safe_load(text) == crd()


class _UnboundedText(ApiModel):
    """A string without an end."""

    note: str = Field(description="Free text.")


class _UnboundedList(ApiModel):
    """A list without an end."""

    numbers: tuple[int, ...] = Field(description="Numbers.")


class _Undescribed(ApiModel):
    """Described itself, its field is not."""

    number: int


class _Choice(ApiModel):
    """Two types in one field."""

    either: int | bool = Field(description="One or the other.")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_UnboundedText, "_UnboundedText.note: a string needs maxLength"),
        (_UnboundedList, "_UnboundedList.numbers: a list needs maxItems"),
        (_Undescribed, "_Undescribed.number: a field needs a description"),
        (_Choice, "_Choice.either: a choice between types is not structural"),
    ],
)
def test_a_model_that_can_not_become_a_crd_is_refused_by_field(model: type[ApiModel], message: str) -> None:
    with pytest.raises(SchemaError, match=message.replace(".", r"\.")):
        structural_schema(model)


def test_no_name_of_the_kind_means_a_category_too() -> None:
    """kubectl puts a category in the place of a resource name before it looks at short names."""
    names = crd()["spec"]["names"]
    assert names["shortNames"] == ["gd", "gemma"]
    assert not {names["plural"], names["singular"], *names["shortNames"]} & set(names.get("categories", ()))

"""Values, schema, descriptions and metadata of the charts say the same."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gemma_operator import __version__
from gemma_operator.api.crd import render_crd
from gemma_operator.api.v1alpha1 import GemmaDeployment
from gemma_operator.cli.chart_values import documented_values, with_values

CHARTS = Path(__file__).parents[3] / "charts"
SAMPLE = CHARTS.parent / "crds" / "samples" / "gemmadeployment.yaml"
BOTH = ("gemma-operator", "gemma-operator-crds")
OPEN = {"global", "labels", "annotations", "quantities", "valueFrom", "seLinuxOptions", "items"}
OPEN |= {"nodeAffinity", "podAffinity", "podAntiAffinity"}
"""Objects of a schema that take any name: they are Kubernetes' own, or maps whose keys the installer chooses."""


def values(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return loaded


def schema(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return loaded


def metadata(chart: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    return loaded


def keys(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of the values."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield (*path, key)
            yield from keys(child, (*path, key))


def objects(node: Any, name: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema with the name that it goes by."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield name, node
        for key, child in node.items():
            yield from objects(child, key if key not in {"properties", "definitions"} else name)


@pytest.mark.parametrize("chart", BOTH)
def test_the_defaults_keep_to_the_schema(chart: str) -> None:
    jsonschema.validate(values(chart), schema(chart))


@pytest.mark.parametrize("chart", BOTH)
def test_every_misspelt_value_is_refused(chart: str) -> None:
    tried = 0
    for path in keys(values(chart)):
        if {"labels", "annotations", "requests", "limits", "global"} & set(path[:-1]):
            continue
        wrong = copy.deepcopy(values(chart))
        holder = wrong
        for key in path[:-1]:
            holder = holder[key]
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
        with pytest.raises(jsonschema.ValidationError, match="Additional properties are not allowed"):
            jsonschema.validate(wrong, schema(chart))
        tried += 1
    assert tried == 2 if chart == "gemma-operator-crds" else tried > 60


def test_only_named_objects_of_the_schema_take_any_name() -> None:
    found = {name for name, node in objects(schema("gemma-operator")) if node.get("additionalProperties") is not False}
    assert found == OPEN - {"items"}


@pytest.mark.parametrize("chart", BOTH)
def test_every_value_of_the_schema_has_a_default_and_a_description(chart: str) -> None:
    assert list(values(chart)) == [row.path.split(".")[0] for row in _first_of_each(chart)]
    assert set(schema(chart)["properties"]) == set(values(chart))


def _first_of_each(chart: str) -> list[Any]:
    rows = documented_values((CHARTS / chart / "values.yaml").read_text())
    return list({row.path.split(".")[0]: row for row in rows}.values())


def test_a_value_without_a_description_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match=r"line 4: image\.tag has no comment"):
        documented_values('image:\n  # -- Where it is.\n  registry: ""\n  tag: ""\n')


def test_a_description_may_take_lines_and_covers_what_is_below() -> None:
    (row,) = documented_values("# -- Of the\n# container.\nresources:\n  limits: {memory: 1Gi}\n")
    assert (row.path, row.default, row.description) == ("resources", {"limits": {"memory": "1Gi"}}, "Of the container.")


def test_a_readme_without_marks_is_not_written_to() -> None:
    with pytest.raises(ValueError, match="the README needs the lines"):
        with_values("# A chart\n", "{}")


@pytest.mark.parametrize("chart", BOTH)
def test_both_charts_carry_the_crd_as_it_is(chart: str) -> None:
    text = (CHARTS / chart / "templates" / "crd.yaml").read_text()
    plain = "\n".join(line for line in text.splitlines() if "{{" not in line)
    crd = yaml.safe_load(plain)
    assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert crd == yaml.safe_load(render_crd())


@pytest.mark.parametrize("chart", BOTH)
def test_a_chart_names_the_version_that_it_installs(chart: str) -> None:
    assert metadata(chart)["appVersion"] == metadata(chart)["version"] == __version__
    image = f"gemma-operator.local/gemma-operator:{__version__}"
    assert image in metadata("gemma-operator")["annotations"]["artifacthub.io/images"]


def test_the_example_for_artifact_hub_is_the_sample() -> None:
    (example,) = yaml.safe_load(metadata("gemma-operator")["annotations"]["artifacthub.io/crdsExamples"])
    assert example == yaml.safe_load(SAMPLE.read_text())
    GemmaDeployment.model_validate(example)


def test_what_artifact_hub_is_told_of_the_crd_is_the_crd() -> None:
    (told,) = yaml.safe_load(metadata("gemma-operator")["annotations"]["artifacthub.io/crds"])
    crd = yaml.safe_load(render_crd())
    assert (told["kind"], told["name"]) == (crd["spec"]["names"]["kind"], crd["metadata"]["name"])
    assert told["version"] in {version["name"] for version in crd["spec"]["versions"]}

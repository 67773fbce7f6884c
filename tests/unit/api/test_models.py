"""The models refuse what the API server refuses, so that a manifest can be checked without a cluster."""

import re
from typing import Any

import pytest

from gemma_operator.planning.intake import ManifestError, parse_manifest
from tests.unit.api.broken_rules import BROKEN_BOUNDS, BROKEN_RULES, spec_only


def manifest(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "gemma-operator.io/v1alpha1",
        "kind": "GemmaDeployment",
        "metadata": {"name": "assistant", "namespace": "team"},
        "spec": {"contextLength": "256K"} | spec,
    }


@pytest.mark.parametrize(("spec", "message"), BROKEN_RULES, ids=spec_only)
def test_a_broken_rule_is_refused_in_the_words_of_the_crd(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=re.escape(message)):
        parse_manifest(manifest(spec))


@pytest.mark.parametrize(("spec", "_message"), BROKEN_BOUNDS, ids=spec_only)
def test_a_broken_bound_is_refused_by_field(spec: dict[str, Any], _message: str) -> None:
    field = next(iter(spec))
    with pytest.raises(ManifestError, match=f"^spec.{field}"):
        parse_manifest(manifest(spec))


def test_a_misspelt_field_is_refused_by_name() -> None:
    with pytest.raises(ManifestError, match=r"spec.model.quantisation: no such field"):
        parse_manifest(manifest({"model": {"quantisation": "FP8"}}))


def test_amounts_are_the_same_as_number_and_as_text() -> None:
    amounts = [
        parse_manifest(manifest({"engine": {"pod": {"requests": {"cpu": cpu}}}})).spec.engine.pod.requests
        for cpu in (8, "8")
    ]
    assert amounts[0] is not None
    assert amounts[0].cpu == "8"
    assert amounts[0] == amounts[1]


def test_an_object_without_a_context_length_is_refused() -> None:
    document = manifest({})
    del document["spec"]["contextLength"]
    with pytest.raises(ManifestError, match=r"spec.contextLength: Field required"):
        parse_manifest(document)

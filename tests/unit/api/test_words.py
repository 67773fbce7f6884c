"""The words of the API are the words of the rooms behind it."""

from typing import get_args

from gemma_operator.api.conditions import ConditionType
from gemma_operator.api.crd import crd
from gemma_operator.api.v1alpha1.model import KVCacheDtypeChoice, ModalityChoice, ModelSpec, QuantizationChoice
from gemma_operator.api.v1alpha1.spec import ObjectiveChoice
from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.precision import KVCacheDtype, Modality, Precision
from gemma_operator.planning.ask import Objective

VERSION = crd()["spec"]["versions"][0]


def test_choices_of_the_api_are_the_enums_of_the_catalog() -> None:
    assert get_args(QuantizationChoice) == ("Auto", *Precision)
    assert get_args(KVCacheDtypeChoice) == ("Auto", *KVCacheDtype)
    assert get_args(ModalityChoice) == tuple(Modality)
    assert set(get_args(ObjectiveChoice)) == {str(objective) for objective in Objective}


def test_every_variant_of_the_catalog_is_named_in_the_description() -> None:
    description = ModelSpec.model_fields["variant"].description or ""
    assert [variant.id for variant in builtin_catalog().variants if variant.id not in description] == []


def test_publishers_by_default_publish_something() -> None:
    publishers = {checkpoint.publisher for checkpoint in builtin_catalog().checkpoints}
    assert set(ModelSpec.model_validate({}).publishers) <= publishers


def test_every_condition_type_is_named_in_the_description_of_conditions() -> None:
    description = VERSION["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["conditions"][
        "description"
    ]
    assert [kind for kind in ConditionType if kind not in description] == []


def test_columns_read_fields_that_exist() -> None:
    root = VERSION["schema"]["openAPIV3Schema"]
    for column in VERSION["additionalPrinterColumns"]:
        node = root
        for part in column["jsonPath"].split("[")[0].strip(".").split("."):
            assert "properties" in node or "additionalProperties" in node or part == "creationTimestamp", column
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
            if part == "metadata":
                break
        else:
            assert node, column["jsonPath"]

"""A catalog text that can't be used is refused by source, field and value; a good one extends what is there."""

import pytest

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.catalog.parse import CatalogError, extend
from gemma_operator.catalog.precision import Precision

CATALOG = builtin_catalog()
SOURCE = "ConfigMap team/cards"
FINE_TUNE = """
checkpoints:
  - {id: acme/gemma-4-31B-legal, variant: 31B, publisher: Acme, scheme: fp8-dynamic, fileBytes: 33000000000}
"""
CARD = """
products:
  - id: RTX-6090
    labels: [NVIDIA-GeForce-RTX-6090]
    computeCapability: "13.0"
    memoryStates: [{labelMemoryMib: 49152, cudaTotalGib: 47.5}]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("products: [", ["not YAML"]),
        ("- a list", ["expected a mapping"]),
        ("", ["expected a mapping"]),
        (CARD.replace("13.0", "13"), ["products.0.computeCapability", "'13' is not of the form 8.9"]),
        (CARD.replace("47.5", "-1"), ["products.0.memoryStates.0.cudaTotalGib", "greater than 0", "'-1'"]),
        (CARD.replace("id: RTX-6090", "idd: x"), ["products.0.id", "Field required"]),
        (CARD.replace("[{labelMemoryMib: 49152, cudaTotalGib: 47.5}]", "[]"), ["products.0.memoryStates"]),
        (CARD.replace("labels: [", "lables: ["), ["products.0.labels", "Field required"]),
        (FINE_TUNE.replace("33000000000", "0"), ["checkpoints.0.fileBytes", "greater than 0", "'0'"]),
        (FINE_TUNE.replace("fileBytes", "bytes"), ["checkpoints.0.bytes", "not permitted", "'33000000000'"]),
        (
            FINE_TUNE.replace("variant: 31B", "variant: 32B"),
            ["acme/gemma-4-31B-legal", "'32B' is not known"],
        ),
        (FINE_TUNE.replace("fp8-dynamic", "fp6"), ["'fp6' has no precision", "add it under precisions"]),
        (FINE_TUNE.replace(", fileBytes: 33000000000", ""), ["FP8 checkpoint needs fileBytes or loadedBytes"]),
        ("precisions: {fp6: FP6}", ["precisions.fp6", "'FP6'"]),
    ],
)
def test_a_wrong_text_is_refused_by_source_field_and_value(text: str, words: list[str]) -> None:
    with pytest.raises(CatalogError) as refused:
        extend(CATALOG, SOURCE, text)
    message = str(refused.value)
    assert message.startswith(f"{SOURCE}: ")
    assert [word for word in words if word not in message] == [], message


def test_a_fine_tune_joins_the_checkpoints_of_its_variant() -> None:
    extended = extend(CATALOG, SOURCE, FINE_TUNE)
    added = extended.checkpoints_of("31B")[-1]
    assert (added.id, added.precision, added.revision) == ("acme/gemma-4-31B-legal", Precision.FP8, None)
    assert len(extended.checkpoints) == len(CATALOG.checkpoints) + 1
    assert extended.products == CATALOG.products


def test_an_entry_of_a_known_id_replaces_it_in_place() -> None:
    known = CATALOG.checkpoints[0]
    text = FINE_TUNE.replace("acme/gemma-4-31B-legal", known.id).replace("}", ", revision: abc123}")
    extended = extend(CATALOG, SOURCE, text)
    assert [entry.id for entry in extended.checkpoints] == [entry.id for entry in CATALOG.checkpoints]
    assert extended.checkpoints[0].revision == "abc123"
    assert extended.checkpoints[0].precision is Precision.FP8


def test_a_new_scheme_comes_with_its_precision() -> None:
    text = "precisions: {acme-8bit: INT8}" + FINE_TUNE.replace("fp8-dynamic", "acme-8bit")
    assert extend(CATALOG, SOURCE, text).checkpoints[-1].precision is Precision.INT8


def test_a_card_joins_the_products_with_its_bytes() -> None:
    card = extend(CATALOG, SOURCE, CARD).products[-1]
    assert (card.id, card.compute_capability) == ("RTX-6090", (13, 0))
    assert card.memory_states[0].total_bytes == int(47.5 * 2**30)
    assert card.memory_states[0].status == "estimate"

"""Every sample is a GemmaDeployment that the operator plans from."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gemma_operator.catalog.builtin import builtin_catalog
from gemma_operator.gpus.match import match_product
from gemma_operator.planning.intake import ask_from_manifest, parse_manifest

SAMPLES = sorted((Path(__file__).parents[3] / "crds" / "samples").glob("*.yaml"))
TIERS = "tiers"
ASKS = [
    pytest.param(document, id=f"{path.stem}-{document['metadata']['name']}")
    for path in SAMPLES
    for document in yaml.safe_load_all(path.read_text())
]
CATALOG = builtin_catalog()


def test_there_is_a_sample_for_each_way_to_ask() -> None:
    names = {path.stem for path in SAMPLES}
    assert names == {
        "gemmadeployment",
        "quality",
        "audio",
        "small-card",
        "pinned",
        "volume-claim",
        "autoscaling",
        TIERS,
    }


@pytest.mark.parametrize("document", ASKS)
def test_a_sample_can_be_planned(document: dict[str, Any]) -> None:
    spec = parse_manifest(document).spec
    ask = ask_from_manifest(document)
    assert ask.context_length == spec.context_length_tokens
    if ask.variant is not None:
        variant = CATALOG.variant(ask.variant)
        assert variant is not None
        assert ask.modalities <= variant.modalities
        assert ask.context_length <= variant.max_context_tokens
    if ask.checkpoint is not None:
        assert ask.checkpoint in {checkpoint.id for checkpoint in CATALOG.checkpoints_of(ask.variant or "")}
    for product in ask.accelerators:
        assert match_product(CATALOG.products, product).total_bytes > 0


def test_the_minimal_sample_has_one_field() -> None:
    document = yaml.safe_load(next(path for path in SAMPLES if path.stem == "gemmadeployment").read_text())
    assert document["spec"] == {"contextLength": "256K"}

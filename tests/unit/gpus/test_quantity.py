"""Kubernetes quantities as numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.gpus.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("8", 8), (8, 8), ("500m", 0.5), ("16Gi", 16 * 2**30), ("1.5Gi", 1.5 * 2**30), ("1e3", 1000),
        ("1E3", 1000), ("128974848", 128974848), ("129M", 129_000_000), ("2Ti", 2 * 2**40), ("100n", 1e-7),
        ("5E", 5e18), ("1Ei", 2**60), (".5", 0.5), ("-1", -1),
    ],
)  # fmt: skip
def test_every_form_has_its_value(text: str | int, number: float) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1gi", "1 Gi", "lots", "1GiGi", "0x10", "nan", "NaN", "inf", "Infinity"])
def test_what_is_no_quantity_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity") as refused:
        parse_quantity(text)
    assert repr(text) in str(refused.value)


@given(st.integers(0, 2**40), st.sampled_from([("Ki", "Mi"), ("Mi", "Gi"), ("Gi", "Ti")]))
def test_1024_of_a_unit_are_one_of_the_next(number: int, units: tuple[str, str]) -> None:
    smaller, larger = units
    assert parse_quantity(f"{number * 1024}{smaller}") == parse_quantity(f"{number}{larger}")

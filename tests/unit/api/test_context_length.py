"""What may be written for a context length, and what it means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemma_operator.api.context_length import MAX_TOKENS, MIN_TOKENS, PATTERN, parse_context_length


@pytest.mark.parametrize(
    ("written", "tokens"),
    [("256K", 262_144), ("1K", 1024), ("1024K", 1_048_576), ("200K", 204_800), (128, 128), (262144, 262_144)],
)
def test_integers_and_multiples_of_1024_are_understood(written: object, tokens: int) -> None:
    assert parse_context_length(written) == tokens


@pytest.mark.parametrize(
    "written",
    ["256k", "256Ki", "256 K", " 256K", "256K\n", "0K", "1025K", "9999K", "١K", "1.5K", "-1K", "262144", "K", ""],
)
def test_any_other_text_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match="for 262,144 tokens write 256K") as refused:
        parse_context_length(written)
    assert repr(written) in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [127, 0, -5, 1_048_577, True, None, 1e5, ["256K"]],
)
def test_any_other_value_is_refused_with_what_to_write(written: object) -> None:
    with pytest.raises(ValueError, match="for 262,144 tokens write 256K") as refused:
        parse_context_length(written)
    assert repr(written) in str(refused.value)


@given(st.integers(MIN_TOKENS, MAX_TOKENS))
def test_every_number_of_tokens_in_range_is_itself(tokens: int) -> None:
    assert parse_context_length(tokens) == tokens


@given(st.integers(1, 1024))
def test_a_text_and_its_number_of_tokens_mean_the_same(thousands: int) -> None:
    assert parse_context_length(f"{thousands}K") == parse_context_length(thousands * 1024)


@given(st.one_of(st.text(max_size=8), st.from_regex(PATTERN)))
def test_a_text_is_either_of_the_one_form_or_refused(text: str) -> None:
    well_formed = re.fullmatch("[1-9][0-9]{0,3}K", text) is not None and int(text[:-1]) <= 1024
    try:
        tokens = parse_context_length(text)
    except ValueError:
        assert not well_formed
    else:
        assert well_formed
        assert tokens == int(text[:-1]) * 1024

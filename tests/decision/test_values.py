"""Numbers and text survive the record, or are changed in the documented way."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.canonical import canonical_bytes
from adjudge.decision.values import (
    MAX_DEPTH,
    MAX_SAFE_INTEGER,
    check_recorded,
    decode_value,
    encode_value,
    spell_surrogates,
)
from adjudge.errors import InputError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["$number", "$$number"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["$number", "$$number"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON)
def test_every_json_value_comes_back(value: Any) -> None:
    encoded = encode_value(value)
    check_recorded(encoded)
    assert decode_value(encoded) == value


@given(JSON)
def test_the_canonical_form_survives_any_json_reader(value: Any) -> None:
    canonical = canonical_bytes(encode_value(value))
    assert canonical_bytes(json.loads(canonical)) == canonical


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
        (MAX_SAFE_INTEGER + 1, {"$number": "9007199254740992"}),
        (-(10**20), {"$number": "-100000000000000000000"}),
        (1e20, {"$number": "1e+20"}),
        (0.1, 0.1),
        (math.inf, {"$number": "inf"}),
        (Decimal("0.1"), 0.1),
        (Decimal("2"), 2),
        (Decimal("0.1234567890123456789"), {"$number": "0.1234567890123456789"}),
        (Decimal("1e400"), {"$number": "1E+400"}),
        (True, True),
        ({"$number": "7"}, {"$$number": "7"}),
        ({"$number": 7, "b": 1}, {"$number": 7, "b": 1}),
        ("a\udc80b", "a\\udc80b"),
        ({"\ud800": 1}, {"\\ud800": 1}),
        ((1, "x"), [1, "x"]),
    ],
)
def test_recorded_form(value: Any, recorded: Any) -> None:
    encoded = encode_value(value)
    assert encoded == recorded
    assert type(encoded) is type(recorded)


def test_an_integer_beyond_pythons_printing_limit() -> None:
    number = 10**5000
    assert decode_value(encode_value(number)) == number


def test_too_deep_is_an_error_with_a_code() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    check_recorded(encode_value(value))
    with pytest.raises(InputError) as caught:
        encode_value([value])
    assert caught.value.code == "value_too_deep"
    with pytest.raises(ValueError, match="deeper"):
        check_recorded([value])


@pytest.mark.parametrize("value", [2**53, 1e300, math.nan, [math.inf]])
def test_numbers_not_in_recorded_form_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="number"):
        check_recorded(value)


@pytest.mark.parametrize("value", [{1, 2}, {1: 2}, object()])
def test_other_types_are_a_mistake_of_the_caller(value: Any) -> None:
    with pytest.raises(TypeError):
        encode_value(value)


def test_a_forged_number_is_an_error_with_a_code() -> None:
    with pytest.raises(InputError) as caught:
        decode_value({"$number": "seven"})
    assert caught.value.code == "decision_invalid"


def test_spelling_leaves_unicode_alone() -> None:
    assert spell_surrogates("naïve 𝄞 \x00") == "naïve 𝄞 \x00"

"""Sorting by keys gives the order that comparing two values at a time gives."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adjudge.rego.runtime.values import (
    Box,
    RegoSet,
    Value,
    box,
    compare,
    equal,
    make_object,
    order_key,
    sorted_values,
)

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1.0, -2.0, Decimal("1e400"), Decimal("0.1"), 2**70]),
    st.sampled_from(["", "a", "b", "ab"]),
)


def _composites(parts: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.one_of(
        st.lists(parts, max_size=3),
        st.lists(parts, max_size=3).map(RegoSet),
        st.lists(st.tuples(parts, parts), max_size=3).map(make_object),
    )


VALUES = st.recursive(SCALARS, _composites, max_leaves=6)


@given(st.lists(VALUES, max_size=8))
def test_keys_order_values_as_comparing_does(values: list[Value]) -> None:
    assert list(map(repr, sorted_values(values))) == list(map(repr, sorted(values, key=order_key)))


@given(VALUES, VALUES)
def test_equality_order_and_boxes_agree(a: Value, b: Value) -> None:
    assert equal(a, b) == (compare(a, b) == 0) == (box(a) == box(b))


def test_many_parts_are_compared_without_keys() -> None:
    wide: Any = [0] * 20_000
    assert sorted_values([[wide, 2], [wide, 1]]) == [[wide, 1], [wide, 2]]


def test_equal_boxes_come_to_share_their_form() -> None:
    a, b = box([[1], [2]]), box([[1], [2]])
    assert isinstance(a, Box)
    assert isinstance(b, Box)
    assert a.form is not b.form
    assert a == b
    assert a.form is b.form

"""Values as text, as JSON, and back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adjudge.errors import InputError
from adjudge.rego.runtime.text import (
    display_text,
    from_json,
    go_quote,
    rego_text,
    to_indented_json_text,
    to_json,
    to_json_text,
    utf8_bytes,
    utf8_text,
)
from adjudge.rego.runtime.values import BOX_TRUE, LiteralFloat, RegoSet, make_object


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (LiteralFloat("1e3"), "1e3"),
        (RegoSet(), "set()"),
        (RegoSet([2, "a", 1, None]), '{null, 1, 2, "a"}'),
        ({}, "{}"),
        ([], "[]"),
        (make_object([([1], 3), ("b", 1), (1, 2), (None, 4)]), '{null: 4, 1: 2, "b": 1, [1]: 3}'),
        ('a"b\\c\n\x01\u2028\x7f é😀', '"a\\"b\\\\c\\n\\x01\\u2028\\x7f é😀"'),
        ("\udcff", '"\\xff"'),
        ([Decimal("0.33333333333333333334")], "[0.33333333333333333334]"),
    ],
)
def test_terms(value: Any, text: str) -> None:
    assert rego_text(value) == text


def test_strings_are_displayed_bare() -> None:
    assert display_text('a"b') == 'a"b'
    assert display_text(['a"b']) == '["a\\"b"]'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": RegoSet([2, 1])}, '{"a":[1,2],"b":1}'),
        (make_object([(1, 2), ([1], 3), (True, 4)]), '{"1":2,"[1]":3,"true":4}'),
        ("<&>\u2028\ud800\b", '"\\u003c\\u0026\\u003e\\u2028\\ufffd\\b"'),
        ([LiteralFloat("1.50"), 10**20], "[1.50,100000000000000000000]"),
    ],
)
def test_json_text(value: Any, text: str) -> None:
    assert to_json_text(value) == text


def test_indented_json_text() -> None:
    text = to_indented_json_text({"a": [1, {}], "b": []}, "> ", "  ")
    assert text == '{\n>   "a": [\n>     1,\n>     {}\n>   ],\n>   "b": []\n> }'


def test_plain_json_copies_only_what_changes() -> None:
    plain = {"a": [1, {"b": "x"}]}
    assert to_json(plain) is plain
    mixed = {"a": plain, "s": RegoSet([2, 1])}
    out = to_json(mixed)
    assert out == {"a": plain, "s": [1, 2]}
    assert out["a"] is plain
    assert isinstance(mixed["s"], RegoSet)


def test_plain_json_has_string_keys_and_json_numbers() -> None:
    value = make_object([(True, Decimal("1e30")), ([1], Decimal("0.30000000000000000001"))])
    assert to_json(value) == {"true": 10**30, "[1]": 0.3}
    assert to_json(["\udcff"]) == ["\ufffd"]


def test_values_from_json_are_used_as_they_are() -> None:
    document = {"a": [1, 2.5, None, True, {"b": "x"}]}
    assert from_json(document) is document


def test_other_python_values_become_rego_values() -> None:
    class Text(str):
        __slots__ = ()

    value = from_json({2: (1, 2), True: {3}, "t": Text("x")})
    assert value == {2: [1, 2], BOX_TRUE: RegoSet([3]), "t": "x"}
    assert type(value["t"]) is str


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "not_a_number"),
        ([float("inf")], "not_a_number"),
        ({"a": object()}, "not_a_value"),
        ([b"x"], "not_a_value"),
    ],
)
def test_what_is_no_value_is_refused(value: Any, code: str) -> None:
    with pytest.raises(InputError) as raised:
        from_json(value)
    assert raised.value.code == code


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(250):
        value = [value]
    with pytest.raises(InputError) as raised:
        from_json(value)
    assert raised.value.code == "value_too_deep"


def test_bytes_survive_strings() -> None:
    data = b"\xff\x00a\xe9\xc3\xa9"
    assert utf8_bytes(utf8_text(data)) == data
    assert utf8_bytes("\ud800") == "\ufffd".encode()


def test_go_quotes_by_code_point() -> None:
    assert go_quote("\U000e0001\u200b") == '"\\U000e0001\\u200b"'

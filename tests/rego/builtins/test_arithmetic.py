"""The infix operators against answers that OPA gave (data/arithmetic.json)."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime import arithmetic
from adjudge.rego.runtime.values import LiteralFloat, RegoSet

DATA = Path(__file__).parent / "data"

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": arithmetic.plus,
    "-": arithmetic.minus,
    "*": arithmetic.mul,
    "/": arithmetic.div,
    "%": arithmetic.rem,
    "round": lambda a, _: arithmetic.round_(a),
    "ceil": lambda a, _: arithmetic.ceil_(a),
    "floor": lambda a, _: arithmetic.floor_(a),
    "abs": lambda a, _: arithmetic.abs_(a),
}


def number(text: str) -> Any:
    """A number as the parser of the language makes it."""
    try:
        return int(text)
    except ValueError:
        near = float(text)
    if Decimal(repr(near)) != Decimal(text):
        return Decimal(text)
    return near if repr(near) == text else LiteralFloat(text)


def answer(operator: str, a: str, b: str) -> str | None:
    try:
        return arithmetic.number_text(OPERATORS[operator](number(a), number(b)))
    except BuiltinError:
        return None


def test_operators_answer_as_opa_does() -> None:
    wrong = []
    for case in json.loads((DATA / "arithmetic.json").read_text()):
        for operator, want in case["want"].items():
            got = answer(operator, case["a"], case["b"])
            if got != want:
                wrong.append((operator, case["a"], case["b"], want, got))
    assert wrong == []


@pytest.mark.parametrize(
    ("operator", "a", "b", "message"),
    [
        (arithmetic.plus, "a", 1, "operand 1 must be number but got string"),
        (arithmetic.plus, 1, True, "operand 2 must be number but got boolean"),
        (arithmetic.minus, None, 1, "operand 1 must be one of {number, set} but got null"),
        (arithmetic.minus, 1, RegoSet(), "operand 2 must be number but got set"),
        (arithmetic.minus, RegoSet(), 1, "operand 2 must be set but got number"),
        (arithmetic.div, 1, 0, "divide by zero"),
        (arithmetic.div, 1.5, 0.0, "divide by zero"),
        (arithmetic.div, True, 1, "operand 1 must be number but got boolean"),
        (arithmetic.rem, 1, 0, "modulo by zero"),
        (arithmetic.rem, 1.5, 2, "modulo on floating-point number"),
        (arithmetic.bit_and, [1], RegoSet(), "operand 1 must be set but got array"),
        (arithmetic.bit_or, RegoSet(), {}, "operand 2 must be set but got object"),
        (arithmetic.mul, 10**4000, 10**4000, "number too big"),
        (arithmetic.mul, Decimal("1e4000"), Decimal("1.5e4000"), "number too big"),
    ],
)
def test_wrong_operands(operator: Callable[[Any, Any], Any], a: Any, b: Any, message: str) -> None:
    with pytest.raises(BuiltinError) as raised:
        operator(a, b)
    assert raised.value.message == message


def test_negation_is_of_numbers_only() -> None:
    assert arithmetic.negate(3) == -3
    with pytest.raises(BuiltinError, match="operand 2 must be number but got set"):
        arithmetic.negate(RegoSet([1]))


def test_set_operators() -> None:
    a, b = RegoSet([1, 2, True]), RegoSet([2, 3, True])
    assert arithmetic.minus(a, b) == RegoSet([1])
    assert arithmetic.bit_and(a, b) == RegoSet([2, True])
    assert arithmetic.bit_or(a, b) == RegoSet([1, 2, 3, True])
    assert arithmetic.bit_or(RegoSet(), b) is b


def test_a_long_integer_has_a_text() -> None:
    assert arithmetic.number_text(10**6000) == "1" + "0" * 6000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (LiteralFloat("1.50"), "1.50"),
        (LiteralFloat("1e3"), "1e3"),
        (2.0, "2.0"),
        (Decimal("1e400"), "1e400"),
        (Decimal("0.10000000000000000001"), "0.10000000000000000001"),
        (Decimal("-1234567.1234567890123456"), "-1.2345671234567890123456e+06"),
    ],
)
def test_the_text_of_a_number(value: Any, text: str) -> None:
    assert arithmetic.number_text(value) == text

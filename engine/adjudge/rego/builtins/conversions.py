"""Numbers from and to text: to_number, format_int."""

from __future__ import annotations

import re
from typing import Any, Final

from adjudge.rego.builtins.registry import (
    BuiltinError,
    builtin,
    one_of_error,
    operand_error,
    want_number,
)
from adjudge.rego.runtime.arithmetic import big_of, decimal_digits, number_text, truncated
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.text import go_quote
from adjudge.rego.runtime.values import Value, is_number

_RADIX: Final = {"2": "b", "8": "o", "10": "d", "16": "x"}
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_LOOSE_NUMBER: Final = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?\Z")
_NOT_FINITE: Final = ("inf", "infinity", "nan")


@builtin("to_number")
def to_number(value: Value) -> Any:
    """A number from null, a boolean, a number or the text of one."""
    if value is None or value is False:
        return 0
    if value is True:
        return 1
    if not isinstance(value, str):
        if not is_number(value):
            raise one_of_error(1, "null, boolean, number, string", value)
        return value
    if value.lstrip("+-").lower() in _NOT_FINITE:
        raise operand_error(1, "valid number string", value)
    return number_from_text(value)


def number_from_text(text: str) -> Any:
    """The number of a text in Go's syntax of decimal numbers: JSON's, and ``+5``, ``.5``, ``5.``,
    ``007``.  Raises :class:`BuiltinError` as OPA words it."""
    found = _LOOSE_NUMBER.match(text)
    if found is None:
        raise _not_parsed(text, "invalid syntax")
    if not _JSON_NUMBER.match(text):
        sign, digits, exponent = found.groups()
        whole, _, fraction = digits.partition(".")
        text = ("-" if sign == "-" else "") + (whole.lstrip("0") or "0")
        text += ("." + fraction if fraction else "") + (f"e{exponent}" if exponent else "")
    if float(text) in (float("inf"), float("-inf")):
        raise _not_parsed(text, "value out of range")
    try:
        return parse_number(text)
    except ValueError as error:
        raise BuiltinError(f"invalid number: {error}") from None


def _not_parsed(text: str, why: str) -> BuiltinError:
    return BuiltinError(f"strconv.ParseFloat: parsing {go_quote(text)}: {why}")


@builtin("format_int")
def format_int(number: Value, base: Value) -> str:
    """The integer part of a number as text to base 2, 8, 10 or 16."""
    value = want_number(number, 1)
    radix = _RADIX.get(number_text(want_number(base, 2)))
    if radix is None:
        raise BuiltinError("operand 2 must be one of {2, 8, 10, 16}", "eval_type_error")
    whole = value if value.__class__ is int else _integer_part(value)
    return decimal_digits(whole) if radix == "d" else format(whole, radix)


def _integer_part(value: Any) -> int:
    if number_text(value) == "-0":
        return 0
    return truncated(big_of(value))

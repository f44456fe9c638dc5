"""JSON as OPA's JSON Schema library sees it: consumes Rego values and JSON texts, produces plain
documents, exact numbers and the texts by which values are compared."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final

from adjudge.rego.builtins.json_text import parse_json
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.arithmetic import go_text, number_text
from adjudge.rego.runtime.text import MAX_PARTS, json_string, key_text, parts_of, valid_text
from adjudge.rego.runtime.values import RegoSet, Value, is_number, plain_items

# Big floats of 64 bits carry nineteen digits and a part of the twentieth.
_DIGITS: Final = Context(prec=20, rounding=ROUND_HALF_EVEN, Emax=999_999, Emin=-999_999)


def document_of(value: Value) -> Any:
    """The plain document of an operand: a JSON text is read, an object or array is copied."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except BuiltinError:
            raise BuiltinError("invalid JSON string") from None
    if value.__class__ not in (list, dict):
        raise BuiltinError("wrong type, expected string or object")
    if parts_of(value, {}) > MAX_PARTS:
        raise BuiltinError("the document is too large to be validated")
    return copied(value)


def copied(value: Value) -> Any:
    """A copy in plain JSON: sets become arrays, keys texts; numbers stay as they are."""
    if isinstance(value, (list, RegoSet)):
        return [copied(item) for item in value]
    if isinstance(value, dict):
        return {valid_text(key_text(key)): copied(item) for key, item in plain_items(value)}
    return valid_text(value) if isinstance(value, str) else value


def as_fraction(value: Any) -> Fraction | None:
    """The exact number, or None if it is no number."""
    if not is_number(value):
        return None
    if isinstance(value, float):
        return Fraction(Decimal(number_text(value)))
    return Fraction(value)


def shown_number(number: Fraction) -> str:
    """The shortest digits of a number, as Go's ``%v`` shows its big floats."""
    decimal = _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))
    if not decimal:
        return "0"
    sign, digits, _ = decimal.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    return ("-" if sign else "") + go_text(text, decimal.adjusted() + 1)


def canonical(value: Any) -> str:
    """The compact JSON by which values are compared: numbers as doubles, keys sorted."""
    if isinstance(value, str):
        return json_string(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        pairs = (f"{json_string(key)}:{canonical(item)}" for key, item in sorted(value.items()))
        return f"{{{','.join(pairs)}}}"
    return _double_text(value)


def _double_text(value: Any) -> str:
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        # No double is that large; such numbers are compared as they are written.
        return number_text(value)
    magnitude = abs(number)
    if magnitude and (magnitude < 1e-6 or magnitude >= 1e21):
        mantissa, _, exponent = repr(number).partition("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
    plain = format(Decimal(repr(number)), "f")
    return plain.removesuffix(".0")

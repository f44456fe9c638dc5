"""JSON in, the reference evaluator's values out, and what can be done with values alone.

A value is a pair ``(kind, content)``, hashable and compared by what it means:

======== =========================================
null     ``("null", None)``
boolean  ``("boolean", True)``
number   ``("number", Fraction)``
string   ``("string", "text")``
array    ``("array", (value, ...))``
object   ``("object", frozenset of (key, value))``
set      ``("set", frozenset of values)``
======== =========================================
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple


class Value(NamedTuple):
    """One Rego value."""

    kind: str
    content: Any


NULL = Value("null", None)
TRUE = Value("boolean", True)
FALSE = Value("boolean", False)
KINDS = ("null", "boolean", "number", "string", "array", "object", "set")
BITS = 64


def boolean(b: bool) -> Value:
    """A boolean."""
    return TRUE if b else FALSE


def number(n: int | Fraction) -> Value:
    """A number."""
    return Value("number", Fraction(n))


def string(s: str) -> Value:
    """A string."""
    return Value("string", s)


def array(items: Iterable[Value]) -> Value:
    """An array."""
    return Value("array", tuple(items))


def object_(pairs: Iterable[tuple[Value, Value]]) -> Value:
    """An object of pairs with different keys."""
    return Value("object", frozenset(dict(pairs).items()))


def set_(items: Iterable[Value]) -> Value:
    """A set."""
    return Value("set", frozenset(items))


def from_json(x: Any) -> Value:
    """A value from what a JSON parser gives (numbers of any Python type)."""
    if x is None:
        return NULL
    if isinstance(x, bool):
        return boolean(x)
    if isinstance(x, int):
        return number(x)
    if isinstance(x, (float, Decimal, Fraction)):
        return number(Fraction(str(x)))
    if isinstance(x, str):
        return string(x)
    if isinstance(x, dict):
        return object_((string(k), from_json(v)) for k, v in x.items())
    return array(from_json(v) for v in x)


def to_json(v: Value) -> Any:
    """JSON of a value: sets as sorted lists, keys as JSON text, numbers as ``Fraction``."""
    if v.kind == "object":
        return {
            (k.content if k.kind == "string" else json_text(k)): to_json(x)
            for k, x in in_order(v.content, by=lambda pair: pair[0])
        }
    if v.kind == "array":
        return [to_json(x) for x in v.content]
    if v.kind == "set":
        return [to_json(x) for x in in_order(v.content)]
    return v.content


# -- order -----------------------------------------------------------------------------


def compare(a: Value, b: Value) -> int:
    """Below, at or above 0 as ``a`` is before, the same as, or after ``b``."""
    if a.kind != b.kind:
        return KINDS.index(a.kind) - KINDS.index(b.kind)
    if a.kind in ("array", "object", "set"):
        left, right = _parts(a), _parts(b)
        for x, y in zip(left, right, strict=False):
            c = compare(x, y)
            if c:
                return c
        return len(left) - len(right)
    if a.content == b.content:
        return 0
    return -1 if a.content < b.content else 1


def _parts(v: Value) -> list[Value]:
    if v.kind == "array":
        return list(v.content)
    if v.kind == "set":
        return in_order(v.content)
    return [part for pair in in_order(v.content, by=lambda pair: pair[0]) for part in pair]


def in_order(items: Iterable[Any], by: Any = lambda item: item) -> list[Any]:
    """The items in the order of Rego."""
    return sorted(items, key=functools.cmp_to_key(lambda a, b: compare(by(a), by(b))))


# -- text ------------------------------------------------------------------------------


def text(v: Value) -> str:
    """The value as a term of the language."""
    if v.kind == "string":
        return json.dumps(v.content, ensure_ascii=False)
    if v.kind == "number":
        return number_text(v.content)
    if v.kind == "array":
        return "[" + ", ".join(map(text, v.content)) + "]"
    if v.kind == "set":
        inside = ", ".join(map(text, in_order(v.content)))
        return "{" + inside + "}" if v.content else "set()"
    if v.kind == "object":
        pairs = in_order(v.content, by=lambda pair: pair[0])
        return "{" + ", ".join(f"{text(k)}: {text(x)}" for k, x in pairs) + "}"
    return json.dumps(v.content)


def json_text(v: Value) -> str:
    """The value as compact JSON."""
    if v.kind == "number":
        return number_text(v.content)
    if v.kind in ("array", "set"):
        items = v.content if v.kind == "array" else in_order(v.content)
        return "[" + ",".join(map(json_text, items)) + "]"
    if v.kind == "object":
        keyed = {k.content if k.kind == "string" else json_text(k): x for k, x in v.content}
        pairs = (f"{json_text(string(k))}:{json_text(x)}" for k, x in sorted(keyed.items()))
        return "{" + ",".join(pairs) + "}"
    return json.dumps(v.content, ensure_ascii=False)


def shown(v: Value) -> str:
    """The value for people: a string as it is."""
    return str(v.content) if v.kind == "string" else text(v)


def number_text(n: Fraction) -> str:
    """A number as arithmetic writes it: Go's ``%g`` with as many digits as needed."""
    if n.denominator == 1:
        return str(n.numerator)
    exponent = decimal_exponent(n)
    digits = decimal_digits(n)
    sign = "-" if n < 0 else ""
    if exponent < -4 or exponent >= 6:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{rest}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def decimal_digits(n: Fraction) -> str:
    """The decimal digits of a number that is a finite decimal."""
    n = abs(n) / Fraction(10) ** decimal_exponent(n)
    digits = ""
    while n:
        digits += str(int(n))
        n = (n - int(n)) * 10
    return digits


# -- arithmetic --------------------------------------------------------------------------


def rounded(n: Fraction, bits: int = BITS) -> Fraction:
    """The nearest number with so many binary digits, ties to even."""
    if n == 0:
        return n
    scale = Fraction(1)
    while abs(n) * scale >= 1 << bits:
        scale /= 2
    while abs(n) * scale < 1 << (bits - 1):
        scale *= 2
    return Fraction(round(n * scale)) / scale


def shortest(n: Fraction, bits: int = BITS) -> Fraction:
    """The decimal with the fewest digits among those that round to ``n``."""
    if n == 0:
        return n
    exponent = decimal_exponent(n)
    for places in range(-exponent, 30 - exponent):
        candidate = Fraction(round(n * Fraction(10) ** places)) / Fraction(10) ** places
        if rounded(candidate, bits) == n:
            return candidate
    raise AssertionError("thirty digits always suffice")


def decimal_exponent(n: Fraction) -> int:
    """The exponent of the first decimal digit."""
    n, exponent = abs(n), 0
    while n >= 10:
        n, exponent = n / 10, exponent + 1
    while n < 1:
        n, exponent = n * 10, exponent - 1
    return exponent


def arithmetic(operator: str, a: Fraction, b: Fraction) -> Fraction | None:
    """A number of two, or None when there is none."""
    whole = a.denominator == b.denominator == 1
    if operator == "rem":
        if not whole or b == 0:
            return None
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    if operator == "div":
        return None if b == 0 else shortest(rounded(rounded(a) / rounded(b)))
    if not whole:
        a, b = rounded(a), rounded(b)
    result = a + b if operator == "plus" else a - b if operator == "minus" else a * b
    return result if whole else shortest(rounded(result))

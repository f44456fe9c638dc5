"""JSON-like Python values in, values that RFC 8785 can carry without loss out.

RFC 8785 knows only IEEE 754 doubles, and JSON readers turn ``100000000000000000000``
into whatever their language has.  So the record never holds a bare number beyond
``2**53 - 1`` in magnitude, nor a number that no double holds exactly as written.
Such a number is recorded as ``{"$number": "<as written>"}``.  An object that looks
like that by itself, one member called ``$number``, ``$$number`` and so on, gets one
more ``$``; :func:`decode_value` takes it away again.

Text that is not Unicode (lone surrogates, from JSON escapes or from file names that
are not UTF-8) is spelled out: the six characters ``\\udc80`` stand for the code
point.  This is the one change that cannot be undone.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import JsonValue

from adjudge.errors import InputError

MAX_SAFE_INTEGER = 2**53 - 1
"""The largest integer every JSON reader keeps exactly."""

MAX_DEPTH = 100
"""How deep a recorded value may nest."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"\$+number\Z")


def spell_surrogates(text: str) -> str:
    """``text`` with every lone surrogate written as ``\\udXXX``, so that it is Unicode."""
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda m: f"\\u{ord(m.group()):04x}", text)


def encode_value(value: Any, *, depth: int = 0) -> JsonValue:
    """``value`` as the record carries it.

    ``value`` is built of dict (text keys), list, tuple, str, int, float, Decimal, bool
    and None.  Raises :class:`InputError` ``value_too_deep`` beyond :data:`MAX_DEPTH`,
    and ``TypeError`` for any other type, which is a mistake of the caller.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return spell_surrogates(str(value))
    if isinstance(value, (int, float, Decimal)):
        return _encode_number(value)
    if depth >= MAX_DEPTH:
        raise InputError("value_too_deep", f"a value nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, (list, tuple)):
        return [encode_value(item, depth=depth + 1) for item in value]
    if isinstance(value, dict):
        return _encode_object(value, depth + 1)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def decode_value(recorded: JsonValue) -> Any:
    """The value that :func:`encode_value` was given; a number that neither ``int`` nor
    ``float`` holds exactly comes back as ``Decimal``."""
    if isinstance(recorded, list):
        return [decode_value(item) for item in recorded]
    if not isinstance(recorded, dict):
        return recorded
    if len(recorded) == 1:
        ((key, inner),) = recorded.items()
        if _TAG.match(key):
            if key == "$number":
                return _decode_number(inner)
            return {key[1:]: decode_value(inner)}
    return {key: decode_value(item) for key, item in recorded.items()}


def check_recorded(value: JsonValue) -> JsonValue:
    """``value`` if it is in recorded form; ``ValueError`` if a number in it is not."""
    stack: list[tuple[JsonValue, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"nests deeper than {MAX_DEPTH} levels")
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            stack.extend((child, depth + 1) for child in item)
        elif isinstance(item, (int, float)) and not abs(item) <= MAX_SAFE_INTEGER:
            raise ValueError("a number beyond 2**53 - 1 must be recorded as {'$number': text}")
    return value


def _encode_number(number: int | float | Decimal) -> JsonValue:
    if isinstance(number, int):
        if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
            return int(number)
        # Through Decimal, because Python refuses to print integers of 4,301 digits.
        return {"$number": f"{Decimal(number):f}"}
    if isinstance(number, float):
        if abs(number) <= MAX_SAFE_INTEGER:
            return float(number)
        return {"$number": repr(float(number))}
    if number.is_finite() and abs(number) <= MAX_SAFE_INTEGER:
        if number == number.to_integral_value():
            return int(number)
        if Decimal(repr(float(number))) == number:
            return float(number)
    return {"$number": str(number)}


def _encode_object(value: dict[Any, Any], depth: int) -> JsonValue:
    encoded: dict[str, JsonValue] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"not a JSON object key: {type(key).__name__}")
        encoded[spell_surrogates(key)] = encode_value(item, depth=depth)
    if len(encoded) == 1:
        ((key, inner),) = encoded.items()
        if _TAG.match(key):
            return {f"${key}": inner}
    return encoded


def _decode_number(inner: JsonValue) -> Any:
    text = str(inner)
    try:
        if re.fullmatch(r"-?[0-9]+", text, re.ASCII):
            return int(Decimal(text))
        if repr(float(text)) == text:
            return float(text)
        return Decimal(text)
    except (ValueError, InvalidOperation):
        raise InputError(
            "decision_invalid", f"a recorded number is not a number: {text[:40]!r}"
        ) from None

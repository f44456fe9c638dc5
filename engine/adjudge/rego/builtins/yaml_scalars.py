"""YAML scalars as go-yaml v3 resolves them: consumes a tag and a text, produces a value."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from datetime import date
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.arithmetic import go_text
from adjudge.rego.runtime.text import utf8_bytes, utf8_text

NULL: Final = "!!null"
BOOL: Final = "!!bool"
STR: Final = "!!str"
INT: Final = "!!int"
FLOAT: Final = "!!float"
TIMESTAMP: Final = "!!timestamp"
BINARY: Final = "!!binary"
MERGE: Final = "!!merge"

_LONG_PREFIX: Final = "tag:yaml.org,2002:"
_RESOLVABLE: Final = ("", STR, BOOL, INT, FLOAT, NULL, TIMESTAMP)
_INFINITY: Final = float("inf")
_WORDS: Final[dict[str, tuple[str, Any]]] = {
    **dict.fromkeys(("true", "True", "TRUE"), (BOOL, True)),
    **dict.fromkeys(("false", "False", "FALSE"), (BOOL, False)),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (NULL, None)),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (FLOAT, float("nan"))),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), (FLOAT, _INFINITY)),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (FLOAT, -_INFINITY)),
}
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_POINT_FLOAT: Final = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]{1,2})?\Z")
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))\Z"
)
_RADIXES: Final = (16, 2, 8, 8, 10)
_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
    r"| ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)?\Z"
)


def short_tag(tag: str | None) -> str:
    """``!!int`` for ``tag:yaml.org,2002:int``; the empty string for none and for ``!``."""
    if tag is None or tag == "!":
        return ""
    return "!!" + tag[len(_LONG_PREFIX) :] if tag.startswith(_LONG_PREFIX) else tag


def resolve(tag: str, text: str) -> tuple[str, Any]:
    """The tag of a plain scalar and its value; ``tag`` (short) may demand one.

    A date is ``(TIMESTAMP, text)``.  Raises :class:`BuiltinError` when the text is not of
    the demanded kind.
    """
    if tag == BINARY:
        return BINARY, _binary(text)
    if tag not in _RESOLVABLE:
        return tag, text
    if tag == STR:
        return STR, text
    found, value = _resolved(tag, text)
    if tag in ("", found):
        return found, value
    if tag == FLOAT and found == INT and -(1 << 63) <= value < 1 << 63:
        return FLOAT, float(value)
    raise BuiltinError(f"yaml: cannot decode {found} `{text}` as a {tag}")


def _resolved(tag: str, text: str) -> tuple[str, Any]:
    if text in _WORDS:
        return _WORDS[text]
    start = text[:1]
    if start == ".":
        # Go lets an underscore separate digits here, and only here.
        return (FLOAT, float(text)) if _POINT_FLOAT.match(text) else (STR, text)
    if not start or start not in "+-0123456789":
        return STR, text
    if tag in ("", TIMESTAMP) and is_timestamp(text):
        return TIMESTAMP, text
    plain = text.replace("_", "")
    whole = _integer(plain)
    if whole is not None:
        return INT, whole
    return (FLOAT, float(plain)) if _fits_float(plain) else (STR, text)


def _integer(text: str) -> int | None:
    """An integer in any of Go's notations that fits 64 bits, signed or not."""
    found = _INTEGER.match(text)
    if found is None or len(text) > 70:
        return None
    digits, radix = next(
        (group, radix)
        for group, radix in zip(found.groups()[1:], _RADIXES, strict=True)
        if group is not None
    )
    number = int(digits, radix)
    if found[1] == "-":
        return -number if number <= 1 << 63 else None
    limit = 1 << (63 if found[1] else 64)
    return number if number < limit else None


def _fits_float(text: str) -> bool:
    return bool(_FLOAT.match(text)) and abs(float(text)) != _INFINITY


def is_timestamp(text: str) -> bool:
    """Whether the text is a date, with or without a time, that exists."""
    found = _DATE.match(text)
    if found is None:
        return False
    numbers = [int(group) for group in found.groups() if group is not None]
    try:
        date(max(numbers[0], 1), numbers[1], numbers[2])
    except ValueError:
        return False
    return len(numbers) == 3 or (numbers[3] < 24 and numbers[4] < 60 and numbers[5] < 60)


def timestamp_text(text: str) -> str:
    """A date (see :func:`is_timestamp`) as RFC 3339 with a time, in UTC where it has no zone."""
    found = _DATE.match(text)
    if found is None:
        raise BuiltinError(f"yaml: cannot decode {STR} `{text}` as a {TIMESTAMP}")
    year, month, day, *clock = (int(group) for group in found.groups() if group is not None)
    hour, minute, second = clock or (0, 0, 0)
    fraction = re.search(r"[.,]([0-9]+)", text)
    zone = re.search(r"(?:Z|[+-][0-9]{2}:[0-9]{2})\Z", text[10:])
    digits = fraction[1][:9].rstrip("0") if fraction else ""
    return (
        f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        f"{'.' + digits if digits else ''}{zone[0] if zone else 'Z'}"
    )


def _binary(text: str) -> str:
    compact = text.replace("\n", "").replace("\r", "")
    try:
        return utf8_text(base64.b64decode(utf8_bytes(compact), validate=True))
    except binascii.Error:
        raise BuiltinError("yaml: !!binary value contains invalid base64 data") from None


def float_key(number: float) -> str:
    """A float as a mapping key: the shortest ``%g`` that tells 32-bit floats apart."""
    for precision in range(1, 10):
        text = format(number, f".{precision}g")
        if struct.pack("f", float(text)) == struct.pack("f", number):
            break
    return go_float_text(float(text))


def go_float_text(number: float) -> str:
    """A float as Go's shortest ``%g``."""
    head, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = head.partition(".")
    digits = (whole + fraction).rstrip("0")
    sign = "-" if repr(number).startswith("-") else ""
    return sign + go_text(digits or "0", len(whole) + int(exponent or 0))

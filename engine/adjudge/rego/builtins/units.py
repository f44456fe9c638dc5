"""Amounts with units: units.parse, units.parse_bytes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinError, builtin, want_string
from adjudge.rego.runtime.arithmetic import Big, big_mul, big_of, from_decimal, truncated
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.values import Value

_BINARY: Final = {f"{letter}i": 1024**i for i, letter in enumerate("kmgtpe", 1)}
_DECIMAL: Final = {letter: 1000**i for i, letter in enumerate("kmgtpe", 1)}

_BYTES: Final = {
    "": 1,
    **{prefix + end: n for prefix, n in {**_BINARY, **_DECIMAL}.items() for end in ("", "b")},
}

# Only the first letter tells milli from mega; a kilo may be either.
_MILLI: Final = Fraction(0.001)
_UNITS: Final[dict[str, int | Fraction]] = {
    "": 1,
    "m": _MILLI,
    "M": 1000**2,
    **{spelled: n for p, n in _DECIMAL.items() if p != "m" for spelled in (p, p.upper())},
    **{spelled: n for p, n in _BINARY.items() for spelled in (p, p.capitalize())},
}

_AMOUNT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?\Z", re.IGNORECASE)
_MAX_EXPONENT_DIGITS: Final = 6
_MAX_EXPONENT: Final = 4000


@builtin("units.parse")
def parse(text: Value) -> Any:
    """The number an amount such as ``10Gi``, ``1.5k`` or ``200m`` (milli) denotes."""
    name = "units.parse"
    s = want_string(text, 1).replace('"', "")
    if " " in s:
        raise BuiltinError(f"{name}: spaces not allowed in resource strings")
    number, unit = _split(s, name)
    if not number:
        raise BuiltinError(f"{name}: no amount provided")
    unit = unit[:1] + unit[1:].lower()
    factor = _UNITS.get(unit)
    if factor is None:
        raise BuiltinError(f"{name}: unit {unit} not recognized")
    if not _AMOUNT.match(number):
        raise BuiltinError(f"{name}: could not parse amount to a number")
    coefficient, exponent = _decimal(number)
    if coefficient and len(str(abs(coefficient))) + exponent > _MAX_EXPONENT:
        raise BuiltinError("number too big")
    if exponent < -_MAX_EXPONENT - len(str(coefficient)):
        coefficient, exponent = 0, 0
    amount = Fraction(coefficient) * Fraction(10) ** exponent * factor
    if amount.denominator == 1:
        return int(amount)
    return parse_number(_fixed(amount))


def _fixed(amount: Fraction) -> str:
    """Ten digits after the point, halves away from zero."""
    scaled = abs(amount) * 10**10
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    if 2 * rest >= scaled.denominator:
        whole += 1
    digits = str(whole).rjust(11, "0")
    return ("-" if amount < 0 else "") + digits[:-10] + "." + digits[-10:]


@builtin("units.parse_bytes")
def parse_bytes(text: Value) -> int:
    """The number of bytes an amount such as ``10KB``, ``1.5GiB`` or ``7`` denotes."""
    name = "units.parse_bytes"
    s = want_string(text, 1).lower().replace('"', "")
    if " " in s:
        raise BuiltinError(f"{name}: spaces not allowed in resource strings")
    number, unit = _split(s, name)
    if not number:
        raise BuiltinError(f"{name}: no byte amount provided")
    factor = _BYTES.get(unit)
    if factor is None:
        raise BuiltinError(f"{name}: byte unit {unit} not recognized")
    if not _AMOUNT.match(number):
        raise BuiltinError(f"{name}: could not parse byte amount to a number")
    coefficient, exponent = _decimal(number)
    if exponent < -_MAX_EXPONENT - len(str(coefficient)):
        coefficient, exponent = 0, 0
    amount = from_decimal(coefficient, exponent) if coefficient else Big(0, 0)
    return truncated(big_mul(amount, big_of(factor)))


def _decimal(number: str) -> tuple[int, int]:
    """The amount as ``coefficient * 10**exponent``."""
    digits, _, exponent = number.lower().partition("e")
    whole, _, fraction = digits.partition(".")
    if len(digits) > _MAX_EXPONENT:
        raise BuiltinError("number too big")
    return int(whole + fraction), int(exponent or 0) - len(fraction)


def _split(text: str, name: str) -> tuple[str, str]:
    """The number and the unit; an ``e`` belongs to the number when an exponent follows."""
    i = 0
    while i < len(text):
        c = text[i]
        if c in "eE":
            following = text[i + 1 : i + 2]
            if not following or following not in "0123456789+-":
                break
            i += following in "+-"
            exponent = re.match("[0-9]*", text[i + 1 :])
            if exponent and len(exponent[0]) > _MAX_EXPONENT_DIGITS:
                raise BuiltinError(f"{name}: exponent too large")
        elif c not in "0123456789.+-":
            break
        i += 1
    return text[:i], text[i:]

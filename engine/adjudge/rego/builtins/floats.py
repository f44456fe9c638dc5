"""Floats by Go's ``fmt`` verbs: a float, a verb and its flags in, the padded text out."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from adjudge.rego.runtime.arithmetic import go_text

if TYPE_CHECKING:
    from adjudge.rego.builtins.sprintf import Flags

_MANTISSA_BITS: Final = 52


def format_float(number: float, verb: str, flags: Flags) -> str | None:
    """The float by ``%v %g %G %e %E %f %F %x %X %b``; None for any other verb."""
    precision = flags.precision
    kind = "g" if verb == "v" else "f" if verb == "F" else verb
    if kind in "feE" and precision is None:
        precision = 6
    if kind in "gG":
        text = _general(number, precision)
    elif kind in "feE":
        text = format(number, f".{precision}{kind.lower()}")
    elif kind in "xX":
        text = _hexadecimal(number, precision)
    elif kind == "b":
        text = _binary(number)
    else:
        return None
    if flags.sharp and kind != "b":
        text = _with_point(text, kind, precision)
    return _padded(text.upper() if kind in "GEX" else text, flags)


def _padded(text: str, flags: Flags) -> str:
    sign, digits = (text[0], text[1:]) if text[0] == "-" else ("+", text)
    if flags.space and sign == "+" and not flags.plus:
        sign = " "
    if sign == "+" and not flags.plus:
        sign = ""
    missing = (flags.width or 0) - len(sign + digits)
    if missing <= 0:
        return sign + digits
    if flags.minus:
        return sign + digits + " " * missing
    return sign + "0" * missing + digits if flags.zero else " " * missing + sign + digits


def _general(number: float, precision: int | None) -> str:
    """``%g``: the shortest digits that identify the float, or ``precision`` of them."""
    if precision is not None:
        return format(number, f".{precision}g")
    sign = "-" if math.copysign(1.0, number) < 0 else ""
    head, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = head.partition(".")
    digits = (whole + fraction).rstrip("0")
    return sign + go_text(digits or "0", len(whole) + int(exponent or 0))


def _parts(number: float) -> tuple[str, int, int]:
    """Sign, mantissa and exponent of the bits of a float: ``mantissa * 2**(exponent - 52)``."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    mantissa = bits & ((1 << _MANTISSA_BITS) - 1)
    exponent = (bits >> _MANTISSA_BITS) & 0x7FF
    if exponent:
        mantissa |= 1 << _MANTISSA_BITS
    else:
        exponent = 1
    return "-" if bits >> 63 else "", mantissa, exponent - 1023


def _binary(number: float) -> str:
    sign, mantissa, exponent = _parts(number)
    return f"{sign}{mantissa}p{exponent - _MANTISSA_BITS:+d}"


def _hexadecimal(number: float, precision: int | None) -> str:
    sign, mantissa, exponent = _parts(number)
    if not mantissa:
        exponent = 0
    while mantissa and mantissa < 1 << _MANTISSA_BITS:
        mantissa <<= 1
        exponent -= 1
    if precision is not None and precision < 13:
        drop = _MANTISSA_BITS - 4 * precision
        rest = mantissa & ((1 << drop) - 1)
        mantissa >>= drop
        if rest > 1 << (drop - 1) or (rest == 1 << (drop - 1) and mantissa & 1):
            mantissa += 1
        mantissa <<= drop
        if mantissa >> (_MANTISSA_BITS + 1):
            mantissa >>= 1
            exponent += 1
    fraction = f"{mantissa & ((1 << _MANTISSA_BITS) - 1):013x}"
    fraction = fraction.rstrip("0") if precision is None else fraction.ljust(precision, "0")
    if precision is not None:
        fraction = fraction[:precision]
    point = "." if fraction else ""
    return (
        f"{sign}0x{mantissa >> _MANTISSA_BITS}{point}{fraction}"
        f"p{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    )


def _with_point(text: str, kind: str, precision: int | None) -> str:
    """The ``#`` flag: always a decimal point, and with ``%g`` the trailing zeros too."""
    digits = 0
    if kind in "gGx":
        digits = 6 if precision is None else precision
    sign = "-" if text.startswith("-") else ""
    body = text[len(sign) :]
    mark = "p" if kind in "xX" else "e"
    number, found, exponent = body.partition(mark)
    significant = False
    for c in number:
        if c == ".":
            continue
        significant = significant or c != "0"
        digits -= significant
    if "." not in number:
        if number == "0":
            digits -= 1
        number += "."
    return sign + number + "0" * max(0, digits) + found + exponent

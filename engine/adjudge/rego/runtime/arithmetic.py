"""Arithmetic on Rego numbers and the set operators: values in, a value out.

The functions stand behind the infix operators and are called by generated code.
Integers are exact.  Everything else is computed as OPA computes it: operands are
taken from their decimal text with 64 bits of precision, the result is rounded to
the nearest 64 bits (ties to even) and read back from the shortest decimal that
identifies it.  So ``0.1 + 0.2`` is ``0.3``, and an integral result is an integer.

Where the precision decides, the numbers are pairs ``(mantissa, exponent)`` meaning
``mantissa * 2**exponent``; a mantissa is signed and has exactly 64 bits, or is 0.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final, NamedTuple

from adjudge.rego.builtins.registry import BuiltinError, one_of_error, operand_error, want_number
from adjudge.rego.runtime.values import LiteralFloat, RegoSet, Value, is_number

PRECISION: Final = 64
MAX_BITS: Final = 14_000
"""Integers that need more bits are refused: Python will not print them (4,300 digits),
and a chain of squarings must not eat the machine."""

_MAX_EXPONENT: Final = 40_000
_CACHED_FLOATS: Final = 4096
_EXACT_FLOAT: Final = 1 << 53
_POSITIONAL_BELOW: Final = 10**6
_POSITIONAL_FROM: Final = 1e-4


class Big(NamedTuple):
    """``mantissa * 2**exponent``, as a number is held while it is computed with."""

    mantissa: int
    exponent: int


_ZERO: Final = Big(0, 0)
_bigs: dict[float, Big] = {}


# -- the operators -----------------------------------------------------------------


def plus(a: Value, b: Value) -> Any:
    """``a + b``."""
    if a.__class__ is int and b.__class__ is int:
        return a + b
    exact = _exact_pair(a, b)
    if exact is not None:
        return _checked(exact[0] + exact[1])
    return number_of(big_add(big_of(a), big_of(b)))


def minus(a: Value, b: Value) -> Any:
    """``a - b``: the difference of numbers, or of sets."""
    if a.__class__ is int and b.__class__ is int:
        return a - b
    if a.__class__ is RegoSet and b.__class__ is RegoSet:
        return RegoSet.of_boxed(a.boxed - b.boxed)
    if a.__class__ is RegoSet:
        raise operand_error(2, "set" if is_number(b) else "number", b)
    if not is_number(a):
        raise one_of_error(1, "number, set", a)
    exact = _exact_pair(a, b)
    if exact is not None:
        return _checked(exact[0] - exact[1])
    x, y = big_of(a), big_of(b)
    return number_of(big_add(x, Big(-y.mantissa, y.exponent)))


def mul(a: Value, b: Value) -> Any:
    """``a * b``."""
    if a.__class__ is int and b.__class__ is int:
        product = a * b
        return product if product.bit_length() <= MAX_BITS else _checked(product)
    exact = _exact_pair(a, b)
    if exact is not None:
        return _checked(exact[0] * exact[1])
    result = big_mul(big_of(a), big_of(b))
    return number_of(result) if result.mantissa else _signed_zero(a, b)


def div(a: Value, b: Value) -> Any:
    """``a / b``; an integer when the quotient is one."""
    if a.__class__ is int and b.__class__ is int and b and a:
        if not a % b and a.bit_length() <= PRECISION:
            return a // b
    else:
        want_number(a, 1)
        want_number(b, 2)
        if not b:
            raise BuiltinError("divide by zero")
        if not a:
            return _signed_zero(a, b)
    x, y = big_of(a), big_of(b)
    quotient, rest = divmod(abs(x.mantissa) << (PRECISION + 2), abs(y.mantissa))
    if rest:
        quotient |= 1
    if (x.mantissa < 0) != (y.mantissa < 0):
        quotient = -quotient
    return number_of(_rounded(quotient, x.exponent - y.exponent - PRECISION - 2))


def rem(a: Value, b: Value) -> Any:
    """``a % b`` of integers, with the sign of ``a``."""
    if a.__class__ is int and b.__class__ is int:
        x, y = a, b
    else:
        exact = _exact_pair(a, b)
        if exact is None:
            raise BuiltinError("modulo on floating-point number")
        x, y = exact
    if y == 0:
        raise BuiltinError("modulo by zero")
    r = abs(x) % abs(y)
    return -r if x < 0 else r


def negate(a: Value) -> Any:
    """``-a``, which is ``0 - a``: of a number only."""
    return minus(0, a)


def bit_and(a: Value, b: Value) -> Any:
    """``a & b``: the intersection of sets."""
    if a.__class__ is not RegoSet:
        raise operand_error(1, "set", a)
    if b.__class__ is not RegoSet:
        raise operand_error(2, "set", b)
    return RegoSet.of_boxed(a.boxed & b.boxed)


def bit_or(a: Value, b: Value) -> Any:
    """``a | b``: the union of sets."""
    if a.__class__ is not RegoSet:
        raise operand_error(1, "set", a)
    if b.__class__ is not RegoSet:
        raise operand_error(2, "set", b)
    if not a.boxed:
        return b
    return RegoSet.of_boxed(a.boxed | b.boxed) if b.boxed else a


# -- functions of one number ---------------------------------------------------------


def abs_(a: Value) -> Any:
    """The magnitude of a number."""
    if a.__class__ is int and a.bit_length() <= PRECISION:
        return abs(a)
    x = big_of(want_number(a, 1))
    return number_of(Big(abs(x.mantissa), x.exponent))


def round_(a: Value) -> Any:
    """The nearest integer; halves go away from zero."""
    if a.__class__ is int and a.bit_length() < PRECISION:
        return a
    x = big_of(want_number(a, 1))
    half = Big(-1 if x.mantissa < 0 else 1, -1)
    return _checked(truncated(big_add(x, half)))


def ceil_(a: Value) -> Any:
    """The next integer up.  Between -1 and 0 the answer is 1, as OPA has it."""
    if a.__class__ is int and a.bit_length() <= PRECISION:
        return a
    x = big_of(want_number(a, 1))
    whole = truncated(x)
    return _checked(whole if whole < 0 or _is_integral(x) else whole + 1)


def floor_(a: Value) -> Any:
    """The next integer down.  Between -1 and 0 the answer is 0, as OPA has it."""
    if a.__class__ is int and a.bit_length() <= PRECISION:
        return a
    x = big_of(want_number(a, 1))
    whole = truncated(x)
    return _checked(whole if whole >= 0 or _is_integral(x) else whole - 1)


# -- the text of a number --------------------------------------------------------------


def number_text(number: Any) -> str:
    """A number as OPA prints it: as it was written, or as its arithmetic wrote it."""
    if isinstance(number, float):
        return number.text if isinstance(number, LiteralFloat) else repr(number)
    if isinstance(number, int):
        return decimal_digits(number)
    if number == number.to_integral_value():
        return str(number).lower().replace("e+", "e")
    sign, digits, exponent = number.as_tuple()
    text = go_text("".join(map(str, digits)), len(digits) + int(exponent))
    return "-" + text if sign else text


def go_text(digits: str, point: int) -> str:
    """Digits with the decimal point after ``point`` of them, in the shortest ``%g`` form:
    with an exponent from a million on, and below 0.0001."""
    significant = digits.lstrip("0")
    if not significant:
        return "0"
    point -= len(digits) - len(significant)
    digits = significant
    exponent = point - 1
    if -4 <= exponent < 6:
        if point <= 0:
            return "0." + "0" * -point + digits
        if len(digits) <= point:
            return digits + "0" * (point - len(digits))
        return digits[:point] + "." + digits[point:]
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{head}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def decimal_digits(n: int) -> str:
    """An integer in decimal, however long (``str`` refuses above 4,300 digits)."""
    return str(n) if n.bit_length() <= MAX_BITS else format(Decimal(n), "f")


# -- numbers of limited precision ------------------------------------------------------


def exact_integer(number: Any) -> int | None:
    """The integer that the number's decimal text denotes (``2.0``, ``1e3``), or None."""
    if number.__class__ is int:
        return int(number)
    if isinstance(number, float):
        if not number.is_integer():
            return None
        return int(number) if -_EXACT_FLOAT < number < _EXACT_FLOAT else int(_as_decimal(number))
    if isinstance(number, Decimal):
        if number.adjusted() > MAX_BITS:
            raise BuiltinError("number too big")
        return int(number) if number == number.to_integral_value() else None
    return None


def big_of(number: Any) -> Big:
    """The number, read from its decimal text and rounded to 64 bits."""
    if number.__class__ is int:
        return _rounded(number, 0)
    if isinstance(number, float):
        big = _bigs.get(number)
        if big is None:
            if len(_bigs) >= _CACHED_FLOATS:
                _bigs.clear()
            big = _bigs[number] = from_decimal(*_float_digits(number))
        return big
    sign, digits, exponent = number.as_tuple()
    coefficient = int(Decimal((sign, digits, 0)))
    return from_decimal(coefficient, int(exponent))


def big_add(a: Big, b: Big, bits: int = PRECISION) -> Big:
    """The sum, rounded to ``bits``."""
    if not a.mantissa or not b.mantissa:
        x = a if a.mantissa else b
        return _rounded(x.mantissa, x.exponent, bits)
    if a.exponent < b.exponent:
        a, b = b, a
    total = (a.mantissa << (a.exponent - b.exponent)) + b.mantissa
    return _rounded(total, b.exponent, bits)


def big_mul(a: Big, b: Big, bits: int = PRECISION) -> Big:
    """The product, rounded to ``bits``."""
    return _rounded(a.mantissa * b.mantissa, a.exponent + b.exponent, bits)


def number_of(big: Big, bits: int = PRECISION) -> Any:
    """The Rego number that the shortest decimal with ``bits`` of precision denotes."""
    mantissa, exponent = big
    if not mantissa:
        return 0
    if exponent > MAX_BITS:
        raise BuiltinError("number too big")
    if exponent >= 0 or _is_integral(big):
        if exponent <= 0:
            return mantissa >> -exponent
        digits, point = _shortest(abs(mantissa), exponent)
        whole = int(digits) * 10 ** (point - len(digits))
        return -whole if mantissa < 0 else whole
    if bits == PRECISION and exponent > -1000:
        near = math.ldexp(mantissa, exponent)
        if big_of(near) == big:
            if _POSITIONAL_FROM <= abs(near) < _POSITIONAL_BELOW:
                return near
            return _spelled(near, *_float_digits(near))
    digits, point = _shortest(abs(mantissa), exponent)
    coefficient = -int(digits) if mantissa < 0 else int(digits)
    return _spelled(None, coefficient, point - len(digits))


def _spelled(near: float | None, coefficient: int, exponent: int) -> Any:
    """A non-integral number by its decimal, as a float when a float has that decimal."""
    digits = str(abs(coefficient))
    point = len(digits) + exponent
    sign = "-" if coefficient < 0 else ""
    text = sign + go_text(digits.rstrip("0"), point)
    if near is None:
        exact = Decimal(text)
        near = float(text)
        if Decimal(repr(near)) != exact:
            return exact
    return near if repr(near) == text else LiteralFloat(text)


def _rounded(mantissa: int, exponent: int, bits: int = PRECISION) -> Big:
    """``mantissa * 2**exponent`` with a mantissa of exactly ``bits``, ties to even."""
    if not mantissa:
        return _ZERO
    excess = mantissa.bit_length() - bits
    if excess <= 0:
        return Big(mantissa << -excess, exponent + excess)
    magnitude = abs(mantissa)
    q = magnitude >> excess
    rest = magnitude & ((1 << excess) - 1)
    half = 1 << (excess - 1)
    if rest > half or (rest == half and q & 1):
        q += 1
        if q >> bits:
            q >>= 1
            excess += 1
    return Big(-q if mantissa < 0 else q, exponent + excess)


def from_decimal(coefficient: int, exponent: int) -> Big:
    """``coefficient * 10**exponent`` rounded to 64 bits."""
    if abs(exponent) > _MAX_EXPONENT:
        raise BuiltinError("number too big")
    if exponent >= 0:
        return _rounded(coefficient * 10**exponent, 0)
    scale = 10**-exponent
    shift = max(0, PRECISION + 2 + scale.bit_length() - coefficient.bit_length())
    quotient, rest = divmod(abs(coefficient) << shift, scale)
    if rest:
        quotient |= 1
    return _rounded(-quotient if coefficient < 0 else quotient, -shift)


def _float_digits(number: float) -> tuple[int, int]:
    """The shortest decimal of a float, as ``coefficient * 10**exponent``."""
    head, _, exponent = repr(float(number)).partition("e")
    whole, _, fraction = head.partition(".")
    return int(whole + fraction), int(exponent or 0) - len(fraction)


def _as_decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _is_integral(big: Big) -> bool:
    return big.exponent >= 0 or not big.mantissa & ((1 << -big.exponent) - 1)


def truncated(big: Big) -> int:
    """The integer part of a number, toward zero."""
    if big.exponent > MAX_BITS:
        raise BuiltinError("number too big")
    if big.exponent >= 0:
        return big.mantissa << big.exponent
    magnitude = abs(big.mantissa) >> -big.exponent
    return -magnitude if big.mantissa < 0 else magnitude


def _shortest(mantissa: int, exponent: int) -> tuple[str, int]:
    """The shortest digits that lie within half a unit of the last place, and where the
    decimal point stands among them.  The bounds count when the mantissa is even."""
    value, value_point = _expanded(2 * mantissa, exponent - 1)
    lower, _ = _expanded(2 * mantissa - 1, exponent - 1)
    upper, _ = _expanded(2 * mantissa + 1, exponent - 1)
    inclusive = mantissa & 1 == 0
    for i, digit in enumerate(value):
        low = lower[i] if i < len(lower) else "0"
        high = upper[i] if i < len(upper) else "0"
        down = low != digit or (inclusive and i + 1 == len(lower))
        up = digit != high and (inclusive or chr(ord(digit) + 1) < high or i + 1 < len(upper))
        if not down and not up:
            continue
        if down and up:
            rest = value[i + 1 :]
            if rest.rstrip("0") == "5":
                up = int(digit) % 2 == 1
            else:
                up = rest[:1] >= "5"
        return _cut(value[: i + 1], value_point, up)
    return value, value_point


def _cut(digits: str, point: int, up: bool) -> tuple[str, int]:
    """Leading digits, rounded up or down, without trailing zeros."""
    if up:
        raised = str(int(digits) + 1)
        point += len(raised) - len(digits)
        digits = raised
    return digits.rstrip("0"), point


def _expanded(mantissa: int, exponent: int) -> tuple[str, int]:
    """All digits of ``mantissa * 2**exponent`` without trailing zeros, and the place of
    the decimal point."""
    if exponent >= 0:
        digits = decimal_digits(mantissa << exponent)
        return digits.rstrip("0"), len(digits)
    digits = decimal_digits(mantissa * 5**-exponent)
    return digits.rstrip("0"), len(digits) + exponent


def _exact_pair(a: Value, b: Value) -> tuple[int, int] | None:
    """Both operands as integers, or None when one is not integral; a type error when one
    is no number."""
    want_number(a, 1)
    want_number(b, 2)
    x = exact_integer(a)
    if x is None:
        return None
    y = exact_integer(b)
    return None if y is None else (x, y)


def _checked(n: int) -> int:
    if n.bit_length() > MAX_BITS:
        raise BuiltinError("number too big")
    return n


def _signed_zero(a: Any, b: Any) -> Any:
    """Zero as a product or quotient: ``-0`` when exactly one operand is negative."""
    return LiteralFloat("-0") if _is_negative(a) != _is_negative(b) else 0


def _is_negative(number: Any) -> bool:
    if isinstance(number, float):
        return math.copysign(1.0, number) < 0
    return number.is_signed() if isinstance(number, Decimal) else bool(number < 0)

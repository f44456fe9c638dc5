"""Bitwise operations on integers of any size."""

from __future__ import annotations

from adjudge.rego.builtins.operands import want_big
from adjudge.rego.builtins.registry import BuiltinError, builtin
from adjudge.rego.runtime.arithmetic import MAX_BITS
from adjudge.rego.runtime.values import Value


@builtin("bits.and")
def and_(a: Value, b: Value) -> int:
    """The bits set in both."""
    return want_big(a, 1) & want_big(b, 2)


@builtin("bits.or")
def or_(a: Value, b: Value) -> int:
    """The bits set in either."""
    return want_big(a, 1) | want_big(b, 2)


@builtin("bits.xor")
def xor(a: Value, b: Value) -> int:
    """The bits set in exactly one."""
    return want_big(a, 1) ^ want_big(b, 2)


@builtin("bits.negate")
def negate(a: Value) -> int:
    """All bits flipped."""
    return ~want_big(a, 1)


@builtin("bits.lsh")
def lsh(a: Value, shift: Value) -> int:
    """``a`` shifted left."""
    n, by = want_big(a, 1), _shift(shift)
    if n and n.bit_length() + by > MAX_BITS:
        raise BuiltinError("number too big")
    return n << by if n else 0


@builtin("bits.rsh")
def rsh(a: Value, shift: Value) -> int:
    """``a`` shifted right, keeping the sign."""
    n, by = want_big(a, 1), _shift(shift)
    return n >> min(by, n.bit_length() + 1)


def _shift(value: Value) -> int:
    by = want_big(value, 2)
    if by < 0:
        raise BuiltinError(
            "operand 2 must be an unsigned integer number but got a negative integer",
            "eval_type_error",
        )
    return by

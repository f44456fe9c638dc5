"""Comparison and membership as functions (generated code has them inline where it can)."""

from __future__ import annotations

from adjudge.rego.builtins.registry import builtin
from adjudge.rego.runtime.operators import less, less_equal, member, member_key
from adjudge.rego.runtime.values import Value, equal


@builtin("equal")
def equal_(a: Value, b: Value) -> bool:
    """``a == b``."""
    return equal(a, b)


@builtin("neq")
def neq(a: Value, b: Value) -> bool:
    """``a != b``."""
    return not equal(a, b)


@builtin("lt")
def lt(a: Value, b: Value) -> bool:
    """``a < b``."""
    return less(a, b)


@builtin("lte")
def lte(a: Value, b: Value) -> bool:
    """``a <= b``."""
    return less_equal(a, b)


@builtin("gt")
def gt(a: Value, b: Value) -> bool:
    """``a > b``."""
    return less(b, a)


@builtin("gte")
def gte(a: Value, b: Value) -> bool:
    """``a >= b``."""
    return less_equal(b, a)


@builtin("internal.member_2")
def member_2(item: Value, coll: Value) -> bool:
    """``item in coll``."""
    return member(item, coll)


@builtin("internal.member_3")
def member_3(key: Value, item: Value, coll: Value) -> bool:
    """``key, item in coll``."""
    return member_key(key, item, coll)

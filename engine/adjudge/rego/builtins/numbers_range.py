"""Ranges of integers: numbers.range, numbers.range_step."""

from __future__ import annotations

from adjudge.rego.builtins.operands import too_large, want_big
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin
from adjudge.rego.runtime.values import Value


@builtin("numbers.range", context=True)
def range_(context: BuiltinContext, first: Value, last: Value) -> list[int]:
    """All integers from the first to the last, both included, up or down."""
    return _range(context, want_big(first, 1), want_big(last, 2), 1)


@builtin("numbers.range_step", context=True)
def range_step(context: BuiltinContext, first: Value, last: Value, step: Value) -> list[int]:
    """Every ``step``-th integer from the first, not past the last."""
    a, b, by = want_big(first, 1), want_big(last, 2), want_big(step, 3)
    if by <= 0:
        raise BuiltinError("numbers.range_step: step must be a positive integer")
    return _range(context, a, b, by)


def _range(context: BuiltinContext, first: int, last: int, step: int) -> list[int]:
    size = abs(last - first) // step + 1
    if size > context.max_size:
        raise too_large(context)
    context.charge(size)
    if first <= last:
        return list(range(first, last + 1, step))
    return list(range(first, last - 1, -step))

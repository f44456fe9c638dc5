"""Arrays: concat, flatten, reverse, slice."""

from __future__ import annotations

from adjudge.rego.builtins.operands import too_large, want_int
from adjudge.rego.builtins.registry import BuiltinContext, builtin, want_array
from adjudge.rego.runtime.values import Value


@builtin("array.concat", context=True)
def concat(context: BuiltinContext, first: Value, second: Value) -> list[Value]:
    """One array after the other."""
    a, b = want_array(first, 1), want_array(second, 2)
    if len(a) + len(b) > context.max_size:
        raise too_large(context)
    return a + b


@builtin("array.flatten", context=True)
def flatten(context: BuiltinContext, array: Value) -> list[Value]:
    """The array with the elements of its direct arrays in their place."""
    flat: list[Value] = []
    for item in want_array(array, 1):
        if item.__class__ is list:
            flat.extend(item)
        else:
            flat.append(item)
        if len(flat) > context.max_size:
            raise too_large(context)
    return flat


@builtin("array.reverse")
def reverse(array: Value) -> list[Value]:
    """The elements from last to first."""
    return want_array(array, 1)[::-1]


@builtin("array.slice")
def slice_(array: Value, start: Value, stop: Value) -> list[Value]:
    """The elements from ``start`` up to before ``stop``, both clamped to the array."""
    items = want_array(array, 1)
    first, last = want_int(start, 2), want_int(stop, 3)
    last = min(max(last, 0), len(items))
    first = min(max(first, 0), last)
    return items[first:last]

"""Aggregates over arrays and sets: count, sum, product, max, min, sort, all, any."""

from __future__ import annotations

from typing import Any

from adjudge.rego.builtins.operands import element_error
from adjudge.rego.builtins.registry import BuiltinError, builtin, one_of_error
from adjudge.rego.runtime.arithmetic import (
    MAX_BITS,
    Big,
    big_add,
    big_mul,
    big_of,
    exact_integer,
    number_of,
)
from adjudge.rego.runtime.values import (
    UNDEFINED,
    LiteralFloat,
    RegoSet,
    Value,
    compare,
    is_number,
    sorted_values,
)

_PRODUCT_BITS = 53
"""A product that is not of integers is rounded to 53 bits, a sum to 64."""


def _elements(value: Value, wants: str = "set, array") -> list[Value]:
    if value.__class__ is list:
        return value
    if value.__class__ is RegoSet:
        return value.ordered()
    raise one_of_error(1, wants, value)


@builtin("count")
def count(collection: Value) -> int:
    """The number of elements, keys or characters."""
    cls = collection.__class__
    if cls is list or cls is dict or cls is RegoSet or isinstance(collection, str):
        return len(collection)
    raise one_of_error(1, "array, object, set, string", collection)


def _integers(values: list[Value]) -> list[int] | None:
    """The values as integers, or None when one is not."""
    exact: list[int] = []
    for value in values:
        n = exact_integer(value) if is_number(value) else None
        if n is None:
            return None
        exact.append(n)
    return exact


def _require_numbers(collection: Value, values: list[Value]) -> None:
    for value in values:
        if not is_number(value):
            raise element_error(1, collection, value, "number")


@builtin("sum")
def sum_(collection: Value) -> Any:
    """The sum of numbers; 0 of none."""
    values = _elements(collection)
    if {v.__class__ for v in values} <= {int}:
        return sum(values)
    exact = _integers(values)
    if exact is not None:
        return sum(exact)
    _require_numbers(collection, values)
    total = Big(0, 0)
    for value in values:
        total = big_add(total, big_of(value))
    return number_of(total)


@builtin("product")
def product(collection: Value) -> Any:
    """The product of numbers; 1 of none."""
    values = _elements(collection)
    exact = _integers(values)
    if exact is not None:
        whole = 1
        for n in exact:
            whole *= n
            if whole.bit_length() > MAX_BITS:
                raise BuiltinError("number too big")
        return whole
    _require_numbers(collection, values)
    result, negative = Big(1, 0), False
    for value in values:
        result = big_mul(result, big_of(value), _PRODUCT_BITS)
        negative ^= value < 0
    if not result.mantissa:
        return LiteralFloat("-0") if negative else 0
    return number_of(result, _PRODUCT_BITS)


@builtin("max")
def max_(collection: Value) -> Any:
    """The greatest element by Rego's order; undefined of none."""
    values = _elements(collection)
    if not values:
        return UNDEFINED
    if {v.__class__ for v in values} in ({int}, {str}):
        return max(values)
    best = values[0]
    for value in values:
        if compare(best, value) <= 0:
            best = value
    return best


@builtin("min")
def min_(collection: Value) -> Any:
    """The least element by Rego's order; undefined of none."""
    values = _elements(collection)
    if not values:
        return UNDEFINED
    if {v.__class__ for v in values} in ({int}, {str}):
        return min(values)
    best = values[0]
    for value in values:
        if compare(best, value) >= 0:
            best = value
    return best


@builtin("sort")
def sort(collection: Value) -> list[Value]:
    """The elements as an array in Rego's order."""
    return sorted_values(_elements(collection))


@builtin("all")
def all_(collection: Value) -> bool:
    """Whether every element is ``true``."""
    return all(value is True for value in _elements(collection, "array, set"))


@builtin("any")
def any_(collection: Value) -> bool:
    """Whether some element is ``true``."""
    return any(value is True for value in _elements(collection, "array, set"))

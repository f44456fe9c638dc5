"""Types: is_array … is_string, type_name, and the casts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjudge.rego.builtins.registry import builtin, one_of_error, operand_error
from adjudge.rego.runtime.values import RegoSet, Value, is_number, type_name

builtin("is_number")(is_number)
builtin("type_name")(type_name)


@builtin("is_string")
def is_string(value: Value) -> bool:
    """Whether the value is a string."""
    return isinstance(value, str)


@builtin("is_boolean")
def is_boolean(value: Value) -> bool:
    """Whether the value is ``true`` or ``false``."""
    return value is True or value is False


@builtin("is_array")
def is_array(value: Value) -> bool:
    """Whether the value is an array."""
    return value.__class__ is list


@builtin("is_set")
def is_set(value: Value) -> bool:
    """Whether the value is a set."""
    return value.__class__ is RegoSet


@builtin("is_object")
def is_object(value: Value) -> bool:
    """Whether the value is an object."""
    return value.__class__ is dict


@builtin("is_null")
def is_null(value: Value) -> bool:
    """Whether the value is null."""
    return value is None


@builtin("cast_array")
def cast_array(value: Value) -> list[Value]:
    """An array as it is, a set as an ordered array (deprecated)."""
    if value.__class__ is list:
        return list(value)
    if value.__class__ is RegoSet:
        return list(value.ordered())
    raise one_of_error(1, "array, set", value)


@builtin("cast_set")
def cast_set(value: Value) -> RegoSet:
    """A set as it is, an array as a set (deprecated)."""
    if value.__class__ is RegoSet:
        return value
    if value.__class__ is list:
        return RegoSet(value)
    raise one_of_error(1, "array, set", value)


def _identity_cast(kind: str) -> Callable[[Value], Any]:
    """A cast that lets one type through and refuses all others (deprecated)."""

    def cast(value: Value) -> Any:
        if type_name(value) == kind:
            return value
        raise operand_error(1, kind, value)

    return cast


builtin("cast_string")(_identity_cast("string"))
builtin("cast_boolean")(_identity_cast("boolean"))
builtin("cast_null")(_identity_cast("null"))
builtin("cast_object")(_identity_cast("object"))

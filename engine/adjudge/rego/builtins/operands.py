"""Operand checks that several builtin families share; each raises what OPA would raise."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, operand_error, want_string
from adjudge.rego.runtime.arithmetic import exact_integer
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, is_number, type_name

_INT64: Final = 1 << 63


def element_error(position: int, composite: Value, element: Value, want: str) -> BuiltinError:
    """``operand 2 must be array of strings but got array containing number``."""
    kind = type_name(composite)
    return BuiltinError(
        f"operand {position} must be {kind} of {want}s but got {kind} containing "
        f"{type_name(element)}",
        "eval_type_error",
    )


def too_large(context: BuiltinContext) -> BuiltinError:
    """The error of a builtin whose answer would pass the context's limit; it ends the query."""
    return BuiltinError(
        f"the result would exceed {context.max_size} characters or elements", halt=True
    )


def bounded(context: BuiltinContext, text: str) -> str:
    """The text, unless it is longer than the context's limit: builtins whose answers are
    longer than their operands are called with their own answers."""
    if len(text) > context.max_size:
        raise too_large(context)
    return text


def want_int(value: Value, position: int) -> int:
    """The operand as a 64-bit integer; ``2.0`` counts, ``1e3`` does not."""
    if value.__class__ is int:
        if -_INT64 <= value < _INT64:
            return int(value)
    elif not is_number(value):
        raise operand_error(position, "number", value)
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        if "e" not in getattr(value, "text", ""):
            return int(value)
    raise BuiltinError(
        f"operand {position} must be integer number but got floating-point number",
        "eval_type_error",
    )


def want_big(value: Value, position: int) -> int:
    """The operand as an integer of any size, however it is written."""
    if value.__class__ is int:
        return int(value)
    if not is_number(value):
        raise operand_error(position, "integer", value)
    exact = exact_integer(value)
    if exact is None:
        raise BuiltinError(
            f"operand {position} must be integer number but got floating-point number",
            "eval_type_error",
        )
    return exact


def want_strings(value: Value, position: int) -> list[str]:
    """The elements of an array or a set, all of which must be strings."""
    if value.__class__ is list:
        items = value
    elif value.__class__ is RegoSet:
        items = value.ordered()
    else:
        raise BuiltinError(
            f"operand {position} must be one of {{array, set}} but got {type_name(value)}",
            "eval_type_error",
        )
    for item in items:
        if not isinstance(item, str):
            raise element_error(position, value, item, "string")
    return list(items)


def two_strings(a: Value, b: Value) -> tuple[str, str]:
    """The first two operands as strings."""
    return want_string(a, 1), want_string(b, 2)


def child(value: Value, key: Value) -> Any:
    """What ``value[key]`` is: an element, or ``UNDEFINED``."""
    cls = value.__class__
    if cls is dict:
        return value.get(box(key), UNDEFINED)
    if cls is list:
        index = _index(key)
        return value[index] if index is not None and 0 <= index < len(value) else UNDEFINED
    if cls is RegoSet:
        return key if key in value else UNDEFINED
    return UNDEFINED


def _index(key: Value) -> int | None:
    if key.__class__ is int:
        return int(key)
    if isinstance(key, (float, Decimal)):
        try:
            return want_int(key, 1)
        except BuiltinError:
            return None
    return None

"""Conditions evaluated in the plainest way, to compare what they are compiled to with.

It knows nothing of Rego: it is the reference page of the format, written as Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adjudge.yamlpolicy.paths import split_path

MISSING = object()


def look_up(path: str, scope: Mapping[str, Any]) -> Any:
    """The value at a path, or MISSING; null is missing."""
    value: Any = scope
    for step in split_path(path) or ():
        if isinstance(step.value, int):
            ok = isinstance(value, list) and step.value < len(value)
        else:
            ok = isinstance(value, dict) and step.value in value
        if not ok:
            return MISSING
        value = value[step.value]
    return MISSING if value is None else value


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
    return bool(left == right)


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Positions or keys, and elements."""
    if isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from value.items()


def holds(condition: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    """Whether a condition holds; ``scope`` is the input, ``data`` and the loop variables."""
    if "all" in condition:
        return all(holds(c, scope) for c in condition["all"])
    if "any" in condition:
        return any(holds(c, scope) for c in condition["any"])
    if "none" in condition:
        return not any(holds(c, scope) for c in condition["none"])
    if "not" in condition:
        return not holds(condition["not"], scope)
    if "for_each" in condition:
        return _some_element(condition["for_each"], scope)
    ((operator, operand),) = ((k, v) for k, v in condition.items() if k != "path")
    value = look_up(condition["path"], scope)
    if operator in ("count", "length"):
        return _size(operator, value, operand)
    if operator == "is":
        return _state(operand, value)
    if operator.startswith("not_"):
        return not _test(operator.removeprefix("not_"), value, _operand(operand, scope))
    return _test(operator, value, _operand(operand, scope))


def _some_element(loop: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    for key, element in members(look_up(loop["path"], scope)):
        inner = {**scope, loop["as"]: element, loop.get("index", "_"): key}
        if "when" not in loop or holds(loop["when"], inner):
            return True
    return False


def _operand(operand: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(operand, dict):
        return look_up(operand.get("path", f"data.{operand.get('data')}"), scope)
    return operand


def _size(operator: str, value: Any, operand: Any) -> bool:
    kinds = (list, dict) if operator == "count" else (str,)
    size = len(value) if isinstance(value, kinds) else 0
    bounds = operand if isinstance(operand, dict) else {"equals": operand}
    return all(_ordered(name, size, bound) for name, bound in bounds.items())


def _state(state: str, value: Any) -> bool:
    empty = value is MISSING or value in ([], {}) or (isinstance(value, str) and not value.strip())
    return {
        "missing": value is MISSING,
        "present": value is not MISSING,
        "empty": empty,
        "not_empty": not empty,
    }[state]


def _ordered(operator: str, left: Any, right: Any) -> bool:
    if not (is_number(left) and is_number(right)):
        return False
    return bool(
        {
            "equals": left == right,
            "gt": left > right,
            "gte": left >= right,
            "lt": left < right,
            "lte": left <= right,
        }[operator]
    )


def _test(operator: str, left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return False
    texts = isinstance(left, str) and isinstance(right, str)
    if operator == "equals":
        return same(left, right)
    if operator == "in":
        return any(same(left, element) for _, element in members(right))
    if operator == "contains":
        return (texts and right in left) or (
            isinstance(left, list) and any(same(right, element) for element in left)
        )
    if operator == "matches":
        return texts and re.search(right, left) is not None
    if operator == "starts_with":
        return texts and left.startswith(right)
    if operator == "ends_with":
        return texts and left.endswith(right)
    return _ordered(operator, left, right)

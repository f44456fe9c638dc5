"""Objects: get, keys, remove, filter, union, union_n, subset."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from adjudge.rego.builtins.operands import child, element_error
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    one_of_error,
    want_array,
    want_object,
)
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, equal

Object = dict[Hashable, Value]


@builtin("object.get")
def get(obj: Value, key: Value, default: Value) -> Any:
    """The value at a key, or at a path given as an array, or the default."""
    found: Any = want_object(obj, 1)
    if key.__class__ is list:
        for step in key:
            found = child(found, step)
            if found is UNDEFINED:
                return default
        return found
    found = found.get(box(key), UNDEFINED)
    return default if found is UNDEFINED else found


@builtin("object.keys")
def keys(obj: Value) -> RegoSet:
    """The keys as a set."""
    return RegoSet.of_boxed(want_object(obj, 1))


@builtin("object.remove")
def remove(obj: Value, keys: Value) -> Object:
    """The object without the keys of an array, a set or an object."""
    source = want_object(obj, 1)
    unwanted = _boxed_keys(keys)
    return {k: v for k, v in source.items() if k not in unwanted}


@builtin("object.filter")
def filter_(obj: Value, keys: Value) -> Object:
    """The object with only the keys of an array, a set or an object."""
    source = want_object(obj, 1)
    wanted = _boxed_keys(keys)
    return {k: v for k, v in source.items() if k in wanted}


def _boxed_keys(value: Value) -> Any:
    """Something to test boxed keys against."""
    if value.__class__ is list:
        return set(map(box, value))
    if value.__class__ is RegoSet:
        return value.boxed
    if value.__class__ is dict:
        return value
    raise one_of_error(2, "object, set, array", value)


@builtin("object.union")
def union(first: Value, second: Value) -> Object:
    """Both objects as one: objects under one key are joined, else the second wins."""
    return _merge([want_object(first, 1), want_object(second, 2)], {})


@builtin("object.union_n")
def union_n(objects: Value) -> Object:
    """All objects of an array as one, joined from left to right."""
    members = want_array(objects, 1)
    for member in members:
        if member.__class__ is not dict:
            raise element_error(1, objects, member, "object")
    return _merge(members, {})


def _merge(objects: list[Object], made: dict[tuple[int, ...], Object]) -> Object:
    """Objects joined from left to right.

    Under a key counts what follows the last value that is no object: what came before
    it has been overwritten.  Parts that the objects share are joined once (``made``, by
    identity): a few lines of policy make an object that contains itself very often.
    """
    identity = tuple(map(id, objects))
    if identity in made:
        return made[identity]
    found: dict[Hashable, list[Value]] = {}
    for obj in objects:
        for key, value in obj.items():
            found.setdefault(key, []).append(value)
    merged: Object = {}
    for key, values in found.items():
        start = len(values) - 1
        while start > 0 and values[start].__class__ is dict and values[start - 1].__class__ is dict:
            start -= 1
        run = values[start:]
        merged[key] = run[0] if len(run) == 1 else _merge(run, made)
    made[identity] = merged
    return merged


@builtin("object.subset", context=True)
def subset(context: BuiltinContext, superset: Value, sub: Value) -> bool:
    """Whether the second value is contained in the first, recursively for objects."""
    a, b = superset.__class__, sub.__class__
    if a is dict and b is dict:
        return _object_subset(context, superset, sub, {})
    if a is RegoSet and b is RegoSet:
        return bool(sub.boxed <= superset.boxed)
    if a is list and b is list:
        return _array_subset(context, superset, sub)
    if a is list and b is RegoSet:
        return _set_in_array(superset, sub)
    raise BuiltinError(
        "both arguments object.subset must be of the same type or array and set",
        "eval_type_error",
    )


def _object_subset(
    context: BuiltinContext, superset: Object, sub: Object, known: dict[tuple[int, int], bool]
) -> bool:
    """``known``: the answers for parts that stand in the objects more than once."""
    identity = id(superset), id(sub)
    if identity not in known:
        known[identity] = _has_all(context, superset, sub, known)
    return known[identity]


def _has_all(
    context: BuiltinContext, superset: Object, sub: Object, known: dict[tuple[int, int], bool]
) -> bool:
    for key, value in sub.items():
        other = superset.get(key, UNDEFINED)
        if other is UNDEFINED:
            return False
        if equal(other, value):
            continue
        if other.__class__ is not value.__class__:
            return False
        if other.__class__ is dict:
            contained = _object_subset(context, other, value, known)
        elif other.__class__ is RegoSet:
            contained = value.boxed <= other.boxed
        else:
            contained = other.__class__ is list and _array_subset(context, other, value)
        if not contained:
            return False
    return True


def _array_subset(context: BuiltinContext, superset: list[Value], sub: list[Value]) -> bool:
    """Whether ``sub`` stands in ``superset`` as it is, without gaps."""
    size = len(sub)
    context.charge(len(superset) * min(size, 16))
    for start in range(len(superset) - size + 1):
        if all(map(equal, superset[start : start + size], sub)):
            return True
    return not sub


def _set_in_array(superset: list[Value], sub: RegoSet) -> bool:
    """Whether the array has as many elements of the set as the set has.

    OPA counts an element as often as the array holds it, and finds nothing in an empty
    array; both are kept.
    """
    unmatched = len(sub)
    for item in superset:
        if item in sub:
            unmatched -= 1
        if unmatched == 0:
            return True
    return False

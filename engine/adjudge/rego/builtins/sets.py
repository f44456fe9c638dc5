"""Sets of sets: intersection, union, set_diff."""

from __future__ import annotations

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import BuiltinContext, builtin, want_set
from adjudge.rego.runtime.values import EMPTY_SET, RegoSet, Value


def _members(sets: Value) -> list[RegoSet]:
    return [want_set(member, 1) for member in want_set(sets, 1).ordered()]


@builtin("intersection")
def intersection(sets: Value) -> RegoSet:
    """What all the sets have in common; the empty set of none."""
    members = _members(sets)
    if not members:
        return EMPTY_SET
    return RegoSet.of_boxed(members[0].boxed.intersection(*[m.boxed for m in members[1:]]))


@builtin("union", context=True)
def union(context: BuiltinContext, sets: Value) -> RegoSet:
    """Everything that is in one of the sets."""
    members = _members(sets)
    if sum(map(len, members)) > context.max_size:
        raise too_large(context)
    return RegoSet.of_boxed(frozenset().union(*[m.boxed for m in members]))


@builtin("set_diff")
def set_diff(first: Value, second: Value) -> RegoSet:
    """What is in the first set and not in the second (deprecated)."""
    a, b = want_set(first, 1), want_set(second, 2)
    return RegoSet.of_boxed(a.boxed - b.boxed)

"""Ground terms in, their values out."""

from __future__ import annotations

from adjudge.rego.passes.model import Group
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, make_object
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Object,
    ObjectCompr,
    Scalar,
    Set,
    SetCompr,
    Term,
)


def constant_of(term: Term) -> Value:
    """The value of a term without variables, references, calls or comprehensions;
    ``UNDEFINED`` for any other."""
    if isinstance(term, Scalar):
        return term.value
    if isinstance(term, Array):
        return _all(term.items, list)
    if isinstance(term, Set):
        return _all(term.items, RegoSet)
    if isinstance(term, Object):
        pairs = []
        for key, value in term.pairs:
            k, v = constant_of(key), constant_of(value)
            if k is UNDEFINED or v is UNDEFINED:
                return UNDEFINED
            pairs.append((k, v))
        return make_object(pairs)
    return UNDEFINED


def _all(items: tuple[Term, ...], make: type[list[Value]] | type[RegoSet]) -> Value:
    values = [constant_of(i) for i in items]
    if any(v is UNDEFINED for v in values):
        return UNDEFINED
    return make(values)


MAX_CLAUSES = 8
"""Clauses of a rule up to which its type is looked for at each use."""


def type_of_rule(group: Group) -> str | None:
    """``array``, ``object``, ``set`` or ``string``, where every value of a rule is one."""
    if group.kind in ("set", "object"):
        return group.kind
    if len(group.clauses) > MAX_CLAUSES:
        return None
    found = {_type_of_term(c.value) for c in group.all_clauses()}
    return found.pop() if len(found) == 1 else None


def _type_of_term(term: Term) -> str | None:
    match term:
        case SetCompr() | Set():
            return "set"
        case ArrayCompr() | Array():
            return "array"
        case ObjectCompr() | Object():
            return "object"
        case Scalar(value) if isinstance(value, str):
            return "string"
        case _:
            return None

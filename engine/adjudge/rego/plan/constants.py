"""Ground terms in, their values out."""

from __future__ import annotations

from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, make_object
from adjudge.rego.syntax import Array, Object, Scalar, Set, Term


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

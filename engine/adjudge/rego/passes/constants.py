"""A body in, the variables in it that can only be one of a few constants out.

``some root in ["a", "b"]; data[root].p`` does not depend on every ``p`` below ``data``.
Only what stands ahead of a reference counts: a variable that the reference reaches first
is bound by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from adjudge.rego.syntax import Array, Call, Expr, Object, Ref, Scalar, Set, SomeIn, Term, Var

Constant: TypeAlias = Any
"""A scalar, or a term made of constants alone."""

Known: TypeAlias = dict[str, list[Constant]]

MAX_VALUES: Final = 64
"""With more possible values a variable counts as unknown."""


def known_values(body: Iterable[Expr]) -> Known:
    """What is known after a body."""
    known: Known = {}
    for expr in body:
        bind(expr, known)
    return known


def bind(expr: Expr, known: Known) -> None:
    """Add what one more expression says; the first to say something of a variable counts."""
    term = expr.term
    if expr.negated or expr.withs:
        return
    if isinstance(term, SomeIn):
        found = _members(values_of(term.domain, known))
        if isinstance(term.value, Var) and found is not None:
            known.setdefault(term.value.name, found)
    elif isinstance(term, Call) and len(term.args) == 2 and _is_equality(term):
        for left, right in (term.args, term.args[::-1]):
            values = values_of(right, known)
            if isinstance(left, Var) and values is not None:
                known.setdefault(left.name, values)
                return


def _is_equality(call: Call) -> bool:
    return isinstance(call.operator, Var) and call.operator.name in ("eq", "assign")


def values_of(term: Term, known: Known) -> list[Constant] | None:
    """The constants that a term can be, None when nothing is known of it."""
    if isinstance(term, Scalar):
        return [term.value]
    if isinstance(term, Var):
        return known.get(term.name)
    if isinstance(term, Ref):
        return _selected(term, known)
    return [term] if _is_constant(term) else None


def _selected(ref: Ref, known: Known) -> list[Constant] | None:
    values = values_of(ref.head, known)
    for operand in ref.operands:
        if values is None:
            return None
        if isinstance(operand, Scalar):
            values = [v for value in values for v in _at(value, operand.value)]
        else:
            values = _members(values)
    return values if values is not None and len(values) <= MAX_VALUES else None


def _at(value: Constant, key: Any) -> list[Constant]:
    if isinstance(value, Array):
        is_index = isinstance(key, int) and not isinstance(key, bool)
        return [_plain(value.items[key])] if is_index and 0 <= key < len(value.items) else []
    if isinstance(value, Object):
        return [_plain(v) for k, v in value.pairs if k == Scalar(key)]
    if isinstance(value, Set):
        return [key] if Scalar(key) in value.items else []
    return []


def _members(values: list[Constant] | None) -> list[Constant] | None:
    found: list[Constant] = []
    for value in values or ():
        if isinstance(value, Array | Set):
            found.extend(map(_plain, value.items))
        elif isinstance(value, Object):
            found.extend(_plain(v) for _, v in value.pairs)
        else:
            return None
    return found if values is not None and len(found) <= MAX_VALUES else None


def _plain(term: Term) -> Constant:
    return term.value if isinstance(term, Scalar) else term


def _is_constant(term: Term) -> bool:
    if isinstance(term, Array | Set):
        return all(map(_is_constant, term.items))
    if isinstance(term, Object):
        return all(_is_constant(k) and _is_constant(v) for k, v in term.pairs)
    return isinstance(term, Scalar)

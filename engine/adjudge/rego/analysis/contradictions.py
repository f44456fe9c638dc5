"""A compiled body in, the expressions that keep it from ever being true out.

Looked at are constants, and what one body asks of one value: ``x == "a"`` beside
``x == "b"``, ``n > 5`` beside ``n < 3``.  Expressions under ``with`` are left aside.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from adjudge.rego.analysis.origins import BINDING, operator_of
from adjudge.rego.passes.model import Clause, Group, Path
from adjudge.rego.syntax import Array, Call, Every, Expr, Ref, Scalar, Set, SomeIn, Term, Var
from adjudge.source import Location

_EQUAL: Final = frozenset({"equal", "eq", "assign"})
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_FLIPPED: Final = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
_SIGNS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "neq": "!="}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An expression that is never true in its body, and why."""

    loc: Location
    reason: str


@dataclass(slots=True)
class _Asked:
    """What a body asks of one value."""

    equal: Scalar | None = None
    among: list[Scalar] | None = None
    different: list[Scalar] = field(default_factory=list)
    bounds: list[tuple[str, Scalar]] = field(default_factory=list)


def never_true(group: Group) -> Iterator[tuple[Clause, Contradiction]]:
    """The clauses of a rule that can never hold, each with the first reason."""
    for clause in group.clauses:
        found = next(contradictions(clause.body), None)
        if found is not None and clause.orelse is None:
            yield clause, found


def empty_rules(groups: Iterable[Group]) -> dict[Path, Group]:
    """The rules that never have a value, or never an element: no clause of theirs can hold,
    by itself or because it asks another such rule, and there is no default."""
    open_ = [g for g in groups if g.default is None]
    impossible = {id(clause) for group in open_ for clause, _ in never_true(group)}
    empty: dict[Path, Group] = {}
    found = True
    while found:
        found = False
        for group in open_:
            if group.path not in empty and all(
                id(c) in impossible or (c.orelse is None and asks_empty(c.body, empty))
                for c in group.clauses
            ):
                empty[group.path] = group
                found = True
    return empty


def asks_empty(body: Iterable[Expr], empty: Mapping[Path, Group]) -> tuple[Path, Expr] | None:
    """The first expression of a body that needs a value of a rule which never has one, and
    that rule."""
    if not empty:
        return None
    for expr in body:
        for path, deeper in _needed(expr):
            group = empty.get(path)
            if group is not None and (deeper or group.kind in ("complete", "function")):
                return path, expr
    return None


def _needed(expr: Expr) -> Iterator[tuple[Path, bool]]:
    """The rules whose value an expression needs; whether it needs what stands in them."""
    term = expr.term
    if expr.negated or expr.withs:
        return
    if isinstance(term, SomeIn):
        yield from ((path, True) for path, _ in _prefixes(term.domain))
    elif isinstance(term, Call):
        if isinstance(term.operator, Ref):
            yield ground_path(term.operator), True
        elif operator_of(term) in BINDING and len(term.args) == 2:
            yield from _prefixes(term.args[1])
    else:
        yield from _prefixes(term)


def _prefixes(term: object) -> Iterator[tuple[Path, bool]]:
    path = ground_path(term) if isinstance(term, Ref) else ()
    for length in range(1, len(path) + 1):
        yield path[:length], isinstance(term, Ref) and length < len(term.operands)


def ground_path(ref: Ref) -> tuple[str, ...]:
    """The leading names of a reference below ``data``; nothing for other references."""
    steps: list[str] = []
    if isinstance(ref.head, Var) and ref.head.name == "data":
        for operand in ref.operands:
            if not isinstance(operand, Scalar) or not isinstance(operand.value, str):
                break
            steps.append(operand.value)
    return tuple(steps)


def contradictions(body: Iterable[Expr]) -> Iterator[Contradiction]:
    """Why a body can never be true; nothing when it may."""
    asked: dict[Term, _Asked] = {}
    names: dict[str, Term] = {}
    for expr in body:
        if expr.withs:
            continue
        reason = _constant(expr)
        if reason is None and not expr.negated:
            reason = _about(expr, asked, names)
        if reason is not None:
            yield Contradiction(expr.loc, reason)


def _constant(expr: Expr) -> str | None:
    term = expr.term
    if isinstance(term, Scalar):
        if (term.value is False) != expr.negated:
            return f"{'not ' if expr.negated else ''}{shown(term)} never holds"
        return None
    if isinstance(term, SomeIn | Every):
        if isinstance(term, SomeIn) and isinstance(term.domain, Array | Set):
            return "there is nothing in it" if not term.domain.items else None
        return None
    if not isinstance(term, Call) or len(term.args) != 2:
        return None
    left, right = term.args
    if not (isinstance(left, Scalar) and isinstance(right, Scalar)):
        return None
    name = operator_of(term)
    holds = _compared(name, left, right)
    if holds is None or holds is not expr.negated:
        return None
    sign = "==" if name in _EQUAL else _SIGNS[name]
    return f"{'not ' if expr.negated else ''}{shown(left)} {sign} {shown(right)} never holds"


def _compared(name: str, left: Scalar, right: Scalar) -> bool | None:
    if name in _EQUAL:
        return same(left, right)
    if name == "neq":
        return not same(left, right)
    if name in _COMPARE and _kind(left) == _kind(right) and _kind(left) in ("number", "string"):
        return _COMPARE[name](left.value, right.value)
    return None


def _about(expr: Expr, asked: dict[Term, _Asked], names: dict[str, Term]) -> str | None:
    """Note what an expression asks of a value; why that cannot be, when it cannot."""
    term = expr.term
    if not isinstance(term, Call) or len(term.args) != 2:
        return None
    name = operator_of(term)
    left, right = (_resolved(arg, names) for arg in term.args)
    if isinstance(right, Scalar) and _is_place(left):
        return _ask(asked.setdefault(left, _Asked()), name, right)
    if isinstance(left, Scalar) and _is_place(right):
        return _ask(asked.setdefault(right, _Asked()), _FLIPPED.get(name, name), left)
    if name == "internal.member_2" and _is_place(left) and isinstance(right, Array | Set):
        scalars = [item for item in right.items if isinstance(item, Scalar)]
        if len(scalars) == len(right.items):
            return _among(asked.setdefault(left, _Asked()), scalars)
    elif name in BINDING and isinstance(term.args[0], Var) and isinstance(right, Ref | Scalar):
        names.setdefault(term.args[0].name, right)
    return None


def _resolved(term: Term, names: dict[str, Term]) -> Term:
    return names.get(term.name, term) if isinstance(term, Var) else term


def _is_place(term: Term) -> bool:
    """A term that has one value in all of a solution; ``_`` is another one each time."""
    if isinstance(term, Var):
        return not term.name.startswith("_")
    if not isinstance(term, Ref) or not isinstance(term.head, Var):
        return False
    return all(
        isinstance(o, Scalar) or (isinstance(o, Var) and not o.name.startswith(("_", "$")))
        for o in term.operands
    )


def _ask(asked: _Asked, name: str, value: Scalar) -> str | None:
    if name in _EQUAL:
        if asked.equal is not None and not same(asked.equal, value):
            return f"it cannot be {shown(asked.equal)} and {shown(value)} at once"
        asked.equal = asked.equal or value
    elif name == "neq":
        asked.different.append(value)
    elif name in _COMPARE:
        asked.bounds.append((name, value))
    else:
        return None
    return _conflict(asked)


def _among(asked: _Asked, values: list[Scalar]) -> str | None:
    if asked.among is not None:
        values = [v for v in values if any(same(v, w) for w in asked.among)]
    asked.among = values
    return _conflict(asked)


def _conflict(asked: _Asked) -> str | None:
    equal = asked.equal
    if asked.among is not None:
        left = [v for v in asked.among if not any(same(v, d) for d in asked.different)]
        if not left or (equal is not None and not any(same(equal, v) for v in left)):
            return "no value fits all that is asked of it"
    if equal is not None:
        for other in asked.different:
            if same(equal, other):
                return f"it cannot be {shown(equal)} and something else at once"
        for name, bound in asked.bounds:
            if _compared(name, equal, bound) is False:
                return f"{shown(equal)} is not {_SIGNS[name]} {shown(bound)}"
    return _bounds(asked.bounds)


def _bounds(bounds: list[tuple[str, Scalar]]) -> str | None:
    lower = [(n, b) for n, b in bounds if n in ("gt", "gte") and _kind(b) == "number"]
    upper = [(n, b) for n, b in bounds if n in ("lt", "lte") and _kind(b) == "number"]
    for low_name, low in lower:
        for high_name, high in upper:
            strict = low_name == "gt" or high_name == "lt"
            if low.value > high.value or (strict and low.value == high.value):  # type: ignore[operator]
                return (
                    f"nothing is {_SIGNS[low_name]} {shown(low)} and "
                    f"{_SIGNS[high_name]} {shown(high)}"
                )
    return None


def _kind(scalar: Scalar) -> str:
    value = scalar.value
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    return "null" if value is None else "string"


def same(left: Scalar, right: Scalar) -> bool:
    """Whether two constants are one value in Rego, where ``1`` is not ``true``."""
    return _kind(left) == _kind(right) and left.value == right.value


def shown(scalar: Scalar) -> str:
    """A constant as Rego writes it, short."""
    value = scalar.value
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"

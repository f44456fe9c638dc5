"""Small builders of Rego syntax nodes, and two walks over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final

from adjudge.rego.syntax import (
    Array,
    Body,
    Call,
    Every,
    Expr,
    Object,
    Ref,
    Scalar,
    Set,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    walk,
)
from adjudge.source import Location

COMPARISONS: Final = {
    "==": "equal",
    "!=": "neq",
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
}


def call(name: str, *args: Term, loc: Location) -> Call:
    """``name(args)``; a dotted name is a builtin such as ``regex.match``."""
    head, *rest = name.split(".")
    operator: Var | Ref = Var(head, loc)
    if rest:
        operator = Ref(Var(head, loc), tuple(Scalar(r, loc) for r in rest), loc)
    return Call(operator, args, loc=loc)


def infix(symbol: str, left: Term, right: Term, loc: Location) -> Call:
    """``left symbol right`` for a comparison."""
    return Call(Var(COMPARISONS[symbol], loc), (left, right), True, loc)


def member(item: Term, collection: Term, loc: Location) -> Call:
    """``item in collection``."""
    operator = Ref(Var("internal", loc), (Scalar("member_2", loc),), loc)
    return Call(operator, (item, collection), True, loc)


def assign(name: str, value: Term, loc: Location) -> Expr:
    """``name := value``."""
    return expr(Call(Var("assign", loc), (Var(name, loc), value), True, loc), loc)


def expr(term: Term | SomeDecl | SomeIn | Every, loc: Location) -> Expr:
    """An expression of a body."""
    return Expr(term, loc=loc)


def negated(positive: Expr) -> Expr:
    """``not`` before an expression."""
    return dataclasses.replace(positive, negated=True)


def constant(value: Any, loc: Location) -> Term:
    """A JSON-like value as a term."""
    if isinstance(value, dict):
        pairs = ((Scalar(k, loc), constant(v, loc)) for k, v in value.items())
        return Object(tuple(pairs), loc)
    if isinstance(value, list):
        return Array(tuple(constant(v, loc) for v in value), loc)
    return Scalar(value, loc)


def set_of(values: list[Any], loc: Location) -> Set:
    """A set of constants."""
    return Set(tuple(constant(v, loc) for v in values), loc)


def in_order(node: Any) -> Iterator[Any]:
    """``node`` and every syntax node inside it, as they stand in the text."""
    if type(node) is tuple:
        for child in node:
            yield from in_order(child)
    elif dataclasses.is_dataclass(node):
        yield node
        for field in dataclasses.fields(node):
            yield from in_order(getattr(node, field.name))


def names_in(node: Any) -> set[str]:
    """The names of all variables in ``node``."""
    return {n.name for n in walk(node) if isinstance(n, Var)}


def relocated(node: Any, move: Callable[[Location], Location]) -> Any:
    """A copy of ``node`` with every location moved."""
    if isinstance(node, Location):
        return move(node)
    if isinstance(node, tuple):
        return tuple(relocated(n, move) for n in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    changes = {f.name: relocated(getattr(node, f.name), move) for f in dataclasses.fields(node)}
    return dataclasses.replace(node, **changes)


def one(term: Term | SomeIn, loc: Location) -> Body:
    """A body of one expression."""
    return (expr(term, loc),)

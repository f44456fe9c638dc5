"""Small constructors for Python ``ast`` nodes; the only place that makes them.

Every node gets the row of the policy that :func:`at_row` set last, so that a traceback
points into the policy.  The row is global state: :data:`LOCK` is held while a module is
emitted.  (Walking the finished tree to fill in places took a third of the compile time.)
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Sequence
from typing import Any

LOCK = threading.Lock()


_LOAD = ast.Load()
_STORE = ast.Store()
_DEL = ast.Del()
_IS, _IS_NOT, _NOT, _AND, _OR = ast.Is(), ast.IsNot(), ast.Not(), ast.And(), ast.Or()
# Where a node ends is left out: it would double the time of making one.
_place: dict[str, Any] = {"lineno": 1, "col_offset": 0}


_names: dict[str, ast.Name] = {}
"""The names read in this row: nodes are never changed, so one may stand in many places."""


def at_row(row: int) -> None:
    """The row of the nodes made from now on."""
    if _place["lineno"] != max(row, 1):
        _place["lineno"] = max(row, 1)
        _names.clear()


def name(identifier: str) -> ast.Name:
    """A name that is read."""
    found = _names.get(identifier)
    if found is None:
        found = _names[identifier] = ast.Name(identifier, _LOAD, **_place)
    return found


def const(value: object) -> ast.Constant:
    """A constant: None, a boolean, an int, a float, a string, or a tuple of such."""
    return ast.Constant(value, **_place)  # type: ignore[arg-type]


def attr(value: ast.expr, attribute: str) -> ast.Attribute:
    return ast.Attribute(value, attribute, _LOAD, **_place)


def sub(value: ast.expr, key: ast.expr) -> ast.Subscript:
    return ast.Subscript(value, key, _LOAD, **_place)


def call(function: ast.expr | str, *args: ast.expr) -> ast.Call:
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(args), [], **_place)


def method(value: ast.expr, attribute: str, *args: ast.expr) -> ast.Call:
    return call(attr(value, attribute), *args)


def assign(target: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(target, _STORE, **_place)], value, **_place)


def assign_both(target: str, container: ast.expr, key: ast.expr, value: ast.expr) -> ast.Assign:
    """``target = container[key] = value``."""
    item = ast.Subscript(container, key, _STORE, **_place)
    return ast.Assign([ast.Name(target, _STORE, **_place), item], value, **_place)


def store_item(container: ast.expr, key: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Subscript(container, key, _STORE, **_place)], value, **_place)


def tail(items: ast.expr, start: ast.expr) -> ast.Subscript:
    """``items[start:]``."""
    return ast.Subscript(items, ast.Slice(start, **_place), _LOAD, **_place)


def cut(items: ast.expr, start: ast.expr) -> ast.Delete:
    """``del items[start:]``."""
    return ast.Delete([ast.Subscript(items, ast.Slice(start, **_place), _DEL, **_place)], **_place)


def raise_to(value: ast.expr, attribute: str, number: int) -> ast.If:
    """``if value.attribute < number: value.attribute = number``."""
    target = ast.Attribute(value, attribute, _STORE, **_place)
    test = ast.Compare(attr(value, attribute), [ast.Lt()], [const(number)], **_place)
    return ast.If(test, [ast.Assign([target], const(number), **_place)], [], **_place)


def expr(value: ast.expr) -> ast.Expr:
    return ast.Expr(value, **_place)


def is_(left: ast.expr, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [_IS], [right], **_place)


def is_not(left: ast.expr, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [_IS_NOT], [right], **_place)


def compare(left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [op], [right], **_place)


def binary(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left, op, right, **_place)


def same_class(left: ast.expr, right: ast.expr, cls: str) -> ast.Compare:
    """``left.__class__ is right.__class__ is cls``."""
    classes = [attr(right, "__class__"), name(cls)]
    return ast.Compare(attr(left, "__class__"), [_IS, _IS], classes, **_place)


def joined(parts: Sequence[str | ast.expr]) -> ast.JoinedStr:
    """An f-string of texts and strings."""
    values: list[ast.expr] = [
        const(p) if isinstance(p, str) else ast.FormattedValue(p, -1, None, **_place) for p in parts
    ]
    return ast.JoinedStr(values, **_place)


def not_(value: ast.expr) -> ast.expr:
    """The negation, without a double one."""
    if isinstance(value, ast.Compare) and len(value.ops) == 1:
        opposite = _OPPOSITES.get(type(value.ops[0]))
        if opposite is not None:
            return ast.Compare(value.left, [opposite()], value.comparators, **_place)
    return ast.UnaryOp(_NOT, value, **_place)


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def and_(*values: ast.expr) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(_AND, list(values), **_place)


def or_(*values: ast.expr) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(_OR, list(values), **_place)


def if_exp(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    return ast.IfExp(test, then, otherwise, **_place)


def if_(test: ast.expr, *body: ast.stmt) -> ast.If:
    return ast.If(test, list(body), [], **_place)


def loop(body: list[ast.stmt]) -> ast.While:
    """``while True``: a block that ``break`` leaves."""
    return ast.While(const(True), body, [], **_place)


def break_() -> ast.Break:
    return ast.Break(**_place)


def continue_() -> ast.Continue:
    return ast.Continue(**_place)


def pass_() -> ast.Pass:
    return ast.Pass(**_place)


def nonlocal_(names: list[str]) -> ast.Nonlocal:
    return ast.Nonlocal(names, **_place)


def if_else(test: ast.expr, then: list[ast.stmt], otherwise: list[ast.stmt]) -> ast.If:
    return ast.If(test, then, otherwise, **_place)


def for_(target: ast.expr, source: ast.expr, body: list[ast.stmt]) -> ast.For:
    return ast.For(target, source, body, [], **_place)


def store(identifier: str) -> ast.Name:
    return ast.Name(identifier, _STORE, **_place)


def store_pair(first: str, second: str) -> ast.Tuple:
    return ast.Tuple([store(first), store(second)], _STORE, **_place)


def tuple_(items: Sequence[ast.expr]) -> ast.Tuple:
    return ast.Tuple(list(items), _LOAD, **_place)


def list_(items: Sequence[ast.expr]) -> ast.List:
    return ast.List(list(items), _LOAD, **_place)


def dict_(pairs: Sequence[tuple[ast.expr, ast.expr]]) -> ast.Dict:
    return ast.Dict([k for k, _ in pairs], [v for _, v in pairs], **_place)


def try_(
    body: list[ast.stmt], error: str, handler: list[ast.stmt], bind: str | None = None
) -> ast.Try:
    return ast.Try(
        body, [ast.ExceptHandler(name(error), bind, handler, **_place)], [], [], **_place
    )


def return_(value: ast.expr) -> ast.Return:
    return ast.Return(value, **_place)


def function(identifier: str, params: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    args = ast.arguments([], [ast.arg(p, **_place) for p in params], None, [], [], None, [])
    return ast.FunctionDef(identifier, args, body, [], **_place)

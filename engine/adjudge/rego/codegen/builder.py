"""Small constructors for Python ``ast`` nodes; the only place that makes them."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def name(identifier: str) -> ast.Name:
    """A name that is read."""
    return ast.Name(identifier, ast.Load())


def const(value: object) -> ast.Constant:
    """A constant: None, a boolean, an int, a float or a string."""
    return ast.Constant(value)  # type: ignore[arg-type]


def attr(value: ast.expr, attribute: str) -> ast.Attribute:
    return ast.Attribute(value, attribute, ast.Load())


def sub(value: ast.expr, key: ast.expr) -> ast.Subscript:
    return ast.Subscript(value, key, ast.Load())


def call(function: ast.expr | str, *args: ast.expr) -> ast.Call:
    target = name(function) if isinstance(function, str) else function
    return ast.Call(target, list(args), [])


def method(value: ast.expr, attribute: str, *args: ast.expr) -> ast.Call:
    return call(attr(value, attribute), *args)


def assign(target: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(target, ast.Store())], value)


def store_item(container: ast.expr, key: ast.expr, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Subscript(container, key, ast.Store())], value)


def tail(items: ast.expr, start: ast.expr) -> ast.Subscript:
    """``items[start:]``."""
    return ast.Subscript(items, ast.Slice(start), ast.Load())


def cut(items: ast.expr, start: ast.expr) -> ast.Delete:
    """``del items[start:]``."""
    return ast.Delete([ast.Subscript(items, ast.Slice(start), ast.Del())])


def raise_to(value: ast.expr, attribute: str, number: int) -> ast.If:
    """``if value.attribute < number: value.attribute = number``."""
    target = ast.Attribute(value, attribute, ast.Store())
    test = ast.Compare(attr(value, attribute), [ast.Lt()], [const(number)])
    return ast.If(test, [ast.Assign([target], const(number))], [])


def expr(value: ast.expr) -> ast.Expr:
    return ast.Expr(value)


def is_(left: ast.expr, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [ast.Is()], [right])


def is_not(left: ast.expr, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [ast.IsNot()], [right])


def compare(left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.Compare:
    return ast.Compare(left, [op], [right])


def not_(value: ast.expr) -> ast.expr:
    """The negation, without a double one."""
    if isinstance(value, ast.Compare) and len(value.ops) == 1:
        opposite = _OPPOSITES.get(type(value.ops[0]))
        if opposite is not None:
            return ast.Compare(value.left, [opposite()], value.comparators)
    return ast.UnaryOp(ast.Not(), value)


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def and_(*values: ast.expr) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(ast.And(), list(values))


def or_(*values: ast.expr) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(ast.Or(), list(values))


def if_exp(test: ast.expr, then: ast.expr, otherwise: ast.expr) -> ast.IfExp:
    return ast.IfExp(test, then, otherwise)


def if_(test: ast.expr, *body: ast.stmt) -> ast.If:
    return ast.If(test, list(body), [])


def loop(body: list[ast.stmt]) -> ast.While:
    """``while True``: a block that ``break`` leaves."""
    return ast.While(const(True), body, [])


def for_(target: ast.expr, source: ast.expr, body: list[ast.stmt]) -> ast.For:
    return ast.For(target, source, body, [])


def store(identifier: str) -> ast.Name:
    return ast.Name(identifier, ast.Store())


def store_pair(first: str, second: str) -> ast.Tuple:
    return ast.Tuple([store(first), store(second)], ast.Store())


def tuple_(items: Sequence[ast.expr]) -> ast.Tuple:
    return ast.Tuple(list(items), ast.Load())


def list_(items: Sequence[ast.expr]) -> ast.List:
    return ast.List(list(items), ast.Load())


def dict_(pairs: Sequence[tuple[ast.expr, ast.expr]]) -> ast.Dict:
    return ast.Dict([k for k, _ in pairs], [v for _, v in pairs])


def try_(
    body: list[ast.stmt], error: str, handler: list[ast.stmt], bind: str | None = None
) -> ast.Try:
    return ast.Try(body, [ast.ExceptHandler(name(error), bind, handler)], [], [])


def return_(value: ast.expr) -> ast.Return:
    return ast.Return(value)


def function(identifier: str, params: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    args = ast.arguments([], [ast.arg(p) for p in params], None, [], [], None, [])
    return ast.FunctionDef(identifier, args, body, [])

"""Constant Rego values in, Python expressions and module-level constants out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable
from decimal import Decimal

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.runtime.values import Box, LiteralFloat, RegoSet, Value, sorted_values, unbox


class Constants:
    """Collects the composite constants of a module; each is built once, when it is loaded.

    ``prefix`` keeps their names apart from those of other modules in one namespace.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.statements: list[ast.stmt] = []
        self._names: dict[Hashable, str] = {}
        self._values: list[Value] = []

    def operand(self, value: Value) -> ast.expr:
        """An expression for a constant: a literal, or the name of a module constant."""
        if value is None or value is True or value is False or value.__class__ in (str, int, float):
            return py.const(value)
        return py.name(self.named(("value", self._key_of(value)), lambda: self.build(value)))

    def boxed(self, value: Value) -> ast.expr:
        """An expression for the hashable form of a constant."""
        key = ("box", self._key_of(value))
        return py.name(self.named(key, lambda: py.call(abi.BOX, self.build(value))))

    def named(self, key: Hashable, build: Callable[[], ast.expr]) -> str:
        """The module-level name of an expression without variables, the same for equal keys."""
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = f"{abi.CONST_PREFIX}{self._prefix}{len(self._names)}"
            self.statements.append(py.assign(known, build()))
        return known

    def _key_of(self, value: Value) -> Hashable:
        """What tells a value from others; it is kept, so that its identity stays its own."""
        self._values.append(value)
        return id(value)

    def build(self, value: Value) -> ast.expr:
        """An expression that makes the value."""
        if isinstance(value, LiteralFloat):
            return py.call(abi.NUMBER, py.const(value.text))
        if isinstance(value, Decimal):
            return py.call(abi.NUMBER, py.const(str(value)))
        if value.__class__ is list:
            return py.list_([self.build(v) for v in value])
        if value.__class__ is dict:
            return py.dict_([(self._key(k), self.build(v)) for k, v in value.items()])
        if value.__class__ is RegoSet:
            return py.call(abi.REGO_SET, py.list_([self.build(v) for v in value.ordered()]))
        return py.const(value)

    def _key(self, key: object) -> ast.expr:
        if isinstance(key, Box):
            return py.call(abi.BOX, self.build(unbox(key)))
        return self.build(key)

    def strings(self, values: list[str]) -> ast.expr:
        """A frozenset of strings, for membership tests."""
        items = tuple(sorted_values(set(values)))
        build = lambda: py.call(abi.FROZENSET, py.const(items))  # noqa: E731
        return py.name(self.named((abi.FROZENSET, items), build))

"""Constant Rego values in, Python expressions and module-level constants out."""

from __future__ import annotations

import ast
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
        self._names: dict[str, str] = {}

    def operand(self, value: Value) -> ast.expr:
        """An expression for a constant: a literal, or the name of a module constant."""
        if value is None or value is True or value is False or value.__class__ in (str, int, float):
            return py.const(value)
        return py.name(self.named(self.build(value)))

    def named(self, built: ast.expr) -> str:
        """The module-level name of an expression without variables."""
        key = ast.dump(built)
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = f"{abi.CONST_PREFIX}{self._prefix}{len(self._names)}"
            self.statements.append(py.assign(known, built))
        return known

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
        items = py.tuple_([py.const(v) for v in sorted_values(set(values))])
        return py.name(self.named(py.call(abi.FROZENSET, items)))

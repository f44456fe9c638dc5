"""Operands, what is known of their types, and comparisons: IR in, Python expressions out.

A test on the class of a value is a few nanoseconds, a call ten times that: where the
common types have an operator in Python that means the same as Rego's, it is used behind
such a test, and the general function otherwise.
"""

from __future__ import annotations

import ast
from typing import Final

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.constants import Constants
from adjudge.rego.plan import ir
from adjudge.rego.runtime.values import RegoSet
from adjudge.source import Location

STRING, INTEGER, BOOLEAN, ARRAY, OBJECT, SET = "string", "int", "boolean", "array", "object", "set"

CLASS_OF: Final = {
    STRING: abi.STR,
    INTEGER: abi.INT,
    ARRAY: abi.LIST,
    OBJECT: abi.DICT,
    SET: abi.REGO_SET,
}
_TYPE_OF: Final = {
    str: STRING,
    int: INTEGER,
    bool: BOOLEAN,
    list: ARRAY,
    dict: OBJECT,
    RegoSet: SET,
}
_ORDER: Final[dict[str, type[ast.cmpop]]] = {
    "lt": ast.Lt,
    "lte": ast.LtE,
    "gt": ast.Gt,
    "gte": ast.GtE,
}


class Operands:
    """Names, operands and conditions of one Python function."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.types: dict[int, str] = {}
        """What is known of the types of locals, by number."""
        self._fresh = 0

    # -- names and operands ----------------------------------------------------------------

    def fresh(self, prefix: str) -> str:
        """A Python name no local has."""
        self._fresh += 1
        return f"{prefix}{self._fresh}"

    @staticmethod
    def local(local: ir.Local) -> str:
        return f"v{local.id}"

    @staticmethod
    def context(ctx: int) -> ast.expr:
        return py.name("c" if ctx == 0 else f"c{ctx}")

    def operand(self, operand: ir.Operand) -> ast.expr:
        if isinstance(operand, ir.Local):
            return py.name(f"v{operand.id}")
        return self.constants.operand(operand.value)

    def where(self, loc: Location) -> ast.expr:
        """A location, as a tuple."""
        return py.const((loc.file, loc.row, loc.col))

    # -- types -------------------------------------------------------------------------------

    def type_of(self, operand: ir.Operand) -> str | None:
        """The type of an operand where it is known; ``int`` is Python's, no other number."""
        if isinstance(operand, ir.Const):
            return _TYPE_OF.get(operand.value.__class__)
        return self.types.get(operand.id)

    def is_string(self, operand: ir.Operand) -> bool:
        """Whether the operand is known to be a string."""
        return self.type_of(operand) == STRING

    def has_class(self, operand: ir.Operand, kind: str) -> list[ast.expr]:
        """The test that an operand is of a type; none where that is known."""
        if self.type_of(operand) == kind:
            return []
        return [self.is_class(self.operand(operand), CLASS_OF[kind])]

    @staticmethod
    def is_class(value: ast.expr, cls: str) -> ast.expr:
        """``value.__class__ is cls``."""
        return py.is_(py.attr(value, "__class__"), py.name(cls))

    @staticmethod
    def either(tests: list[ast.expr], fast: ast.expr, general: ast.expr) -> ast.expr:
        """The fast expression where all tests hold, the general one otherwise."""
        return py.if_exp(py.and_(*tests), fast, general) if tests else fast

    def boxed(self, operand: ir.Operand) -> ast.expr:
        """The hashable form of an operand."""
        value = self.operand(operand)
        if self.type_of(operand) in (STRING, INTEGER):
            return value
        if isinstance(operand, ir.Const):
            return self.constants.boxed(operand.value)
        if self.type_of(operand) is not None:
            return py.call(abi.BOX, value)
        return py.if_exp(self.is_class(value, abi.STR), value, py.call(abi.BOX, value))

    # -- comparisons -------------------------------------------------------------------------

    def comparison(self, op: ir.Comparison, left: ir.Operand, right: ir.Operand) -> ast.expr:
        """A Python expression for a comparison, as direct as the known types allow."""
        if op in ("eq", "neq"):
            test = self._equality(left, right)
            return py.not_(test) if op == "neq" else test
        return self._order(op, left, right)

    def _equality(self, left: ir.Operand, right: ir.Operand) -> ast.expr:
        if isinstance(left, ir.Const):
            left, right = right, left
        a, b = self.operand(left), self.operand(right)
        types = (self.type_of(left), self.type_of(right))
        same = py.compare(a, ast.Eq(), b)
        if STRING in types or types == (INTEGER, INTEGER):
            return same
        if isinstance(right, ir.Const):
            value = right.value
            if value is None or value is True or value is False:
                return py.is_(a, b)
            if value.__class__ in (int, float):
                if value not in (0, 1) or types[0] == INTEGER:
                    return same
                # Python takes true for 1.
                return py.and_(same, py.is_not(py.attr(a, "__class__"), py.name(abi.BOOL)))
        general = py.call(abi.EQUAL, a, b)
        if types != (None, None):
            return general
        return py.if_exp(py.same_class(a, b, abi.STR), same, general)

    def _order(self, op: str, left: ir.Operand, right: ir.Operand) -> ast.expr:
        a, b = self.operand(left), self.operand(right)
        general = {
            "lt": (abi.LESS, a, b),
            "lte": (abi.LESS_EQUAL, a, b),
            "gt": (abi.LESS, b, a),
            "gte": (abi.LESS_EQUAL, b, a),
        }[op]
        types = {self.type_of(left), self.type_of(right)} - {None}
        numeric = _is_float(left) or _is_float(right)
        if types - {INTEGER, STRING} or len(types) == 2 or (numeric and STRING in types):
            return py.call(*general)
        cls = abi.STR if STRING in types else abi.INT
        unknown = [o for o in (left, right) if self.type_of(o) is None and not _is_float(o)]
        tests = [self.is_class(self.operand(o), cls) for o in unknown]
        if len(tests) == 2:
            tests = [py.same_class(a, b, cls)]
        return self.either(tests, py.compare(a, _ORDER[op](), b), py.call(*general))

    def membership(self, step: ir.Member) -> ast.expr:
        """``item in coll``."""
        item, coll = self.operand(step.item), self.operand(step.coll)
        if step.key is not None:
            return py.call(abi.MEMBER_KEY, self.operand(step.key), item, coll)
        is_string = self.has_class(step.item, STRING)
        if isinstance(step.coll, ir.Const):
            value = step.coll.value
            members = value.ordered() if isinstance(value, RegoSet) else value
            if isinstance(members, list) and members and all(type(m) is str for m in members):
                return py.and_(
                    *is_string, py.compare(item, ast.In(), self.constants.strings(members))
                )
        general = py.call(abi.MEMBER, item, coll)
        if self.type_of(step.item) not in (STRING, None):
            return general
        # A string among others is the common case, and needs no boxing.
        in_set = py.compare(item, ast.In(), py.attr(coll, "boxed"))
        in_list = py.compare(item, ast.In(), coll)
        kind = self.type_of(step.coll)
        if kind == SET:
            return self.either(is_string, in_set, general)
        if kind == ARRAY:
            return self.either(is_string, in_list, general)
        if kind is not None:
            return general
        test = py.and_(*is_string, self.is_class(coll, abi.LIST))
        return py.if_exp(test, in_list, general)


def _is_float(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and operand.value.__class__ is float

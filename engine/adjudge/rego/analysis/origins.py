"""The expressions of a clause in, the places in the input that its variables stand for out."""

from __future__ import annotations

from typing import TypeAlias

from adjudge.rego.passes.model import Clause
from adjudge.rego.syntax import Call, Every, Ref, Scalar, SomeIn, Term, Var, walk

Steps: TypeAlias = tuple[str | int | None, ...]
"""A path below ``input``: keys, positions, and None for any element."""

BINDING = frozenset({"assign", "eq"})


def parts(clause: Clause) -> tuple[object, ...]:
    """Everything of a clause that may hold terms; else branches not."""
    return (clause.args, clause.tail, clause.key, clause.value, clause.body)


def operator_of(call: Call) -> str:
    """The name of a builtin, or the empty string for a rule."""
    return call.operator.name if isinstance(call.operator, Var) else ""


class Origins:
    """Where the values of one clause come from.

    A variable has an origin when it is bound in one place, to a part of the input or to its
    elements.  ``constants`` are the variables bound to one scalar.
    """

    def __init__(self, clause: Clause) -> None:
        self._bound: dict[str, Term | None] = {}
        self._elements: set[str] = set()
        self._known: dict[str, Steps | None] = {}
        for node in walk(parts(clause)):
            if isinstance(node, SomeIn | Every):
                self._bind(node.value, node.domain, element=True)
            elif isinstance(node, Call) and operator_of(node) in BINDING and len(node.args) == 2:
                left, right = node.args
                self._bind(left, right)
                # What the compiler takes out of an expression stands on the left.
                if isinstance(right, Var) and not isinstance(left, Var):
                    self._bind(right, left)

    def _bind(self, target: Term, source: Term, *, element: bool = False) -> None:
        if not isinstance(target, Var):
            return
        # Bound twice, it is what both have in common: no single place.
        self._bound[target.name] = None if target.name in self._bound else source
        if element:
            self._elements.add(target.name)

    def steps(self, term: Term) -> Steps | None:
        """The path below ``input`` of a term; None for anything else."""
        if isinstance(term, Var):
            return () if term.name == "input" else self._variable(term.name)
        if not isinstance(term, Ref):
            return None
        base = self.steps(term.head)
        if base is None:
            return None
        return (*base, *(self._step(operand) for operand in term.operands))

    def scalar(self, term: Term) -> Scalar | None:
        """The constant that a term is, directly or by name."""
        if isinstance(term, Var) and term.name not in self._elements:
            source = self._bound.get(term.name)
            return source if isinstance(source, Scalar) else None
        return term if isinstance(term, Scalar) else None

    def _step(self, operand: Term) -> str | int | None:
        constant = self.scalar(operand)
        value = None if constant is None else constant.value
        return value if type(value) in (str, int) else None  # type: ignore[return-value]

    def _variable(self, name: str) -> Steps | None:
        if name not in self._known:
            self._known[name] = None  # a variable that is bound to itself has no origin
            source = self._bound.get(name)
            found = None if source is None else self.steps(source)
            if found is not None and name in self._elements:
                found = (*found, None)
            self._known[name] = found
        return self._known[name]

"""The expressions of a clause in, the places in the input that its variables stand for out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from adjudge.rego.passes.model import Clause, Group, Key, Path
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


_NONE: Final[Mapping[Path, Steps]] = {}
_ROUNDS: Final = 4
"""How many rules an alias may go through."""


def aliases(groups: Iterable[Group]) -> dict[Path, Steps]:
    """The rules that are nothing but a part of the input: ``card := input.facts``."""
    simple = [
        g
        for g in groups
        if g.kind == "complete" and g.default is None and len(g.clauses) == 1
        if not g.first.rule.body and g.first.orelse is None
    ]
    found: dict[Path, Steps] = {}
    for _ in range(_ROUNDS):
        before = len(found)
        for group in simple:
            steps = Origins(group.first, found).steps(group.first.value)
            if steps is not None:
                found.setdefault(group.path, steps)
        if len(found) == before:
            break
    return found


class Origins:
    """Where the values of one clause come from.

    A variable has an origin when it is bound in one place, to a part of the input or to its
    elements.  ``aliases`` are the rules that are nothing but a part of the input.
    """

    def __init__(self, clause: Clause, aliases: Mapping[Path, Steps] = _NONE) -> None:
        self._aliases = aliases
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
        if isinstance(term.head, Var) and term.head.name == "data":
            return self._alias(term)
        base = self.steps(term.head)
        if base is None:
            return None
        return (*base, *(self._step(operand) for operand in term.operands))

    def _alias(self, ref: Ref) -> Steps | None:
        keys: list[Key] = []
        for operand in ref.operands if self._aliases else ():
            if not isinstance(operand, Scalar):
                break
            keys.append(operand.value)  # type: ignore[arg-type]
        for length in range(len(keys), 0, -1):
            steps = self._aliases.get(tuple(keys[:length]))
            if steps is not None:
                return (*steps, *(self._step(o) for o in ref.operands[length:]))
        return None

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

"""References in, errors about them out; variables in them get the types of what they index."""

from __future__ import annotations

from collections.abc import Callable

from adjudge.rego.passes.types.env import ROOTS, Env
from adjudge.rego.passes.types.keys import constant_key, scalar_key
from adjudge.rego.passes.types.model import (
    ANY,
    STRING,
    Function,
    PropertyKey,
    Type,
    key_order,
)
from adjudge.rego.passes.types.problems import (
    Problem,
    RefProblems,
    is_empty_collection,
    known_keys,
)
from adjudge.rego.passes.types.terms import Terms
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.passes.types.tree import TypeNode, TypeTree
from adjudge.rego.syntax import Array, Object, Scalar, Set, Term, Var
from adjudge.source import Location


class References:
    """Checks references; what their operands are has been checked before."""

    def __init__(self, terms: Terms, text: TermText) -> None:
        self.terms = terms
        self.text = text

    def check(
        self, env: Env, head: Term, operands: tuple[Term, ...], loc: Location
    ) -> tuple[Type | None, Problem | None]:
        """The type of what a reference refers to, and what is wrong with it."""
        one = _Reference(self, env, head, operands, loc)
        if isinstance(head, Var):
            if head.name in ROOTS:
                return one.root(head.name)
            known = env.lookup(head.name)
            if known is None:
                known = env.vars[head.name] = ANY
            return one.select(known, 0), one.problem
        if isinstance(head, Scalar):
            one.select(ANY, 0)
            return None, None
        # Any other head has a variable of its own, of which less may be known.
        return one.select(env.seen.get(id(head)) or ANY, 0), one.problem


class _Reference:
    """The check of one reference."""

    __slots__ = ("env", "head", "loc", "operands", "problem", "refs", "terms")

    def __init__(
        self, refs: References, env: Env, head: Term, operands: tuple[Term, ...], loc: Location
    ) -> None:
        self.refs = refs
        self.terms = refs.terms
        self.env = env
        self.head = head
        self.operands = operands
        self.loc = loc
        self.problem: Problem | None = None

    # -- below something of a known type ---------------------------------------------------

    def select(self, t: Type | None, start: int) -> Type | None:
        """The type of what the operands from ``start`` on lead to in a value of type ``t``."""
        table = self.terms.table
        for n in range(start, len(self.operands)):
            operand = self.operands[n]
            if self.problem is None:
                if t is ANY:
                    self._any(operand)
                    continue
                if not isinstance(operand, Scalar):
                    self._operand(t, operand, n + 1)
            if isinstance(operand, Scalar):
                value = operand.value
                key = value if isinstance(value, str) else scalar_key(value)
                below = table.select(t, key)
                if below is None and self.problem is None:
                    self._missing(t, n + 1)
                t = below
            else:
                t = table.values_of(t)
            if t is None:
                return None
        return t

    def _any(self, operand: Term) -> None:
        """An operand of something that may be anything."""
        if isinstance(operand, Var):
            if operand.name not in ROOTS and self.env.lookup(operand.name) is None:
                self.env.vars[operand.name] = ANY
        elif isinstance(operand, Array | Object | Set):
            self.terms.fits(self.env, operand, ANY)

    def _missing(self, t: Type | None, position: int) -> None:
        if is_empty_collection(t):
            self.problem = self._problems().invalid(position, None, None, [])
            return
        keys = self.terms.table.keys_of(t)
        if keys is None:
            self.problem = self._problems().unsupported(position - 1, t)
        else:
            self.problem = self._problems().invalid(position, None, keys, known_keys(t))

    def _operand(self, t: Type | None, operand: Term, position: int) -> None:
        """An operand that is not constant."""
        keys = self.terms.table.keys_of(t)
        if keys is None or is_empty_collection(t):
            self._missing(t, position)
        elif isinstance(operand, Array | Object | Set):
            if not self.terms.fits(self.env, operand, keys):
                have = self.terms.type_of(self.env, operand)
                self.problem = self._problems().invalid(position, have, keys, [])
        else:
            self._variable(operand, keys, position, lambda: known_keys(t))

    def _variable(
        self,
        operand: Term,
        keys: Type | None,
        position: int,
        one_of: Callable[[], list[PropertyKey]],
    ) -> None:
        have = self.terms.type_of(self.env, operand)
        if have is None:
            if isinstance(operand, Var):
                self.env.vars[operand.name] = keys
        elif not self.terms.unifier.unifies(have, keys):
            self.problem = self._problems().invalid(position, have, keys, one_of())

    # -- documents -------------------------------------------------------------------------

    def root(self, name: str) -> tuple[Type | None, Problem | None]:
        """The type of a part of ``data`` or ``input``."""
        env = self.env
        layers = [layer for layer in env.layers if name in layer.roots]
        if not layers:
            return self.select(ANY, 0), None
        t = self.terms.documents.root_type(env, name, self.operands)
        if isinstance(t, Function):
            return t, self._problems().unsupported(len(self.operands), t)
        if t is None or not all(type(o) is Scalar and type(o.value) is str for o in self.operands):
            self._walk(name, layers)
        return t, self.problem

    def _walk(self, name: str, layers: list[TypeTree]) -> None:
        for layer in layers:
            node = layer.roots[name]
            position = 0
            while node.value is None and position < len(self.operands):
                child = self._step(layer, node, position)
                if self.problem is not None:
                    return
                if child is None:
                    break
                node = child
                position += 1
            else:
                if node.value is not None:
                    self.select(node.value, position)
                return
        self.select(ANY, 0)

    def _step(self, layer: TypeTree, node: TypeNode, n: int) -> TypeNode | None:
        """The child of an inner node that the operand leads to, None when it has none."""
        operand = self.operands[n]
        if isinstance(operand, Scalar):
            if n < 2 and not isinstance(operand.value, str):
                self._no_string(node, n)
                return None
            return node.children.get(scalar_key(operand.value))
        if isinstance(operand, Array | Object | Set):
            if n < 2:
                self._no_string(node, n)
                return None
            key = constant_key(self.terms.table, operand)
            return None if key is None else node.children.get(key)
        keys = self.terms.table.keys_of(layer.extent(node))
        self._variable(operand, keys, n + 1, lambda: _names(node))
        return None

    def _no_string(self, node: TypeNode, n: int) -> None:
        have = self.terms.type_of(self.env, self.operands[n])
        self.problem = self._problems().invalid(n + 1, have, STRING, _names(node))

    def _problems(self) -> RefProblems:
        return RefProblems(self.refs.text, self.loc, self.head, self.operands)


def _names(node: TypeNode) -> list[PropertyKey]:
    return sorted(node.children, key=key_order)

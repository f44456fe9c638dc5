"""What is known at a place in a body: the types of variables, and of documents."""

from __future__ import annotations

from adjudge.rego.passes.types.keys import constant_key, scalar_key
from adjudge.rego.passes.types.model import ANY, PropertyKey, Table, Type
from adjudge.rego.passes.types.tree import TypeNode, TypeTree
from adjudge.rego.syntax import Ref, Scalar, Term, Var

ROOTS = ("data", "input")


class Env:
    """The environment of one body.

    ``vars`` are the types found in this very body; ``layers`` what is known of documents,
    innermost first; ``seen`` the types of the references and comprehensions that have been
    checked, by the identity of the node.
    """

    __slots__ = ("layers", "outer", "seen", "vars")

    def __init__(self, outer: Env | None, layers: tuple[TypeTree, ...]) -> None:
        self.outer = outer
        self.layers = layers
        self.vars: dict[str, Type | None] = {}
        self.seen: dict[int, Type | None] = {}

    def inner(self) -> Env:
        """The environment of a closure in this body."""
        return Env(self, self.layers)

    def under(self, layer: TypeTree) -> Env:
        """The same body with another view of documents: for an expression with ``with``."""
        out = Env(self.outer, (layer, *self.layers))
        out.vars, out.seen = self.vars, self.seen
        return out

    def lookup(self, name: str) -> Type | None:
        """The type of a variable, None when nothing is known."""
        env: Env | None = self
        while env is not None:
            found = env.vars.get(name)
            if found is not None:
                return found
            env = env.outer
        return None


class Documents:
    """Reads the types of references."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def ref_type(self, env: Env, ref: Ref) -> Type | None:
        """The type of what a reference refers to; None when there can be nothing."""
        head = ref.head
        if not isinstance(head, Var):
            return None
        if head.name in ROOTS:
            return self.root_type(env, head.name, ref.operands)
        return self.select(env.lookup(head.name), ref.operands)

    def root_type(self, env: Env, root: str, operands: tuple[Term, ...]) -> Type | None:
        """The type of a part of ``data`` or ``input``."""
        for layer in env.layers:
            node = layer.roots.get(root)
            if node is not None:
                known, found = self._descend(layer, node, operands)
                if known:
                    return found
        return ANY

    def _descend(
        self, layer: TypeTree, node: TypeNode, operands: tuple[Term, ...]
    ) -> tuple[bool, Type | None]:
        """Whether the layer knows of the document, and its type."""
        for n, operand in enumerate(operands):
            key = self._key(operand)
            if node.value is not None:
                child = None if key is None else node.children.get(key)
                if child is None:
                    return True, self.select(node.value, operands[n:])
            elif key is None:
                return True, self.select(layer.extent(node), operands[n:])
            else:
                child = node.children.get(key)
                if child is None:
                    return False, None
            node = child
        return True, layer.extent(node)

    def _key(self, operand: Term) -> PropertyKey | None:
        if isinstance(operand, Scalar):
            value = operand.value
            return value if isinstance(value, str) else scalar_key(value)
        return constant_key(self.table, operand)

    def select(self, t: Type | None, operands: tuple[Term, ...]) -> Type | None:
        """The type of a part of something of type ``t``."""
        for operand in operands:
            if t is None:
                return None
            if isinstance(operand, Scalar):
                t = self.table.select(t, scalar_key(operand.value))
            else:
                t = self.table.values_of(t)
        return t

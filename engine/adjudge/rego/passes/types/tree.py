"""The types of documents: a tree over ``data`` (and ``input``), types at its leaves.

Rules put the types of their values in; references read them.  What no rule defines may
still be there as a base document, so an object made from an inner node admits any other key.
"""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes.types.model import (
    ANY,
    MAX_DEPTH,
    NULL,
    STRING,
    Object,
    PropertyKey,
    Set,
    Table,
    Type,
    Union,
    key_type,
    unwrapped,
)


class TypeNode:
    """A document or a part of one.  ``value`` is None where only parts of it are known."""

    __slots__ = ("children", "value")

    def __init__(self) -> None:
        self.value: Type | None = None
        self.children: dict[PropertyKey, TypeNode] = {}

    def leaves(self) -> Iterator[tuple[tuple[PropertyKey, ...], Type]]:
        """The paths below this node at which there are types, the nearest ones."""
        stack: list[tuple[tuple[PropertyKey, ...], TypeNode]] = [((), self)]
        while stack:
            path, node = stack.pop()
            for key, child in reversed(node.children.items()):
                if child.value is not None:
                    yield (*path, key), child.value
                else:
                    stack.append(((*path, key), child))


class TypeTree:
    """One layer of what is known about documents.

    The outermost layer holds what rules define; ``with`` and schemas put layers over it
    that hold only what they change.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self.roots: dict[str, TypeNode] = {}
        self._extents: dict[TypeNode, Type] = {}

    def put(self, root: str, path: tuple[PropertyKey, ...], t: Type | None) -> None:
        """Set the type at a path, whatever there was."""
        self._place(root, path).value = t

    def insert(self, path: tuple[PropertyKey, ...], t: Type) -> None:
        """Add a type below ``data``: what is there already is merged with it, and so are
        objects above and below that the path leads through."""
        last = self._place("data", path)
        node = self.roots["data"]
        for depth, key in enumerate(path[:-1], 1):
            node = node.children[key]
            above = unwrapped(node.value)
            if isinstance(above, Object):
                node.value = self._into_object(above, path[depth:], t)
        node = last
        node.value = self.merged(node.value, t)
        if node.children and isinstance(unwrapped(t), Object):
            for below, leaf in node.leaves():
                value = unwrapped(node.value)
                if isinstance(value, Object):
                    node.value = self._into_object(value, below, leaf)

    def at(self, path: tuple[PropertyKey, ...]) -> Type | None:
        """The type at a path below ``data``."""
        node = self.roots.get("data")
        for key in path:
            node = None if node is None else node.children.get(key)
        return None if node is None else node.value

    def reserve(self, path: tuple[PropertyKey, ...]) -> None:
        """Make a place below ``data`` of whose type nothing is known."""
        self._place("data", path)

    def _place(self, root: str, path: tuple[PropertyKey, ...]) -> TypeNode:
        """The node at a path; what was made of its ancestors before is forgotten."""
        node = self.roots.get(root)
        if node is None:
            node = self.roots[root] = TypeNode()
        self._extents.pop(node, None)
        for key in path:
            child = node.children.get(key)
            if child is None:
                child = node.children[key] = TypeNode()
            self._extents.pop(child, None)
            node = child
        return node

    def _into_object(self, t: Object, path: tuple[PropertyKey, ...], value: Type) -> Type:
        for key in reversed(path[1:]):
            value = self.table.object({}, (key_type(key), value))
        kind: Type | None = key_type(path[0])
        inner: Type | None = value
        if t.dynamic is not None:
            kind = self.table.either(t.dynamic[0], kind)
            inner = self.table.either(t.dynamic[1], inner)
        return self.table.object(t.index, (kind, inner))

    def extent(self, node: TypeNode, depth: int = 0) -> Type:
        """The type of the document at a node, made from what is below it."""
        if node.value is not None:
            return node.value
        if depth > MAX_DEPTH:
            return ANY
        found = self._extents.get(node)
        if found is None:
            static: dict[PropertyKey, Type | None] = {
                key: self.extent(child, depth + 1)
                for key, child in node.children.items()
                if isinstance(key, str) or key.type is not NULL
            }
            found = self._extents[node] = self.table.object(static, (STRING, ANY))
        return found

    def merged(self, a: Type | None, b: Type | None) -> Type | None:
        """The type of a document of which one rule says ``a`` and another ``b``."""
        if a is None or b is None:
            return b if a is None else a
        a, b = unwrapped(a), unwrapped(b)
        if isinstance(a, Union) and not isinstance(b, Union):
            a, b = b, a
        if isinstance(a, Object) and not a.static:
            if isinstance(b, Object) and not b.static:
                return self._merged_objects(a, b)
            if isinstance(b, Union) and a.dynamic is not None:
                return self._merged_member(a, b)
        if isinstance(a, Set) and isinstance(b, Set):
            return self.table.set(self.table.either(a.of, b.of))
        return self.table.either(a, b)

    def _merged_objects(self, a: Object, b: Object) -> Type:
        if a.dynamic is None or b.dynamic is None:
            return b if a.dynamic is None else a
        key = self.table.either(a.dynamic[0], b.dynamic[0])
        return self.table.object({}, (key, self.merged(a.dynamic[1], b.dynamic[1])))

    def _merged_member(self, a: Object, b: Union) -> Type | None:
        """``b`` with ``a`` merged into its first object without known keys."""
        either = self.table.either
        for member in b.of:
            if isinstance(member, Object) and not member.static and member.dynamic and a.dynamic:
                dynamic = (
                    either(member.dynamic[0], a.dynamic[0]),
                    either(member.dynamic[1], a.dynamic[1]),
                )
                new = self.table.object({}, dynamic)
                return self.table.union(new if m is member else m for m in b.of)
        return either(a, b)

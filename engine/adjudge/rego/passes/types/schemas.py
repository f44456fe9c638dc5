"""JSON schemas in, types out.

What OPA makes of a schema: types, properties, items, ``$ref``, ``anyOf`` and ``allOf`` count;
``oneOf``, ``additionalProperties`` and all that restricts values do not.  A schema of several
types is taken for the first of boolean, string, number, object, array.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, cast

from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError
from adjudge.rego.builtins.schema_compile import Compiler, Node
from adjudge.rego.builtins.schema_json import copied
from adjudge.rego.passes.types.model import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    Object,
    PropertyKey,
    Recursive,
    Table,
    Type,
)

MAX_NODES: Final = 200_000
_UNTYPED: Final = "Undefined"


class SchemaError(Exception):
    """The document is no schema, or none that has a type; the text says why."""


class _Meter:
    """Counts the parts of a schema."""

    def __init__(self) -> None:
        self.nodes = 0

    def charge(self, steps: int) -> None:
        """Raise when there are too many."""
        self.nodes += steps
        if self.nodes > MAX_NODES:
            raise BuiltinError("the schema is too large")


@dataclass(slots=True)
class _Schema:
    """A part of a schema.  Merging changes it, and later readers see that, as in OPA."""

    target: Node | None
    types: list[str]
    properties: list[tuple[str, Node]]
    items: list[Node]
    single: bool
    any_of: list[Node]
    all_of: list[Node]

    @property
    def shown_types(self) -> str:
        """The types, as an error shows them."""
        if len(self.types) == 1:
            return self.types[0]
        return f"[{','.join(self.types)}]" if self.types else _UNTYPED


class SchemaTypes:
    """Reads schemas; one for a table of types."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def load(self, document: Any) -> Type:
        """The type of the documents that a schema admits; raises :class:`SchemaError`."""
        try:
            meter = cast(BuiltinContext, _Meter())
            root = Compiler(meter, copied(document)).root
        except BuiltinError as e:
            raise SchemaError(f"unable to compile the schema: {e}") from None
        except RecursionError:
            raise SchemaError("unable to compile the schema: it nests too deeply") from None
        try:
            return _Reader(self.table).type_of(root) or ANY
        except RecursionError:
            raise SchemaError("type checking: the schema nests too deeply") from None


class _Reader:
    """Reads one schema."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._schemas: dict[Node, _Schema] = {}
        self._done: dict[Node, Type | None] = {}
        self._open: dict[Node, Recursive | None] = {}

    def _schema(self, node: Node) -> _Schema:
        found = self._schemas.get(node)
        if found is None:
            found = self._schemas[node] = _Schema(
                node.target,
                list(node.types),
                list(node.properties.items()),
                list(node.items),
                node.one_items_schema,
                node.groups.get("anyOf", []),
                node.groups.get("allOf", []),
            )
        return found

    def type_of(self, node: Node) -> Type | None:
        """The type that a part of the schema describes."""
        target = self._schema(node).target
        if target is None:
            return self._read(self._schema(node))
        if target in self._open:
            known = self._open[target]
            if known is None:
                known = self._open[target] = Recursive(str(target.base))
            return known
        if target in self._done:
            return self._done[target]
        self._open[target] = None
        found = self.type_of(target)
        recursive = self._open.pop(target)
        if recursive is not None:
            recursive.target = found
        self._done[target] = found
        return found

    def _read(self, schema: _Schema) -> Type | None:
        if schema.any_of:
            return self._any_of(schema)
        if schema.all_of:
            return self._all_of(schema)
        if not schema.types:
            # What has properties is an object, what has items an array.
            if schema.properties:
                schema.types.append("object")
            elif schema.items:
                schema.types.append("array")
        types = schema.types
        if "boolean" in types:
            return BOOLEAN
        if "string" in types:
            return STRING
        if "integer" in types or "number" in types:
            return NUMBER
        if "object" in types:
            return self._object(schema)
        return self._array(schema) if "array" in types else ANY

    def _object(self, schema: _Schema) -> Type:
        if not schema.properties:
            return self.table.object({}, (ANY, ANY))
        static: dict[PropertyKey, Type | None] = {}
        for name, node in schema.properties:
            t = self.type_of(node)
            static.setdefault(name, t)
        return self.table.object(static)

    def _array(self, schema: _Schema) -> Type:
        if not schema.items:
            return self.table.array((), ANY)
        if schema.single:
            return self.table.array((), self.type_of(schema.items[0]))
        return self.table.array(tuple(self.type_of(item) for item in schema.items))

    def _any_of(self, schema: _Schema) -> Type | None:
        out: Type | None = None
        if schema.types:
            core = self._read(replace(schema, any_of=[]))
            if isinstance(core, Object) and core.static and core.dynamic is None:
                out = core
        for node in schema.any_of:
            out = self.table.either(self.type_of(node), out)
        return out

    def _all_of(self, schema: _Schema) -> Type | None:
        parts: list[_Schema] = []
        for node in schema.all_of:
            part = self._schema(node)
            while part.target is not None:
                part = self._schema(part.target)
            # Choices without a type of their own say nothing that could be merged.
            if part.types or not part.any_of or part.properties or part.items:
                parts.append(part)
        if not parts:
            return ANY
        merged = self._merged(parts)
        if schema.types:
            for kind in ("object", "array"):
                if kind in schema.types and kind in merged.types:
                    return self._read(self._merged([merged, schema]))
            if schema.shown_types != merged.shown_types:
                raise SchemaError("type checking: unable to merge these schemas")
        return self._read(merged)

    def _merged(self, parts: list[_Schema]) -> _Schema:
        for part in parts:
            kind = "object" if part.properties else "array" if part.items else ""
            if kind and kind not in part.types:
                part.types.append(kind)
        first = parts[0]
        for other in parts[1:]:
            if first.shown_types != other.shown_types:
                raise SchemaError(
                    "type checking: unable to merge these schemas: type mismatch: "
                    f"{first.shown_types} and {other.shown_types}"
                )
            if first.properties and other.properties and "object" in first.types:
                first.properties.extend(other.properties)
            elif first.items and other.items and "array" in first.types:
                self._merge_items(first, other)
        return first

    def _merge_items(self, first: _Schema, other: _Schema) -> None:
        for n, item in enumerate(other.items):
            if n >= len(first.items):
                first.items.append(item)
            if self._schema(first.items[n]).shown_types != self._schema(item).shown_types:
                raise SchemaError("type checking: unable to merge these schemas")

"""Declarations of builtins in, function types out."""

from __future__ import annotations

from typing import Any

from adjudge.rego.capabilities import BuiltinDecl
from adjudge.rego.passes.types.keys import scalar_key
from adjudge.rego.passes.types.model import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    STRING,
    Dynamic,
    Table,
    Type,
)

_SIMPLE: dict[str, Type] = {
    "null": NULL,
    "boolean": BOOLEAN,
    "number": NUMBER,
    "string": STRING,
}


def builtin_type(table: Table, decl: BuiltinDecl) -> Type:
    """The type of a builtin; its arguments and result carry the names that messages show."""
    declared = [*decl.args, *([decl.result] if decl.result is not None else [])]
    names = tuple(str(d.get("name", "")) for d in declared)
    args = tuple(declared_type(table, d) for d in decl.args)
    result = None if decl.result is None else declared_type(table, decl.result)
    # OPA's variadic builtins take any number of anything.
    return table.function(args, result, ANY if decl.variadic else None, names)


def declared_type(table: Table, declared: dict[str, Any]) -> Type:
    """A type in the JSON form of OPA's capabilities; what is no known form is ``any``."""
    kind = declared.get("type")
    if kind == "array":
        static = tuple(declared_type(table, d) for d in declared.get("static", ()))
        dynamic = declared.get("dynamic")
        return table.array(static, None if dynamic is None else declared_type(table, dynamic))
    if kind == "set":
        return table.set(declared_type(table, declared.get("of", {})))
    if kind == "object":
        pairs = declared.get("static", ())
        known: dict[Any, Type | None] = {
            scalar_key(p["key"]): declared_type(table, p["value"]) for p in pairs
        }
        rest = declared.get("dynamic")
        dynamic_types: Dynamic | None = None
        if rest is not None:
            dynamic_types = (declared_type(table, rest["key"]), declared_type(table, rest["value"]))
        return table.object(known, dynamic_types)
    if kind == "any":
        return table.union(declared_type(table, d) for d in declared.get("of", ()))
    return _SIMPLE.get(str(kind), ANY)

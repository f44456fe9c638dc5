"""What a value can be, read off a JSON Schema: schemas in, types and fields out.

Only what decides whether a path can exist is read: ``type``, ``properties``,
``additionalProperties``, ``required``, ``items``, ``enum``, ``const``, ``$ref`` inside the
schema, ``anyOf``, ``oneOf`` and ``allOf``.  An object schema with ``properties`` and
without ``additionalProperties`` is closed: facts have the fields their schema names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final

Schema = Mapping[str, Any]

ALL_TYPES: Final = frozenset({"null", "boolean", "number", "string", "array", "object"})
EMBEDDED: Final = "x-adjudge-embedded"
"""A schema ``{EMBEDDED: other}`` stands for ``other``, whose ``$ref`` start at its own root."""

_MAX_BRANCHES: Final = 200


class Shape:
    """The set of values some place of the input can hold.

    A shape is a union of schemas; ``(schema, root)`` pairs, where ``root`` is what
    ``$ref`` refers to.
    """

    def __init__(self, *branches: tuple[Schema, Schema]) -> None:
        flat: list[tuple[Schema, Schema]] = []
        for schema, root in branches:
            flat.extend(_flatten(schema, root, ()))
        self._branches = tuple(flat[:_MAX_BRANCHES])

    @classmethod
    def of(cls, schema: Schema) -> Shape:
        """The shape of a whole schema."""
        return cls((schema, schema))

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types a value can have; ``integer`` counts as ``number``."""
        return frozenset[str]().union(*(_types(s) for s, _ in self._branches))

    @property
    def nullable(self) -> bool:
        """Whether null is among the values."""
        return "null" in self.types

    @property
    def values(self) -> frozenset[str]:
        """The types of values that are not missing (null is)."""
        return self.types - {"null"}

    def only(self, *types: str) -> bool:
        """Whether every value is of one of ``types``."""
        return bool(self.types) and self.types <= set(types)

    def names(self) -> list[str]:
        """The names of all fields an object here is known to have."""
        return sorted({n for s, _ in self._branches for n in s.get("properties", ())})

    def field(self, name: str) -> Shape | None:
        """The shape of a field; None when no value here can have it."""
        found = [b for s, r in self._branches if (b := _field(s, r, name)) is not None]
        return Shape(*found) if found else None

    def declares(self, name: str) -> bool:
        """Whether some schema names the field."""
        return any(name in s.get("properties", ()) for s, _ in self._branches)

    def requires(self, name: str) -> bool:
        """Whether every value here is an object that has the field."""
        return self.only("object") and all(name in s.get("required", ()) for s, _ in self._branches)

    def items(self) -> Shape | None:
        """The shape of the elements of lists and of the values of objects; None without any."""
        found: list[tuple[Schema, Schema]] = []
        for schema, root in self._branches:
            kinds = _types(schema)
            if "array" in kinds:
                found.append((_schema(schema.get("items")), root))
            if "object" in kinds:
                found.extend(_members(schema, root))
        return Shape(*found) if found else None

    def choices(self) -> list[Any] | None:
        """The values an ``enum`` or ``const`` allows, without null; None when not limited."""
        out: list[Any] = []
        for schema, _ in self._branches:
            if _types(schema) == {"null"}:
                continue
            allowed = schema.get("enum", [schema["const"]] if "const" in schema else None)
            if allowed is None:
                return None
            out.extend(v for v in allowed if v is not None)
        return out

    def describe(self) -> str:
        """``a string or a list`` for messages."""
        names = [_NAMES[t] for t in _ORDER if t in self.types and t != "null"]
        if len(names) > 1:
            return f"{', '.join(names[:-1])} or {names[-1]}"
        return names[0] if names else "always null"


_ORDER: Final = ("string", "number", "boolean", "array", "object", "null")
_NAMES: Final = {
    "string": "a string",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def type_name(value: object) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def type_words(value: object) -> str:
    """The JSON type of a value with its article."""
    return "true or false" if isinstance(value, bool) else _NAMES[type_name(value)]


def _schema(value: Any) -> Schema:
    """``true`` and what is absent allow anything."""
    return value if isinstance(value, Mapping) else {}


def _flatten(
    schema: Schema, root: Schema, seen: tuple[int, ...]
) -> Iterator[tuple[Schema, Schema]]:
    if id(schema) in seen:
        return
    seen = (*seen, id(schema))
    if EMBEDDED in schema:
        inner = schema[EMBEDDED]
        yield from _flatten(inner, inner, seen)
    elif "$ref" in schema:
        yield from _flatten(_resolve(root, schema["$ref"]), root, seen)
    elif "allOf" in schema:
        rest = {k: v for k, v in schema.items() if k != "allOf"}
        parts = [list(_flatten(_schema(p), root, seen)) for p in schema["allOf"]]
        yield (_merge([rest, *(p[0][0] for p in parts if len(p) == 1)]), root)
    else:
        branches = schema.get("anyOf") or schema.get("oneOf")
        if not branches:
            yield (schema, root)
        for branch in branches or ():
            yield from _flatten(_schema(branch), root, seen)


def _resolve(root: Schema, ref: str) -> Schema:
    node: Any = root
    for step in ref.removeprefix("#").split("/")[1:]:
        node = node.get(step.replace("~1", "/").replace("~0", "~"), {})
    return _schema(node)


def _merge(schemas: list[Schema]) -> Schema:
    """One object schema with the fields of all."""
    out: dict[str, Any] = {}
    for schema in schemas:
        for key, value in schema.items():
            if key == "properties":
                out[key] = {**out.get(key, {}), **value}
            elif key == "required":
                out[key] = [*out.get(key, []), *value]
            else:
                out[key] = value
    return out


def _types(schema: Schema) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        listed = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if listed is not None:
            return frozenset(type_name(v) for v in listed)
        return frozenset({"object"}) if "properties" in schema else ALL_TYPES
    names = [declared] if isinstance(declared, str) else declared
    return frozenset("number" if n == "integer" else n for n in names)


def _additional(schema: Schema) -> Any:
    return schema.get("additionalProperties", "properties" not in schema)


def _field(schema: Schema, root: Schema, name: str) -> tuple[Schema, Schema] | None:
    if "object" not in _types(schema):
        return None
    if name in schema.get("properties", ()):
        return (_schema(schema["properties"][name]), root)
    additional = _additional(schema)
    return None if additional is False else (_schema(additional), root)


def _members(schema: Schema, root: Schema) -> Iterator[tuple[Schema, Schema]]:
    for value in schema.get("properties", {}).values():
        yield (_schema(value), root)
    additional = _additional(schema)
    if additional is not False:
        yield (_schema(additional), root)


ANY: Final = Shape.of({})
STRING: Final = Shape.of({"type": "string"})

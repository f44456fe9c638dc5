"""JSON Schema drafts 4, 6 and 7: consumes a schema document, produces its nodes.

The rules and error texts are those of the library in OPA, drafts 2019-09 and 2020-12
included, of which it knows nothing.  Without ``$schema`` the drafts are mixed.  A
reference leads into the document itself or to a metaschema, never anywhere else.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from adjudge.rego.builtins import gourl
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError
from adjudge.rego.builtins.schema_formats import compile_pattern
from adjudge.rego.builtins.schema_json import as_fraction, canonical, copied

ROOT: Final = "(Root)"
HYBRID: Final = 1 << 31

_TYPES: Final = ("array", "boolean", "integer", "number", "null", "object", "string")
_METASCHEMAS: Final = {
    "http://json-schema.org/draft-04/schema": 4,
    "http://json-schema.org/draft-06/schema": 6,
    "http://json-schema.org/draft-07/schema": 7,
}
_COUNTS: Final = (
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minItems", "maxItems"),
)


class Node:
    """A compiled schema.  ``verdict`` is that of ``true`` or ``false``; ``target`` is where a
    ``$ref`` leads.  Other attributes are named after their keywords, None or empty if absent."""

    def __init__(self, prop: str, parent: Node | None, draft: int | None = None) -> None:
        self.prop = prop
        self.parent = parent
        self.draft: int = HYBRID
        if draft is not None:
            self.draft = draft
        elif parent is not None:
            self.draft = parent.draft
        self.base: gourl.Url = parent.base if parent is not None else gourl.Url()
        self.verdict: bool | None = None
        self.target: Node | None = None
        self.types: list[str] = []
        self.properties: dict[str, Node] = {}
        self.additional_properties: bool | Node | None = None
        self.pattern_properties: list[tuple[Any, Node]] = []
        self.property_names: Node | None = None
        self.dependencies: dict[str, list[str] | Node] = {}
        self.items: list[Node] = []
        self.one_items_schema = False
        self.additional_items: bool | Node | None = None
        self.numbers: dict[str, Fraction] = {}
        self.counts: dict[str, int] = {}
        self.pattern: tuple[str, Any] | None = None
        self.format = ""
        self.required: list[str] = []
        self.unique_items = False
        self.contains: Node | None = None
        self.const: str | None = None
        self.enum: list[str] | None = None
        self.groups: dict[str, list[Node]] = {}
        self.single: dict[str, Node] = {}

    @property
    def expected(self) -> str:
        """The types, as an error shows them."""
        return self.types[0] if len(self.types) == 1 else f"[{','.join(self.types)}]"


def _invalid_type(expected: str, given: str) -> BuiltinError:
    return BuiltinError(f"Invalid type. Expected: {expected}, given: {given}")


def _reference(text: str) -> gourl.Url:
    try:
        return gourl.parse(text)
    except gourl.UrlError as err:
        raise BuiltinError(str(err)) from None


def _pointed(document: Any, fragment: str) -> Any:
    """The part of a document at a JSON pointer; all of it if the fragment is no pointer."""
    if not fragment.startswith("/"):
        return document
    for token in fragment[1:].split("/"):
        if isinstance(document, dict):
            key = token.replace("~1", "/").replace("~0", "~")
            if key not in document:
                raise BuiltinError(f"Object has no key '{key}'")
            document = document[key]
        elif isinstance(document, list):
            if not token.isascii() or not token.isdigit() or len(token) > 18:
                raise BuiltinError(f"Invalid array index '{token}'")
            if int(token) >= len(document):
                raise BuiltinError(f"Out of bound array[0,{len(document)}] index '{int(token)}'")
            document = document[int(token)]
        else:
            raise BuiltinError(f"Invalid token reference '{token}'")
    return document


def _declared_draft(document: Any) -> int | None:
    """The draft that ``$schema`` names; None if it names none of the known ones."""
    if isinstance(document, bool):
        return None
    if not isinstance(document, dict):
        raise BuiltinError("schema is invalid")
    if "$schema" not in document:
        return None
    if not isinstance(document["$schema"], str):
        raise BuiltinError("$schema must be of type string")
    return _METASCHEMAS.get(str(_reference(document["$schema"])))


class _Pool:
    """The documents that references can lead to, by their URL."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[Any, int | None]] = {}

    def add(self, document: Any, url: gourl.Url) -> None:
        """Register a document, and its parts that have an ``$id``; make references absolute."""
        text = str(url)
        if text in self._documents:
            raise BuiltinError(f'Reference already exists: "{text}"')
        draft = _declared_draft(document)
        self._scan(document, url, draft)
        self._documents[text] = (document, draft)

    def _scan(self, part: Any, url: gourl.Url, draft: int | None) -> None:
        if isinstance(part, list):
            for item in part:
                self._scan(item, url, draft)
        if not isinstance(part, dict):
            return
        url = self._register(part, url, draft)
        if isinstance(part.get("$ref"), str):
            try:
                part["$ref"] = str(
                    gourl.resolve(gourl.without_fragment(url), gourl.parse(part["$ref"]))
                )
            except gourl.UrlError:
                pass  # told when the reference is compiled
        for key, value in sorted(part.items()):
            if key in ("const", "enum"):
                continue
            if key in ("properties", "dependencies", "patternProperties"):
                # A property may be named like a keyword.
                if isinstance(value, dict):
                    for _, child in sorted(value.items()):
                        self._scan(child, url, draft)
            else:
                self._scan(value, url, draft)

    def _register(self, part: dict[str, Any], url: gourl.Url, draft: int | None) -> gourl.Url:
        name = part.get("id" if "id" in part else "$id")
        if not isinstance(name, str):
            return url
        try:
            url = gourl.resolve(gourl.without_fragment(url), gourl.parse(name))
        except gourl.UrlError:
            return url
        if str(url) in self._documents:
            raise BuiltinError(f'Reference already exists: "{url}"')
        self._documents[str(url)] = (part, draft)
        return url

    def find(self, url: gourl.Url) -> tuple[Any, int | None]:
        """The document or the part of one that a reference means, and its draft."""
        text = str(url)
        if text not in self._documents:
            whole = gourl.without_fragment(url)
            if str(whole) not in self._documents:
                self._add_metaschema(whole, text)
            document, draft = self._documents[str(whole)]
            self._documents[text] = (_pointed(document, url.fragment), draft)
        return self._documents[text]

    def _add_metaschema(self, url: gourl.Url, text: str) -> None:
        if not (url.scheme and url.host) and url.scheme != "file":
            raise BuiltinError(f"Reference {text} must be canonical")
        draft = _METASCHEMAS.get(str(url))
        if draft is None:
            raise BuiltinError(f"remote reference loading disabled: {text}")
        # Only schemas that refer to a metaschema pay for loading the library that has them.
        from jsonschema import validators

        classes = {
            4: validators.Draft4Validator,
            6: validators.Draft6Validator,
            7: validators.Draft7Validator,
        }
        self.add(copied(classes[draft].META_SCHEMA), url)


class Compiler:
    """Compiles one schema document."""

    def __init__(self, ctx: BuiltinContext, document: Any) -> None:
        self._ctx = ctx
        self._pool = _Pool()
        self._targets: dict[str, Node] = {}
        self._pool.add(document, gourl.Url())
        draft = _declared_draft(document)
        self.root = Node(ROOT, None, draft if draft is not None else HYBRID)
        self._compile(document, self.root)

    def _child(self, prop: str, parent: Node, document: Any) -> Node:
        child = Node(prop, parent)
        self._compile(document, child)
        return child

    def _compile(self, document: Any, node: Node) -> None:
        self._ctx.charge(1)
        if node.draft >= 6 and isinstance(document, bool):
            node.verdict = document
            return
        if not isinstance(document, dict):
            raise BuiltinError("Expected: Valid Schema, given: Invalid JSON")
        keywords = _Keywords(document)
        self._identify(keywords, node)
        definitions = document.get("definitions", {})
        if not isinstance(definitions, dict):
            raise _invalid_type("Array Of Schemas", "definitions")
        for _, definition in sorted(definitions.items()):
            if not isinstance(definition, (bool, dict)):
                raise _invalid_type("Array Of Schemas", "definitions")
            self._child("definitions", node, definition)
        keywords.text("title")
        keywords.text("description")
        if self._refer(keywords, node):
            return
        _read_types(keywords, node)
        self._read_object(keywords, node)
        self._read_items(keywords, node)
        _read_numbers(keywords, node)
        _read_counts(keywords, node, *_COUNTS[0])
        _read_texts(keywords, node)
        _read_counts(keywords, node, *_COUNTS[1])
        _read_required(keywords, node)
        _read_counts(keywords, node, *_COUNTS[2])
        _read_unique(keywords, node)
        if node.draft >= 6 and "contains" in document:
            node.contains = self._child("contains", node, document["contains"])
        _read_constants(keywords, node)
        self._read_groups(keywords, node)

    def _identify(self, keywords: _Keywords, node: Node) -> None:
        name = "$id"
        if node.draft == 4 or (node.draft == HYBRID and "id" in keywords.document):
            name = "id"
        identifier = keywords.text(name)
        if identifier is not None:
            reference = _reference(identifier)
            if node.parent is None:
                node.base = reference
            else:
                node.base = gourl.resolve(gourl.without_fragment(node.base), reference)

    def _refer(self, keywords: _Keywords, node: Node) -> bool:
        """Follow ``$ref``; whether the rest of the schema is not read because of it."""
        text = keywords.text("$ref")
        if text is None:
            return False
        url = _reference(text)
        known = self._targets.get(str(url))
        if known is not None:
            node.target = known
            return False
        target = Node("$ref", node)
        self._targets[str(url)] = target
        document, draft = self._pool.find(url)
        target.base = url
        if draft is not None:
            target.draft = draft
        if not isinstance(document, (bool, dict)):
            raise BuiltinError("Valid Schema must be of type object")
        self._compile(document, target)
        node.target = target
        return True

    def _read_object(self, keywords: _Keywords, node: Node) -> None:
        document = keywords.document
        properties = document.get("properties", {})
        if not isinstance(properties, dict):
            raise BuiltinError("Properties must be of type object")
        for name, schema in sorted(properties.items()):
            node.properties[name] = self._child(name, node, schema)
        node.additional_properties = self._extra(keywords, node, "additionalProperties")
        patterns = document.get("patternProperties", {})
        if not isinstance(patterns, dict):
            raise _invalid_type("Valid Schema", "patternProperties")
        for pattern, schema in sorted(patterns.items()):
            compiled = compile_pattern(pattern)
            if compiled is None:
                raise BuiltinError(f"Invalid regex pattern '{pattern}'")
            node.pattern_properties.append((compiled, self._child(pattern, node, schema)))
        if "propertyNames" in document and node.draft >= 6:
            if not isinstance(document["propertyNames"], (bool, dict)):
                raise _invalid_type("Valid Schema", "patternProperties")
            node.property_names = self._child("propertyNames", node, document["propertyNames"])
        self._read_dependencies(document.get("dependencies", {}), node)

    def _extra(self, keywords: _Keywords, node: Node, name: str) -> bool | Node | None:
        value = keywords.document.get(name)
        if name not in keywords.document or isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            raise _invalid_type("boolean/Valid Schema", name)
        return self._child(name, node, value)

    def _read_dependencies(self, dependencies: Any, node: Node) -> None:
        if not isinstance(dependencies, dict):
            raise BuiltinError("dependencies must be of type object")
        for name, dependency in sorted(dependencies.items()):
            if isinstance(dependency, (bool, dict)):
                node.dependencies[name] = self._child(name, node, dependency)
            elif isinstance(dependency, list) and all(isinstance(d, str) for d in dependency):
                if dependency:
                    node.dependencies[name] = dependency
            else:
                raise BuiltinError("Dependency must be of type Schema Or Array Of Strings")

    def _read_items(self, keywords: _Keywords, node: Node) -> None:
        items = keywords.document.get("items", [])
        node.one_items_schema = not isinstance(items, list)
        for item in items if isinstance(items, list) else [items]:
            if not isinstance(item, (bool, dict)):
                raise _invalid_type("Valid Schema/Array Of Schemas", "items")
            node.items.append(self._child("items", node, item))
        node.additional_items = self._extra(keywords, node, "additionalItems")

    def _read_groups(self, keywords: _Keywords, node: Node) -> None:
        for name in ("oneOf", "anyOf", "allOf"):
            schemas = keywords.array(name) or []
            node.groups[name] = [self._child(name, node, schema) for schema in schemas]
        for name in ("not", "if", "then", "else"):
            if name not in keywords.document or (name != "not" and node.draft < 7):
                continue
            schema = keywords.document[name]
            if not isinstance(schema, (bool, dict)):
                raise BuiltinError(f"{name} must be of an object")
            node.single[name] = self._child(name, node, schema)


class _Keywords:
    """Reads keywords of a kind, and words the error if one is of another kind."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def text(self, name: str) -> str | None:
        value = self.document.get(name)
        if name in self.document and not isinstance(value, str):
            raise _invalid_type("string", name)
        return value

    def array(self, name: str) -> list[Any] | None:
        value = self.document.get(name)
        if name in self.document and not isinstance(value, list):
            raise BuiltinError(f"{name} must be of an array")
        return value

    def count(self, name: str) -> int | None:
        if name not in self.document:
            return None
        value = self.document[name]
        if value.__class__ is not int or not -(1 << 63) <= value < 1 << 63:
            raise BuiltinError(f"{name} must be of an integer")
        if value < 0:
            raise BuiltinError(f"{name} must be greater than or equal to 0")
        return int(value)


def _read_types(keywords: _Keywords, node: Node) -> None:
    if "type" not in keywords.document:
        return
    declared = keywords.document["type"]
    for name in declared if isinstance(declared, list) else [declared]:
        if not isinstance(name, str):
            raise _invalid_type("type", "string/Array Of Strings")
        if name not in _TYPES:
            raise BuiltinError(
                f"has a primitive type that is NOT VALID -- given: /{name}/ "
                "Expected valid values are:[array boolean integer number null object string]"
            )
        if name in node.types:
            raise BuiltinError(f"{name} type is duplicated")
        node.types.append(name)


def _read_numbers(keywords: _Keywords, node: Node) -> None:
    document = keywords.document
    if "multipleOf" in document:
        factor = as_fraction(document["multipleOf"])
        if factor is None:
            raise _invalid_type("Number", "multipleOf")
        if factor <= 0:
            raise BuiltinError("multipleOf must be strictly greater than 0")
        node.numbers["multipleOf"] = factor
    for limit, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if limit in document:
            number = as_fraction(document[limit])
            if number is None:
                raise BuiltinError(f"{limit} must be of a Number")
            node.numbers[limit] = number
        if exclusive in document:
            _read_exclusive(document[exclusive], node, limit, exclusive)


def _read_exclusive(value: Any, node: Node, limit: str, exclusive: str) -> None:
    """A number of its own, or in draft 4 whether the limit itself is excluded."""
    number = as_fraction(value)
    if isinstance(value, bool) and node.draft in (4, HYBRID):
        if limit not in node.numbers:
            raise BuiltinError(f"{exclusive} cannot be used without {limit}")
        if value:
            node.numbers[exclusive] = node.numbers.pop(limit)
    elif number is not None and node.draft != 4:
        node.numbers[exclusive] = number
    else:
        wanted = {4: "boolean", HYBRID: "boolean/number"}
        raise _invalid_type(wanted.get(node.draft, "number"), exclusive)


def _read_counts(keywords: _Keywords, node: Node, low: str, high: str) -> None:
    for name in (low, high):
        count = keywords.count(name)
        if count is not None:
            node.counts[name] = count
    # Nothing is said of minItems and maxItems.
    if low != "minItems" and node.counts.get(low, 0) > node.counts.get(high, 1 << 63):
        raise BuiltinError(f"{low} cannot be greater than {high}")


def _read_texts(keywords: _Keywords, node: Node) -> None:
    pattern = keywords.text("pattern")
    if pattern is not None:
        compiled = compile_pattern(pattern)
        if compiled is None:
            raise BuiltinError("pattern must be a valid regex")
        node.pattern = (pattern, compiled)
    node.format = keywords.text("format") or ""


def _read_required(keywords: _Keywords, node: Node) -> None:
    for name in keywords.array("required") or []:
        if not isinstance(name, str):
            raise _invalid_type("string", "required")
        if name in node.required:
            raise BuiltinError("required items must be unique")
        node.required.append(name)


def _read_unique(keywords: _Keywords, node: Node) -> None:
    unique = keywords.document.get("uniqueItems", False)
    if not isinstance(unique, bool):
        raise BuiltinError("uniqueItems must be of a boolean")
    node.unique_items = unique


def _read_constants(keywords: _Keywords, node: Node) -> None:
    if "const" in keywords.document and node.draft >= 6:
        node.const = canonical(keywords.document["const"])
    values = keywords.array("enum")
    if values is not None:
        node.enum = []
        for text in map(canonical, values):
            if text in node.enum:
                raise BuiltinError("enum items must be unique")
            node.enum.append(text)

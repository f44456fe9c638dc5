"""GraphQL documents: consumes what the parser found, or a tree given as a Rego object; produces
typed nodes, and the Rego objects that ``graphql.parse*`` answer with.

The attributes of a node are named as the keys of its object are, in lower case
(``selection_set`` is ``SelectionSet``).  What a walk notes on a node for the rules is
declared with :func:`note` and is not part of its object.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints_of

from adjudge.rego.runtime.values import RegoSet, type_name
from adjudge.rego.runtime.values import Value as RegoValue

N = TypeVar("N", bound="Node")


class Position(NamedTuple):
    """Where something stands in a source; both counts are from 1, in characters."""

    line: int
    column: int
    file: str = "input"


class GraphqlError(Exception):
    """A document is not GraphQL, or breaks a rule of it.  As text: ``input:1:5: message``."""

    def __init__(self, message: str, position: Position | None = None) -> None:
        place = f"{position.file}:{position.line}:{position.column}" if position else "input"
        super().__init__(f"{place}: {message}")
        self.message = message


def note() -> Any:
    """A field that is not part of the node's object."""
    return field(default=None, metadata={"note": True})


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """A part of a document; the same only as itself."""

    position: Position | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class Comment(Node):
    """One line, with its ``#``."""

    value: str = ""


@dataclass(slots=True, eq=False, kw_only=True)
class Comments(Node):
    """The comments before a token."""

    lines: list[Comment] = field(default_factory=list, metadata={"key": "List"})


# -- values and types -----------------------------------------------------------------

VARIABLE: Final = 0
INT: Final = 1
FLOAT: Final = 2
STRING: Final = 3
BLOCK: Final = 4
BOOLEAN: Final = 5
NULL: Final = 6
ENUM: Final = 7
LIST: Final = 8
OBJECT: Final = 9


@dataclass(slots=True, eq=False, kw_only=True)
class Type(Node):
    """``Name``, ``[Elem]``, each with or without ``!``."""

    named_type: str = ""
    elem: Type | None = None
    non_null: bool = False

    @property
    def name(self) -> str:
        """The innermost name."""
        inner = self
        while inner.elem is not None and not inner.named_type:
            inner = inner.elem
        return inner.named_type

    def __str__(self) -> str:
        bare = self.named_type or f"[{self.elem}]"
        return f"{bare}!" if self.non_null else bare

    def fits(self, wanted: Type) -> bool:
        """Whether what is of this type may stand where ``wanted`` is expected."""
        if self.named_type != wanted.named_type:
            return False
        if self.elem is not None and (wanted.elem is None or not self.elem.fits(wanted.elem)):
            return False
        return self.non_null or not wanted.non_null


@dataclass(slots=True, eq=False, kw_only=True)
class Value(Node):
    """A literal or a variable; ``raw`` is its text, ``kind`` one of the constants above."""

    raw: str = ""
    children: list[ChildValue] = field(default_factory=list)
    kind: int = VARIABLE
    comment: Comments | None = None
    expected_type_has_default: bool = False
    definition: Definition | None = note()
    variable: VariableDefinition | None = note()
    expected: Type | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class ChildValue(Node):
    """An element of a list (without a name) or a field of an input object."""

    name: str = ""
    value: Value
    comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Argument(Node):
    """``name: value``."""

    name: str = ""
    value: Value
    comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Directive(Node):
    """``@name(arguments)``; the walk fills in its location."""

    name: str = ""
    arguments: list[Argument] = field(default_factory=list)
    location: str = ""
    definition: DirectiveDefinition | None = note()


# -- queries --------------------------------------------------------------------------


@dataclass(slots=True, eq=False, kw_only=True)
class Field(Node):
    """A selected field; without an alias the alias is its name."""

    alias: str = ""
    name: str = ""
    arguments: list[Argument] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    selection_set: list[Selection] = field(default_factory=list)
    comment: Comments | None = None
    definition: FieldDefinition | None = note()
    parent: Definition | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class FragmentSpread(Node):
    """``...Name``."""

    name: str = ""
    directives: list[Directive] = field(default_factory=list)
    comment: Comments | None = None
    definition: FragmentDefinition | None = note()
    parent: Definition | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class InlineFragment(Node):
    """``... on Type { }``, the type possibly empty."""

    type_condition: str = ""
    directives: list[Directive] = field(default_factory=list)
    selection_set: list[Selection] = field(default_factory=list)
    comment: Comments | None = None
    parent: Definition | None = note()


Selection: TypeAlias = Field | FragmentSpread | InlineFragment


@dataclass(slots=True, eq=False, kw_only=True)
class VariableDefinition(Node):
    """``$variable: Type = default``."""

    variable: str = ""
    type: Type
    default_value: Value | None = None
    directives: list[Directive] = field(default_factory=list)
    comment: Comments | None = None
    used: bool = False
    definition: Definition | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class OperationDefinition(Node):
    """A query, mutation or subscription."""

    operation: str = ""
    name: str = ""
    variable_definitions: list[VariableDefinition] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    selection_set: list[Selection] = field(default_factory=list)
    comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class FragmentDefinition(Node):
    """``fragment name on Type { }``."""

    name: str = ""
    variable_definition: list[VariableDefinition] = field(default_factory=list)
    type_condition: str = ""
    directives: list[Directive] = field(default_factory=list)
    selection_set: list[Selection] = field(default_factory=list)
    comment: Comments | None = None
    definition: Definition | None = note()


@dataclass(slots=True, eq=False, kw_only=True)
class QueryDocument(Node):
    """The operations of a source, and its fragments."""

    operations: list[OperationDefinition] = field(default_factory=list)
    fragments: list[FragmentDefinition] = field(default_factory=list)
    comment: Comments | None = None


# -- schemas --------------------------------------------------------------------------


@dataclass(slots=True, eq=False, kw_only=True)
class Described(Node):
    """What may have a description, with comments around it."""

    description: str = ""
    before_description_comment: Comments | None = None
    after_description_comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class ArgumentDefinition(Described):
    """An argument of a field or a directive."""

    name: str = ""
    default_value: Value | None = None
    type: Type
    directives: list[Directive] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class FieldDefinition(Described):
    """A field of an object, an interface or an input object."""

    name: str = ""
    arguments: list[ArgumentDefinition] = field(default_factory=list)
    default_value: Value | None = None
    type: Type
    directives: list[Directive] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class EnumValueDefinition(Described):
    """A value of an enum."""

    name: str = ""
    directives: list[Directive] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Definition(Described):
    """A type: ``kind`` is SCALAR, OBJECT, INTERFACE, UNION, ENUM or INPUT_OBJECT.

    ``type_positions`` says where the members of a union stand.
    """

    kind: str = ""
    name: str = ""
    directives: list[Directive] = field(default_factory=list)
    interfaces: list[str] = field(default_factory=list)
    fields: list[FieldDefinition] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    enum_values: list[EnumValueDefinition] = field(default_factory=list)
    built_in: bool = False
    end_of_definition_comment: Comments | None = None
    type_positions: list[Position] = field(default_factory=list, metadata={"note": True})

    @property
    def is_leaf(self) -> bool:
        """Whether nothing can be selected of it."""
        return self.kind in ("ENUM", "SCALAR")

    @property
    def is_abstract(self) -> bool:
        """Whether objects are of it only by being of another type."""
        return self.kind in ("INTERFACE", "UNION")

    @property
    def is_composite(self) -> bool:
        """Whether fragments may be on it."""
        return self.kind in ("OBJECT", "INTERFACE", "UNION")

    @property
    def is_input(self) -> bool:
        """Whether arguments and variables may be of it."""
        return self.kind in ("SCALAR", "ENUM", "INPUT_OBJECT")


@dataclass(slots=True, eq=False, kw_only=True)
class DirectiveDefinition(Described):
    """``directive @name(arguments) on LOCATIONS``."""

    name: str = ""
    arguments: list[ArgumentDefinition] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    is_repeatable: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class OperationTypeDefinition(Node):
    """``query: Type`` in a schema."""

    operation: str = ""
    type: str = ""
    comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class SchemaDefinition(Described):
    """``schema { }``, or an extension of it."""

    directives: list[Directive] = field(default_factory=list)
    operation_types: list[OperationTypeDefinition] = field(default_factory=list)
    end_of_definition_comment: Comments | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class SchemaDocument(Node):
    """The definitions of a source."""

    schema: list[SchemaDefinition] = field(default_factory=list)
    schema_extension: list[SchemaDefinition] = field(default_factory=list)
    directives: list[DirectiveDefinition] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    extensions: list[Definition] = field(default_factory=list)
    comment: Comments | None = None


Named = TypeVar(
    "Named",
    Argument,
    ArgumentDefinition,
    ChildValue,
    Directive,
    EnumValueDefinition,
    FieldDefinition,
    FragmentDefinition,
)


def named(nodes: list[Named], name: str) -> Named | None:
    """The first of the nodes with that name."""
    return next((node for node in nodes if node.name == name), None)


# -- objects --------------------------------------------------------------------------

# gqlparser reads these with hand-written code that knows nothing of comments.
_WITHOUT_COMMENT: Final = (Field, FragmentDefinition, InlineFragment, OperationDefinition)


_KEYS: Final[dict[str, list[tuple[str, str, Any]]]] = {}


def _keys(kind: type[Node]) -> list[tuple[str, str, Any]]:
    """Attribute, key in the object and type of each part of the objects of a class."""
    found = _KEYS.get(kind.__name__)
    if found is None:
        found = _KEYS[kind.__name__] = _parts(kind)
    return found


def _parts(kind: type[Node]) -> list[tuple[str, str, Any]]:
    hints = hints_of(kind)
    return [
        (part.name, part.metadata.get("key") or _camel(part.name), hints[part.name])
        for part in fields(kind)
        if not part.metadata.get("note")
    ]


def _camel(name: str) -> str:
    return "".join(map(str.capitalize, name.split("_")))


def to_object(node: Node) -> dict[Any, RegoValue]:
    """The node as a Rego object, without what is null or an empty list."""
    found: dict[Any, RegoValue] = {}
    for attribute, key, _ in _keys(type(node)):
        value = getattr(node, attribute)
        if isinstance(value, Node):
            found[key] = to_object(value)
        elif isinstance(value, list):
            if value:
                found[key] = [to_object(v) if isinstance(v, Node) else v for v in value]
        elif value is not None:
            found[key] = value
    return found


class Reader:
    """Reads nodes from Rego objects; ``charge`` accounts for each."""

    def __init__(self, charge: Callable[[int], None]) -> None:
        self._charge = charge

    def read(self, kind: type[N], value: RegoValue) -> N:
        """The node; a key that is missing has its default, unknown ones are passed over.

        Raises :class:`GraphqlError` where a part is of a wrong type, or one is missing
        that has no default.
        """
        self._charge(1)
        if not isinstance(value, dict):
            raise GraphqlError(f"cannot read {type_name(value)} as {kind.__name__}")
        found: dict[str, Any] = {}
        for attribute, key, wanted in _keys(kind):
            given = value.get(key)
            if given is None or (attribute == "comment" and kind in _WITHOUT_COMMENT):
                continue
            found[attribute] = self._part(wanted, given, f"{kind.__name__}.{key}")
        try:
            node = kind(**found)
        except TypeError:
            raise GraphqlError(f"a part of {kind.__name__} is missing") from None
        if isinstance(node, Type) and not node.name:
            raise GraphqlError("a type has no name")
        return node

    def _part(self, wanted: Any, value: RegoValue, where: str) -> Any:
        if get_origin(wanted) is list:
            (item,) = get_args(wanted)
            return self._items(item, value, where)
        if get_origin(wanted) in (Union, types.UnionType):
            wanted = get_args(wanted)[0]
        if issubclass(wanted, Node):
            return self.read(wanted, value)
        if value.__class__ is not wanted or (where == "Value.Kind" and not 0 <= value <= OBJECT):
            raise GraphqlError(f"cannot read {type_name(value)} as {where}")
        return value

    def _items(self, item: Any, value: RegoValue, where: str) -> list[Any]:
        values = value.ordered() if isinstance(value, RegoSet) else value
        if not isinstance(values, list):
            raise GraphqlError(f"cannot read {type_name(value)} as {where}")
        if item == Selection:
            return [node for v in values if (node := self._selection(v)) is not None]
        return [self._part(item, v, where) for v in values]

    def _selection(self, value: RegoValue) -> Selection | None:
        """A selection: whatever can be read as a field is one, a fragment's name as well."""
        if value is None:
            return Field()
        kinds: tuple[type[Selection], ...] = (Field, FragmentSpread, InlineFragment)
        for kind in kinds:
            try:
                return self.read(kind, value)
            except GraphqlError:
                continue
        return None

"""GraphQL schemas put together: consumes a :class:`SchemaDocument`; produces a :class:`Schema` with
the types every schema has, or raises :class:`GraphqlError` for the first rule it breaks.

The rules are those of the GraphQL specification, section 3, as far as gqlparser checks them, in
its order and with its messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from adjudge.rego.builtins.graphql_prelude import prelude
from adjudge.rego.builtins.graphql_tree import (
    NULL,
    ArgumentDefinition,
    Definition,
    Directive,
    DirectiveDefinition,
    EnumValueDefinition,
    FieldDefinition,
    GraphqlError,
    Position,
    SchemaDocument,
    Type,
    named,
)
from adjudge.rego.runtime.text import go_quote

_REDECLARABLE: Final = frozenset({"include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"})
_OUTPUT_KINDS: Final = ("SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM")
_INPUT_KINDS: Final = ("SCALAR", "ENUM", "INPUT_OBJECT")


def _error(message: str, position: Position | None) -> GraphqlError:
    """An error in a schema; what was not parsed from a text is at -1:-1."""
    return GraphqlError(message, position or Position(-1, -1))


class Schema:
    """A valid schema.  ``possible`` has the types an interface or a union may be, by name."""

    def __init__(self, document: SchemaDocument) -> None:
        self.types: dict[str, Definition] = {}
        self.directives: dict[str, DirectiveDefinition] = {}
        self.roots: dict[str, Definition] = {}
        self.possible: dict[str, dict[str, Definition]] = {}
        self._fields: dict[Definition, dict[str, FieldDefinition]] = {}
        self._arguments: dict[
            FieldDefinition | DirectiveDefinition, dict[str, ArgumentDefinition]
        ] = {}
        self._add_types(document)
        self._add_directives(document)
        self._add_roots(document)
        for name in sorted(self.types):
            self._check_definition(self.types[name])
        self._check_input_cycles()
        for name in sorted(self.directives):
            directive = self.directives[name]
            _check_name(directive.name, directive.position)
            self._check_arguments(directive.arguments, directive)
        self._finish(document)

    def field(self, definition: Definition, name: str) -> FieldDefinition | None:
        """The field of that name."""
        found = self._fields.get(definition)
        if found is None:
            found = self._fields[definition] = _index(definition.fields)
        return found.get(name)

    def argument(
        self, definition: FieldDefinition | DirectiveDefinition, name: str
    ) -> ArgumentDefinition | None:
        """The argument of that name."""
        found = self._arguments.get(definition)
        if found is None:
            found = self._arguments[definition] = _index(definition.arguments)
        return found.get(name)

    # -- putting together ---------------------------------------------------------------

    def _add_types(self, document: SchemaDocument) -> None:
        for given in prelude().definitions + document.definitions:
            if given.name in self.types:
                raise _error(f"Cannot redeclare type {given.name}.", given.position)
            # A copy: what extensions add is not part of the document.
            self.types[given.name] = replace(
                given,
                directives=list(given.directives),
                interfaces=list(given.interfaces),
                fields=list(given.fields),
                types=list(given.types),
                type_positions=list(given.type_positions),
                enum_values=list(given.enum_values),
            )
        for extension in document.extensions:
            self._extend(extension)
        for definition in self.types.values():
            if definition.kind == "UNION":
                for name in definition.types:
                    if member := self.types.get(name):
                        self._add_possible(definition.name, member)
            elif definition.kind in ("OBJECT", "INPUT_OBJECT", "INTERFACE"):
                for name in definition.interfaces:
                    self._add_possible(name, definition)
                if definition.kind != "INTERFACE":
                    self._add_possible(definition.name, definition)

    def _add_possible(self, name: str, definition: Definition) -> None:
        self.possible.setdefault(name, {})[definition.name] = definition

    def _extend(self, extension: Definition) -> None:
        definition = self.types.setdefault(
            extension.name,
            Definition(kind=extension.kind, name=extension.name, position=extension.position),
        )
        if definition.kind != extension.kind:
            raise _error(
                f"Cannot extend type {extension.name} because the base type is a "
                f"{definition.kind}, not {extension.kind}.",
                extension.position,
            )
        definition.directives += extension.directives
        definition.interfaces += extension.interfaces
        definition.fields += extension.fields
        definition.types += extension.types
        definition.type_positions += extension.type_positions
        definition.enum_values += extension.enum_values

    def _add_directives(self, document: SchemaDocument) -> None:
        for directive in prelude().directives + document.directives:
            if directive.name in self.directives and directive.name not in _REDECLARABLE:
                raise _error(f"Cannot redeclare directive {directive.name}.", directive.position)
            self.directives[directive.name] = directive

    def _add_roots(self, document: SchemaDocument) -> None:
        if len(document.schema) > 1:
            raise _error(
                "Cannot have multiple schema entry points, consider schema extensions instead.",
                document.schema[1].position,
            )
        for part in document.schema + document.schema_extension:
            for entry in part.operation_types:
                if entry.type not in self.types:
                    raise _error(
                        f"Schema root {entry.operation} refers to a type {entry.type} that "
                        "does not exist.",
                        entry.position,
                    )
                self.roots[entry.operation] = self.types[entry.type]
            self._check_directives(part.directives, "SCHEMA")

    def _finish(self, document: SchemaDocument) -> None:
        if not document.schema:
            for operation in ("query", "mutation", "subscription"):
                if definition := self.types.get(operation.capitalize()):
                    self.roots.setdefault(operation, definition)
        if query := self.roots.get("query"):
            name = ArgumentDefinition(name="name", type=Type(named_type="String", non_null=True))
            schema = Type(named_type="__Schema", non_null=True)
            query.fields += [
                FieldDefinition(name="__schema", type=schema),
                FieldDefinition(name="__type", type=Type(named_type="__Type"), arguments=[name]),
            ]
        # Fields were looked up before these came to them.
        self._fields.clear()

    # -- rules --------------------------------------------------------------------------

    def _check_definition(self, definition: Definition) -> None:
        for field in definition.fields:
            _check_name(field.name, field.position)
            self._check_type(field.type)
            self._check_arguments(field.arguments, None)
            wanted = "FIELD_DEFINITION"
            if definition.kind == "INPUT_OBJECT":
                wanted = "INPUT_FIELD_DEFINITION"
            self._check_directives(field.directives, wanted)
        for name in definition.types:
            member = self._type_named(name, definition)
            if member.kind != "OBJECT":
                raise _error(
                    f"{definition.kind} type {go_quote(name)} must be OBJECT.", definition.position
                )
        for name in definition.interfaces:
            self._check_implements(definition, name)
        if definition.kind in ("OBJECT", "INTERFACE"):
            self._check_object(definition)
        elif definition.kind == "ENUM":
            self._check_enum(definition)
        elif definition.kind == "INPUT_OBJECT":
            self._check_input_object(definition)
        _check_unique(definition, definition.fields, "Field")
        _check_unique(definition, definition.enum_values, "Enum value")
        _check_members(definition)
        if not definition.built_in:
            _check_name(definition.name, definition.position)
        self._check_directives(definition.directives, definition.kind, once=False)

    def _type_named(self, name: str, user: Definition) -> Definition:
        found = self.types.get(name)
        if found is None:
            raise _error(f"Undefined type {go_quote(name)}.", user.position)
        return found

    def _check_type(self, given: Type) -> None:
        if given.name not in self.types:
            raise _error(f"Undefined type {given.name}.", given.position)

    def _check_object(self, definition: Definition) -> None:
        shown = f"{definition.kind} {definition.name}"
        if not definition.fields:
            raise _error(f"{shown}: must define one or more fields.", definition.position)
        for field in definition.fields:
            if self.types[field.type.name].kind not in _OUTPUT_KINDS:
                wanted = ", ".join(_OUTPUT_KINDS)
                raise _error(f"{shown}: field must be one of {wanted}.", field.position)

    def _check_enum(self, definition: Definition) -> None:
        shown = f"{definition.kind} {definition.name}"
        if not definition.enum_values:
            raise _error(
                f"{shown}: must define one or more unique enum values.", definition.position
            )
        for value in definition.enum_values:
            if value.name in ("true", "false", "null"):
                raise _error(f"{shown}: non-enum value {value.name}.", definition.position)
            self._check_directives(value.directives, "ENUM_VALUE")

    def _check_input_object(self, definition: Definition) -> None:
        if not definition.fields:
            raise _error(
                f"{definition.kind} {definition.name}: must define one or more input fields.",
                definition.position,
            )
        for field in definition.fields:
            kind = self.types[field.type.name].kind
            if kind not in _INPUT_KINDS:
                wanted = ", ".join(_INPUT_KINDS)
                raise _error(f"{kind} {field.name}: field must be one of {wanted}.", field.position)

    def _check_arguments(
        self, arguments: Iterable[ArgumentDefinition], directive: DirectiveDefinition | None
    ) -> None:
        for argument in arguments:
            _check_name(argument.name, argument.position)
            self._check_type(argument.type)
            definition = self.types[argument.type.name]
            if not definition.is_input:
                raise _error(
                    f"cannot use {argument.type} as argument {argument.name} because "
                    f"{definition.kind} is not a valid input type",
                    argument.position,
                )
            self._check_directives(argument.directives, "ARGUMENT_DEFINITION", inside=directive)

    def _check_directives(
        self,
        directives: Iterable[Directive],
        location: str,
        *,
        inside: DirectiveDefinition | None = None,
        once: bool = True,
    ) -> None:
        """Check the directives used at a place; ``inside`` is the one being defined there."""
        seen = set()
        for directive in directives:
            name, position = directive.name, directive.position
            _check_name(name, position)
            if inside is not None and name == inside.name:
                raise _error(f"Directive {name} cannot refer to itself.", position)
            definition = self.directives.get(name)
            if definition is None:
                raise _error(f"Undefined directive {name}.", position)
            if once and name in seen and not definition.is_repeatable:
                raise _error(
                    f"The directive {name} can only be used once at this location.", position
                )
            seen.add(name)
            if location not in definition.locations:
                raise _error(f"Directive {name} is not applicable on {location}.", position)
            self._check_directive_arguments(directive, definition)

    def _check_directive_arguments(
        self, directive: Directive, definition: DirectiveDefinition
    ) -> None:
        for argument in directive.arguments:
            if self.argument(definition, argument.name) is None:
                raise _error(
                    f"Undefined argument {argument.name} for directive {directive.name}.",
                    argument.position,
                )
        for wanted in definition.arguments:
            if wanted.type.non_null and wanted.default_value is None:
                given = named(directive.arguments, wanted.name)
                if given is None or given.value.kind == NULL:
                    raise _error(
                        f"Argument {wanted.name} for directive {directive.name} cannot be null.",
                        directive.position,
                    )

    def _check_implements(self, definition: Definition, name: str) -> None:
        interface = self._type_named(name, definition)
        if interface.kind != "INTERFACE":
            raise _error(
                f"{go_quote(name)} is a non interface type {interface.kind}.", definition.position
            )
        start = f"For {definition.name} to implement {interface.name}"
        for wanted in interface.fields:
            found = self.field(definition, wanted.name)
            if found is None:
                raise _error(
                    f"{start} it must have a field called {wanted.name}.", definition.position
                )
            if not self._is_covariant(wanted.type, found.type):
                raise _error(
                    f"{start} the field {wanted.name} must have type {wanted.type}.",
                    found.position,
                )
            self._check_same_arguments(wanted, found, start)
        for ancestor in interface.interfaces:
            if ancestor in definition.interfaces:
                continue
            if ancestor == definition.name:
                raise _error(
                    f"Type {definition.name} cannot implement {name} because it would create a "
                    "circular reference.",
                    definition.position,
                )
            raise _error(
                f"Type {definition.name} must implement {ancestor} because it is implemented "
                f"by {name}.",
                definition.position,
            )

    def _check_same_arguments(
        self, wanted: FieldDefinition, found: FieldDefinition, start: str
    ) -> None:
        for argument in wanted.arguments:
            given = self.argument(found, argument.name)
            same = f"{start} the field {wanted.name} must have the same arguments but"
            if given is None:
                raise _error(f"{same} it is missing {argument.name}.", found.position)
            if not argument.type.fits(given.type):
                raise _error(f"{same} {argument.name} has the wrong type.", given.position)
        for given in found.arguments:
            required = given.type.non_null and given.default_value is None
            if required and self.argument(wanted, given.name) is None:
                raise _error(
                    f"{start} any additional arguments on {found.name} must be optional or have "
                    f"a default value but {given.name} is required.",
                    given.position,
                )

    def _is_covariant(self, wanted: Type, given: Type) -> bool:
        if wanted.non_null and not given.non_null:
            return False
        if wanted.named_type:
            return wanted.named_type == given.named_type or (
                given.named_type in self.possible.get(wanted.named_type, ())
            )
        if wanted.elem is None or given.elem is None:
            return False
        return self._is_covariant(wanted.elem, given.elem)

    def _check_input_cycles(self) -> None:
        visited: set[str] = set()
        for name in sorted(self.types):
            if self.types[name].kind == "INPUT_OBJECT":
                self._follow_input(self.types[name], [], {}, visited)

    def _follow_input(
        self,
        definition: Definition,
        path: list[FieldDefinition],
        starts: dict[str, int],
        visited: set[str],
    ) -> None:
        """Follow the fields that must not be null; ``starts`` is where in the path types are."""
        if definition.name in visited:
            return
        visited.add(definition.name)
        starts[definition.name] = len(path)
        for field in definition.fields:
            inner = self.types[field.type.name]
            if not field.type.non_null or field.type.elem or inner.kind != "INPUT_OBJECT":
                continue
            path.append(field)
            if inner.name in starts:
                cycle = path[starts[inner.name] :]
                names = ".".join(part.name for part in cycle)
                raise _error(
                    f"Cannot reference Input Object {go_quote(inner.name)} within itself through "
                    f"a series of non-null fields: {go_quote(names)}.",
                    cycle[0].position,
                )
            self._follow_input(inner, path, starts, visited)
            path.pop()
        del starts[definition.name]


def _check_name(name: str, position: Position | None) -> None:
    if name.startswith("__"):
        raise _error(
            f'Name "{name}" must not begin with "__", which is reserved by GraphQL introspection.',
            position,
        )


def _check_unique(
    definition: Definition,
    parts: Sequence[FieldDefinition] | Sequence[EnumValueDefinition],
    what: str,
) -> None:
    positions: dict[str, list[Position | None]] = {}
    for part in parts:
        positions.setdefault(part.name, []).append(part.position)
    for name, found in positions.items():
        if len(found) > 1:
            raise _error(f"{what} {definition.name}.{name} can only be defined once.", found[1])


def _check_members(definition: Definition) -> None:
    known = len(definition.type_positions) == len(definition.types)
    places: dict[str, list[int]] = {}
    for index, name in enumerate(definition.types):
        places.setdefault(name, []).append(index)
    for name, found in places.items():
        if len(found) > 1:
            position = definition.type_positions[found[1]] if known else definition.position
            raise _error(
                f"Union type {definition.name} can only include type {name} once.", position
            )


def _index(nodes: Sequence[Any]) -> dict[str, Any]:
    """The nodes by their names, the first of each."""
    return {node.name: node for node in reversed(nodes)}

"""A walk over a GraphQL query: consumes a schema and a query document; produces the errors that a
subclass adds as it is told of each part.

Before a part is told of, what the schema says of it is noted on it: a field's definition, the
type a value is expected to have, the definition of a variable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adjudge.rego.builtins.graphql_schema import Schema
from adjudge.rego.builtins.graphql_tree import (
    LIST,
    NULL,
    OBJECT,
    VARIABLE,
    Argument,
    ArgumentDefinition,
    Definition,
    Directive,
    DirectiveDefinition,
    Field,
    FieldDefinition,
    FragmentDefinition,
    FragmentSpread,
    GraphqlError,
    InlineFragment,
    Node,
    OperationDefinition,
    QueryDocument,
    Selection,
    Type,
    Value,
    VariableDefinition,
)

_TYPENAME = FieldDefinition(name="__typename", type=Type(named_type="String"))


class Walk:
    """Walks operations, following spreads into fragments, then the fragments themselves.

    ``operation`` is the one being walked, None within the fragments' own turn.  ``charge``
    accounts for each part visited.
    """

    def __init__(
        self, schema: Schema, document: QueryDocument, charge: Callable[[int], None]
    ) -> None:
        self.schema = schema
        self.document = document
        self.charge = charge
        self.operation: OperationDefinition | None = None
        self.fragments = {part.name: part for part in reversed(document.fragments)}
        self.errors: list[GraphqlError] = []
        self._variables: dict[str, VariableDefinition] = {}
        self._followed: set[str] = set()

    def add_error(self, message: str, node: Node) -> None:
        """Add an error at the place of a part."""
        self.errors.append(GraphqlError(message, node.position))

    # -- what a subclass is told of -----------------------------------------------------

    def on_operation(self, operation: OperationDefinition) -> None:
        """An operation, after all that is in it."""

    def on_field(self, field: Field) -> None:
        """A field, after all that is selected of it."""

    def on_fragment(self, fragment: FragmentDefinition) -> None:
        """The definition of a fragment, in its own turn."""

    def on_inline_fragment(self, fragment: InlineFragment) -> None:
        """An inline fragment, after its selections."""

    def on_spread(self, spread: FragmentSpread) -> None:
        """A spread, after the fragment it is of."""

    def on_directive(self, directive: Directive) -> None:
        """A directive, after its arguments."""

    def on_directives(self, directives: Sequence[Directive]) -> None:
        """All directives of a place, none perhaps."""

    def on_value(self, value: Value) -> None:
        """A value, after those inside it."""

    def on_variable(self, variable: VariableDefinition) -> None:
        """The definition of a variable, before its default."""

    # -- the walk -----------------------------------------------------------------------

    def run(self) -> None:
        """Walk the document."""
        for operation in self.document.operations:
            self._followed = set()
            self._operation(operation)
        self.operation = None
        for fragment in self.document.fragments:
            self._followed = set()
            fragment.definition = self.schema.types.get(fragment.type_condition)
            self._directives(fragment.directives, "FRAGMENT_DEFINITION")
            self._selections(fragment.definition, fragment.selection_set)
            self.on_fragment(fragment)

    def _operation(self, operation: OperationDefinition) -> None:
        self.operation = operation
        definitions = operation.variable_definitions
        self._variables = {part.variable: part for part in reversed(definitions)}
        for variable in definitions:
            variable.definition = self.schema.types.get(variable.type.name)
            self.on_variable(variable)
            if variable.default_value is not None:
                variable.default_value.expected = variable.type
                variable.default_value.definition = variable.definition
        for variable in definitions:
            if variable.default_value is not None:
                self._value(variable.default_value)
            self._directives(variable.directives, "VARIABLE_DEFINITION")
        kind = operation.operation or "query"
        self._directives(operation.directives, kind.upper())
        self._selections(self.schema.roots.get(kind), operation.selection_set)
        self.on_operation(operation)

    def _directives(self, directives: Sequence[Directive], location: str) -> None:
        for directive in directives:
            self.charge(1)
            directive.definition = self.schema.directives.get(directive.name)
            directive.location = location
            self._arguments(directive.arguments, directive.definition)
            self.on_directive(directive)
        self.on_directives(directives)

    def _arguments(
        self,
        arguments: Iterable[Argument],
        definition: FieldDefinition | DirectiveDefinition | None,
    ) -> None:
        for argument in arguments:
            if definition is not None:
                found = self.schema.argument(definition, argument.name)
                if found is not None:
                    self._expect(argument.value, found)
            self._value(argument.value)

    def _expect(self, value: Value, definition: ArgumentDefinition | FieldDefinition) -> None:
        default = definition.default_value
        value.expected = definition.type
        value.expected_type_has_default = default is not None and default.kind != NULL
        value.definition = self.schema.types.get(definition.type.name)

    def _value(self, value: Value) -> None:
        self.charge(1)
        if value.kind == VARIABLE and self.operation is not None:
            value.variable = self._variables.get(value.raw)
            if value.variable is not None:
                value.variable.used = True
        for child in value.children if value.kind in (LIST, OBJECT) else ():
            if value.kind == OBJECT and value.definition is not None:
                found = self.schema.field(value.definition, child.name)
                if found is not None:
                    self._expect(child.value, found)
            elif value.kind == LIST and value.expected is not None and value.expected.elem:
                child.value.expected = value.expected.elem
                child.value.definition = value.definition
            self._value(child.value)
        self.on_value(value)

    def _selections(self, parent: Definition | None, selections: Iterable[Selection]) -> None:
        for selection in selections:
            self.charge(1)
            if isinstance(selection, Field):
                self._field(parent, selection)
            elif isinstance(selection, InlineFragment):
                selection.parent = parent
                inner = parent
                if selection.type_condition:
                    inner = self.schema.types.get(selection.type_condition)
                self._directives(selection.directives, "INLINE_FRAGMENT")
                self._selections(inner, selection.selection_set)
                self.on_inline_fragment(selection)
            else:
                self._spread(parent, selection)

    def _field(self, parent: Definition | None, field: Field) -> None:
        definition = None
        if field.name == "__typename":
            definition = _TYPENAME
        elif parent is not None:
            definition = self.schema.field(parent, field.name)
        field.definition = definition
        field.parent = parent
        self._arguments(field.arguments, definition)
        inner = self.schema.types.get(definition.type.name) if definition else None
        self._directives(field.directives, "FIELD")
        self._selections(inner, field.selection_set)
        self.on_field(field)

    def _spread(self, parent: Definition | None, spread: FragmentSpread) -> None:
        fragment = self.fragments.get(spread.name)
        spread.definition = fragment
        spread.parent = parent
        self._directives(spread.directives, "FRAGMENT_SPREAD")
        if fragment is not None and fragment.name not in self._followed:
            # Once in an operation is enough, and ends where fragments spread each other.
            self._followed.add(fragment.name)
            self._directives(fragment.directives, "FRAGMENT_DEFINITION")
            self._selections(self.schema.types.get(fragment.type_condition), fragment.selection_set)
        self.on_spread(spread)

"""Whether a GraphQL query is valid: consumes a schema and a query document; produces the errors.

The rules are those of the GraphQL specification, section 5, and one of gqlparser's own on deep
introspection; in its order and with its messages.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from adjudge.rego.builtins.graphql_overlap import Overlaps
from adjudge.rego.builtins.graphql_schema import Schema
from adjudge.rego.builtins.graphql_suggest import did_you_mean, or_list
from adjudge.rego.builtins.graphql_tree import (
    OBJECT,
    VARIABLE,
    Argument,
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
    Value,
    VariableDefinition,
)
from adjudge.rego.builtins.graphql_values import (
    misplaced_variables,
    nullable_in_one_of,
    value_text,
    wrong_values,
)
from adjudge.rego.builtins.graphql_walk import Walk
from adjudge.rego.runtime.text import go_quote

T = TypeVar("T")

_DEEP_FIELDS = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})
_MOST_LISTS = 3


def validate(
    schema: Schema, document: QueryDocument, charge: Callable[[int], None]
) -> list[GraphqlError]:
    """The errors of the query, in the order they are found; ``charge`` accounts for the work."""
    validation = _Validation(schema, document, charge)
    validation.run()
    return validation.errors


class _Validation(Walk):
    """Applies the rules, those for one kind of part in the order of their names."""

    def __init__(
        self, schema: Schema, document: QueryDocument, charge: Callable[[int], None]
    ) -> None:
        super().__init__(schema, document, charge)
        self._overlaps = Overlaps(schema, charge)
        self._misplaced: set[Hashable] = set()
        self._operation_names: set[str] = set()
        self._fragment_names: set[str] = set()
        self._cycles_sought: set[str] = set()
        self._used_fragments: set[str] = set()
        self._fragment_seen = False

    # -- operations ---------------------------------------------------------------------

    def on_operation(self, operation: OperationDefinition) -> None:
        if (operation.operation or "query") not in self.schema.roots:
            message = f'Schema does not support operation type "{operation.operation}"'
            self.add_error(message, operation)
        if not operation.name and len(self.document.operations) > 1:
            message = "This anonymous operation must be the only defined operation."
            self.add_error(message, operation)
        for variable in operation.variable_definitions:
            if not variable.used:
                within = f' in operation "{operation.name}"' if operation.name else ""
                self.add_error(f'Variable "${variable.variable}" is never used{within}.', variable)
        self._check_overlaps(operation.selection_set)
        self._check_subscription(operation)
        if operation.name in self._operation_names:
            message = f'There can be only one operation named "{operation.name}".'
            self.add_error(message, operation)
        self._operation_names.add(operation.name)
        for variable in _second(operation.variable_definitions, lambda part: part.variable):
            message = f'There can be only one variable named "${variable.variable}".'
            self.add_error(message, variable)
        for variable in operation.variable_definitions:
            if variable.definition is not None and not variable.definition.is_input:
                self.add_error(
                    f'Variable "${variable.variable}" cannot be non-input type "{variable.type}".',
                    variable,
                )

    def _check_overlaps(self, selections: Sequence[Selection]) -> None:
        for conflict in self._overlaps.within(selections):
            self.add_error(conflict.message, conflict.field)

    def _check_subscription(self, operation: OperationDefinition) -> None:
        """SingleFieldSubscriptions."""
        if operation.operation != "subscription" or "subscription" not in self.schema.roots:
            return
        fields: dict[str, Field] = {}
        self._top_fields(operation.selection_set, fields, set())
        name = "Anonymous Subscription"
        if operation.name:
            name = f"Subscription {go_quote(operation.name)}"
        if len(fields) > 1:
            message = f"{name} must select only one top level field."
            self.add_error(message, list(fields.values())[1])
        for field in fields.values():
            if field.name.startswith("__"):
                message = f"{name} must not select an introspection top level field."
                self.add_error(message, field)

    def _top_fields(
        self, selections: Iterable[Selection], fields: dict[str, Field], entered: set[str]
    ) -> None:
        for selection in selections:
            self.charge(1)
            if isinstance(selection, Field):
                fields.setdefault(selection.name, selection)
            elif isinstance(selection, InlineFragment):
                self._top_fields(selection.selection_set, fields, entered)
            elif selection.definition is None:
                return
            elif selection.name not in entered:
                entered.add(selection.name)
                self._top_fields(selection.definition.selection_set, fields, entered)

    def on_variable(self, variable: VariableDefinition) -> None:
        if variable.type.name not in self.schema.types:
            self.add_error(f'Unknown type "{variable.type.name}".', variable)

    # -- fields -------------------------------------------------------------------------

    def on_field(self, field: Field) -> None:
        parent, definition = field.parent, field.definition
        if parent is not None and definition is None:
            message = f'Cannot query field "{field.name}" on type "{parent.name}".'
            self.add_error(message + self._field_suggestion(parent, field.name), field)
        if parent is not None and definition is not None:
            on = f'field "{parent.name}.{field.name}"'
            self._check_known_arguments(field, field.arguments, definition, on)
        if field.name in ("__schema", "__type") and self._is_deep(field, 0, set()):
            self.add_error("Maximum introspection depth exceeded", field)
        if self.operation is not None:
            # The fields of fragments were compared where they are spread.
            self._check_overlaps(field.selection_set)
        if definition is not None:
            self._check_required(field, field.arguments, definition, f'Field "{field.name}"')
            self._check_leaf(field, definition)
        self._check_unique_arguments(field.arguments)

    def _field_suggestion(self, parent: Definition, name: str) -> str:
        """The types of an interface or a union that have the field, or fields of similar names."""
        uses: dict[str, int] = {}
        objects = []
        possible = self.schema.possible.get(parent.name, {}) if parent.is_abstract else {}
        for candidate in possible.values():
            self.charge(1)
            if self.schema.field(candidate, name) is None:
                continue
            objects.append(candidate.name)
            for interface in candidate.interfaces:
                known = self.schema.types.get(interface)
                if known is not None and self.schema.field(known, name) is not None:
                    uses[interface] = uses.get(interface, 0) + 1
        if objects:
            types = sorted([*uses, *objects], key=lambda found: (-uses.get(found, 0), found))
            return f" Did you mean to use an inline fragment on {or_list(types)}?"
        if parent.kind not in ("OBJECT", "INTERFACE"):
            return ""
        return did_you_mean(name, [field.name for field in parent.fields], self.charge)

    def _is_deep(self, selection: Selection, depth: int, entered: set[str]) -> bool:
        """MaxIntrospectionDepth: whether lists of types are asked for inside each other."""
        self.charge(1)
        if isinstance(selection, FragmentSpread):
            fragment = selection.definition
            if fragment is None or selection.name in entered:
                return False
            inner = fragment.selection_set
            entered = entered | {selection.name}
        else:
            inner = selection.selection_set
            if isinstance(selection, Field) and selection.name in _DEEP_FIELDS:
                depth += 1
        return depth >= _MOST_LISTS or any(self._is_deep(part, depth, entered) for part in inner)

    def _check_leaf(self, field: Field, definition: FieldDefinition) -> None:
        """ScalarLeafs."""
        kind = self.schema.types.get(definition.type.name)
        if kind is None:
            return
        if kind.is_leaf and field.selection_set:
            self.add_error(
                f'Field "{field.name}" must not have a selection since type "{kind.name}" has no '
                "subfields.",
                field,
            )
        if not kind.is_leaf and not field.selection_set:
            self.add_error(
                f'Field "{field.name}" of type "{definition.type}" must have a selection of '
                f'subfields. Did you mean "{field.name} {{ ... }}"?',
                field,
            )

    # -- arguments and directives -------------------------------------------------------

    def _check_known_arguments(
        self,
        user: Node,
        arguments: Iterable[Argument],
        definition: FieldDefinition | DirectiveDefinition,
        on: str,
    ) -> None:
        for argument in arguments:
            if self.schema.argument(definition, argument.name) is None:
                names = [part.name for part in definition.arguments]
                message = f'Unknown argument "{argument.name}" on {on}.'
                message += did_you_mean(argument.name, names, self.charge)
                self.add_error(message, user)

    def _check_required(
        self,
        user: Node,
        arguments: Iterable[Argument],
        definition: FieldDefinition | DirectiveDefinition,
        shown: str,
    ) -> None:
        given = {argument.name for argument in arguments}
        self.charge(len(definition.arguments))
        for wanted in definition.arguments:
            required = wanted.type.non_null and wanted.default_value is None
            if required and wanted.name not in given:
                self.add_error(
                    f'{shown} argument "{wanted.name}" of type "{wanted.type}" is required, but '
                    "it was not provided.",
                    user,
                )

    def _check_unique_arguments(self, arguments: Iterable[Argument]) -> None:
        for argument in _second(arguments, lambda part: part.name):
            message = f'There can be only one argument named "{argument.name}".'
            self.add_error(message, argument)

    def on_directive(self, directive: Directive) -> None:
        name, definition = directive.name, directive.definition
        if definition is None:
            self.add_error(f'Unknown directive "@{name}".', directive)
        else:
            shown = f'directive "@{name}"'
            self._check_known_arguments(directive, directive.arguments, definition, shown)
            use = (name, directive.position)
            if directive.location not in definition.locations and use not in self._misplaced:
                # Fragments are walked more than once; their directives are told of once.
                self._misplaced.add(use)
                message = f'Directive "@{name}" may not be used on {directive.location}.'
                self.add_error(message, directive)
            shown = f'Directive "@{definition.name}"'
            self._check_required(directive, directive.arguments, definition, shown)
        self._check_unique_arguments(directive.arguments)

    def on_directives(self, directives: Sequence[Directive]) -> None:
        seen = set()
        for directive in directives:
            repeatable = directive.definition is not None and directive.definition.is_repeatable
            if directive.name in seen and not repeatable:
                self.add_error(
                    f'The directive "@{directive.name}" can only be used once at this location.',
                    directive,
                )
            seen.add(directive.name)

    # -- values -------------------------------------------------------------------------

    def on_value(self, value: Value) -> None:
        operation = self.operation
        if operation is not None and value.kind == VARIABLE and value.variable is None:
            by = f' by operation "{operation.name}"' if operation.name else ""
            self.add_error(f'Variable "{value_text(value)}" is not defined{by}.', value)
        if value.kind == OBJECT:
            seen = set()
            for child in value.children:
                if child.name in seen:
                    message = f'There can be only one input field named "{child.name}".'
                    self.add_error(message, child)
                seen.add(child.name)
        if value.definition is not None:
            self.charge(len(value.definition.fields) + len(value.definition.enum_values))
        for message, node in wrong_values(self.schema, value, self.charge):
            self.add_error(message, node)
        if operation is not None:
            for message, node in misplaced_variables(value):
                self.add_error(message, node)
        for message, node in nullable_in_one_of(value):
            self.add_error(message, node)

    # -- fragments ----------------------------------------------------------------------

    def on_inline_fragment(self, fragment: InlineFragment) -> None:
        condition = fragment.type_condition
        definition = self.schema.types.get(condition)
        if definition is not None and not definition.is_composite:
            message = f'Fragment cannot condition on non composite type "{condition}".'
            self.add_error(message, fragment)
        if condition and definition is None:
            self.add_error(f'Unknown type "{condition}".', fragment)
        self._check_overlaps(fragment.selection_set)
        if fragment.parent is not None and not self._may_spread(fragment.parent, condition):
            self.add_error(
                f'Fragment cannot be spread here as objects of type "{fragment.parent.name}" can '
                f'never be of type "{condition}".',
                fragment,
            )

    def on_fragment(self, fragment: FragmentDefinition) -> None:
        name, condition = fragment.name, fragment.type_condition
        definition = fragment.definition
        if definition is not None and condition and not definition.is_composite:
            message = f'Fragment "{name}" cannot condition on non composite type "{condition}".'
            self.add_error(message, fragment)
        if definition is None:
            message = f'Unknown type "{condition}".'
            message += did_you_mean(condition, sorted(self.schema.types), self.charge)
            self.add_error(message, fragment)
        self._seek_cycles(fragment, [], {})
        # Of the fragments, only the first one's own turn counts as use.
        self._fragment_seen = True
        if name not in self._used_fragments:
            self.add_error(f'Fragment "{name}" is never used.', fragment)
        self._check_overlaps(fragment.selection_set)
        if name in self._fragment_names:
            self.add_error(f'There can be only one fragment named "{name}".', fragment)
        self._fragment_names.add(name)

    def on_spread(self, spread: FragmentSpread) -> None:
        fragment = spread.definition
        if fragment is None:
            self.add_error(f'Unknown fragment "{spread.name}".', spread)
        if not self._fragment_seen:
            self._used_fragments.add(spread.name)
        if fragment is None or spread.parent is None:
            return
        if not self._may_spread(spread.parent, fragment.type_condition):
            self.add_error(
                f'Fragment "{spread.name}" cannot be spread here as objects of type '
                f'"{spread.parent.name}" can never be of type "{fragment.type_condition}".',
                spread,
            )

    def _may_spread(self, parent: Definition, condition: str) -> bool:
        """PossibleFragmentSpreads: whether an object can be of both types."""
        definition = self.schema.types.get(condition)
        if definition is None or not definition.is_composite or not parent.is_composite:
            return True
        possible = self.schema.possible.get(condition, {})
        if parent.kind == "OBJECT":
            return parent.name in possible
        return not possible.keys().isdisjoint(self.schema.possible.get(parent.name, {}))

    def _seek_cycles(
        self, fragment: FragmentDefinition, path: list[FragmentSpread], starts: dict[str, int]
    ) -> None:
        """NoFragmentCycles; ``starts`` is where in the path the fragments being followed are."""
        if fragment.name in self._cycles_sought:
            return
        self._cycles_sought.add(fragment.name)
        starts[fragment.name] = len(path)
        for spread in self._spreads_in(fragment.selection_set):
            if spread.name in starts:
                names = ", ".join(f'"{part.name}"' for part in path[starts[spread.name] :])
                via = f" via {names}" if names else ""
                message = f'Cannot spread fragment "{spread.name}" within itself{via}.'
                self.add_error(message, spread)
            elif (inner := self.fragments.get(spread.name)) is not None:
                path.append(spread)
                self._seek_cycles(inner, path, starts)
                path.pop()
        del starts[fragment.name]

    def _spreads_in(self, selections: Sequence[Selection]) -> list[FragmentSpread]:
        """The spreads in the selections: those of a level before those inside, the last first."""
        found = []
        pending = [selections]
        while pending:
            for selection in pending.pop():
                self.charge(1)
                if isinstance(selection, FragmentSpread):
                    found.append(selection)
                else:
                    pending.append(selection.selection_set)
        return found


def _second(parts: Iterable[T], name: Callable[[T], str]) -> list[T]:
    """Of the parts with the same name, the second."""
    counts: dict[str, int] = {}
    found = []
    for part in parts:
        counts[name(part)] = counts.get(name(part), 0) + 1
        if counts[name(part)] == 2:
            found.append(part)
    return found

"""GraphQL schemas: consumes a source text; produces a :class:`SchemaDocument`, or raises
:class:`GraphqlError`.

As with queries, the grammar is that of the specification and the particulars are gqlparser's.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from adjudge.rego.builtins import graphql_tree as tree
from adjudge.rego.builtins.graphql_lexer import BLOCK_STRING, EOF, NAME, STRING
from adjudge.rego.builtins.graphql_parser import OPERATIONS, Parser
from adjudge.rego.builtins.graphql_tree import Comments

_KINDS: Final = {
    "scalar": "SCALAR",
    "type": "OBJECT",
    "interface": "INTERFACE",
    "union": "UNION",
    "enum": "ENUM",
    "input": "INPUT_OBJECT",
}
_LOCATIONS: Final = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
        "SCHEMA",
        "SCALAR",
        "OBJECT",
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "INTERFACE",
        "UNION",
        "ENUM",
        "ENUM_VALUE",
        "INPUT_OBJECT",
        "INPUT_FIELD_DEFINITION",
    }
)


def parse_schema(text: str, file: str = "input") -> tree.SchemaDocument:
    """The schema document in ``text``, which positions know as ``file``."""
    return _SchemaParser(text, file).schema_document()


class _Description(NamedTuple):
    """A description and the comment before it; both empty where there is none."""

    text: str = ""
    comment: Comments | None = None


class _SchemaParser(Parser):
    """Type, directive and schema definitions, and extensions."""

    def schema_document(self) -> tree.SchemaDocument:
        """All of the source."""
        document = tree.SchemaDocument()
        while self._peek().kind != EOF:
            description = self._description()
            token = self._peek()
            if token.kind != NAME:
                self._unexpected()
            if token.value in _KINDS:
                document.definitions.append(self._definition(token.value, description))
            elif token.value == "schema":
                document.schema.append(self._schema_definition(description))
            elif token.value == "directive":
                document.directives.append(self._directive_definition(description))
            elif token.value == "extend":
                if description.text:
                    self._unexpected(self._previous)
                self._extension(document)
            else:
                self._unexpected()
        document.comment = self._comment
        return document

    def _description(self) -> _Description:
        if self._peek().kind not in (STRING, BLOCK_STRING):
            return _Description()
        comment = self._comment
        return _Description(self._next().value, comment)

    def _inner_description(self) -> _Description:
        """A description inside a definition: an empty one leaves no comment either."""
        found = self._description()
        return found if found.text else _Description()

    def _schema_definition(self, description: _Description) -> tree.SchemaDefinition:
        comment = self._keyword("schema")
        position = self._position()
        directives = self._directives(True)
        operations, at_end = self._block("{", "}", self._operation_type)
        return tree.SchemaDefinition(
            position=position,
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=comment,
            end_of_definition_comment=at_end,
            directives=directives,
            operation_types=operations,
        )

    def _operation_type(self) -> tree.OperationTypeDefinition:
        position, comment = self._position(), self._comment
        token = self._next()
        if token.value not in OPERATIONS:
            self._unexpected(token)
        self._expect(":")
        return tree.OperationTypeDefinition(
            position=position, comment=comment, operation=token.value, type=self._name()
        )

    def _definition(self, keyword: str, description: _Description) -> tree.Definition:
        comment = self._keyword(keyword)
        definition = tree.Definition(
            kind=_KINDS[keyword],
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=comment,
            position=self._position(),
            name=self._name(),
        )
        if keyword in ("type", "interface"):
            definition.interfaces = self._interfaces()
        self._definition_body(keyword, definition)
        return definition

    def _definition_body(self, keyword: str, definition: tree.Definition) -> None:
        definition.directives = self._directives(True)
        at_end = None
        if keyword in ("type", "interface"):
            definition.fields, at_end = self._block("{", "}", self._field)
        elif keyword == "input":
            definition.fields, at_end = self._block("{", "}", self._input_field)
        elif keyword == "enum":
            definition.enum_values, at_end = self._block("{", "}", self._enum_value)
        elif keyword == "union" and self._skip("="):
            self._members(definition)
        definition.end_of_definition_comment = at_end

    def _interfaces(self) -> list[str]:
        if self._peek().value != "implements":
            return []
        self._next()
        self._skip("&")
        found = [self._name()]
        while self._skip("&"):
            found.append(self._name())
        return found

    def _members(self, definition: tree.Definition) -> None:
        self._skip("|")
        while True:
            definition.type_positions.append(self._position())
            definition.types.append(self._name())
            if not self._skip("|"):
                return

    def _field(self) -> tree.FieldDefinition:
        description = self._inner_description()
        position, comment = self._position(), self._comment
        name = self._name()
        arguments = self._some("(", ")", self._argument_definition)
        self._expect(":")
        return tree.FieldDefinition(
            position=position,
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=comment,
            name=name,
            arguments=arguments,
            type=self._type(),
            directives=self._directives(True),
        )

    def _input_field(self) -> tree.FieldDefinition:
        found = self._argument_definition()
        return tree.FieldDefinition(
            position=found.position,
            description=found.description,
            before_description_comment=found.before_description_comment,
            after_description_comment=found.after_description_comment,
            name=found.name,
            type=found.type,
            default_value=found.default_value,
            directives=found.directives,
        )

    def _argument_definition(self) -> tree.ArgumentDefinition:
        description = self._inner_description()
        position, comment = self._position(), self._comment
        name = self._name()
        self._expect(":")
        return tree.ArgumentDefinition(
            position=position,
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=comment,
            name=name,
            type=self._type(),
            default_value=self._value(True) if self._skip("=") else None,
            directives=self._directives(True),
        )

    def _enum_value(self) -> tree.EnumValueDefinition:
        description = self._inner_description()
        return tree.EnumValueDefinition(
            position=self._position(),
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=self._comment,
            name=self._name(),
            directives=self._directives(True),
        )

    def _extension(self, document: tree.SchemaDocument) -> None:
        comment = self._keyword("extend")
        keyword = self._peek().value
        if keyword == "schema":
            extension = self._schema_definition(_Description())
            extension.after_description_comment = comment
            if not (extension.directives or extension.operation_types):
                self._unexpected()
            document.schema_extension.append(extension)
        elif keyword in _KINDS:
            self._keyword(keyword)
            definition = tree.Definition(
                kind=_KINDS[keyword],
                after_description_comment=comment,
                position=self._position(),
                name=self._name(),
            )
            if keyword == "type":
                definition.interfaces = self._interfaces()
            self._definition_body(keyword, definition)
            parts = (
                definition.interfaces
                or definition.directives
                or definition.fields
                or definition.types
                or definition.enum_values
            )
            if not parts:
                self._unexpected()
            document.extensions.append(definition)
        else:
            self._unexpected()

    def _directive_definition(self, description: _Description) -> tree.DirectiveDefinition:
        comment = self._keyword("directive")
        self._expect("@")
        definition = tree.DirectiveDefinition(
            position=self._position(),
            description=description.text,
            before_description_comment=description.comment,
            after_description_comment=comment,
            name=self._name(),
            arguments=self._some("(", ")", self._argument_definition),
        )
        token = self._peek()
        if token.kind == NAME and token.value == "repeatable":
            self._next()
            definition.is_repeatable = True
        self._keyword("on")
        self._skip("|")
        definition.locations = [self._location()]
        while self._skip("|"):
            definition.locations.append(self._location())
        return definition

    def _location(self) -> str:
        token = self._expect(NAME)
        if token.value not in _LOCATIONS:
            self._unexpected(token)
        return token.value

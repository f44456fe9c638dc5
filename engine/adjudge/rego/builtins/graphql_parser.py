"""GraphQL queries: consumes a source text; produces a :class:`QueryDocument`, or raises
:class:`GraphqlError`.

The grammar is that of the GraphQL specification, appendix B.  What is accepted beyond it, the
messages, and where comments go, are gqlparser's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from adjudge.rego.builtins import graphql_tree as tree
from adjudge.rego.builtins.graphql_lexer import (
    BLOCK_STRING,
    COMMENT,
    EOF,
    FLOAT,
    INT,
    INVALID,
    NAME,
    SPREAD,
    STRING,
    Lexer,
    Token,
)
from adjudge.rego.builtins.graphql_tree import Comments, GraphqlError, Position, Value

T = TypeVar("T")

_LITERALS: Final = {
    INT: tree.INT,
    FLOAT: tree.FLOAT,
    STRING: tree.STRING,
    BLOCK_STRING: tree.BLOCK,
}
_WORDS: Final = {"true": tree.BOOLEAN, "false": tree.BOOLEAN, "null": tree.NULL}
OPERATIONS: Final = frozenset({"query", "mutation", "subscription"})


def parse_query(text: str) -> tree.QueryDocument:
    """The query document in ``text``."""
    return _QueryParser(text, "input").query_document()


class Parser:
    """What queries and schemas have in common."""

    def __init__(self, text: str, file: str) -> None:
        self._lexer = Lexer(text, file)
        self._peeked: Token | None = None
        self._previous: Token | None = None
        self._comment: Comments | None = None
        """The comment before the token that was peeked at."""

    # -- tokens ------------------------------------------------------------------------

    def _peek(self) -> Token:
        if self._peeked is None:
            lines = []
            token = self._lexer.read()
            while token.kind == COMMENT:
                lines.append(tree.Comment(value=token.value, position=token.position))
                self._previous = token
                token = self._lexer.read()
            self._comment = Comments(lines=lines) if lines else None
            self._peeked = token
        return self._peeked

    def _next(self) -> Token:
        token = self._peek()
        if token.kind == INVALID:
            raise GraphqlError(token.error, token.position)
        self._previous, self._peeked, self._comment = token, None, None
        return token

    def _fail(self, message: str) -> NoReturn:
        raise GraphqlError(message, self._peek().position)

    def _unexpected(self, token: Token | None = None) -> NoReturn:
        token = token or self._peek()
        raise GraphqlError(f"Unexpected {token}", token.position)

    def _expect(self, kind: str) -> Token:
        found = self._peek().kind
        if found != kind:
            self._fail(f"Expected {kind}, found {found}")
        return self._next()

    def _keyword(self, word: str) -> Comments | None:
        """Pass over the keyword; the comment before it."""
        token = self._peek()
        comment = self._comment
        if token.kind != NAME or token.value != word:
            self._fail(f'Expected "{word}", found {token}')
        self._next()
        return comment

    def _skip(self, kind: str) -> bool:
        if self._peek().kind != kind:
            return False
        self._next()
        return True

    def _position(self) -> Position:
        return self._peek().position

    def _name(self) -> str:
        return self._expect(NAME).value

    def _block(
        self, opening: str, closing: str, item: Callable[[], T]
    ) -> tuple[list[T], Comments | None]:
        """The items in brackets, at least one if there are brackets, and the comment at the end."""
        items: list[T] = []
        if not self._skip(opening):
            return items, None
        while self._peek().kind != closing:
            items.append(item())
        if not items:
            self._fail(f"expected at least one definition, found {closing}")
        comment = self._comment
        self._next()
        return items, comment

    def _some(self, opening: str, closing: str, item: Callable[[], T]) -> list[T]:
        return self._block(opening, closing, item)[0]

    # -- values, directives and types --------------------------------------------------

    def _value(self, constant: bool) -> Value:
        token = self._peek()
        position, comment = token.position, self._comment
        if token.kind == "[":
            elements = self._many("[", "]", lambda: self._element(constant))
            return Value(kind=tree.LIST, children=elements, position=position, comment=comment)
        if token.kind == "{":
            parts = self._many("{", "}", lambda: self._object_field(constant))
            return Value(kind=tree.OBJECT, children=parts, position=position, comment=comment)
        if token.kind == "$" and not constant:
            return Value(kind=tree.VARIABLE, raw=self._variable(), position=position)
        if token.kind == NAME:
            kind = _WORDS.get(token.value, tree.ENUM)
        elif token.kind in _LITERALS:
            kind = _LITERALS[token.kind]
        else:
            self._unexpected()
        self._next()
        return Value(kind=kind, raw=token.value, position=position)

    def _many(self, opening: str, closing: str, item: Callable[[], T]) -> list[T]:
        items = []
        self._expect(opening)
        while self._peek().kind != closing:
            items.append(item())
        self._next()
        return items

    def _element(self, constant: bool) -> tree.ChildValue:
        return tree.ChildValue(value=self._value(constant))

    def _object_field(self, constant: bool) -> tree.ChildValue:
        position, comment = self._position(), self._comment
        name = self._name()
        self._expect(":")
        value = self._value(constant)
        return tree.ChildValue(name=name, value=value, position=position, comment=comment)

    def _variable(self) -> str:
        self._expect("$")
        return self._name()

    def _arguments(self, constant: bool) -> list[tree.Argument]:
        return self._some("(", ")", lambda: self._argument(constant))

    def _argument(self, constant: bool) -> tree.Argument:
        position, comment = self._position(), self._comment
        name = self._name()
        self._expect(":")
        value = self._value(constant)
        return tree.Argument(name=name, value=value, position=position, comment=comment)

    def _directives(self, constant: bool) -> list[tree.Directive]:
        found = []
        while self._skip("@"):
            position = self._position()
            name = self._name()
            arguments = self._arguments(constant)
            found.append(tree.Directive(name=name, arguments=arguments, position=position))
        return found

    def _type(self) -> tree.Type:
        elem, name = None, ""
        if self._skip("["):
            position = self._position()
            elem = self._type()
            self._expect("]")
        else:
            position = self._position()
            name = self._name()
        non_null = self._skip("!")
        return tree.Type(named_type=name, elem=elem, non_null=non_null, position=position)


class _QueryParser(Parser):
    """Operations and fragments."""

    def query_document(self) -> tree.QueryDocument:
        """All of the source."""
        document = tree.QueryDocument()
        while (token := self._peek()).kind != EOF:
            if token.kind == "{" or (token.kind == NAME and token.value in OPERATIONS):
                document.operations.append(self._operation())
            elif token.kind == NAME and token.value == "fragment":
                document.fragments.append(self._fragment_definition())
            else:
                self._unexpected()
        return document

    def _operation(self) -> tree.OperationDefinition:
        position = self._position()
        if self._peek().kind == "{":
            selections = self._selection_set()
            return tree.OperationDefinition(
                operation="query", selection_set=selections, position=position
            )
        comment = self._comment
        return tree.OperationDefinition(
            position=position,
            comment=comment,
            operation=self._next().value,
            name=self._name() if self._peek().kind == NAME else "",
            variable_definitions=self._variables(),
            directives=self._directives(False),
            selection_set=self._selection_set(),
        )

    def _variables(self) -> list[tree.VariableDefinition]:
        return self._some("(", ")", self._variable_definition)

    def _variable_definition(self) -> tree.VariableDefinition:
        position, comment = self._position(), self._comment
        name = self._variable()
        self._expect(":")
        return tree.VariableDefinition(
            position=position,
            comment=comment,
            variable=name,
            type=self._type(),
            default_value=self._value(True) if self._skip("=") else None,
            directives=self._directives(False),
        )

    def _selection_set(self) -> list[tree.Selection]:
        if self._peek().kind != "{":
            self._expect("{")
        return self._some("{", "}", self._selection)

    def _selection(self) -> tree.Selection:
        if self._peek().kind == SPREAD:
            return self._fragment()
        position, comment = self._position(), self._comment
        alias = self._name()
        return tree.Field(
            position=position,
            comment=comment,
            alias=alias,
            name=self._name() if self._skip(":") else alias,
            arguments=self._arguments(False),
            directives=self._directives(False),
            selection_set=self._some("{", "}", self._selection),
        )

    def _fragment(self) -> tree.Selection:
        comment = self._comment
        self._expect(SPREAD)
        token = self._peek()
        position = token.position
        if token.kind == NAME and token.value != "on":
            return tree.FragmentSpread(
                position=position,
                comment=comment,
                name=self._name(),
                directives=self._directives(False),
            )
        condition = ""
        if token.value == "on":
            self._next()
            condition = self._name()
        return tree.InlineFragment(
            position=position,
            comment=comment,
            type_condition=condition,
            directives=self._directives(False),
            selection_set=self._selection_set(),
        )

    def _fragment_definition(self) -> tree.FragmentDefinition:
        position, comment = self._position(), self._comment
        self._keyword("fragment")
        if self._peek().value == "on":
            self._unexpected()
        name = self._name()
        variables = self._variables()
        self._keyword("on")
        return tree.FragmentDefinition(
            position=position,
            comment=comment,
            name=name,
            variable_definition=variables,
            type_condition=self._name(),
            directives=self._directives(False),
            selection_set=self._selection_set(),
        )

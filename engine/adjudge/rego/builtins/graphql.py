"""``graphql.*``: consumes GraphQL queries and schemas, as texts or as the objects these functions
answer with; produces their trees as objects, or whether they are valid.

The trees and the messages are gqlparser's, which OPA uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from adjudge.rego.builtins.graphql_parser import parse_query
from adjudge.rego.builtins.graphql_rules import validate
from adjudge.rego.builtins.graphql_schema import Schema
from adjudge.rego.builtins.graphql_sdl import parse_schema
from adjudge.rego.builtins.graphql_tree import (
    GraphqlError,
    Node,
    QueryDocument,
    Reader,
    SchemaDocument,
    to_object,
)
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    one_of_error,
    want_string,
)
from adjudge.rego.runtime.values import Value, box

D = TypeVar("D", bound=Node)

_PLACED: Final = re.compile(r"[^:]*:(\d+):(\d+): *(.*)", re.DOTALL)


class _Invalid(BuiltinError):
    """A query or a schema is wrong, as opposed to a limit that is reached."""


@contextmanager
def _bounded() -> Iterator[None]:
    """Turn a stack that ran out into an error of the builtin."""
    try:
        yield
    except RecursionError:
        raise BuiltinError("the GraphQL document nests too deeply") from None


def _told(errors: str) -> str:
    """The errors as OPA words them: with the place of the first put last."""
    placed = _PLACED.fullmatch(errors)
    if placed is None:
        return f"GraphQL parse error: {errors}"
    line, column, message = placed.groups()
    message = message.removesuffix(".\n")
    return f"{message} in GraphQL string at location {line}:{column}"


def _parsed(ctx: BuiltinContext, parse: Callable[[str], D], text: str) -> D:
    ctx.charge(len(text))
    try:
        return parse(text)
    except GraphqlError as err:
        raise _Invalid(_told(str(err))) from None


def _document(
    ctx: BuiltinContext, kind: type[D], parse: Callable[[str], D], value: Value, position: int
) -> D:
    """The document an operand has as a text or as an object; OPA counts operands from 0 here."""
    if isinstance(value, str):
        return _parsed(ctx, parse, value)
    if not isinstance(value, dict):
        raise one_of_error(position, "string, object", value)
    try:
        return Reader(ctx.charge).read(kind, value)
    except GraphqlError as err:
        raise _Invalid(err.message) from None


def _query(ctx: BuiltinContext, value: Value) -> QueryDocument:
    return _document(ctx, QueryDocument, parse_query, value, 0)


def _schema(ctx: BuiltinContext, value: Value, position: int) -> tuple[Schema, Value]:
    """The schema and its tree; each is put together once in an evaluation."""
    key = ("graphql schema", box(value))
    found: tuple[Schema, Value] | None = ctx.cache.get(key)
    if found is None:
        document = _document(ctx, SchemaDocument, parse_schema, value, position)
        tree = to_object(document)
        try:
            found = Schema(document), tree
        except GraphqlError as err:
            message = f"Error in gqlparser SchemaDocument to Schema conversion: {err}"
            raise _Invalid(message) from None
        ctx.cache[key] = found
    return found


def _verify(ctx: BuiltinContext, schema: Schema, query: QueryDocument) -> None:
    errors = validate(schema, query, ctx.charge)
    if errors:
        raise _Invalid(_told("".join(f"{error}\n" for error in errors)))


@builtin("graphql.parse", context=True)
def parse(ctx: BuiltinContext, query: Value, schema: Value) -> Value:
    """``[query tree, schema tree]``, if the query is valid under the schema."""
    with _bounded():
        document = _query(ctx, query)
        known, schema_tree = _schema(ctx, schema, 1)
        tree = to_object(document)
        _verify(ctx, known, document)
        return [tree, schema_tree]


@builtin("graphql.parse_and_verify", context=True)
def parse_and_verify(ctx: BuiltinContext, query: Value, schema: Value) -> Value:
    """``[true, query tree, schema tree]``, or ``[false, {}, {}]`` if either is not valid."""
    try:
        return [True, *parse(ctx, query, schema)]
    except BuiltinError as err:
        if _is_verdict(err):
            return [False, {}, {}]
        raise


@builtin("graphql.parse_query", context=True)
def parse_query_text(ctx: BuiltinContext, query: Value) -> Value:
    """The tree of a query."""
    text = want_string(query, 1)
    with _bounded():
        return to_object(_parsed(ctx, parse_query, text))


@builtin("graphql.parse_schema", context=True)
def parse_schema_text(ctx: BuiltinContext, schema: Value) -> Value:
    """The tree of a schema, which may yet be one that is not valid."""
    text = want_string(schema, 1)
    with _bounded():
        return to_object(_parsed(ctx, parse_schema, text))


@builtin("graphql.is_valid", context=True)
def is_valid(ctx: BuiltinContext, query: Value, schema: Value) -> Value:
    """Whether both are valid, the query under the schema."""
    try:
        parse(ctx, query, schema)
    except BuiltinError as err:
        if _is_verdict(err):
            return False
        raise
    return True


@builtin("graphql.schema_is_valid", context=True)
def schema_is_valid(ctx: BuiltinContext, schema: Value) -> Value:
    """Whether a schema is valid."""
    try:
        with _bounded():
            _schema(ctx, schema, 0)
    except BuiltinError as err:
        if _is_verdict(err):
            return False
        raise
    return True


def _is_verdict(error: BuiltinError) -> bool:
    """Whether the error says that an operand is wrong, not that a limit was reached."""
    return isinstance(error, _Invalid) or error.code == "eval_type_error"

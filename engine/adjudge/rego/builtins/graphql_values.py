"""The rules for values in a GraphQL query: consumes values a walk noted their expected types on;
produces the messages of what is wrong with each (GraphQL specification, sections 5.6 and 5.8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import isinf
from typing import Final, TypeAlias

from adjudge.rego.builtins.graphql_schema import Schema
from adjudge.rego.builtins.graphql_suggest import did_you_mean
from adjudge.rego.builtins.graphql_tree import (
    BLOCK,
    BOOLEAN,
    ENUM,
    FLOAT,
    INT,
    LIST,
    NULL,
    OBJECT,
    STRING,
    VARIABLE,
    Definition,
    Node,
    Type,
    Value,
    named,
)
from adjudge.rego.runtime.text import go_quote

_BUILT_IN: Final = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]+)")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS: Final = frozenset(
    {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}
)
# The scalars that a literal of a kind may be given for.
_ACCEPTED: Final = {
    INT: ("Int", "Float", "ID"),
    FLOAT: ("Float",),
    STRING: ("String", "ID"),
    BLOCK: ("String", "ID"),
    BOOLEAN: ("Boolean",),
}
_CANNOT: Final = {
    "String": "String cannot represent a non string value",
    "[String]": "String cannot represent a non string value",
    "Boolean": "Boolean cannot represent a non boolean value",
    "Float": "Float cannot represent non numeric value",
    "ID": "ID cannot represent a non-string and non-integer value",
}

Finding: TypeAlias = tuple[str, Node]


def value_text(value: Value) -> str:
    """The value as messages show it."""
    if value.kind == VARIABLE:
        return f"${value.raw}"
    if value.kind in (STRING, BLOCK):
        return go_quote(value.raw)
    if value.kind == LIST:
        return "[" + ",".join(value_text(child.value) for child in value.children) + "]"
    if value.kind == OBJECT:
        return (
            "{"
            + ",".join(f"{child.name}:{value_text(child.value)}" for child in value.children)
            + "}"
        )
    return value.raw


def wrong_values(schema: Schema, value: Value, charge: Callable[[int], None]) -> Iterator[Finding]:
    """ValuesOfCorrectType: what the value is not but had to be, each with its place."""
    definition, expected = value.definition, value.expected
    if definition is None or expected is None:
        return
    if value.kind == NULL and expected.non_null:
        yield f'Expected value of type "{expected}", found {value_text(value)}.', value
    if definition.kind == "SCALAR" and definition.name not in _BUILT_IN:
        return
    if not _readable(value):
        yield _unexpected(value, definition, expected), value
    if value.kind == LIST:
        if expected.elem is None:
            yield _unexpected(value, definition, expected), value
    elif value.kind == OBJECT:
        yield from _wrong_object(schema, value, definition, charge)
    elif value.kind in (STRING, BLOCK) and definition.kind == "ENUM":
        message = f'Enum "{expected}" cannot represent non-enum value: {value_text(value)}.'
        yield message + _enum_suggestion(value, definition, charge), value
    elif value.kind == ENUM:
        if definition.kind != "ENUM":
            yield _unexpected(value, definition, expected), value
        elif named(definition.enum_values, value.raw) is None:
            message = f'Value "{value_text(value)}" does not exist in "{expected}" enum.'
            yield message + _enum_suggestion(value, definition, charge), value
    elif value.kind in _ACCEPTED and definition.name not in _ACCEPTED[value.kind]:
        yield _unexpected(value, definition, expected), value


def _enum_suggestion(value: Value, definition: Definition, charge: Callable[[int], None]) -> str:
    names = [part.name for part in definition.enum_values]
    return did_you_mean(value.raw, names, charge, "Did you mean the enum value")


def _wrong_object(
    schema: Schema, value: Value, definition: Definition, charge: Callable[[int], None]
) -> Iterator[Finding]:
    given = {child.name for child in value.children}
    for field in definition.fields:
        required = field.type.non_null and field.default_value is None
        if required and field.name not in given:
            yield (
                f'Field "{definition.name}.{field.name}" of required type "{field.type}" was not '
                "provided.",
                value,
            )
    for directive in definition.directives:
        if directive.name != "oneOf":
            continue
        if len(value.children) != 1:
            message = f'OneOf Input Object "{definition.name}" must specify exactly one key.'
            yield message, value
        elif value.children[0].value.kind == NULL and definition.fields:
            first = definition.fields[0].name
            yield f'Field "{definition.name}.{first}" must be non-null.', value.children[0].value
    for child in value.children:
        if schema.field(definition, child.name) is None:
            message = f'Field "{child.name}" is not defined by type "{definition.name}".'
            names = [field.name for field in definition.fields]
            yield message + did_you_mean(child.name, names, charge), child


def _readable(value: Value) -> bool:
    """Whether numbers and booleans in the value are within what 64 bits can hold."""
    if value.kind == VARIABLE:
        default = value.variable.default_value if value.variable is not None else None
        return default is None or _readable(default)
    if value.kind == INT:
        number = _integer(value.raw)
        return number is not None and -(2**63) <= number < 2**63
    if value.kind == FLOAT:
        return _NUMBER.fullmatch(value.raw) is not None and not isinf(float(value.raw))
    if value.kind == BOOLEAN:
        return value.raw in _BOOLEANS
    return all(_readable(child.value) for child in value.children)


def _integer(raw: str) -> int | None:
    """The integer, or 2**64 for all that are too long; None for what is not one."""
    found = _INTEGER.fullmatch(raw)
    if found is None:
        return None
    return int(found[1] + found[2]) if len(found[2]) <= 20 else 2**64


def _unexpected(value: Value, definition: Definition, expected: Type) -> str:
    shown, wanted = value_text(value), str(expected)
    if wanted in ("Int", "Int!"):
        number = _integer(value.raw)
        if number is not None and not -(2**31) <= number < 2**31:
            return f"Int cannot represent non 32-bit signed integer value: {shown}"
        return f"Int cannot represent non-integer value: {shown}"
    cannot = _CANNOT.get(wanted if wanted.startswith("[") else wanted.removesuffix("!"))
    if cannot:
        return f"{cannot}: {shown}"
    if definition.kind == "ENUM":
        return f'Enum "{wanted}" cannot represent non-enum value: {shown}.'
    return f'Expected value of type "{wanted}", found {shown}.'


def misplaced_variables(value: Value) -> Iterator[Finding]:
    """VariablesInAllowedPosition: variables whose types do not fit where they are used."""
    variable, expected = value.variable, value.expected
    if value.kind == VARIABLE and variable is not None and expected is not None:
        wanted = expected
        default = variable.default_value
        if value.expected_type_has_default or (default is not None and default.kind != NULL):
            wanted = replace(expected, non_null=False)
        if not variable.type.fits(wanted):
            yield (
                f'Variable "{value_text(value)}" of type "{variable.type}" used in position '
                f'expecting type "{expected}".',
                value,
            )


def nullable_in_one_of(value: Value) -> Iterator[Finding]:
    """VariablesInAllowedPosition: variables that may be null as the one key of an object."""
    definition = value.definition
    if value.kind != OBJECT or definition is None or not named(definition.directives, "oneOf"):
        return
    for child in value.children:
        variable = child.value.variable
        if child.value.kind == VARIABLE and variable is not None and not variable.type.non_null:
            yield (
                f'Variable "{value_text(child.value)}" is of type "{variable.type}" but must be '
                f'non-nullable to be used for OneOf Input Object "{definition.name}".',
                variable,
            )

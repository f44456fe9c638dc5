"""JSON as text: json.marshal, json.marshal_with_options, json.unmarshal, json.is_valid."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    want_object,
    want_string,
)
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.text import (
    MAX_DEPTH,
    go_quote,
    rego_text,
    to_indented_json_text,
    to_json_text,
    valid_text,
)
from adjudge.rego.runtime.values import Value, sorted_items, type_name

_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_NUMBER_PARTS: Final = re.compile(
    r"(?=[-0-9])-?(0|[1-9][0-9]*|)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]*))?"
)
_TRAILING: Final = re.compile(r'[\[\]{}]|"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')


@builtin("json.marshal", context=True)
def marshal(context: BuiltinContext, value: Value) -> str:
    """The value as compact JSON."""
    return _within(context, to_json_text(value))


@builtin("json.marshal_with_options", context=True)
def marshal_with_options(context: BuiltinContext, value: Value, options: Value) -> str:
    """The value as JSON; ``pretty``, ``prefix`` and ``indent`` say how it is laid out."""
    prefix, indent = "", "\t"
    laid_out, pretty = False, None
    for position, (name, option) in enumerate(sorted_items(want_object(options, 2))):
        if not isinstance(name, str):
            raise _bad_option(
                f"failed to stringify key {rego_text(name)} at index {position}: "
                f"operand {position} must be string but got {type_name(name)}"
            )
        if name not in ("prefix", "indent", "pretty"):
            raise _bad_option(f"object contained unknown key {go_quote(name)}")
        if name == "pretty":
            if option is not True and option is not False:
                raise _bad_option(f"key {go_quote(name)} failed cast to bool")
            pretty = option
            continue
        if not isinstance(option, str):
            raise _bad_option(
                f"key {go_quote(name)} failed cast to string: "
                f"operand {position} must be string but got {type_name(option)}"
            )
        laid_out = True
        if name == "prefix":
            prefix = option
        else:
            indent = option
    if not (laid_out if pretty is None else pretty):
        return _within(context, to_json_text(value))
    return _within(context, prefix + to_indented_json_text(value, prefix, indent))


def _bad_option(message: str) -> BuiltinError:
    return BuiltinError(f"operand 2 {message}", "eval_type_error")


def _within(context: BuiltinContext, text: str) -> str:
    if len(text) > context.max_size:
        raise too_large(context)
    return text


@builtin("json.is_valid")
def is_valid(text: Value) -> bool:
    """Whether the value is a string of JSON."""
    if not isinstance(text, str):
        return False
    try:
        parse_json(text, number=str)
    except BuiltinError:
        return False
    return True


@builtin("json.unmarshal")
def unmarshal(text: Value) -> Any:
    """The value the JSON text stands for."""
    return parse_json(want_string(text, 1))


def _number(text: str) -> Any:
    if len(text) < 16 and text.isdigit():
        return int(text)
    try:
        return parse_number(text)
    except ValueError as error:
        raise BuiltinError(f"invalid number: {error}") from None


def parse_json(text: str, *, number: Callable[[str], Any] = _number) -> Any:
    """The value of a JSON text; of equal keys the last counts.  ``number`` makes a value of
    the text of a number.

    Raises :class:`BuiltinError` in Go's words, also for what nests too deeply.
    """
    text = valid_text(text)
    try:
        value = json.loads(text, parse_float=number, parse_int=number, parse_constant=_not_a_number)
    except json.JSONDecodeError as error:
        raise BuiltinError(_go_message(text, error)) from None
    except RecursionError:
        raise BuiltinError("exceeded max depth") from None
    if _too_deep(value):
        raise BuiltinError("exceeded max depth")
    return _whole_characters(value) if _HALF_PAIR.search(text) else value


def _not_a_number(name: str) -> NoReturn:
    if name.startswith("-"):
        raise BuiltinError("invalid character 'I' in numeric literal")
    raise BuiltinError(f"invalid character '{name[0]}' looking for beginning of value")


def _too_deep(value: Any) -> bool:
    """Whether lists and objects nest more than ``MAX_DEPTH`` levels deep."""
    level: list[Any] = [value] if value.__class__ in (list, dict) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            item
            for outer in level
            for item in (outer if outer.__class__ is list else outer.values())
            if item.__class__ is list or item.__class__ is dict
        ]
    return bool(level)


def _whole_characters(value: Any) -> Any:
    """The value with U+FFFD for halves of surrogate pairs."""
    if value.__class__ is str:
        return valid_text(value)
    if value.__class__ is list:
        return [_whole_characters(item) for item in value]
    if value.__class__ is dict:
        return {valid_text(key): _whole_characters(item) for key, item in value.items()}
    return value


# -- Go's words for mistakes ------------------------------------------------------------------


def _go_message(text: str, error: json.JSONDecodeError) -> str:
    """What Go says to the mistake that Python found."""
    if not text.strip(" \t\n\r"):
        return "EOF"
    at = error.pos
    if error.msg.startswith(("Expecting", "Extra")):
        mistake = _in_number(text, at)
        if mistake:
            return mistake
    if error.msg.startswith("Extra data"):
        found = _TRAILING.match(text, at)
        if found and found[0] not in "}]":
            token = found[0]
            shown = json.loads(token) if token[0] == '"' else token
            if token in ("true", "false"):
                shown = f"%!s(bool={token})"
            return f"error: invalid character '{shown}' after top-level value"
        return f"invalid character {_shown(text[at])} looking for beginning of value"
    if error.msg.startswith("Unterminated string"):
        return "unexpected EOF"
    if error.msg.startswith("Invalid control character"):
        return f"invalid character {_shown(text[at])} in string literal"
    if error.msg.startswith("Invalid \\escape"):
        return f"invalid character {_shown(text[at + 1 : at + 2])} in string escape code"
    if error.msg.startswith("Invalid \\uXXXX"):
        wrong = next((c for c in text[at + 1 :] if c not in "0123456789abcdefABCDEF"), "")
        if not wrong:
            return "unexpected EOF"
        return f"invalid character {_shown(wrong)} in \\u hexadecimal character escape"
    at += len(text[at:]) - len(text[at:].lstrip(" \t\n\r"))
    if at >= len(text):
        return "unexpected EOF"
    return _unexpected(text, at, error.msg)


def _unexpected(text: str, at: int, message: str) -> str:
    where = "looking for beginning of value"
    if message.startswith("Expecting property name"):
        where = "looking for beginning of object key string"
    elif message.startswith("Expecting ':'"):
        where = "after object key"
    elif message.startswith("Expecting ','"):
        where = "after object key:value pair" if _in_object(text[:at]) else "after array element"
    else:
        for word in ("true", "false", "null"):
            if text[at] == word[0]:
                return _in_literal(text, at, word)
    return f"invalid character {_shown(text[at])} {where}"


def _in_number(text: str, at: int) -> str:
    """The mistake in the number that ends or begins where Python stopped, if there is one."""
    start = at
    while start and text[start - 1] in "-0123456789":
        start -= 1
    found = _NUMBER_PARTS.match(text, start)
    if found is None or found.end() < at:
        return ""
    whole, fraction, exponent = found.groups()
    place = found.end()
    if whole == "":
        where = "in numeric literal"
    elif fraction == "":
        where, place = "after decimal point in numeric literal", found.end(2)
    elif exponent is not None and not exponent.strip("+-"):
        where = "in exponent of numeric literal"
    else:
        return ""
    char = text[place : place + 1]
    return f"invalid character {_shown(char)} {where}" if char else "unexpected EOF"


def _in_literal(text: str, at: int, word: str) -> str:
    for i, letter in enumerate(word):
        char = text[at + i : at + i + 1]
        if not char:
            return "unexpected EOF"
        if char != letter:
            return f"invalid character {_shown(char)} in literal {word} (expecting '{letter}')"
    return "unexpected EOF"


def _in_object(text: str) -> bool:
    """Whether the innermost open bracket is that of an object."""
    stack: list[str] = []
    for found in _TOKEN.finditer(text):
        if found[0] in ("[", "{"):
            stack.append(found[0])
        elif found[0] in ("]", "}") and stack:
            stack.pop()
    return stack[-1:] == ["{"]


def _shown(char: str) -> str:
    """A character as Go shows it in a message; the first byte of those beyond ASCII."""
    if not char:
        return "' '"
    char = chr(char.encode(errors="surrogateescape")[0])
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    return f"'{go_quote(char)[1:-1]}'"

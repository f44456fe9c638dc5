"""Values as text and as JSON: consumes Rego values, produces strings or plain JSON objects.

Rego strings may carry bytes that are no UTF-8 (``base64.decode`` of a binary): such a
byte is the lone surrogate ``U+DC00 + byte``, as Python's ``surrogateescape`` has it.
It prints as ``\\xff`` in a term and as U+FFFD in JSON.  :func:`utf8_bytes` and
:func:`utf8_text` go from one form to the other.
"""

from __future__ import annotations

import json.encoder
import math
import re
from collections.abc import Callable
from decimal import Decimal
from operator import is_
from typing import Any, Final

from adjudge.errors import InputError
from adjudge.rego.errors import RegoEvalError
from adjudge.rego.runtime.arithmetic import number_text
from adjudge.rego.runtime.values import (
    Box,
    RegoSet,
    Value,
    make_object,
    plain_items,
    sorted_items,
    unbox,
)

MAX_DEPTH: Final = 200
"""How deeply values from outside may nest."""

MAX_PARTS: Final = 5_000_000
"""Texts (keys, values, punctuation) that one written value is made of at most."""

_QUOTED: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}
_JSON_STRING: Final[Callable[[str], str]] = json.encoder.encode_basestring
_HTML: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_HTML_ESCAPES: Final = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


# -- strings and bytes ---------------------------------------------------------------


def utf8_bytes(text: str) -> bytes:
    """The bytes of a string, those that are no UTF-8 included."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return _without_halves(text).encode(errors="surrogateescape")


def utf8_text(data: bytes) -> str:
    """The string with these bytes."""
    return data.decode(errors="surrogateescape")


def valid_text(text: str) -> str:
    """The string with U+FFFD in place of everything that is no Unicode."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text)
    return text


def _without_halves(text: str) -> str:
    return re.sub("[\ud800-\udc7f\udd00-\udfff]", "\ufffd", text)


def go_quote(text: str) -> str:
    """The string in double quotes with Go's escapes, as terms are printed and ``%q`` prints."""
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    return '"' + "".join([_QUOTED.get(c) or _escaped(c) for c in text]) + '"'


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# -- terms -----------------------------------------------------------------------------


def rego_text(value: Value) -> str:
    """The value as a Rego term: ``{"a": [1, true]}``, ``{1, 2}``, ``set()``."""
    parts: list[str] = []
    _write_term(value, parts.append)
    return "".join(parts)


def display_text(value: Value) -> str:
    """The value for people: strings as they are, everything else as a term."""
    return value if isinstance(value, str) else rego_text(value)


def _check_size(write: Callable[[str], Any]) -> None:
    """Refuse to go on when the text has become too large: a value with shared parts is
    small in memory and may be larger than any memory when it is written."""
    if len(write.__self__) > MAX_PARTS:  # type: ignore[attr-defined]
        raise _too_large()


def _too_large() -> RegoEvalError:
    return RegoEvalError(
        "eval_limit_error",
        "a value is too large to be written as text",
        hint="the policy builds a value that contains itself many times over",
    )


_SHARES: Final = -1
"""Noted among converted parts, which go by their identity, when one was met again."""


def parts_of(value: Value, known: dict[int, int]) -> int:
    """How many values a value is made of when it is written; ``known`` by identity."""
    if not isinstance(value, (list, RegoSet, dict)):
        return 1
    found = known.get(id(value))
    if found is None:
        inner = value.values() if isinstance(value, dict) else value
        found = known[id(value)] = 1 + sum(parts_of(item, known) for item in inner)
    return found


def _write_term(value: Value, write: Callable[[str], Any]) -> None:
    """Write a term; ``write`` is the ``append`` of a list of texts."""
    cls = value.__class__
    if cls is list or cls is dict or cls is RegoSet:
        _check_size(write)
    if cls is list:
        write("[")
        _write_terms(value, write)
        write("]")
    elif cls is dict:
        write("{")
        separator = ""
        for key, item in sorted_items(value):
            write(separator)
            _write_term(key, write)
            write(": ")
            _write_term(item, write)
            separator = ", "
        write("}")
    elif cls is RegoSet:
        if not value.boxed:
            write("set()")
            return
        write("{")
        _write_terms(value.ordered(), write)
        write("}")
    else:
        write(_scalar(value) or go_quote(value))


def _write_terms(values: list[Value], write: Callable[[str], Any]) -> None:
    separator = ""
    for value in values:
        write(separator)
        _write_term(value, write)
        separator = ", "


def _scalar(value: Value) -> str:
    """The text of null, a boolean or a number; empty for a string."""
    if isinstance(value, str):
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return "null" if value is None else number_text(value)


# -- JSON ------------------------------------------------------------------------------


def to_json_text(value: Value) -> str:
    """The value as compact JSON, as ``json.marshal`` prints it: keys sorted, sets as sorted
    arrays, keys that are no strings as their JSON text, ``<``, ``>`` and ``&`` escaped."""
    parts: list[str] = []
    _write_json(value, parts.append, "", "")
    return "".join(parts)


def to_indented_json_text(value: Value, prefix: str, indent: str) -> str:
    """Like :func:`to_json_text`, one element a line; every line but the first begins with
    ``prefix`` and one ``indent`` for each level."""
    parts: list[str] = []
    _write_json(value, parts.append, "\n" + prefix, indent)
    return "".join(parts)


def json_string(text: str) -> str:
    """A string as JSON, with Go's escapes."""
    quoted = _JSON_STRING(text)
    if _HTML.search(quoted):
        return _HTML.sub(lambda m: _HTML_ESCAPES.get(m[0], "\\ufffd"), quoted)
    return quoted


def key_text(key: Value) -> str:
    """An object key (unboxed) as a JSON object has it."""
    return key if isinstance(key, str) else to_json_text(key)


def _write_json(value: Value, write: Callable[[str], Any], newline: str, indent: str) -> None:
    cls = value.__class__
    if cls is list or cls is dict or cls is RegoSet:
        _check_size(write)
    if cls is list or cls is RegoSet:
        if not len(value):
            write("[]")
            return
        inner = newline and newline + indent
        opening = "["
        for item in value:
            write(opening + inner)
            _write_json(item, write, inner, indent)
            opening = ","
        write(newline + "]")
    elif cls is dict:
        if not value:
            write("{}")
            return
        inner = newline and newline + indent
        opening = "{"
        colon = ": " if newline else ":"
        texts = {key_text(key): item for key, item in sorted_items(value)}
        for name in sorted(texts):
            write(opening + inner + json_string(name) + colon)
            _write_json(texts[name], write, inner, indent)
            opening = ","
        write(newline + "}")
    else:
        write(_scalar(value) or json_string(value))


def to_json(value: Value) -> Any:
    """The value as plain JSON objects: sets as sorted lists, keys as strings.

    What needs no change is not copied.  A number that only a ``Decimal`` can hold
    becomes an ``int`` when it is integral, and the nearest ``float`` otherwise.
    Raises ``RegoEvalError`` for what would be too large when written.
    """
    cls = value.__class__
    if cls is list or cls is dict or cls is RegoSet:
        if not len(value):
            return {} if cls is dict else []
        made: dict[int, Any] = {}
        plain = _to_json(value, made)
        if _SHARES in made and parts_of(value, {}) > MAX_PARTS:
            raise _too_large()
        return plain
    if cls is Decimal:
        return int(value) if value == value.to_integral_value() else float(value)
    return valid_text(value) if cls is str else value


def _to_json(value: Value, made: dict[int, Any]) -> Any:
    """An array, object or set as JSON; shared parts are made once."""
    found = made.get(id(value))
    if found is not None:
        made[_SHARES] = True
        return found
    cls = value.__class__
    plain: Any
    if cls is list:
        items = [_part(item, made) for item in value]
        plain = value if all(map(is_, items, value)) else items
    elif cls is dict:
        pairs = plain_items(value)
        plain = {
            (valid_text(k) if k.__class__ is str else key_text(k)): _part(v, made) for k, v in pairs
        }
        if len(plain) == len(value) and all(map(is_, plain.values(), value.values())):
            plain = value if plain.keys() == value.keys() else plain
    else:
        plain = [_part(item, made) for item in value.ordered()]
    made[id(value)] = plain
    return plain


def _part(value: Value, made: dict[int, Any]) -> Any:
    cls = value.__class__
    if cls is str:
        return value if value.isascii() else valid_text(value)
    if cls is list or cls is dict or cls is RegoSet:
        return _to_json(value, made)
    return to_json(value)


def from_json(value: Any) -> Value:
    """A Rego value from what a JSON reader or a host program made.

    Accepts None, booleans, strings, numbers, lists, tuples, dicts and sets, nested at most
    :data:`MAX_DEPTH` deep; what is a Rego value already is returned as it is, not copied.
    Raises :class:`InputError` for anything else, NaN and infinity included.
    """
    return _from_json(value, MAX_DEPTH)


def _from_json(value: Any, depth: int) -> Value:
    cls = value.__class__
    if cls is str or cls is bool or cls is int or value is None:
        return value
    if depth < 0:
        raise InputError("value_too_deep", f"the value nests more than {MAX_DEPTH} levels deep")
    if cls is list:
        items = [_from_json(item, depth - 1) for item in value]
        return value if all(map(is_, items, value)) else items
    if cls is dict:
        return _object_from_json(value, depth - 1)
    if cls is RegoSet:
        return value
    if isinstance(value, (float, Decimal)):
        if not math.isfinite(value):
            raise InputError("not_a_number", f"{value} is not a number that JSON can carry")
        return value
    if isinstance(value, (tuple, list)):
        return [_from_json(item, depth - 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return RegoSet(_from_json(item, depth - 1) for item in value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return _object_from_json(dict(value), depth - 1)
    raise InputError("not_a_value", f"a {cls.__name__} cannot be given to a policy")


def _object_from_json(value: dict[Any, Any], depth: int) -> Value:
    items = [_from_json(item, depth) for item in value.values()]
    if all(key.__class__ is str or key.__class__ is Box for key in value):
        if all(map(is_, items, value.values())):
            return value
        return dict(zip(value, items, strict=True))
    keys = [unbox(key) if key.__class__ is Box else _from_json(key, depth) for key in value]
    return make_object(zip(keys, items, strict=True))

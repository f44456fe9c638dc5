"""Encodings of strings: base64, hex, URL queries and URIs."""

from __future__ import annotations

import base64
import re
from typing import Final
from urllib.parse import quote_plus

from adjudge.rego.builtins import gobase64, gourl
from adjudge.rego.builtins.operands import bounded, too_large
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    operand_error,
    want_string,
)
from adjudge.rego.runtime.text import go_quote, key_text, utf8_bytes, utf8_text
from adjudge.rego.runtime.values import RegoSet, Value, sorted_items

_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})?")
_PORT: Final = re.compile(r"(.*):([0-9]*)\Z", re.DOTALL)


# -- base64 and hex ------------------------------------------------------------------------


@builtin("base64.encode", context=True)
def base64_encode(context: BuiltinContext, text: Value) -> str:
    """The bytes of the string in base64."""
    return bounded(context, base64.b64encode(utf8_bytes(want_string(text, 1))).decode())


@builtin("base64.decode")
def base64_decode(text: Value) -> str:
    """The string whose bytes the base64 text stands for."""
    return utf8_text(gobase64.decode(want_string(text, 1)))


@builtin("base64.is_valid")
def base64_is_valid(text: Value) -> bool:
    """Whether the value is a string of padded base64."""
    if not isinstance(text, str):
        return False
    try:
        gobase64.decode(text)
    except BuiltinError:
        return False
    return True


@builtin("base64url.encode", context=True)
def base64url_encode(context: BuiltinContext, text: Value) -> str:
    """The bytes of the string in URL-safe base64, padded."""
    return bounded(context, base64.urlsafe_b64encode(utf8_bytes(want_string(text, 1))).decode())


@builtin("base64url.encode_no_pad", context=True)
def base64url_encode_no_pad(context: BuiltinContext, text: Value) -> str:
    """The bytes of the string in URL-safe base64 without padding."""
    return bounded(context, gobase64.encode_url(utf8_bytes(want_string(text, 1))))


@builtin("base64url.decode")
def base64url_decode(text: Value) -> str:
    """The string whose bytes the URL-safe base64 text stands for; padding may be missing."""
    return utf8_text(gobase64.decode_url_unpadded(want_string(text, 1)))


@builtin("hex.encode", context=True)
def hex_encode(context: BuiltinContext, text: Value) -> str:
    """The bytes of the string as lower-case hexadecimal digits."""
    return bounded(context, utf8_bytes(want_string(text, 1)).hex())


@builtin("hex.decode")
def hex_decode(text: Value) -> str:
    """The string whose bytes the hexadecimal digits stand for."""
    data = utf8_bytes(want_string(text, 1))
    for byte in data:
        if byte not in b"0123456789abcdefABCDEF":
            char = chr(byte)
            shown = f" '{char}'" if char.isprintable() else ""
            raise BuiltinError(f"encoding/hex: invalid byte: U+{byte:04X}{shown}")
    if len(data) % 2:
        raise BuiltinError("encoding/hex: odd length hex string")
    return utf8_text(bytes.fromhex(data.decode()))


# -- URL queries ---------------------------------------------------------------------------


@builtin("urlquery.encode", context=True)
def urlquery_encode(context: BuiltinContext, text: Value) -> str:
    """The string escaped for a URL query."""
    return bounded(context, quote_plus(utf8_bytes(want_string(text, 1))))


@builtin("urlquery.decode")
def urlquery_decode(text: Value) -> str:
    """The string that was escaped for a URL query."""
    return _unescaped(want_string(text, 1))


def _unescaped(text: str) -> str:
    data = utf8_bytes(text)
    for found in _PERCENT.finditer(data):
        if not found[1]:
            wrong = utf8_text(data[found.start() : found.start() + 3])
            raise BuiltinError(f"invalid URL escape {go_quote(wrong)}")
    plain = data.replace(b"+", b" ")
    return utf8_text(_PERCENT.sub(lambda found: bytes([int(found[1], 16)]), plain))


@builtin("urlquery.encode_object", context=True)
def urlquery_encode_object(context: BuiltinContext, obj: Value) -> str:
    """An object of strings, or of arrays or sets of strings, as a URL query with sorted keys."""
    if obj.__class__ is not dict:
        raise operand_error(1, "object", obj)
    pairs: dict[str, list[str]] = {}
    for key, value in sorted_items(obj):
        values = [value] if isinstance(value, str) else value
        if values.__class__ is RegoSet:
            values = values.ordered()
        if values.__class__ is not list or not all(isinstance(v, str) for v in values):
            raise BuiltinError(
                "operand 1 values must be string, array[string], or set[string]",
                "eval_type_error",
            )
        pairs[key_text(key)] = values
    parts: list[str] = []
    size = 0
    for key in sorted(pairs):
        escaped = quote_plus(utf8_bytes(key))
        for value in pairs[key]:
            parts.append(f"{escaped}={quote_plus(utf8_bytes(value))}")
            size += len(parts[-1]) + 1
            if size > context.max_size:
                raise too_large(context)
    return "&".join(parts)


@builtin("urlquery.decode_object")
def urlquery_decode_object(text: Value) -> dict[str, list[str]]:
    """A URL query as an object; each key has an array of its values."""
    query = want_string(text, 1)
    out: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if ";" in pair:
            raise BuiltinError("invalid semicolon separator in query")
        if pair:
            key, _, value = pair.partition("=")
            out.setdefault(_unescaped(key), []).append(_unescaped(value))
    return out


# -- URIs ----------------------------------------------------------------------------------


@builtin("uri.is_valid")
def uri_is_valid(text: Value) -> bool:
    """Whether the value is a non-empty string with a URI or a reference to one."""
    if not isinstance(text, str) or not text:
        return False
    try:
        gourl.parse(text)
    except gourl.UrlError:
        return False
    return True


@builtin("uri.parse")
def uri_parse(text: Value) -> dict[str, str]:
    """The parts of a URI; what it lacks is left out."""
    try:
        url = gourl.parse(want_string(text, 1)).as_go()
    except gourl.UrlError as error:
        raise BuiltinError(str(error)) from None
    host, port = url["Host"], ""
    found = _PORT.match(host)
    if found:
        host, port = found[1], found[2]
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    parts = {
        "scheme": url["Scheme"],
        "hostname": host,
        "port": port,
        "path": url["Path"],
        "raw_path": url["RawPath"] or url["Path"],
        "raw_query": url["RawQuery"],
        "fragment": url["Fragment"],
    }
    return {name: part for name, part in parts.items() if part}

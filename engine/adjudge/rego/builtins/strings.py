"""Strings: searching, splitting, replacing, trimming, case; positions count characters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from adjudge.rego.builtins.operands import (
    element_error,
    too_large,
    two_strings,
    want_int,
    want_strings,
)
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    one_of_error,
    want_object,
    want_string,
)
from adjudge.rego.runtime.text import utf8_bytes, utf8_text, valid_text
from adjudge.rego.runtime.values import RegoSet, Value, sorted_items

_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


# -- searching -------------------------------------------------------------------------


@builtin("contains")
def contains(haystack: Value, needle: Value) -> bool:
    """Whether the second string is part of the first."""
    if haystack.__class__ is str and needle.__class__ is str:
        return needle in haystack
    a, b = two_strings(haystack, needle)
    return b in a


@builtin("startswith")
def startswith(text: Value, prefix: Value) -> bool:
    """Whether the string begins with the prefix."""
    if text.__class__ is str and prefix.__class__ is str:
        return text.startswith(prefix)
    a, b = two_strings(text, prefix)
    return a.startswith(b)


@builtin("endswith")
def endswith(text: Value, suffix: Value) -> bool:
    """Whether the string ends with the suffix."""
    if text.__class__ is str and suffix.__class__ is str:
        return text.endswith(suffix)
    a, b = two_strings(text, suffix)
    return a.endswith(b)


@builtin("indexof")
def indexof(haystack: Value, needle: Value) -> int:
    """Where the second string first occurs in the first; -1 when it does not."""
    a, b = two_strings(haystack, needle)
    if not b:
        raise BuiltinError("empty search character")
    return a.find(b)


@builtin("indexof_n")
def indexof_n(haystack: Value, needle: Value) -> list[int]:
    """Every place where the second string occurs in the first, overlaps included."""
    a, b = two_strings(haystack, needle)
    if not b:
        raise BuiltinError("empty search character")
    found = []
    at = a.find(b)
    while at >= 0:
        found.append(at)
        at = a.find(b, at + 1)
    return found


@builtin("strings.count")
def count(haystack: Value, needle: Value) -> int:
    """How often the second string occurs in the first, without overlaps."""
    a, b = two_strings(haystack, needle)
    return a.count(b)


@builtin("strings.any_prefix_match")
def any_prefix_match(search: Value, base: Value) -> bool:
    """Whether one of the strings begins with one of the prefixes."""
    return _any_affix(search, base, str.startswith)


@builtin("strings.any_suffix_match")
def any_suffix_match(search: Value, base: Value) -> bool:
    """Whether one of the strings ends with one of the suffixes."""
    return _any_affix(search, base, str.endswith)


def _any_affix(search: Value, base: Value, match: Callable[[str, tuple[str, ...]], bool]) -> bool:
    texts, affixes = _one_or_many(search, 1), tuple(_one_or_many(base, 2))
    return any(match(text, affixes) for text in texts)


def _one_or_many(value: Value, position: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if value.__class__ is list or value.__class__ is RegoSet:
        return want_strings(value, position)
    raise one_of_error(position, "string, set, array", value)


# -- case and order --------------------------------------------------------------------


@builtin("lower")
def lower(text: Value) -> str:
    """The string with each character in lower case, whatever stands around it."""
    s = want_string(text, 1)
    if s.isascii():
        return s.lower()
    return "".join([_simple(c, c.lower()) for c in valid_text(s)])


@builtin("upper")
def upper(text: Value) -> str:
    """The string with each character in upper case; ``ß`` has none and stays."""
    s = want_string(text, 1)
    if s.isascii():
        return s.upper()
    return "".join([_simple(c, c.upper(), c.title()) for c in valid_text(s)])


def _simple(char: str, *mapped: str) -> str:
    """The first mapping to a single character: Go knows no others."""
    for candidate in mapped:
        if len(candidate) == 1:
            return candidate
    return "i" if char == "\u0130" else char


@builtin("strings.reverse")
def reverse(text: Value) -> str:
    """The characters from last to first."""
    return want_string(text, 1)[::-1]


# -- parts -----------------------------------------------------------------------------


@builtin("substring")
def substring(text: Value, offset: Value, length: Value) -> str:
    """``length`` characters from ``offset``; a negative length means all the rest."""
    s = want_string(text, 1)
    start, size = want_int(offset, 2), want_int(length, 3)
    if start < 0:
        raise BuiltinError("negative offset")
    return s[start:] if size < 0 else s[start : start + size]


@builtin("split")
def split(text: Value, delimiter: Value) -> list[str]:
    """The parts between the delimiters; all characters when the delimiter is empty."""
    if text.__class__ is str and delimiter.__class__ is str and delimiter:
        return text.split(delimiter)
    a, b = two_strings(text, delimiter)
    return a.split(b) if b else list(a)


@builtin("strings.split_n")
def split_n(text: Value, delimiter: Value, number: Value) -> list[str]:
    """The first ``number`` parts, or the last ones when it is negative."""
    a, b = two_strings(text, delimiter)
    n = want_int(number, 3)
    parts = a.split(b) if b else list(a)
    return parts[:n] if n >= 0 else parts[max(len(parts) + n, 0) :]


@builtin("concat", context=True)
def concat(context: BuiltinContext, delimiter: Value, strings: Value) -> str:
    """The strings of an array or a set, with the delimiter between them."""
    between = want_string(delimiter, 1)
    if strings.__class__ is list:
        items = strings
    elif strings.__class__ is RegoSet:
        items = strings.ordered()
    else:
        raise one_of_error(2, "set, array", strings)
    try:
        size = sum(map(len, items)) + len(between) * max(0, len(items) - 1)
        if size > context.max_size:
            raise too_large(context)
        return between.join(items)
    except TypeError:
        wrong = next(item for item in items if not isinstance(item, str))
        raise element_error(2, strings, wrong, "string") from None


# -- replacing -------------------------------------------------------------------------


@builtin("replace", context=True)
def replace(context: BuiltinContext, text: Value, old: Value, new: Value) -> str:
    """The string with every ``old`` replaced by ``new``."""
    a, b = two_strings(text, old)
    c = want_string(new, 3)
    if not b:
        return _replace_everywhere(context, a, c)
    if len(c) > len(b) and len(a) + a.count(b) * (len(c) - len(b)) > context.max_size:
        raise too_large(context)
    return a.replace(b, c)


def _replace_everywhere(context: BuiltinContext, text: str, new: str) -> str:
    """``new`` before each byte and at the end, which is what OPA makes of an empty pattern."""
    data = utf8_bytes(text)
    if (len(data) + 1) * (len(new) + 1) > context.max_size:
        raise too_large(context)
    return utf8_text(data.replace(b"", utf8_bytes(new)))


@builtin("strings.replace_n", context=True)
def replace_n(context: BuiltinContext, patterns: Value, text: Value) -> str:
    """The string with each key of ``patterns`` replaced by its value, in one pass.

    Where several keys match at one place, the first in Rego's order is taken.
    """
    table: dict[str, str] = {}
    source = want_object(patterns, 1)
    s = want_string(text, 2)
    for key, value in sorted_items(source):
        if not isinstance(key, str):
            raise BuiltinError(
                "operand 1 non-string key found in pattern object", "eval_type_error"
            )
        if not isinstance(value, str):
            raise BuiltinError(
                "operand 1 non-string value found in pattern object", "eval_type_error"
            )
        table[key] = value
    if "" in table:
        return _replace_with_empty(context, table, s)
    if not table:
        return s
    finder = re.compile("|".join(map(re.escape, table)))
    parts: list[str] = []
    size = end = 0
    for match in finder.finditer(s):
        parts += (s[end : match.start()], table[match[0]])
        size += len(parts[-1]) + len(parts[-2])
        end = match.end()
        if size > context.max_size:
            raise too_large(context)
    return "".join(parts) + s[end:]


def _replace_with_empty(context: BuiltinContext, table: dict[str, str], text: str) -> str:
    """With an empty key its value goes before each character that is not replaced
    otherwise, before each that is, and at the end; Go works on bytes here."""
    filler = utf8_bytes(table.pop(""))
    pairs = [(utf8_bytes(old), utf8_bytes(new)) for old, new in table.items()]
    data = utf8_bytes(text)
    out = bytearray()
    at = 0
    while at < len(data):
        out += filler
        for old, new in pairs:
            if data.startswith(old, at):
                out += new
                at += len(old)
                break
        else:
            out.append(data[at])
            at += 1
        if len(out) > context.max_size:
            raise too_large(context)
    return utf8_text(bytes(out + filler))


# -- trimming --------------------------------------------------------------------------


@builtin("trim")
def trim(text: Value, cutset: Value) -> str:
    """The string without leading and trailing characters of the cutset."""
    a, b = two_strings(text, cutset)
    return a.strip(b)


@builtin("trim_left")
def trim_left(text: Value, cutset: Value) -> str:
    """The string without leading characters of the cutset."""
    a, b = two_strings(text, cutset)
    return a.lstrip(b)


@builtin("trim_right")
def trim_right(text: Value, cutset: Value) -> str:
    """The string without trailing characters of the cutset."""
    a, b = two_strings(text, cutset)
    return a.rstrip(b)


@builtin("trim_prefix")
def trim_prefix(text: Value, prefix: Value) -> str:
    """The string without the prefix."""
    a, b = two_strings(text, prefix)
    return a.removeprefix(b)


@builtin("trim_suffix")
def trim_suffix(text: Value, suffix: Value) -> str:
    """The string without the suffix."""
    a, b = two_strings(text, suffix)
    return a.removesuffix(b)


@builtin("trim_space")
def trim_space(text: Value) -> str:
    """The string without leading and trailing white space."""
    return want_string(text, 1).strip(_SPACE)

"""Writes YAML as go-yaml v3 does with two columns of indentation: consumes values."""

from __future__ import annotations

import re
from functools import cmp_to_key
from typing import Any, Final

from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.builtins.yaml_scalars import STR, go_float_text, resolve
from adjudge.rego.runtime.arithmetic import number_text
from adjudge.rego.runtime.text import key_text, to_json_text, valid_text
from adjudge.rego.runtime.values import RegoSet, Value, sorted_items

_MAX_SIMPLE_KEY: Final = 128
_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_OLD_BOOLEANS: Final = frozenset(
    spelled
    for word in ("y", "yes", "on", "n", "no", "off")
    for spelled in (word, word.upper(), word.capitalize())
)
_BREAKS: Final = "\r\n\x85\u2028\u2029"
_UNPRINTABLE: Final = re.compile("[^\n -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_FORBIDDEN: Final = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
_ESCAPES: Final = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\v": "v",
    "\f": "f",
    "\r": "r",
    "\x1b": "e",
    '"': '"',
    "\\": "\\",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}


def to_yaml(value: Value) -> str:
    """The value as a YAML document; sets are sorted lists, keys are strings.

    OPA goes by way of JSON, which it reads as YAML: what YAML does not allow between
    quotes is a :class:`BuiltinError`.
    """
    if _FORBIDDEN.search(to_json_text(value)):
        raise BuiltinError("yaml: control characters are not allowed")
    writer = _Writer()
    writer.node(value, -2, "")
    writer.end_line()
    return "".join(writer.parts)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.fresh_line = True

    def write(self, text: str) -> None:
        """Add to the current line."""
        self.parts.append(text)
        self.fresh_line = False

    def end_line(self) -> None:
        """End the line, if anything stands in it."""
        if not self.fresh_line:
            self.parts.append("\n")
            self.fresh_line = True

    def node(self, value: Value, indent: int, space: str) -> None:
        """One value inside a container at ``indent``; ``space`` goes before it in its line."""
        cls = value.__class__
        if cls is RegoSet:
            value, cls = value.ordered(), list
        if cls is dict and value:
            self.write(space)
            self._mapping(value, indent + 2)
        elif cls is list and value:
            self.write(space)
            self._sequence(value, indent + 2)
        elif cls is dict or cls is list:
            self.write(space + ("{}" if cls is dict else "[]"))
        else:
            self._scalar(value, indent + 2, space)

    def _below(self, value: Value, indent: int) -> None:
        """The value of a simple key: a container goes to the next line."""
        if value.__class__ in (dict, list, RegoSet) and len(value):
            self.end_line()
            self.write(" " * (indent + 2))
            self.fresh_line = False
            self.node(value, indent, "")
        else:
            self.node(value, indent, " ")

    def _sequence(self, items: list[Value], indent: int) -> None:
        for i, item in enumerate(items):
            if i:
                self.end_line()
                self.write(" " * indent)
            self.write("-")
            self.node(item, indent, " ")

    def _mapping(self, obj: dict[Any, Value], indent: int) -> None:
        texts = {key_text(key): value for key, value in sorted_items(obj)}
        for i, key in enumerate(sorted(texts, key=cmp_to_key(_compare_keys))):
            if i:
                self.end_line()
                self.write(" " * indent)
            if len(key.encode(errors="replace")) <= _MAX_SIMPLE_KEY and not _has_break(key):
                self.write(_string(key, indent) + ":")
                self._below(texts[key], indent)
                continue
            self.write("?")
            self._scalar(key, indent + 2, " ")
            self.end_line()
            self.write(" " * indent + ":")
            self.node(texts[key], indent, " ")

    def _scalar(self, value: Value, indent: int, space: str) -> None:
        if not isinstance(value, str):
            self.write(space + _plain(value))
            return
        text = valid_text(value)
        if "\n" in text and _literal_allowed(text):
            self._literal(text, max(indent, 2), space)
        else:
            self.write(space + _string(text, max(indent, 2)))

    def _literal(self, text: str, indent: int, space: str) -> None:
        hint = "2" if text[0] in " \n" else ""
        chomp = "-"
        if text.endswith("\n"):
            chomp = "+" if text == "\n" or text[-2] in _BREAKS else ""
        self.write(f"{space}|{hint}{chomp}\n")
        self.parts.append(_indented(text, indent))
        self.fresh_line = text.endswith("\n")


def _indented(text: str, indent: int) -> str:
    """The text with blanks after each line break that does not end a line of its own."""
    pad = " " * indent
    start = "" if text[0] in _BREAKS else pad
    return start + re.sub(f"(?<=[{_BREAKS}])(?=[^{_BREAKS}])", pad, text)


def _has_break(text: str) -> bool:
    return any(c in text for c in _BREAKS)


def _plain(value: Value) -> str:
    """A scalar that is no string.  A number goes through YAML's own reading of its JSON text."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    _, number = resolve("", number_text(value))
    return go_float_text(number) if isinstance(number, float) else str(number)


def _string(text: str, indent: int) -> str:
    """A string in the style go-yaml chooses for it, plain or quoted."""
    tag, _ = resolve("", text)
    if tag != STR or _BASE_60.match(text) or text in _OLD_BOOLEANS or "\n" in text:
        return _double_quoted(text)
    if _UNPRINTABLE.search(text):
        return _double_quoted(text)
    if _has_break(text):
        if re.search(f" [{_BREAKS}]|[{_BREAKS}] ", text):
            return _double_quoted(text)
        quoted = text.replace("'", "''")
        start = quoted[: len(quoted) - len(quoted.lstrip(_BREAKS))]
        return (
            f"'{start}{_indented(quoted, indent)[len(start) :]}'"
            if start
            else (f"'{_indented(quoted, indent).lstrip(' ')}'")
        )
    if _plain_allowed(text):
        return text
    return "'" + text.replace("'", "''") + "'"


def _plain_allowed(text: str) -> bool:
    """Whether the text needs no quotes in a block context."""
    if text.startswith(("---", "...", " ")) or text.endswith(" "):
        return False
    first, rest = text[0], text[1:]
    if first in "#,[]{}&*!|>'\"%@`" or (first in "?:-" and (not rest or rest[0] in " \t")):
        return False
    return not (re.search(r":(?:[ \t]|\Z)", rest) or re.search(r"[ \t]#", text))


def _literal_allowed(text: str) -> bool:
    if text.endswith(" ") or re.search(f" [{_BREAKS}]", text):
        return False
    return not _UNPRINTABLE.search(text.replace("\t", ""))


def _double_quoted(text: str) -> str:
    # Go asks whether the text, not the character, begins with a byte order mark.
    if text.startswith("\ufeff"):
        return '"' + "".join(map(_escaped, text)) + '"'
    return '"' + "".join([_escaped(c) if _must_escape(c) else c for c in text]) + '"'


def _must_escape(char: str) -> bool:
    return bool(_UNPRINTABLE.match(char)) or char in _BREAKS or char in '"\\'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


# -- the order of keys ---------------------------------------------------------------------


def _compare_keys(a: str, b: str) -> int:
    """-1 or 1 by go-yaml's natural order, in which ``a2`` comes before ``a10``."""
    digits = False
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x == y:
            digits = x.isdigit()
            continue
        return -1 if _comes_first(a, b, i, digits) else 1
    return -1 if len(a) < len(b) else 1


def _comes_first(a: str, b: str, at: int, digits: bool) -> bool:
    """Whether ``a`` comes first, when the keys first differ at ``at``; ``digits``: after one."""
    x, y = a[at], b[at]
    if x.isalpha() and y.isalpha():
        return x < y
    if x.isalpha() or y.isalpha():
        return x.isalpha() if digits else y.isalpha()
    first = second = 0
    if "0" in (x, y):
        before = at - 1
        while before >= 0 and a[before].isdigit():
            if a[before] != "0":
                first = second = 1
                break
            before -= 1
    first, end_a = _number_at(a, at, first)
    second, end_b = _number_at(b, at, second)
    if first != second:
        return first < second
    return end_a < end_b if end_a != end_b else x < y


def _number_at(text: str, at: int, number: int) -> tuple[int, int]:
    while at < len(text) and text[at].isdigit():
        number = number * 10 + ord(text[at]) - ord("0")
        at += 1
    return number, at

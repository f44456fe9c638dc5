"""Globs: glob.match, glob.quote_meta.

The syntax is that of gobwas/glob: ``*`` matches any characters but the delimiters,
``**`` any at all, ``?`` one that is no delimiter, ``[abc]``, ``[a-z]`` and ``[!abc]``
one of some, ``{a,b*}`` one of several globs, and a backslash takes away a meaning.
"""

from __future__ import annotations

import re
from typing import Final

from adjudge.rego.builtins.operands import bounded, element_error
from adjudge.rego.builtins.patterns import Pattern, compile_pattern
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    one_of_error,
    want_string,
)
from adjudge.rego.runtime.text import utf8_bytes
from adjudge.rego.runtime.values import Value

_SPECIAL: Final = re.compile(r"[*?\\\[\]{}]")
_MAX_CACHED: Final = 1000

_globs: dict[tuple[str, str], Pattern] = {}


@builtin("glob.match")
def match(pattern: Value, delimiters: Value, text: Value) -> bool:
    """Whether the whole text matches; without delimiters in the array ``.`` is one."""
    glob = want_string(pattern, 1)
    if delimiters is None:
        separators = ""
    elif delimiters.__class__ is list:
        separators = "".join(_separator(delimiters, item) for item in delimiters) or "."
    else:
        raise one_of_error(2, "array, null", delimiters)
    return compile_glob(glob, separators).search(want_string(text, 3)) is not None


def _separator(delimiters: list[Value], item: Value) -> str:
    if not isinstance(item, str):
        raise element_error(2, delimiters, item, "string")
    if len(item) != 1:
        raise element_error(2, delimiters, item, "rune")
    return item


def compile_glob(glob: str, separators: str) -> Pattern:
    """The glob as a pattern over whole texts.  Raises :class:`BuiltinError` for bad syntax."""
    found = _globs.get((glob, separators))
    if found is None:
        found = compile_pattern(f"(?s)^{_Glob(glob, separators).pattern()}$")
        if len(_globs) >= _MAX_CACHED:
            _globs.clear()
        _globs[glob, separators] = found
    return found


@builtin("glob.quote_meta", context=True)
def quote_meta(context: BuiltinContext, pattern: Value) -> str:
    """The text with a backslash before every special character."""
    return bounded(context, _SPECIAL.sub(r"\\\g<0>", want_string(pattern, 1)))


class _Glob:
    """Turns one glob into a regular expression."""

    def __init__(self, text: str, separators: str) -> None:
        self.text = text
        self.at = 0
        self.level = 0
        self.one = f"[^{''.join(map(_code, separators))}]" if separators else "."

    def pattern(self) -> str:
        """The regular expression of the whole glob."""
        for at, char in enumerate(self.text):
            if "\ud800" <= char <= "\udfff":
                self.at = at
                raise self._error("invalid UTF-8 sequence")
        out: list[str] = []
        while self.at < len(self.text):
            out.append(self._next())
        if self.level:
            raise self._error("unclosed `{`")
        return "".join(out)

    def _error(self, reason: str) -> BuiltinError:
        offset = len(utf8_bytes(self.text[: self.at]))
        return BuiltinError(f"glob: syntax error at {offset}: {reason}")

    def _next(self) -> str:
        char = self.text[self.at]
        self.at += 1
        if char == "{":
            self.level += 1
            return "(?:"
        if char == "," and self.level:
            return "|"
        if char == "}" and self.level:
            self.level -= 1
            return ")"
        if char == "[":
            return self._class()
        if char == "?":
            return self.one
        if char == "*":
            if self.text.startswith("*", self.at):
                self.at += 1
                return ".*"
            return self.one + "*"
        if char == "\\":
            if self.at == len(self.text):
                raise self._error("trailing backslash")
            char = self.text[self.at]
            self.at += 1
        return _code(char)

    def _class(self) -> str:
        """A character class: one range, or a set of characters."""
        negated = "^" if self._take("!") else ""
        low = self._class_char()
        if self._take("-"):
            high = self._class_char()
            if self._class_char() != "]":
                raise self._error("expected close range character")
            if high < low:
                raise self._error("range hi character is less than lo")
            return f"[{negated}{_code(low)}-{_code(high)}]"
        self.at -= 1
        chars = []
        while not self._take("]"):
            char = self._class_char()
            chars.append(self._class_char() if char == "\\" else char)
        if not chars:
            raise self._error("could not parse range")
        return f"[{negated}{''.join(map(_code, chars))}]"

    def _take(self, char: str) -> bool:
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def _class_char(self) -> str:
        if self.at == len(self.text):
            raise self._error("unexpected end of input")
        self.at += 1
        return self.text[self.at - 1]


def _code(char: str) -> str:
    return char if char.isalnum() and char.isascii() else f"\\x{{{ord(char):x}}}"

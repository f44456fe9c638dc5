"""Cuts templates of Go's ``text/template`` into tokens: consumes text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from adjudge.rego.runtime.text import go_quote, utf8_bytes, utf8_text

_KEYWORDS: Final = frozenset(
    (
        "block",
        "break",
        "continue",
        "define",
        "else",
        "end",
        "if",
        "nil",
        "range",
        "template",
        "with",
    )
)
_SPACE: Final = " \t\r\n"
_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<declare>:=)|(?P<assign>=)|(?P<pipe>\|)|(?P<open>\()|(?P<close>\))
    |(?P<string>"(?:[^"\\\n]|\\[^\n])*")|(?P<raw>`[^`]*`)|(?P<char>'(?:[^'\\\n]|\\[^\n])*')
    |(?P<variable>\$\w*)|(?P<field>\.(?![0-9])\w*)
    |(?P<number>[+-]?[.0-9][0-9A-Za-z_.]*(?:(?<=[eEpP])[+-][0-9_]+)?|[+-])
    |(?P<word>\w+)|(?P<other>[!-~])""",
    re.VERBOSE,
)
_OPEN_QUOTES: Final = {
    '"': "unterminated quoted string",
    "`": "unterminated raw quoted string",
    "'": "unterminated character constant",
}
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))|(.)", re.DOTALL
)


class TemplateError(Exception):
    """The template is wrong, or cannot be carried out; the message is Go's."""


class Token(NamedTuple):
    """A lexeme; ``kind`` is a group of ``_TOKEN``, a keyword, or
    ``text left right eof error``."""

    kind: str
    text: str
    at: int
    line: int

    def shown(self) -> str:
        """The token in an error message."""
        if self.kind == "eof":
            return "EOF"
        if self.kind == "error":
            return self.text
        if self.kind in _KEYWORDS or self.kind == "dot":
            return f"<{self.text}>"
        if len(self.text) > 10:
            return go_quote(self.text[:10]) + "..."
        return go_quote(self.text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a template; an error token is the last."""
    at, line = 0, 1
    while True:
        opened = text.find("{{", at)
        literal = text[at:] if opened < 0 else text[at:opened]
        trims = opened >= 0 and text[opened + 2 : opened + 3] == "-"
        trims = trims and text[opened + 3 : opened + 4] in _SPACE and len(text) > opened + 3
        shown = literal.rstrip(_SPACE) if trims else literal
        line += literal.count("\n")
        if shown:
            yield Token("text", shown, at, line)
        if opened < 0:
            yield Token("eof", "", len(text), line)
            return
        at = opened + 2 + 2 * trims
        line += text.count("\n", opened, at)
        if text.startswith("/*", at):
            closed = text.find("*/", at + 2)
            after = _right(text, closed + 2) if closed >= 0 else None
            if after is None:
                message = (
                    "unclosed comment" if closed < 0 else "comment ends before closing delimiter"
                )
                yield Token("error", message, at, line)
                return
        else:
            yield Token("left", "{{", opened, line)
            after = None
            for token in _action_tokens(text, at, line):
                yield token
                if token.kind == "error":
                    return
                after = _right(text, token.at) if token.kind == "right" else None
        assert after is not None
        line += text.count("\n", at, after)
        at = after


def _right(text: str, at: int) -> int | None:
    """Where the text goes on after the closing delimiter at ``at``, if there is one."""
    if text.startswith("}}", at):
        return at + 2
    if text[at : at + 1] and text[at] in _SPACE and text.startswith("-}}", at + 1):
        after = at + 4
        while after < len(text) and text[after] in _SPACE:
            after += 1
        return after
    return None


def _action_tokens(text: str, at: int, line: int) -> Iterator[Token]:
    """The tokens between the delimiters, the closing one included."""
    depth = 0
    while True:
        if _right(text, at) is not None:
            if depth:
                yield Token("error", "unclosed left paren", at, line)
            else:
                yield Token("right", "}}", at, line)
            return
        found = _TOKEN.match(text, at)
        if found is None:
            yield Token("error", _lexical_error(text, at), at, line)
            return
        kind, value = found.lastgroup or "", found[0]
        if kind == "space" and _right(text, found.end() - 1) is not None and len(value) > 1:
            value = value[:-1]
        elif kind == "space" and _right(text, at) is not None:
            continue
        depth += (kind == "open") - (kind == "close")
        error = _word_error(text, kind, value, at)
        if depth < 0:
            error = "unexpected right paren"
        if error:
            yield Token("error", error, at, line)
            return
        if kind == "word":
            kind = value if value in _KEYWORDS else "bool" if value in ("true", "false") else kind
        elif kind == "field" and value == ".":
            kind = "dot"
        yield Token(kind, value, at, line)
        line += value.count("\n")
        at += len(value)


def _lexical_error(text: str, at: int) -> str:
    if at >= len(text):
        return "unclosed action"
    if text[at] in _OPEN_QUOTES:
        return _OPEN_QUOTES[text[at]]
    return f"unrecognized character in action: {_code_point(text[at])}"


def _code_point(char: str) -> str:
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")


def _word_error(text: str, kind: str, value: str, at: int) -> str:
    following = text[at + len(value) : at + len(value) + 1]
    if kind == "other":
        if value in _OPEN_QUOTES:
            return _OPEN_QUOTES[value]
        return "expected :=" if value == ":" else ""
    if kind in ("word", "field", "variable") and following:
        if following not in _SPACE + ".,|:)(" and not text.startswith("}}", at + len(value)):
            return f"bad character {_code_point(following)}"
    if kind == "number" and not number_of(value):
        return f"bad number syntax: {go_quote(value)}"
    return ""


def number_of(text: str) -> Any:
    """The number a text stands for in a list, or nothing when it stands for none."""
    plain = text.replace("_", "")
    try:
        if re.fullmatch(r"[+-]?0[0-7]+", plain):
            return [int(plain, 8)]
        if re.fullmatch(r"[+-]?(?:[0-9]+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)", plain):
            return [int(plain, 0)] if len(plain) < 70 else []
        if re.search(r"[pP]", plain):
            return [float.fromhex(plain)]
        return [float(plain)]
    except ValueError:
        return []


def unquoted(text: str) -> str:
    """The string that a quoted Go string stands for."""
    if text.startswith("`"):
        return text[1:-1].replace("\r", "")
    quote, out = text[0], bytearray()
    for found in _ESCAPE.finditer(text, 1, len(text) - 1):
        byte, short, long, octal, simple, plain = found.groups()
        if plain is not None:
            out += utf8_bytes(plain)
        elif byte or octal:
            code = int(byte, 16) if byte else int(octal, 8)
            if code > 255:
                raise TemplateError("invalid syntax")
            out.append(code)
        elif short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise TemplateError("invalid syntax")
            out += chr(code).encode()
        elif simple == quote or simple in _ESCAPES:
            out += _ESCAPES.get(simple, simple).encode()
        else:
            raise TemplateError("invalid syntax")
    return utf8_text(bytes(out))

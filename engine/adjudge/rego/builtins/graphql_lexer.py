"""GraphQL tokens: consumes a source text; produces one token after the other, comments among them.

The language is that of the GraphQL specification, section 2.1.  Messages and places are
gqlparser's, which OPA passes on: a string's place is after its opening quote.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from adjudge.rego.builtins.graphql_tree import Position
from adjudge.rego.runtime.text import go_quote

# The kinds of tokens are called as messages show them; punctuation is its own kind.
INVALID: Final = "<Invalid>"
EOF: Final = "<EOF>"
SPREAD: Final = "..."
NAME: Final = "Name"
INT: Final = "Int"
FLOAT: Final = "Float"
STRING: Final = "String"
BLOCK_STRING: Final = "BlockString"
COMMENT: Final = "Comment"

_PUNCTUATION: Final = frozenset("!$&():=@[]{}|")
_WORD: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_COMMENT: Final = re.compile(r"#[^\x00-\x08\x0a-\x1f]*")
_DIGITS: Final = re.compile(r"[0-9]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x08\x0a-\x1f]+')
_BLOCK_PLAIN: Final = re.compile(r'[^"\\\r\n\x00-\x08\x0b\x0c\x0e-\x1f]+')
_QUOTES: Final = re.compile('"+')
_HEX: Final = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES: Final = {
    '"': '"',
    "/": "/",
    "\\": "\\",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class Token(NamedTuple):
    """A token; an invalid one has its message as ``error``."""

    kind: str
    value: str
    position: Position
    error: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {go_quote(self.value)}" if self.value else self.kind


class _Invalid(Exception):
    """What stands here is no token."""


class Lexer:
    """Reads tokens from ``text``; ``file`` names it in positions."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._line = 1
        self._line_start = 0

    def read(self) -> Token:
        """The next token; at the end, and after, one of kind ``<EOF>``."""
        self._skip_space()
        start = self._at
        try:
            return self._token(start)
        except _Invalid as err:
            return Token(INVALID, "", self._position(self._at), str(err))

    def _position(self, at: int) -> Position:
        return Position(self._line, at - self._line_start + 1, self._file)

    def _skip_space(self) -> None:
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char in "\n\r":
                self._at += 1
                self._line += 1
                self._line_start = self._at
                # Columns after "\r\n" are counted from the "\n".
                if char == "\r" and text.startswith("\n", self._at):
                    self._at += 1
            elif char in "\t ,\ufeff":
                self._at += 1
            else:
                return

    def _token(self, start: int) -> Token:
        text = self._text
        if start >= len(text):
            return Token(EOF, "", self._position(start))
        char = text[start]
        if char in _PUNCTUATION:
            self._at += 1
            return Token(char, "", self._position(start))
        if text.startswith(SPREAD, start):
            self._at += 3
            return Token(SPREAD, "", self._position(start))
        if char == "-" or "0" <= char <= "9":
            return self._number(start)
        if text.startswith('"""', start):
            return self._block_string(start)
        if char == '"':
            return self._string(start)
        for kind, pattern in ((NAME, _WORD), (COMMENT, _COMMENT)):
            if found := pattern.match(text, start):
                self._at = found.end()
                return Token(kind, found[0], self._position(start))
        raise _Invalid(_unexpected(char))

    def _number(self, start: int) -> Token:
        kind = INT
        self._accept("-")
        if self._accept("0"):
            if "0" <= self._here() <= "9":
                raise _Invalid(f"Invalid number, unexpected digit after 0: {self._next()}.")
        else:
            self._digits()
        if self._accept("."):
            kind = FLOAT
            self._digits()
        if self._accept("eE"):
            kind = FLOAT
            self._accept("-+")
            self._digits()
        return Token(kind, self._text[start : self._at], self._position(start))

    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _accept(self, chars: str) -> bool:
        char = self._here()
        if not char or char not in chars:
            return False
        self._at += 1
        return True

    def _digits(self) -> None:
        found = _DIGITS.match(self._text, self._at)
        if not found or not found[0]:
            raise _Invalid(f"Invalid number, expected digit but got: {self._next()}.")
        self._at = found.end()

    def _next(self) -> str:
        char = self._here()
        return f'"{_first_byte(char)}"' if char else EOF

    def _string(self, start: int) -> Token:
        text, parts = self._text, []
        self._at += 1
        position = self._position(self._at)
        while self._at < len(text):
            if found := _PLAIN.match(text, self._at):
                parts.append(found[0])
                self._at = found.end()
                continue
            char = text[self._at]
            if char in "\n\r":
                break
            if char == '"':
                self._at += 1
                return Token(STRING, "".join(parts), position)
            if char != "\\":
                raise _Invalid(f'Invalid character within String: "\\u{ord(char):04x}".')
            parts.append(self._escape())
        raise _Invalid("Unterminated string.")

    def _escape(self) -> str:
        """The character an escape stands for; the place of a wrong one is after its backslash."""
        text = self._text
        self._at += 1
        char = self._here()
        if not char:
            raise _Invalid("Invalid character escape sequence.")
        if char == "u":
            found = _HEX.match(text, self._at + 1)
            # Something has to follow, as the string has yet to end.
            if self._at + 5 >= len(text):
                raise _Invalid(f"Invalid character escape sequence: \\{text[self._at :]}.")
            if not found:
                shown = text[self._at : self._at + 5]
                raise _Invalid(f"Invalid character escape sequence: \\{shown}.")
            self._at += 5
            code = int(found[0], 16)
            return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)
        if char not in _ESCAPES:
            raise _Invalid(f"Invalid character escape sequence: \\{_first_byte(char)}.")
        self._at += 1
        return _ESCAPES[char]

    def _block_string(self, start: int) -> Token:
        text, parts = self._text, []
        self._at += 3
        while self._at < len(text):
            if found := _BLOCK_PLAIN.match(text, self._at):
                parts.append(found[0])
                self._at = found.end()
                continue
            char = text[self._at]
            if found := _QUOTES.match(text, self._at):
                quotes = len(found[0])
                if quotes >= 3:
                    # Its place is told by the line it ends on.
                    position = self._position(start + 3)
                    self._at += quotes
                    raw = "".join(parts) + '"' * (quotes - 3)
                    return Token(BLOCK_STRING, _block_value(raw), position)
                parts.append('"' * quotes)
                self._at += quotes
            elif text.startswith('\\"""', self._at):
                parts.append('"""')
                self._at += 4
            elif char in "\n\r":
                self._at += 2 if text.startswith("\r\n", self._at) else 1
                self._line += 1
                self._line_start = self._at
                parts.append("\n")
            elif char == "\\":
                parts.append(char)
                self._at += 1
            else:
                raise _Invalid(f'Invalid character within String: "\\u{ord(char):04x}".')
        raise _Invalid("Unterminated string.")


def _first_byte(char: str) -> str:
    """The first byte of the character in UTF-8, as a character of its own."""
    return chr(char.encode("utf-8", "surrogatepass")[0])


def _unexpected(char: str) -> str:
    if char < " ":
        return f'Cannot contain the invalid character "\\u{ord(char):04x}"'
    if char == "'":
        return "Unexpected single quote character ('), did you mean to use a double quote (\")?"
    return f'Cannot parse the unexpected character "{_first_byte(char)}".'


def _indent(line: str) -> int | None:
    """How many blanks the line begins with; None if it has nothing else."""
    rest = line.lstrip(" \t")
    return len(line) - len(rest) if rest else None


def _block_value(raw: str) -> str:
    """What a block string stands for: without common indentation and blank lines around."""
    lines = raw.split("\n")
    indents = [indent for line in lines if (indent := _indent(line)) is not None]
    if not indents:
        return ""
    lines[1:] = [line[min(indents) :] for line in lines[1:]]
    while lines and _indent(lines[0]) is None:
        lines.pop(0)
    while lines and _indent(lines[-1]) is None:
        lines.pop()
    return "\n".join(lines)

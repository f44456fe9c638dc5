"""regex.globs_match: whether two simple patterns have a string in common.

A pattern is made of characters, ``.``, sets such as ``[a-z]`` and escapes, each with an
optional ``+`` or ``*``.  The decision follows the rules of the yashtewari
glob-intersection library where they differ from the mathematical answer: a repeated
token takes what it can until the one after it fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from adjudge.rego.builtins.operands import two_strings
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin
from adjudge.rego.runtime.values import Value

_MAX_SET: Final = 70_000


class Token(NamedTuple):
    """One element of a pattern: its characters (None: any), and ``""``, ``+`` or ``*``."""

    kind: str
    chars: frozenset[str] | None
    flag: str


class _Reader:
    """Reads the tokens of one pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def tokens(self) -> Iterator[Token]:
        """The tokens from left to right."""
        while self.at < len(self.text):
            yield self._token()

    def _error(self, message: str, at: int | None = None) -> BuiltinError:
        place = self.at if at is None else at
        return BuiltinError(
            f"input:{self.text}, pos:{place}, {message}: the input provided is invalid"
        )

    def _char(self) -> tuple[str, bool]:
        """The next character, and whether it is escaped."""
        char = self.text[self.at]
        if char != "\\":
            self.at += 1
            return char, False
        if self.at + 1 == len(self.text):
            raise self._error("input ends with a \\ (escape) character")
        self.at += 2
        return self.text[self.at - 1], True

    def _token(self) -> Token:
        char, escaped = self._char()
        if escaped or char not in ".[]+*":
            kind, chars = "char", frozenset([char])
        elif char == ".":
            return Token("dot", None, self._flag())
        elif char == "]":
            raise self._error("set-close ']' with no preceding '['")
        elif char == "[":
            kind, chars = "set", self._set()
        else:
            raise self._error(f"flag '{char}' must be preceded by a non-flag")
        return Token(kind, chars, self._flag())

    def _flag(self) -> str:
        flag = self.text[self.at : self.at + 1]
        if flag == "\\" and self.at + 1 == len(self.text):
            raise self._error("input ends with a \\ (escape) character")
        if flag not in ("+", "*"):
            return ""
        self.at += 1
        return flag

    def _set(self) -> frozenset[str]:
        chars: set[str] = set()
        previous: str | None = None
        while self.at < len(self.text):
            char, escaped = self._char()
            if escaped or char not in "-]":
                chars.add(char)
                previous = char
            elif char == "]":
                return frozenset(chars)
            else:
                chars.update(self._range(previous))
                if len(chars) > _MAX_SET:
                    raise self._error("set too large")
                previous = None
        raise self._error("found [ without matching ]")

    def _range(self, low: str | None) -> list[str]:
        if low is None:
            raise self._error("range character '-' must be preceded by a Unicode character")
        if self.at >= len(self.text) - 1:
            raise self._error("range character '-' must be followed by a Unicode character")
        high, escaped = self._char()
        if not escaped and high in "]-":
            raise self._error("range character '-' cannot be followed by a special symbol")
        if high < low:
            raise self._error(f"range is out of order: '{high}' comes before '{low}' in Unicode")
        return [chr(code) for code in range(ord(low), ord(high) + 1)]


def _simplified(tokens: Iterator[Token]) -> list[Token]:
    """Neighbours that repeat the same characters as one."""
    out: list[Token] = []
    for token in tokens:
        last = out[-1] if out else None
        if last and last.flag and token.flag and last[:2] == token[:2]:
            flag = "+" if "+" in (last.flag, token.flag) else "*"
            out[-1] = last._replace(flag=flag)
        else:
            out.append(token)
    return out


def _fit(a: Token, b: Token) -> bool:
    """Whether one character matches both tokens, whatever their flags."""
    if a.chars is None or b.chars is None:
        return True
    return not a.chars.isdisjoint(b.chars)


@builtin("regex.globs_match", context=True)
def globs_match(context: BuiltinContext, first: Value, second: Value) -> bool:
    """Whether some non-empty string matches both patterns."""
    left, right = two_strings(first, second)
    a = _simplified(_Reader(left).tokens())
    b = _simplified(_Reader(right).tokens())
    trimmed = _trimmed(a, b)
    if trimmed is None:
        return False
    return _Search(context, *trimmed).normal(0, 0)


def _trimmed(a: list[Token], b: list[Token]) -> tuple[list[Token], list[Token]] | None:
    """The patterns without what fits at both ends, one token left; None if an end does not."""
    left = 0
    while left < len(a) and left < len(b) and not a[left].flag and not b[left].flag:
        if not _fit(a[left], b[left]):
            return None
        left += 1
    left = max(0, left - 1)
    i, j = len(a) - 1, len(b) - 1
    while i >= left and j >= left and not a[i].flag and not b[j].flag:
        if not _fit(a[i], b[j]):
            return None
        i, j = i - 1, j - 1
    if i < len(a) - 1:
        i, j = i + 1, j + 1
    return a[left : i + 1], b[left : j + 1]


class _Search:
    """The search for a common string; every question about two rests is answered once."""

    def __init__(self, context: BuiltinContext, a: list[Token], b: list[Token]) -> None:
        self.context = context
        self.a = a
        self.b = b
        self.known: dict[tuple[int, int], bool] = {}

    def normal(self, i: int, j: int) -> bool:
        """Whether the rests from ``i`` and ``j`` have a string in common."""
        pending = (i, j)
        a, b = self.a, self.b
        while i < len(a) and j < len(b):
            if a[i].flag or b[j].flag:
                break
            if not _fit(a[i], b[j]):
                return False
            i, j = i + 1, j + 1
        if i == len(a) or j == len(b):
            return i == len(a) and j == len(b)
        found = self.known.get((i, j))
        if found is None:
            self.context.charge(1 + len(a) - i + len(b) - j)
            self.known[i, j] = False
            flipped = not a[i].flag
            flag = b[j].flag if flipped else a[i].flag
            found = self._plus(i, j, flipped) if flag == "+" else self._star(i, j, flipped)
            self.known[i, j] = found
        if pending != (i, j):
            self.known[pending] = found
        return found

    def _sides(self, flipped: bool) -> tuple[list[Token], list[Token]]:
        return (self.b, self.a) if flipped else (self.a, self.b)

    def _from(self, i: int, j: int, flipped: bool) -> bool:
        """``normal`` for places in (repeating, other) order."""
        return self.normal(j, i) if flipped else self.normal(i, j)

    def _plus(self, i: int, j: int, flipped: bool) -> bool:
        if flipped:
            i, j = j, i
        repeating, other = self._sides(flipped)
        if not _fit(repeating[i], other[j]):
            return False
        if self._gobble(i, j + 1, flipped):
            return True
        return bool(other[j].flag) and self._from(i + 1, j, flipped)

    def _star(self, i: int, j: int, flipped: bool) -> bool:
        return self._gobble(j, i, flipped) if flipped else self._gobble(i, j, flipped)

    def _gobble(self, i: int, j: int, flipped: bool) -> bool:
        """Let the repeating token take tokens of the other pattern from ``j`` on."""
        repeating, other = self._sides(flipped)
        following = repeating[i + 1] if i + 1 < len(repeating) else None
        for k in range(j, len(other)):
            if following and _fit(other[k], following) and self._from(i + 1, k, flipped):
                return True
            if not _fit(other[k], repeating[i]):
                return False
        return following is None

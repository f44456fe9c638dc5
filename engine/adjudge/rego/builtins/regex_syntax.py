"""Reads the everyday part of RE2's syntax: consumes a pattern, produces its syntax tree.

The tree is for :mod:`regex_python`, which decides whether Python's own engine may run
the pattern.  Whatever is rare, unclear or wrong is :class:`Unsupported`: RE2 itself
then reads the pattern, and words the error if there is one.
"""

from __future__ import annotations

import re
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""Sorted code point ranges, both ends included, without overlaps."""

LAST: Final = 0x10FFFF
_MAX_DEPTH: Final = 40


class Unsupported(Exception):
    """The pattern is not of the part of the syntax that is read here."""


# Plain classes: dataclasses would take longer to define than most patterns to run.


class Chars:
    """One character out of ranges."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges


class Boundary:
    """``\\b``.  (``\\B`` means something else to Python where the text is empty.)"""

    __slots__ = ()


class Anchor:
    """The beginning (``^``) or the end (``$``) of the text."""

    __slots__ = ("end",)

    def __init__(self, end: bool) -> None:
        self.end = end


class Sequence:
    """One node after the other."""

    __slots__ = ("items",)

    def __init__(self, items: tuple[Node, ...]) -> None:
        self.items = items


class Choice:
    """The first branch that matches."""

    __slots__ = ("branches",)

    def __init__(self, branches: tuple[Node, ...]) -> None:
        self.branches = branches


class Group:
    """A capturing group."""

    __slots__ = ("inner",)

    def __init__(self, inner: Node) -> None:
        self.inner = inner


class Repeat:
    """Between ``low`` and ``high`` times (None: any number of times)."""

    __slots__ = ("high", "inner", "lazy", "low")

    def __init__(self, inner: Node, low: int, high: int | None, lazy: bool) -> None:
        self.inner = inner
        self.low = low
        self.high = high
        self.lazy = lazy


Node = Chars | Boundary | Anchor | Sequence | Choice | Group | Repeat


def union(ranges: list[tuple[int, int]]) -> Ranges:
    """Ranges in any order as sorted ranges without overlaps."""
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    return tuple(out)


def complement(ranges: Ranges) -> Ranges:
    """All characters that are not in the ranges."""
    out, start = [], 0
    for low, high in ranges:
        if start < low:
            out.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        out.append((start, LAST))
    return tuple(out)


_DIGIT: Final = ((0x30, 0x39),)
_WORD: Final = union([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_SPACE: Final = union([(0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20)])
_CLASSES: Final[dict[str, Ranges]] = {
    "d": _DIGIT,
    "D": complement(_DIGIT),
    "w": _WORD,
    "W": complement(_WORD),
    "s": _SPACE,
    "S": complement(_SPACE),
}
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_FLAGS: Final = re.compile(r"\(\?([is]{1,2})\)")
_COUNT: Final = re.compile(r"\{(0|[1-9][0-9]{0,2})(?:(,)(0|[1-9][0-9]{0,2})?)?\}")
_NAME: Final = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_HEX: Final = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_FOLDS: Final = {0x4B: 0x212A, 0x53: 0x17F}
"""K and S have a third form: the Kelvin sign and the long s."""


class Parser:
    """Reads one pattern; ``names`` are the names of the groups, the whole match first."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.depth = 0
        self.names: list[str | None] = [None]
        flags = _FLAGS.match(pattern)
        self.fold = bool(flags) and "i" in pattern[: flags.end()] if flags else False
        self.dot_all = bool(flags) and "s" in pattern[: flags.end()] if flags else False
        if flags:
            self.at = flags.end()

    def parse(self) -> Node:
        """The tree of the whole pattern."""
        node = self._choice()
        if self.at < len(self.text):
            raise Unsupported
        return node

    def _choice(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Unsupported
        branches = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._sequence())
        self.depth -= 1
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            items.append(self._repeated(self._atom()))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _repeated(self, node: Node) -> Node:
        mark = self._peek()
        if mark and mark in "*+?":
            low, high = {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
            self.at += 1
        elif mark == "{":
            found = _COUNT.match(self.text, self.at)
            if not found:
                raise Unsupported
            low = int(found[1])
            high = int(found[3]) if found[3] else (None if found[2] else low)
            self.at = found.end()
        else:
            return node
        if isinstance(node, Boundary | Anchor) or (high is not None and high < low):
            raise Unsupported
        lazy = self._peek() == "?"
        self.at += lazy
        if self._peek() and self._peek() in "*+?{":
            raise Unsupported
        return Repeat(node, low, high, lazy)

    def _atom(self) -> Node:
        char = self._peek()
        if char == "(":
            return self._group()
        if char == "[":
            return Chars(self._set())
        if char == "\\":
            return self._escape()
        if char in "*+?{":
            raise Unsupported
        self.at += 1
        if char == ".":
            return Chars(((0, LAST),) if self.dot_all else complement(((0x0A, 0x0A),)))
        if char in "^$":
            return Anchor(char == "$")
        return Chars(self._folded(((ord(char), ord(char)),)))

    def _group(self) -> Node:
        capture = True
        if self.text.startswith("(?:", self.at):
            self.at += 3
            capture = False
        elif self.text.startswith("(?", self.at):
            found = _NAME.match(self.text, self.at)
            if not found:
                raise Unsupported
            self.at = found.end()
            self.names.append(found[1])
        else:
            self.at += 1
            self.names.append(None)
        inner = self._choice()
        if self._peek() != ")":
            raise Unsupported
        self.at += 1
        return Group(inner) if capture else inner

    def _escape(self) -> Node:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter == "b":
            self.at += 2
            return Boundary()
        if letter and letter in "Az":
            self.at += 2
            return Anchor(letter == "z")
        return Chars(self._folded(self._escaped_ranges()))

    def _escaped_ranges(self) -> Ranges:
        """The characters of an escape, in a set or outside."""
        letter = self.text[self.at + 1 : self.at + 2]
        if not letter:
            raise Unsupported
        if letter in _CLASSES:
            self.at += 2
            return _CLASSES[letter]
        hexadecimal = _HEX.match(self.text, self.at)
        if hexadecimal:
            self.at = hexadecimal.end()
            code = int(hexadecimal[1] or hexadecimal[2], 16)
            if code > LAST:
                raise Unsupported
        elif letter in _ESCAPES:
            self.at += 2
            code = ord(_ESCAPES[letter])
        elif letter < "\x80" and not letter.isalnum() and letter != "_":
            self.at += 2
            code = ord(letter)
        else:
            raise Unsupported
        return ((code, code),)

    def _set(self) -> Ranges:
        """A character class in brackets."""
        self.at += 1
        negated = self._peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != "]":
            low = self._set_item()
            if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._set_item()
                if len(low) != 1 or low[0][0] != low[0][1] or len(high) != 1:
                    raise Unsupported
                if high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise Unsupported
                ranges.append((low[0][0], high[0][0]))
            else:
                ranges.extend(low)
            first = False
        self.at += 1
        folded = self._folded(union(ranges))
        return complement(folded) if negated else folded

    def _set_item(self) -> Ranges:
        char = self._peek()
        if char == "\\":
            return self._escaped_ranges()
        if not char or self.text.startswith("[:", self.at):
            raise Unsupported
        self.at += 1
        return ((ord(char), ord(char)),)

    def _folded(self, ranges: Ranges) -> Ranges:
        """The ranges with both cases of their letters, when case is ignored."""
        if not self.fold:
            return ranges
        out = list(ranges)
        for low, high in ranges:
            if high > 0x7F:
                raise Unsupported
            for upper in range(0x41, 0x5B):
                if low <= upper <= high or low <= upper + 32 <= high:
                    out += [(upper, upper), (upper + 32, upper + 32)]
                    if upper in _FOLDS:
                        out.append((_FOLDS[upper], _FOLDS[upper]))
        return union(out)

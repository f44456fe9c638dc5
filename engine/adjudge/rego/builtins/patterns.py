"""Compiled regular expressions with RE2's meaning and linear time, behind one interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Protocol

from adjudge.rego.builtins.regex_python import Translation, translate
from adjudge.rego.builtins.registry import BuiltinError
from adjudge.rego.runtime.text import valid_text

Spans = tuple[tuple[int, int], ...]
"""Where the match and its groups lie in the subject; (-1, -1) for a group without a part."""

_MAX_CACHED: Final = 1000
_MAX_CAPTURES: Final = 4_000_000
"""Groups by instructions that a pattern may have: so many places a search takes note of."""
_ERRORS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}
"""RE2's words for a mistake, and Go's."""

_compiled: dict[str, Pattern] = {}


class Pattern(Protocol):
    """A compiled pattern."""

    names: tuple[str | None, ...]
    """The names of the groups by number; 0 is the whole match."""

    def search(self, text: str) -> Any:
        """Something true when the pattern matches somewhere in the text."""

    def subject(self, text: str) -> Any:
        """The text in the form that the spans count in."""

    def text(self, part: Any) -> str:
        """A slice of the subject as a string."""

    def matches(self, subject: Any, limit: int) -> Iterator[Spans]:
        """The matches from left to right, without overlaps; a negative limit is none."""


def compile_pattern(pattern: str) -> Pattern:
    """The compiled pattern; the most recent thousand are kept.

    Raises :class:`BuiltinError` ``error parsing regexp: …`` as Go words it.
    """
    found = _compiled.get(pattern)
    if found is None:
        translation = translate(pattern)
        found = _Python(translation) if translation else _Re2(pattern)
        if len(_compiled) >= _MAX_CACHED:
            _compiled.clear()
        _compiled[pattern] = found
    return found


class _Python:
    """A pattern that Python's engine runs; spans count characters."""

    __slots__ = ("_search", "names", "search")

    def __init__(self, translation: Translation) -> None:
        self._search = translation.pattern.search
        self.search = self._search
        self.names = translation.names

    def subject(self, text: str) -> str:
        return text

    def text(self, part: str) -> str:
        return part

    def matches(self, subject: str, limit: int) -> Iterator[Spans]:
        def find(at: int) -> Spans | None:
            found = self._search(subject, at)
            return found and tuple(map(found.span, range(len(self.names))))

        return _matches(find, len(subject), lambda at: at + 1, limit)


class _Re2:
    """A pattern that RE2 runs; spans count bytes."""

    __slots__ = ("_regexp", "_splits_characters", "names")

    def __init__(self, pattern: str) -> None:
        # Loading RE2 takes as long as compiling a small policy, and most need none.
        import re2

        options = re2.Options()
        options.log_errors = False
        pattern = valid_text(pattern)
        if _single_byte(pattern):
            raise BuiltinError("error parsing regexp: invalid escape sequence: `\\C`")
        try:
            self._regexp = re2.compile(pattern.encode(), options)
        except re2.error as error:
            raise _go_error(error.args[0], pattern) from None
        if self._regexp.groups * self._regexp.programsize > _MAX_CAPTURES:
            raise BuiltinError("error parsing regexp: expression has too many groups")
        names: list[str | None] = [None] * (self._regexp.groups + 1)
        for name, number in self._regexp.groupindex.items():
            names[number] = name.decode()
        self.names = tuple(names)
        # Between the bytes of a character RE2 sees no word boundary; Go does not look there.
        self._splits_characters = "\\B" in pattern

    def search(self, text: str) -> Any:
        subject = self.subject(text)
        if self._splits_characters:
            return next(self.matches(subject, 1), None)
        return self._regexp.search(subject)

    def subject(self, text: str) -> bytes:
        return valid_text(text).encode()

    def text(self, part: bytes) -> str:
        return part.decode()

    def matches(self, subject: bytes, limit: int) -> Iterator[Spans]:
        def find(at: int) -> Spans | None:
            found = self._regexp.search(subject, at)
            while found and within(found.start()):
                found = self._regexp.search(subject, after(found.start()))
            return found and tuple(map(found.span, range(len(self.names))))

        def within(at: int) -> bool:
            return at < len(subject) and subject[at] & 0xC0 == 0x80

        def after(at: int) -> int:
            at += 1
            while within(at):
                at += 1
            return at

        return _matches(find, len(subject), after, limit)


def _matches(find: Any, end: int, after: Any, limit: int) -> Iterator[Spans]:
    """Successive matches by Go's rule: an empty match right after another is not one."""
    at, last, count = 0, -1, 0
    while at <= end and (limit < 0 or count < limit):
        spans = find(at)
        if spans is None:
            return
        start, stop = spans[0]
        accepted = True
        if stop == at:
            accepted = start != last
            at = after(at)
        else:
            at = stop
        last = stop
        if accepted:
            count += 1
            yield spans


def _single_byte(pattern: str) -> bool:
    """Whether the pattern has ``\\C``, one byte, which RE2 knows and Go does not."""
    if "\\C" not in pattern:
        return False
    literal = False
    for escape in re.findall(r"\\(.)", pattern, re.DOTALL):
        if literal or escape in "QE":
            literal = escape == "Q" or (literal and escape != "E")
        elif escape == "C":
            return True
    return False


def _go_error(message: bytes | str, pattern: str) -> BuiltinError:
    """RE2's message ``what: part of the pattern`` in Go's words."""
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    behind = re.search(r"\(\?<[=!]", text)
    if behind:
        # Go takes a look-behind for a name, which goes on to the next ">" or to the end.
        rest = pattern[pattern.index(behind[0]) :]
        text = f"invalid named capture group: {rest[: rest.find('>') + 1] or rest}"
    for what, words in _ERRORS.items():
        if text.startswith(what):
            part = text[len(what) :].removeprefix(": ")
            if what == "trailing \\":
                part = ""
            return BuiltinError(f"error parsing regexp: {words}: `{part}`")
    what, _, part = text.partition(": ")
    return BuiltinError(f"error parsing regexp: {what}: `{part}`")

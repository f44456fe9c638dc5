"""A pattern in, a short text that it matches out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final

from adjudge.rego.builtins.patterns import compile_pattern
from adjudge.rego.builtins.registry import BuiltinError

MAX_PATTERN: Final = 200
_MAX_TEXT: Final = 500
_SPECIAL: Final = re.compile(r"[\\\[(|*+?{^$]")
_CLASSES: Final = {
    _constants.CATEGORY_DIGIT: "1",
    _constants.CATEGORY_SPACE: " ",
    _constants.CATEGORY_WORD: "a",
    _constants.CATEGORY_NOT_DIGIT: "a",
    _constants.CATEGORY_NOT_SPACE: "a",
    _constants.CATEGORY_NOT_WORD: "-",
}


def sample(pattern: str) -> str | None:
    """A text that the pattern matches; None for plain texts and for what is too intricate."""
    if len(pattern) > MAX_PATTERN or not _SPECIAL.search(pattern):
        return None
    try:
        text = _of(_parser.parse(pattern))
        if len(text) <= _MAX_TEXT and compile_pattern(pattern).search(text):
            return text
    except (re.error, BuiltinError, ValueError, OverflowError, RecursionError):
        pass
    return None


def _of(parsed: Iterable[Any]) -> str:
    out = ""
    for operator, argument in parsed:
        out += _part(operator, argument)
        if len(out) > _MAX_TEXT:
            raise ValueError("too long")
    return out


def _part(operator: Any, argument: Any) -> str:
    if operator is _constants.LITERAL:
        return chr(argument)
    if operator is _constants.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if operator is _constants.ANY:
        return "a"
    if operator is _constants.IN:
        return _class(argument)
    if operator is _constants.BRANCH:
        return _of(argument[1][0])
    if operator is _constants.SUBPATTERN:
        return _of(argument[3])
    if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        if argument[0] > _MAX_TEXT:
            raise ValueError("too long")
        return _of(argument[2]) * int(argument[0])
    return ""


def _class(items: list[tuple[Any, Any]]) -> str:
    if items[0][0] is _constants.NEGATE:
        refused = re.compile("[" + "".join(_shown(o, a) for o, a in items[1:]) + "]")
        return next(c for c in "a1-A _." if not refused.match(c))
    operator, argument = items[0]
    if operator is _constants.LITERAL:
        return chr(argument)
    if operator is _constants.RANGE:
        return chr(argument[0])
    return _CLASSES.get(argument, "a")


def _shown(operator: Any, argument: Any) -> str:
    if operator is _constants.RANGE:
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    return re.escape(chr(argument)) if operator is _constants.LITERAL else r"\x00"

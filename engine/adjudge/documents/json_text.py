"""Strict JSON: text in, a value with positions out (RFC 8259, nothing looser).

The standard library's C parser does the work; what it lets through is refused here:
duplicate keys, ``NaN`` and ``Infinity``, numbers no float can hold, lone surrogates,
unbounded depth.  Positions are found afterwards, and only for what is asked.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

from adjudge.documents.model import DEFAULT_LIMITS, Limits, LineIndex, Parsed, error_at, split
from adjudge.errors import InputError

_MAX_DIGITS: Final = 4300


class _Refused(Exception):
    """Raised by a parser hook, which does not know where it is."""

    def __init__(self, code: str, message: str, literal: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.literal = literal


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused("json_duplicate_key", f"duplicate key {_short(key)}", key)
            seen.add(key)
    return found


def _float(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise _Refused("json_number", f"the number {_short(literal)} is out of range", literal)
    return value


def _int(literal: str) -> int:
    if len(literal) > _MAX_DIGITS:
        raise _Refused("json_number", f"a number has {len(literal)} digits", literal)
    return int(literal)


def _constant(literal: str) -> NoReturn:
    raise _Refused("json_number", f"{literal} is not a JSON number", literal)


# The C parser calls a parse_int hook for every integer; int itself is much faster.  It raises a
# ValueError for digit strings that would take quadratic work, and only then is the hook used.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_constant=_constant
)
_COUNTING: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant
)


def read_json(text: str, file: str, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """The value of a JSON text.

    Raises InputError ``json_syntax``, ``json_empty``, ``json_duplicate_key``,
    ``json_number``, ``json_string`` (a lone surrogate), ``json_too_deep`` or
    ``json_too_large``, with line and column.
    """
    lines = LineIndex(file, text)
    if text.count(",") + text.count("[") + text.count("{") > limits.max_nodes:
        raise error_at(
            lines,
            0,
            "json_too_large",
            f"the file holds more than {limits.max_nodes} values",
            "judge a smaller file, or raise the limit",
        )
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        raise _syntax(error, lines) from None
    except RecursionError:
        raise _too_deep(lines, limits) from None
    except _Refused as refused:
        raise _refused(refused, lines) from None
    if not _within_depth(value, limits.max_depth):
        raise _too_deep(lines, limits)
    _check_surrogates(lines)
    return Parsed(value, lines, JsonPlaces(text).find)


def _decode(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _COUNTING.decode(text)


def _within_depth(value: Any, limit: int) -> bool:
    """Whether containers nest at most ``limit`` deep, looked at level by level."""
    level = [value] if isinstance(value, (dict, list)) else []
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            return False
        below: list[Any] = []
        for container in level:
            values = container.values() if type(container) is dict else container
            below.extend([v for v in values if type(v) is dict or type(v) is list])
        level = below
    return True


# --- errors -----------------------------------------------------------------------------------


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def _syntax(error: json.JSONDecodeError, lines: LineIndex) -> InputError:
    if not lines.text.strip():
        return error_at(lines, 0, "json_empty", "the file is empty", "write a JSON value into it")
    offset = min(error.pos, len(lines.text))
    message = error.msg[:1].lower() + error.msg[1:].removesuffix(" starting at").removesuffix(" at")
    if offset >= len(lines.text.rstrip()) or message == "unterminated string":
        message = f"the file ends too early: {message}"
    return error_at(lines, offset, "json_syntax", message, "the file must be valid JSON (RFC 8259)")


def _too_deep(lines: LineIndex, limits: Limits) -> InputError:
    """Placed at the bracket that goes too deep."""
    depth, offset = 0, 0
    for match in _BRACKET.finditer(lines.text):
        depth += 1 if match[1] in "[{" else -1
        if depth > limits.max_depth:
            offset = match.start(1)
            break
    return error_at(
        lines,
        offset,
        "json_too_deep",
        f"containers nest more than {limits.max_depth} deep",
        "no document of a known kind nests this deep",
    )


def _refused(refused: _Refused, lines: LineIndex) -> InputError:
    if refused.code == "json_duplicate_key":
        offset = _find_duplicate(lines.text, refused.literal)
        hint = "keep one of them: readers disagree about which one counts"
    else:
        offset = _find_number(lines.text, refused.literal)
        hint = "write a finite number of a reasonable size, or a string"
    return error_at(lines, offset, refused.code, refused.message, hint)


def _find_duplicate(text: str, key: str) -> int:
    """The offset of the second ``key`` of the first object that closes with two of them.

    Runs only for a text the parser has read up to that point, so tokens are well formed.
    """
    stack: list[set[str]] = []
    twice: list[int | None] = []
    for match in _KEY_OR_BRACKET.finditer(text):
        bracket = match[1]
        if bracket is None:
            # A string that is no key is matched too, so that what is inside it is passed over.
            if stack and match[2] is not None and json.loads(match[2]) == key:
                if key in stack[-1] and twice[-1] is None:
                    twice[-1] = match.start(2)
                stack[-1].add(key)
        elif bracket in "[{":
            stack.append(set())
            twice.append(None)
        elif stack:
            stack.pop()
            found = twice.pop()
            if found is not None:
                return found
    return 0


def _find_number(text: str, literal: str) -> int:
    """The offset of the first ``literal`` outside strings."""
    for match in _STRING_OR_NUMBER.finditer(text):
        if match[1] == literal:
            return match.start(1)
    return 0


_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)")
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


def _check_surrogates(lines: LineIndex) -> None:
    """Refuse ``\\ud800`` without its other half: it has no UTF-8 form, hence no digest."""
    text = lines.text
    if "\\u" not in text or not _SURROGATE_ESCAPE.search(text):
        return
    high_end = -1
    high_start = -1
    for match in _ESCAPE.finditer(text):
        code = int(match[1], 16) if match[1] else 0
        if high_end >= 0:
            if match.start() == high_end and 0xDC00 <= code <= 0xDFFF:
                high_end = -1
                continue
            break
        if 0xD800 <= code <= 0xDBFF:
            high_start, high_end = match.start(), match.end()
        elif 0xDC00 <= code <= 0xDFFF:
            high_start, high_end = match.start(), match.end()
            break
    if high_end >= 0:
        raise error_at(
            lines,
            high_start,
            "json_string",
            "a string contains half of a surrogate pair",
            "write the character itself, or both halves of the pair",
        )


# --- positions --------------------------------------------------------------------------------

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_ONE_STRING: Final = re.compile(_STRING, re.DOTALL)
_PLAIN: Final = re.compile(r"[^\s,\]}]+")
# Everything up to and including the next bracket outside strings.
_BRACKET: Final = re.compile(rf'[^"\[\]{{}}]*+(?:{_STRING}[^"\[\]{{}}]*+)*+([\[\]{{}}])', re.DOTALL)
_KEY_OR_BRACKET: Final = re.compile(
    rf"([\[\]{{}}])|({_STRING})(?=[ \t\r\n]*:)|{_STRING}", re.DOTALL
)
_STRING_OR_NUMBER: Final = re.compile(rf"{_STRING}|([-+.0-9A-Za-z]+)", re.DOTALL)


class JsonPlaces:
    """Offsets of values in a JSON text that is known to be valid.

    The children of a container are found when one of them is asked for, and kept.  Finding
    them skips over nested containers with one regular expression match per bracket.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        # container offset -> segment -> (key offset or None, value offset)
        self._children: dict[int, dict[str, tuple[int | None, int]]] = {}

    def find(self, pointer: str, key: bool) -> int | None:
        """The offset of the value (or the key) at ``pointer``; None when there is none."""
        offset: int = self._skip_space(0)
        key_offset: int | None = None
        for segment in split(pointer):
            if self._text[offset : offset + 1] not in ("{", "["):
                return None
            found = self._children_of(offset).get(segment)
            if found is None:
                return None
            key_offset, offset = found
        return key_offset if key else offset

    def _skip_space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset

    def _children_of(self, offset: int) -> dict[str, tuple[int | None, int]]:
        children = self._children.get(offset)
        if children is None:
            children = self._children[offset] = self._scan(offset)
        return children

    def _scan(self, offset: int) -> dict[str, tuple[int | None, int]]:
        text = self._text
        is_object = text[offset] == "{"
        children: dict[str, tuple[int | None, int]] = {}
        at = self._skip_space(offset + 1)
        while at < len(text) and text[at] not in "]}":
            key_offset: int | None = None
            segment = str(len(children))
            if is_object:
                key_offset, end = at, self._end_of(at)
                segment = json.loads(text[at:end])
                at = self._skip_space(self._skip_space(end) + 1)
            children[segment] = (key_offset, at)
            at = self._skip_space(self._end_of(at))
            if at < len(text) and text[at] == ",":
                at = self._skip_space(at + 1)
        return children

    def _end_of(self, offset: int) -> int:
        """The offset just after the value at ``offset``."""
        text = self._text
        first = text[offset]
        if first == '"':
            match = _ONE_STRING.match(text, offset)
        elif first in "[{":
            depth = 0
            match_bracket = _BRACKET.match
            while bracket := match_bracket(text, offset):
                offset = bracket.end()
                depth += 1 if bracket[1] in "[{" else -1
                if not depth:
                    return offset
            return len(text)
        else:
            match = _PLAIN.match(text, offset)
        return match.end() if match else len(text)

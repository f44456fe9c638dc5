"""Strict TOML: text in, a JSON-like value with positions of its keys out.

Dates and times become their ISO 8601 text.  Positions are those of the lines that set a
key; what stands inside an inline value is placed at that value.
"""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from typing import Any, Final

from adjudge.documents.model import (
    DEFAULT_LIMITS,
    Limits,
    LineIndex,
    Parsed,
    error_at,
    join,
    parent_of,
)
from adjudge.errors import InputError

_HINT: Final = "the file must be valid TOML 1.0 of a reasonable size"
_LONG_KEY: Final = re.compile(r"(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_\-\"']++[ \t]*+\.[ \t]*+){128}")
_WHERE: Final = re.compile(r"^(.*?) ?\(at (?:line (\d+), column (\d+)|end of document)\)$", re.S)


class _NotFinite(Exception):
    """A float without a JSON form; ``args[0]`` is how it is written."""


def read_toml(text: str, file: str, limits: Limits = DEFAULT_LIMITS) -> Parsed:
    """The value of a TOML text, a dict.

    Raises InputError ``toml_syntax``, ``toml_number``, ``toml_too_deep`` or
    ``toml_too_large``, with line and column where the parser knows them.
    """
    lines = LineIndex(file, text)
    if len(text) > limits.max_toml_bytes:
        raise error_at(lines, 0, "toml_too_large", "the TOML text is too long", _HINT)
    if _LONG_KEY.search(text):  # tomllib's work grows with the square of a dotted key
        raise _too_deep(lines, limits)
    try:
        value = tomllib.loads(text, parse_float=_float)
    except _NotFinite as error:
        offset = max(text.find(str(error.args[0])), 0)
        message = f"the number {str(error.args[0])[:40]} has no JSON form"
        raise error_at(lines, offset, "toml_number", message, _HINT) from None
    except RecursionError:
        raise _too_deep(lines, limits) from None
    except ValueError as error:  # TOMLDecodeError, and integers too long to convert
        raise _syntax(str(error), lines) from None
    if not _within_depth(value, limits.max_depth):
        raise _too_deep(lines, limits)
    places = _places(text)
    return Parsed(_plain(value), lines, lambda pointer, key: _find(places, pointer))


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotFinite(text)
    return value


def _within_depth(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        level = [
            v
            for container in level
            for v in (container.values() if isinstance(container, dict) else container)
            if isinstance(v, (dict, list))
        ]
        if not level:
            return True
    return False


def _plain(value: Any) -> Any:
    """``value`` with dates and times as text; the depth was checked before."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value


def _too_deep(lines: LineIndex, limits: Limits) -> InputError:
    message = f"containers nest more than {limits.max_depth} deep"
    return error_at(lines, 0, "toml_too_deep", message, _HINT)


def _syntax(message: str, lines: LineIndex) -> InputError:
    where = _WHERE.match(message)
    if where is None:
        return error_at(lines, 0, "toml_syntax", "a number is too long", _HINT)
    words = where[1][:1].lower() + where[1][1:]
    if where[2] is None:
        offset, words = len(lines.text), f"{words} (at the end of the file)"
    else:
        start, _ = lines.span(int(where[2])) or (0, 0)
        offset = start + int(where[3]) - 1
    return error_at(lines, offset, "toml_syntax", words, _HINT)


# --- positions --------------------------------------------------------------------------------

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_LINE: Final = re.compile(
    rf"^[ \t]*(?:\[\[[ \t]*(?P<array>{_DOTTED})[ \t]*\]\]"
    rf"|\[[ \t]*(?P<table>{_DOTTED})[ \t]*\]"
    rf"|(?P<key>{_DOTTED})[ \t]*=[ \t]*)",
    re.M,
)
_ONE_KEY: Final = re.compile(_KEY)
# What a value may contain that looks like keys of its own.
_OPAQUE: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""|' r"'''(?:[^']|'(?!''))*+'''",
    re.S,
)


def _segments(dotted: str) -> list[str]:
    found = []
    for match in _ONE_KEY.finditer(dotted):
        key = match[0]
        if key[0] == '"':
            key = str(tomllib.loads(f"k={key}")["k"])
        elif key[0] == "'":
            key = key[1:-1]
        found.append(key)
    return found


def _places(text: str) -> dict[str, int]:
    """Pointer to offset for every key and table header that starts a line."""
    # Multi-line strings are blanked out first, keeping offsets, so that their lines are no keys.
    text = _OPAQUE.sub(lambda m: re.sub(r"[^\n]", "\x00", m[0]), text)
    places: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for match in _LINE.finditer(text):
        if match["key"] is not None:
            places.setdefault(join(table, *_segments(match["key"])), match.end())
            continue
        header = match["array"] or match["table"]
        segments = _segments(header)
        table = ""
        for index, segment in enumerate(segments):
            table = join(table, segment)
            last = index == len(segments) - 1
            if last and match["array"] is not None:
                counts[table] = counts.get(table, -1) + 1
            places.setdefault(table, match.start("array" if match["array"] else "table"))
            if table in counts:
                table = f"{table}/{counts[table]}"
        places.setdefault(table, match.start("array" if match["array"] else "table"))
    return places


def _find(places: dict[str, int], pointer: str) -> int | None:
    """The offset of ``pointer`` or of the nearest value around it that has one."""
    while pointer:
        if pointer in places:
            return places[pointer]
        pointer = parent_of(pointer)
    return 0

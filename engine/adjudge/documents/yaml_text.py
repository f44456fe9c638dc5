"""Strict YAML: text in, a JSON-like value with positions out.

One document; no anchors, aliases, tags or duplicate keys; scalars by the YAML 1.2 core
schema (section 10.3.2), so that ``no`` and dates stay text.  The value is built from the
event stream without recursion, so that depth and size are refused before they cost.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from adjudge.documents.model import DEFAULT_LIMITS, Limits, LineIndex, Parsed, error_at, join
from adjudge.errors import InputError

# The C scanner is about ten times faster; both give the same events.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
# Digits with a leading zero stay text: "007" and "0123" are names more often than numbers.
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+\Z")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_MAX_DIGITS: Final = 400
# Everything outside the printable set of YAML 1.2 section 5.1.
_NOT_YAML: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff"
)


def read_yaml(
    text: str,
    file: str,
    limits: Limits = DEFAULT_LIMITS,
    *,
    lines: LineIndex | None = None,
    start: int = 0,
) -> Parsed:
    """The value of a YAML text; an empty text is null.

    For YAML inside another file (front matter), ``lines`` is that file and ``start`` the
    offset of ``text`` in it.  Numbers keep their spelling (:meth:`Parsed.spelling`).

    Raises InputError ``yaml_syntax``, ``yaml_duplicate_key``, ``yaml_alias``, ``yaml_tag``,
    ``yaml_key`` (a key that is not a scalar), ``yaml_number``, ``yaml_multiple_documents``,
    ``yaml_too_deep`` or ``yaml_too_large``, with line and column.
    """
    builder = _Builder(lines or LineIndex(file, text), start, limits)
    if len(text) > limits.max_yaml_bytes:
        raise builder.too_large(f"is longer than {limits.max_yaml_bytes} characters", 0)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        words = " ".join(w for w in (error.context, error.problem) if w) or "not valid YAML"
        raise builder.error(
            "yaml_syntax", words, mark.index if mark else 0, "check indentation and quoting"
        ) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        bad = _NOT_YAML.search(text)
        raise builder.error(
            "yaml_syntax",
            "the text contains a character YAML does not allow",
            bad.start() if bad else 0,
            "remove control characters",
        ) from None
    return Parsed(builder.root, builder.lines, builder.find, builder.spellings)


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


class _Frame:
    """A mapping or sequence that is still open."""

    __slots__ = ("key", "pointer", "value")

    def __init__(self, value: dict[str, Any] | list[Any], pointer: str) -> None:
        self.value = value
        self.pointer = pointer
        self.key: str | None = None


class _Builder:
    """Builds the value from parse events, one at a time."""

    def __init__(self, lines: LineIndex, start: int, limits: Limits) -> None:
        self.lines = lines
        self.start = start
        self.limits = limits
        self.root: Any = None
        self.spellings: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._stack: list[_Frame] = []
        self._nodes = 0
        self._documents = 0

    def find(self, pointer: str, key: bool) -> int | None:
        """The offset of the value or key at ``pointer`` in the whole file."""
        offset = (self._keys if key else self._places).get(pointer)
        return None if offset is None else offset + self.start

    def error(self, code: str, message: str, offset: int, hint: str) -> InputError:
        """An error at ``offset`` of the YAML text."""
        return error_at(self.lines, self.start + offset, code, message, hint)

    def too_large(self, how: str, offset: int) -> InputError:
        """The error for a text over a limit."""
        return self.error(
            "yaml_too_large",
            f"the YAML text {how}",
            offset,
            "keep configuration small; large data belongs into JSON",
        )

    def take(self, event: Any) -> None:
        """The next event of the stream."""
        offset: int = event.start_mark.index
        if isinstance(event, yaml.ScalarEvent):
            self._check_node(event)
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._check_node(event)
            self._open(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise self._alias(offset, f"alias *{event.anchor}")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self.error(
                    "yaml_multiple_documents",
                    "the file holds more than one YAML document",
                    offset,
                    "put each document into its own file",
                )

    def _check_node(self, event: Any) -> None:
        offset = event.start_mark.index
        self._nodes += 1
        if self._nodes > self.limits.max_yaml_nodes:
            raise self.too_large(f"holds more than {self.limits.max_yaml_nodes} values", offset)
        if event.anchor is not None:
            raise self._alias(offset, f"anchor &{event.anchor}")
        if event.tag is not None:
            raise self.error(
                "yaml_tag",
                f"the tag {event.tag} is not accepted",
                offset,
                "remove the tag; quote the value if it must stay text",
            )

    def _alias(self, offset: int, what: str) -> InputError:
        return self.error(
            "yaml_alias",
            f"{what}: anchors and aliases are not accepted",
            offset,
            "write the value out where it is used",
        )

    def _open(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        offset = event.start_mark.index
        if len(self._stack) >= self.limits.max_depth:
            raise self.error(
                "yaml_too_deep",
                f"containers nest more than {self.limits.max_depth} deep",
                offset,
                "no document of a known kind nests this deep",
            )
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise self.error(
                "yaml_key", "a key must be a plain value", offset, "quote the key as a string"
            )
        pointer = self._place(value, offset)
        self._stack.append(_Frame(value, pointer))

    def _scalar(self, event: Any) -> None:
        offset = event.start_mark.index
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            if event.value in top.value:
                raise self.error(
                    "yaml_duplicate_key",
                    f"duplicate key {event.value[:60]!r}",
                    offset,
                    "keep one of them: readers disagree about which one counts",
                )
            top.key = event.value
            self._keys[join(top.pointer, event.value)] = offset
            return
        value = self._resolve(event, offset) if event.implicit[0] else event.value
        pointer = self._place(value, offset)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.spellings[pointer] = event.value

    def _place(self, value: Any, offset: int) -> str:
        """Put a value where it belongs and give its pointer."""
        if not self._stack:
            self.root, pointer = value, ""
        else:
            top = self._stack[-1]
            if isinstance(top.value, dict):
                key = top.key if top.key is not None else ""
                pointer = join(top.pointer, key)
                top.value[key] = value
                top.key = None
            else:
                pointer = f"{top.pointer}/{len(top.value)}"
                top.value.append(value)
        self._places[pointer] = offset
        return pointer

    def _resolve(self, event: Any, offset: int) -> Any:
        """A plain scalar by the core schema."""
        text: str = event.value
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _NOT_FINITE.match(text):
            raise self._number(text, offset, "is not finite and has no JSON form")
        if _INT.match(text):
            if len(text) > _MAX_DIGITS:
                raise self._number(text, offset, "has too many digits")
            return int(text, 0) if text[1:2] in ("x", "o") else int(text)
        if _FLOAT.match(text) and not _LEADING_ZERO.match(text):
            value = float(text)
            if math.isinf(value):
                raise self._number(text, offset, "is out of range")
            return value
        return text

    def _number(self, text: str, offset: int, why: str) -> InputError:
        return self.error(
            "yaml_number", f"the number {text[:40]} {why}", offset, "quote it if it is text"
        )

"""The YAML of a METADATA block to JSON-like values, as go-yaml reads it for OPA.

Values are built from parser events with a stack, so that depth, size and aliases are
bounded and nothing is constructed but mappings with string keys, lists and scalars.
Scalars follow YAML 1.2 (``yes`` is a string), and a date is the text of its instant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import yaml

MAX_TEXT: Final = 64_000
MAX_NODES: Final = 10_000
MAX_DEPTH: Final = 50

# The parser of libyaml, where PyYAML has it, is ten times faster.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONSTANTS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_INTEGER: Final = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z"
)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:[Tt]|( ))([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]{1,9})?"
    r"(Z|[-+][0-9]{2}:[0-9]{2})?)?\Z"
)
_STRING_TAG: Final = "tag:yaml.org,2002:str"


class MetadataError(Exception):
    """The text is not the YAML of a METADATA block.

    ``line`` counts from 0; ``shown`` is the number that the message names, 0: none.
    """

    def __init__(self, message: str, line: int, shown: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.shown = line + 1 if shown is None else shown


def read_yaml(text: str) -> Any:
    """The first document of ``text``; None if there is none.

    Raises ``MetadataError`` for bad YAML, duplicate and other than string keys,
    foreign tags, merge keys, numbers JSON does not know, and what exceeds the limits.
    """
    if len(text) > MAX_TEXT:
        raise MetadataError(f"the block is longer than {MAX_TEXT} characters", 0)
    try:
        return _Builder().build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        # As in go-yaml: the place of the context, unless that is the first line; and what
        # the parser finds is said to be a line further up than what the scanner finds.
        lines = [mark.line for mark in (error.context_mark, error.problem_mark) if mark]
        line = next((line for line in lines if line), 0)
        scanned = line > 0 and isinstance(error, yaml.scanner.ScannerError)
        raise MetadataError(error.problem or "bad YAML", line, line + scanned) from None
    except yaml.YAMLError as error:
        raise MetadataError(str(error).partition("\n")[0], 0) from None


class _Builder:
    """Values under construction: a stack of lists and mappings."""

    def __init__(self) -> None:
        # Each entry: the container, the key that waits for its value, the anchor, and
        # how many nodes there were before.
        self.stack: list[tuple[Any, list[str], str | None, int]] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def build(self, events: Iterator[Any]) -> Any:
        for event in events:
            kind = type(event)
            if kind in (yaml.SequenceStartEvent, yaml.MappingStartEvent):
                self._open(event, [] if kind is yaml.SequenceStartEvent else {})
                continue
            if kind in (yaml.SequenceEndEvent, yaml.MappingEndEvent):
                value, _, anchor, before = self.stack.pop()
                if anchor:
                    self.anchors[anchor] = value, self.nodes - before
            elif kind is yaml.ScalarEvent:
                self._count(1, event)
                value = _scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = value, 1
            elif kind is yaml.AliasEvent:
                value = self._alias(event)
            else:
                continue
            if not self.stack:
                return value
            self._put(value, event)
        return None

    def _count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise MetadataError("the block has too many values", _line(event))

    def _open(self, event: Any, container: Any) -> None:
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{_tag_of(container)}"):
            raise MetadataError(f"unknown tag {event.tag}", _line(event))
        self._count(1, event)
        if len(self.stack) >= MAX_DEPTH:
            raise MetadataError("nested too deeply", _line(event))
        self.stack.append((container, [], event.anchor, self.nodes - 1))

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise MetadataError(f"unknown alias {event.anchor}", _line(event))
        value, nodes = self.anchors[event.anchor]
        self._count(nodes, event)
        return value

    def _put(self, value: Any, event: Any) -> None:
        """Put a finished value into the container on top of the stack."""
        container, waiting, _, _ = self.stack[-1]
        if isinstance(container, list):
            container.append(value)
        elif waiting:
            container[waiting.pop()] = value
        elif not isinstance(value, str):
            raise MetadataError("invalid map key type: keys must be strings", _line(event))
        elif value == "<<":
            raise MetadataError("merge keys are not supported", _line(event))
        elif value in container:
            raise MetadataError(f'mapping key "{value}" already defined', _line(event))
        else:
            waiting.append(value)


def _tag_of(container: Any) -> str:
    return "seq" if isinstance(container, list) else "map"


def _line(event: Any) -> int:
    return int(event.start_mark.line)


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if event.tag not in (None, "!", _STRING_TAG):
        raise MetadataError(f"unknown tag {event.tag}", _line(event))
    if event.style or event.tag:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.match(text):
        raise MetadataError(f"{text} is not a number that JSON knows", _line(event))
    if text[0] in "0123456789+-.":
        return _number(text, event)
    return text


def _number(text: str, event: Any) -> Any:
    date = _DATE.match(text)
    if date:
        return _instant(text, date)
    digits = text.replace("_", "")
    found = _INTEGER.match(digits)
    if found and len(digits) <= 20:
        sign, hexadecimal, binary, octal, decimal = found.groups()
        for base, part in ((16, hexadecimal), (2, binary), (8, octal), (10, decimal)):
            if part is not None:
                return -int(part, base) if sign == "-" else int(part, base)
    if _FLOAT.match(digits):
        number = float(digits)
        if math.isinf(number):
            raise MetadataError("number too big", _line(event))
        return number
    return text


def _instant(text: str, date: re.Match[str]) -> str:
    """A date or time the way Go writes it in JSON; the text itself if there is no such day."""
    year, month, day, space, hour, minute, second, fraction, zone = date.groups()
    if hour and bool(space) == bool(zone):
        return text
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return text
    digits = (fraction or "").rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{digits}{zone or 'Z'}"

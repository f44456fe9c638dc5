"""YAML as text: yaml.marshal, yaml.unmarshal, yaml.is_valid.

Reading follows go-yaml v3, which OPA uses: YAML 1.2 scalars and some of 1.1 (``0777``,
``0b1``, ``1_000``, merge keys), but ``yes`` and dates are strings; of equal keys the last
counts.  No tag makes anything but a plain value, and what aliases expand to is bounded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import BuiltinContext, BuiltinError, builtin, want_string
from adjudge.rego.builtins.yaml_scalars import (
    FLOAT,
    MERGE,
    STR,
    TIMESTAMP,
    float_key,
    resolve,
    short_tag,
    timestamp_text,
)
from adjudge.rego.builtins.yaml_writer import to_yaml
from adjudge.rego.runtime.numbers import parse_number
from adjudge.rego.runtime.text import MAX_DEPTH, valid_text
from adjudge.rego.runtime.values import Value

_FREE_ALIASES: Final = 100
_FREE_NODES: Final = 1000
_SMALL_DOCUMENT: Final = 400_000
_LARGE_DOCUMENT: Final = 4_000_000
_MERGE_ERROR: Final = "yaml: map merge requires map or sequence of maps as the value"


@builtin("yaml.marshal", context=True)
def marshal(context: BuiltinContext, value: Value) -> str:
    """The value as YAML."""
    text = to_yaml(value)
    if len(text) > context.max_size:
        raise too_large(context)
    return text


@builtin("yaml.unmarshal", context=True)
def unmarshal(context: BuiltinContext, text: Value) -> Any:
    """The value of the first document of the text; null when there is none."""
    return parse_yaml(context, want_string(text, 1))


@builtin("yaml.is_valid", context=True)
def is_valid(context: BuiltinContext, text: Value) -> bool:
    """Whether the value is a string of YAML that a value can be made of."""
    if not isinstance(text, str):
        return False
    try:
        parse_yaml(context, text)
    except BuiltinError as error:
        if error.halt:
            raise
        return False
    return True


def parse_yaml(context: BuiltinContext, text: str) -> Any:
    """The value of the first document.

    Raises :class:`BuiltinError` in go-yaml's words; ``halt`` is set when the value would
    be larger than the context allows.
    """
    documents = list(_documents(valid_text(text)))
    return _Decoder(context).value(documents[0]) if documents else None


class _Node:
    """A node of a document.  ``content`` holds the items, or keys and values in turn."""

    __slots__ = ("content", "kind", "quoted", "tag", "target", "text")

    def __init__(
        self,
        kind: str,
        tag: str = "",
        text: str = "",
        quoted: bool = False,
        target: _Node | None = None,
    ) -> None:
        self.kind = kind
        self.tag = tag
        self.text = text
        self.quoted = quoted
        self.target = target
        self.content: list[_Node] = []

    def is_merge(self) -> bool:
        """Whether the node, as a key, is ``<<``."""
        return self.kind == "scalar" and self.text == "<<" and self.tag == MERGE


# -- from text to nodes ----------------------------------------------------------------------


def _documents(text: str) -> Iterator[_Node]:
    """The root nodes of all documents."""
    # Reading YAML is rare in a policy; the library is loaded when one does.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from _compose(yaml, yaml.parse(text, Loader=loader))
    except yaml.reader.ReaderError:
        raise BuiltinError("yaml: control characters are not allowed") from None
    except yaml.MarkedYAMLError as error:
        raise BuiltinError(_syntax_message(yaml, error)) from None


def _compose(yaml: Any, events: Any) -> Iterator[_Node]:
    anchors: dict[str, _Node] = {}
    open_nodes: list[_Node] = []
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                raise BuiltinError(f"yaml: unknown anchor '{event.anchor}' referenced")
            node = _Node("alias", text=event.anchor, target=anchors[event.anchor])
        elif isinstance(event, yaml.ScalarEvent):
            quoted = bool(event.style)
            tag = MERGE if event.value == "<<" and not quoted else ""
            node = _Node("scalar", short_tag(event.tag) or tag, event.value, quoted)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = _Node("sequence")
        elif isinstance(event, yaml.MappingStartEvent):
            node = _Node("mapping")
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            node = open_nodes.pop()
            if not open_nodes:
                yield node
            continue
        else:
            continue
        if open_nodes:
            open_nodes[-1].content.append(node)
        if node.kind != "alias" and event.anchor is not None:
            anchors[event.anchor] = node
        if node.kind in ("sequence", "mapping"):
            open_nodes.append(node)
            if len(open_nodes) > MAX_DEPTH:
                raise BuiltinError(f"yaml: exceeded max depth of {MAX_DEPTH}")
        elif not open_nodes:
            yield node


def _syntax_message(yaml: Any, error: Any) -> str:
    """go-yaml counts lines from 0, but those of the scanner from 1, and leaves out 0."""
    line = 0
    for mark in (error.context_mark, error.problem_mark):
        if mark is not None and mark.line:
            line = mark.line + isinstance(error, yaml.scanner.ScannerError)
            break
    where = f"line {line}: " if line else ""
    return f"yaml: {where}{error.problem or 'unknown problem parsing YAML content'}"


# -- from nodes to values ----------------------------------------------------------------------


class _Decoder:
    """Makes values of the nodes of one document."""

    def __init__(self, context: BuiltinContext) -> None:
        self.context = context
        self.decoded = 0
        self.aliased = 0
        self.alias_depth = 0
        self.open_aliases: set[int] = set()

    def value(self, node: _Node, depth: int = 0) -> Any:
        """The value of a node."""
        self._count(depth)
        if node.kind == "scalar":
            return _scalar(node)
        if node.kind == "alias":
            return self._alias(node, depth)
        if node.kind == "sequence":
            return [self.value(item, depth + 1) for item in node.content]
        return self._mapping(node, depth)

    def _count(self, depth: int) -> None:
        """Account for one more node, and refuse what grows by aliases beyond reason."""
        self.decoded += 1
        self.aliased += self.alias_depth > 0
        self.context.charge(1)
        if self.decoded > self.context.max_size:
            raise too_large(self.context)
        if depth > MAX_DEPTH:
            raise BuiltinError(f"yaml: exceeded max depth of {MAX_DEPTH}")
        if self.aliased > _FREE_ALIASES and self.decoded > _FREE_NODES:
            over = self.decoded - _SMALL_DOCUMENT
            share = min(1.0, max(0.0, over / (_LARGE_DOCUMENT - _SMALL_DOCUMENT)))
            if self.aliased / self.decoded > 0.99 - 0.89 * share:
                raise BuiltinError("yaml: document contains excessive aliasing")

    def _alias(self, node: _Node, depth: int) -> Any:
        assert node.target is not None
        if id(node) in self.open_aliases:
            raise BuiltinError(f"yaml: anchor '{node.text}' value contains itself")
        self.open_aliases.add(id(node))
        self.alias_depth += 1
        value = self.value(node.target, depth + 1)
        self.alias_depth -= 1
        self.open_aliases.discard(id(node))
        return value

    def _mapping(self, node: _Node, depth: int) -> dict[str, Any]:
        """A mapping with string keys; merged keys count less than its own."""
        out: dict[str, Any] = {}
        merges: list[_Node] = []
        for key, item in zip(node.content[::2], node.content[1::2], strict=True):
            if key.is_merge():
                merges += item.content if item.kind == "sequence" else [item]
                continue
            out[self._key(key, depth)] = self.value(item, depth + 1)
        for merged in merges:
            source = merged.target if merged.kind == "alias" else merged
            if source is None or source.kind != "mapping":
                raise BuiltinError(_MERGE_ERROR)
            for name, item in self.value(merged, depth + 1).items():
                out.setdefault(name, item)
        return out

    def _key(self, node: _Node, depth: int) -> str:
        scalar = node.target if node.kind == "alias" and node.target else node
        if scalar.kind == "scalar" and not scalar.quoted:
            tag, number = resolve(scalar.tag, scalar.text)
            if tag == FLOAT and math.isfinite(number):
                return float_key(number)
        key = self.value(node, depth + 1)
        if key.__class__ in (dict, list):
            raise BuiltinError("yaml: invalid map key")
        if isinstance(key, str):
            return key
        if key is None:
            raise BuiltinError("unsupported map key of type: %!s(<nil>), key: <nil>")
        return json.dumps(key)


def _scalar(node: _Node) -> Any:
    if node.tag == STR or (node.quoted and not node.tag):
        return node.text
    found, value = resolve(node.tag, node.text)
    if found == TIMESTAMP and node.tag == TIMESTAMP:
        return timestamp_text(node.text)
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
        raise BuiltinError(f"json: unsupported value: {shown}")
    return _as_json(value)


def _as_json(number: float) -> Any:
    """A float as the number that Go's JSON text of it stands for."""
    text = repr(number)
    if number.is_integer() and abs(number) < 1e21:
        return parse_number(format(number, ".0f") if "e" not in text else _expanded(text))
    return parse_number(text.replace("e-0", "e-"))


def _expanded(text: str) -> str:
    head, _, exponent = text.partition("e")
    whole, _, fraction = head.partition(".")
    return whole + fraction.ljust(int(exponent), "0")

"""The rule tree at run time, and documents that rules and base data make together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from adjudge.rego.runtime.operators import (
    Branch,
    Elements,
    at,
    finish,
    join,
    merge_documents,
    ordered_pairs,
)
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, order_key, unbox

if TYPE_CHECKING:
    from adjudge.rego.runtime.context import Context


class RuleNode:
    """A node of the rule tree: children by key, and the rule at this very path if any.

    ``parts`` evaluates a partial object before it is finished, so that what stands
    below it can be joined in.
    """

    __slots__ = ("children", "is_function", "parts", "rule", "slot")

    def __init__(self) -> None:
        self.children: dict[Any, RuleNode] = {}
        self.rule: Callable[[Context], Value] | None = None
        self.parts: Callable[[Context], Branch] | None = None
        self.slot = -1
        self.is_function = False


class LazyDocument:
    """A part of ``data`` that is not evaluated yet."""

    __slots__ = ("base", "node")

    def __init__(self, node: RuleNode, base: Value) -> None:
        self.node = node
        self.base = base


def document(c: Context, node: RuleNode, base: Value) -> Value:
    """Everything at and below a node, rules and base documents."""
    return merge_documents(finish(_parts(c, node)), base)


def _parts(c: Context, node: RuleNode) -> Any:
    """What the rules at and below a node contribute, unfinished."""
    own: Any = UNDEFINED
    if node.parts is not None and node.children:
        own = node.parts(c)
    elif node.rule is not None:
        own = node.rule(c)
        if own.__class__ is RegoSet:
            elements = Elements()
            elements.boxed = set(own.boxed)
            own = elements
    if not node.children:
        return own if node.rule is not None else Branch()
    out = Branch()
    for key, child in node.children.items():
        if child.is_function and not child.children:
            continue
        value = _parts(c, child)
        if value is not UNDEFINED:
            out[box(key)] = value
    return join(own, out)


def lazy_at(c: Context, value: Value, key: Value) -> Value:
    """``value[key]`` where ``value`` may be a handle; the answer may be one too."""
    if value.__class__ is not LazyDocument:
        return at(value, key)
    node, base = value.node, value.base
    child = node.children.get(key) if key.__class__ is str or key.__class__ is int else None
    below = at(base, key)
    if child is None:
        return below
    if child.rule is not None:
        return document(c, child, below)
    if child.is_function and not child.children:
        return UNDEFINED
    return LazyDocument(child, below)


def lazy_pairs(c: Context, value: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and values (or handles) of what may be a handle, in Rego's order."""
    if value.__class__ is not LazyDocument:
        return ordered_pairs(c, value)
    keys = {box(k): k for k in value.node.children}
    if value.base.__class__ is dict:
        keys.update((k, unbox(k)) for k in value.base)
    c.charge(len(keys) + 1)
    found = ((k, lazy_at(c, value, k)) for k in sorted(keys.values(), key=order_key))
    return [(k, v) for k, v in found if v is not UNDEFINED]


def force(c: Context, value: Value) -> Value:
    """The value behind a handle."""
    if value.__class__ is LazyDocument:
        return document(c, value.node, value.base)
    return value


def under(root: RuleNode, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Paths and slots of the rules at and below ``path``."""
    node: RuleNode | None = root
    for key in path:
        node = node.children.get(key) if node is not None else None
    if node is not None:
        yield from _slots(node, path)


def _slots(node: RuleNode, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    if node.slot >= 0:
        yield path, node.slot
    for key, child in node.children.items():
        yield from _slots(child, (*path, key))

"""Changes to a JSON-like input: one in, the changed input out; the original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from adjudge.documents.model import join

Path: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a JSON Patch (RFC 6902) at a path of keys and positions.

    ``old`` is what stood there, ``cost`` how large the change is in comparison with others.
    """

    op: Literal["add", "remove", "replace"]
    path: Path
    old: Any = None
    new: Any = None
    cost: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """The operation as JSON Patch has it."""
        out: dict[str, Any] = {"op": self.op, "path": join("", *self.path)}
        if self.op != "remove":
            out["value"] = self.new
        return out


def applied(document: Any, changes: Iterable[Change]) -> Any:
    """The document with the changes made, in their order.

    Objects on the way that are not there are made.  What is shared stays shared: lists at the
    top of the input that hold an object which is replaced hold the new one.
    """
    for change in changes:
        document = _applied(document, change)
    return document


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path; None when nothing does."""
    try:
        for step in path:
            value = value[step]
    except (KeyError, IndexError, TypeError):
        return None
    return value


def _applied(document: Any, change: Change) -> Any:
    new = _changed(document, change.path, change)
    if not isinstance(document, dict) or len(change.path) < 3:
        return new
    top, index = change.path[:2]
    if not isinstance(document.get(top), list) or not isinstance(index, int):
        return new
    old_item, new_item = document[top][index], new[top][index]
    for name, items in document.items():
        if name != top and isinstance(items, list) and any(i is old_item for i in items):
            new[name] = [new_item if i is old_item else i for i in items]
    return new


def _changed(node: Any, path: Path, change: Change) -> Any:
    if not path:
        return change.new
    key, rest = path[0], path[1:]
    if isinstance(node, list) and isinstance(key, int):
        copy: Any = list(node)
        if rest:
            copy[key] = _changed(copy[key], rest, change)
        elif change.op == "remove":
            del copy[key]
        elif change.op == "add":
            copy.insert(key, change.new)
        else:
            copy[key] = change.new
        return copy
    copy = dict(node) if isinstance(node, Mapping) else {}
    if not rest and change.op == "remove":
        copy.pop(key, None)
    else:
        copy[key] = _changed(copy.get(key), rest, change)
    return copy

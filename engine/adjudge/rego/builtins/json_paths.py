"""Parts of documents by path: json.filter, json.remove, json.patch (RFC 6902)."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, Final

from adjudge.rego.builtins.operands import child
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    BuiltinError,
    builtin,
    one_of_error,
    want_array,
    want_object,
)
from adjudge.rego.runtime.text import display_text, rego_text
from adjudge.rego.runtime.values import (
    UNDEFINED,
    RegoSet,
    Value,
    box,
    equal,
    type_name,
    unbox,
)

Path = list[Value]
Tree = dict[Hashable, Any]

_ARRAY_INDEX: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?\Z")
_GO_TYPES: Final = {
    "null": "ast.Null",
    "boolean": "ast.Boolean",
    "number": "ast.Number",
    "string": "ast.String",
}


# -- selecting and removing --------------------------------------------------------------


@builtin("json.filter")
def filter_(obj: Value, paths: Value) -> Any:
    """The object with only what the paths lead to."""
    source = want_object(obj, 1)
    return _filtered(source, _tree(_paths(paths)))


@builtin("json.remove")
def remove(obj: Value, paths: Value) -> Any:
    """The object without what the paths lead to."""
    source = want_object(obj, 1)
    return _without(source, _tree(_paths(paths)))


def _paths(operand: Value) -> list[Path]:
    if operand.__class__ is list:
        return [_path(item) for item in operand]
    if operand.__class__ is RegoSet:
        return [_path(item) for item in operand.ordered()]
    raise one_of_error(2, "set, array", operand)


def _path(value: Value) -> Path:
    """The steps of a JSON pointer, whose first slash may be missing, or of an array."""
    if value.__class__ is list:
        return list(value)
    if not isinstance(value, str):
        raise BuiltinError(
            "operand 2 must be one of {set, array} containing string paths or array of path "
            f"segments but got {type_name(value)}",
            "eval_type_error",
        )
    if not value:
        return []
    return [s.replace("~1", "/").replace("~0", "~") for s in value.lstrip("/").split("/")]


def _tree(paths: list[Path]) -> Tree:
    """The paths as nested keys; where a path ends stands None, and nothing goes deeper."""
    root: Tree = {}
    for path in paths:
        node: Any = root
        for step in path[:-1]:
            node = node.setdefault(box(step), {})
            if node is None:
                break
        if path and node is not None:
            node[box(path[-1])] = None
    return root


def _filtered(value: Value, tree: Tree | None) -> Any:
    if tree is None:
        return value
    cls = value.__class__
    if cls is dict:
        return {k: _filtered(v, tree[k]) for k, v in value.items() if k in tree}
    if cls is list:
        kept = ((v, tree.get(str(i), UNDEFINED)) for i, v in enumerate(value))
        return [_filtered(v, below) for v, below in kept if below is not UNDEFINED]
    if cls is RegoSet:
        return RegoSet(_filtered(unbox(e), tree[e]) for e in value.boxed if e in tree)
    return value


def _without(value: Value, tree: Tree) -> Any:
    cls = value.__class__
    if cls is dict:
        out: dict[Hashable, Value] = {}
        for key, item in value.items():
            below = tree.get(key, UNDEFINED)
            if below is not None:
                out[key] = item if below is UNDEFINED else _without(item, below)
        return out
    if cls is list:
        kept = ((v, tree.get(str(i), UNDEFINED)) for i, v in enumerate(value))
        return [
            v if below is UNDEFINED else _without(v, below)
            for v, below in kept
            if below is not None
        ]
    if cls is RegoSet:
        members = ((unbox(e), tree.get(e, UNDEFINED)) for e in value.boxed)
        return RegoSet(
            v if below is UNDEFINED else _without(v, below)
            for v, below in members
            if below is not None
        )
    return value


# -- patching ------------------------------------------------------------------------------


@builtin("json.patch", context=True)
def patch(context: BuiltinContext, target: Value, operations: Value) -> Any:
    """The target after the operations of an RFC 6902 patch, which may also edit sets
    (a set's element is found by its value).  Undefined when the whole target is removed."""
    document = _Document(context, target)
    for operation in want_array(operations, 2):
        _apply(document, operation)
    return document.value


def _apply(document: _Document, operation: Value) -> None:
    if operation.__class__ is not dict:
        raise BuiltinError(
            "must be an array of JSON-Patch objects, but at least one element is not an object"
        )
    if "path" not in operation:
        raise BuiltinError("missing required attribute 'path'")
    if "op" not in operation:
        raise BuiltinError("missing required attribute 'op'")
    op = operation["op"]
    if not isinstance(op, str):
        raise BuiltinError(f"attribute 'op' must be a string but found: {type_name(op)}")
    path = _path(operation["path"])
    if op == "add":
        document.insert(path, _attribute(operation, "value"))
    elif op == "remove":
        document.delete(path)
    elif op == "replace":
        document.delete(path)
        document.insert(path, _attribute(operation, "value"))
    elif op == "move":
        source = _path(_attribute(operation, "from"))
        moved = document.at(source)
        document.delete(source)
        document.insert(path, moved)
    elif op == "copy":
        document.insert(path, document.at(_path(_attribute(operation, "from"))))
    elif op == "test":
        found = document.at(path)
        want = _attribute(operation, "value")
        if found is UNDEFINED or not equal(found, want):
            shown = "<nil>" if found is UNDEFINED else rego_text(found)
            raise BuiltinError(
                "value from EditTree != patch value.\n\n"
                f"Expected: {rego_text(want)}\n\nFound: {shown}"
            )
    else:
        raise BuiltinError(f"unrecognized op: '{op}'")


def _attribute(operation: Tree, name: str) -> Value:
    if name not in operation:
        raise BuiltinError(f"missing required attribute '{name}'")
    return operation[name]


class _Document:
    """A value that is edited by making new containers along a path."""

    def __init__(self, context: BuiltinContext, value: Value) -> None:
        self.context = context
        self.value = value

    def at(self, path: Path) -> Value:
        """The value the path leads to; ``UNDEFINED`` when everything was removed."""
        value = self.value
        for step in path:
            value = _step(value, step)
        return value

    def insert(self, path: Path, value: Value) -> None:
        """Put a value where the path leads."""
        if not path:
            self.value = value
            return
        self._edit(path, lambda container, key: _inserted(container, key, value))

    def delete(self, path: Path) -> None:
        """Remove the value the path leads to."""
        if path:
            self._edit(path, _deleted)
        elif self.value is UNDEFINED:
            raise BuiltinError("deleted node encountered during delete operation")
        else:
            self.value = UNDEFINED

    def _edit(self, path: Path, change: Callable[[Value, Value], Value]) -> None:
        trail = [self.value]
        for step in path[:-1]:
            trail.append(_step(trail[-1], step))
        edited = change(trail.pop(), path[-1])
        self.context.charge(1 + _size(edited))
        for container, key in zip(reversed(trail), reversed(path[:-1]), strict=True):
            self.context.charge(1 + _size(container))
            edited = _replaced(container, key, edited)
        self.value = edited


def _size(value: Value) -> int:
    return len(value) if value.__class__ in (list, dict, RegoSet) else 0


def _step(value: Value, key: Value) -> Value:
    """The element of a container under a step of a path."""
    if value is UNDEFINED:
        raise BuiltinError("nil value encountered where composite value was expected")
    if value.__class__ is list:
        key = _index(len(value), key)
    elif value.__class__ is not dict and value.__class__ is not RegoSet:
        raise BuiltinError(
            f"expected composite type for path {rego_text(key)}, found value: "
            f"{rego_text(value)} (type: {_GO_TYPES[type_name(value)]})"
        )
    found = child(value, key)
    if found is UNDEFINED:
        shown = display_text(key) if value.__class__ is RegoSet else rego_text(key)
        raise BuiltinError(
            f"path {shown} does not exist in {type_name(value)} term {rego_text(value)}"
        )
    return found


def _inserted(container: Value, key: Value, value: Value) -> Value:
    if container.__class__ is dict:
        return {**container, box(key): value}
    if container.__class__ is RegoSet:
        if not equal(key, value):
            raise BuiltinError(
                f"set key {rego_text(key)} does not equal value to be inserted {rego_text(value)}"
            )
        return RegoSet.of_boxed(container.boxed | {box(value)})
    if container.__class__ is list:
        index = _index(len(container), key)
        if not 0 <= index <= len(container):
            raise BuiltinError("index for array insertion out of bounds")
        return [*container[:index], value, *container[index:]]
    raise _not_composite(container, "insert")


def _deleted(container: Value, key: Value) -> Value:
    if container.__class__ is list:
        index = _index(len(container), key)
        if not 0 <= index < len(container):
            raise BuiltinError("index for array delete out of bounds")
        return container[:index] + container[index + 1 :]
    unwanted = box(key)
    if container.__class__ is dict:
        if unwanted not in container:
            raise _no_child(key)
        return {k: v for k, v in container.items() if k != unwanted}
    if container.__class__ is RegoSet:
        if unwanted not in container.boxed:
            raise _no_child(key)
        return RegoSet.of_boxed(container.boxed - {unwanted})
    raise _not_composite(container, "delete")


def _replaced(container: Value, key: Value, value: Value) -> Value:
    """The container with another value where the step of a path leads."""
    if container.__class__ is dict:
        return {**container, box(key): value}
    if container.__class__ is RegoSet:
        return RegoSet.of_boxed((container.boxed - {box(key)}) | {box(value)})
    index = _index(len(container), key)
    return [*container[:index], value, *container[index + 1 :]]


def _no_child(key: Value) -> BuiltinError:
    return BuiltinError(f"cannot delete child key {rego_text(key)} that does not exist")


def _not_composite(value: Value, action: str) -> BuiltinError:
    if value is UNDEFINED:
        return BuiltinError(f"deleted node encountered during {action} operation")
    kind = _GO_TYPES[type_name(value)]
    return BuiltinError(f"expected composite type, found value: {rego_text(value)} (type: {kind})")


def _index(length: int, key: Value) -> int:
    """An array index from a step of a path: a number, its text, or ``-`` for the end."""
    if isinstance(key, str):
        if key == "-":
            return length
        if not _ARRAY_INDEX.match(key):
            raise BuiltinError("invalid string for indexing")
        if key != "0" and key.startswith("0"):
            raise BuiltinError("leading zeros are not allowed in JSON paths")
        return int(float(key))
    if key.__class__ is int:
        return int(key)
    if isinstance(key, float) and key.is_integer():
        return int(key)
    if type_name(key) == "number":
        raise BuiltinError("invalid number type for indexing")
    raise BuiltinError("invalid type for indexing")

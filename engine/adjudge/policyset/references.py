"""Parsed modules in, those out that some of them need: what a chosen rule stands on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from adjudge.rego.parser.walk import Node, children
from adjudge.rego.syntax import Module, Ref, Scalar, Var

Path: TypeAlias = tuple[str, ...]


def needed(modules: Sequence[Module], chosen: Iterable[Module]) -> list[Module]:
    """``chosen``, and every module of ``modules`` whose package they refer to, in order.

    A reference with a part that is known only when it is evaluated stands for every package
    it can reach.
    """
    kept = {id(m) for m in chosen}
    todo = [m for m in modules if id(m) in kept]
    while todo:
        module = todo.pop()
        paths = {module.package, *references(module)}
        for other in modules:
            if id(other) not in kept and any(_meet(path, other.package) for path in paths):
                kept.add(id(other))
                todo.append(other)
    return [m for m in modules if id(m) in kept]


def references(module: Module) -> set[Path]:
    """The paths below ``data`` that a module refers to, as far as they are known."""
    found: set[Path] = set()
    stack: list[Node] = [*module.rules, *(i.path for i in module.imports)]
    while stack:
        node = stack.pop()
        if isinstance(node, Ref) and isinstance(node.head, Var) and node.head.name == "data":
            found.add(_known(node))
            stack.extend(node.operands)
        elif isinstance(node, Var) and node.name == "data":
            found.add(())
        else:
            stack.extend(children(node))
    return found


def _known(ref: Ref) -> Path:
    """The leading operands of a reference that are names."""
    names: list[str] = []
    for operand in ref.operands:
        if not isinstance(operand, Scalar) or not isinstance(operand.value, str):
            break
        names.append(operand.value)
    return tuple(names)


def _meet(path: Path, package: Path) -> bool:
    """Whether one of two paths begins with the other."""
    shorter = min(len(path), len(package))
    return path[:shorter] == package[:shorter]

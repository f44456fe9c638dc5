"""Trees and graphs: walk, graph.reachable, graph.reachable_paths."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import (
    BuiltinContext,
    builtin,
    operand_error,
    want_object,
)
from adjudge.rego.runtime.values import UNDEFINED, RegoSet, Value, box, sorted_items


@builtin("walk", context=True, relation=True)
def walk(context: BuiltinContext, value: Value) -> Iterator[list[Value]]:
    """Every ``[path, value]`` below and including the value, parents first."""
    stack: list[tuple[list[Value], Value]] = [([], value)]
    while stack:
        path, current = stack.pop()
        yield [path, current]
        below = _children(current)
        context.charge(1 + len(below) * (1 + len(path) // 8))
        for key, item in reversed(below):
            stack.append(([*path, key], item))


def _children(value: Value) -> list[tuple[Value, Value]]:
    cls = value.__class__
    if cls is dict:
        return sorted_items(value)
    if cls is list:
        return list(enumerate(value))
    if cls is RegoSet:
        return [(item, item) for item in value.ordered()]
    return []


def _vertices(value: Value) -> list[Value]:
    """The elements of an array or a set; nothing of anything else."""
    if value.__class__ is list:
        return value
    return value.ordered() if value.__class__ is RegoSet else []


def _initial(value: Value) -> list[Value]:
    if value.__class__ is list or value.__class__ is RegoSet:
        return _vertices(value)
    raise operand_error(2, "{array, set}", value)


@builtin("graph.reachable", context=True)
def reachable(context: BuiltinContext, graph: Value, initial: Value) -> RegoSet:
    """The vertices of the graph that can be reached from the initial ones."""
    edges = want_object(graph, 1)
    queue = deque(map(box, _initial(initial)))
    reached = set()
    while queue:
        vertex = queue.popleft()
        if vertex in reached or vertex not in edges:
            continue
        reached.add(vertex)
        neighbours = _vertices(edges[vertex])
        context.charge(1 + len(neighbours))
        queue.extend(map(box, neighbours))
    return RegoSet.of_boxed(reached)


@builtin("graph.reachable_paths", context=True)
def reachable_paths(context: BuiltinContext, graph: Value, initial: Value) -> RegoSet:
    """The paths from the initial vertices along the edges, each as long as it gets.

    A path ends where it would go on to a vertex that it, or a path before it with the same
    first two vertices, has come through.  So say OPA's published cases; its later releases
    follow every path to its end, of which there may be exponentially many.
    """
    edges = want_object(graph, 1)
    paths = _Paths(context, edges)
    for start in _initial(initial):
        neighbours = edges.get(box(start), UNDEFINED)
        if neighbours is UNDEFINED:
            continue
        if not _vertices(neighbours):
            paths.add([start])
        for neighbour in _vertices(neighbours):
            paths.follow(start, neighbour)
    return RegoSet(paths.found)


class _Paths:
    """Collects paths depth first, without recursion."""

    def __init__(self, context: BuiltinContext, edges: dict[Any, Value]) -> None:
        self.context = context
        self.edges = edges
        self.found: list[list[Value]] = []
        self.size = 0
        self.stack: list[tuple[list[Value], Iterator[Value]]] = []

    def add(self, path: list[Value]) -> None:
        """Keep a path, within the limit."""
        self.size += len(path)
        self.context.charge(1 + len(path))
        if self.size > self.context.max_size:
            raise too_large(self.context)
        self.found.append(path)

    def follow(self, start: Value, neighbour: Value) -> None:
        """All paths that begin with these two vertices."""
        reached = {box(start)}
        self._visit([start], neighbour, reached)
        while self.stack:
            path, neighbours = self.stack[-1]
            following = next(neighbours, UNDEFINED)
            if following is UNDEFINED:
                self.stack.pop()
            elif box(following) in reached:
                self.add(path)
            else:
                self._visit(path, following, reached)

    def _visit(self, path: list[Value], vertex: Value, reached: set[Any]) -> None:
        neighbours = self.edges.get(box(vertex), UNDEFINED)
        self.context.charge(1 + len(path))
        if neighbours is UNDEFINED:
            self.add(path)
        elif not _vertices(neighbours):
            self.add([*path, vertex])
        else:
            reached.add(box(vertex))
            self.stack.append(([*path, vertex], iter(_vertices(neighbours))))

"""Rules that depend on themselves are errors; Rego evaluates no recursion."""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes.constants import Known, bind, known_values, values_of
from adjudge.rego.passes.model import Compilation, Group, Node, Path, path_text
from adjudge.rego.syntax import Ref, Scalar, Term, Var, walk


def run(comp: Compilation) -> None:
    """Fill ``comp.graph``; report each rule on a cycle of it."""
    graph = comp.graph = {
        path: sorted(_targets(comp, group), key=str) for path, group in comp.groups.items()
    }
    for path, cycle in _cycles(graph):
        group = comp.groups[path]
        first = group.first
        shown = " -> ".join(path_text(p) for p in cycle)
        comp.error(
            f"rule {path_text(path)} is recursive: {shown}", first.loc, "rego_recursion_error"
        )


def _targets(comp: Compilation, group: Group) -> set[Path]:
    out: set[Path] = set()
    for clause in group.all_clauses():
        known: Known | None = None
        for n, expr in enumerate(clause.body):
            for operands in references(expr):
                if known is None and not all(isinstance(o, Scalar) for o in operands):
                    known = known_values(clause.body[:n])
                out |= reached(comp, operands, known or {})
            if known is not None:
                bind(expr, known)
        for operands in references((clause.args, clause.tail, clause.key, clause.value)):
            out |= reached(comp, operands, known_values(clause.body) if known is None else known)
    return out


def references(node: object) -> Iterator[tuple[Term, ...]]:
    """What follows ``data`` in all references to it in any part of the tree."""
    heads: set[int] = set()
    for item in walk(node):
        if isinstance(item, Ref) and isinstance(item.head, Var) and item.head.name == "data":
            heads.add(id(item.head))
            yield item.operands
        elif isinstance(item, Var) and item.name == "data" and id(item) not in heads:
            yield ()


def reached(comp: Compilation, operands: tuple[Term, ...], known: Known | None = None) -> set[Path]:
    """The groups a reference below ``data`` may reach; an operand of which no values are
    known reaches all children."""
    found: set[Path] = set()
    nodes: list[Node] = [comp.tree]
    for operand in operands:
        below: list[Node] = []
        for node in nodes:
            if node.group is not None:
                found.add(node.path)
            values = values_of(operand, known or {})
            if values:
                # Terms are no keys of the tree, only what they stand for may be.
                children = map(node.children.get, values)
                below.extend(c for c in children if c is not None)
            else:
                below.extend(node.children.values())
        nodes = below
    for node in nodes:
        found.update(_all_groups(node))
    return found


def _all_groups(node: Node) -> Iterator[Path]:
    if node.group is not None:
        yield node.path
    for child in node.children.values():
        yield from _all_groups(child)


def _cycles(graph: dict[Path, list[Path]]) -> Iterator[tuple[Path, list[Path]]]:
    """Each path that can reach itself, with one way round."""
    for component in _components(graph):
        members = set(component)
        if len(component) == 1 and component[0] not in graph[component[0]]:
            continue
        for start in component:
            yield start, _way_round(start, graph, members)


def _way_round(start: Path, graph: dict[Path, list[Path]], members: set[Path]) -> list[Path]:
    parents: dict[Path, Path] = {}
    queue = [start]
    for node in queue:
        for target in graph[node]:
            if target == start:
                way = [start]
                at = node
                while at != start:
                    way.append(at)
                    at = parents[at]
                return [start, *reversed(way[1:]), start]
            if target in members and target not in parents:
                parents[target] = node
                queue.append(target)
    return [start, start]


def _components(graph: dict[Path, list[Path]]) -> Iterator[list[Path]]:
    """Strongly connected components (Tarjan, without Python recursion)."""
    index: dict[Path, int] = {}
    low: dict[Path, int] = {}
    on_stack: set[Path] = set()
    stack: list[Path] = []
    for root in graph:
        if root in index:
            continue
        work: list[tuple[Path, Iterator[Path]]] = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(graph[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component: list[Path] = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    yield component

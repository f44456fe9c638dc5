"""Rules that depend on themselves are errors; Rego evaluates no recursion."""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes.constants import Known, bind, known_values, values_of
from adjudge.rego.passes.cycles import Cycles
from adjudge.rego.passes.model import Clause, Compilation, Group, Node, Path
from adjudge.rego.syntax import Ref, Scalar, Term, Var, walk


def run(comp: Compilation) -> None:
    """Fill ``comp.graph``; report the rules on cycles of it."""
    graph = comp.graph = {
        path: sorted({t for _, t, _, _ in _reads(comp, group)}, key=str)
        for path, group in comp.groups.items()
    }
    for component in _components(graph):
        if len(component) > 1 or component[0] in graph[component[0]]:
            members = set(component)
            inside = (
                read
                for path in comp.groups
                if path in members
                for read in _reads(comp, comp.groups[path])
                if read[1] in members
            )
            Cycles(comp).report(inside)


def _reads(comp: Compilation, group: Group) -> Iterator[tuple[Clause, Path, tuple[Term, ...], int]]:
    """What the clauses of a group refer to: the clause, a group, the reference, and the
    place of its expression in the body."""
    for clause in group.all_clauses():
        known: Known | None = None
        for n, expr in enumerate(clause.body):
            for operands in references(expr):
                if known is None and not all(isinstance(o, Scalar) for o in operands):
                    known = known_values(clause.body[:n])
                for path in reached(comp, operands, known):
                    yield clause, path, operands, n
            if known is not None:
                bind(expr, known)
        for operands in references((clause.args, clause.tail, clause.key, clause.value)):
            for path in reached(comp, operands, known or known_values(clause.body)):
                yield clause, path, operands, len(clause.body)


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

"""Groups that may depend on themselves in, errors about the rules on each cycle out.

Rules are looked at one by one here, not by group.  A reference with a variable in it may
or may not reach a rule; where only such a reference closes a cycle, the rule *may be*
recursive, and the error says what the variable would have to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adjudge.rego.passes.constants import known_values, values_of
from adjudge.rego.passes.model import Clause, Compilation, Path
from adjudge.rego.passes.origins import Origins
from adjudge.rego.passes.tree import rule_name
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.passes.variables import ROOTS, body_all_vars
from adjudge.rego.runtime.text import rego_text
from adjudge.rego.syntax import Scalar, Term, Var, walk

MAX_CONDITIONS = 2
"""With more conditions than this, the error only names the reference."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What makes one rule depend on another; ``static`` when it does whatever happens."""

    target: Clause
    operands: tuple[Term, ...]
    static: bool
    conditions: tuple[int, ...]
    at: int


class Cycles:
    """Reports the rules on cycles among some groups."""

    def __init__(self, comp: Compilation) -> None:
        self.comp = comp
        self.text = TermText(lambda name: None)
        self._edges: dict[int, list[Edge]] = {}

    def report(self, reads: Iterable[tuple[Clause, Path, tuple[Term, ...], int]]) -> None:
        """Report each rule that can reach itself.

        ``reads`` are clauses, each with a group that it reaches, the reference by which it
        does, and the place of that in the body.
        """
        clauses: dict[int, Clause] = {}
        for clause, path, operands, at in reads:
            clauses[id(clause)] = clause
            edges = self._edges.setdefault(id(clause), [])
            for target in self.comp.groups[path].all_clauses():
                edges.append(self._edge(clause, target, path, operands, at))
        for clause in clauses.values():
            way = self._way(clause, static=True)
            possible = way is None
            way = way or self._way(clause, static=False)
            if way is None:
                continue
            names = " -> ".join([self.name(clause), *(self.name(e.target) for e in way)])
            verb = "may be" if possible else "is"
            cause = self._cause(clause, way) if possible else ""
            message = f"rule {self.name(clause)} {verb} recursive: {names}{cause}"
            self.comp.error(message, clause.loc, "rego_recursion_error")

    def name(self, clause: Clause) -> str:
        """The path of a rule, with the variables in it."""
        return rule_name(self.comp.modules[clause.module], clause.rule)

    # -- edges -----------------------------------------------------------------------------

    def _edge(
        self, clause: Clause, target: Clause, path: Path, operands: tuple[Term, ...], at: int
    ) -> Edge:
        whole: tuple[Term, ...] = (*(Scalar(key) for key in path), *target.tail)
        known = known_values(clause.body[:at])
        bound = self._bound(clause, at)
        conditions: list[int] = []
        for n, (given, wanted) in enumerate(zip(operands, whole, strict=False)):
            if not isinstance(wanted, Scalar) or isinstance(given, Scalar):
                continue
            if isinstance(given, Var):
                values = values_of(given, known)
                if values == [wanted.value]:
                    continue
                if given.name not in bound and operands.count(given) == 1:
                    continue
            conditions.append(n)
        return Edge(target, operands, not conditions, tuple(conditions), at)

    def _bound(self, clause: Clause, at: int) -> set[str]:
        """The variables that may have a value when an expression is evaluated."""
        head = (clause.args, clause.tail, clause.key, clause.value)
        found = {node.name for node in walk(head) if isinstance(node, Var)}
        return found | ROOTS | body_all_vars(clause.body[:at])

    def _way(self, start: Clause, *, static: bool) -> list[Edge] | None:
        """One way from a rule back to itself."""
        visited = {id(start)}
        stack: list[tuple[list[Edge], Iterator[Edge]]] = [
            ([], iter(self._edges.get(id(start), ())))
        ]
        while stack:
            way, edges = stack[-1]
            edge = next(edges, None)
            if edge is None:
                stack.pop()
            elif edge.static or not static:
                if edge.target is start:
                    return [*way, edge]
                if id(edge.target) not in visited:
                    visited.add(id(edge.target))
                    below = iter(self._edges.get(id(edge.target), ()))
                    stack.append(([*way, edge], below))
        return None

    # -- causes ----------------------------------------------------------------------------

    def _cause(self, clause: Clause, way: list[Edge]) -> str:
        """The first reference on a way that may or may not reach the next rule."""
        source = clause
        for edge in way:
            if not edge.static:
                where = "" if source is clause else f" in {self.name(source)}"
                return f" ({self._condition(source, edge, where)})"
            source = edge.target
        return ""

    def _condition(self, source: Clause, edge: Edge, where: str) -> str:
        target = self.name(edge.target)
        group = next(g for g in self.comp.groups.values() if edge.target in g.all_clauses())
        whole = (*(Scalar(key) for key in group.path), *edge.target.tail)
        ref = self.text.ref(Var("data"), edge.operands[: len(whole)]) + where
        origins = Origins(self.comp, source, edge.at, self.text)
        found: dict[str, tuple[str, Term]] = {}
        for n in edge.conditions:
            given, wanted = edge.operands[n], whole[n]
            shown = self.text.term(given)
            if shown in found and found[shown][1] != wanted:
                return f"{ref} could refer to {target}"
            note = origins.note(given, wanted, self.name(source))
            if note is None:
                return f"{ref} could refer to {target}"
            found[shown] = (note, wanted)
        if len(found) > MAX_CONDITIONS:
            return f"{ref} could refer to {target}"
        parts = [
            f"{shown} is {rego_text(wanted.value)}{note}"
            for shown, (note, wanted) in found.items()
            if isinstance(wanted, Scalar)
        ]
        return f"{ref} refers to {target} if {' and '.join(parts)}"

"""A compilation in, what is known of it without compiling again out: rules and references.

It is made of plain tuples, so that it can be stored beside the code.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from adjudge.rego.passes.model import Compilation, Kind, Path, path_text
from adjudge.rego.plan import ir

ClausePlace: TypeAlias = tuple[tuple[str, int, int], tuple[tuple[str, int, int], ...]]
"""Where a clause stands, and where the expressions of its body do (file, row, column)."""


@dataclass(frozen=True, slots=True)
class RuleOutline:
    """A rule: ``refs`` are the slots of the rules it refers to."""

    path: Path
    kind: Kind
    refs: tuple[int, ...]
    clauses: tuple[ClausePlace, ...]

    @property
    def name(self) -> str:
        """``data.a.b``."""
        return path_text(self.path)


@dataclass(frozen=True)
class Outline:
    """The rules of a program by slot, in source order, and its packages."""

    rules: tuple[RuleOutline, ...]
    packages: tuple[tuple[str, ...], ...]

    @cached_property
    def slots(self) -> dict[Path, int]:
        """The slot of the rule at each path."""
        return {rule.path: slot for slot, rule in enumerate(self.rules)}

    def reachable(self, slots: Iterable[int], known: Container[int] = ()) -> list[int]:
        """These slots and all they can reach, but for what is known and what lies behind."""
        found = dict.fromkeys(slot for slot in slots if slot not in known)
        queue = list(found)
        for each in queue:
            for target in self.rules[each].refs:
                if target not in found and target not in known:
                    found[target] = None
                    queue.append(target)
        return queue

    def plain(self) -> tuple[Any, ...]:
        """The outline as tuples, texts and numbers."""
        rules = tuple((r.path, r.kind, r.refs, r.clauses) for r in self.rules)
        return rules, self.packages

    @classmethod
    def from_plain(cls, plain: tuple[Any, ...]) -> Outline:
        """What :meth:`plain` gave, an outline again."""
        rules, packages = plain
        return cls(tuple(RuleOutline(*rule) for rule in rules), packages)


def outline(comp: Compilation, plans: Iterable[ir.RulePlan]) -> Outline:
    """The outline of a compilation and its plans."""
    slots = {path: slot for slot, path in enumerate(comp.groups)}
    places = {plan.group.path: tuple(map(_place, plan.clauses)) for plan in plans}
    rules = tuple(
        RuleOutline(
            path,
            group.kind,
            tuple([slots[target] for target in comp.graph.get(path, ())]),
            places.get(path, ()),
        )
        for path, group in comp.groups.items()
    )
    return Outline(rules, tuple(dict.fromkeys(m.package for m in comp.modules)))


def _place(plan: ir.ClausePlan) -> ClausePlace:
    # Plain tuples: what is stored knows no classes.
    loc, exprs = plan.loc, plan.exprs
    return (loc.file, loc.row, loc.col), tuple([(e.file, e.row, e.col) for e in exprs])

"""Which probes were reached in, which lines were covered out, as OPA reports it.

A line is covered when an expression on it was evaluated, or, for a rule's head, when the
rule had a value.  Unlike OPA's evaluator, ours looks into rules that OPA's rule index
leaves out: those expressions count as covered when they were evaluated and failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adjudge.rego.extents import Extent, Extents
from adjudge.rego.probes import Probe
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Call,
    Expr,
    Head,
    Module,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Template,
    Term,
    Var,
    walk,
)


@dataclass(slots=True)
class FileCoverage:
    """The ranges of one file that were evaluated, and those that were not."""

    covered: list[Extent] = field(default_factory=list)
    not_covered: list[Extent] = field(default_factory=list)

    @property
    def covered_lines(self) -> int:
        return len(rows(self.covered))

    @property
    def not_covered_lines(self) -> int:
        return len(rows(self.not_covered))

    @property
    def percent(self) -> float:
        return _percent(self.covered_lines, self.not_covered_lines)


@dataclass(slots=True)
class Coverage:
    """The coverage of a set of files."""

    files: dict[str, FileCoverage]

    @property
    def covered_lines(self) -> int:
        return sum(f.covered_lines for f in self.files.values())

    @property
    def not_covered_lines(self) -> int:
        return sum(f.not_covered_lines for f in self.files.values())

    @property
    def percent(self) -> float:
        """Covered lines, in percent of all that count."""
        return _percent(self.covered_lines, self.not_covered_lines)

    def to_json(self) -> dict[str, Any]:
        """The report in OPA's shape."""
        return {
            "files": {name: _file_json(f) for name, f in sorted(self.files.items())},
            "covered_lines": self.covered_lines,
            "not_covered_lines": self.not_covered_lines,
            "coverage": _number(self.percent),
        }


def rows(extents: Iterable[Extent]) -> set[int]:
    """The lines that some ranges touch."""
    return {row for e in extents for row in range(e.row, e.end_row + 1)}


def spans(extents: Iterable[Extent]) -> list[tuple[int, int]]:
    """The lines that some ranges touch, as first and last line of each run."""
    out: list[tuple[int, int]] = []
    for row in sorted(rows(extents)):
        if out and row == out[-1][1] + 1:
            out[-1] = (out[-1][0], row)
        else:
            out.append((row, row))
    return out


def coverage(modules: Iterable[Module], probes: list[Probe], hits: Collection[int]) -> Coverage:
    """The coverage of modules, given the numbers of the probes that were reached.

    YAML policies are left out: their rules are no text of their own.
    """
    reached: dict[str, list[Probe]] = {}
    for number in hits:
        probe = probes[number]
        reached.setdefault(probe.clause.rule.loc.file, []).append(probe)
    files = {}
    for module in modules:
        if module.source and module.file.endswith(".rego"):
            files[module.file] = _file(module, reached.get(module.file, []))
    return Coverage(files)


def _file(module: Module, reached: list[Probe]) -> FileCoverage:
    extents = Extents(module)
    exprs = {node.loc: node for node in walk(module.rules) if isinstance(node, Expr)}
    apart = _Apart(module)
    covered = {e for probe in reached for e in _reached(probe, extents, exprs, apart)}
    places = set(_places(module, extents))
    missed = {e for e in places if not _inside(e, covered)}
    return FileCoverage(sorted(covered), sorted(missed))


def _reached(
    probe: Probe, extents: Extents, exprs: dict[Any, Expr], apart: _Apart
) -> Iterator[Extent]:
    rule = probe.clause.rule
    if probe.expr is None:
        if probe.parent is None:
            is_else = all(clause is not probe.clause for clause in probe.group.clauses)
            yield from _head(rule, is_else, extents)
            yield from (extents.term(term) for term in apart.of_head(rule.head))
    elif probe.loc.row:
        written = exprs.get(probe.loc)
        if probe.hoisted:
            assert isinstance(probe.expr.term, Call)
            yield extents.operation(probe.expr.term)
        elif written is not None:
            yield extents.expr(written)
            yield from (extents.term(term) for term in apart.of(written))


class _Apart:
    """The terms that OPA makes expressions of their own."""

    def __init__(self, module: Module) -> None:
        self._names = {name for name in map(_first_name, module.rules) if name}
        for each in module.imports:
            last = each.path.operands[-1] if isinstance(each.path, Ref) else each.path
            written = last.value if isinstance(last, Scalar) else getattr(last, "name", "")
            self._names.add(each.alias or str(written))

    def of(self, expr: Expr) -> Iterator[Term]:
        """Those of an expression."""
        term = expr.term
        if isinstance(term, SomeIn):
            if isinstance(term.domain, Ref):
                yield from self._inner(term.domain)
            elif not isinstance(term.domain, Var):
                yield from self._one(term.domain)
                if isinstance(term.domain, Array | Set | Object):
                    yield term.domain
        elif isinstance(term, Call):
            name = term.operator.name if isinstance(term.operator, Var) else ""
            inside = self._inner if name in ("eq", "equal", "assign") else self._one
            for arg in term.args:
                yield from inside(arg)
        elif isinstance(term, Ref):
            yield from self._inner(term)
        for modifier in expr.withs:
            yield from self._one(modifier.value)

    def of_head(self, head: Head) -> Iterator[Term]:
        """Those of a rule's head."""
        for term in (head.key, head.value):
            if term is not None:
                yield from self._inner(term)

    def _inner(self, term: Term) -> Iterator[Term]:
        """Those within a term that stays where it is itself, if it is no call."""
        if isinstance(term, Ref):
            for part in (term.head, *term.operands):
                if not isinstance(part, Var) or part is not term.head:
                    yield from self._one(part)
        elif not isinstance(term, Var | ArrayCompr | SetCompr | ObjectCompr):
            yield from self._one(term)

    def _one(self, term: Term) -> Iterator[Term]:
        """Those of a term, and the term itself when it has to be evaluated."""
        if isinstance(term, Call):
            for arg in term.args:
                yield from self._one(arg)
        elif isinstance(term, Array | Set):
            for item in term.items:
                yield from self._one(item)
        elif isinstance(term, Object):
            for pair in term.pairs:
                for part in pair:
                    yield from self._one(part)
        elif isinstance(term, Ref):
            yield from self._inner(term)
        evaluated = isinstance(term, Ref | Call | Template | ArrayCompr | SetCompr | ObjectCompr)
        if term.loc.row and (evaluated or (isinstance(term, Var) and term.name in self._names)):
            yield term


def _first_name(rule: Rule) -> str:
    ref = rule.head.ref
    first = ref if isinstance(ref, Var) else ref.head
    return first.name if isinstance(first, Var) else ""


def _head(rule: Rule, is_else: bool, extents: Extents) -> Iterator[Extent]:
    """What counts of a rule besides its body."""
    if rule.default:
        # OPA's head of a default rule is the word, and its body the rest.
        yield extents.word(rule.loc)
        yield extents.head(rule.head)
        return
    yield extents.head(rule.head)
    value = rule.head.value
    if not rule.body and not is_else and value is not None and value.loc.row:
        yield extents.term(value)


def _places(module: Module, extents: Extents) -> Iterator[Extent]:
    """All ranges that can be covered."""
    for first in module.rules:
        rule: Rule | None = first
        while rule is not None:
            yield from _head(rule, rule is not first, extents)
            rule = rule.orelse
    for node in walk(module.rules):
        if isinstance(node, Expr) and node.loc.row:
            if not isinstance(node.term, SomeDecl | SomeIn) and not _is_true(node):
                yield extents.expr(node)
        elif isinstance(node, Template):
            for part in node.parts:
                if not isinstance(part, str | Expr) and part.loc.row:
                    yield extents.term(part)


def _is_true(expr: Expr) -> bool:
    return isinstance(expr.term, Scalar) and expr.term.loc.row == 0


def _inside(extent: Extent, covered: set[Extent]) -> bool:
    if extent in covered:
        return True
    start, end = extent[:2], extent[2:]
    return any(c[:2] <= start and end <= c[2:] for c in covered)


def _percent(covered: int, missed: int) -> float:
    return 100.0 * covered / (covered + missed) if covered + missed else 0.0


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _file_json(file: FileCoverage) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if file.covered:
        out["covered"] = [_range(e) for e in file.covered]
    if file.not_covered:
        out["not_covered"] = [_range(e) for e in file.not_covered]
    counts: dict[str, float] = {
        "covered_lines": file.covered_lines,
        "not_covered_lines": file.not_covered_lines,
        "coverage": _number(file.percent),
    }
    # What is zero is left out, as OPA does.
    out.update({name: count for name, count in counts.items() if count})
    return out


def _range(extent: Extent) -> dict[str, dict[str, int]]:
    row, col, end_row, end_col = extent
    return {"start": {"row": row, "col": col}, "end": {"row": end_row, "col": end_col}}

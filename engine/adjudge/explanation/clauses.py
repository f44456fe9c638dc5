"""Rules over an input in, what each of their clauses did out, expression by expression.

The rules are evaluated once more with probes that report values.  Of a body that goes over
elements the attempt is told that got furthest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adjudge.errors import AdjudgeError
from adjudge.explanation.model import Clause, Expression, Status
from adjudge.rego import Program, RegoEvalError
from adjudge.rego.extents import Extents
from adjudge.rego.format import format_body, format_term
from adjudge.rego.passes.model import Path, display_name
from adjudge.rego.probes import Part, Probe, probe_values
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.text import rego_text, to_json
from adjudge.rego.runtime.values import Value
from adjudge.rego.syntax import (
    Call,
    Expr,
    Module,
    Not,
    Ref,
    Rule,
    Scalar,
    SomeDecl,
    Term,
    Var,
    walk,
)
from adjudge.source import Location

MAX_DEPTH: Final = 3
"""How many rules deep an explanation follows the rules that decided."""
MAX_VALUE: Final = 200
"""Characters shown of one value."""

Redact = Callable[[str], str]


@dataclass(slots=True)
class _Step:
    """An expression that was reached, with the values of its parts; of an ``every``, the last
    expression in it, too."""

    probe: Probe
    values: list[Value]
    inner: tuple[Probe, list[Value]] | None = None


@dataclass(slots=True)
class _Record:
    """One clause: the current attempt, the best, and how often it held."""

    rule: Rule
    path: Path
    current: list[_Step] = field(default_factory=list)
    best: list[_Step] = field(default_factory=list)
    solutions: int = 0

    def note(self, probe: Probe, values: list[Value]) -> None:
        if probe.parent is not None:
            step = next((s for s in self.current if s.probe is probe.parent), None)
            if step is not None and probe.expr is not None:
                step.inner = (probe, list(values))
            return
        self.current = [s for s in self.current if s.probe.index < probe.index]
        self.current.append(_Step(probe, list(values)))
        if probe.expr is None:
            self.solutions += 1
        if len(self.current) > len(self.best):
            self.best = self.current

    @property
    def held(self) -> bool:
        return self.solutions > 0


class Clauses:
    """What the clauses of some rules did over one input.

    ``modules`` are the sources by file name; ``redact`` takes secrets out of texts.
    """

    def __init__(
        self,
        program: Program,
        modules: Mapping[str, Module],
        input_: Value,
        options: Options,
        redact: Redact,
    ) -> None:
        self._modules = modules
        self._redact = redact
        self._extents: dict[str, Extents | None] = {}
        self._records: dict[tuple[Path, Location], _Record] = {}
        self._probed = probe_values(program, _Everything())
        services = {**options.services, "probe": self._note}
        self._context = self._probed.program.context(
            input_, replace(options, services=services), None
        )

    def of(self, path: Path) -> tuple[Clause, ...]:
        """The clauses of the rule at a path below ``data``, in order."""
        try:
            self._probed.rule(path)(self._context)
        except (RegoEvalError, RecursionError):
            pass  # what was reached until then is what can be told
        return tuple(self._clauses(path, 0))

    def values(self) -> Iterator[Any]:
        """The values of everything that was reached, those at the ends first."""
        for record in self._records.values():
            for step in reversed(record.best):
                for value in step.values:
                    yield from _plain(value)

    def _note(self, number: int, values: list[Value]) -> None:
        probe = self._probed.probes[number]
        rule = probe.clause.rule
        key = (probe.group.path, rule.loc)
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = _Record(rule, probe.group.path)
        record.note(probe, values)

    # -- telling -------------------------------------------------------------------------------

    def _clauses(self, path: Path, depth: int) -> Iterator[Clause]:
        found = [r for (p, _), r in self._records.items() if p == path]
        for record in sorted(found, key=lambda r: r.rule.loc):
            yield self._clause(record, depth)

    def _clause(self, record: _Record, depth: int) -> Clause:
        written = [e for e in record.rule.body if self._is_telling(record, e)]
        steps: dict[int, list[_Step]] = {n: [] for n in range(len(written))}
        for step in record.best:
            place = _index(written, step.probe)
            if step.probe.expr is not None and place is not None:
                steps[place].append(step)
        last = record.best[-1] if record.best else None
        failed = None
        if last is not None and last.probe.expr is not None:
            failed = _index(written, last.probe)
        expressions = []
        for number, expr in enumerate(written):
            status: Status = "held" if steps[number] else "not_reached"
            if number == failed:
                status = "failed"
            elif record.held:
                status = "held"
            expressions.append(self._expression(record, expr, status, steps[number], depth))
        # Calls and references in the head are conditions, too.
        if last is not None and last.probe.expr is not None and failed is None:
            head = Expression(self._line(record.rule.loc), record.rule.loc, "failed")
            expressions.append(head)
        name = str(record.path[-1]) if record.path else ""
        name = f"default {name}" if record.rule.default else name
        return Clause(name, record.rule.loc, record.solutions, tuple(expressions))

    def _is_telling(self, record: _Record, expr: Expr) -> bool:
        """Whether an expression decides something; the YAML front end puts the finding
        together in one that does not."""
        term = expr.term
        if isinstance(term, SomeDecl):
            return False
        if self._extents_of(record.rule.loc.file) is not None:
            return True
        made = isinstance(term, Call) and isinstance(term.operator, Var)
        return not (made and term.operator.name == "assign" and term.args[0] == Var("finding"))  # type: ignore[union-attr]

    def _expression(
        self, record: _Record, expr: Expr, status: Status, steps: Sequence[_Step], depth: int
    ) -> Expression:
        file = record.rule.loc.file
        values: dict[str, str | None] = {}
        text = self._text(file, expr)
        for step in steps:
            shown = [(step.probe, step.values)]
            if step.inner is not None and status == "failed":
                shown.append(step.inner)
            for probe, found in shown:
                for part, value in zip(probe.parts, found, strict=False):
                    self._add(values, file, part, value)
        if values.get(text) == "true":
            del values[text]  # that it held says so
        because: tuple[Clause, ...] = ()
        if steps and depth < MAX_DEPTH and status != "not_reached":
            target = next((t for s in steps if (t := _rule_of(s.probe.expr))), None)
            decided = status == "failed" or any(_negated(s.probe.expr) for s in steps)
            if target is not None and decided:
                because = tuple(self._clauses(target, depth + 1))
        return Expression(text, expr.loc, status, tuple(values.items()), because)

    def _add(self, values: dict[str, str | None], file: str, part: Part, value: Value) -> None:
        name = self._part_text(file, part)
        if name is None or name in values:
            return
        assert isinstance(value, list)
        values[name] = self._short(value[0]) if value else None

    def _short(self, value: Value) -> str:
        text = self._redact(rego_text(value))
        return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"

    # -- text ----------------------------------------------------------------------------------

    def _extents_of(self, file: str) -> Extents | None:
        """The extents of a Rego file; None for one that is YAML."""
        if file not in self._extents:
            module = self._modules.get(file)
            self._extents[file] = None
            if module is not None and module.source:
                try:
                    self._extents[file] = Extents(module) if _is_rego(module) else None
                except AdjudgeError:
                    pass
        return self._extents[file]

    def _text(self, file: str, expr: Expr) -> str:
        extents = self._extents_of(file)
        text = extents.text(extents.expr(expr)) if extents else format_body((expr,))
        return " ".join(text.split())

    def _part_text(self, file: str, part: Part) -> str | None:
        extents = self._extents_of(file)
        if extents is not None and part.loc.row:
            place = extents.operation(part.call) if part.call else extents.chain(part.loc)
            return " ".join(extents.text(place).split())
        term: Term = part.call or part.term
        if part.call is not None:
            term = replace(part.call, args=part.call.args[:-1])
            if isinstance(part.call.operator, Var) and part.call.operator.name == "eq":
                term = part.call.args[1]
        plain = _displayed(term, self._package(file))
        if any(isinstance(n, Var) and n.name.startswith("$") for n in walk(plain)):
            return None
        return " ".join(format_term(plain).split())

    def _package(self, file: str) -> tuple[str, ...]:
        module = self._modules.get(file)
        return module.package if module is not None else ()

    def _line(self, loc: Location) -> str:
        module = self._modules.get(loc.file)
        if module is None:
            return ""
        return module.source.split("\n")[loc.row - 1].strip()


class _Everything:
    """All paths."""

    def __contains__(self, path: object) -> bool:
        return True


def _is_rego(module: Module) -> bool:
    return not module.file.endswith((".yaml", ".yml", ".json"))


def _index(written: Sequence[Expr], probe: Probe) -> int | None:
    """Which of the expressions, as written, a probe's one was made from."""
    inside = [n for n, e in enumerate(written) if e.loc.row and e.loc <= probe.loc]
    return max(inside, key=lambda n: written[n].loc, default=None)


def _rule_of(expr: Expr | None) -> Path | None:
    """The rule that an expression is nothing but the name of."""
    term: object = expr.term if expr is not None else None
    if isinstance(term, Not) and len(term.condition.body) == 1:
        term = term.condition.body[0].term
    if not isinstance(term, Ref) or not isinstance(term.head, Var) or term.head.name != "data":
        return None
    keys = [o.value for o in term.operands if isinstance(o, Scalar)]
    return tuple(keys) if len(keys) == len(term.operands) else None  # type: ignore[arg-type]


def _negated(expr: Expr | None) -> bool:
    return expr is not None and (expr.negated or isinstance(expr.term, Not))


def _displayed(term: Term, package: tuple[str, ...]) -> Term:
    """A term with its variables, and the rules of its package, called as they were written."""
    if isinstance(term, Var):
        return Var(display_name(term.name), term.loc)
    if isinstance(term, Ref):
        operands = tuple(_displayed(o, package) for o in term.operands)
        names = tuple(o.value for o in operands[: len(package) + 1] if isinstance(o, Scalar))
        if term.head == Var("data") and names[:-1] == package and len(names) == len(package) + 1:
            own, rest = Var(str(names[-1])), operands[len(package) + 1 :]
            return Ref(own, rest) if rest else own
        return Ref(_displayed(term.head, package), operands, term.loc)
    if isinstance(term, Call):
        return replace(term, args=tuple(_displayed(a, package) for a in term.args))
    return term


def _plain(value: Value) -> Iterator[Any]:
    """A part's value as JSON: parts come in a list that holds the value, or nothing."""
    if isinstance(value, list) and value:
        yield to_json(value[0])

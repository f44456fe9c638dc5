"""A Program in, the same program with probes in its rules out: it tells what it does.

A probe stands before each expression of a body, in comprehensions and ``every`` too, and
at the body's end, where it is a solution.  When evaluation reaches it, the host's
``probe`` service gets the probe's number, and the values of the parts of the expression
if they were asked for.  Coverage, traces, profiles and the report of a failed test are
made of this.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from adjudge.rego.abi import RULE_PREFIX
from adjudge.rego.builtins.probe import NAME
from adjudge.rego.capabilities import BuiltinDecl
from adjudge.rego.passes.model import Clause, Compilation, Group, Node, Path
from adjudge.rego.passes.safety import Safety
from adjudge.rego.passes.variables import ROOTS, Arity, expr_outputs, term_vars
from adjudge.rego.plan import rules
from adjudge.rego.plan.terms import PlanError
from adjudge.rego.program import Program
from adjudge.rego.runtime.context import Context
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Every,
    Expr,
    Head,
    Object,
    Ref,
    Rule,
    Scalar,
    Set,
    Term,
    Var,
    With,
)
from adjudge.source import Location

QUERY: Final = Location("", 0, 0)
"""The place of what a query as a whole does."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression whose value a probe reports.

    ``loc`` is where its text begins, ``call`` the operation that gives it, if one does.
    """

    term: Term
    loc: Location
    call: Call | None


@dataclass(eq=False, slots=True)
class Probe:
    """A place in a rule.  ``expr`` is the expression about to be evaluated, None at the end
    of a body; ``index`` counts the expressions of a body, and ``parent`` is the probe of
    the expression that the body belongs to, None for the clause's own body.  ``output`` is
    the variable that an expression which the compiler took out of another one binds.
    """

    number: int
    loc: Location
    group: Group
    clause: Clause
    parent: Probe | None
    index: int
    expr: Expr | None
    output: str | None
    parts: tuple[Part, ...] = ()

    @property
    def hoisted(self) -> bool:
        """Whether the compiler took the expression out of another one."""
        return self.output is not None


@dataclass(frozen=True)
class Probed:
    """A program, its probes by number, and the functions that hold them where it is not the
    program's own that do."""

    probes: list[Probe]
    program: Program
    functions: dict[str, Any] = field(default_factory=dict)

    def query_body(self, comp: Compilation, body: Body) -> Body:
        """A checked query of the program with probes, too (``Program.prepare``)."""
        inserter = _Inserter(comp, values=False)
        inserter.probes = self.probes
        rule = Rule(Head(Var("query")))
        clause = Clause(rule, (), (), None, Scalar(True), body, None, QUERY, -1)
        group = Group((), "complete", 0, [clause])
        return inserter.body(group, clause)

    def rule(self, path: Path) -> Callable[[Context], Any]:
        """The function of a rule that is no function itself."""
        name = f"{RULE_PREFIX}{self.program._slots[path]}"
        found: Callable[[Context], Any] = self.functions[name]
        return found


def probe_all(program: Program) -> Probed:
    """Probes in every rule; none of them reports values."""
    inserter = _Inserter(program._comp, values=False)
    comp = inserter.compilation(program._comp.groups)
    probed = Program.of(comp, program._data)
    return Probed(inserter.probes, probed)


def probe_values(program: Program, paths: Container[Path]) -> Probed:
    """Probes that report values in the rules at some paths; the other rules are shared."""
    slots = program._slots
    if isinstance(paths, AbstractSet):
        # A run with many failed tests asks for one rule each time, of thousands.
        chosen = sorted((path for path in paths if path in slots), key=slots.__getitem__)
    else:
        chosen = [path for path in slots if path in paths]
    inserter = _Inserter(program._comp, values=True)
    comp = inserter.compilation(chosen)
    plans = []
    for path in chosen:
        try:
            plans.append(rules.plan_group(comp, comp.groups[path]))
        except PlanError:  # pragma: no cover - the rule was planned without probes
            continue
    return Probed(inserter.probes, program, program.relinked(comp, plans))


def _output(expr: Expr, arity: Arity) -> str | None:
    call = expr.term
    if not isinstance(call, Call) or expr.negated or not call.args:
        return None
    if isinstance(call.operator, Var) and call.operator.name == "eq":
        output, term = call.args
        if term.loc != expr.loc:
            return None
    else:
        output = call.args[-1]
        if len(call.args) != arity(call.operator) + 1:
            return None
    return output.name if isinstance(output, Var) and output.name.startswith("$") else None


class _Inserter:
    """Puts probes into rules; ``values`` makes them report the values of parts."""

    def __init__(self, comp: Compilation, *, values: bool) -> None:
        self.comp = comp
        self.values = values
        self.probes: list[Probe] = []
        self.arity = Safety(comp).arity

    def compilation(self, paths: Iterable[Path]) -> Compilation:
        """The same compilation with probes in the groups at some paths."""
        old = self.comp
        decl = BuiltinDecl(NAME, ({"type": "number"}, {"type": "array"}), None)
        granted = replace(old.capabilities, builtins={**old.capabilities.builtins, NAME: decl})
        new = replace(old, capabilities=granted, found=[])
        changed = {path: self._group(old.groups[path]) for path in paths}
        new.groups = {**old.groups, **changed}
        # Who refers to a rule finds it in the tree, and takes what is constant for granted.
        above = {path[:n] for path in changed for n in range(len(path) + 1)}
        new.tree = _with_groups(old.tree, changed, above)
        return new

    def _group(self, group: Group) -> Group:
        clauses = [self._clause(group, c) for c in group.clauses]
        default = None if group.default is None else self._clause(group, group.default)
        return replace(group, clauses=clauses, default=default)

    def _clause(self, group: Group, clause: Clause) -> Clause:
        place = _Place(group, clause, None)
        known = {v for arg in clause.args for v in term_vars(arg)}
        body = self._body(clause.body, place, known)
        # Comprehensions may stand in the head, too.
        at_end = _Place(group, clause, self.probes[-1])
        orelse = None if clause.orelse is None else self._clause(group, clause.orelse)
        return replace(
            clause,
            body=body,
            orelse=orelse,
            value=self._node(clause.value, at_end, known),
            key=self._node(clause.key, at_end, known),
            tail=self._node(clause.tail, at_end, known),
        )

    def body(self, group: Group, clause: Clause) -> Body:
        """The body of a clause with probes."""
        return self._body(clause.body, _Place(group, clause, None), set())

    def _body(self, body: Body, place: _Place, known: set[str]) -> Body:
        out: list[Expr] = []
        hoisted: dict[str, Expr] = {}
        for index, expr in enumerate(body):
            output = _output(expr, self.arity)
            parts = tuple(self._parts(expr, output, hoisted, known)) if self.values else ()
            probe = Probe(
                *(len(self.probes), expr.loc, place.group, place.clause, place.parent),
                *(index, expr, output, parts),
            )
            self.probes.append(probe)
            out.append(self._call(probe, expr.withs))
            out.append(self._node(expr, replace(place, parent=probe), known))
            if output is not None:
                hoisted[output] = expr
            known |= expr_outputs(expr, self.arity, known)
        end = Probe(
            *(len(self.probes), place.clause.loc, place.group, place.clause, place.parent),
            *(len(body), None, None),
        )
        self.probes.append(end)
        out.append(self._call(end, ()))
        return tuple(out)

    def _call(self, probe: Probe, withs: tuple[With, ...]) -> Expr:
        values = tuple(_captured(part.term, withs) for part in probe.parts)
        call = Call(Var(NAME), (Scalar(probe.number), Array(values)), False, probe.loc)
        return Expr(call, loc=probe.loc)

    def _node(self, node: Any, place: _Place, known: set[str]) -> Any:
        """The same part of the tree with probes in the bodies below it."""
        if isinstance(node, tuple):
            items = tuple(self._node(item, place, known) for item in node)
            return node if all(map(operator.is_, items, node)) else items
        if isinstance(node, Scalar | Var) or not hasattr(node, "__dataclass_fields__"):
            return node
        changed = {}
        for each in fields(node):
            old = getattr(node, each.name)
            if each.name == "body":
                changed["body"] = self._body(old, place, known | _declared(node))
            elif each.name != "loc":
                new = self._node(old, place, known)
                if new is not old:
                    changed[each.name] = new
        return replace(node, **changed) if changed else node

    # -- values --------------------------------------------------------------------------------

    def _parts(
        self, expr: Expr, output: str | None, hoisted: dict[str, Expr], known: set[str]
    ) -> Iterator[Part]:
        term = expr.term
        seen: set[Any] = set()
        roots: tuple[Any, ...] = (term,)
        if isinstance(term, Call):
            roots = tuple(a for a in term.args if not isinstance(a, Var) or a.name != output)
        elif not isinstance(term, Ref | Var):
            roots = (getattr(term, "domain", None),)
        for root in roots:
            for part in _parts_of(root, hoisted, known):
                key = part.term
                if key not in seen:
                    seen.add(key)
                    yield part


@dataclass(frozen=True, slots=True)
class _Place:
    group: Group
    clause: Clause
    parent: Probe | None


def _with_groups(node: Node, groups: Mapping[Path, Group], above: Container[Path]) -> Node:
    """The same rule tree with other groups in it; ``above`` are their paths and those that
    lead to them."""
    if node.path not in above:
        return node
    children = {key: _with_groups(each, groups, above) for key, each in node.children.items()}
    return replace(node, children=children, group=groups.get(node.path, node.group))


def _declared(node: Any) -> set[str]:
    """The variables that an ``every`` binds for its body."""
    if not isinstance(node, Every):
        return set()
    return {v for t in (node.key, node.value) if t is not None for v in term_vars(t)}


def _parts_of(term: Any, hoisted: dict[str, Expr], known: set[str]) -> Iterator[Part]:
    if isinstance(term, Var):
        made = hoisted.get(term.name)
        if made is not None:
            call = made.term
            assert isinstance(call, Call)
            is_eq = isinstance(call.operator, Var) and call.operator.name == "eq"
            if is_eq:
                yield Part(term, call.args[1].loc, None)
                yield from _parts_of(call.args[1], hoisted, known)
                return
            yield Part(term, made.loc, call)
            for arg in call.args[:-1]:
                yield from _parts_of(arg, hoisted, known)
        elif term.name in known and not term.name.startswith(("$", "_")):
            yield Part(term, term.loc, None)
    elif isinstance(term, Ref):
        if all(v in known for v in term_vars(term)):
            yield Part(term, term.loc, None)
        for operand in term.operands:
            yield from _parts_of(operand, hoisted, known)
    elif isinstance(term, Array | Set):
        for item in term.items:
            yield from _parts_of(item, hoisted, known)
    elif isinstance(term, Object):
        for pair in term.pairs:
            for item in pair:
                yield from _parts_of(item, hoisted, known)


def _captured(term: Term, withs: tuple[With, ...]) -> Term:
    """An array that holds the term's value, or nothing when it is undefined."""
    if isinstance(term, Var) and term.name not in ROOTS:
        return Array((term,))
    var = Var("$shown")
    bind = Expr(Call(Var("eq"), (var, term), True), withs=withs)
    return ArrayCompr(var, (bind,))

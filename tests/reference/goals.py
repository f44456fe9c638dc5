"""Syntax trees in, rules made of goals out.

A body becomes a list of goals whose order does not matter: a goal runs when the variables
it needs are bound.  Names are resolved here, each declared variable gets a name of its own,
and what stands inside of terms (references, calls, comprehensions) becomes goals before the
expression it stands in.  As the language has it, what stands inside of a negated expression
comes before the negation and is not negated.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.reference.builtins import BUILTINS
from tests.reference.values import Value, from_json, string

from adjudge.rego import syntax as s

Scope = dict[str, str]


@dataclass(frozen=True)
class Pattern:
    """An array, object or set of simple terms; the items of an object are pairs."""

    kind: str
    items: tuple[Any, ...]


Term = Value | s.Var | Pattern
"""A simple term: a value, a variable (never a name of something else), or a pattern."""


@dataclass(frozen=True)
class Unify:
    left: Term
    right: Term


@dataclass(frozen=True)
class Equal:
    left: Term
    right: Term


@dataclass(frozen=True)
class Truth:
    term: Term


@dataclass(frozen=True)
class Find:
    """``out`` is what the reference gives; the head ``input`` or ``data`` is a text."""

    out: Term
    head: Term | str
    operands: tuple[Term, ...]


@dataclass(frozen=True)
class Invoke:
    """A call; without ``out`` its answer must not be false."""

    name: str
    args: tuple[Term, ...]
    out: Term | None


@dataclass(frozen=True)
class Member:
    """``some key, value in domain``."""

    key: Term
    value: Term
    domain: Term


@dataclass(frozen=True)
class Negate:
    goals: tuple[Goal, ...]


@dataclass(frozen=True)
class Within:
    """Goals under ``with``: targets are paths from ``input`` or ``data``, or names."""

    targets: tuple[tuple[tuple[str, ...], Term | str], ...]
    goals: tuple[Goal, ...]


@dataclass
class Collect:
    """``out`` is the collection of the terms, over all solutions of the goals."""

    out: Term
    kind: str
    terms: tuple[Term, ...]
    goals: tuple[Goal, ...]
    needs: frozenset[str] = frozenset()


@dataclass
class Interpolate:
    """``out`` is the text of parts: texts, and collections of at most one value."""

    out: Term
    parts: tuple[str | Collect, ...]


@dataclass
class ForAll:
    """``every``: the goals have a solution for each member of the domain."""

    key: Term
    value: Term
    domain: Term
    goals: tuple[Goal, ...]
    needs: frozenset[str] = frozenset()


Goal = (
    Unify
    | Equal
    | Truth
    | Find
    | Invoke
    | Member
    | Negate
    | Within
    | Collect
    | Interpolate
    | ForAll
)


@dataclass
class Clause:
    """One body with what the head says for it."""

    goals: tuple[Goal, ...]
    rest: tuple[Term, ...]
    result: Term


@dataclass
class Rule:
    """A rule: ``prefix`` is its path below ``data`` as far as it is constant."""

    prefix: tuple[Value, ...]
    kind: str
    clauses: list[Clause]
    args: tuple[Term, ...] = ()
    default: bool = False


@dataclass
class Rules:
    """All rules of some modules, and the packages."""

    rules: list[Rule] = field(default_factory=list)
    packages: set[tuple[Value, ...]] = field(default_factory=set)


def prepare(modules: Iterable[s.Module]) -> Rules:
    """The rules of parsed modules."""
    found = Rules()
    parsed = list(modules)
    names: dict[tuple[str, ...], set[str]] = {}
    functions = set(BUILTINS)
    for module in parsed:
        own = names.setdefault(module.package, set())
        for rule in module.rules:
            own.add(_root(rule.head.ref))
            if rule.head.args is not None:
                functions.add(".".join(("data", *module.package, *_Maker.path(rule.head.ref))))
    for module in parsed:
        found.packages.add(tuple(map(string, module.package)))
        maker = _Maker(module, names[module.package], functions)
        found.rules.extend(map(maker.rule, module.rules))
    return found


def _root(ref: s.Var | s.Ref) -> str:
    head = ref.head if isinstance(ref, s.Ref) else ref
    assert isinstance(head, s.Var)
    return head.name


_fresh = itertools.count()


def _variable(name: str = "") -> s.Var:
    return s.Var(f"{name}#{next(_fresh)}")


class _Maker:
    """Makes the rules of one module."""

    def __init__(self, module: s.Module, rule_names: set[str], functions: set[str]) -> None:
        self.package = module.package
        self.functions = functions
        self.globals: dict[str, tuple[str, ...]] = {}
        for each in module.imports:
            path = self.path(each.path)
            if path[0] in ("data", "input"):
                self.globals[each.alias or path[-1]] = path
        for name in rule_names:
            self.globals[name] = ("data", *self.package, name)

    @staticmethod
    def path(ref: s.Term) -> tuple[str, ...]:
        """A reference made of names only."""
        if isinstance(ref, s.Var):
            return (ref.name,)
        assert isinstance(ref, s.Ref)
        assert isinstance(ref.head, s.Var)
        return (ref.head.name, *(str(o.value) for o in ref.operands if isinstance(o, s.Scalar)))

    # -- rules -------------------------------------------------------------------------

    def rule(self, rule: s.Rule) -> Rule:
        operands = rule.head.ref.operands if isinstance(rule.head.ref, s.Ref) else ()
        fixed = list(itertools.takewhile(lambda o: isinstance(o, s.Scalar), operands))
        path = (*self.package, _root(rule.head.ref))
        prefix = (*map(string, path), *(_scalar(o) for o in fixed))
        kind = "value" if rule.head.args is None else "function"
        if rule.head.key is not None:
            kind = "set"
        scope: Scope = {}
        before: list[Goal] = []
        for arg in rule.head.args or ():
            self._declare(arg, scope)
        args = tuple(self.term(arg, scope, before) for arg in rule.head.args or ())
        if before:
            raise NotImplementedError("references in arguments")
        made = Rule(prefix, kind, [], args, rule.default)
        clause: s.Rule | None = rule
        while clause is not None:
            outer = dict(scope)
            goals = self.body(clause.body, outer)
            rest = tuple(self.term(o, outer, goals) for o in operands[len(fixed) :])
            result = clause.head.key if kind == "set" else clause.head.value
            term = self.term(result or s.Scalar(True), outer, goals)
            known = variables((args, rest, term))
            _link(goals, frozenset(known))
            made.clauses.append(Clause(tuple(goals), rest, term))
            clause = clause.orelse
        return made

    # -- bodies ------------------------------------------------------------------------

    def body(self, body: s.Body, scope: Scope) -> list[Goal]:
        """The goals of a body; what it declares is added to the scope."""
        goals: list[Goal] = []
        for expr in body:
            targets = tuple(self._with(w, scope, goals) for w in expr.withs)
            support, main = self.expression(expr, scope)
            inner = [*support, Negate(tuple(main))] if expr.negated else [*support, *main]
            goals.extend([Within(targets, tuple(inner))] if targets else inner)
        return [part for goal in goals for part in _split(goal)]

    def _with(self, w: s.With, scope: Scope, goals: list[Goal]) -> Any:
        target = self._name(w.target)
        if isinstance(w.value, (s.Var, s.Ref)) and target[0] != "input":
            name = ".".join(self._name(w.value))
            if name in self.functions and not (
                isinstance(w.value, s.Var) and w.value.name in scope
            ):
                return target, name
        return target, self.term(w.value, scope, goals)

    def _name(self, ref: s.Var | s.Ref) -> tuple[str, ...]:
        path = self.path(ref)
        return (*self.globals.get(path[0], (path[0],)), *path[1:])

    def expression(self, expr: s.Expr, scope: Scope) -> tuple[list[Goal], list[Goal]]:
        """What comes before, and the expression itself."""
        before: list[Goal] = []
        main: list[Goal] = []
        term = expr.term
        if isinstance(term, s.SomeDecl):
            for name in term.names:
                scope[name.name] = _variable(name.name).name
        elif isinstance(term, s.SomeIn):
            domain = self.term(term.domain, scope, before)
            for part in (term.key, term.value):
                self._declare(part, scope)
            key = _variable() if term.key is None else self.term(term.key, scope, before)
            main.append(Member(key, self.term(term.value, scope, before), domain))
        elif isinstance(term, s.Every):
            domain = self.term(term.domain, scope, before)
            inner = dict(scope)
            for part in (term.key, term.value):
                self._declare(part, inner)
            key = _variable() if term.key is None else self.term(term.key, inner, before)
            value = self.term(term.value, inner, before)
            main.append(ForAll(key, value, domain, tuple(self.body(term.body, inner))))
        elif isinstance(term, (s.Not, s.Logical)):
            raise NotImplementedError("conditions")
        elif isinstance(term, s.Call):
            self._call(term, scope, before, main)
        else:
            main.append(Truth(self._side(term, scope, before, main)))
        return before, main

    def _call(self, call: s.Call, scope: Scope, before: list[Goal], main: list[Goal]) -> None:
        name = ".".join(self._name(call.operator))
        if name in ("assign", "eq", "equal") and len(call.args) == 2:
            left, right = call.args
            value = self._side(right, scope, before, main)
            if name == "assign":
                self._declare(left, scope)
            target = self._side(left, scope, before, main)
            main.append(Equal(target, value) if name == "equal" else Unify(target, value))
            return
        args = tuple(self.term(arg, scope, before) for arg in call.args)
        main.append(Invoke(name, args, None))

    def _side(self, term: s.Term, scope: Scope, before: list[Goal], main: list[Goal]) -> Term:
        """A reference that is a whole side of an equation belongs to the equation."""
        goals: list[Goal] = []
        simple = self.term(term, scope, goals)
        if isinstance(term, (s.Ref, s.Var)) and goals:
            main.append(goals.pop())
        before.extend(goals)
        return simple

    def _declare(self, pattern: object, scope: Scope) -> None:
        """Declare the variables of a pattern."""
        for node in s.walk(pattern):
            if isinstance(node, s.Ref):
                raise NotImplementedError("references in patterns")
            if isinstance(node, s.Var) and node.name != "_":
                scope[node.name] = _variable(node.name).name

    # -- terms -------------------------------------------------------------------------

    def term(self, term: s.Term, scope: Scope, goals: list[Goal]) -> Term:
        """The simple term that stands for a term, once the added goals hold."""
        if isinstance(term, s.Scalar):
            return _scalar(term)
        if isinstance(term, s.Var):
            return self._var(term, scope, goals)
        if isinstance(term, s.Ref):
            return self._ref(term, scope, goals)
        if isinstance(term, (s.Array, s.Set)):
            kind = "array" if isinstance(term, s.Array) else "set"
            return Pattern(kind, tuple(self.term(x, scope, goals) for x in term.items))
        if isinstance(term, s.Object):
            pairs = [tuple(self.term(x, scope, goals) for x in pair) for pair in term.pairs]
            return Pattern("object", tuple(pairs))
        out = _variable()
        if isinstance(term, s.Call):
            args = tuple(self.term(arg, scope, goals) for arg in term.args)
            goals.append(Invoke(".".join(self._name(term.operator)), args, out))
        elif isinstance(term, s.Template):
            goals.append(Interpolate(out, tuple(self._part(p, scope) for p in term.parts)))
        elif isinstance(term, s.ArrayCompr):
            goals.append(self._collect(out, "array", (term.term,), term.body, scope))
        elif isinstance(term, s.SetCompr):
            goals.append(self._collect(out, "set", (term.term,), term.body, scope))
        else:
            goals.append(self._collect(out, "object", (term.key, term.value), term.body, scope))
        return out

    def _part(self, part: object, scope: Scope) -> str | Collect:
        if isinstance(part, str):
            return part
        if isinstance(part, s.Expr):
            raise NotImplementedError("modifiers in templates")
        term: Any = part
        return self._collect(_variable(), "set", (term,), (), scope)

    def _collect(
        self, out: Term, kind: str, terms: tuple[s.Term, ...], body: s.Body, scope: Scope
    ) -> Collect:
        inner = dict(scope)
        goals = self.body(body, inner)
        simple = tuple(self.term(t, inner, goals) for t in terms)
        return Collect(out, kind, simple, tuple(goals))

    def _var(self, var: s.Var, scope: Scope, goals: list[Goal]) -> Term:
        if var.name == "_":
            return _variable()
        if var.name in scope:
            return s.Var(scope[var.name])
        if var.name in self.globals or var.name in ("input", "data"):
            return self._find(var, (), scope, goals)
        return s.Var(var.name)

    def _ref(self, ref: s.Ref, scope: Scope, goals: list[Goal]) -> Term:
        operands = [self.term(o, scope, goals) for o in ref.operands]
        return self._find(ref.head, tuple(operands), scope, goals)

    def _find(
        self, head: s.Term, operands: tuple[Term, ...], scope: Scope, goals: list[Goal]
    ) -> Term:
        out = _variable()
        start: Term | str
        if isinstance(head, s.Var) and head.name not in scope:
            path = self.globals.get(head.name)
            if path is not None:
                start, operands = path[0], (*map(string, path[1:]), *operands)
            elif head.name in ("input", "data"):
                start = head.name
            else:
                start = s.Var(head.name)
        else:
            start = self.term(head, scope, goals)
        goals.append(Find(out, start, operands))
        return out


def _scalar(term: s.Term) -> Value:
    assert isinstance(term, s.Scalar)
    return from_json(term.value)


def _split(goal: Goal) -> Iterator[Goal]:
    """Equations of two patterns as equations of their parts."""
    if isinstance(goal, Unify):
        left, right = goal.left, goal.right
        if isinstance(left, Pattern) and isinstance(right, Pattern):
            if left.kind == right.kind == "array" and len(left.items) == len(right.items):
                for a, b in zip(left.items, right.items, strict=True):
                    yield from _split(Unify(a, b))
                return
    yield goal


# -- closures ----------------------------------------------------------------------------


def variables(node: object, closures: bool = False) -> set[str]:
    """The variables of goals and terms; those in closures only when asked for."""
    if isinstance(node, s.Var):
        return {node.name}
    found: set[str] = set()
    if isinstance(node, Value) or node is None:
        return found
    if isinstance(node, (tuple, list)):
        for part in node:
            found |= variables(part, closures)
    elif isinstance(node, (Collect, ForAll)) and not closures:
        found |= variables((node.out,) if isinstance(node, Collect) else (node.domain,))
    elif dataclasses.is_dataclass(node):
        for each in dataclasses.fields(node):
            found |= variables(getattr(node, each.name), closures)
    return found


def _link(goals: Iterable[Goal], outer: frozenset[str]) -> None:
    """Note what closures need: their variables that also stand outside of them."""
    known = outer | variables(tuple(goals))
    for closure in _closures(tuple(goals)):
        closure.needs = frozenset(variables(closure, closures=True) & known)
        if isinstance(closure, Collect):
            closure.needs -= variables(closure.out)
        _link(closure.goals, frozenset(known))


def _closures(node: object) -> Iterator[Collect | ForAll]:
    if isinstance(node, (Collect, ForAll)):
        yield node
    elif isinstance(node, tuple) and not isinstance(node, Value):
        for part in node:
            yield from _closures(part)
    elif isinstance(node, (Negate, Within)):
        yield from _closures(node.goals)
    elif isinstance(node, Interpolate):
        yield from _closures(node.parts)

"""Modules in, the numbers that OPA gives to the keys of ``some x in xs`` out.

OPA binds the key that is not written to a variable of its own, ``__local3__``, and shows it
in messages.  The number counts the variables renamed before: arguments, what ``:=``,
``some`` and ``every`` declare, in the order in which OPA comes by them.
"""

from __future__ import annotations

from collections.abc import Iterable

from adjudge.rego.syntax import (
    ArrayCompr,
    Body,
    Call,
    Every,
    Expr,
    Module,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    SetCompr,
    SomeDecl,
    SomeIn,
    Term,
    Var,
    walk,
)
from adjudge.source import Location


def module_numbers(modules: Iterable[Module]) -> dict[Location, int]:
    """The numbers by the places of the ``some``."""
    counter = _Counter()
    ordered = sorted(modules, key=lambda module: module.file)
    for module in ordered:
        for rule in module.rules:
            ref = rule.head.ref
            operands = ref.operands if isinstance(ref, Ref) else ()
            counter.next += sum(not isinstance(o, Var | Scalar) for o in operands)
    for module in ordered:
        for rule in module.rules:
            counter.rule(rule)
    return counter.found


def query_numbers(body: Body) -> dict[Location, int]:
    """The same for a query."""
    counter = _Counter()
    counter.body(body)
    return counter.found


class _Counter:
    def __init__(self) -> None:
        self.next = 0
        self.found: dict[Location, int] = {}

    def rule(self, rule: Rule) -> None:
        self.next += _variables(*(rule.head.args or ()))
        each: Rule | None = rule
        while each is not None:
            for part in (*(each.head.args or ()), each.head.key, each.head.value):
                if part is not None:
                    self._closures(part)
            self.body(each.body)
            each = each.orelse

    def body(self, body: Body) -> None:
        for expr in body:
            self._expr(expr)

    def _expr(self, expr: Expr) -> None:
        term = expr.term
        values = tuple(w.value for w in expr.withs)
        if isinstance(term, SomeDecl):
            self.next += len(term.names)
        elif isinstance(term, SomeIn):
            self._some_in(term)
        elif isinstance(term, Every):
            self._closures(term.domain)
            if term.key is None:
                self.next += 1
            self.next += sum(v != Var("_") for v in (term.key, term.value) if v is not None)
            self.body(term.body)
        elif isinstance(term, Call) and term.operator == Var("assign"):
            self._closures((term.args[1:], values))
            self.next += _variables(term.args[0])
            return
        else:
            self._closures(term)
        self._closures(values)

    def _some_in(self, some: SomeIn) -> None:
        key = some.key
        if key is None:
            self.found[some.loc] = self.next
            # The new variable is renamed once more.
            self.next += 2
        self.next += _variables(some.value, *(() if key is None else (key,)))
        self._closures((some.domain, some.value))

    def _closures(self, node: object) -> None:
        stack = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, ArrayCompr | SetCompr | ObjectCompr):
                self.body(item.body)
                heads = (item.key, item.value) if isinstance(item, ObjectCompr) else (item.term,)
                stack.extend(reversed(heads))
            elif isinstance(item, Expr):
                self._expr(item)
            elif isinstance(item, Object):
                stack.extend(reversed([term for pair in item.pairs for term in pair]))
            elif isinstance(item, tuple):
                stack.extend(reversed(item))
            elif not isinstance(item, Var | Scalar):
                stack.extend(reversed(_parts(item)))


def _parts(item: object) -> list[object]:
    names = ("head", "operands", "items", "args", "parts", "condition", "left", "right", "body")
    return [getattr(item, name) for name in names if hasattr(item, name)]


def _variables(*terms: Term) -> int:
    """How many variables are declared by patterns: a name once, each wildcard."""
    names: set[str] = set()
    wildcards = 0
    for item in walk(terms):
        if isinstance(item, Var):
            if item.name == "_":
                wildcards += 1
            else:
                names.add(item.name)
    return len(names) + wildcards

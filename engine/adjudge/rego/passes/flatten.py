"""Bodies with nested calls in, bodies in which each call stands alone out.

``x == count(y) + 1`` becomes ``count(y, a); plus(a, 1, b); equal(x, b)``.  What is
hoisted out of a negated expression is evaluated outside the negation, as OPA does:
``not f(g(x))`` is undefined when ``g(x)`` is, and so is ``not f(input.x)`` when
``input.x`` is; in ``not input.x = 1`` (and ``==``) the references stay inside.  What is
hoisted out of a condition's expressions stays within the condition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from adjudge.rego.passes.model import Clause, Compilation, FunctionName
from adjudge.rego.passes.variables import ROOTS
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Object,
    ObjectCompr,
    Ref,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Statement,
    Template,
    Term,
    Var,
    With,
)

NEGATED = "$not"
"""What the variables begin with that are bound ahead of a negated expression: what they are
bound to binds no other, for a negation binds none."""

EQUALITIES = frozenset({"eq", "assign", "equal"})


def run(comp: Compilation) -> None:
    """Rewrite the bodies and head terms of every clause."""
    flattener = Flattener()
    for group in comp.groups.values():
        for clause in group.clauses:
            flattener.clause(clause)
        if group.default is not None:
            flattener.clause(group.default)


def flatten_query(body: Body) -> Body:
    """The same for a query."""
    return Flattener().body(body)


class Flattener:
    """Rewrites bodies; generates variables named ``$n`` that no policy can spell."""

    def __init__(self) -> None:
        self.counter = 0
        self.prefix = "$"

    def clause(self, clause: Clause) -> None:
        """Rewrite one clause and its else chain; head calls move to the end of the body."""
        each: Clause | None = clause
        while each is not None:
            body = list(self.body(each.body))
            each.value = self._head_term(each.value, body)
            if each.key is not None:
                each.key = self._head_term(each.key, body)
            each.tail = tuple(self._hoist(self.term(t, body, ()), body, ()) for t in each.tail)
            each.args = tuple(self.term(a, body, ()) for a in each.args)
            each.body = tuple(body)
            each = each.orelse

    def _head_term(self, term: Term, body: list[Expr]) -> Term:
        """References in a head are conditions of the body, too."""
        flat = self.term(term, body, ())
        return self._hoist_refs(flat, body)

    def _hoist_refs(self, term: Term, out: list[Expr]) -> Term:
        match term:
            case Ref(loc=loc):
                var = self._fresh()
                out.append(Expr(Call(Var("eq"), (var, term), True, loc), loc=loc))
                return var
            case Array(items, loc):
                return Array(tuple(self._hoist_refs(i, out) for i in items), loc)
            case Set(items, loc):
                return Set(tuple(self._hoist_refs(i, out) for i in items), loc)
            case Object(pairs, loc):
                return Object(
                    tuple((self._hoist_refs(k, out), self._hoist_refs(v, out)) for k, v in pairs),
                    loc,
                )
            case _:
                return term

    def body(self, body: Body) -> Body:
        """A body with its nested calls taken out."""
        out: list[Expr] = []
        for expr in body:
            self._expr(expr, out)
        return tuple(out)

    def _fresh(self) -> Var:
        self.counter += 1
        return Var(f"${self.counter}")

    def _expr(self, expr: Expr, out: list[Expr]) -> None:
        withs = tuple(With(w.target, self.term(w.value, out, ()), w.loc) for w in expr.withs)
        term = expr.term
        new: Statement
        if isinstance(term, Call):
            new = self._call_statement(term, expr, withs, out)
        elif isinstance(term, Every):
            domain = self._hoist(self.term(term.domain, out, withs), out, withs)
            new = Every(term.key, term.value, domain, self.body(term.body), term.loc)
        elif isinstance(term, SomeIn):
            key = None if term.key is None else self.term(term.key, out, withs)
            value = self.term(term.value, out, withs)
            new = SomeIn(key, value, self.term(term.domain, out, withs), term.loc)
        elif isinstance(term, SomeDecl):
            return
        elif isinstance(term, Not):
            new = Not(self._condition(term.condition), term.loc)
        elif isinstance(term, Logical):
            left, right = self._condition(term.left), self._condition(term.right)
            new = Logical(term.operator, left, right, term.loc)
        else:
            new = self.term(term, out, withs)
            if expr.negated:
                new = self._negated(self._hoist_inside, new, out, withs)
        out.append(Expr(new, expr.negated, withs, expr.loc))

    def _condition(self, condition: Condition) -> Condition:
        return Condition(self.body(condition.body), condition.braced, condition.loc)

    def _call_statement(
        self, call: Call, expr: Expr, withs: tuple[With, ...], out: list[Expr]
    ) -> Term:
        name = call.operator.name if isinstance(call.operator, Var) else ""
        if name in ("eq", "assign") and not expr.negated and len(call.args) == 2:
            left, right = call.args
            # `x = f(y)` is `f(y, x)`: one variable less, the same meaning.
            if isinstance(right, Call) and isinstance(left, Var):
                return self._with_output(right, left, out, withs)
            if isinstance(left, Call) and isinstance(right, Var) and name == "eq":
                return self._with_output(left, right, out, withs)
        args = tuple(self.term(a, out, withs) for a in call.args)
        if expr.negated:
            if name in EQUALITIES:
                args = tuple(self._negated(self._hoist_inside, a, out, withs) for a in args)
            else:
                args = tuple(self._negated(self._hoist, a, out, withs) for a in args)
        return replace(call, args=args)

    def _with_output(
        self, call: Call, output: Var, out: list[Expr], withs: tuple[With, ...]
    ) -> Term:
        args = tuple(self.term(a, out, withs) for a in call.args)
        return Call(call.operator, (*args, output), False, call.loc)

    def _negated(
        self,
        hoist: Callable[[Term, list[Expr], tuple[With, ...]], Term],
        term: Term,
        out: list[Expr],
        withs: tuple[With, ...],
    ) -> Term:
        self.prefix = NEGATED
        try:
            return hoist(term, out, withs)
        finally:
            self.prefix = "$"

    def _hoist(self, term: Term, out: list[Expr], withs: tuple[With, ...]) -> Term:
        """Bind references and comprehensions to a variable ahead of the expression."""
        is_root = isinstance(term, Var) and term.name in ROOTS and self.prefix == NEGATED
        if is_root or isinstance(term, Ref | ArrayCompr | SetCompr | ObjectCompr):
            self.counter += 1
            var = Var(f"{self.prefix}{self.counter}")
            inner = self._hoist_inside(term, out, withs)
            out.append(Expr(Call(Var("eq"), (var, inner), True, term.loc), False, withs, term.loc))
            return var
        return self._hoist_inside(term, out, withs)

    def _hoist_inside(self, term: Term, out: list[Expr], withs: tuple[With, ...]) -> Term:
        match term:
            case Ref(head, operands, loc):
                base = self._hoist_inside(head, out, withs)
                return Ref(base, tuple(self._hoist(o, out, withs) for o in operands), loc)
            case Array(items, loc):
                return Array(tuple(self._hoist(i, out, withs) for i in items), loc)
            case Set(items, loc):
                return Set(tuple(self._hoist(i, out, withs) for i in items), loc)
            case Object(pairs, loc):
                return Object(
                    tuple(
                        (self._hoist(k, out, withs), self._hoist(v, out, withs)) for k, v in pairs
                    ),
                    loc,
                )
            case _:
                return term

    def term(self, term: Term, out: list[Expr], withs: tuple[With, ...]) -> Term:
        """A term without calls; the calls are appended to ``out`` with a variable for each."""
        match term:
            case Scalar() | Var() | FunctionName():
                return term
            case Call(operator, args, _, loc):
                var = self._fresh()
                new = tuple(self.term(a, out, withs) for a in args)
                out.append(Expr(Call(operator, (*new, var), False, loc), False, withs, loc))
                return var
            case Ref(head, operands, loc):
                base = self.term(head, out, withs)
                return Ref(base, tuple(self.term(o, out, withs) for o in operands), loc)
            case Array(items, loc):
                return Array(tuple(self.term(i, out, withs) for i in items), loc)
            case Set(items, loc):
                return Set(tuple(self.term(i, out, withs) for i in items), loc)
            case Object(pairs, loc):
                return Object(
                    tuple((self.term(k, out, withs), self.term(v, out, withs)) for k, v in pairs),
                    loc,
                )
            case ArrayCompr(inner, body, loc):
                new_body, (result,) = self._comprehension(body, (inner,))
                return ArrayCompr(result, new_body, loc)
            case SetCompr(inner, body, loc):
                new_body, (result,) = self._comprehension(body, (inner,))
                return SetCompr(result, new_body, loc)
            case ObjectCompr(key, value, body, loc):
                new_body, (k, v) = self._comprehension(body, (key, value))
                return ObjectCompr(k, v, new_body, loc)
            case Template():
                raise AssertionError("templates are lowered when names are settled")

    def _comprehension(self, body: Body, terms: tuple[Term, ...]) -> tuple[Body, tuple[Term, ...]]:
        out = list(self.body(body))
        results = tuple(self.term(t, out, ()) for t in terms)
        return tuple(out), results

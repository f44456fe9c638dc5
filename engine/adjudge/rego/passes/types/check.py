"""Bodies in, errors about their types out, and the types of their variables.

OPA checks bodies in which each call and, within calls, each reference and comprehension
stands alone, bound to a variable of its own ahead of the expression that uses it.  Here
those are *parts* of the expression: they are checked first, in the same order, and count
as expressions of their own.
"""

from __future__ import annotations

from typing import Final

from adjudge.rego.passes.types.calls import Calls
from adjudge.rego.passes.types.env import ROOTS, Env
from adjudge.rego.passes.types.model import ANY, Type
from adjudge.rego.passes.types.problems import Problem, match_problem
from adjudge.rego.passes.types.terms import Comprehension
from adjudge.rego.passes.types.visit import is_computed, nested_closures, plain_references, some_key
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
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
    SomeIn,
    Statement,
    Term,
    Var,
)
from adjudge.source import Location

RECHECK_DEPTH: Final = 3
"""How deep closures nest that are also looked at from outside, see :meth:`Checker.closures`."""


class Checker(Calls):
    """Checks bodies; one for a compilation or a query."""

    def body(self, env: Env, body: Body) -> list[Problem]:
        """Check the expressions of a body; ``env`` then knows its variables."""
        found: list[Problem] = []
        for expr in body:
            self.expr(env, expr, found)
        return found

    def expr(self, env: Env, expr: Expr, out: list[Problem]) -> None:
        """Check one expression."""
        self.mocking = None
        if expr.withs:
            env = self.replaced(env, expr, out)
        term = expr.term
        if isinstance(term, Call):
            self.call(env, expr, term, out)
        elif isinstance(term, Ref | Array | Object | Set | ArrayCompr | SetCompr | ObjectCompr):
            self._alone(env, term, out)
        elif isinstance(term, SomeIn):
            self._some_in(env, expr, term, out)
        elif isinstance(term, Every):
            self.bound(env, term.domain, out)
            self._conditions(env, term.body, out)
        elif isinstance(term, Not | Logical):
            self._conditions(env, term, out)
        if self.mocking is not None:
            out.append(self.mocking)

    # -- parts -----------------------------------------------------------------------------

    def part(self, env: Env, term: Term, out: list[Problem]) -> None:
        """Check what stands for itself in a term: references, comprehensions, those within."""
        if isinstance(term, Scalar | Var):
            return
        if isinstance(term, Ref):
            self._operands(env, term, out)
            self._reference(env, term, out)
        elif isinstance(term, ArrayCompr | SetCompr | ObjectCompr):
            out.extend(self.closures(env, term))
            self.note_captured(env, term)
            self._after_part(out)
        elif isinstance(term, Object):
            for key, value in term.pairs:
                self.part(env, key, out)
                self._item(env, value, out)
        elif isinstance(term, Array | Set):
            for item in term.items:
                if not isinstance(item, Scalar):
                    self._item(env, item, out)

    def _item(self, env: Env, term: Term, out: list[Problem]) -> None:
        """A part of a collection.  OPA gives references there variables of their own, and
        then knows nothing of what may be an empty set."""
        self.part(env, term, out)
        if isinstance(term, Ref):
            t = env.seen[id(term)]
            env.seen[id(term)] = ANY if t is not None and t.unknown else t

    def _operands(self, env: Env, ref: Ref, out: list[Problem]) -> None:
        if not isinstance(ref.head, Var):
            env.seen[id(ref.head)] = self.bound(env, ref.head, out)
        for operand in ref.operands:
            if not isinstance(operand, Scalar):
                self.part(env, operand, out)

    def _reference(self, env: Env, ref: Ref, out: list[Problem]) -> None:
        t, problem = self.refs.check(env, ref.head, ref.operands, ref.loc)
        env.seen[id(ref)] = t
        if problem is not None:
            out.append(problem)
        elif t is None:
            out.append(match_problem(ref.loc, None, None))
        self._after_part(out)

    def _after_part(self, out: list[Problem]) -> None:
        # What is wrong with the functions that ``with`` replaces is wrong for each part.
        if self.mocking is not None:
            out.append(self.mocking)

    def bound(self, env: Env, term: Term, out: list[Problem]) -> Type | None:
        """The type of a term that gets a variable of its own."""
        if isinstance(term, Var):
            if term.name not in ROOTS and env.lookup(term.name) is None:
                env.vars[term.name] = ANY
        else:
            self.part(env, term, out)
        t = self.terms.type_of(env, term)
        if isinstance(term, Array | Object) and (t is None or t.unknown):
            self.terms.fits(env, term, ANY)
            t = self.terms.type_of(env, term)
        return t

    # -- statements ------------------------------------------------------------------------

    def _alone(self, env: Env, term: Term, out: list[Problem]) -> None:
        if isinstance(term, Ref):
            self._operands(env, term, out)
            out.extend(self._side_reference(env, term))
        elif isinstance(term, ArrayCompr | SetCompr | ObjectCompr):
            out.extend(self.closures(env, term))
        else:
            self.part(env, term, out)

    def _side_reference(self, env: Env, ref: Ref) -> list[Problem]:
        """Check a reference that is an expression, or a side of an equality."""
        t, problem = self.refs.check(env, ref.head, ref.operands, ref.loc)
        env.seen[id(ref)] = t
        return [] if problem is None else [problem]

    def _some_in(self, env: Env, expr: Expr, some: SomeIn, out: list[Problem]) -> None:
        """``some k, v in xs`` is ``v = xs[k]``."""
        domain = some.domain
        key = some_key(some)
        self.part(env, some.value, out)
        head: Term = domain
        operands: tuple[Term, ...] = (key,)
        if isinstance(domain, Ref):
            self._operands(env, domain, out)
            head, operands = domain.head, (*domain.operands, key)
        elif not isinstance(domain, Var | Scalar):
            env.seen[id(domain)] = self.bound(env, domain, out)
        self.part(env, key, out)
        ref = Ref(head, operands, domain.loc)
        known = self._side_reference(env, ref)
        out.extend(known)
        self._equal(env, expr.loc, some.value, ref, out, known)
        # The reference is no node of the tree: another may get its identity.
        del env.seen[id(ref)]

    def equality(self, env: Env, expr: Expr, call: Call, out: list[Problem]) -> None:
        """``a = b``, ``a := b`` and, in rules, ``a == b``."""
        left, right = call.args
        known: list[Problem] = []
        for side in call.args:
            if isinstance(side, Ref):
                self._operands(env, side, out)
            elif not isinstance(side, Scalar | Var | ArrayCompr | SetCompr | ObjectCompr):
                self.part(env, side, out)
        for side in call.args:
            if isinstance(side, ArrayCompr | SetCompr | ObjectCompr):
                # As in OPA, the errors of the last closure stand for those of all.
                known = self.closures(env, side) or known
        for side in call.args:
            if isinstance(side, Ref):
                known = known + self._side_reference(env, side)
        out.extend(known)
        if self.mocking is None:
            self._equal(env, expr.loc, left, right, out, known)

    def _equal(
        self,
        env: Env,
        loc: Location,
        left: Term,
        right: Term,
        out: list[Problem],
        known: list[Problem],
    ) -> None:
        a, b = self.terms.type_of(env, left), self.terms.type_of(env, right)
        if not self.terms.unify(env, left, a, right, b):
            problem = match_problem(loc, a, b)
            if not (known and problem.unknown):
                out.append(problem)

    # -- closures --------------------------------------------------------------------------

    def closures(self, env: Env, term: Comprehension) -> list[Problem]:
        """Check a comprehension and note its type.

        As OPA does, closures within it are checked twice: inside, and from outside, where
        nothing is known of the variables in between.
        """
        inner = env.inner()
        kept = self.mocking, self.in_template
        self.mocking, self.in_template = None, False
        self.closure_depth += 1
        found = self.body(inner, term.body)
        self.mocking = None
        t = self._comprehension_type(inner, term, found)
        self.remember(inner)
        env.seen[id(term)] = None if found else t
        if not found and self.closure_depth <= RECHECK_DEPTH:
            for nested in nested_closures(term):
                found = self.closures(env.inner(), nested) or found
        self.closure_depth -= 1
        self.mocking, self.in_template = kept
        return found

    def _comprehension_type(self, env: Env, term: Comprehension, out: list[Problem]) -> Type | None:
        if isinstance(term, ObjectCompr):
            key = self.head_type(env, term.key, out)
            return self.table.object({}, (key, self.head_type(env, term.value, out)))
        of = self.head_type(env, term.term, out)
        return self.table.array((), of) if isinstance(term, ArrayCompr) else self.table.set(of)

    def head_type(self, env: Env, term: Term, out: list[Problem]) -> Type | None:
        """The type of a term in the head of a rule or comprehension."""
        return self.bound(env, term, out) if is_computed(term) else self.terms.type_of(env, term)

    def _conditions(self, env: Env, node: Body | Statement, out: list[Problem]) -> None:
        """Bodies that are conditions: only the references and closures in them are checked."""
        known: list[Problem] = []
        for closure in nested_closures(node):
            known = self.closures(env.inner(), closure) or known
        out.extend(known)
        for ref in plain_references(node):
            _, problem = self.refs.check(env, ref.head, ref.operands, ref.loc)
            if problem is not None:
                out.append(problem)
            # As an operand it is a variable of which nothing is known.
            env.seen[id(ref)] = None

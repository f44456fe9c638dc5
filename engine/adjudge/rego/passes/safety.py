"""Bodies in, the same bodies ordered so that every variable is bound before it is used, out.

What cannot be ordered is an unsafe variable, an error.  The order of the source is
kept wherever it is possible (OPA's reorderBodyForSafety).
"""

from __future__ import annotations

from dataclasses import replace

from adjudge.rego.passes.model import Clause, Compilation, Group, Stage
from adjudge.rego.passes.resolving import ground_path
from adjudge.rego.passes.unsafe import SafetyErrors, places
from adjudge.rego.passes.variables import (
    all_vars,
    closure_vars,
    closures,
    expr_outputs,
    expr_vars,
    term_vars,
)
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
    Set,
    SetCompr,
    SomeIn,
    Statement,
    Term,
    Var,
    With,
)
from adjudge.source import NOWHERE


def run(comp: Compilation) -> None:
    """Order the bodies of all clauses; record unsafe variables as errors."""
    checker = Safety(comp)
    for group in comp.groups.values():
        clauses = [*group.clauses, *([group.default] if group.default else [])]
        for clause in clauses:
            checker.clause(clause)


def order_query(comp: Compilation, body: Body) -> Body:
    """The same for a query."""
    checker = Safety(comp)
    ordered = checker.body(body, set())
    if checker.unsafe:
        SafetyErrors(comp, checker.arity, None).report(checker.unsafe)
    return ordered


class Safety:
    """Orders bodies; one instance for a compilation."""

    def __init__(self, comp: Compilation) -> None:
        self.comp = comp
        self.unsafe: list[tuple[Expr, set[str]]] = []
        """Expressions that cannot be placed, with the variables that they lack."""
        self.hoisted = 0
        self.at = NOWHERE

    def arity(self, operator: Var | Ref) -> int:
        """The number of arguments a call's operator takes, -1 when unknown."""
        if isinstance(operator, Var):
            decl = self.comp.capabilities.builtins.get(operator.name)
            return decl.arity if decl is not None and not decl.variadic else -1
        path = ground_path(operator)
        group: Group | None = self.comp.groups.get(path) if path is not None else None
        return group.arity if group is not None else -1

    def clause(self, clause: Clause) -> None:
        """Order one clause and its else chain."""
        each: Clause | None = clause
        while each is not None:
            self.unsafe = []
            args = {v for a in each.args for v in all_vars(a)}
            each.body, known = self._order(each.body, args)
            self._check_head(each, known)
            each.value = self._in_head(each.value, known)
            each.tail = tuple(self._in_head(t, known) for t in each.tail)
            if each.key is not None:
                each.key = self._in_head(each.key, known)
            if self.unsafe:
                SafetyErrors(self.comp, self.arity, each).report(self.unsafe)
            each = each.orelse

    def _in_head(self, term: Term, known: set[str]) -> Term:
        self.at = term.loc
        return self._inside(term, known)

    def _check_head(self, clause: Clause, known: set[str]) -> None:
        """Report what the head uses and the body never mentions."""
        heads = [t for t in (*clause.tail, clause.key, clause.value) if t is not None]
        if all(v in known for h in heads for v in term_vars(h)):
            return
        errors = SafetyErrors(self.comp, self.arity, clause)
        for name, loc in places(t for t in heads if not _is_closure(t)).items():
            if name not in known and not name.startswith("$"):
                errors.unsafe(name, loc, Stage.HEAD_SAFETY)
                known.add(name)

    def body(self, body: Body, known: set[str]) -> Body:
        """The body in a safe order."""
        return self._order(body, known)[0]

    def _order(self, body: Body, globals_: set[str]) -> tuple[Body, set[str]]:
        asked = [(e, expr_vars(e), _closed_vars(e)) for e in body]
        body_vars = {v for _, names, _ in asked for v in names}
        safe = set(globals_)
        placed: list[Expr] = []
        nothing: set[str] = set()
        waiting = [(e, names, closed & body_vars, nothing) for e, names, closed in asked]
        while waiting:
            left = []
            for each in waiting:
                expr, names, closed, lacking = each
                if lacking and lacking.isdisjoint(safe):
                    left.append(each)  # nothing is known that was not when it was asked last
                    continue
                outputs = expr_outputs(expr, self.arity, safe)
                if closed <= safe and all(v in safe or v in outputs for v in names):
                    placed.append(self._expr(expr, safe, outputs))
                    safe |= outputs
                else:
                    left.append((expr, names, closed, (names | closed) - safe))
            if len(left) == len(waiting):
                self.unsafe += [(e, self._missing(e, safe, body_vars)) for e, *_ in left]
                placed.extend(e for e, *_ in left)
                safe |= body_vars
                break
            waiting = left
        return tuple(placed), safe

    def _missing(self, expr: Expr, safe: set[str], body_vars: set[str]) -> set[str]:
        """The variables for which an expression waits in vain."""
        closed = (_closed_vars(expr) & body_vars) - safe
        return closed or expr_vars(expr) - safe - expr_outputs(expr, self.arity, safe)

    # -- inside closures -----------------------------------------------------------

    def _expr(self, expr: Expr, safe: set[str], outputs: set[str]) -> Expr:
        term = expr.term
        self.at = expr.loc
        if not expr.withs and not closures(term):
            return expr
        known = safe | outputs
        withs = tuple(With(w.target, self._inside(w.value, known), w.loc) for w in expr.withs)
        if isinstance(term, Every):
            own = set(term_vars(term.value))
            if term.key is not None:
                own |= set(term_vars(term.key))
            body = self._order(term.body, known | own)[0]
            new: Statement = replace(term, domain=self._inside(term.domain, known), body=body)
        elif isinstance(term, SomeIn):
            new = replace(term, domain=self._inside(term.domain, known))
        elif isinstance(term, Not):
            new = replace(term, condition=self._condition(term.condition, known))
        elif isinstance(term, Logical):
            left, right = self._condition(term.left, known), self._condition(term.right, known)
            new = replace(term, left=left, right=right)
        else:
            new = self._inside(term, known)  # type: ignore[arg-type]
        return Expr(new, expr.negated, withs, expr.loc)

    def _condition(self, condition: Condition, known: set[str]) -> Condition:
        return replace(condition, body=self._order(condition.body, known)[0])

    def _inside(self, term: Term, known: set[str]) -> Term:
        """The term with the bodies of its comprehensions ordered."""
        if not closures(term):
            return term
        match term:
            case ArrayCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), known)
                return ArrayCompr(result, new, loc)
            case SetCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), known)
                return SetCompr(result, new, loc)
            case ObjectCompr(key, value, body, loc):
                new, (k, v) = self._comprehension(body, (key, value), known)
                return ObjectCompr(k, v, new, loc)
            case Ref(head, operands, loc):
                return Ref(
                    self._inside(head, known),
                    tuple(self._inside(o, known) for o in operands),
                    loc,
                )
            case Array(items, loc):
                return Array(tuple(self._inside(i, known) for i in items), loc)
            case Set(items, loc):
                return Set(tuple(self._inside(i, known) for i in items), loc)
            case Object(pairs, loc):
                return Object(
                    tuple((self._inside(k, known), self._inside(v, known)) for k, v in pairs), loc
                )
            case Call():
                return replace(term, args=tuple(self._inside(a, known) for a in term.args))
            case _:
                return term

    def _comprehension(
        self, body: Body, terms: tuple[Term, ...], known: set[str]
    ) -> tuple[Body, tuple[Term, ...]]:
        before, at = len(self.unsafe), self.at
        new, inner = self._order(body, known)
        if any(name not in inner for term in terms for name in term_vars(term)):
            # A reference in the result binds variables as one in the body does.
            ahead: list[Expr] = []
            terms = tuple(self._ahead(term, ahead) for term in terms)
            del self.unsafe[before:]
            new, inner = self._order((*body, *ahead), known)
        for term in terms:
            missing = set(term_vars(term)) - inner
            if missing:
                self.unsafe.append((Expr(term, loc=at), missing))
                inner |= missing
        return new, tuple(self._inside(term, inner) for term in terms)

    def _ahead(self, term: Term, out: list[Expr]) -> Term:
        """The term with variables for its references, which ``out`` binds."""
        if isinstance(term, Ref):
            self.hoisted += 1
            var = Var(f"$r{self.hoisted}")
            out.append(Expr(Call(Var("eq"), (var, term), True, term.loc), loc=term.loc))
            return var
        if isinstance(term, Array | Set):
            return replace(term, items=tuple(self._ahead(i, out) for i in term.items))
        if isinstance(term, Object):
            pairs = tuple((self._ahead(k, out), self._ahead(v, out)) for k, v in term.pairs)
            return Object(pairs, term.loc)
        return term


def _closed_vars(expr: Expr) -> set[str]:
    """The variables mentioned inside the closures of an expression."""
    out: set[str] = set()
    for term in (expr.term, *(w.value for w in expr.withs)):
        for closure in closures(term):
            out |= closure_vars(closure)
    return out


def _is_closure(term: Term) -> bool:
    return isinstance(term, ArrayCompr | SetCompr | ObjectCompr)

"""Bodies in, the same bodies ordered so that every variable is bound before it is used, out.

What cannot be ordered is an unsafe variable, an error.  The order of the source is
kept wherever it is possible (OPA's reorderBodyForSafety).
"""

from __future__ import annotations

from dataclasses import replace

from adjudge.rego.passes.model import Clause, Compilation, Group, display_name, path_text
from adjudge.rego.passes.resolving import ground_path
from adjudge.rego.passes.variables import (
    all_vars,
    body_all_vars,
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
from adjudge.source import Location


def run(comp: Compilation) -> None:
    """Order the bodies of all clauses; record unsafe variables as errors."""
    checker = Safety(comp)
    for group in comp.groups.values():
        clauses = [*group.clauses, *([group.default] if group.default else [])]
        for clause in clauses:
            checker.clause(clause)


def order_query(comp: Compilation, body: Body) -> Body:
    """The same for a query."""
    return Safety(comp).body(body, set(), body_all_vars(body))


class Safety:
    """Orders bodies; one instance for a compilation."""

    def __init__(self, comp: Compilation) -> None:
        self.comp = comp

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
            args = {v for a in each.args for v in all_vars(a)}
            heads: list[Term] = [each.value, *each.tail]
            if each.key is not None:
                heads.append(each.key)
            mentioned = body_all_vars(each.body).union(*(all_vars(h) for h in heads))
            each.body, known = self._order(each.body, args, mentioned)
            each.value = self._inside(each.value, known)
            each.tail = tuple(self._inside(t, known) for t in each.tail)
            if each.key is not None:
                each.key = self._inside(each.key, known)
            self._check_head(each, known)
            each = each.orelse

    def _check_head(self, clause: Clause, known: set[str]) -> None:
        for term in (clause.key, clause.value, *clause.tail):
            if term is None:
                continue
            bad = [v for v in dict.fromkeys(term_vars(term)) if v not in known]
            for name in bad:
                if is_generated(name):
                    continue
                self._unsafe(name, clause.rule.head.loc or clause.loc)
                known.add(name)

    def body(self, body: Body, known: set[str], mentioned: set[str]) -> Body:
        """The body in a safe order."""
        return self._order(body, known, mentioned)[0]

    def _order(self, body: Body, globals_: set[str], mentioned: set[str]) -> tuple[Body, set[str]]:
        body_vars = {v for e in body for v in expr_vars(e)}
        safe = set(globals_)
        placed: list[Expr] = []
        waiting = list(body)
        while waiting:
            left: list[Expr] = []
            for expr in waiting:
                outputs = expr_outputs(expr, self.arity, safe)
                if self._ready(expr, outputs, safe, body_vars):
                    placed.append(self._expr(expr, safe, outputs))
                    safe |= outputs
                else:
                    left.append(expr)
            if len(left) == len(waiting):
                self._report(left, safe)
                placed.extend(left)
                safe |= body_vars
                break
            waiting = left
        return tuple(placed), safe

    def _ready(self, expr: Expr, outputs: set[str], safe: set[str], body_vars: set[str]) -> bool:
        for name in expr_vars(expr):
            if name not in safe and name not in outputs:
                return False
        for term in (expr.term, *(w.value for w in expr.withs)):
            for closure in closures(term):
                for name in closure_vars(closure):
                    if name in body_vars and name not in safe:
                        return False
        return True

    def _report(self, left: list[Expr], safe: set[str]) -> None:
        # A variable on the left of := is a consequence; name the cause where there is one.
        found: dict[str, Location] = {}
        consequences: set[str] = set()
        for expr in left:
            term = expr.term
            assigned: set[str] = set()
            if isinstance(term, Call) and isinstance(term.operator, Var):
                if term.operator.name == "assign":
                    assigned = set(term_vars(term.args[0]))
                elif len(term.args) > self.arity(term.operator) >= 0:
                    assigned = set(term_vars(term.args[-1]))
            consequences |= assigned
            for name in sorted(expr_vars(expr)):
                if name not in safe:
                    found.setdefault(name, expr.loc)
            for closure in closures(term):
                for name in sorted(closure_vars(closure)):
                    if name in found:
                        continue
        causes = {n: loc for n, loc in found.items() if n not in consequences}
        shown = {n: loc for n, loc in (causes or found).items() if not is_generated(n)}
        for name, loc in shown.items():
            self._unsafe(name, loc)
        if not shown:
            self.comp.error("expression is unsafe", left[0].loc, "rego_unsafe_var_error")

    def _unsafe(self, name: str, loc: Location) -> None:
        shown = display_name(name)
        self.comp.error(f"var {shown} is unsafe", loc, "rego_unsafe_var_error")

    # -- inside closures -----------------------------------------------------------

    def _expr(self, expr: Expr, safe: set[str], outputs: set[str]) -> Expr:
        known = safe | outputs
        term = expr.term
        withs = tuple(With(w.target, self._inside(w.value, known), w.loc) for w in expr.withs)
        if isinstance(term, Every):
            own = set(term_vars(term.value))
            if term.key is not None:
                own |= set(term_vars(term.key))
            body = self._order(term.body, known | own, set())[0]
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
        return replace(condition, body=self._order(condition.body, known, set())[0])

    def _inside(self, term: Term, known: set[str]) -> Term:
        """The term with the bodies of its comprehensions ordered."""
        if not any(True for _ in closures(term)):
            return term
        match term:
            case ArrayCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), known, loc)
                return ArrayCompr(result, new, loc)
            case SetCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), known, loc)
                return SetCompr(result, new, loc)
            case ObjectCompr(key, value, body, loc):
                new, (k, v) = self._comprehension(body, (key, value), known, loc)
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
        self, body: Body, terms: tuple[Term, ...], known: set[str], loc: Location
    ) -> tuple[Body, tuple[Term, ...]]:
        new, inner = self._order(body, known, set())
        results = tuple(self._inside(t, inner) for t in terms)
        for term in results:
            for name in dict.fromkeys(term_vars(term)):
                if name not in inner:
                    self._unsafe(name, term.loc if term.loc.row else loc)
                    inner.add(name)
        return new, results


def is_generated(name: str) -> bool:
    """Whether the compiler made the variable (no policy text spells it)."""
    return name.startswith("$")


def group_name(group: Group) -> str:
    """The dotted path of a group, for messages."""
    return path_text(group.path)

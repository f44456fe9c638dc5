"""Arguments of ``print`` and parts of template strings may not be undeclared variables.

What they hold is captured, so that an undefined value does not end the rule; a variable
that nothing binds would never be noticed.  For ``print`` it must be bound by what stands
ahead of the call, for a template string by any expression of the body.
"""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes.model import Clause, Compilation, Stage, display_name
from adjudge.rego.passes.safety import Safety
from adjudge.rego.passes.variables import (
    all_vars,
    closures,
    expr_outputs,
    term_vars,
)
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Every,
    ObjectCompr,
    SetCompr,
    Term,
    Var,
    walk,
)
from adjudge.source import Location


def run(comp: Compilation) -> None:
    """Check the clauses that capture values."""
    check = _Undeclared(comp)
    for group in comp.groups.values():
        for clause in group.heads():
            if id(clause.rule) in comp.capturing:
                each: Clause | None = clause
                while each is not None:
                    check.clause(each)
                    each = each.orelse


class _Undeclared:
    def __init__(self, comp: Compilation) -> None:
        self.comp = comp
        self.arity = Safety(comp).arity
        self._right: set[int] = set()

    def clause(self, clause: Clause) -> None:
        known = {v for arg in clause.args for v in all_vars(arg)}
        heads = [t for t in (*clause.tail, clause.key, clause.value) if t is not None]
        inner = self._templates(clause.body, known)
        for term in heads:
            self._visit(term, inner)
        for term in heads:
            for closure in closures(term):
                self._prints(closure.body, known)
        self._prints(clause.body, known)

    def _outputs(self, body: Body, known: set[str]) -> set[str]:
        out = set(known)
        for expr in body:
            out |= expr_outputs(expr, self.arity, out)
        return out

    def _report(self, term: Term, loc: Location, known: set[str], stage: Stage) -> bool:
        """Report the variables of a term that are not known; whether there are any."""
        missing = {v for v in term_vars(term) if v not in known and not v.startswith("$")}
        for name in sorted(map(display_name, missing)):
            self.comp.error(f"var {name} is undeclared", loc, stage=stage)
        return bool(missing)

    # -- template strings ------------------------------------------------------------------

    def _templates(self, body: Body, known: set[str]) -> set[str]:
        inner = self._outputs(body, known)
        for expr in body:
            self._visit(expr, inner)
        return inner

    def _visit(self, node: object, known: set[str]) -> None:
        """Check templates with what is known at them, closures from the outermost inwards.

        As in OPA, one in which something is wrong is looked at again from further out.
        """
        for item in walk(node):
            if isinstance(item, Call) and item.operator == _TEMPLATE:
                self._template(item, known)
            elif isinstance(item, Every):
                own = set(term_vars(item.value))
                own.update(term_vars(item.key) if item.key is not None else ())
                self._template(item.domain, known)
                self._templates(item.body, known | own)
            elif isinstance(item, ArrayCompr | SetCompr | ObjectCompr):
                inner = self._templates(item.body, known)
                for term in (
                    (item.key, item.value) if isinstance(item, ObjectCompr) else (item.term,)
                ):
                    self._template(term, inner)

    def _template(self, term: Term, known: set[str]) -> None:
        if not isinstance(term, Call) or term.operator != _TEMPLATE or id(term) in self._right:
            return
        wrong = [
            self._report(inner, loc, known, Stage.TEMPLATES)
            for inner, loc in _captured(term)
            if not isinstance(inner, Var)
        ]
        if True not in wrong:
            self._right.add(id(term))

    # -- print -----------------------------------------------------------------------------

    def _prints(self, body: Body, known: set[str]) -> bool:
        """Check the calls of ``print`` in a body; whether something was wrong."""
        found = False
        for n, expr in enumerate(body):
            inner = [
                c for term in (expr.term, *(w.value for w in expr.withs)) for c in closures(term)
            ]
            if not inner:
                continue
            here = self._outputs(body[:n], known)
            for closure in inner:
                own: set[str] = set()
                if isinstance(closure, Every):
                    own = set(term_vars(closure.value))
                    own.update(term_vars(closure.key) if closure.key is not None else ())
                found = self._prints(closure.body, here | own) or found
        if found:
            return True
        for n, expr in enumerate(body):
            if isinstance(expr.term, Call) and expr.term.operator == _PRINT:
                here = self._outputs(body[:n], known)
                for term, loc in _captured(expr.term):
                    found = self._report(term, loc, here, Stage.PRINTS) or found
        return found


_TEMPLATE = Var("internal.template_string")
_PRINT = Var("internal.print")


def _captured(call: Call) -> Iterator[tuple[Term, Location]]:
    """What the arguments of a call hold in comprehensions, as ``_captured`` makes them."""
    parts = call.args[0]
    for part in parts.items if isinstance(parts, Array) else ():
        bind = part.body[0].term if isinstance(part, SetCompr) and part.body else None
        if isinstance(bind, Call):
            yield bind.args[1], part.loc

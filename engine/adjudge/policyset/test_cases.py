"""Compiled rules of parametrised tests in, the same rules that tell which case they are at out.

``test_x[case.note] if { … }`` gives no value for a case that fails.  So that the case is
known all the same, ``internal.test_case`` is called as soon as the variables of the
rule's name are bound.
"""

from __future__ import annotations

from collections.abc import Container

from adjudge.rego.passes.model import Clause, Compilation, Group, Path
from adjudge.rego.passes.safety import Safety
from adjudge.rego.passes.variables import Arity, expr_outputs, expr_vars, term_vars
from adjudge.rego.syntax import Array, Body, Call, Expr, Scalar, Term, Var, walk

NAME = "internal.test_case"


def add_cases(comp: Compilation, paths: Container[Path]) -> None:
    """Insert the calls into the groups at some paths, unless their rules hold such calls."""
    arity = Safety(comp).arity
    for path, group in comp.groups.items():
        if path in paths and group.kind == "object":
            for clause in group.clauses:
                if clause.key is None and not _calls_itself(clause):
                    clause.body = _with_call(clause.body, _case(group, clause), arity)


def _case(group: Group, clause: Clause) -> Array:
    """The parts of the rule's name after the one that makes it a test."""
    after = 0
    for index, key in enumerate(group.path):
        if isinstance(key, str) and key.startswith("test_"):
            after = index + 1
            break
    constants = tuple(Scalar(key) for key in group.path[after:])
    return Array((*constants, *clause.tail))


def _calls_itself(clause: Clause) -> bool:
    return any(
        isinstance(node, Call) and isinstance(node.operator, Var) and node.operator.name == NAME
        for node in walk(clause.body)
    )


def _with_call(body: Body, case: Array, arity: Arity) -> Body:
    call = Expr(Call(Var(NAME), (case,)))
    needed = set(term_vars(case))
    # What the compiler has put at the end to compute the name goes up as far as it can.
    early: list[Expr] = []
    rest: list[Expr] = []
    for expr in body:
        (early if _makes(expr, needed) else rest).append(expr)
    known: set[str] = set()
    out: list[Expr] = []
    placed = False
    for position in range(len(rest) + 1):
        ready = [e for e in early if expr_vars(e) - _outputs(e) <= known]
        for expr in ready:
            early.remove(expr)
            out.append(expr)
            known |= expr_outputs(expr, arity, known)
        if not placed and needed <= known:
            out.append(call)
            placed = True
        if position < len(rest):
            out.append(rest[position])
            known |= expr_outputs(rest[position], arity, known)
    return (*out, *early) if placed else body


def _outputs(expr: Expr) -> set[str]:
    term = expr.term
    assert isinstance(term, Call)
    first: Term = term.args[0]
    return set(term_vars(first))


def _makes(expr: Expr, needed: set[str]) -> bool:
    """Whether an expression only gives a part of the name its value (``$1 = case.note``)."""
    term = expr.term
    if not isinstance(term, Call) or expr.negated or expr.withs or len(term.args) != 2:
        return False
    name = term.operator.name if isinstance(term.operator, Var) else ""
    output = term.args[0]
    generated = isinstance(output, Var) and output.name.startswith("$")
    return name == "eq" and generated and bool(set(term_vars(output)) & needed)

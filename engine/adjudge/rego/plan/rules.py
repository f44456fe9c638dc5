"""Groups of clauses in, rule plans out."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

from adjudge.rego.passes.model import Clause, Compilation, Group
from adjudge.rego.plan import ir
from adjudge.rego.plan.constants import constant_of
from adjudge.rego.plan.optimize import optimize, optimize_query
from adjudge.rego.plan.statements import StatementPlanner
from adjudge.rego.plan.terms import PlanError
from adjudge.rego.runtime.values import UNDEFINED, equal
from adjudge.rego.syntax import (
    ArrayCompr,
    Body,
    Call,
    Expr,
    ObjectCompr,
    Ref,
    SetCompr,
    SomeDecl,
    Var,
)


def plan_program(comp: Compilation) -> ir.ProgramPlan:
    """Plan every group; problems are recorded in ``comp.errors``."""
    plans: list[ir.RulePlan] = []
    for group in comp.groups.values():
        try:
            plans.append(plan_group(comp, group))
        except PlanError as e:
            code = "rego_unsafe_var_error" if "unsafe" in e.message else "rego_type_error"
            comp.error(e.message, e.loc, code)
    return ir.ProgramPlan(plans)


def plan_group(comp: Compilation, group: Group) -> ir.RulePlan:
    """Plan one rule."""
    constant = _common_constant(group)
    clauses = [_plan_clause(comp, group, c, constant) for c in group.clauses]
    default = _plan_clause(comp, group, group.default, None) if group.default else None
    plan = ir.RulePlan(group, clauses, default, constant, group.arity)
    optimize(plan)
    return plan


def _common_constant(group: Group) -> ir.Const | None:
    """The value every clause gives, if it is one and known."""
    if group.kind not in ("complete", "function"):
        return None
    found = UNDEFINED
    for clause in group.clauses:
        value = constant_of(clause.value)
        if clause.orelse is not None or value is UNDEFINED:
            return None
        if found is not UNDEFINED and not equal(found, value):
            return None
        found = value
    return None if found is UNDEFINED else ir.Const(found)


def _plan_clause(
    comp: Compilation, group: Group, clause: Clause, constant: ir.Const | None
) -> ir.ClausePlan:
    planner = StatementPlanner(comp)
    # Parameters are locals 1..n.
    params = [planner.new() for _ in clause.args]
    block = planner.block
    for pattern, local in zip(clause.args, params, strict=True):
        planner.match(pattern, local)

    def sink() -> None:
        if group.kind == "set":
            assert clause.key is not None
            planner.emit(ir.Add((planner.term(clause.key),)))
        elif group.kind == "object":
            path = tuple(planner.term(t) for t in clause.tail)
            last = clause.key if clause.key is not None else clause.value
            planner.emit(ir.AddPath(path, planner.term(last), clause.key is not None))
        else:
            value = planner.term(clause.value)
            # Without iteration there is one solution, so nothing can contradict it.
            final = constant is not None or (planner.scans == 0 and len(group.clauses) == 1)
            planner.emit(ir.Return(value) if final else ir.Merge(value))

    exprs = planner.marked_body(clause.body, sink)
    orelse = _plan_clause(comp, group, clause.orelse, None) if clause.orelse else None
    return ir.ClausePlan(block, orelse, clause.loc, exprs)


def plan_query(
    comp: Compilation, body: Body, hidden: frozenset[str], written: Body
) -> ir.QueryPlan:
    """Plan a query; its variables are those not in ``hidden`` and not generated.

    ``written`` is the query as it was before its expressions were taken apart: of those
    that the compiler made of one the last has its value.  A false expression ends the
    answer, unless it is alone and cannot be true some other way.
    """
    places = {expr.loc for expr in written}
    shown = frozenset({expr.loc: n for n, expr in enumerate(body) if expr.loc in places}.values())
    is_condition = len(written) > 1 or _iterates(comp, written)
    planner = StatementPlanner(comp)
    planner.ordered = True
    block = planner.block
    values: list[tuple[Expr, ir.Operand]] = []
    for number, expr in enumerate(body):
        if isinstance(expr.term, SomeDecl):
            continue
        operand = planner.value_of(expr)
        if number in shown:
            values.append((expr, operand))
            known = isinstance(operand, ir.Const) and operand.value is not False
            if is_condition and not known:
                planner.emit(ir.Truthy(operand))
    names = tuple(
        n for n in planner.env if not n.startswith(("$", "_~")) and n not in hidden and "~" not in n
    )
    items = tuple(planner.env[n] for n in names) + tuple(v for _, v in values)
    planner.emit(ir.Yield(items))
    plan = ir.QueryPlan(block, names, tuple(e.loc for e, _ in values))
    optimize_query(plan)
    return plan


def _iterates(comp: Compilation, written: Body) -> bool:
    """Whether a query looks for keys or uses a builtin with several answers."""
    stack: list[object] = [written]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif is_dataclass(node) and not isinstance(node, ArrayCompr | SetCompr | ObjectCompr):
            if isinstance(node, Ref) and any(isinstance(o, Var) for o in node.operands):
                return True
            if isinstance(node, Call) and isinstance(node.operator, Var):
                decl = comp.capabilities.builtins.get(node.operator.name)
                if decl is not None and decl.relation:
                    return True
            stack.extend(getattr(node, each.name) for each in fields(node))
    return False


def is_plain(name: Var) -> bool:
    """Whether a query variable was written by a person."""
    return not name.name.startswith(("$", "_"))

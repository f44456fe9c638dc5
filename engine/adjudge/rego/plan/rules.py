"""Groups of clauses in, rule plans out."""

from __future__ import annotations

from adjudge.rego.passes.model import Clause, Compilation, Group
from adjudge.rego.plan import ir
from adjudge.rego.plan.constants import constant_of
from adjudge.rego.plan.optimize import optimize, optimize_query
from adjudge.rego.plan.statements import StatementPlanner
from adjudge.rego.plan.terms import PlanError
from adjudge.rego.runtime.values import UNDEFINED, equal
from adjudge.rego.syntax import Body, Expr, SomeDecl, Var


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


def plan_query(comp: Compilation, body: Body, hidden: frozenset[str]) -> ir.QueryPlan:
    """Plan a query; its variables are those not in ``hidden`` and not generated."""
    planner = StatementPlanner(comp)
    planner.ordered = True
    block = planner.block
    values: list[tuple[Expr, ir.Operand]] = []
    for expr in body:
        if isinstance(expr.term, SomeDecl):
            continue
        values.append((expr, planner.value_of(expr)))
        operand = values[-1][1]
        if not isinstance(operand, ir.Const):
            planner.emit(ir.Truthy(operand)) if _is_condition(body) else None
    names = tuple(
        n for n in planner.env if not n.startswith(("$", "_~")) and n not in hidden and "~" not in n
    )
    shown = [(e, v) for e, v in values if e.loc.row]
    items = tuple(planner.env[n] for n in names) + tuple(v for _, v in shown)
    planner.emit(ir.Yield(items))
    plan = ir.QueryPlan(block, names, tuple(e.loc for e, _ in shown))
    optimize_query(plan)
    return plan


def _is_condition(body: Body) -> bool:
    """In a query of several expressions a false one ends the answer; alone it is the answer."""
    return len(body) > 1


def is_plain(name: Var) -> bool:
    """Whether a query variable was written by a person."""
    return not name.name.startswith(("$", "_"))

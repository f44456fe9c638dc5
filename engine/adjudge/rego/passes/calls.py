"""Every call names a function that exists, is granted, and takes that many arguments."""

from __future__ import annotations

from adjudge.rego.passes.model import Compilation, path_text
from adjudge.rego.passes.names import ground_path
from adjudge.rego.syntax import Body, Call, Var, walk


def run(comp: Compilation) -> None:
    """Check the calls of all rules."""
    for group in comp.groups.values():
        for clause in group.all_clauses():
            check(comp, (clause.args, clause.tail, clause.key, clause.value, clause.body))


def check_query(comp: Compilation, body: Body) -> None:
    """The same for a query."""
    check(comp, body)


def check(comp: Compilation, node: object) -> None:
    """Record an error for each bad call below ``node``."""
    for item in walk(node):
        if isinstance(item, Call):
            _check_call(comp, item)


def _check_call(comp: Compilation, call: Call) -> None:
    operator = call.operator
    given = len(call.args)
    if isinstance(operator, Var):
        name = operator.name
        decl = comp.capabilities.builtins.get(name)
        if decl is None:
            comp.error(f"undefined function {name}", call.loc, "rego_type_error")
            return
        if name in comp.capabilities.withheld:
            comp.error(
                f"builtin {name} is withheld: this evaluation grants neither network "
                "nor environment",
                call.loc,
                "rego_capability_error",
                hint="grant it with a capabilities file, or pass what the rule needs as data",
            )
            return
        arity, extra = decl.arity, decl.result is not None
        if decl.variadic:
            return
    else:
        path = ground_path(operator)
        group = comp.groups.get(path) if path is not None else None
        if group is None or group.kind != "function":
            shown = path_text(path) if path is not None else "data"
            comp.error(f"undefined function {shown}", call.loc, "rego_type_error")
            return
        name, arity, extra = group.name, group.arity, True
    if given != arity and not (extra and given == arity + 1):
        problem = "too many" if given > arity else "too few"
        comp.error(f"{name}: arity mismatch: {problem} arguments", call.loc, "rego_type_error")

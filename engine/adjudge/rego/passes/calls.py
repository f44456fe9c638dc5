"""Every call names a function that exists, is granted, and takes that many arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adjudge.rego.passes.model import Compilation, path_text
from adjudge.rego.passes.names import ground_path
from adjudge.rego.syntax import Body, Call, Var


def run(comp: Compilation) -> None:
    """Check the calls of all rules."""
    for group in comp.groups.values():
        for clause in (*group.clauses, *([group.default] if group.default else [])):
            each = clause
            while each is not None:
                for part in (each.args, each.tail, each.key, each.value, each.body):
                    check(comp, part)
                each = each.orelse  # type: ignore[assignment]


def check_query(comp: Compilation, body: Body) -> None:
    """The same for a query."""
    check(comp, body)


def check(comp: Compilation, node: Any) -> None:
    """Record an error for each bad call below ``node``."""
    for call in calls_in(node):
        _check_call(comp, call)


def calls_in(node: Any) -> Iterator[Call]:
    """All calls in any part of the tree."""
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif hasattr(item, "__dataclass_fields__"):
            if isinstance(item, Call):
                yield item
            for name in item.__slots__:
                if name not in ("loc", "raw", "infix"):
                    stack.append(getattr(item, name))


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

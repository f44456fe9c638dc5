"""Every call names a function that exists, is granted, and takes that many arguments."""

from __future__ import annotations

from adjudge.rego.capabilities import BuiltinDecl
from adjudge.rego.passes.model import Compilation, Stage
from adjudge.rego.passes.resolving import ground_path
from adjudge.rego.passes.types.builtins import builtin_type
from adjudge.rego.passes.types.env import Env
from adjudge.rego.passes.types.model import Function, Table
from adjudge.rego.passes.types.problems import argument_problem, parameters
from adjudge.rego.passes.types.terms import Terms
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.syntax import Body, Call, Expr, Term, Var, walk
from adjudge.source import Location

_TYPE_ERROR = "rego_type_error"


def run(comp: Compilation) -> None:
    """Check the calls of all rules."""
    for group in comp.groups.values():
        for clause in group.all_clauses():
            modern = comp.strict or comp.modules[clause.module].rego_version != 0
            checker = _Checker(comp, group.name, modern)
            checker.check((clause.args, clause.tail, clause.key, clause.value, clause.body))


def check_query(comp: Compilation, body: Body) -> None:
    """The same for a query."""
    _Checker(comp, "the query", comp.strict).check(body)


class _Checker:
    """Checks the calls in one rule; ``modern`` tells that nothing deprecated may be called."""

    def __init__(self, comp: Compilation, rule: str, modern: bool) -> None:
        self.comp = comp
        self.rule = rule
        self.modern = modern

    def check(self, node: object) -> None:
        """Record an error for each bad call below ``node``."""
        places: dict[int, Location] = {}
        for item in walk(node):
            if isinstance(item, Expr) and isinstance(item.term, Call):
                places[id(item.term)] = item.loc
            elif isinstance(item, Call):
                own = places.get(id(item))
                self._call(item, item.loc if own is None else own, statement=own is not None)

    def _call(self, call: Call, loc: Location, *, statement: bool) -> None:
        operator = call.operator
        given = len(call.args)
        if isinstance(operator, Var):
            decl = self.comp.capabilities.builtins.get(operator.name)
            if decl is None:
                self.comp.error(f"undefined function {operator.name}", loc, _TYPE_ERROR)
                return
            self._granted(operator.name, decl, loc)
            if decl.result is None and not statement:
                message = f"{TermText(lambda name: None).term(call)} used as value"
                self.comp.error(message, call.loc, _TYPE_ERROR, stage=Stage.VOID_CALLS)
                return
            fits = given == decl.arity or (statement and given == decl.arity + 1)
            if not fits and not decl.variadic:
                message = _builtin_arity(decl, call.args, loc, statement=statement)
                self.comp.error(message, loc, _TYPE_ERROR)
            return
        path = ground_path(operator)
        group = self.comp.groups.get(path) if path is not None else None
        arity = -1 if group is None else group.arity
        fits = given == arity or (statement and given == arity + 1)
        if group is None:
            shown = TermText(lambda name: None).term(operator)
            self.comp.error(f"undefined function {shown}", loc, _TYPE_ERROR)
        elif not fits:
            # A rule counts as a function of nothing; that it is none its type will tell.
            got = f"{given} argument" + ("" if given == 1 else "s")
            message = f"function {group.name} has arity {group.arity}, got {got}"
            self.comp.error(message, loc, _TYPE_ERROR)

    def _granted(self, name: str, decl: BuiltinDecl, loc: Location) -> None:
        if name in self.comp.capabilities.withheld:
            self.comp.error(
                f"builtin {name} is withheld, and {self.rule} calls it: this evaluation grants "
                "neither network nor environment",
                loc,
                "rego_capability_error",
                hint="grant it with a capabilities file, or pass what the rule needs as data",
            )
        if decl.deprecated and self.modern:
            message = f"deprecated built-in function calls in expression: {name}"
            self.comp.error(message, loc, _TYPE_ERROR, stage=Stage.DEPRECATED, minor=True)


def _builtin_arity(
    decl: BuiltinDecl, args: tuple[Term, ...], loc: Location, *, statement: bool
) -> str:
    """What is given and what is wanted; of what is computed nothing is known.

    The result counts as given where it is used.
    """
    table = Table()
    terms = Terms(table)
    env = Env(None, ())
    have = [terms.type_of(env, arg) for arg in args]
    if not statement:
        have.append(None)
    want = builtin_type(table, decl)
    assert isinstance(want, Function)
    what = f"{decl.name}: arity mismatch"
    names = parameters(want)[: len(want.args)]
    return argument_problem(loc, what, have, names, want.variadic, terms.unifier).message

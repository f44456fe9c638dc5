"""Expressions that cannot be placed in, errors about the variables that they lack out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from adjudge.rego.lexer import FUTURE_KEYWORDS, LOGICAL_KEYWORDS
from adjudge.rego.passes.model import Clause, Compilation, Stage, display_name, path_text
from adjudge.rego.passes.variables import term_vars
from adjudge.rego.syntax import Call, Expr, Module, Ref, Rule, Scalar, Term, Var, walk
from adjudge.source import Location

_CODE = "rego_unsafe_var_error"

_KEYWORDS = FUTURE_KEYWORDS | LOGICAL_KEYWORDS


class SafetyErrors:
    """Words the errors of one clause, or of a query."""

    def __init__(
        self, comp: Compilation, arity: Callable[[Var | Ref], int], clause: Clause | None
    ) -> None:
        self.comp = comp
        self.arity = arity
        self.clause = clause
        self._scope = "" if clause is None else scope(comp.modules[clause.module], clause.rule)

    def unsafe(self, name: str, loc: Location, stage: Stage) -> None:
        """Report one variable."""
        shown = display_name(name)
        hint = None
        if shown in _KEYWORDS:
            hint = f"`import future.keywords.{shown}` to import a future keyword"
        message = f"var {shown} is unsafe{self._scope}"
        self.comp.error(message, loc, _CODE, hint, stage=stage)

    def report(self, found: Iterable[tuple[Expr, set[str]]]) -> None:
        """Report each variable once, where it is lacked first.

        What is assigned is a consequence: it is named only where no cause is.
        """
        found = sorted(found, key=lambda entry: entry[0].loc)
        places: dict[str, Location] = {}
        consequences: set[str] = set()
        assignments = self._assignments() if found else set()
        owners = {name: expr for expr, names in found for name in names}
        for expr, names in found:
            outputs = self._outputs(expr)
            taken_out = any(name.startswith("$not") for name in outputs)
            at = _negation(expr, owners).loc if taken_out else expr.loc
            if expr.loc in assignments:
                consequences |= outputs
            # A result has the place of the expression, an argument that of the call.
            of_call = outputs and not taken_out and isinstance(expr.term, Call)
            inner = expr.term.loc if of_call else at
            for name in sorted(names):
                loc = at if name in outputs else inner
                places[name] = min(places.get(name, loc), loc)
        named = {n: loc for n, loc in places.items() if not n.startswith("$")}
        causes = {n: loc for n, loc in named.items() if n not in consequences}
        for name, loc in (causes or named).items():
            self.unsafe(name, loc, Stage.SAFETY)
        if not named:
            self._report_expressions(found)

    def _report_expressions(self, found: list[tuple[Expr, set[str]]]) -> None:
        """Only variables that no policy spells are lacked: name the expressions."""
        seen: set[str] = set()
        for expr, names in found:
            if not names <= seen:
                seen |= names
                self.comp.error(
                    f"expression is unsafe{self._scope}", expr.loc, _CODE, stage=Stage.SAFETY
                )

    def _outputs(self, expr: Expr) -> set[str]:
        term = expr.term
        if not isinstance(term, Call):
            return set()
        if isinstance(term.operator, Var) and term.operator.name in ("assign", "eq"):
            return set(term_vars(term.args[0]))
        if len(term.args) > self.arity(term.operator) >= 0:
            return set(term_vars(term.args[-1]))
        return set()

    def _assignments(self) -> set[Location]:
        """Where ``:=`` stands; calls have their result as one argument more by now."""
        if self.clause is None:
            return set()
        return {
            node.loc
            for node in walk(self.clause.rule)
            if isinstance(node, Expr)
            and isinstance(node.term, Call)
            and node.term.operator == Var("assign")
        }


def _negation(expr: Expr, owners: Mapping[str, Expr]) -> Expr:
    """The negated expression that an expression was taken out of, see flatten.NEGATED."""
    while not expr.negated and isinstance(expr.term, Call):
        bound = expr.term.args[0] if expr.term.args else None
        owner = owners.get(bound.name) if isinstance(bound, Var) else None
        if owner is None or owner is expr:
            break
        expr = owner
    return expr


def scope(module: Module, rule: Rule) -> str:
    """Which rule is meant, where rules of several names share the line."""
    names: dict[int, set[str]] = {}
    for other in module.rules:
        each: Rule | None = other
        while each is not None:
            names.setdefault(each.loc.row, set()).add(_ground_name(each))
            each = each.orelse
    shared = len(names.get(rule.loc.row, ())) > 1
    return f" in rule {_ground_name(rule)}" if shared else ""


def _ground_name(rule: Rule) -> str:
    ref = rule.head.ref
    head = ref if isinstance(ref, Var) else ref.head
    keys = []
    for operand in ref.operands if isinstance(ref, Ref) else ():
        if not isinstance(operand, Scalar):
            break
        keys.append(operand.value)
    return path_text(tuple(keys), head.name if isinstance(head, Var) else "")  # type: ignore[arg-type]


def places(terms: Iterable[Term]) -> dict[str, Location]:
    """The variables of terms, and where each stands first."""
    found: dict[str, Location] = {}
    for node in (n for term in terms for n in walk(term)):
        if isinstance(node, Var) and node.name not in ("input", "data"):
            found[node.name] = min(found.get(node.name, node.loc), node.loc)
    return found

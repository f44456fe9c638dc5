"""Syntax modules in, groups of clauses with settled names out."""

from __future__ import annotations

from collections.abc import Iterator

from adjudge.rego.passes import imports
from adjudge.rego.passes.metadata import MetadataIndex
from adjudge.rego.passes.model import (
    Clause,
    Compilation,
    FunctionName,
    Group,
    Key,
    Kind,
    Path,
    Stage,
    path_text,
)
from adjudge.rego.passes.resolving import TermResolver, ground_path, is_op, operator_name
from adjudge.rego.passes.scope import Declared, Scope
from adjudge.rego.passes.variables import ROOTS, pattern_vars, term_vars
from adjudge.rego.syntax import (
    Array,
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Import,
    Logical,
    Module,
    Not,
    Object,
    Ref,
    Rule,
    Scalar,
    SomeDecl,
    SomeIn,
    Statement,
    Term,
    Var,
    With,
)
from adjudge.source import Location

_TRUE = Scalar(True)


def run(comp: Compilation) -> None:
    """Fill ``comp.groups`` and ``comp.mocked`` from ``comp.modules``."""
    rules_by_package: dict[tuple[str, ...], set[str]] = {}
    for module in comp.modules:
        names = rules_by_package.setdefault(module.package, set())
        for rule in module.rules:
            names.add(_head_name(rule))
    metadata = MetadataIndex(comp.modules)
    for index, module in enumerate(comp.modules):
        resolver = Resolver(comp, module, index, rules_by_package[module.package], metadata)
        for rule in module.rules:
            resolver.add_rule(rule)
        imports.check(comp, module, resolver.unused_imports)


def resolve_query(
    comp: Compilation,
    body: Body,
    package: tuple[str, ...] = (),
    imports: tuple[Import, ...] = (),
) -> Body:
    """A query's body with its names settled; the top level declares plain names.

    It may use the rules of ``package`` and what is imported by their names.
    """
    module = Module(package=package, imports=imports, rules=())
    names = {
        str(g.path[len(package)])
        for g in comp.groups.values()
        if package and g.path[: len(package)] == package and len(g.path) > len(package)
    }
    resolver = Resolver(comp, module, -1, names, MetadataIndex(()))
    return resolver.query(body)


def _head_name(rule: Rule) -> str:
    ref = rule.head.ref
    head = ref if isinstance(ref, Var) else ref.head
    return head.name if isinstance(head, Var) else ""


class Resolver(TermResolver):
    """Settles the names of one module."""

    def __init__(
        self,
        comp: Compilation,
        module: Module,
        index: int,
        rule_names: set[str],
        metadata: MetadataIndex,
    ) -> None:
        super().__init__(comp, module, metadata)
        self.index = index
        self.refused = False
        """Whether a modifier of the body was refused; one error stands for all of them."""
        # Queries may do what modules of version 1 may not.
        self.modern = comp.strict or (index >= 0 and module.rego_version != 0)
        package = Ref(Var("data"), tuple(Scalar(p) for p in module.package))
        for name, imp in imports.names(module):
            self.globals[name] = imp.path
            self.unused_imports[name] = imp
        for name in rule_names:
            path = Ref(Var("data"), (*package.operands, Scalar(name)))
            self.globals[name] = path

    # -- rules ---------------------------------------------------------------------

    def add_rule(self, rule: Rule) -> None:
        """Settle one rule and put it into its group."""
        self.rule = rule
        head = rule.head
        name = _head_name(rule)
        if name in ROOTS and self.modern:
            self._shadows("rules", name, "rule", rule.loc)
        operands = head.ref.operands if isinstance(head.ref, Ref) else ()
        clause, tail = self._clause(rule, operands)
        ground: list[Key] = [*self.module.package, name]
        while tail and isinstance(tail[0], Scalar):
            ground.append(tail[0].value)  # type: ignore[arg-type]
            tail = tail[1:]
        self._rebase(clause, len(operands) - len(tail))
        kind: Kind = "complete"
        if head.args is not None:
            kind = "function"
        elif tail:
            kind = "object"
        elif head.key is not None:
            kind = "set"
        self._group(tuple(ground), kind, clause, rule)

    def _shadows(self, what: str, name: str, instead: str, loc: Location) -> None:
        self.comp.error(
            f"{what} must not shadow {name} (use a different {instead} name)",
            loc,
            stage=Stage.OVERRIDES,
            minor=True,
        )

    def _rebase(self, clause: Clause, drop: int) -> None:
        each: Clause | None = clause
        while each is not None:
            each.tail = each.tail[drop:]
            each = each.orelse

    def _group(self, path: Path, kind: Kind, clause: Clause, rule: Rule) -> None:
        groups = self.comp.groups
        group = groups.get(path)
        arity = len(clause.args)
        if group is None:
            group = groups[path] = Group(path, kind, arity, loc=rule.loc)
        else:
            old = group.kind, group.arity, group.first.key is None
            group.mixed = group.mixed or old != (kind, arity, clause.key is None)
        if rule.default:
            group.defaults.append(rule.loc)
            if group.default is None:
                group.default = clause
        else:
            group.clauses.append(clause)

    def _clause(self, rule: Rule, operands: tuple[Term, ...]) -> tuple[Clause, tuple[Term, ...]]:
        outer = Scope(None)
        head = rule.head
        self.at = rule.loc
        args = tuple(self._argument(a, outer) for a in head.args or ())
        self.reported = False
        scope = self._body_scope(outer, rule.body)
        body = self._body(rule.body, scope)
        tail = tuple(self.term(t, scope) for t in operands)
        key = None if head.key is None else self.term(head.key, scope)
        value = _TRUE if head.value is None else self.term(head.value, scope)
        self._report_unused(scope, rule.body)
        orelse = None
        if rule.orelse is not None:
            orelse = self._else(rule.orelse, args, operands, outer)
        if self.comp.strict:
            self._report_unused_arguments(outer, head.loc)
        return Clause(rule, args, tail, key, value, body, orelse, rule.loc, self.index), tail

    def _argument(self, arg: Term, scope: Scope) -> Term:
        for name in pattern_vars(arg, ()):
            if name in ROOTS:
                message = f"args must not shadow {name} (use a different variable name)"
                self.comp.error(message, self.at, stage=Stage.REFERENCES)
        if isinstance(arg, Call):
            self.comp.error("rule arguments cannot contain calls", arg.loc, stage=Stage.VARIABLES)
        return self._pattern(arg, scope, Declared.ARG)

    def _report_unused_arguments(self, scope: Scope, loc: Location) -> None:
        for name, _, _ in scope.unused():
            self.comp.error(
                f"unused argument {name}. (hint: use _ (wildcard variable) instead)",
                loc,
                stage=Stage.VARIABLES,
                minor=True,
            )

    def _else(
        self, rule: Rule, args: tuple[Term, ...], operands: tuple[Term, ...], outer: Scope
    ) -> Clause:
        self.reported = False
        scope = self._body_scope(outer, rule.body)
        body = self._body(rule.body, scope)
        value = _TRUE if rule.head.value is None else self.term(rule.head.value, scope)
        tail = tuple(self.term(t, scope) for t in operands)
        self._report_unused(scope, rule.body)
        orelse = self._else(rule.orelse, args, operands, outer) if rule.orelse else None
        return Clause(rule, args, tail, None, value, body, orelse, rule.loc, self.index)

    def query(self, body: Body) -> Body:
        """Settle a query; its declared variables keep their names as result bindings."""
        scope = self._body_scope(Scope(None), body)
        scope.plain = True
        return self._body(body, scope)

    # -- bodies --------------------------------------------------------------------

    def _body_scope(self, parent: Scope, body: Body) -> Scope:
        scope = Scope(parent)
        for expr in body:
            for var in declared_in(expr):
                scope.pending.add(var.name)
        return scope

    def _body(self, body: Body, scope: Scope) -> Body:
        out: list[Expr] = []
        around = self.at
        self.refused = False
        for expr in body:
            self.at = expr.loc
            resolved = self._expr(expr, scope)
            if resolved is not None:
                out.append(resolved)
        self.at = around
        return tuple(out)

    def _expr(self, expr: Expr, scope: Scope) -> Expr | None:
        term = expr.term
        # `with` values are evaluated before the expression, in the outer context.
        withs = tuple(self._with(w, scope) for w in expr.withs)
        new: Statement
        if isinstance(term, SomeDecl):
            for var in term.names:
                self._declare(var, scope, Declared.NAMED)
            return None
        if isinstance(term, SomeIn):
            if self._refuses_own_domain(term):
                return None
            domain = self.term(term.domain, scope)
            key = None if term.key is None else self._pattern(term.key, scope, Declared.SOME)
            value = self._pattern(term.value, scope, Declared.SOME)
            new = SomeIn(key, value, domain, term.loc)
        elif isinstance(term, Every):
            new = self._every(term, scope)
        elif isinstance(term, Not):
            new = Not(self._condition(term.condition, scope, "negated expression"), term.loc)
        elif isinstance(term, Logical):
            new = self._logical(term, scope)
        elif isinstance(term, Call) and is_op(term, "assign", 2):
            if expr.negated:
                message = "cannot assign vars inside negated expression"
                self.comp.error(message, expr.loc, stage=Stage.VARIABLES)
            new = self._assign(term, scope)
        elif isinstance(term, Call) and is_op(term, "print") and "print" not in self.globals:
            new = self._print(term, scope)
        elif isinstance(term, Call):
            new = self._call(term, scope, statement=True)
        else:
            new = self.term(term, scope)
        return Expr(new, expr.negated, withs, expr.loc)

    def _assign(self, call: Call, scope: Scope) -> Call:
        left, right = call.args
        if isinstance(left, Var) and left.name in ROOTS and self.modern:
            self._shadows("variables", left.name, "variable", self.at)
        value = self.term(right, scope)
        target = self._pattern(left, scope, Declared.ASSIGNED)
        return Call(Var("assign", call.operator.loc), (target, value), True, call.loc)

    def _print(self, call: Call, scope: Scope) -> Call:
        parts = tuple(self._captured(self.term(a, scope), a.loc) for a in call.args)
        return Call(Var("internal.print"), (Array(parts, call.loc),), False, call.loc)

    def _every(self, every: Every, scope: Scope) -> Every:
        domain = self.term(every.domain, scope)
        inner = Scope(scope)
        self.at = every.body[0].loc
        key = None if every.key is None else self._pattern(every.key, inner, Declared.NAMED)
        value = self._pattern(every.value, inner, Declared.NAMED)
        for expr in every.body:
            inner.pending.update(var.name for var in declared_in(expr))
        body = self._body(every.body, inner)
        self._report_unused(inner, every.body)
        return Every(key, value, domain, body, every.loc)

    def _logical(self, term: Logical, scope: Scope) -> Logical:
        place = f"implicit {term.operator} operand"
        left = self._condition(term.left, scope, place)
        return Logical(term.operator, left, self._condition(term.right, scope, place), term.loc)

    def _condition(self, condition: Condition, scope: Scope, place: str) -> Condition:
        """Braces declare variables of their own; without them nothing may be declared."""
        inner = scope
        if condition.braced:
            inner = self._body_scope(scope, condition.body)
        for expr in condition.body:
            term = expr.term
            if not condition.braced and isinstance(term, Call) and is_op(term, "assign", 2):
                message = f"cannot assign vars inside {place}"
                self.comp.error(message, expr.loc, stage=Stage.VARIABLES)
                return condition
        body = self._body(condition.body, inner)
        if condition.braced:
            self._report_unused(inner, condition.body)
        return Condition(body, condition.braced, condition.loc)

    def _with(self, w: With, scope: Scope) -> With:
        value = self._function_value(w.value, scope)
        target = self._with_target(w.target, scope)
        return With(target, value, w.loc)

    def _with_target(self, target: Var | Ref, scope: Scope) -> Var | Ref:
        written = target if isinstance(target, Var) else target.head
        if isinstance(written, Var) and written.name == "input":
            # Whatever else is called so here: what is replaced is the input.
            if isinstance(target, Var):
                return target
            return Ref(written, tuple(self.term(o, scope) for o in target.operands), target.loc)
        resolved = self._reference(target, scope)
        root = resolved if isinstance(resolved, Var) else resolved.head
        if isinstance(root, Var) and root.name == "data":
            path = ground_path(resolved)
            if path is not None:
                self.comp.mocked.add(path_text(path))
                self.comp.replaced.append((path, target.loc))
            return resolved
        name = operator_name(target)
        decl = self.comp.capabilities.builtins.get(name)
        code = "rego_compile_error"
        message = None
        if decl is None:
            message = "with keyword target must reference existing input, data, or a function"
            code = "rego_type_error"
        elif why := _unmockable(name, decl.relation, decl.result is None):
            message = f"with keyword replacing built-in function: {why}"
        if message is not None and not self.refused:
            self.refused = True
            self.comp.error(message, target.loc, code, stage=Stage.MODIFIERS)
        self.comp.mocked.add(name)
        return Var(name, target.loc)

    def _function_value(self, value: Term, scope: Scope) -> Term:
        """A ``with`` value; the bare name of a builtin stays a name (it replaces a function)."""
        if isinstance(value, Var | Ref):
            name = operator_name(value)
            first = name.split(".", 1)[0]
            known = name in self.comp.capabilities.builtins
            if known and first not in self.globals and scope.lookup(first) is None:
                return FunctionName(name, value.loc)  # type: ignore[return-value]
        return self.term(value, scope)

    def _refuses_own_domain(self, some: SomeIn) -> bool:
        """Whether something is declared that it is also looked for in, an error."""
        declared = {v.name for v in _pattern_vars(some.value, keys=False)}
        if isinstance(some.value, Call):
            declared |= set(term_vars(some.value))
        if some.key is not None:
            declared |= {v.name for v in _pattern_vars(some.key, keys=False)}
        both = sorted(declared.intersection(term_vars(some.domain)))
        for name in both:
            message = f"var {name} assigned before"
            self.comp.error(message, some.loc, stage=Stage.VARIABLES)
        return bool(both)

    def _report_unused(self, scope: Scope, body: Body) -> None:
        if self.reported:
            return
        unused = list(scope.unused())
        if self.comp.strict and any(how is Declared.ASSIGNED for _, _, how in unused):
            unused = [u for u in unused if u[2] is Declared.ASSIGNED]
        else:
            unused = [u for u in unused if u[2] is Declared.NAMED]
        for name, loc, how in unused:
            self.reported = True
            verb = "assigned" if how is Declared.ASSIGNED else "declared"
            message = f"{verb} var {name} unused"
            self.comp.error(message, loc, stage=Stage.VARIABLES, minor=True)


def declared_in(expr: Expr) -> Iterator[Var]:
    """The variables an expression declares in its own body."""
    term = expr.term
    if isinstance(term, SomeDecl):
        yield from term.names
    elif isinstance(term, SomeIn):
        if term.key is not None:
            yield from _pattern_vars(term.key, keys=True)
        yield from _pattern_vars(term.value, keys=True)
    elif isinstance(term, Call) and is_op(term, "assign", 2):
        yield from _pattern_vars(term.args[0], keys=False)


def _pattern_vars(term: Term, *, keys: bool) -> Iterator[Var]:
    if isinstance(term, Var):
        if term.name != "_":
            yield term
    elif isinstance(term, Array):
        for item in term.items:
            yield from _pattern_vars(item, keys=keys)
    elif isinstance(term, Object):
        for key, value in term.pairs:
            if keys:
                yield from _pattern_vars(key, keys=keys)
            yield from _pattern_vars(value, keys=keys)


def _unmockable(name: str, relation: bool, void: bool) -> str | None:
    if name in ("eq", "rego.metadata.chain", "rego.metadata.rule"):
        return f'replacement of "{name}" invalid'
    if name.startswith("internal."):
        return f'replacement of internal function "{name}" invalid'
    if relation:
        return "target must not be a relation"
    if void:
        return "target must not be a void function"
    return None

"""Syntax modules in, groups of clauses with settled names out.

Follows OPA's resolution order: what a body declares (``:=``, ``some``, arguments)
hides rules and imports of the same name; a rule or import hides a builtin; all else
is a variable of the rule.  Declared variables get unique names (``x~3``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adjudge.rego.passes.metadata import MetadataIndex
from adjudge.rego.passes.model import (
    Clause,
    Compilation,
    FunctionName,
    Group,
    Key,
    Kind,
    Path,
    path_text,
)
from adjudge.rego.passes.scope import Declared, Scope, VarError
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
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
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    SomeDecl,
    SomeIn,
    Statement,
    Template,
    Term,
    Var,
    With,
)
from adjudge.source import NOWHERE, Location

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


class Resolver:
    """Settles the names of one module."""

    def __init__(
        self,
        comp: Compilation,
        module: Module,
        index: int,
        rule_names: set[str],
        metadata: MetadataIndex,
    ) -> None:
        self.comp = comp
        self.module = module
        self.index = index
        self.metadata = metadata
        self.rule: Rule | None = None
        self.counter = 0
        self.globals: dict[str, Term] = {}
        self.unused_imports: dict[str, Import] = {}
        package = Ref(Var("data"), tuple(Scalar(p) for p in module.package))
        for imp in module.imports:
            self._add_import(imp)
        for name in rule_names:
            path = Ref(Var("data"), (*package.operands, Scalar(name)))
            self.globals[name] = path

    # -- imports and rules ---------------------------------------------------------

    def _add_import(self, imp: Import) -> None:
        path = imp.path
        root = path if isinstance(path, Var) else path.head
        if not isinstance(root, Var) or root.name in ("future", "rego"):
            return
        last = path.operands[-1] if isinstance(path, Ref) else path
        name = imp.alias
        if name is None:
            name = last.name if isinstance(last, Var) else str(getattr(last, "value", ""))
        if name in self.globals and self.module.rego_version != 0:
            self.comp.error(f"import must not shadow import {_import_text(imp)}", imp.loc)
        self.globals[name] = path
        self.unused_imports[name] = imp

    def add_rule(self, rule: Rule) -> None:
        """Settle one rule and put it into its group."""
        self.rule = rule
        head = rule.head
        name = _head_name(rule)
        if name in ("data", "input") and isinstance(head.ref, Var):
            self.comp.error(
                f"rules must not shadow {name} (use a different rule name)", head.loc or rule.loc
            )
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
            group = groups[path] = Group(path, kind, arity)
        elif group.kind != kind or group.arity != arity:
            self.comp.error(
                f"conflicting rules {path_text(path)} found", rule.loc, "rego_type_error"
            )
            return
        if not rule.default:
            group.clauses.append(clause)
        elif group.default is not None:
            self.comp.error(
                f"multiple default rules {path_text(path)} found at "
                f"{group.default.loc}, {rule.loc}",
                rule.loc,
                "rego_type_error",
            )
        else:
            group.default = clause

    def _clause(self, rule: Rule, operands: tuple[Term, ...]) -> tuple[Clause, tuple[Term, ...]]:
        outer = Scope(None)
        head = rule.head
        args = tuple(self._pattern(a, outer, Declared.ARG) for a in head.args or ())
        scope = self._body_scope(outer, rule.body)
        body = self._body(rule.body, scope)
        tail = tuple(self.term(t, scope) for t in operands)
        key = None if head.key is None else self.term(head.key, scope)
        value = _TRUE if head.value is None else self.term(head.value, scope)
        orelse = None
        if rule.orelse is not None:
            orelse = self._else(rule.orelse, args, operands, outer)
        self._report_unused(scope)
        return Clause(rule, args, tail, key, value, body, orelse, rule.loc, self.index), tail

    def _else(
        self, rule: Rule, args: tuple[Term, ...], operands: tuple[Term, ...], outer: Scope
    ) -> Clause:
        scope = self._body_scope(outer, rule.body)
        body = self._body(rule.body, scope)
        value = _TRUE if rule.head.value is None else self.term(rule.head.value, scope)
        tail = tuple(self.term(t, scope) for t in operands)
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
        for expr in body:
            resolved = self._expr(expr, scope)
            if resolved is not None:
                out.append(resolved)
        return tuple(out)

    def _expr(self, expr: Expr, scope: Scope) -> Expr | None:
        term = expr.term
        # `with` values are evaluated before the expression, in the outer context.
        withs = tuple(self._with(w, scope) for w in expr.withs)
        new: Statement
        if isinstance(term, SomeDecl):
            for var in term.names:
                self._declare(var, scope, Declared.SOME)
            return None
        if isinstance(term, SomeIn):
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
        elif isinstance(term, Call) and _is_op(term, "assign"):
            if expr.negated:
                self.comp.error("cannot assign vars inside negated expression", term.loc)
            new = self._assign(term, scope)
        elif isinstance(term, Call) and _is_op(term, "print") and "print" not in self.globals:
            new = self._print(term, scope)
        else:
            new = self.term(term, scope)
        return Expr(new, expr.negated, withs, expr.loc)

    def _assign(self, call: Call, scope: Scope) -> Call:
        left, right = call.args
        value = self.term(right, scope)
        if isinstance(left, Ref | Scalar | Call | Set):
            self.comp.error(f"cannot assign to {_kind_name(left)}", left.loc)
        target = self._pattern(left, scope, Declared.ASSIGNED)
        return Call(Var("assign", call.operator.loc), (target, value), True, call.loc)

    def _print(self, call: Call, scope: Scope) -> Call:
        parts = tuple(self._captured(self.term(a, scope), a.loc) for a in call.args)
        return Call(Var("internal.print"), (Array(parts, call.loc),), False, call.loc)

    def _captured(self, term: Term, loc: Location, withs: tuple[With, ...] = ()) -> Term:
        """A set comprehension that holds the term's value, or nothing when undefined."""
        var = self._fresh("$capture", loc)
        bind = Expr(Call(Var("eq"), (var, term), True, loc), withs=withs, loc=loc)
        return SetCompr(var, (bind,), loc)

    def _every(self, every: Every, scope: Scope) -> Every:
        domain = self.term(every.domain, scope)
        inner = Scope(scope)
        key = None if every.key is None else self._pattern(every.key, inner, Declared.SOME)
        value = self._pattern(every.value, inner, Declared.SOME)
        body_scope = self._body_scope(inner, every.body)
        body = self._body(every.body, body_scope)
        self._report_unused(inner)
        self._report_unused(body_scope)
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
            if not condition.braced and isinstance(term, Call) and _is_op(term, "assign"):
                self.comp.error(f"cannot assign vars inside {place}", expr.loc)
                return condition
        body = self._body(condition.body, inner)
        if condition.braced:
            self._report_unused(inner)
        return Condition(body, condition.braced, condition.loc)

    def _with(self, w: With, scope: Scope) -> With:
        value = self._function_value(w.value, scope)
        target = self._with_target(w.target, scope)
        return With(target, value, w.loc)

    def _with_target(self, target: Var | Ref, scope: Scope) -> Var | Ref:
        resolved = self._reference(target, scope)
        root = resolved if isinstance(resolved, Var) else resolved.head
        if isinstance(root, Var) and root.name == "input":
            return resolved
        if isinstance(root, Var) and root.name == "data":
            path = ground_path(resolved)
            if path is not None:
                self.comp.mocked.add(path_text(path))
            return resolved
        name = operator_name(target)
        decl = self.comp.capabilities.builtins.get(name)
        if decl is None:
            self.comp.error(
                "with keyword target must reference existing input, data, or a function",
                target.loc,
                "rego_type_error",
            )
        elif why := _unmockable(name, decl.relation, decl.result is None):
            self.comp.error(f"with keyword replacing built-in function: {why}", target.loc)
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

    # -- terms ---------------------------------------------------------------------

    def term(self, term: Term, scope: Scope) -> Term:
        """A term with its names settled."""
        match term:
            case Scalar():
                return term
            case Var():
                return self._var(term, scope)
            case Ref():
                return self._reference(term, scope)
            case Call():
                return self._call(term, scope)
            case Array(items, loc):
                return Array(self._terms(items, scope), loc)
            case Object(pairs, loc):
                return Object(
                    tuple((self.term(k, scope), self.term(v, scope)) for k, v in pairs), loc
                )
            case Set(items, loc):
                return Set(self._terms(items, scope), loc)
            case ArrayCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), scope)
                return ArrayCompr(result, new, loc)
            case SetCompr(inner, body, loc):
                new, (result,) = self._comprehension(body, (inner,), scope)
                return SetCompr(result, new, loc)
            case ObjectCompr(key, value, body, loc):
                new, (k, v) = self._comprehension(body, (key, value), scope)
                return ObjectCompr(k, v, new, loc)
            case Template():
                return self._template(term, scope)

    def _terms(self, terms: Sequence[Term], scope: Scope) -> tuple[Term, ...]:
        return tuple(self.term(t, scope) for t in terms)

    def _comprehension(
        self, body: Body, terms: tuple[Term, ...], scope: Scope
    ) -> tuple[Body, tuple[Term, ...]]:
        inner = self._body_scope(scope, body)
        new = self._body(body, inner)
        results = self._terms(terms, inner)
        self._report_unused(inner)
        return new, results

    def _template(self, template: Template, scope: Scope) -> Term:
        parts: list[Term] = []
        for part in template.parts:
            if isinstance(part, str):
                parts.append(Scalar(part, template.loc))
                continue
            if isinstance(part, Expr):
                withs = tuple(self._with(w, scope) for w in part.withs)
                inner = self.term(part.term, scope)  # type: ignore[arg-type]
                parts.append(self._captured(inner, part.loc, withs))
                continue
            resolved = self.term(part, scope)
            if isinstance(resolved, Scalar):
                parts.append(resolved)
            else:
                parts.append(self._captured(resolved, part.loc))
        loc = template.loc
        return Call(Var("internal.template_string"), (Array(tuple(parts), loc),), False, loc)

    def _var(self, var: Var, scope: Scope) -> Term:
        name = var.name
        if name == "_":
            return self._fresh("_", var.loc)
        try:
            unique = scope.use(name)
        except VarError as e:
            self.comp.error(str(e), var.loc)
            return var
        if unique is not None:
            return Var(unique, var.loc)
        if name in ("input", "data"):
            return var
        resolved = self.globals.get(name)
        if resolved is not None:
            self.unused_imports.pop(name, None)
            return _relocate(resolved, var.loc)
        return var

    def _reference(self, ref: Var | Ref, scope: Scope) -> Var | Ref:
        if isinstance(ref, Var):
            found = self._var(ref, scope)
            return found if isinstance(found, Var | Ref) else ref
        head = self.term(ref.head, scope)
        operands = self._terms(ref.operands, scope)
        if isinstance(head, Ref):
            return Ref(head.head, head.operands + operands, ref.loc)
        return Ref(head, operands, ref.loc)

    def _call(self, call: Call, scope: Scope) -> Term:
        name = operator_name(call.operator)
        if name in ("rego.metadata.rule", "rego.metadata.chain") and "rego" not in self.globals:
            return self.metadata.term(name, self.module, self.rule, call.loc)
        args = self._terms(call.args, scope)
        if call.infix:
            return Call(Var(name, call.operator.loc), args, True, call.loc)
        root = name.split(".", 1)[0]
        if root == "data" or (root in self.globals and scope.lookup(root) is None):
            operator = self._reference(call.operator, scope)
        elif scope.lookup(root) is not None:
            operator = call.operator
            self.comp.error(f"undefined function {name}", call.loc, "rego_type_error")
        else:
            operator = Var(name, call.operator.loc)
        return Call(operator, args, False, call.loc)

    # -- declarations --------------------------------------------------------------

    def _fresh(self, name: str, loc: Location = NOWHERE) -> Var:
        self.counter += 1
        return Var(f"{name}~{self.counter}", loc)

    def _declare(self, var: Var, scope: Scope, how: Declared) -> Var:
        if var.name == "_":
            return self._fresh("_", var.loc)
        self.counter += 1
        unique = var.name if scope.plain else f"{var.name}~{self.counter}"
        try:
            scope.declare(var.name, unique, how, var.loc)
        except VarError as e:
            self.comp.error(str(e), var.loc)
        return Var(unique, var.loc)

    def _pattern(self, term: Term, scope: Scope, how: Declared) -> Term:
        """A term whose variables are declared here: arguments, ``:=`` and ``some … in``."""
        match term:
            case Var(name, loc):
                if how is Declared.ARG and name != "_" and scope.declares(name):
                    return Var(scope.use(name) or name, loc)
                if how is Declared.SOME and scope.declares_as(name, Declared.SOME):
                    return self._var(term, scope)
                return self._declare(term, scope, how)
            case Array(items, loc):
                return Array(tuple(self._pattern(i, scope, how) for i in items), loc)
            case Object(pairs, loc):
                return Object(
                    tuple(
                        (self._pattern_key(k, scope, how), self._pattern(v, scope, how))
                        for k, v in pairs
                    ),
                    loc,
                )
            case _:
                return self.term(term, scope)

    def _pattern_key(self, key: Term, scope: Scope, how: Declared) -> Term:
        return self._pattern(key, scope, how) if how is Declared.SOME else self.term(key, scope)

    def _report_unused(self, scope: Scope) -> None:
        if not self.comp.strict:
            return
        for name, loc, how in scope.unused():
            if how is Declared.ARG:
                message = f"unused argument {name}. (hint: use _ (wildcard variable) instead)"
            else:
                verb = "assigned" if how is Declared.ASSIGNED else "declared"
                message = f"{verb} var {name} unused"
            self.comp.error(message, loc)


def declared_in(expr: Expr) -> Iterator[Var]:
    """The variables an expression declares in its own body."""
    term = expr.term
    if isinstance(term, SomeDecl):
        yield from term.names
    elif isinstance(term, SomeIn):
        if term.key is not None:
            yield from _pattern_vars(term.key, keys=True)
        yield from _pattern_vars(term.value, keys=True)
    elif isinstance(term, Call) and _is_op(term, "assign"):
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


def operator_name(operator: Var | Ref) -> str:
    """The dotted name of a call's operator (``json.unmarshal``)."""
    if isinstance(operator, Var):
        return operator.name
    parts = [operator.head.name if isinstance(operator.head, Var) else "?"]
    parts.extend(str(o.value) if isinstance(o, Scalar) else "?" for o in operator.operands)
    return ".".join(parts)


def ground_path(ref: Var | Ref) -> Path | None:
    """The keys below the root of a reference, or None when one is not a constant."""
    if isinstance(ref, Var):
        return ()
    keys: list[Key] = []
    for operand in ref.operands:
        if not isinstance(operand, Scalar):
            return None
        keys.append(operand.value)  # type: ignore[arg-type]
    return tuple(keys)


def _relocate(term: Term, loc: Location) -> Term:
    if isinstance(term, Ref):
        return Ref(term.head, term.operands, loc)
    if isinstance(term, Var):
        return Var(term.name, loc)
    return term


def _is_op(call: Call, name: str) -> bool:
    return isinstance(call.operator, Var) and call.operator.name == name


def _kind_name(term: Term) -> str:
    if isinstance(term, Scalar):
        value = term.value
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "boolean"
        return "string" if isinstance(value, str) else "number"
    return type(term).__name__.lower()


def _import_text(imp: Import) -> str:
    name = operator_name(imp.path)
    return f"{name} as {imp.alias}" if imp.alias else name


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

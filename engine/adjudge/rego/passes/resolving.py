"""Terms in, the same terms with their names settled out.

What a body declares (``:=``, ``some``, arguments) hides rules and imports of the same
name; a rule or import hides a builtin; all else is a variable of the rule.  Declared
variables get unique names (``x~3``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from adjudge.rego.parser.terms import value_name
from adjudge.rego.passes.metadata import MetadataIndex
from adjudge.rego.passes.model import Compilation, Key, Path, Stage
from adjudge.rego.passes.scope import Declared, Scope, VarError
from adjudge.rego.syntax import (
    Array,
    ArrayCompr,
    Body,
    Call,
    Expr,
    Import,
    Module,
    Object,
    ObjectCompr,
    Ref,
    Rule,
    Scalar,
    Set,
    SetCompr,
    Template,
    Term,
    Var,
    With,
)
from adjudge.source import NOWHERE, Location

_TYPE_ERROR: Final = "rego_type_error"


class TermResolver(ABC):
    """Settles the names in terms of one module; bodies within them are a subclass's."""

    def __init__(self, comp: Compilation, module: Module, metadata: MetadataIndex) -> None:
        self.comp = comp
        self.module = module
        self.metadata = metadata
        self.rule: Rule | None = None
        self.counter = 0
        self.globals: dict[str, Term] = {}
        self.unused_imports: dict[str, Import] = {}
        self.at: Location = NOWHERE
        self.reported = False
        """Whether unused variables of the rule are reported already, or something worse is."""

    @abstractmethod
    def _body_scope(self, parent: Scope, body: Body) -> Scope:
        """A scope for a body, with what the body will declare."""

    @abstractmethod
    def _body(self, body: Body, scope: Scope) -> Body:
        """A body with its names settled."""

    @abstractmethod
    def _with(self, w: With, scope: Scope) -> With:
        """A modifier with its names settled."""

    @abstractmethod
    def _report_unused(self, scope: Scope, body: Body) -> None:
        """Report what a body declares and nothing uses."""

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
        self._report_unused(inner, body)
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
            self._refuse_relation(resolved)
            if isinstance(resolved, Scalar):
                parts.append(resolved)
            else:
                # A variable counts as a part of the whole, for messages.
                loc = template.loc if isinstance(part, Var) else part.loc
                parts.append(self._captured(resolved, loc))
        loc = template.loc
        return Call(Var("internal.template_string"), (Array(tuple(parts), loc),), False, loc)

    def _refuse_relation(self, term: Term) -> None:
        name = (
            term.operator.name if isinstance(term, Call) and isinstance(term.operator, Var) else ""
        )
        decl = self.comp.capabilities.builtins.get(name)
        if decl is not None and decl.relation:
            message = f"illegal call to relation built-in '{name}' that may cause multiple outputs"
            self.comp.error(message, term.loc, stage=Stage.TEMPLATES)

    def _captured(self, term: Term, loc: Location, withs: tuple[With, ...] = ()) -> Term:
        """A set comprehension that holds the term's value, or nothing when undefined."""
        self.comp.capturing.add(id(self.rule))
        var = self._fresh("$capture", loc)
        bind = Expr(Call(Var("eq"), (var, term), True, loc), withs=withs, loc=loc)
        return SetCompr(var, (bind,), loc)

    def _var(self, var: Var, scope: Scope) -> Term:
        name = var.name
        if name == "_":
            return self._fresh("_", var.loc)
        try:
            unique = scope.use(name)
        except VarError as e:
            self.comp.error(str(e), var.loc, stage=Stage.VARIABLES)
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

    def _call(self, call: Call, scope: Scope, *, statement: bool = False) -> Term:
        name = operator_name(call.operator)
        if name in ("rego.metadata.rule", "rego.metadata.chain") and "rego" not in self.globals:
            return self.metadata.term(name, self.module, self.rule, call.loc)
        args = self._terms(call.args, scope)
        if call.infix and (name not in self.globals or name in ("eq", "assign")):
            return Call(Var(name, call.operator.loc), args, True, call.loc)
        root = name.split(".", 1)[0]
        declared = scope.lookup(root) is not None
        if not declared and (root == "data" or root in self.globals):
            operator = self._reference(call.operator, scope)
        elif declared:
            operator = call.operator
            scope.use(root)
            if statement:
                message, code, stage = f"undefined function {name}", _TYPE_ERROR, Stage.FUNCTIONS
            else:
                message, code = f"called function {name} shadowed", "rego_compile_error"
                stage = Stage.VARIABLES
            self.comp.error(message, self.at if statement else call.loc, code, stage=stage)
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
            scope.declare(var.name, unique, how, self.at)
        except VarError as e:
            loc = var.loc if how in (Declared.ASSIGNED, Declared.ARG) else self.at
            self.comp.error(str(e), loc, stage=Stage.VARIABLES)
            self.reported = True
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
            case _ if how is Declared.ASSIGNED and not isinstance(term, Array | Object):
                message = f"cannot assign to {value_name(term)}"
                self.comp.error(message, term.loc, stage=Stage.VARIABLES)
                return self.term(term, scope)
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


def is_op(call: Call, name: str, arity: int = -1) -> bool:
    """Whether a call is of a builtin, with so many arguments unless that does not matter."""
    if arity not in (-1, len(call.args)):
        return False
    return isinstance(call.operator, Var) and call.operator.name == name

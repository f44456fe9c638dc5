"""Calls in, errors about their arguments out; functions replaced by ``with``."""

from __future__ import annotations

from typing import TypeAlias

from adjudge.rego.capabilities import Capabilities
from adjudge.rego.passes.model import FunctionName
from adjudge.rego.passes.resolving import operator_name
from adjudge.rego.passes.types.builtins import builtin_type
from adjudge.rego.passes.types.env import ROOTS, Env
from adjudge.rego.passes.types.keys import scalar_key
from adjudge.rego.passes.types.model import ANY, Function, PropertyKey, Table, Type
from adjudge.rego.passes.types.problems import (
    Problem,
    argument_problem,
    match_problem,
    parameters,
)
from adjudge.rego.passes.types.refs import References
from adjudge.rego.passes.types.show import Named
from adjudge.rego.passes.types.terms import Comprehension, Terms
from adjudge.rego.passes.types.text import TermText
from adjudge.rego.passes.types.tree import TypeTree
from adjudge.rego.passes.types.visit import is_computed
from adjudge.rego.syntax import (
    Array,
    Call,
    Expr,
    Object,
    Ref,
    Scalar,
    Set,
    SetCompr,
    Term,
    Var,
    With,
    walk,
)
from adjudge.source import Location

DocumentPath: TypeAlias = tuple[PropertyKey, ...]

EQUALITIES = frozenset({"eq", "assign"})
MEMBERS = {"internal.member_2": 2, "internal.member_3": 3}


class Calls:
    """Checks calls; the statements around them are checked by its subclass."""

    def __init__(self, table: Table, capabilities: Capabilities, *, rules: bool) -> None:
        self.table = table
        self.capabilities = capabilities
        self.equalities = EQUALITIES | {"equal"} if rules else EQUALITIES
        self.terms = Terms(table)
        self.text = TermText(self._definition)
        self.refs = References(self.terms, self.text)
        self.scope: tuple[object, ...] = ()
        """The nodes in which what is checked stands, as written and as it is checked."""
        self.locals: dict[str, Type] = {}
        self.mocking: Problem | None = None
        self.in_template = False
        self.closure_depth = 0
        self._builtins: dict[str, Type | None] = {}
        self._replaced: set[Location] = set()
        self._relaxed: dict[tuple[object, ...], TypeTree | None] = {}

    # -- what the subclass and the rules add -----------------------------------------------

    def part(self, env: Env, term: Term, out: list[Problem]) -> None:
        """Check what stands for itself in a term."""
        raise NotImplementedError

    def bound(self, env: Env, term: Term, out: list[Problem]) -> Type | None:
        """The type of a term that gets a variable of its own."""
        raise NotImplementedError

    def equality(self, env: Env, expr: Expr, call: Call, out: list[Problem]) -> None:
        """Check two sides that must be equal."""
        raise NotImplementedError

    def dependents(self, operands: tuple[Term, ...]) -> list[DocumentPath]:
        """The rules that a reference below ``data`` may reach, and all that depend on them."""
        raise NotImplementedError

    # -- calls -----------------------------------------------------------------------------

    def builtin(self, name: str) -> Type | None:
        """The type of a builtin, None when there is none of that name."""
        if name not in self._builtins:
            decl = self.capabilities.builtins.get(name)
            self._builtins[name] = None if decl is None else builtin_type(self.table, decl)
        return self._builtins[name]

    def call(self, env: Env, expr: Expr, call: Call, out: list[Problem]) -> None:
        """Check a call that is an expression."""
        operator = call.operator
        name = operator.name if isinstance(operator, Var) else ""
        if name in self.equalities and len(call.args) == 2:
            self.equality(env, expr, call, out)
            return
        self.in_template = name == "internal.template_string"
        for arg in call.args:
            if not isinstance(arg, Scalar | Var):
                self.part(env, arg, out)
        self.in_template = False
        if self.mocking is not None:
            return
        problem = self._member(env, expr, call, name) if name in MEMBERS else None
        if problem is None:
            if isinstance(operator, Var):
                function = self.builtin(name)
            else:
                function = self.terms.documents.ref_type(env, operator)
            problem = self._applied(env, expr, call, function)
        if problem is not None:
            out.append(problem)

    def _applied(self, env: Env, expr: Expr, call: Call, function: Type | None) -> Problem | None:
        if not isinstance(function, Function):
            if function is ANY:
                # Nothing is known of the function; its result is compared all the same.
                output = call.args[-1]
                if isinstance(output, Var) and self._is_output(expr, call, output):
                    self.bound(env, output, [])
                return None
            return Problem(expr.loc, f"undefined function {self.text.term(call.operator)}")
        have = [self.terms.type_of(env, arg) for arg in call.args]
        wanted = function.args if function.result is None else (*function.args, function.result)
        problem = ""
        if len(have) > len(wanted) and function.variadic is None:
            problem = "too many arguments"
        elif len(have) < len(function.args):
            problem = "too few arguments"
        if problem:
            return self._wrong(expr, call, function, problem, have)
        count = len(function.args)
        for n, arg in enumerate(call.args):
            t, want = have[n], wanted[n] if n < len(wanted) else function.variadic
            whole = not isinstance(arg, Array | Object | Set)
            if t is not None and (t is want or t is ANY or (whole and want is ANY)):
                if not t.unknown:
                    continue
            known = t is not None and not t.unknown
            if not (known and not self.terms.unifier.unifies(t, want)):
                if n >= count and want is not None and want.unknown:
                    # In `x := f(y)` OPA compares two variables: of an empty set it then knows
                    # nothing about `x`.
                    if isinstance(arg, Var) and self._is_output(expr, call, arg):
                        want = ANY
                if self.terms.fits(env, arg, want):
                    continue
                have = [self.terms.type_of(env, arg) for arg in call.args]
            if n >= count and isinstance(arg, Var) and self._is_output(expr, call, arg):
                return _mismatch(expr, call, arg, have[n], want)
            return self._wrong(expr, call, function, "invalid argument(s)", have)
        return None

    def _is_output(self, expr: Expr, call: Call, output: Var) -> bool:
        """Whether ``f(x, y)`` was written ``y = f(x)`` (or the other way round)."""
        if output.name.startswith("$"):
            return False
        if call.loc != expr.loc:
            return True
        for node in walk(self.scope):
            if isinstance(node, Expr) and node.loc == expr.loc and isinstance(node.term, Call):
                if operator_name(node.term.operator) in EQUALITIES:
                    return True
        return False

    def _wrong(
        self, expr: Expr, call: Call, function: Function, why: str, have: list[Type | None]
    ) -> Problem:
        last = call.args[-1] if call.args else None
        loc = expr.loc
        if isinstance(last, Var) and self._is_output(expr, call, last):
            loc, have[-1] = call.loc, None
        what = f"{self.text.term(call.operator)}: {why}"
        want = parameters(function)
        return argument_problem(loc, what, have, want, function.variadic, self.terms.unifier)

    def _member(self, env: Env, expr: Expr, call: Call, name: str) -> Problem | None:
        """``x in xs``: what is looked for must be of a type that is in the collection."""
        arity = MEMBERS[name]
        if len(call.args) < arity:
            return None
        collection = self.terms.type_of(env, call.args[arity - 1])
        values = self.table.values_of(collection)
        if values is None:
            return None
        sought: list[tuple[Term, Type | None]] = [(call.args[arity - 2], values)]
        if arity == 3:
            sought.insert(0, (call.args[0], self.table.keys_of(collection)))
        for term, t in sought:
            if t is None or t.unknown:
                continue
            have = self.terms.type_of(env, term)
            known = have is not None and not have.unknown
            if (known and not self.terms.unifier.unifies(have, t)) or not self.terms.fits(
                env, term, t
            ):
                return match_problem(expr.loc, have, t)
        return None

    def note_captured(self, env: Env, term: Comprehension) -> None:
        """A variable in a template string may be of any type from there on."""
        if not (self.in_template and isinstance(term, SetCompr) and isinstance(term.term, Var)):
            return
        bind = term.body[0].term
        inner = bind.args[-1] if isinstance(bind, Call) else None
        if isinstance(inner, Var) and inner.name not in ROOTS:
            env.vars[inner.name] = ANY

    # -- with ------------------------------------------------------------------------------

    def replaced(self, env: Env, expr: Expr, out: list[Problem]) -> Env:
        """The environment of an expression with ``with``: what is replaced may also be of the
        type of what it is replaced by, and of what depends on it nothing is known."""
        for w in expr.withs:
            self._replacement(env, w, out)
        layer: TypeTree | None = None
        below = env
        for w in expr.withs:
            target = w.target
            root = target if isinstance(target, Var) else target.head
            operands = () if isinstance(target, Var) else target.operands
            if not isinstance(root, Var):
                continue
            if root.name not in ROOTS:
                self._mocked(env, w, self.builtin(root.name))
                continue
            t = self.terms.documents.root_type(env, root.name, operands)
            is_function = isinstance(t, Function)
            self._mocked(env, w, t)
            relaxed = self._dependents(root.name, operands, is_function=is_function)
            if relaxed is not None:
                below = below.under(relaxed)
            if not is_function:
                layer = layer or TypeTree(self.table)
                path, whole = ground(operands)
                new = self.table.either(t, self._value_type(env, w)) if whole and t else None
                if self._value_type(env, w) is None:
                    new = None
                layer.put(root.name, path, new or ANY)
        return below if layer is None else below.under(layer)

    def _replacement(self, env: Env, w: With, out: list[Problem]) -> None:
        if w.loc in self._replaced or isinstance(w.value, FunctionName) or not is_computed(w.value):
            return
        # What is hoisted out of an expression carries the same modifiers.
        self._replaced.add(w.loc)
        if isinstance(w.value, Ref):
            t = self.terms.documents.ref_type(env, w.value)
            if isinstance(t, Function) and not self._is_document(env, w.target):
                return
        env.seen[id(w.value)] = self.bound(env, w.value, out)

    def _is_document(self, env: Env, target: Var | Ref) -> bool:
        """Whether ``with`` replaces a document: by a value, then, not by a function."""
        root = target if isinstance(target, Var) else target.head
        if not isinstance(root, Var) or root.name not in ROOTS:
            return False
        operands = () if isinstance(target, Var) else target.operands
        return not isinstance(self.terms.documents.root_type(env, root.name, operands), Function)

    def _value_type(self, env: Env, w: With) -> Type | None:
        if isinstance(w.value, FunctionName):
            return self.builtin(w.value.name)
        return self.terms.type_of(env, w.value)

    def _mocked(self, env: Env, w: With, target: Type | None) -> None:
        """A function must be replaced by one that takes the same arguments."""
        value = self._value_type(env, w)
        if not (isinstance(target, Function) and isinstance(value, Function)) or self.mocking:
            return
        if not self.terms.unifier.unifies(target, value):
            what = f"{self.text.term(w.target)}: arity mismatch"
            names = target.names or ("",) * len(target.args)
            want = [Named(n, t) for n, t in zip(names, target.args, strict=False)]
            self.mocking = argument_problem(
                w.loc, what, list(value.args), want, target.variadic, self.terms.unifier
            )

    def _dependents(
        self, root: str, operands: tuple[Term, ...], *, is_function: bool
    ) -> TypeTree | None:
        if root != "data":
            return None
        path, whole = ground(operands)
        key = (*path, whole, is_function)
        if key not in self._relaxed:
            tree: TypeTree | None = None
            for dependent in self.dependents(operands):
                if not (is_function and dependent == path):
                    tree = tree or TypeTree(self.table)
                    tree.put("data", dependent, ANY)
            self._relaxed[key] = tree
        return self._relaxed[key]

    # -- messages --------------------------------------------------------------------------

    def remember(self, env: Env) -> None:
        """Keep the types of the variables of a body."""
        for name, t in env.vars.items():
            known = self.locals.get(name)
            new = t if known is None else self.table.either(known, t)
            if new is not None:
                self.locals[name] = new

    def _definition(self, name: str) -> Term | None:
        """What the compiler bound to a variable."""
        if name.startswith("$some~"):
            return self.unnamed_key(name)
        for node in walk(self.scope):
            if isinstance(node, Call) and node.args and isinstance(node.args[-1], Var):
                if node.args[-1].name == name:
                    return Call(node.operator, node.args[:-1])
            if isinstance(node, Call) and operator_name(node.operator) == "eq":
                left, right = node.args[0], node.args[-1]
                if isinstance(left, Var) and left.name == name:
                    return right
        return None

    def unnamed_key(self, name: str) -> Term | None:
        """The variable that stands for the key of a ``some x in xs``."""
        raise NotImplementedError


def _mismatch(
    expr: Expr, call: Call, output: Var, known: Type | None, result: Type | None
) -> Problem:
    """What a function returns is not what it is said to be equal to."""
    if output.loc < call.loc:
        return match_problem(expr.loc, known, result)
    return match_problem(expr.loc, result, known)


def ground(operands: tuple[Term, ...]) -> tuple[DocumentPath, bool]:
    """The constant keys that operands begin with, and whether that is all of them."""
    path: list[PropertyKey] = []
    for operand in operands:
        if not isinstance(operand, Scalar):
            return tuple(path), False
        path.append(scalar_key(operand.value))
    return tuple(path), True

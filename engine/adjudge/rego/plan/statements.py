"""Expressions and bodies: syntax in, IR steps out."""

from __future__ import annotations

from collections.abc import Callable

from adjudge.rego.passes.model import FunctionName, Group, Path, path_text
from adjudge.rego.passes.resolving import ground_path
from adjudge.rego.passes.variables import pattern_vars
from adjudge.rego.plan import ir
from adjudge.rego.plan.terms import PlanError, TermPlanner
from adjudge.rego.syntax import (
    Body,
    Call,
    Condition,
    Every,
    Expr,
    Logical,
    Not,
    Ref,
    Scalar,
    SomeDecl,
    SomeIn,
    Statement,
    Term,
    Var,
    With,
)
from adjudge.source import Location

_COMPARISONS: dict[str, ir.Comparison] = {
    "equal": "eq",
    "neq": "neq",
    "lt": "lt",
    "lte": "lte",
    "gt": "gt",
    "gte": "gte",
}


class StatementPlanner(TermPlanner):
    """Plans bodies."""

    exprs: list[Location]
    marking = False
    """Whether expressions are marked: only those of a clause's own body are."""

    def body(self, body: Body, sink: Callable[[], None]) -> None:
        """Plan a body in the current block, then its sink."""
        for expr in body:
            self.expr(expr)
        sink()

    def marked_body(self, body: Body, sink: Callable[[], None]) -> tuple[Location, ...]:
        """Like :meth:`body`, with a mark before each expression; returns their locations."""
        locations: list[Location] = []
        for expr in body:
            self.emit(ir.Mark(len(locations), expr.loc))
            locations.append(expr.loc)
            self.expr(expr)
        sink()
        return tuple(locations)

    def expr(self, expr: Expr) -> None:
        """Plan one expression into the current block."""
        saved = self.ctx
        if expr.withs:
            self._derive(expr.withs)
        if expr.negated:
            block = ir.Block()
            inner_ctx = self.ctx
            with self.nested(block):
                self.ctx = inner_ctx
                self.ordered = False
                self._statement(expr.term, expr.loc)
                self.emit(ir.Succeed())
            self.emit(ir.Not(block))
        else:
            self._statement(expr.term, expr.loc)
        self.ctx = saved

    def value_of(self, expr: Expr) -> ir.Operand:
        """Plan an expression of a query and give its value (``true`` for conditions)."""
        term = expr.term
        plain = not expr.negated and not expr.withs
        if isinstance(term, Ref | Var) or (
            not isinstance(term, Call | SomeDecl | SomeIn | Every | Not | Logical) and plain
        ):
            saved = self.ctx
            if expr.negated:
                self.expr(expr)
                return ir.Const(True)
            if expr.withs:
                self._derive(expr.withs)
            value = self.term(term)
            self.ctx = saved
            return value
        if isinstance(term, Call) and not expr.negated and self._is_value_call(term):
            saved = self.ctx
            if expr.withs:
                self._derive(expr.withs)
            found = self.call_value(term)
            self.ctx = saved
            return found
        self.expr(expr)
        return ir.Const(True)

    def _is_value_call(self, call: Call) -> bool:
        name = call.operator.name if isinstance(call.operator, Var) else ""
        if name in ("eq", "assign", "internal.print"):
            return False
        return len(call.args) == self.arity(call.operator)

    # -- statements ------------------------------------------------------------------------

    def _statement(self, term: Statement, loc: Location) -> None:
        if isinstance(term, SomeIn):
            self._some_in(term)
        elif isinstance(term, Every):
            self._every(term)
        elif isinstance(term, Call):
            self._call(term, loc)
        elif isinstance(term, SomeDecl):
            return
        elif isinstance(term, Not):
            self.emit(ir.Not(self._condition(term.condition)))
        elif isinstance(term, Logical):
            self._logical(term)
        else:
            value = self.term(term)
            if isinstance(value, ir.Const):
                if value.value is False:
                    self.emit(ir.Fail())
            else:
                self.emit(ir.Truthy(value))

    def _condition(self, condition: Condition) -> ir.Block:
        """A block that has a solution when the condition has one."""
        block = ir.Block()
        with self.nested(block):
            self.ordered = False
            self.body(condition.body, lambda: self.emit(ir.Succeed()))
        return block

    def _logical(self, term: Logical) -> None:
        if term.operator == "and":
            for side in (term.left, term.right):
                self._require(side)
            return
        neither = ir.Block()
        with self.nested(neither):
            self.emit(ir.Not(self._condition(term.left)))
            self.emit(ir.Not(self._condition(term.right)))
            self.emit(ir.Succeed())
        self.emit(ir.Not(neither))

    def _require(self, condition: Condition) -> None:
        """Go on, once, when the condition has a solution."""
        block = self._condition(condition)
        *steps, last = block.steps
        if isinstance(last, ir.Succeed):
            # Nothing iterates: there is one solution at most, and it binds nothing.
            self.block.steps.extend(steps)
            return
        self.emit(ir.Not(ir.Block([ir.Not(block), ir.Succeed()])))

    def _some_in(self, some: SomeIn) -> None:
        domain = self.term(some.domain)
        self._scan_pair(domain, some.key, some.value)

    def _scan_pair(self, domain: ir.Operand, key: Term | None, value: Term) -> None:
        key_local = None if key is None or _wildcard(key) else self.new()
        # The element is needed even for `_`: a set's key is its element.
        value_local = self.new()
        self.scan(domain, key_local, value_local, lazy=False)
        if key is not None and key_local is not None:
            self.match(key, key_local)
        if not _wildcard(value):
            self.match(value, value_local)

    def _every(self, every: Every) -> None:
        domain = self.term(every.domain)
        self.emit(ir.IsCollection(domain))
        outer = ir.Block()
        with self.nested(outer):
            self.ordered = False
            for name in (*pattern_vars(every.value), *pattern_vars(every.key or Scalar(None))):
                self.env.pop(name, None)
            self._scan_pair(domain, every.key, every.value)
            inner = ir.Block()
            with self.nested(inner):
                self.body(every.body, lambda: self.emit(ir.Succeed()))
            self.emit(ir.Not(inner))
            self.emit(ir.Succeed())
        self.emit(ir.Not(outer))

    # -- calls -----------------------------------------------------------------------------

    def arity(self, operator: Var | Ref) -> int:
        """The number of arguments of an operator."""
        if isinstance(operator, Var):
            decl = self.comp.capabilities.builtins.get(operator.name)
            if decl is None:
                raise PlanError(f"undefined function {operator.name}", operator.loc)
            return decl.arity if not decl.variadic else 1
        return self._group_of(operator).arity

    def _group_of(self, operator: Ref) -> Group:
        path = ground_path(operator)
        group = self.comp.groups.get(path) if path is not None else None
        if group is None or group.kind != "function":
            name = path_text(path) if path is not None else "data"
            raise PlanError(f"undefined function {name}", operator.loc)
        return group

    def _call(self, call: Call, loc: Location) -> None:
        name = call.operator.name if isinstance(call.operator, Var) else ""
        if name == "eq" and len(call.args) == 2:
            self.unify(call.args[0], call.args[1], loc)
            return
        if name == "assign":
            self.match(call.args[0], self.term(call.args[1]))
            return
        if name in _COMPARISONS and len(call.args) == 2 and name not in self.comp.mocked:
            left, right = self.terms(call.args)
            self.compare(_COMPARISONS[name], left, right)
            return
        if name in ("internal.member_2", "internal.member_3"):
            if len(call.args) == int(name[-1]):
                *keys, item, coll = self.terms(call.args)
                self.emit(ir.Member(keys[0] if keys else None, item, coll))
                return
        arity = self.arity(call.operator)
        decl = self.comp.capabilities.builtins.get(name)
        if decl is not None and decl.relation:
            self._relation(call, arity)
            return
        value = self.call_value(call)
        if len(call.args) > arity:
            self.match_or_compare(call.args[arity], value)
        elif decl is None or decl.result is not None:
            self.emit(ir.Truthy(value))

    def match_or_compare(self, pattern: Term, value: ir.Operand) -> None:
        """Unify a call's output with its last argument."""
        if self.matchable(pattern):
            self.match(pattern, value)
        else:
            self.compare("eq", self.term(pattern), value)

    def _relation(self, call: Call, arity: int) -> None:
        assert isinstance(call.operator, Var)
        args = self.terms(call.args[:arity])
        value = self.new()
        block = ir.Block()
        self.emit(ir.ScanCall(call.operator.name, args, value, block, self.ctx, call.loc))
        self.block = block
        self.scans += 1
        if len(call.args) > arity:
            self.match_or_compare(call.args[arity], value)

    def call_value(self, call: Call) -> ir.Operand:
        """The operand that holds a call's result."""
        name = call.operator.name if isinstance(call.operator, Var) else ""
        if name in _COMPARISONS and name not in self.comp.mocked:
            left, right = self.terms(call.args[:2])
            dst = self.new()
            self.emit(ir.Compare(_COMPARISONS[name], left, right, dst))
            return dst
        if name in ("internal.member_2", "internal.member_3"):
            *keys, item, coll = self.terms(call.args[: int(name[-1])])
            dst = self.new()
            self.emit(ir.Member(keys[0] if keys else None, item, coll, dst))
            return dst
        arity = self.arity(call.operator)
        args = self.terms(call.args[:arity])
        dst = self.new()
        if isinstance(call.operator, Var):
            mocked = name in self.comp.mocked
            self.emit(ir.CallBuiltin(dst, name, args, self.ctx, call.loc, mocked))
        else:
            group = self._group_of(call.operator)
            mocked = self.is_mocked(group.path)
            self.emit(ir.CallFunction(dst, group, args, self.ctx, call.loc, mocked))
        return dst

    def is_mocked(self, path: Path) -> bool:
        """Whether some ``with`` may replace the function at ``path``."""
        return any(path_text(path[:n]) in self.comp.mocked for n in range(1, len(path) + 1))

    # -- with --------------------------------------------------------------------------------

    def _derive(self, withs: tuple[With, ...]) -> None:
        patches = tuple(self._patch(w) for w in withs)
        self.contexts += 1
        self.emit(ir.Derive(self.contexts, self.ctx, patches))
        self.ctx = self.contexts

    def _patch(self, w: With) -> ir.Patch:
        target = w.target
        root = target if isinstance(target, Var) else target.head
        assert isinstance(root, Var)
        path = ground_path(target)
        if path is None:
            raise PlanError("with keyword target must be ground", w.loc)
        if root.name == "input":
            return ir.Patch("input", path, "", self.term(w.value))
        if root.name != "data":
            return self._function_patch(root.name, (), w.value)
        for end in range(1, len(path)):
            above = self.comp.groups.get(path[:end])
            if above is not None:
                raise PlanError(
                    "with keyword cannot partially replace virtual document(s)", target.loc
                )
        group = self.comp.groups.get(path)
        if group is not None and group.kind == "function":
            return self._function_patch(path_text(path), path, w.value)
        return ir.Patch("data", path, "", self.term(w.value))

    def _function_patch(self, name: str, path: Path, value: Term) -> ir.Patch:
        if isinstance(value, FunctionName):
            return ir.Patch("function", path, name, None, value.name)
        if isinstance(value, Ref):
            target = ground_path(value)
            is_data = isinstance(value.head, Var) and value.head.name == "data"
            group = self.comp.groups.get(target) if is_data and target is not None else None
            if group is not None and group.kind == "function":
                return ir.Patch("function", path, name, None, group)
        return ir.Patch("function", path, name, self.term(value))


def _wildcard(term: Term) -> bool:
    return isinstance(term, Var) and term.name.startswith("_~")

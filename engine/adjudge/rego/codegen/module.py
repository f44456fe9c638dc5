"""A program plan in, the Python module that evaluates it out.

The same plan gives the same bytes: names are numbered in order, nothing depends on
hashing or on identity.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.blocks import BlockEmitter, Target
from adjudge.rego.codegen.constants import Constants
from adjudge.rego.passes.model import Path
from adjudge.rego.plan import ir, walk
from adjudge.rego.plan.fast import Faster


@dataclass(frozen=True, slots=True)
class Generated:
    """A Python module as a tree, and the builtins it calls (name to Python name)."""

    tree: ast.Module
    builtins: dict[str, str]


@dataclass(frozen=True, slots=True)
class BuiltinKinds:
    """Which builtins take the context, and which are repeated within a query."""

    contextual: frozenset[str]
    nondeterministic: frozenset[str]


class ModuleEmitter:
    """Emits rules and queries that share constants and the slot numbering."""

    def __init__(
        self,
        slots: dict[Path, int],
        kinds: BuiltinKinds,
        *,
        trace: bool = False,
        prefix: str = "",
        faster: Faster | None = None,
    ) -> None:
        self.slots = slots
        self.kinds = kinds
        self.trace = trace
        self.constants = Constants(prefix)
        self.faster = faster or Faster()
        self.builtins: dict[str, str] = {}
        self.body: list[ast.stmt] = []

    def finish(self) -> Generated:
        """What was emitted since the last call, as a module; constants come first."""
        tree = ast.Module([*self.constants.statements, *self.body], [])
        builtins = dict(self.builtins)
        self.constants.statements.clear()
        self.body.clear()
        return Generated(tree, builtins)

    def _emitter(self, conflict_kind: str = "complete", rule: str = "") -> BlockEmitter:
        emitter = BlockEmitter(self.constants, self.slots, trace=self.trace)
        emitter.builtins = self.builtins
        emitter.contextual = self.kinds.contextual
        emitter.nondeterministic = self.kinds.nondeterministic
        emitter.conflict_kind = conflict_kind
        emitter.rule_name = rule
        return emitter

    # -- rules -----------------------------------------------------------------------------

    def rules(self, plans: Iterable[ir.RulePlan]) -> None:
        """Emit the functions of all rules: ``e_n`` evaluates, ``f_n`` is a function of the
        policy, ``p_n`` gives the parts of a partial object; in the evidence variant ``r_n``
        looks into the slot first."""
        for plan in plans:
            self._rule(plan if self.trace else self.faster.rule(plan))

    def _rule(self, plan: ir.RulePlan) -> None:
        py.at_row(plan.group.first.loc.row)
        slot = self.slots[plan.group.path]
        kind = plan.group.kind
        if kind == "function":
            params = ["c", *(f"v{n}" for n in range(1, plan.params + 1))]
            body = [*self._charge(plan), *self._single(plan, "function")]
            self._function(f"{abi.FUNCTION_PREFIX}{slot}", params, body)
            return
        if kind == "complete":
            body = self._single(plan, "complete")
        elif kind == "set":
            body = self._partial(plan)
        else:
            # The parts of a partial object are a function of their own: where rules stand
            # below it, they are joined before they are finished.
            parts = f"{abi.PARTS_PREFIX}{slot}"
            self._function(parts, ["c"], self._partial(plan))
            body = [py.return_(py.call(abi.FINISH, py.call(parts, py.name("c"))))]
        evaluate = f"{abi.EVAL_PREFIX}{slot}"
        self._function(evaluate, ["c"], body)
        if self.trace:
            self.body.append(self._memo(slot, evaluate))

    @staticmethod
    def _charge(plan: ir.RulePlan) -> list[ast.stmt]:
        """Functions that call functions account for it: they may double at each level."""
        if not any(isinstance(s, ir.CallFunction) for b in _blocks(plan) for s in walk.steps(b)):
            return []
        return [py.expr(py.method(py.name("c"), "charge", py.const(1)))]

    def _function(self, name: str, params: list[str], body: list[ast.stmt]) -> None:
        if self.trace:
            body.insert(0, py.assign("R", py.attr(py.name("c"), "reads")))
        self.body.append(py.function(name, params, body))

    def entry(self, plan: ir.RulePlan) -> None:
        """Emit each clause of a partial set as a function of its own: ``k_slot_n(c, found)``
        appends an element and the trail of reads for every solution."""
        slot = self.slots[plan.group.path]
        for number, clause in enumerate(plan.clauses):
            emitter = self._emitter("object")
            emitter.entry = True
            emitter.loc = clause.loc
            target = Target(kind="entry")
            py.at_row(clause.loc.row)
            body = emitter.block(clause.block, target)
            name = f"{abi.ENTRY_PREFIX}{slot}_{number}"
            self._function(name, ["c", "found"], body)

    def _memo(self, slot: int, evaluate: str) -> ast.stmt:
        """``r_n`` of the evidence variant: the value from the slot, evaluated at most once.

        The rule's reads leave the trail and are kept with the rule; whoever uses the rule
        has one entry that stands for them.
        """
        slots = py.attr(py.name("c"), "slots")
        reads = py.attr(py.name("c"), "rule_reads")
        trail = py.attr(py.name("c"), "reads")
        steps: list[ast.stmt] = [
            py.assign("m", py.call(abi.LEN, trail)),
            py.assign("v", py.call(evaluate, py.name("c"))),
            py.store_item(slots, py.const(slot), py.name("v")),
            py.store_item(reads, py.const(slot), py.tail(trail, py.name("m"))),
            py.cut(trail, py.name("m")),
        ]
        entry = py.tuple_([reads, py.const(slot)])
        body: list[ast.stmt] = [
            py.assign("v", py.sub(slots, py.const(slot))),
            py.if_(py.is_(py.name("v"), py.name(abi.UNSET)), *steps),
            py.expr(py.method(trail, "append", entry)),
            py.return_(py.name("v")),
        ]
        return py.function(f"{abi.RULE_PREFIX}{slot}", ["c"], body)

    def _single(self, plan: ir.RulePlan, conflict_kind: str) -> list[ast.stmt]:
        emitter = self._emitter(conflict_kind, plan.group.name)
        only = _only_answer(plan)
        if only is not None:
            emitter.loc = only.loc
            py.at_row(only.loc.row)
            return emitter.straight(only.block)
        out: list[ast.stmt] = [py.assign("o", py.name(abi.UNDEFINED))]
        exits = plan.constant is not None
        if plan.index is not None and not self.trace:
            out.extend(self._dispatch_single(plan, plan.index, conflict_kind, exits))
        else:
            for clause in plan.clauses:
                out.extend(self._clause(emitter, clause, Target(merge="o", exits=exits)))
        if plan.default is None:
            out.append(py.return_(py.name("o")))
            return out
        merged = py.name("o")
        out.append(py.if_(py.is_not(merged, py.name(abi.UNDEFINED)), py.return_(merged)))
        out.extend(emitter.block(plan.default.block, Target(merge="o", exits=True)))
        out.append(py.return_(merged))
        return out

    def _clause(self, emitter: BlockEmitter, plan: ir.ClausePlan, target: Target) -> list[ast.stmt]:
        emitter.loc = plan.loc
        py.at_row(plan.loc.row)
        if plan.orelse is None:
            return emitter.block(plan.block, target)
        # An else chain has one value; it is merged with the other clauses afterwards.
        inner = emitter.fresh("o")
        own = Target(merge=inner, exits=True)
        out: list[ast.stmt] = [py.assign(inner, py.name(abi.UNDEFINED))]
        out.extend(emitter.block(plan.block, own))
        rest = self._clause(emitter, plan.orelse, own)
        out.append(py.if_(py.is_(py.name(inner), py.name(abi.UNDEFINED)), *rest))
        if target.merge is not None:
            merge = emitter.merge(target.merge, py.name(inner))
            out.append(py.if_(py.is_not(py.name(inner), py.name(abi.UNDEFINED)), *merge))
        return out

    # -- clause indexes --------------------------------------------------------------------

    def _dispatch_single(
        self, plan: ir.RulePlan, index: ir.ClauseIndex, conflict_kind: str, exits: bool
    ) -> list[ast.stmt]:
        """Clauses as functions; those that the index names are called and merged."""
        slot = self.slots[plan.group.path]
        params = ["c", *(f"v{n}" for n in range(1, plan.params + 1))]
        for number, clause in enumerate(plan.clauses):
            emitter = self._emitter(conflict_kind, plan.group.name)
            body = [
                py.assign("o", py.name(abi.UNDEFINED)),
                *self._clause(emitter, clause, Target(merge="o", exits=exits)),
                py.return_(py.name("o")),
            ]
            self._function(f"{abi.CLAUSE_PREFIX}{slot}_{number}", params, body)
        emitter = self._emitter(conflict_kind, plan.group.name)
        first = next(iter(plan.clauses), None)
        emitter.loc = first.loc if first is not None else emitter.loc
        found = py.assign("w", py.call("k", *(py.name(p) for p in params)))
        merge = emitter.merge("o", py.name("w"))
        if exits:
            merge = [py.return_(py.name("w"))]
        defined = py.is_not(py.name("w"), py.name(abi.UNDEFINED))
        return self._dispatch(slot, index, [found, py.if_(defined, *merge)])

    def _dispatch_set(self, plan: ir.RulePlan, index: ir.ClauseIndex) -> list[ast.stmt]:
        slot = self.slots[plan.group.path]
        for number, clause in enumerate(plan.clauses):
            emitter = self._emitter("object")
            emitter.loc = clause.loc
            target = Target(acc="a", kind="rule-set")
            py.at_row(clause.loc.row)
            body = emitter.block(clause.block, target)
            self._function(f"{abi.CLAUSE_PREFIX}{slot}_{number}", ["c", "a"], body)
        each = py.expr(py.call("k", py.name("c"), py.name("a")))
        return self._dispatch(slot, index, [each])

    def _dispatch(self, slot: int, index: ir.ClauseIndex, each: list[ast.stmt]) -> list[ast.stmt]:
        """Find the string, then run ``each`` for the functions ``k`` it selects."""

        def functions(numbers: list[int]) -> ast.expr:
            return py.tuple_([py.name(f"{abi.CLAUSE_PREFIX}{slot}_{number}") for number in numbers])

        table, rest = f"T{slot}", f"D{slot}"
        pairs = [(py.const(value), functions(found)) for value, found in index.table.items()]
        self.body.append(py.assign(table, py.dict_(pairs)))
        self.body.append(py.assign(rest, functions(index.rest)))
        found: ast.expr = py.name(f"v{index.param}")
        if index.param == 0:
            found = py.attr(py.name("c"), "input")
            for key in index.path:
                found = py.sub(found, py.const(key))
        missing: list[ast.stmt] = [py.assign("s", py.const(None))]
        read = py.try_([py.assign("s", found)], abi.LOOKUP_ERRORS, missing)
        is_str = py.is_(py.attr(py.name("s"), "__class__"), py.name(abi.STR))
        choice = py.if_exp(
            is_str, py.method(py.name(table), "get", py.name("s"), py.name(rest)), py.name(rest)
        )
        return [read, py.for_(py.store("k"), choice, each)]

    def _partial(self, plan: ir.RulePlan) -> list[ast.stmt]:
        emitter = self._emitter("object")
        is_set = plan.group.kind == "set"
        empty = py.call(abi.NEW_SET if is_set else abi.BRANCH)
        out: list[ast.stmt] = [py.assign("a", empty)]
        if plan.index is not None and is_set and not self.trace:
            out.extend(self._dispatch_set(plan, plan.index))
            out.append(py.return_(py.call(abi.SET_OF, py.name("a"))))
            return out
        for clause in plan.clauses:
            target = Target(acc="a", kind="rule-set" if is_set else "rule-object")
            py.at_row(clause.loc.row)
            out.extend(emitter.block(clause.block, target))
        result: ast.expr = py.name("a")
        out.append(py.return_(py.call(abi.SET_OF, result) if is_set else result))
        return out

    # -- queries -----------------------------------------------------------------------------

    def query(self, plan: ir.QueryPlan, name: str = "query") -> None:
        """Emit a query: ``query(c, out)`` appends one tuple an answer."""
        py.at_row(1)
        emitter = self._emitter()
        body = emitter.block(plan.block, Target())
        self.body.append(py.function(name, ["c", "out"], body))


def _only_answer(plan: ir.RulePlan) -> ir.ClausePlan | None:
    """The clause of a rule that has no other, and whose first solution is the answer."""
    if len(plan.clauses) != 1 or plan.default is not None or plan.index is not None:
        return None
    (only,) = plan.clauses
    if only.orelse is not None or any(isinstance(s, ir.Merge) for s in walk.steps(only.block)):
        return None
    return only


def _blocks(plan: ir.RulePlan) -> Iterator[ir.Block]:
    for clause in (*plan.clauses, plan.default):
        each = clause
        while each is not None:
            yield each.block
            each = each.orelse

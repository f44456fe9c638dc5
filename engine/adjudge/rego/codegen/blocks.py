"""IR blocks in, Python statements out.

A block becomes straight code inside a ``while True`` or a ``for`` loop.  A step that
fails is ``continue`` in a loop over values and ``break`` in the enclosing ``while
True``.  CPython refuses more than 20 nested blocks, so a loop at depth 14 moves into a
local function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.steps import StepEmitter, index_names
from adjudge.rego.plan import ir, walk

MAX_DEPTH = 14


@dataclass(slots=True)
class Target:
    """Where solutions of a block go.

    ``flag`` is set by :class:`~adjudge.rego.plan.ir.Succeed`; ``merge`` is the variable
    that :class:`~adjudge.rego.plan.ir.Merge` fills; ``acc`` the accumulator of
    :class:`~adjudge.rego.plan.ir.Add` and ``kind`` its sort.
    """

    flag: str | None = None
    merge: str | None = None
    acc: str | None = None
    kind: str = ""
    exits: bool = field(default=False)
    """Whether the first solution ends the block (Succeed, Return)."""


class BlockEmitter(StepEmitter):
    """Emits blocks of one Python function."""

    def block(self, block: ir.Block, target: Target) -> list[ast.stmt]:
        """The block of a clause as a ``while True`` statement (and its prologue)."""
        # Locals are numbered by clause: what is known of one says nothing about the next.
        self.types = {}
        return self._block(block, target)

    def straight(self, block: ir.Block) -> list[ast.stmt]:
        """A block that returns its first solution, as the body of a function."""
        self.types = {}
        self.indexes = _indexes(block)
        out: list[ast.stmt] = [
            py.assign(name, py.const(None)) for pair in self.indexes for name in pair
        ]
        out += self._inline(block, Target(exits=True), self._fail_undefined, 0)
        if not out or not isinstance(out[-1], ast.Return):
            out.append(self._fail_undefined())
        return out

    def _block(self, block: ir.Block, target: Target) -> list[ast.stmt]:
        self.indexes = _indexes(block)
        prologue: list[ast.stmt] = [
            py.assign(name, py.const(None)) for pair in self.indexes for name in pair
        ]
        body = self._inline(block, target, self._fail_break, 1)
        return [*prologue, py.loop(_ended(body))]

    @staticmethod
    def _fail_break() -> ast.stmt:
        return py.break_()

    @staticmethod
    def _fail_continue() -> ast.stmt:
        return py.continue_()

    @staticmethod
    def _fail_undefined() -> ast.stmt:
        return py.return_(py.name(abi.UNDEFINED))

    @staticmethod
    def _fail_return() -> ast.stmt:
        return py.return_(py.name(abi.UNSET))

    def _inline(
        self, block: ir.Block, target: Target, fail: Callable[[], ast.stmt], depth: int
    ) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        pending: list[ast.stmt] = []
        for step in block.steps:
            if isinstance(step, ir.Dot) and self.is_plain_dot(step):
                # Neighbouring subscripts share one try.
                pending.extend(self.trace_dot(step))
                pending.append(self.plain_dot(step))
                continue
            if pending:
                out.append(py.try_(pending, abi.LOOKUP_ERRORS, [fail()]))
                pending = []
            self._step(step, out, target, fail, depth)
        if pending:
            out.append(py.try_(pending, abi.LOOKUP_ERRORS, [fail()]))
        return out

    def _step(
        self,
        step: ir.Step,
        out: list[ast.stmt],
        target: Target,
        fail: Callable[[], ast.stmt],
        depth: int,
    ) -> None:
        if isinstance(step, ir.Scan | ir.ScanCall | ir.Probe):
            self._loop(step, out, target, fail, depth)
        elif isinstance(step, ir.Not):
            self._not(step, out, fail, depth)
        elif isinstance(step, ir.Collect):
            self._collect(step, out, depth)
        elif isinstance(step, ir.Succeed | ir.Return | ir.Merge | ir.Add | ir.AddPath | ir.Yield):
            out.extend(self._sink(step, target))
        elif isinstance(step, ir.Fork):
            self._fork(step, out, target, fail, depth)
        elif isinstance(step, ir.Prepare):
            for each in step.steps:
                self._prepare(each, out)
        elif isinstance(step, ir.Once):
            self._once(step, out, fail, depth)
        else:
            self.step(step, out, fail)

    # -- what optimizing makes -----------------------------------------------------------------

    def _fork(
        self,
        step: ir.Fork,
        out: list[ast.stmt],
        target: Target,
        fail: Callable[[], ast.stmt],
        depth: int,
    ) -> None:
        for block in step.blocks[:-1]:
            body = self._inline(block, target, self._fail_break, depth + 1)
            out.append(py.loop(_ended(body)))
        out.extend(self._inline(step.blocks[-1], target, fail, depth))

    def _prepare(self, step: ir.Step, out: list[ast.stmt]) -> None:
        """Ahead of a loop: compute what is free of effects, mark the rest as not yet known."""
        assert isinstance(step, ir.Once)
        inner = step.step
        if isinstance(inner, ir.RuleValue):
            out.append(py.assign(self.local(inner.dst), self.slot(inner)))
        elif step.eager:
            self._softly(inner, out, 1)
        else:
            dst = next(walk.binds(inner))
            out.append(py.assign(self.local(dst), py.name(abi.UNSET)))

    def _once(
        self, step: ir.Once, out: list[ast.stmt], fail: Callable[[], ast.stmt], depth: int
    ) -> None:
        inner = step.step
        dst = py.name(self.local(next(walk.binds(inner))))
        maybe = True
        if isinstance(inner, ir.RuleValue):
            out.append(self.evaluate(inner))
            maybe = self.known_rule(inner)
        elif not step.eager:
            body: list[ast.stmt] = []
            maybe = self._softly(inner, body, depth)
            out.append(py.if_(py.is_(dst, py.name(abi.UNSET)), *body))
        if maybe:
            out.append(py.if_(py.is_(dst, py.name(abi.UNDEFINED)), fail()))

    def _softly(self, step: ir.Step, out: list[ast.stmt], depth: int) -> bool:
        """Compute a step's local, ``UNDEFINED`` where the step fails; gives whether it may."""
        dst = self.local(next(walk.binds(step)))
        failed = False

        def fail() -> ast.stmt:
            nonlocal failed
            failed = True
            return py.assign(dst, py.name(abi.UNDEFINED))

        if isinstance(step, ir.Collect):
            self._collect(step, out, depth)
            return False
        return self.value(step, out, fail) or failed

    # -- loops -------------------------------------------------------------------------------

    def _loop(
        self,
        step: ir.Scan | ir.ScanCall | ir.Probe,
        out: list[ast.stmt],
        target: Target,
        fail: Callable[[], ast.stmt],
        depth: int,
    ) -> None:
        if depth >= MAX_DEPTH:
            self._outlined(step, out, target)
            return
        header, source = self.loop_source(step, out, fail)
        prologue = self.trace_loop(step, out)
        body = prologue + self._inline(step.body, target, self._fail_continue, depth + 1)
        if self.trace:
            self.marks.pop()
        out.append(py.for_(header, source, body or [py.pass_()]))
        if target.flag is not None:
            out.append(py.if_(py.name(target.flag), py.break_()))

    def _outlined(
        self, step: ir.Scan | ir.ScanCall | ir.Probe, out: list[ast.stmt], target: Target
    ) -> None:
        """The loop as a local function: called at once, reading the outer locals."""
        name = self.fresh("h")
        body: list[ast.stmt] = []
        indexes = [n for pair in self.indexes for n in pair]
        kept = [self.local(n) for n in _prepared_outside(step.body)]
        names = (target.flag, target.merge, *self.marks, *indexes, *kept)
        outer = list(dict.fromkeys([n for n in names if n is not None]))
        if outer:
            body.append(py.nonlocal_(outer))
        inner: list[ast.stmt] = []
        self._loop(step, inner, target, self._fail_return, 1)
        inner.append(py.break_())
        body.append(py.loop(inner))
        body.append(py.return_(py.name(abi.UNSET)))
        out.append(py.function(name, (), body))
        result = self.fresh("h")
        out.append(py.assign(result, py.call(name)))
        if target.exits and target.flag is None:
            out.append(
                py.if_(py.is_not(py.name(result), py.name(abi.UNSET)), py.return_(py.name(result)))
            )
        if target.flag is not None:
            out.append(py.if_(py.name(target.flag), py.break_()))

    # -- nested blocks -------------------------------------------------------------------------

    def _not(
        self, step: ir.Not, out: list[ast.stmt], fail: Callable[[], ast.stmt], depth: int
    ) -> None:
        test = self._simple_test(step.body, out)
        if test is not None:
            out.append(py.if_(test, fail()))
            return
        flag = self.fresh("n")
        out.append(py.assign(flag, py.const(False)))
        saved = self.expect_misses
        self.expect_misses = True
        out.extend(self._sub_block(step.body, Target(flag=flag, exits=True), depth))
        self.expect_misses = saved
        out.append(py.if_(py.name(flag), fail()))

    def _simple_test(self, block: ir.Block, out: list[ast.stmt]) -> ast.expr | None:
        """A negated block that is reads and one condition, as an expression that is true when
        the block succeeds.

        All reads are made, whatever becomes of the ones before: one of nothing gives nothing.
        """
        steps = [s for s in block.steps if not isinstance(s, ir.Mark)]
        if len(steps) < 2 or not isinstance(steps[-1], ir.Succeed):
            return None
        *reads, last = steps[:-1]
        if not isinstance(last, ir.Truthy | ir.Compare | ir.Member) or next(walk.binds(last), None):
            return None
        if not self._are_soft(reads):
            return None
        maybe: set[int] = set()
        known: dict[int, str] = {}
        for read in reads:
            dst = next(walk.binds(read)).id
            if self._softly(read, out, 1):
                maybe.add(dst)
                # The reads that follow are made of nothing, too: of that no type is known.
                if dst in self.types:
                    known[dst] = self.types.pop(dst)
        self.types.update(known)
        asked = {o.id: o for o in walk.reads(last) if isinstance(o, ir.Local) and o.id in maybe}
        tests = [py.is_not(self.operand(o), py.name(abi.UNDEFINED)) for o in asked.values()]
        if isinstance(last, ir.Truthy):
            return py.and_(*tests, py.is_not(self.operand(last.src), py.const(False)))
        if isinstance(last, ir.Member):
            return py.and_(*tests, self.membership(last))
        return py.and_(*tests, self.comparison(last.op, last.left, last.right))

    def _are_soft(self, reads: Sequence[ir.Step]) -> bool:
        """Whether steps can be made one after the other without looking at what they gave."""
        if self.trace and len(reads) > 1:
            # What was not read is no evidence.
            return False
        bound: set[int] = set()
        for position, step in enumerate(reads):
            if isinstance(step, ir.Dot):
                known = isinstance(step.key, ir.Const) or step.key.id not in bound
                if step.lazy or not known:
                    return False
            elif not isinstance(step, ir.Input | ir.Base):
                # Only the first of them is certain to be reached.
                effects = isinstance(step, ir.RuleValue | ir.CallFunction | ir.CallBuiltin)
                if position or not effects:
                    return False
            bound.update(n.id for n in walk.binds(step))
        return True

    def _collect(self, step: ir.Collect, out: list[ast.stmt], depth: int) -> None:
        acc = self.fresh("a")
        empty: dict[str, ast.expr] = {
            "array": py.list_(()),
            "set": py.call(abi.NEW_SET),
            "object": py.dict_(()),
        }
        out.append(py.assign(acc, empty[step.kind]))
        saved, self.marks = self.marks, []
        out.extend(self._sub_block(step.body, Target(acc=acc, kind=step.kind), depth))
        self.marks = saved
        result: ast.expr = py.name(acc)
        if step.kind == "set":
            result = py.call(abi.SET_OF, result)
        out.append(py.assign(self.local(step.dst), result))
        self.types[step.dst.id] = step.kind

    def _sub_block(self, block: ir.Block, target: Target, depth: int) -> list[ast.stmt]:
        if depth + 1 >= MAX_DEPTH:
            name = self.fresh("h")
            kept = [self.local(n) for n in _prepared_outside(block)]
            names = [*([target.flag] if target.flag else []), *kept]
            body: list[ast.stmt] = [py.nonlocal_(names)] if names else []
            saved = self.indexes
            body.extend(self._block(block, target))
            self.indexes = saved
            body.append(py.return_(py.name(abi.UNSET)))
            return [py.function(name, (), body), py.expr(py.call(name))]
        body = self._inline(block, target, self._fail_break, depth + 1)
        return [py.loop(_ended(body))]

    # -- sinks -----------------------------------------------------------------------------------

    def _sink(self, step: ir.Step, target: Target) -> list[ast.stmt]:
        if isinstance(step, ir.Succeed):
            assert target.flag is not None
            return [py.assign(target.flag, py.const(True)), py.break_()]
        if isinstance(step, ir.Return):
            return [py.return_(self.operand(step.src))]
        if isinstance(step, ir.Merge):
            return [*self.keep_reads(), *self._merge(step, target)]
        if isinstance(step, ir.Yield):
            items = py.tuple_([self.operand(i) for i in step.items])
            return [py.expr(py.method(py.name("out"), "append", items))]
        if isinstance(step, ir.AddPath):
            return [*self.keep_reads(), self._add_path(step, target)]
        assert isinstance(step, ir.Add)
        if target.kind == "entry":
            found = py.tuple_([self.operand(step.items[0]), py.call(abi.LIST, py.name("R"))])
            return [py.expr(py.method(py.name("found"), "append", found))]
        return [*self.keep_reads(), self._add(step, target)]

    def _merge(self, step: ir.Merge, target: Target) -> list[ast.stmt]:
        assert target.merge is not None
        return self.merge(target.merge, self.operand(step.src))

    def merge(self, into: str, value: ast.expr) -> list[ast.stmt]:
        """Store a value, or check that it equals the one stored before."""
        merged = py.name(into)
        where = self.where(self.loc)
        kind, name = py.const(self.conflict_kind), py.const(self.rule_name)
        conflict = py.expr(py.method(py.name("c"), "conflict", kind, where, name))
        check = py.if_(py.not_(py.call(abi.EQUAL, merged, value)), conflict)
        return [
            py.if_else(py.is_(merged, py.name(abi.UNDEFINED)), [py.assign(into, value)], [check])
        ]

    def _add(self, step: ir.Add, target: Target) -> ast.stmt:
        assert target.acc is not None
        acc = py.name(target.acc)
        if target.kind == "array":
            return py.expr(py.method(acc, "append", self.operand(step.items[0])))
        if target.kind == "object":
            key, value = step.items
            return py.expr(
                py.call(abi.PUT, py.name("c"), acc, self.operand(key), self.operand(value))
            )
        return py.expr(py.method(acc, "add", self.boxed(step.items[0])))

    def _add_path(self, step: ir.AddPath, target: Target) -> ast.stmt:
        assert target.acc is not None
        path = py.tuple_([self.operand(p) for p in step.path])
        return py.expr(
            py.call(
                abi.INSERT,
                py.name("c"),
                py.name(target.acc),
                path,
                self.operand(step.value),
                py.const(step.multi),
            )
        )


def _ended(body: list[ast.stmt]) -> list[ast.stmt]:
    """The body of a ``while True`` that is run once."""
    if not body or not isinstance(body[-1], ast.Break | ast.Return):
        body.append(py.break_())
    return body


def _prepared_outside(block: ir.Block) -> list[ir.Local]:
    """The locals that a block sets once, and that were made ready before it."""
    found: dict[int, ir.Local] = {}
    inside: set[int] = set()
    for step in walk.steps(block):
        if isinstance(step, ir.Once):
            found.update((n.id, n) for n in walk.binds(step))
        elif isinstance(step, ir.Prepare):
            inside.update(n.id for each in step.steps for n in walk.binds(each))
    return [n for number, n in found.items() if number not in inside]


def _indexes(block: ir.Block) -> list[tuple[str, str]]:
    """The variables of the indexes that a block builds: each index and what it is of."""
    out: list[tuple[str, str]] = []
    for step in block.steps:
        if isinstance(step, ir.Probe):
            out.append(index_names(step.name))
        for inner in walk.blocks(step):
            out.extend(_indexes(inner))
    return out

"""Single IR steps in, Python statements out; and the hooks of the evidence variant."""

from __future__ import annotations

import ast
from collections.abc import Callable

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.calls import CallEmitter, Fail
from adjudge.rego.codegen.constants import Constants
from adjudge.rego.codegen.operands import ARRAY, BOOLEAN, OBJECT, SET, STRING
from adjudge.rego.passes.model import Path
from adjudge.rego.plan import ir, walk
from adjudge.rego.plan.constants import type_of_rule
from adjudge.source import NOWHERE

SMALL = 16
"""Elements up to which an innermost loop over an array is not charged for: it can do no
more than that many times the work of what it stands in, which is."""


class StepEmitter(CallEmitter):
    """Emits the steps of one Python function.

    ``trace`` turns on the evidence variant: reads, marks and solutions are recorded on
    the context.
    """

    def __init__(self, constants: Constants, slots: dict[Path, int], *, trace: bool) -> None:
        super().__init__(constants, slots)
        self.trace = trace
        self.expect_misses = False
        self.conflict_kind = "complete"
        self.rule_name = ""
        self.indexes: list[tuple[str, str]] = []
        self.entry = False
        self.scan_key = ""
        self.marks: list[str] = []
        self.loc = NOWHERE

    # -- subscripts ----------------------------------------------------------------------------

    def is_plain_dot(self, step: ir.Dot) -> bool:
        """Whether Python's own subscript does the right thing for this key, and misses are rare."""
        return not step.lazy and not self.expect_misses and self.is_string(step.key)

    def plain_dot(self, step: ir.Dot) -> ast.stmt:
        return py.assign(
            self.local(step.dst), py.sub(self.operand(step.src), self.operand(step.key))
        )

    def soft_dot(self, step: ir.Dot) -> ast.expr:
        """``src[key]`` as an expression that is ``UNDEFINED`` where there is nothing."""
        src, key = self.operand(step.src), self.operand(step.key)
        if step.lazy:
            return py.call(abi.LAZY_AT, self.context(step.ctx), src, key)
        general = py.call(abi.AT, src, key)
        if not isinstance(step.src, ir.Local) or self.type_of(step.key) not in (STRING, None):
            return general
        tests = [*self.has_class(step.key, STRING), *self.has_class(step.src, OBJECT)]
        return self.either(tests, py.method(src, "get", key, py.name(abi.UNDEFINED)), general)

    def _dot(self, step: ir.Dot, out: list[ast.stmt], fail: Fail) -> bool:
        out.extend(self.trace_dot(step))
        out.append(py.assign(self.local(step.dst), self.soft_dot(step)))
        return True

    # -- loops ---------------------------------------------------------------------------------

    def loop_source(
        self, step: ir.Scan | ir.ScanCall | ir.Probe, out: list[ast.stmt], fail: Fail
    ) -> tuple[ast.expr, ast.expr]:
        """The target and the iterable of the ``for`` statement."""
        context = self.context(step.ctx)
        if isinstance(step, ir.Probe):
            return self._probe(step, out)
        if isinstance(step, ir.ScanCall):
            value = self.fresh("q")
            call = self.call(step.name, step.args, step.ctx)
            self.guarded(value, call, step.name, step.loc, out, fail)
            return py.store(self.local(step.value)), py.name(value)
        src = self.operand(step.src)
        value_name = self.local(step.value) if step.value else self.fresh("u")
        if step.lazy:
            key = self.local(step.key) if step.key else self.fresh("u")
            return py.store_pair(key, value_name), py.call(abi.LAZY_PAIRS, context, src)
        if step.key is None and not self.trace:
            function = abi.ORDERED_VALUES if step.ordered else abi.VALUES
            source: ast.expr = py.call(function, context, src)
            if not step.ordered and _is_brief(step.body):
                small = py.compare(py.call(abi.LEN, src), ast.LtE(), py.const(SMALL))
                tests = [*self.has_class(step.src, ARRAY), small]
                source = self.either(tests, src, source)
            return py.store(value_name), source
        function = abi.ORDERED_PAIRS if step.ordered else abi.PAIRS
        key = self.local(step.key) if step.key else self.fresh("u")
        self.scan_key = key
        return py.store_pair(key, value_name), py.call(function, context, src)

    def _probe(self, step: ir.Probe, out: list[ast.stmt]) -> tuple[ast.expr, ast.expr]:
        """Look elements up in an index; it is built anew when the collection is another."""
        index, of = index_names(step.name)
        src = self.operand(step.src)
        build = py.call(
            abi.INDEX_BY,
            self.context(step.ctx),
            src,
            self.operand(step.field),
            py.const(step.ordered),
        )
        out.append(py.if_(py.is_not(py.name(of), src), py.assign(index, build), py.assign(of, src)))
        key = self.local(step.index) if step.index else self.fresh("u")
        self.scan_key = key
        found = py.method(py.name(index), "get", self.boxed(step.key), py.name(abi.NO_PAIRS))
        return py.store_pair(key, self.local(step.value)), found

    # -- everything else -----------------------------------------------------------------------

    def step(self, step: ir.Step, out: list[ast.stmt], fail: Fail) -> None:
        """Emit a step that neither iterates nor ends the block."""
        if self.value(step, out, fail):
            undefined = py.is_(py.name(self.local(step.dst)), py.name(abi.UNDEFINED))  # type: ignore[union-attr, arg-type]
            out.append(py.if_(undefined, fail()))

    def value(self, step: ir.Step, out: list[ast.stmt], fail: Fail) -> bool:
        """Emit what computes the step's local; gives whether the local may be undefined
        afterwards."""
        return _EMITTERS[type(step)](self, step, out, fail)

    def _input(self, step: ir.Input, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(py.assign(self.local(step.dst), py.attr(self.context(step.ctx), "input")))
        return True

    def _base(self, step: ir.Base, out: list[ast.stmt], fail: Fail) -> bool:
        dst = self.local(step.dst)
        if not all(isinstance(key, str) for key in step.path):
            found = py.method(self.context(step.ctx), "base", py.const(step.path))
            out.append(py.assign(dst, found))
            return True
        value: ast.expr = py.attr(self.context(step.ctx), "data")
        if self.trace and step.path:
            out.append(self._read(value, py.const(step.path)))
        for key in step.path:
            value = py.sub(value, py.const(key))
        out.append(py.try_([py.assign(dst, value)], abi.LOOKUP_ERRORS, [fail()]))
        return False

    def _rule_value(self, step: ir.RuleValue, out: list[ast.stmt], fail: Fail) -> bool:
        slot = self.slots[step.group.path]
        dst = self.local(step.dst)
        if self.trace:
            # The evidence variant always calls: the callee links its reads to the caller's.
            context = self.context(step.ctx)
            out.append(py.assign(dst, py.call(f"{abi.RULE_PREFIX}{slot}", context)))
        else:
            out.append(py.assign(dst, self.slot(step)))
            out.append(self.evaluate(step))
        return self.known_rule(step)

    def known_rule(self, step: ir.RuleValue) -> bool:
        """Note the type of a rule's value; gives whether it may be undefined."""
        if step.replaceable:
            return True
        known = type_of_rule(step.group)
        if known is not None:
            self.types[step.dst.id] = known
        return step.group.kind not in ("set", "object")

    def slot(self, step: ir.RuleValue) -> ast.expr:
        """Where the context keeps the value of a rule."""
        slots = py.attr(self.context(step.ctx), "slots")
        return py.sub(slots, py.const(self.slots[step.group.path]))

    def evaluate(self, step: ir.RuleValue) -> ast.stmt:
        """Evaluate a rule, unless its value is known already."""
        slot, dst = self.slots[step.group.path], self.local(step.dst)
        value = py.call(f"{abi.EVAL_PREFIX}{slot}", self.context(step.ctx))
        slots = py.attr(self.context(step.ctx), "slots")
        store = py.assign_both(dst, slots, py.const(slot), value)
        return py.if_(py.is_(py.name(dst), py.name(abi.UNSET)), store)

    def _document(self, step: ir.Document, out: list[ast.stmt], fail: Fail) -> bool:
        value = py.method(self.context(step.ctx), "document", py.const(step.path))
        out.append(py.assign(self.local(step.dst), value))
        return True

    def _lazy(self, step: ir.Lazy, out: list[ast.stmt], fail: Fail) -> bool:
        value = py.method(self.context(step.ctx), "lazy", py.const(step.path))
        out.append(py.assign(self.local(step.dst), value))
        return False

    def _force(self, step: ir.Force, out: list[ast.stmt], fail: Fail) -> bool:
        value = py.call(abi.FORCE, self.context(step.ctx), self.operand(step.src))
        out.append(py.assign(self.local(step.dst), value))
        return True

    def _move(self, step: ir.Move, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(py.assign(self.local(step.dst), self.operand(step.src)))
        return False

    def _truthy(self, step: ir.Truthy, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(py.if_(py.is_(self.operand(step.src), py.const(False)), fail()))
        return False

    def _fail(self, step: ir.Fail, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(fail())
        return False

    def _is_array(self, step: ir.IsArray, out: list[ast.stmt], fail: Fail) -> bool:
        self._shape(abi.LIST, self.operand(step.src), step.length, out, fail)
        return False

    def _is_object(self, step: ir.IsObject, out: list[ast.stmt], fail: Fail) -> bool:
        self._shape(abi.DICT, self.operand(step.src), step.length, out, fail)
        return False

    def _is_collection(self, step: ir.IsCollection, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(py.if_(py.not_(py.call(abi.IS_COLLECTION, self.operand(step.src))), fail()))
        return False

    def _shape(self, cls: str, src: ast.expr, length: int, out: list[ast.stmt], fail: Fail) -> None:
        wrong_class = py.is_not(py.attr(src, "__class__"), py.name(cls))
        wrong_size = py.compare(py.call(abi.LEN, src), ast.NotEq(), py.const(length))
        out.append(py.if_(py.or_(wrong_class, wrong_size), fail()))

    def _make_array(self, step: ir.MakeArray, out: list[ast.stmt], fail: Fail) -> bool:
        out.append(py.assign(self.local(step.dst), py.list_([self.operand(i) for i in step.items])))
        self.types[step.dst.id] = ARRAY
        return False

    def _make_set(self, step: ir.MakeSet, out: list[ast.stmt], fail: Fail) -> bool:
        items = py.list_([self.operand(i) for i in step.items])
        out.append(py.assign(self.local(step.dst), py.call(abi.REGO_SET, items)))
        self.types[step.dst.id] = SET
        return False

    def _make_object(self, step: ir.MakeObject, out: list[ast.stmt], fail: Fail) -> bool:
        dst = self.local(step.dst)
        self.types[step.dst.id] = OBJECT
        if all(self.is_string(k) for k, _ in step.pairs):
            keys = [k.value for k, _ in step.pairs if isinstance(k, ir.Const)]
            if len(keys) == len(step.pairs) == len(set(keys)):
                pairs = [(self.operand(k), self.operand(v)) for k, v in step.pairs]
                out.append(py.assign(dst, py.dict_(pairs)))
                return False
        items = [py.tuple_([self.operand(k), self.operand(v)]) for k, v in step.pairs]
        context = py.name("c")
        out.append(py.assign(dst, py.call(abi.MAKE_OBJECT, context, py.list_(items))))
        return False

    def _derive(self, step: ir.Derive, out: list[ast.stmt], fail: Fail) -> bool:
        first = step.patches[0]
        if len(step.patches) == 1 and first.root == "input" and first.value is not None:
            args = (py.const(first.path), self.operand(first.value))
            derived = py.method(self.context(step.ctx), "with_input", *args)
            out.append(py.assign(f"c{step.dst}", derived))
            return False
        patches: list[ast.expr] = []
        for patch in step.patches:
            function: ast.expr = py.const(None)
            if isinstance(patch.function, str):
                function = self.builtin(patch.function)
            elif patch.function is not None:
                function = py.name(f"{abi.FUNCTION_PREFIX}{self.slots[patch.function.path]}")
            is_builtin = py.const(isinstance(patch.function, str))
            name = patch.function if isinstance(patch.function, str) else patch.name
            value = py.const(None) if patch.value is None else self.operand(patch.value)
            target = py.const(patch.name)
            patches.append(
                py.tuple_(
                    [
                        py.const(patch.root),
                        py.const(patch.path),
                        target,
                        value,
                        function,
                        is_builtin,
                        py.const(name),
                    ]
                )
            )
        derived = py.method(self.context(step.ctx), "derive", *patches)
        out.append(py.assign(f"c{step.dst}", derived))
        return False

    def _mark(self, step: ir.Mark, out: list[ast.stmt], fail: Fail) -> bool:
        if self.trace and self.entry and step.index:
            out.append(py.raise_to(py.name("c"), "far", step.index))
        return False

    # -- conditions ------------------------------------------------------------------------------

    def _compare(self, step: ir.Compare, out: list[ast.stmt], fail: Fail) -> bool:
        test = self.comparison(step.op, step.left, step.right)
        return self._condition(test, step.dst, out, fail)

    def _member(self, step: ir.Member, out: list[ast.stmt], fail: Fail) -> bool:
        return self._condition(self.membership(step), step.dst, out, fail)

    def _condition(
        self, test: ast.expr, dst: ir.Local | None, out: list[ast.stmt], fail: Fail
    ) -> bool:
        if dst is not None:
            out.append(py.assign(self.local(dst), test))
            self.types[dst.id] = BOOLEAN
        else:
            out.append(py.if_(py.not_(test), fail()))
        return False

    # -- evidence ----------------------------------------------------------------------------------

    def trace_dot(self, step: ir.Dot) -> list[ast.stmt]:
        """Record that ``src[key]`` is about to be read; a miss is evidence, too."""
        if not self.trace or step.lazy or not isinstance(step.src, ir.Local):
            return []
        return [self._read(self.operand(step.src), self.operand(step.key))]

    def _read(self, src: ast.expr, key: ast.expr) -> ast.stmt:
        return py.expr(py.method(py.name("R"), "append", py.tuple_([src, key])))

    def trace_loop(
        self, step: ir.Scan | ir.ScanCall | ir.Probe, out: list[ast.stmt]
    ) -> list[ast.stmt]:
        """Note where the trail stands before the loop; forget each iteration's reads at the
        next one; record the element.  Gives what goes first into the loop's body."""
        if not self.trace:
            return []
        mark = self.fresh("m")
        self.marks.append(mark)
        out.append(py.assign(mark, py.call(abi.LEN, py.name("R"))))
        body: list[ast.stmt] = [py.cut(py.name("R"), py.name(mark))]
        if isinstance(step, ir.Probe) or (isinstance(step, ir.Scan) and not step.lazy):
            body.append(self._read(self.operand(step.src), py.name(self.scan_key)))
        return body

    def keep_reads(self) -> list[ast.stmt]:
        """At a solution that others may follow: what was read so far stays on the trail."""
        if not self.trace or not self.marks:
            return []
        length = py.call(abi.LEN, py.name("R"))
        room = py.compare(length, ast.Lt(), py.const(MAX_TRAIL))
        return [py.if_(room, *(py.assign(m, length) for m in self.marks))]


MAX_TRAIL = 400
"""Reads kept of one rule; a rule over thousands of elements keeps those of the first ones."""


def _is_brief(block: ir.Block) -> bool:
    """Whether a block does no more than a bounded amount of work, but for calls of builtins,
    which account for theirs."""
    return not any(isinstance(step, _LENGTHY) for step in walk.steps(block))


_LENGTHY = (
    *(ir.Scan, ir.ScanCall, ir.Probe, ir.Collect),
    *(ir.CallFunction, ir.Derive, ir.Document, ir.Lazy, ir.Force),
)


def index_names(number: int) -> tuple[str, str]:
    """The variables of an index, and of the collection it is of."""
    return f"i{number}", f"j{number}"


_EMITTERS: dict[type, Callable[..., bool]] = {
    ir.Input: StepEmitter._input,
    ir.Base: StepEmitter._base,
    ir.RuleValue: StepEmitter._rule_value,
    ir.Document: StepEmitter._document,
    ir.Lazy: StepEmitter._lazy,
    ir.Force: StepEmitter._force,
    ir.Dot: StepEmitter._dot,
    ir.Move: StepEmitter._move,
    ir.Compare: StepEmitter._compare,
    ir.Member: StepEmitter._member,
    ir.Truthy: StepEmitter._truthy,
    ir.Fail: StepEmitter._fail,
    ir.IsArray: StepEmitter._is_array,
    ir.IsObject: StepEmitter._is_object,
    ir.IsCollection: StepEmitter._is_collection,
    ir.MakeArray: StepEmitter._make_array,
    ir.MakeSet: StepEmitter._make_set,
    ir.MakeObject: StepEmitter._make_object,
    ir.CallBuiltin: StepEmitter.call_builtin,
    ir.CallFunction: StepEmitter.call_function,
    ir.Format: StepEmitter.format,
    ir.Derive: StepEmitter._derive,
    ir.Mark: StepEmitter._mark,
}

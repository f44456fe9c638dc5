"""Single IR steps in, Python statements out; and the hooks of the evidence variant."""

from __future__ import annotations

import ast
from collections.abc import Callable

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.constants import Constants
from adjudge.rego.passes.model import Path
from adjudge.rego.plan import ir
from adjudge.rego.runtime.values import RegoSet
from adjudge.source import NOWHERE, Location

Fail = Callable[[], ast.stmt]


class StepEmitter:
    """Emits the steps of one Python function.

    ``trace`` turns on the evidence variant: reads, marks and solutions are recorded on
    the context.
    """

    def __init__(self, constants: Constants, slots: dict[Path, int], *, trace: bool) -> None:
        self.constants = constants
        self.slots = slots
        self.trace = trace
        self.builtins: dict[str, str] = {}
        self.expect_misses = False
        self.conflict_kind = "complete"
        self.rule_name = ""
        self.indexes: list[tuple[str, str]] = []
        self.entry = False
        self.scan_key = ""
        self.marks: list[str] = []
        self.loc = NOWHERE
        self.types: dict[int, str] = {}
        self._fresh = 0

    # -- names and operands ----------------------------------------------------------------

    def fresh(self, prefix: str) -> str:
        """A Python name no local has."""
        self._fresh += 1
        return f"{prefix}{self._fresh}"

    @staticmethod
    def local(local: ir.Local) -> str:
        return f"v{local.id}"

    @staticmethod
    def context(ctx: int) -> ast.expr:
        return py.name("c" if ctx == 0 else f"c{ctx}")

    def operand(self, operand: ir.Operand) -> ast.expr:
        if isinstance(operand, ir.Local):
            return py.name(self.local(operand))
        return self.constants.operand(operand.value)

    def is_string(self, operand: ir.Operand) -> bool:
        """Whether the operand is known to be a string."""
        if isinstance(operand, ir.Const):
            return isinstance(operand.value, str)
        return self.types.get(operand.id) == "string"

    def boxed(self, operand: ir.Operand) -> ast.expr:
        """The hashable form of an operand."""
        value = self.operand(operand)
        if self.is_string(operand):
            return value
        if isinstance(operand, ir.Const):
            return py.name(
                self.constants.named(py.call(abi.BOX, self.constants.build(operand.value)))
            )
        return py.call(abi.BOX, value)

    def where(self, loc: Location) -> ast.expr:
        """A location as a module constant."""
        return py.name(self.constants.named(py.tuple_([py.const(p) for p in loc])))

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
        if self.is_string(step.key) and isinstance(step.src, ir.Local):
            get = py.method(src, "get", key, py.name(abi.UNDEFINED))
            is_dict = py.is_(py.attr(src, "__class__"), py.name(abi.DICT))
            return py.if_exp(is_dict, get, general)
        return general

    def _dot(self, step: ir.Dot, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        value = self.soft_dot(step)
        out.extend(self.trace_dot(step))
        out.append(py.assign(dst, value))
        out.append(py.if_(py.is_(py.name(dst), py.name(abi.UNDEFINED)), fail()))

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
            self._guarded_call(value, step.name, step.args, step.ctx, step.loc, out, fail)
            return py.store(self.local(step.value)), py.name(value)
        src = self.operand(step.src)
        value_name = self.local(step.value) if step.value else self.fresh("u")
        if step.lazy:
            key = self.local(step.key) if step.key else self.fresh("u")
            return py.store_pair(key, value_name), py.call(abi.LAZY_PAIRS, context, src)
        if step.key is None and not self.trace:
            function = abi.ORDERED_VALUES if step.ordered else abi.VALUES
            return py.store(value_name), py.call(function, context, src)
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
        emit = _EMITTERS[type(step)]
        emit(self, step, out, fail)

    def _check(self, dst: str, out: list[ast.stmt], fail: Fail) -> None:
        out.append(py.if_(py.is_(py.name(dst), py.name(abi.UNDEFINED)), fail()))

    def _input(self, step: ir.Input, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        out.append(py.assign(dst, py.attr(self.context(step.ctx), "input")))
        self._check(dst, out, fail)

    def _base(self, step: ir.Base, out: list[ast.stmt], fail: Fail) -> None:
        if not all(isinstance(key, str) for key in step.path):
            dst = self.local(step.dst)
            path = py.tuple_([py.const(k) for k in step.path])
            out.append(py.assign(dst, py.method(self.context(step.ctx), "base", path)))
            self._check(dst, out, fail)
            return
        value: ast.expr = py.attr(self.context(step.ctx), "data")
        if self.trace and step.path:
            path = py.tuple_([py.const(k) for k in step.path])
            out.append(self._read(value, path))
        for key in step.path:
            value = py.sub(value, py.const(key))
        body: list[ast.stmt] = [py.assign(self.local(step.dst), value)]
        out.append(py.try_(body, abi.LOOKUP_ERRORS, [fail()]))

    def _rule_value(self, step: ir.RuleValue, out: list[ast.stmt], fail: Fail) -> None:
        slot = self.slots[step.group.path]
        dst = self.local(step.dst)
        context = self.context(step.ctx)
        if self.trace:
            # The evidence variant always calls: the callee links its reads to the caller's.
            out.append(py.assign(dst, py.call(f"{abi.RULE_PREFIX}{slot}", context)))
            self._check(dst, out, fail)
            return
        out.append(py.assign(dst, py.sub(py.attr(context, "slots"), py.const(slot))))
        evaluate = py.assign(dst, py.call(f"{abi.RULE_PREFIX}{slot}", context))
        out.append(py.if_(py.is_(py.name(dst), py.name(abi.UNSET)), evaluate))
        self._check(dst, out, fail)

    def _document(self, step: ir.Document, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        path = py.name(self.constants.named(py.tuple_([py.const(k) for k in step.path])))
        out.append(py.assign(dst, py.method(self.context(step.ctx), "document", path)))
        self._check(dst, out, fail)

    def _lazy(self, step: ir.Lazy, out: list[ast.stmt], fail: Fail) -> None:
        path = py.name(self.constants.named(py.tuple_([py.const(k) for k in step.path])))
        out.append(py.assign(self.local(step.dst), py.method(self.context(step.ctx), "lazy", path)))

    def _force(self, step: ir.Force, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        value = py.call(abi.FORCE, self.context(step.ctx), self.operand(step.src))
        out.append(py.assign(dst, value))
        self._check(dst, out, fail)

    def _move(self, step: ir.Move, out: list[ast.stmt], fail: Fail) -> None:
        out.append(py.assign(self.local(step.dst), self.operand(step.src)))

    def _truthy(self, step: ir.Truthy, out: list[ast.stmt], fail: Fail) -> None:
        out.append(py.if_(py.is_(self.operand(step.src), py.const(False)), fail()))

    def _fail(self, step: ir.Fail, out: list[ast.stmt], fail: Fail) -> None:
        out.append(fail())

    def _is_array(self, step: ir.IsArray, out: list[ast.stmt], fail: Fail) -> None:
        self._shape(abi.LIST, self.operand(step.src), step.length, out, fail)

    def _is_object(self, step: ir.IsObject, out: list[ast.stmt], fail: Fail) -> None:
        self._shape(abi.DICT, self.operand(step.src), step.length, out, fail)

    def _is_collection(self, step: ir.IsCollection, out: list[ast.stmt], fail: Fail) -> None:
        out.append(py.if_(py.not_(py.call(abi.IS_COLLECTION, self.operand(step.src))), fail()))

    def _shape(self, cls: str, src: ast.expr, length: int, out: list[ast.stmt], fail: Fail) -> None:
        wrong_class = py.is_not(py.attr(src, "__class__"), py.name(cls))
        wrong_size = py.compare(py.call(abi.LEN, src), ast.NotEq(), py.const(length))
        out.append(py.if_(py.or_(wrong_class, wrong_size), fail()))

    def _make_array(self, step: ir.MakeArray, out: list[ast.stmt], fail: Fail) -> None:
        out.append(py.assign(self.local(step.dst), py.list_([self.operand(i) for i in step.items])))

    def _make_set(self, step: ir.MakeSet, out: list[ast.stmt], fail: Fail) -> None:
        items = py.list_([self.operand(i) for i in step.items])
        out.append(py.assign(self.local(step.dst), py.call(abi.REGO_SET, items)))

    def _make_object(self, step: ir.MakeObject, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        if all(self.is_string(k) for k, _ in step.pairs):
            keys = [k.value for k, _ in step.pairs if isinstance(k, ir.Const)]
            if len(keys) == len(step.pairs) == len(set(keys)):
                pairs = [(self.operand(k), self.operand(v)) for k, v in step.pairs]
                out.append(py.assign(dst, py.dict_(pairs)))
                return
        items = [py.tuple_([self.operand(k), self.operand(v)]) for k, v in step.pairs]
        context = py.name("c")
        out.append(py.assign(dst, py.call(abi.MAKE_OBJECT, context, py.list_(items))))

    def _derive(self, step: ir.Derive, out: list[ast.stmt], fail: Fail) -> None:
        patches: list[ast.expr] = []
        for patch in step.patches:
            path = py.tuple_([py.const(k) for k in patch.path])
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
                        path,
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

    def _mark(self, step: ir.Mark, out: list[ast.stmt], fail: Fail) -> None:
        if self.trace and self.entry and step.index:
            out.append(py.raise_to(py.name("c"), "far", step.index))

    # -- comparisons -----------------------------------------------------------------------------

    def _compare(self, step: ir.Compare, out: list[ast.stmt], fail: Fail) -> None:
        test = self.comparison(step.op, step.left, step.right)
        self._condition(test, step.dst, out, fail)

    def _condition(
        self, test: ast.expr, dst: ir.Local | None, out: list[ast.stmt], fail: Fail
    ) -> None:
        if dst is not None:
            out.append(py.assign(self.local(dst), test))
        else:
            out.append(py.if_(py.not_(test), fail()))

    def comparison(self, op: ir.Comparison, left: ir.Operand, right: ir.Operand) -> ast.expr:
        """A Python expression for a comparison, as direct as the known types allow."""
        if op in ("eq", "neq"):
            test = self._equality(left, right)
            return py.not_(test) if op == "neq" else test
        a, b = self.operand(left), self.operand(right)
        direct = self._direct_order(op, left, right)
        general = {
            "lt": lambda: py.call(abi.LESS, a, b),
            "lte": lambda: py.call(abi.LESS_EQUAL, a, b),
            "gt": lambda: py.call(abi.LESS, b, a),
            "gte": lambda: py.call(abi.LESS_EQUAL, b, a),
        }[op]()
        return direct(general) if direct is not None else general

    def _equality(self, left: ir.Operand, right: ir.Operand) -> ast.expr:
        if isinstance(left, ir.Const):
            left, right = right, left
        a, b = self.operand(left), self.operand(right)
        if self.is_string(left) or self.is_string(right):
            return py.compare(a, ast.Eq(), b)
        if isinstance(right, ir.Const):
            value = right.value
            if value is None or value is True or value is False:
                return py.is_(a, b)
            if value.__class__ in (int, float) and value not in (0, 1):
                return py.compare(a, ast.Eq(), b)
        return py.call(abi.EQUAL, a, b)

    def _direct_order(
        self, op: ir.Comparison, left: ir.Operand, right: ir.Operand
    ) -> Callable[[ast.expr], ast.expr] | None:
        """``a < 5`` directly when ``a`` is an int, the general test otherwise."""
        operators: dict[str, type[ast.cmpop]] = {
            "lt": ast.Lt,
            "lte": ast.LtE,
            "gt": ast.Gt,
            "gte": ast.GtE,
        }
        for known, other in ((left, right), (right, left)):
            if isinstance(known, ir.Const) and known.value.__class__ in (int, float):
                cls = py.is_(py.attr(self.operand(other), "__class__"), py.name(abi.INT))
                test = py.compare(self.operand(left), operators[op](), self.operand(right))
                return lambda general: py.if_exp(cls, test, general)
        return None

    def _member(self, step: ir.Member, out: list[ast.stmt], fail: Fail) -> None:
        self._condition(self.membership(step), step.dst, out, fail)

    def membership(self, step: ir.Member) -> ast.expr:
        item, coll = self.operand(step.item), self.operand(step.coll)
        if step.key is not None:
            return py.call(abi.MEMBER_KEY, self.operand(step.key), item, coll)
        if isinstance(step.coll, ir.Const) and isinstance(step.item, ir.Local):
            value = step.coll.value
            members = value.ordered() if isinstance(value, RegoSet) else value
            if isinstance(members, list) and members and all(type(m) is str for m in members):
                is_str = py.is_(py.attr(item, "__class__"), py.name(abi.STR))
                return py.and_(is_str, py.compare(item, ast.In(), self.constants.strings(members)))
        general = py.call(abi.MEMBER, item, coll)
        if isinstance(step.coll, ir.Local) and isinstance(step.item, ir.Local):
            # A string in a set is the common case, and needs no boxing.
            is_str = py.is_(py.attr(item, "__class__"), py.name(abi.STR))
            is_set = py.is_(py.attr(coll, "__class__"), py.name(abi.REGO_SET))
            direct = py.compare(item, ast.In(), py.attr(coll, "boxed"))
            return py.if_exp(py.and_(is_str, is_set), direct, general)
        return general

    # -- calls -----------------------------------------------------------------------------------

    def builtin(self, name: str) -> ast.expr:
        """The Python name of a builtin's function; the module's list of them grows."""
        known = self.builtins.get(name)
        if known is None:
            known = self.builtins[name] = abi.BUILTIN_PREFIX + name.replace(".", "_")
        return py.name(known)

    def _call_builtin(self, step: ir.CallBuiltin, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        self._guarded_call(
            dst, step.name, step.args, step.ctx, step.loc, out, fail, mocked=step.mocked
        )
        self._check(dst, out, fail)
        if step.name in _STRING_RESULTS and not step.mocked:
            self.types[step.dst.id] = "string"

    def _guarded_call(
        self,
        dst: str,
        name: str,
        args: tuple[ir.Operand, ...],
        ctx: int,
        loc: Location,
        out: list[ast.stmt],
        fail: Fail,
        mocked: bool = False,
    ) -> None:
        function = self.builtin(name)
        context = self.context(ctx)
        operands = [self.operand(a) for a in args]
        value: ast.expr
        if mocked:
            value = py.method(context, "call_builtin", py.const(name), function, *operands)
        elif name in self.nondeterministic:
            value = py.method(context, "repeat", py.const(name), function, *operands)
        elif name in self.contextual:
            value = py.call(function, context, *operands)
        else:
            value = py.call(function, *operands)
        error = self.fresh("x")
        where = self.where(loc)
        handler = [
            py.expr(py.method(context, "builtin_error", py.name(error), py.const(name), where)),
            fail(),
        ]
        out.append(py.try_([py.assign(dst, value)], abi.BUILTIN_ERROR, handler, error))

    nondeterministic: frozenset[str] = frozenset()
    contextual: frozenset[str] = frozenset()

    def _call_function(self, step: ir.CallFunction, out: list[ast.stmt], fail: Fail) -> None:
        dst = self.local(step.dst)
        slot = self.slots[step.group.path]
        function = py.name(f"{abi.FUNCTION_PREFIX}{slot}")
        operands = [self.operand(a) for a in step.args]
        context = self.context(step.ctx)
        if step.mocked:
            value = py.method(
                context, "call_function", py.const(step.group.name), function, *operands
            )
        else:
            value = py.call(function, context, *operands)
        out.append(py.assign(dst, value))
        self._check(dst, out, fail)

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


def index_names(number: int) -> tuple[str, str]:
    """The variables of an index, and of the collection it is of."""
    return f"i{number}", f"j{number}"


_STRING_RESULTS = frozenset(
    {
        "sprintf",
        "concat",
        "lower",
        "upper",
        "trim",
        "trim_space",
        "replace",
        "format_int",
        "type_name",
        "internal.template_string",
        "base64.encode",
        "json.marshal",
    }
)

_EMITTERS: dict[type, Callable[..., None]] = {
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
    ir.CallBuiltin: StepEmitter._call_builtin,
    ir.CallFunction: StepEmitter._call_function,
    ir.Derive: StepEmitter._derive,
    ir.Mark: StepEmitter._mark,
}

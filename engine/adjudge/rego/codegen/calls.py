"""Calls of builtins and functions: IR in, Python statements out.

The builtins that policies use most are written down as the Python operation they are,
behind a test of the operands' classes; everything else goes to the builtin's function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final, TypeAlias

from adjudge.rego import abi
from adjudge.rego.codegen import builder as py
from adjudge.rego.codegen.constants import Constants
from adjudge.rego.codegen.operands import ARRAY, BOOLEAN, INTEGER, OBJECT, SET, STRING, Operands
from adjudge.rego.passes.model import Path
from adjudge.rego.plan import ir
from adjudge.source import Location

Fail: TypeAlias = Callable[[], ast.stmt]

LONG: Final = 10_000
"""Characters from which a text that was put together is held against the limit."""

RESULTS: Final = {
    **dict.fromkeys(
        (
            "contains",
            "startswith",
            "endswith",
            "regex.match",
            "glob.match",
            "is_string",
            "is_number",
            "is_boolean",
            "is_null",
            "is_array",
            "is_object",
            "is_set",
        ),
        BOOLEAN,
    ),
    **dict.fromkeys(
        (
            "sprintf",
            "concat",
            "lower",
            "upper",
            "trim",
            "trim_left",
            "trim_prefix",
            "trim_right",
            "trim_space",
            "trim_suffix",
            "replace",
            "substring",
            "format_int",
            "type_name",
            "internal.template_string",
            "base64.encode",
            "json.marshal",
        ),
        STRING,
    ),
    "count": INTEGER,
    "split": ARRAY,
}
"""The types of the results of builtins that always give one, or fail."""


class CallEmitter(Operands):
    """Emits calls."""

    nondeterministic: frozenset[str] = frozenset()
    contextual: frozenset[str] = frozenset()

    def __init__(self, constants: Constants, slots: dict[Path, int]) -> None:
        super().__init__(constants)
        self.slots = slots
        self.builtins: dict[str, str] = {}

    def builtin(self, name: str) -> ast.expr:
        """The Python name of a builtin's function; the module's list of them grows."""
        known = self.builtins.get(name)
        if known is None:
            known = self.builtins[name] = abi.BUILTIN_PREFIX + name.replace(".", "_")
        return py.name(known)

    # -- builtins ----------------------------------------------------------------------------

    def call_builtin(self, step: ir.CallBuiltin, out: list[ast.stmt], fail: Fail) -> bool:
        """Emit a call of a builtin; gives whether its result may be undefined."""
        dst = self.local(step.dst)
        if step.mocked:
            self.guarded(dst, self._mocked(step), step.name, step.loc, out, fail)
            return True
        result = RESULTS.get(step.name)
        inline = _INLINE.get(step.name)
        found = inline(self, step.args) if inline is not None else None
        general = self.call(step.name, step.args, step.ctx)
        if found is None:
            self.guarded(dst, general, step.name, step.loc, out, fail)
        else:
            tests, fast = found
            value = self.either(tests, fast, general)
            if tests or step.name in _RAISING:
                self.guarded(dst, value, step.name, step.loc, out, fail)
            else:
                out.append(py.assign(dst, value))
            if step.name in ("plus", "minus") and not tests:
                result = INTEGER
        if result is not None:
            self.types[step.dst.id] = result
        return result is None and step.name not in _DEFINED

    def call(self, name: str, args: tuple[ir.Operand, ...], ctx: int) -> ast.expr:
        """The call of a builtin's function."""
        function = self.builtin(name)
        context = self.context(ctx)
        operands = [self.operand(a) for a in args]
        if name in self.nondeterministic:
            return py.method(context, "repeat", py.const(name), function, *operands)
        if name in self.contextual:
            return py.call(function, context, *operands)
        return py.call(function, *operands)

    def _mocked(self, step: ir.CallBuiltin) -> ast.expr:
        operands = [self.operand(a) for a in step.args]
        name = py.const(step.name)
        context = self.context(step.ctx)
        return py.method(context, "call_builtin", name, self.builtin(step.name), *operands)

    def guarded(
        self,
        dst: str,
        value: ast.expr,
        name: str,
        loc: Location,
        out: list[ast.stmt],
        fail: Fail,
        *after: ast.stmt,
    ) -> None:
        """Assign a value whose computation may raise a builtin's error, and what follows."""
        error = self.fresh("x")
        report = py.method(
            py.name("c"), "builtin_error", py.name(error), py.const(name), self.where(loc)
        )
        handler = [py.expr(report), fail()]
        out.append(py.try_([py.assign(dst, value), *after], abi.BUILTIN_ERROR, handler, error))

    def format(self, step: ir.Format, out: list[ast.stmt], fail: Fail) -> bool:
        """Emit a text put together from strings; anything else goes to ``sprintf``."""
        dst = self.local(step.dst)
        tests: list[ast.expr] = []
        parts: list[str | ast.expr] = [step.texts[0]]
        for item, text in zip(step.items, step.texts[1:], strict=True):
            tests.extend(self.has_class(item, STRING))
            parts.extend((self.operand(item), text))
        fast = py.joined([p for p in parts if p != ""])
        items = py.list_([self.operand(i) for i in step.items])
        general = py.call(
            self.builtin("sprintf"), self.context(step.ctx), py.const(step.template), items
        )
        value = self.either(tests, fast, general)
        length = py.call(abi.LEN, py.name(dst))
        check = py.expr(py.method(py.name("c"), "sized", py.name(dst)))
        sized = py.if_(py.compare(length, ast.Gt(), py.const(LONG)), check)
        self.guarded(dst, value, "sprintf", step.loc, out, fail, sized)
        self.types[step.dst.id] = STRING
        return False

    # -- functions ---------------------------------------------------------------------------

    def call_function(self, step: ir.CallFunction, out: list[ast.stmt], fail: Fail) -> bool:
        """Emit a call of one of the policy's functions."""
        function = py.name(f"{abi.FUNCTION_PREFIX}{self.slots[step.group.path]}")
        operands = [self.operand(a) for a in step.args]
        context = self.context(step.ctx)
        if step.mocked:
            name = py.const(step.group.name)
            value = py.method(context, "call_function", name, function, *operands)
        else:
            value = py.call(function, context, *operands)
        out.append(py.assign(self.local(step.dst), value))
        return True


# -- builtins that are operators in Python -------------------------------------------------

Inline: TypeAlias = tuple[list[ast.expr], ast.expr]
"""Tests, and what is right where all of them hold."""
Args: TypeAlias = tuple[ir.Operand, ...]


def _strings(e: CallEmitter, args: Args) -> list[ast.expr]:
    return [test for a in args for test in e.has_class(a, STRING)]


def _contains(e: CallEmitter, args: Args) -> Inline:
    text, part = args
    return _strings(e, args), py.compare(e.operand(part), ast.In(), e.operand(text))


def _method(name: str) -> Callable[[CallEmitter, Args], Inline]:
    """A method of strings, with strings for arguments."""

    def inline(e: CallEmitter, args: Args) -> Inline:
        text, *rest = (e.operand(a) for a in args)
        return _strings(e, args), py.method(text, name, *rest)

    return inline


def _case(name: str) -> Callable[[CallEmitter, Args], Inline]:
    """``lower`` and ``upper``: beyond ASCII Python's rules are others."""

    def inline(e: CallEmitter, args: Args) -> Inline:
        text = e.operand(args[0])
        tests = [*_strings(e, args), py.method(text, "isascii")]
        return tests, py.method(text, name)

    return inline


def _count(e: CallEmitter, args: Args) -> Inline:
    value = e.operand(args[0])
    kind = e.type_of(args[0])
    if kind == SET:
        return [], py.call(abi.LEN, py.attr(value, "boxed"))
    if kind in (ARRAY, OBJECT, STRING):
        return [], py.call(abi.LEN, value)
    return [e.is_class(value, abi.LIST)], py.call(abi.LEN, value)


def _integers(op: ast.operator) -> Callable[[CallEmitter, Args], Inline | None]:
    def inline(e: CallEmitter, args: Args) -> Inline | None:
        if {e.type_of(a) for a in args} - {INTEGER, None}:
            return None
        left, right = (e.operand(a) for a in args)
        unknown = [e.operand(a) for a in args if e.type_of(a) is None]
        tests = [e.is_class(a, abi.INT) for a in unknown]
        if len(tests) == 2:
            tests = [py.same_class(left, right, abi.INT)]
        return tests, py.binary(left, op, right)

    return inline


def _is(cls: str) -> Callable[[CallEmitter, Args], Inline]:
    def inline(e: CallEmitter, args: Args) -> Inline:
        return [], e.is_class(e.operand(args[0]), cls)

    return inline


def _get(e: CallEmitter, args: Args) -> Inline | None:
    value, key, default = args
    if not e.is_string(key):
        return None
    tests = e.has_class(value, OBJECT)
    return tests, py.method(e.operand(value), "get", e.operand(key), e.operand(default))


def _split(e: CallEmitter, args: Args) -> Inline | None:
    text, delimiter = args
    if not isinstance(delimiter, ir.Const) or not delimiter.value or not e.is_string(delimiter):
        return None
    return _strings(e, args), py.method(e.operand(text), "split", e.operand(delimiter))


def _regex(e: CallEmitter, args: Args) -> Inline | None:
    pattern, text = args
    if not isinstance(pattern, ir.Const) or not e.is_string(pattern):
        return None
    key = (abi.MATCHER, pattern.value)
    matcher = e.constants.named(key, lambda: py.call(abi.MATCHER, py.const(pattern.value)))
    return _strings(e, args), py.call(matcher, e.operand(text))


def _glob(e: CallEmitter, args: Args) -> Inline | None:
    pattern, delimiters, text = args
    if not isinstance(pattern, ir.Const) or not e.is_string(pattern):
        return None
    if not isinstance(delimiters, ir.Const) or not _separators(delimiters.value):
        return None
    known = delimiters.value
    key = (abi.GLOB_MATCHER, pattern.value, None if known is None else tuple(known))
    matcher = e.constants.named(
        key,
        lambda: py.call(abi.GLOB_MATCHER, py.const(pattern.value), e.constants.build(known)),
    )
    return e.has_class(text, STRING), py.call(matcher, e.operand(text))


def _separators(value: object) -> bool:
    """Whether ``glob.match`` takes this for its delimiters."""
    if value is None:
        return True
    return isinstance(value, list) and all(type(v) is str and len(v) == 1 for v in value)


_INLINE: Final[dict[str, Callable[[CallEmitter, Args], Inline | None]]] = {
    "contains": _contains,
    "startswith": _method("startswith"),
    "endswith": _method("endswith"),
    "lower": _case("lower"),
    "upper": _case("upper"),
    "count": _count,
    "plus": _integers(ast.Add()),
    "minus": _integers(ast.Sub()),
    "is_string": _is(abi.STR),
    "is_boolean": _is(abi.BOOL),
    "is_array": _is(abi.LIST),
    "is_object": _is(abi.DICT),
    "is_set": _is(abi.REGO_SET),
    "object.get": _get,
    "split": _split,
    "regex.match": _regex,
    "glob.match": _glob,
}

_RAISING: Final = frozenset({"regex.match", "glob.match"})
"""Builtins that may fail on operands of the right types."""

_DEFINED: Final = frozenset({"plus", "minus", "object.get"})
"""Builtins of any type of result that always give one, or fail."""

"""Carries out templates of Go's ``text/template`` over JSON values: produces the text.

Numbers of the data are :class:`JsonNumber`, a kind of string, as OPA hands them over:
``eq .n 1`` is an error, and every number is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import BuiltinContext
from adjudge.rego.builtins.template_functions import (
    FIXED,
    MINIMUM,
    call_function,
    go_type,
    truth,
)
from adjudge.rego.builtins.template_syntax import (
    Action,
    Branch,
    Chain,
    Command,
    Constant,
    Dot,
    Field,
    Function,
    Include,
    Jump,
    Nil,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)
from adjudge.rego.builtins.template_tokens import TemplateError
from adjudge.rego.builtins.template_values import MISSING, go_print
from adjudge.rego.runtime.text import go_quote, utf8_bytes

_MAX_DEPTH: Final = 60
_NO_FINAL: Final = object()


class _Break(Exception):
    """``{{break}}``"""


class _Continue(Exception):
    """``{{continue}}``"""


class Runner:
    """One execution.  ``text`` is the source, for the places in error messages."""

    def __init__(
        self,
        context: BuiltinContext,
        name: str,
        text: str,
        templates: dict[str, tuple[Node, ...]],
    ) -> None:
        self.context = context
        self.source = name
        self.name = name
        self.text = text
        self.templates = templates
        self.out: list[str] = []
        self.size = 0
        self.depth = 0
        self.ranges = 0
        self.node: Any = None
        self.variables: list[tuple[str, Any]] = []

    def run(self, data: Any) -> str:
        """The text the template makes of the data."""
        self.variables = [("$", data)]
        self._walk(data, self.templates[self.name])
        return "".join(self.out)

    def _error(self, message: str) -> TemplateError:
        before = self.text[: self.node.at]
        line = before.count("\n") + 1
        column = len(utf8_bytes(before[before.rfind("\n") + 1 :]))
        return TemplateError(
            f"template: {self.source}:{line}:{column}: executing {go_quote(self.name)} "
            f"at <{self.node}>: {message}"
        )

    def _write(self, text: str) -> None:
        self.size += len(text)
        if self.size > self.context.max_size:
            raise too_large(self.context)
        self.out.append(text)

    # -- nodes -----------------------------------------------------------------------------

    def _walk(self, dot: Any, nodes: Iterable[Node]) -> None:
        self.depth += 1
        for node in nodes:
            self.context.charge(1)
            if isinstance(node, Text):
                self._write(node.text)
            elif isinstance(node, Action):
                value = self._pipe(dot, node.pipe)
                if not node.pipe.variables:
                    blank = value is MISSING or value is None
                    self._write("<no value>" if blank else go_print(value))
            elif isinstance(node, Branch):
                self._branch(dot, node)
            elif isinstance(node, Include):
                self._include(dot, node)
            else:
                assert isinstance(node, Jump)
                raise _Break if node.kind == "break" else _Continue
        self.depth -= 1

    def _nested(self, dot: Any, nodes: Iterable[Node]) -> None:
        if self.depth >= _MAX_DEPTH:
            raise self._error(f"exceeded maximum template depth ({_MAX_DEPTH})")
        self._walk(dot, nodes)

    def _branch(self, dot: Any, node: Branch) -> None:
        mark = len(self.variables)
        if node.kind == "range":
            self._range(dot, node)
        else:
            value = self._pipe(dot, node.pipe)
            if truth(value):
                self._nested(value if node.kind == "with" else dot, node.body)
            elif node.otherwise is not None:
                self._nested(dot, node.otherwise)
        del self.variables[mark:]

    def _range(self, dot: Any, node: Branch) -> None:
        self.node = node.pipe
        value = self._pipe(dot, node.pipe)
        pairs = self._pairs(node, value)
        if not pairs:
            if node.otherwise is not None:
                self._nested(dot, node.otherwise)
            return
        mark, depth = len(self.variables), self.depth
        self.ranges += 1
        for key, item in pairs:
            self._bind(node.pipe, key, item)
            try:
                self._nested(item, node.body)
            except _Break:
                self.depth = depth
                break
            except _Continue:
                self.depth = depth
            finally:
                del self.variables[mark:]
        self.ranges -= 1

    def _pairs(self, node: Branch, value: Any) -> Any:
        """Keys and elements to go through."""
        if isinstance(value, list):
            return list(enumerate(value))
        if isinstance(value, dict):
            return sorted(value.items())
        if value is None or value is MISSING:
            return []
        if isinstance(value, int) and not isinstance(value, bool):
            if len(node.pipe.variables) > 1:
                raise self._error(f"can't use {value} to iterate over more than one variable")
            if value > self.context.max_size:
                raise too_large(self.context)
            return [(MISSING, i) for i in range(value)]
        raise self._error(f"range can't iterate over {go_print(value)}")

    def _bind(self, pipe: Pipe, key: Any, item: Any) -> None:
        names = pipe.variables
        if pipe.assigns:
            if len(names) > 1:
                self._assign(names[0], key)
            if names:
                self._assign(names[-1], item)
            return
        if names:
            self.variables[-1] = (names[-1], item)
        if len(names) > 1:
            self.variables[-2] = (names[0], key)

    def _include(self, dot: Any, node: Include) -> None:
        self.node = node
        if node.name not in self.templates:
            raise self._error(f"template {go_quote(node.name)} not defined")
        data = MISSING if node.pipe is None else self._pipe(dot, node.pipe)
        self.node = node
        kept = self.name, self.variables
        self.name, self.variables = node.name, [("$", data)]
        self._nested(data, self.templates[node.name])
        self.name, self.variables = kept

    # -- values ----------------------------------------------------------------------------

    def _pipe(self, dot: Any, pipe: Pipe) -> Any:
        """The value of a pipeline; its variables are set."""
        self.node = pipe
        value: Any = _NO_FINAL
        for command in pipe.commands:
            value = self._command(dot, command, value)
        for name in pipe.variables:
            if pipe.assigns:
                self._assign(name, value)
            else:
                self.variables.append((name, value))
        return MISSING if value is None else value

    def _assign(self, name: str, value: Any) -> None:
        for at in range(len(self.variables) - 1, -1, -1):
            if self.variables[at][0] == name:
                self.variables[at] = (name, value)
                return
        raise self._error(f"undefined variable: {name}")

    def _command(self, dot: Any, command: Command, final: Any) -> Any:
        self.context.charge(1)
        first = command.args[0]
        has_args = len(command.args) > 1 or final is not _NO_FINAL
        if isinstance(first, Function):
            return self._function(dot, first, command, command.args[1:], final)
        if isinstance(first, Field):
            self.node = first
            return self._chain(first.names, dot, has_args)
        if isinstance(first, Chain):
            self.node = first
            return self._chain(first.fields, self._argument(dot, first.node), has_args)
        if isinstance(first, Variable) and first.fields:
            self.node = first
            return self._chain(first.fields, self._variable(first.name), has_args)
        if not isinstance(first, Pipe):
            self.node = first
        if has_args:
            raise self._error(f"can't give argument to non-function {first}")
        if isinstance(first, Nil):
            raise self._error("nil is not a command")
        return self._argument(dot, first)

    def _variable(self, name: str) -> Any:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise self._error(f"undefined variable: {name}")

    def _argument(self, dot: Any, node: Operand) -> Any:
        """The value of an operand."""
        self.node = node
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Nil):
            return None
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Field):
            return self._chain(node.names, dot, False)
        if isinstance(node, Variable):
            return self._chain(node.fields, self._variable(node.name), False)
        if isinstance(node, Function):
            return self._function(dot, node, node, (), _NO_FINAL)
        if isinstance(node, Chain):
            if isinstance(node.node, Nil):
                raise self._error(f"indirection through explicit nil in {node}")
            inner = self._argument(dot, node.node)
            self.node = node
            return self._chain(node.fields, inner, False)
        return self._pipe(dot, node)

    def _chain(self, names: tuple[str, ...], receiver: Any, has_args: bool) -> Any:
        """``receiver.a.b``; a key that is not there gives ``MISSING``."""
        for position, name in enumerate(names, 1):
            if receiver is MISSING:
                continue
            if receiver is None:
                raise self._error(f"nil pointer evaluating interface {{}}.{name}")
            if not isinstance(receiver, dict):
                kind = "interface {}" if position > 1 or self.ranges else go_type(receiver)
                raise self._error(f"can't evaluate field {name} in type {kind}")
            if has_args and position == len(names):
                raise self._error(f"{name} is not a method but has arguments")
            receiver = receiver.get(name, MISSING)
        return receiver

    def _function(
        self, dot: Any, function: Function, at: Any, args: tuple[Operand, ...], final: Any
    ) -> Any:
        self.node = function
        name = function.name
        given = len(args) + (final is not _NO_FINAL)
        if name in FIXED and given != FIXED[name]:
            raise self._error(f"wrong number of args for {name}: want {FIXED[name]} got {given}")
        if name in MINIMUM and given < MINIMUM[name]:
            raise self._error(
                f"wrong number of args for {name}: want at least {MINIMUM[name]} got {len(args)}"
            )
        evaluate: list[Callable[[], Any]] = [self._later(dot, arg) for arg in args]
        if final is not _NO_FINAL:
            evaluate.append(lambda: final)
        if name in ("and", "or"):
            value: Any = None
            for thunk in evaluate:
                value = thunk()
                if truth(value) == (name == "or"):
                    break
            return value
        values = [thunk() for thunk in evaluate]
        if name == "printf" and type(values[0]) is not str:
            self.node = args[0] if args else function
            raise self._error(_no_format(self.node, values[0]))
        try:
            return call_function(self.context, name, values, str(args[0]) if args else name)
        except TemplateError as error:
            self.node = at
            raise self._error(f"error calling {name}: {error}") from None

    def _later(self, dot: Any, node: Operand) -> Callable[[], Any]:
        return lambda: self._argument(dot, node)


def _no_format(node: Any, value: Any) -> str:
    """Why the value that the operand has cannot be the first argument of ``printf``."""
    if isinstance(node, Constant):
        return f"expected string; found {node}"
    if value is MISSING:
        return "invalid value; expected string"
    kind = "interface {}" if value is None else go_type(value)
    return f"wrong type for value; expected string; got {kind}"

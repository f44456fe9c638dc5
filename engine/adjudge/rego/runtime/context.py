"""The state of one evaluation, and what `with` makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from time import monotonic
from types import MappingProxyType
from typing import Any

from adjudge.rego.builtins.operands import too_large
from adjudge.rego.builtins.registry import BuiltinError, declared
from adjudge.rego.errors import RegoEvalError
from adjudge.rego.runtime.documents import LazyDocument, RuleNode, document, under
from adjudge.rego.runtime.limits import CHUNK, Options
from adjudge.rego.runtime.operators import at
from adjudge.rego.runtime.values import UNDEFINED, Value, box
from adjudge.source import Location

Patch = tuple[str, tuple[Any, ...], str, Value, Any, bool, str]

CONFLICTS = {
    "complete": "complete rules must not produce multiple outputs: "
    "rule {} produced conflicting values",
    "function": "functions must not produce multiple outputs for same inputs: "
    "function {} produced conflicting values for the same inputs",
    "object": "object keys must be unique",
}


class _Unset:
    """An empty slot."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


class Shared:
    """What all contexts derived within one evaluation have in common.

    Most evaluations need little of it, and all of them pay for it: what is not always
    needed is made when it is first asked for.
    """

    spent = 0
    """Steps taken so far, by whole chunks."""

    def __init__(self, options: Options, host: Mapping[str, Any]) -> None:
        self.options = options
        self.deadline = monotonic() + options.limits.seconds
        self._host = host

    @cached_property
    def now_ns(self) -> int:
        """The evaluation time; the clock is read once."""
        fixed = self.options.now_ns
        return time.time_ns() if fixed is None else fixed

    @cached_property
    def services(self) -> Mapping[str, Any]:
        """What the host provides, by name."""
        return {**self._host, **self.options.services}

    @cached_property
    def cache(self) -> dict[Any, Any]:
        """What builtins keep for the evaluation."""
        return {}

    @cached_property
    def builtin_errors(self) -> list[RegoEvalError]:
        """The first failures of builtins that made a call undefined."""
        return []

    @cached_property
    def prints(self) -> list[str]:
        """The lines that ``print`` wrote."""
        return []

    @cached_property
    def nondeterminism(self) -> dict[str, dict[Any, Value]]:
        """The answers of nondeterministic builtins by name and boxed arguments."""
        return {}


class Context:
    """One evaluation context; `with` derives another one.  Not shared between threads.

    The attributes that stand in the class are those that few evaluations change.
    """

    mocks: Mapping[str, tuple[Value, Callable[..., Value] | None]] = MappingProxyType({})
    """What replaces builtins (by name) and functions: a value, or a function."""
    patched: tuple[tuple[Any, ...], ...] = ()
    """Paths below ``data`` that a `with` has replaced."""
    reads: list[tuple[Any, Any]]
    """The evidence variant's trail of reads."""
    rule_reads: dict[int, list[tuple[Any, Any]]]
    """The evidence variant's reads of rules, by slot."""
    far = 0
    """How far the body of the clause under evaluation got (the evidence variant)."""

    def __init__(
        self,
        rules: RuleNode,
        slots: int,
        input_: Value,
        data: dict[Any, Value],
        shared: Shared,
    ) -> None:
        self.rules = rules
        self.slots: list[Any] = [UNSET] * slots
        self.input = input_
        self.data = data
        self.shared = shared
        self.steps = CHUNK

    # -- what builtins use -----------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        return self.shared.now_ns

    @property
    def seed(self) -> bytes:
        return self.shared.options.seed

    @property
    def cache(self) -> dict[Any, Any]:
        return self.shared.cache

    @property
    def max_size(self) -> int:
        return self.shared.options.limits.size

    def service(self, name: str) -> Any:
        """Something the host provides, or None where it is withheld."""
        if name == "print":
            return self.shared.prints.append
        return self.shared.services.get(name)

    def charge(self, steps: int) -> None:
        """Account for work; raises ``eval_limit_error``."""
        self.steps -= steps
        if self.steps < 0:
            self.refill()

    def refill(self) -> None:
        """Take the next chunk of steps, unless a limit is reached."""
        shared = self.shared
        limits = shared.options.limits
        shared.spent += CHUNK - self.steps
        self.steps = CHUNK
        if shared.spent > limits.steps:
            raise RegoEvalError(
                "eval_limit_error",
                f"evaluation took more than {limits.steps} steps",
                hint="the policy iterates over too much; narrow it, or raise the step limit",
            )
        if monotonic() > shared.deadline:
            raise RegoEvalError(
                "eval_limit_error",
                f"evaluation took longer than {limits.seconds:g} s",
                hint="the policy iterates over too much; narrow it, or raise the time limit",
            )

    def sized(self, text: str) -> None:
        """Raise the builtins' error for a text that is longer than the limit."""
        if len(text) > self.max_size:
            raise too_large(self)

    # -- errors ------------------------------------------------------------------------------

    def conflict(
        self, kind: str, where: tuple[str, int, int] | None = None, name: str = ""
    ) -> None:
        """Two solutions of the rule ``name`` disagree."""
        raise RegoEvalError(
            "eval_conflict_error",
            CONFLICTS[kind].format(name),
            location=Location(*where) if where else None,
        )

    def builtin_error(self, error: BuiltinError, name: str, where: tuple[str, int, int]) -> None:
        """A builtin failed: an error when strict, otherwise noted, and the call is undefined."""
        failure = RegoEvalError(error.code, f"{name}: {error.message}", location=Location(*where))
        if self.shared.options.strict_builtin_errors or error.halt:
            raise failure from None
        if len(self.shared.builtin_errors) < 100:
            self.shared.builtin_errors.append(failure)

    # -- documents ---------------------------------------------------------------------------

    def base(self, path: tuple[Any, ...]) -> Value:
        """The base document at a path; a number is an index, or a key written in digits."""
        value: Value = self.data
        for key in path:
            if key.__class__ is int and value.__class__ is dict:
                key = str(key)
            value = at(value, key)
        return value

    def document(self, path: tuple[Any, ...]) -> Value:
        """Base and virtual documents below ``path``, merged."""
        node, base = self._find(path)
        return base if node is None else document(self, node, base)

    def lazy(self, path: tuple[Any, ...]) -> Value:
        """A handle on the documents below ``path``."""
        node, base = self._find(path)
        return base if node is None else LazyDocument(node, base)

    def _find(self, path: tuple[Any, ...]) -> tuple[RuleNode | None, Value]:
        node: RuleNode | None = self.rules
        base: Value = self.data
        for key in path:
            node = node.children.get(key) if node is not None else None
            base = base.get(key, UNDEFINED) if base.__class__ is dict else UNDEFINED
        if self.patched and any(path[: len(p)] == p for p in self.patched):
            node = None
        return node, base

    # -- calls ---------------------------------------------------------------------------------

    def repeat(self, name: str, function: Callable[..., Value], *args: Value) -> Value:
        """Call a nondeterministic builtin once per query and arguments."""
        known = self.shared.nondeterminism.setdefault(name, {})
        key = box(list(args))
        found = known.get(key, UNSET)
        if found is UNSET:
            recorded = self.shared.options.recorded
            if recorded is not None:
                found = recorded.answer(name, list(args))
            elif declared()[name].context:
                found = function(self, *args)
            else:
                found = function(*args)
            known[key] = found
        return found

    def call_builtin(self, name: str, function: Callable[..., Value], *args: Value) -> Value:
        """Call a builtin that `with` may have replaced."""
        mock = self.mocks.get(name)
        if mock is None:
            builtin = declared()[name]
            if builtin.nondeterministic:
                return self.repeat(name, function, *args)
            return function(self, *args) if builtin.context else function(*args)
        return self._mocked(mock, args)

    def call_function(self, name: str, function: Callable[..., Value], *args: Value) -> Value:
        """Call a function of the policy that `with` may have replaced."""
        mock = self.mocks.get(name)
        if mock is None:
            return function(self, *args)
        try:
            return self._mocked(mock, args)
        except BuiltinError as e:
            self.builtin_error(e, name, ("", 0, 0))
            return UNDEFINED

    def _mocked(self, mock: tuple[Value, Callable[..., Value] | None], args: Any) -> Value:
        value, function = mock
        if function is None:
            return value
        # The replacement sees the originals, so it may call what it replaces.
        inner = self._copy()
        inner.mocks = {}
        return function(inner, *args)

    # -- with ------------------------------------------------------------------------------------

    def _copy(self) -> Context:
        other = type(self)(self.rules, len(self.slots), self.input, self.data, self.shared)
        # A policy that derives contexts in a loop gets no chunk of steps with each of them.
        other.steps = 0
        other.mocks = self.mocks
        other.patched = self.patched
        for path in self.patched:
            self._prefill(other, path)
        return other

    def with_input(self, path: tuple[Any, ...], value: Value) -> Context:
        """This context with another value at a path of the input."""
        other = self._copy()
        other.input = replace_at(other.input, path, value)
        return other

    def derive(self, *patches: Patch) -> Context:
        """This context with `with` modifiers applied."""
        other = self._copy()
        for root, path, name, value, function, is_builtin, builtin_name in patches:
            if root == "input":
                other.input = replace_at(other.input, path, value)
            elif root == "data":
                other.data = replace_at(other.data, path, value)
                other.patched = (*other.patched, path)
                self._prefill(other, path)
            else:
                target = function
                if is_builtin:
                    target = _as_function(builtin_name, function)
                other.mocks = {**other.mocks, name: (value, target)}
        return other

    def _prefill(self, other: Context, path: tuple[Any, ...]) -> None:
        """Rules below a replaced path have the replacement's values."""
        for below, slot in under(self.rules, path):
            value: Value = other.data
            for key in below:
                value = value.get(key, UNDEFINED) if value.__class__ is dict else UNDEFINED
            other.slots[slot] = value


class TracedContext(Context):
    """The context of the evidence variant."""

    def __init__(
        self,
        rules: RuleNode,
        slots: int,
        input_: Value,
        data: dict[Any, Value],
        shared: Shared,
    ) -> None:
        super().__init__(rules, slots, input_, data, shared)
        self.reads = []
        self.rule_reads = {}

    def _copy(self) -> Context:
        other = super()._copy()
        other.reads = self.reads
        return other


def _as_function(name: str, function: Callable[..., Value]) -> Callable[..., Value]:
    def call(context: Context, *args: Value) -> Value:
        builtin = declared()[name]
        if builtin.nondeterministic:
            return context.repeat(name, function, *args)
        return function(context, *args) if builtin.context else function(*args)

    return call


def replace_at(document_: Value, path: tuple[Any, ...], value: Value) -> Value:
    """A copy of an object with ``value`` at ``path``; missing objects are made."""
    if not path:
        return value
    out = dict(document_) if document_.__class__ is dict else {}
    out[path[0]] = replace_at(out.get(path[0], UNDEFINED), path[1:], value)
    return out

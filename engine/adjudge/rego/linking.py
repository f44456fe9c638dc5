"""Rule plans in, functions that run out: each rule is emitted when it is first needed.

What was emitted for a rule is a *unit*: a code object and the builtins it calls.  Units can
be stored and given again, then nothing is emitted.  This module holds the one ``exec`` of
the project.
"""

from __future__ import annotations

import gc
import marshal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, Final

from adjudge.rego import abi
from adjudge.rego.builtins import catalog
from adjudge.rego.codegen import builder
from adjudge.rego.codegen.module import BuiltinKinds, Generated, ModuleEmitter
from adjudge.rego.errors import RegoCompileError, RegoErrors
from adjudge.rego.outline import Outline
from adjudge.rego.passes.model import Compilation, Group, Path
from adjudge.rego.plan import ir
from adjudge.rego.plan.fast import Faster
from adjudge.rego.runtime.context import Context
from adjudge.rego.runtime.documents import RuleNode
from adjudge.rego.runtime.link import add_rules, namespace
from adjudge.rego.runtime.values import Value

FAST: Final = "f"
"""A rule for those who want its value."""
TRACED: Final = "t"
"""A rule of the evidence variant."""
ENTRY: Final = "k"
"""The clauses of a partial set, each a function of the evidence variant."""

Around = Callable[[Group, Callable[..., Value]], Callable[..., Value]]


class Front:
    """What the front end makes of modules: at once, or when it is first asked for."""

    def __init__(self, make: Callable[[], tuple[Compilation, ir.ProgramPlan]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> tuple[Compilation, ir.ProgramPlan]:
        with collection_paused():
            return self._make()

    @property
    def comp(self) -> Compilation:
        """The checked rules."""
        return self._made[0]

    @property
    def rules(self) -> list[ir.RulePlan]:
        """Their plans, in source order."""
        return self._made[1].rules

    @cached_property
    def plans(self) -> dict[Path, ir.RulePlan]:
        """The plans by path."""
        return {plan.group.path: plan for plan in self.rules}


@dataclass(slots=True)
class Units:
    """Units by variant and slot: those given, and those made since if they are to be kept."""

    given: Mapping[str, bytes] = field(default_factory=dict)
    made: dict[str, bytes] = field(default_factory=dict)
    keep: bool = False

    def add(self, key: str, unit: bytes) -> None:
        """Note what was made."""
        if self.keep:
            self.made[key] = unit


class Linker:
    """The functions of one variant of a program; safe to share between threads."""

    around: Around | None = None
    """What is put around the functions of rules, when tracing; set before anything runs."""

    def __init__(
        self, front: Front, outline: Outline, units: Units, *, traced: bool = False
    ) -> None:
        self.namespace = namespace()
        self.front = front
        self.outline = outline
        self._units = units
        self._traced = traced
        self._faster = Faster()
        self._done: set[int] = set()
        self._entries: set[int] = set()
        self._lock = threading.RLock()

    # -- what callers use --------------------------------------------------------------------

    def need(self, slots: Collection[int]) -> None:
        """Have the functions of rules and of all they can reach."""
        if all(slot in self._done for slot in slots):
            return
        with self._lock, collection_paused():
            wanted = self.outline.reachable(slots, self._done)
            variant = TRACED if self._traced else FAST
            for each in wanted:
                self._load(variant, each)
            if self.around is not None:
                for each in wanted:
                    self._surround(each)
            if not self._traced:
                add_rules(self.namespace, wanted)
            self._done.update(wanted)

    def function(self, prefix: str, slot: int) -> Any:
        """A function of a rule, by the prefix of its name (see ``abi``)."""
        self.need((slot,))
        return self.namespace[f"{prefix}{slot}"]

    def entry(self, slot: int, clause: int) -> Any:
        """The function of one clause of a partial set."""
        if slot not in self._entries:
            self.need((slot,))
            with self._lock:
                self._load(ENTRY, slot)
                self._entries.add(slot)
        return self.namespace[f"{abi.ENTRY_PREFIX}{slot}_{clause}"]

    @cached_property
    def tree(self) -> RuleNode:
        """The rule tree; what it holds for a rule emits that rule when it is first called."""
        root = RuleNode()
        with collection_paused():
            for package in self.outline.packages:
                _node_at(root, package)
            for slot, rule in enumerate(self.outline.rules):
                node = _node_at(root, rule.path)
                if rule.kind == "function":
                    node.is_function = True
                    continue
                node.slot = slot
                node.rule = self._rule(node, slot)
                if rule.kind == "object":
                    node.parts = self._parts(node, slot)
        return root

    def relinked(self, plans: Sequence[ir.RulePlan]) -> dict[str, Any]:
        """The functions of the program, those of some rules made anew from other plans."""
        slots = [self.outline.slots[plan.group.path] for plan in plans]
        self.need(slots)
        scope = dict(self.namespace)
        for slot, plan in zip(slots, plans, strict=True):
            execute(unit_of(self._emitted(FAST, slot, plan), "<rego>"), scope)
        add_rules(scope, slots)
        return scope

    def emit(self, variant: str, slot: int) -> Generated:
        """The Python module of one rule."""
        return self._emitted(variant, slot, self.front.plans[self.outline.rules[slot].path])

    def _emitted(self, variant: str, slot: int, plan: ir.RulePlan) -> Generated:
        with builder.LOCK:
            emitter = ModuleEmitter(
                self.outline.slots,
                kinds(),
                trace=variant != FAST,
                prefix=f"{slot}k" if variant == ENTRY else f"{slot}_",
                faster=self._faster,
            )
            if variant == ENTRY:
                emitter.entry(plan)
            else:
                emitter.rules([plan])
            return emitter.finish()

    # -- linking -----------------------------------------------------------------------------

    def _load(self, variant: str, slot: int) -> None:
        key = f"{variant}{slot}"
        known = self._units.given.get(key)
        unit = read_unit(known) if known is not None else None
        if unit is None:
            unit = unit_of(self.emit(variant, slot), "<rego>")
            if self._units.keep:
                self._units.add(key, marshal.dumps(unit))
        execute(unit, self.namespace)

    def _surround(self, slot: int) -> None:
        assert self.around is not None
        group = self.front.comp.groups[self.outline.rules[slot].path]
        kind = abi.FUNCTION_PREFIX if group.kind == "function" else abi.EVAL_PREFIX
        name = f"{kind}{slot}"
        self.namespace[name] = self.around(group, self.namespace[name])

    def _rule(self, node: RuleNode, slot: int) -> Callable[[Context], Value]:
        def first(c: Context) -> Value:
            function = node.rule = self.function(abi.RULE_PREFIX, slot)
            return function(c)

        return first

    def _parts(self, node: RuleNode, slot: int) -> Callable[[Context], Any]:
        def first(c: Context) -> Any:
            function = node.parts = self.function(abi.PARTS_PREFIX, slot)
            return function(c)

        return first


def too_large(why: BaseException) -> RegoErrors:
    """What is raised instead of Python's error about code that it cannot work with."""
    error = RegoCompileError(
        "rego_compile_error",
        f"a rule is too large or too deeply nested ({type(why).__name__})",
        hint="split the rule into smaller ones",
    )
    return RegoErrors([error])


Unit = tuple[tuple[tuple[str, str], ...], CodeType]
"""The builtins that code calls (name, Python name), and the code."""


def unit_of(generated: Generated, filename: str) -> Unit:
    """A generated module, compiled; raises ``RegoErrors`` when Python cannot."""
    try:
        code = compile(generated.tree, filename, "exec", dont_inherit=True, optimize=1)
    except (RecursionError, SyntaxError, ValueError, MemoryError) as e:
        raise too_large(e) from None
    return tuple(generated.builtins.items()), code


def read_unit(data: bytes) -> Unit | None:
    """A unit from the bytes it was stored as; None when they are something else.

    The bytes become code that runs: they come from a place that only this user can write
    to (see ``policyset.programs``), never from what is judged.
    """
    try:
        builtins, code = marshal.loads(data)  # noqa: S302 - see above
    except (EOFError, ValueError, TypeError):
        return None
    return (builtins, code) if isinstance(code, CodeType) else None


def execute(unit: Unit, scope: dict[str, Any]) -> dict[str, Any]:
    """Run a unit's code in a namespace that has nothing but the ABI and its builtins; gives
    the namespace."""
    builtins, code = unit
    for name, identifier in builtins:
        scope[identifier] = catalog.resolve(name).function
    exec(code, scope)  # noqa: S102 - the only exec; the code is made of abi names and constants
    return scope


def _node_at(root: RuleNode, path: Path) -> RuleNode:
    node = root
    for key in path:
        below = node.children.get(key)
        if below is None:
            below = node.children[key] = RuleNode()
        node = below
    return node


@contextmanager
def collection_paused() -> Iterator[None]:
    """Without looking for cycles: compiling makes many objects and hardly any garbage, and
    looking at them over and over took a third of its time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def kinds() -> BuiltinKinds:
    """What the code generator has to know of builtins."""
    return _KINDS


class _Flagged(frozenset[str]):
    """The builtins with a flag; answers by importing the builtin's family."""

    flag: str

    def __new__(cls, flag: str) -> _Flagged:
        self = super().__new__(cls)
        self.flag = flag
        return self

    def __contains__(self, name: object) -> bool:
        found = catalog.find(str(name))
        return found is not None and bool(getattr(found, self.flag))


_KINDS: Final = BuiltinKinds(_Flagged("context"), _Flagged("nondeterministic"))

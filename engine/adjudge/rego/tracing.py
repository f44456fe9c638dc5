"""A probed program in; what its evaluation did, step by step, and where the time went out.

A trace lists the rules entered and left, the expressions evaluated and those that failed,
and the notes that ``trace`` left.  That an expression failed is known afterwards: what
comes next is not what follows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adjudge.rego.extents import Extents
from adjudge.rego.parser import parse_body
from adjudge.rego.passes.model import Group
from adjudge.rego.probes import QUERY, Probe, Probed
from adjudge.rego.program import Program
from adjudge.rego.runtime.context import Context
from adjudge.rego.runtime.values import Value
from adjudge.rego.syntax import Call, Expr, Head, Module, Rule, Var, walk
from adjudge.source import Location, line_of

Kind = Literal["Enter", "Eval", "Fail", "Exit", "Note"]
Mode = Literal["full", "debug", "notes", "fails"]

MAX_EVENTS = 100_000
_FIRST = Location("", 1, 1)


@dataclass(frozen=True, slots=True)
class Event:
    """One step.  ``depth`` counts the rules that are being evaluated, the query included;
    ``query`` numbers the evaluations of rules, and ``parent`` is the one that asked."""

    kind: Kind
    depth: int
    location: Location
    text: str
    query: int = 0
    parent: int = 0


@dataclass(slots=True)
class Cost:
    """What the expressions of one line cost.

    ``evals`` counts how often they were begun, ``redos`` how often evaluation went on from
    them, ``generated`` the expressions that the line was compiled to.
    """

    location: Location
    ns: int = 0
    evals: int = 0
    redos: int = 0
    generated: set[int] = field(default_factory=set)


def watch_rules(program: Program) -> None:
    """Make every rule of a program tell the host's ``watch`` service when it is entered and
    left; to be called before anything of the program runs."""
    program.around = _watched


def _watched(group: Group, function: Callable[..., Value]) -> Callable[..., Value]:
    def run(c: Context, *args: Value) -> Value:
        watch = c.service("watch")
        if watch is None:
            return function(c, *args)
        watch.enter(group)
        try:
            return function(c, *args)
        finally:
            watch.leave()

    return run


class Watch:
    """Follows one evaluation; subclasses say what to keep.

    ``frames`` holds, for each rule being evaluated, the probes of the expressions that
    have begun and not gone on yet, those of nested bodies above.
    """

    def __init__(self, probed: Probed) -> None:
        self._probes = probed.probes
        self.frames: list[list[Probe]] = [[]]

    def services(self) -> dict[str, Any]:
        """What the evaluation needs to tell its steps."""
        return {"watch": self, "probe": self.probe, "trace": self.note}

    def enter(self, group: Group) -> None:
        """A rule begins."""
        self.entered(group)
        self.frames.append([])

    def leave(self) -> None:
        """The rule that began last ends; what has not gone on failed."""
        for probe in reversed(self.frames[-1]):
            self.failed(probe)
        self.frames.pop()
        self.left()

    def probe(self, number: int, values: list[Value]) -> None:
        """A probe was reached."""
        probe = self._probes[number]
        pending = self.frames[-1]
        while pending and pending[-1] is not probe.parent:
            last = pending.pop()
            follows = last.parent is probe.parent and last.clause is probe.clause
            if follows and probe.index == last.index + 1:
                self.went_on(last)
            else:
                self.failed(last)
        if probe.expr is not None:
            pending.append(probe)
        self.reached(probe)

    def finish(self) -> None:
        """The evaluation is over."""
        while len(self.frames) > 1:
            self.leave()
        for probe in reversed(self.frames[0]):
            self.failed(probe)

    def entered(self, group: Group) -> None:
        """A rule was entered."""

    def left(self) -> None:
        """A rule was left."""

    def reached(self, probe: Probe) -> None:
        """An expression is about to be evaluated, or a body has a solution."""

    def failed(self, probe: Probe) -> None:
        """An expression has no solution, or none any more."""

    def went_on(self, probe: Probe) -> None:
        """An expression has a solution, and evaluation goes on from it."""

    def note(self, text: str) -> None:
        """``trace`` was called."""


class Tracer(Watch):
    """Keeps the steps; at most :data:`MAX_EVENTS` of them."""

    def __init__(
        self, probed: Probed, modules: Mapping[str, Module], query: str | None = None
    ) -> None:
        super().__init__(probed)
        self.events: list[Event] = []
        self._texts = Texts(modules if query is None else {**modules, "": _as_module(query)})
        self._done: set[int] = set()
        self._query = query
        self._numbers = [0]
        self._count = 0
        if query is not None:
            self._add("Enter", _FIRST, _one_line(query), above=1)

    def entered(self, group: Group) -> None:
        self._count += 1
        self._numbers.append(self._count)
        self._add("Enter", group.first.loc, group.name)

    def left(self) -> None:
        self._numbers.pop()

    def reached(self, probe: Probe) -> None:
        if probe.expr is None:
            if probe.parent is None and probe.loc is QUERY:
                self._add("Exit", _FIRST, _one_line(self._query or ""), above=1)
            elif probe.parent is None:
                self._add("Exit", probe.loc, probe.group.name)
        elif not probe.hoisted and probe.loc.row:
            self._done.discard(probe.number)
            self._add("Eval", probe.loc, self._texts.of(probe))

    def failed(self, probe: Probe) -> None:
        # An expression that went on before has run out of solutions, it did not fail.
        if probe.loc.row and probe.number not in self._done:
            self._add("Fail", probe.loc, self._texts.of(probe))

    def note(self, text: str) -> None:
        pending = self.frames[-1]
        location = pending[-1].loc if pending else _FIRST
        self._add("Note", location, f'"{text}"')

    def _add(self, kind: Kind, location: Location, text: str, above: int = 0) -> None:
        if len(self.events) < MAX_EVENTS:
            depth = len(self.frames) - above - (self._query is None)
            ids = self._numbers[-1], self._numbers[-2] if len(self._numbers) > 1 else 0
            self.events.append(Event(kind, depth, location, text, *ids))


class Profiler(Watch):
    """Keeps what each line cost; the time of a rule is the time of its own expressions."""

    def __init__(self, probed: Probed) -> None:
        super().__init__(probed)
        self.costs: dict[tuple[str, int], Cost] = {}
        self._current: Cost | None = None
        self._callers: list[Cost | None] = []
        self._since = time.perf_counter_ns()

    def entered(self, group: Group) -> None:
        self._callers.append(self._current)

    def left(self) -> None:
        self._switch(self._callers.pop())

    def reached(self, probe: Probe) -> None:
        if probe.expr is None or not probe.loc.row:
            self._switch(self._current)
            return
        cost = self._cost(probe)
        self._switch(cost)
        cost.evals += 1
        cost.generated.add(probe.number)

    def went_on(self, probe: Probe) -> None:
        if probe.loc.row:
            self._cost(probe).redos += 1

    def finish(self) -> None:
        super().finish()
        self._switch(None)

    def _cost(self, probe: Probe) -> Cost:
        key = (probe.loc.file, probe.loc.row)
        cost = self.costs.get(key)
        if cost is None:
            cost = self.costs[key] = Cost(probe.loc)
        return cost

    def _switch(self, cost: Cost | None) -> None:
        now = time.perf_counter_ns()
        if self._current is not None:
            self._current.ns += now - self._since
        self._current = cost
        self._since = now


class Texts:
    """The text that an expression was written as."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = modules
        self._known: dict[str, tuple[Extents, dict[Location, Expr]] | None] = {}

    def of(self, probe: Probe) -> str:
        """On one line."""
        file = probe.loc.file
        if file not in self._known:
            self._known[file] = self._read(file)
        known = self._known[file]
        if known is None:
            return ""
        extents, exprs = known
        if probe.hoisted:
            assert probe.expr is not None
            assert isinstance(probe.expr.term, Call)
            text = extents.text(extents.operation(probe.expr.term))
        elif probe.loc in exprs:
            text = extents.text(extents.expr(exprs[probe.loc]))
        else:
            text = line_of(self._modules[file].source, probe.loc.row)
        return _one_line(text)

    def _read(self, file: str) -> tuple[Extents, dict[Location, Expr]] | None:
        module = self._modules.get(file)
        if module is None or not module.source:
            return None
        exprs = {node.loc: node for node in walk(module.rules) if isinstance(node, Expr)}
        return Extents(module), exprs


def _as_module(query: str) -> Module:
    """A module that holds a query, so that its text can be told."""
    rule = Rule(Head(Var("query")), parse_body(query))
    return Module(package=(), imports=(), rules=(rule,), source=query)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def filtered(events: list[Event], mode: Mode) -> list[Event]:
    """The events a mode shows: all of them, or notes or failures with the rules they
    happened in."""
    if mode in ("full", "debug"):
        return events
    wanted = {"Note"} if mode == "notes" else {"Fail", "Note"}
    out: list[Event] = []
    enclosing: list[Event] = []
    for event in events:
        del enclosing[event.depth :]
        if event.kind in wanted:
            out.extend(enclosing)
            out.append(event)
            # What was shown once is not repeated for the next event in it.
            enclosing = [_SHOWN] * len(enclosing)
        elif event.kind == "Enter":
            enclosing.append(event)
    return [event for event in out if event is not _SHOWN]


_SHOWN = Event("Enter", 0, Location("", 0, 0), "")


def rendered(events: list[Event]) -> Iterator[str]:
    """One line an event: the place, bars for the depth, what happened."""
    places = [f"{e.location.file or 'query'}:{e.location.row}" for e in events]
    width = max(map(len, places), default=0)
    for place, event in zip(places, events, strict=True):
        yield f"{place:<{width}}  {'| ' * event.depth}{event.kind} {event.text}".rstrip()
    if len(events) >= MAX_EVENTS:
        yield f"… (only the first {MAX_EVENTS} steps are shown)"

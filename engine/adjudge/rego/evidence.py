"""A Program in, its evidence variant out: entries that tell what they found and what they read.

An *entry* is one clause of a rule that the gate asks (``deny``, ``warn``,
``violation``).  Running it gives its solutions, each with the places in the input
that led to it, or, when there is none, the places it looked at and the expression it
got to.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.rego.errors import RegoEvalError
from adjudge.rego.outline import RuleOutline
from adjudge.rego.program import Program
from adjudge.rego.query import stopped
from adjudge.rego.runtime.context import Context
from adjudge.rego.runtime.limits import Options
from adjudge.rego.runtime.operators import at
from adjudge.rego.runtime.text import to_json
from adjudge.rego.runtime.values import Value, box
from adjudge.source import Location

Trail = list[tuple[Any, Any]]
Places = dict[int, tuple[Any, ...]]
"""Paths of arrays and objects by their identity."""

MAX_READS = 40
"""Reads reported of one solution."""


@dataclass(frozen=True, slots=True)
class Read:
    """A place in a document that a rule looked at.

    ``root`` is ``input`` or ``data``; ``path`` the keys below it; ``value`` is
    ``UNDEFINED`` when nothing stands there.
    """

    root: str
    path: tuple[Any, ...]
    value: Value

    @property
    def leaf(self) -> bool:
        """Whether the value is neither an array nor an object."""
        return not isinstance(self.value, list | dict)


@dataclass(frozen=True, slots=True)
class Solution:
    """One element that the entry's clause contributes, as JSON, and what it rests on."""

    value: Any
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running an entry gave.

    ``error`` is set when evaluation failed.  ``reached`` is the expression that the
    body got to (for a clause without solutions: the one that failed).
    """

    solutions: tuple[Solution, ...]
    reads: tuple[Read, ...]
    reached: Location
    error: RegoEvalError | None = None
    held: int = 0
    """How often the body held, elements that are the same counted each."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause, by the place where it begins."""

    loc: Location


@dataclass(frozen=True, slots=True)
class Entry:
    """A clause that can be run on its own."""

    group: RuleOutline
    clause: Clause
    function: Any
    expressions: tuple[Location, ...]

    @property
    def name(self) -> str:
        """The rule's name: the last key of its path."""
        return str(self.group.path[-1])


class EvidenceProgram:
    """The evidence variant of a program; immutable and safe to share."""

    def __init__(self, program: Program, entry_names: Iterable[str] = ()) -> None:
        wanted = frozenset(entry_names)
        self._traced = program.traced()
        self.entries: list[Entry] = []
        for rule in program.groups:
            if not is_entry(rule, wanted):
                continue
            for number, (loc, expressions) in enumerate(rule.clauses):
                function = self._traced.entry_function(rule, number)
                places = tuple([Location(*place) for place in expressions])
                self.entries.append(Entry(rule, Clause(Location(*loc)), function, places))

    def start(
        self,
        input_: Value,
        options: Options,
        data: dict[Any, Value] | None = None,
        parts: Sequence[tuple[tuple[Any, ...], Places]] = (),
    ) -> Evaluation:
        """An evaluation of entries over one input; rules shared by entries run once.

        ``parts`` are places (:func:`places_in`) of parts of the input, with the path of
        each part: several evaluations over the same documents share them.
        """
        return Evaluation(self._traced.context(input_, options, data), parts)


class Evaluation:
    """Entries run over one input."""

    def __init__(
        self, context: Context, parts: Sequence[tuple[tuple[Any, ...], Places]] = ()
    ) -> None:
        self.context = context
        self._parts = parts
        self._own: Places | None = None
        self._data: Places | None = None

    @property
    def prints(self) -> Sequence[str]:
        """What rules printed so far."""
        return self.context.shared.prints

    @property
    def nondeterminism(self) -> Mapping[str, Mapping[Any, Value]]:
        """The answers of builtins that are no functions of their arguments, so far."""
        return self.context.shared.nondeterminism

    def run(self, entry: Entry, *, reading: bool = True) -> Outcome:
        """Run one entry; evaluation errors are part of the outcome.

        Without ``reading``, what was read is left out: finding the places takes longer than
        a small rule does.
        """
        c = self.context
        c.reads.clear()
        c.far = 0
        found: list[tuple[Value, Trail]] = []
        error = None
        try:
            entry.function(c, found)
        except RegoEvalError as e:
            error = e
        except (RecursionError, MemoryError) as e:
            error = stopped(e)
        solutions: tuple[Solution, ...] = ()
        try:
            solutions = tuple(
                Solution(to_json(v), self._reads(t) if reading else ()) for v, t in _distinct(found)
            )
        except (RecursionError, MemoryError) as e:
            error = stopped(e)
        reads = () if solutions or not reading else self._reads(c.reads)
        reached = (
            entry.expressions[min(c.far, len(entry.expressions) - 1)]
            if (entry.expressions)
            else entry.clause.loc
        )
        return Outcome(solutions, reads, reached, error, len(found))

    def value(self, path: tuple[Any, ...]) -> Value:
        """The value at a path below ``data``, ``UNDEFINED`` when there is none; raises
        ``RegoEvalError``."""
        return self.context.document(path)

    def _reads(self, trail: Trail) -> tuple[Read, ...]:
        seen: dict[tuple[str, tuple[Any, ...]], Read] = {}
        for container, key in _flat(trail):
            place = self._place(id(container))
            if place is None:
                continue
            keys = key if isinstance(key, tuple) else (key,)
            if not all(isinstance(k, str | int) for k in keys):
                continue  # no document has such a place, and it may not be hashable
            path = (*place[1], *keys)
            if (place[0], path) not in seen:
                value: Value = container
                for k in keys:
                    value = at(value, k)
                seen[place[0], path] = Read(place[0], path, value)
        return tuple(_tell(list(seen.values())))

    def _place(self, identity: int) -> tuple[str, tuple[Any, ...]] | None:
        """The document and the path of an array or object."""
        for prefix, places in self._parts:
            path = places.get(identity)
            if path is not None:
                return "input", (*prefix, *path)
        if self._own is None:
            known = {i for _, places in self._parts for i in places}
            self._own = places_in(self.context.input, known)
        path = self._own.get(identity)
        if path is not None:
            return "input", path
        if self._data is None:
            self._data = places_in(self.context.data)
        path = self._data.get(identity)
        return None if path is None else ("data", path)


def _flat(trail: Trail) -> Iterator[tuple[Any, Any]]:
    """The trail with the reads of rules in place of the entries that stand for them."""
    seen: set[tuple[int, Any]] = set()
    stack = [iter(trail)]
    while stack:
        for container, key in stack[-1]:
            if container.__class__ is dict and key.__class__ is int:
                inner = container.get(key)
                if isinstance(inner, list) and _is_trail(inner):
                    if (id(container), key) not in seen:
                        seen.add((id(container), key))
                        stack.append(iter(inner))
                        break
                    continue
            yield container, key
        else:
            stack.pop()


def _is_trail(value: list[Any]) -> bool:
    return all(isinstance(item, tuple) for item in value)


def _tell(reads: list[Read]) -> list[Read]:
    """The most telling reads: those that no deeper read makes redundant, at most a few."""
    inner = {(r.root, r.path[:n]) for r in reads for n in range(1, len(r.path))}
    kept = [r for r in reads if (r.root, r.path) not in inner]
    return kept[:MAX_READS]


def _distinct(found: list[tuple[Value, Trail]]) -> Iterator[tuple[Value, Trail]]:
    seen = set()
    for value, trail in found:
        key = box(value)
        if key not in seen:
            seen.add(key)
            yield value, trail


def places_in(root: Value, known: Container[int] = frozenset()) -> Places:
    """Where each array and object of a document stands, by identity; the first place counts.

    What is ``known`` already is not entered.
    """
    out: Places = {}
    stack: list[tuple[Value, tuple[Any, ...]]] = [(root, ())]
    while stack:
        value, path = stack.pop()
        cls = value.__class__
        if cls is dict:
            children = [(v, (*path, k)) for k, v in value.items() if v.__class__ in _CONTAINERS]
        elif cls is list:
            children = [(v, (*path, n)) for n, v in enumerate(value) if v.__class__ in _CONTAINERS]
        else:
            continue
        identity = id(value)
        if identity in out or identity in known:
            continue
        out[identity] = path
        children.reverse()
        stack.extend(children)
    return out


_CONTAINERS = frozenset({dict, list})


ENTRY_NAMES = ("deny", "warn", "violation")


def is_entry(group: RuleOutline, extra: frozenset[str] = frozenset()) -> bool:
    """Whether the gate asks this rule: ``deny``, ``warn``, ``violation``, or ``deny_…`` and
    so on (the habit of conftest); test rules and functions never."""
    if group.kind == "function" or not group.path:
        return False
    name = str(group.path[-1])
    return name in extra or any(name == n or name.startswith(f"{n}_") for n in ENTRY_NAMES)

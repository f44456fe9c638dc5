"""A rule over an input in, the smallest change found that flips its result out.

Every change that is told has been made and the rule evaluated again.  The search goes by the
number of changes: all single ones, then those that build on the most promising, and so on
within bounds of tries and time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from adjudge.explanation.candidates import Pool, candidates
from adjudge.explanation.changes import Change, Path, applied, value_at
from adjudge.explanation.model import Counterfactual, Ground
from adjudge.rego.evidence import Entry, Evaluation, Outcome, Read
from adjudge.rego.runtime.values import UNDEFINED

MAX_CHANGES: Final = 12
LARGE: Final = 3.0
"""The cost over which a single change counts as large."""
SAMPLES: Final = 5
"""Elements of one list whose values are changed one by one."""
PATIENCE_S: Final = 1.0
"""How long something smaller is looked for once many changes are known to do it."""
BEAM: Final = 6
"""How many partly successful changes are built on."""

Start: TypeAlias = Callable[[Any], Evaluation]
Goal: TypeAlias = Literal["nothing", "something"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes."""

    tries: int = 3_000
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class State:
    """What the entries gave over one input: the findings, how often bodies held, how far each
    got, the reads."""

    findings: frozenset[str]
    held: int
    reached: tuple[int, ...]
    failed: bool
    reads: tuple[Read, ...]


@dataclass
class _Node:
    input: Any
    changes: tuple[Change, ...]
    state: State

    @property
    def cost(self) -> float:
        return sum(c.cost for c in self.changes)


@dataclass
class Search:
    """One search.  ``goal`` is that nothing is found any more, or that something is."""

    entries: Sequence[Entry]
    start: Start
    ground: Ground
    pool: Pool
    goal: Goal
    bounds: Bounds
    tries: int = 0
    _tried: set[Any] = field(default_factory=set)
    _until: float = field(default=0.0)

    def run(self) -> Counterfactual:
        """The smallest change found, or an honest none."""
        self._until = time.monotonic() + self.bounds.seconds
        beam = [_Node(self.ground.input, (), self.state(self.ground.input))]
        large: _Node | None = None
        for level in range(1, MAX_CHANGES + 1):
            reached, better = self._level(beam)
            if reached is not None and (large is None or reached.cost < large.cost):
                large = reached
            # A large change does it; perhaps two small ones do, too.
            if large is not None and (level > 1 or large.cost <= LARGE):
                break
            if not better or self._over:
                break
            beam = better
        if large is not None:
            return Counterfactual(self._least(large), self.tries)
        if time.monotonic() >= self._until:
            return Counterfactual(None, self.tries, "time")
        over = self.tries >= self.bounds.tries
        return Counterfactual(None, self.tries, "tries" if over else "exhausted")

    def state(self, input_: Any, *, reading: bool = False) -> State:
        """Evaluate the entries over an input."""
        evaluation = self.start(input_)
        findings: set[str] = set()
        reads: dict[tuple[str, Path], Read] = {}
        reached: list[int] = []
        failed = False
        held = 0
        for number, entry in enumerate(self.entries):
            whole = entry.group.kind != "set"
            outcome = evaluation.run(entry, reading=reading or whole)
            failed = failed or outcome.error is not None
            held += outcome.held
            found = [s for s in outcome.solutions if s.value is not False]
            findings |= {f"{number}:{s.value!r}" for s in found}
            for read in (*(r for s in outcome.solutions for r in s.reads), *outcome.reads):
                if all(isinstance(k, str | int) for k in read.path):
                    reads.setdefault((read.root, read.path), read)
            reached.append(_reached(entry, outcome, bool(found)))
        return State(frozenset(findings), held, tuple(reached), failed, tuple(reads.values()))

    @property
    def _over(self) -> bool:
        return self.tries >= self.bounds.tries or time.monotonic() >= self._until

    def _level(self, beam: list[_Node]) -> tuple[_Node | None, list[_Node]]:
        """One more change to each of the nodes: the cheapest that does it, or those to build
        on."""
        best: _Node | None = None
        better: list[_Node] = []
        for node in beam:
            self._tried.clear()
            reads = self.state(node.input, reading=True).reads
            reads = (*reads, *self._named(node, reads))
            for change in candidates(_samples(reads), self.pool, self.ground):
                if self._over:
                    break
                if any(_undoes(change.path, c.path) for c in node.changes):
                    continue
                if best is not None and node.cost + change.cost >= best.cost:
                    break
                following = self._following(node, change)
                if following is None:
                    continue
                if self._done(following.state):
                    best = following
                    break
                if self._promising(node.state, following.state):
                    better.append(following)
                everywhere = self._everywhere(node, change, reads)
                if everywhere is None:
                    continue
                if not self._done(everywhere.state):
                    better.append(everywhere)
                    if 2 * everywhere.state.held <= node.state.held:
                        return best, [everywhere]  # most of it is done: on to the rest
                elif best is None or everywhere.cost < best.cost:
                    best = everywhere
                    self._until = min(self._until, time.monotonic() + PATIENCE_S)
        better.sort(key=lambda n: (self._distance(n.state), n.cost))
        return best, better[: 1 if self.goal == "nothing" and len(better) > 50 else BEAM]

    def _named(self, node: _Node, reads: Sequence[Read]) -> Iterator[Read]:
        """What the rule's text names and no read was recorded of: those within a negation that
        did not hold."""
        known = {r.path for r in reads}
        for path in self.pool.own_paths:
            if path not in known:
                value = value_at(node.input, path)
                yield Read("input", path, UNDEFINED if value is None else value)

    def _following(self, node: _Node, change: Change) -> _Node | None:
        self.tries += 1
        try:
            input_ = applied(node.input, [change])
        except (KeyError, IndexError, TypeError):
            return None  # an earlier change moved what this one is about
        return _Node(input_, (*node.changes, change), self.state(input_))

    def _everywhere(self, node: _Node, change: Change, reads: Sequence[Read]) -> _Node | None:
        """The same change to all elements of a list that were read, when that helps: what one
        finding goes by, its likes mostly go by, too."""
        at = next((n for n, step in enumerate(change.path) if isinstance(step, int)), None)
        kind = (change.op, change.path[:at], change.path[(at or 0) + 1 :], repr(change.new))
        if self.goal == "something" or at is None or at + 1 == len(change.path):
            return None
        if kind in self._tried or self._over:
            return None
        self._tried.add(kind)
        start = change.path[:at]
        indexes = {r.path[at] for r in reads if len(r.path) > at and r.path[:at] == start}
        changes = []
        for index in sorted(i for i in indexes if isinstance(i, int)):
            path = (*start, index, *change.path[at + 1 :])
            old = value_at(node.input, path)
            if change.op == "add" if old is None else change.op != "add" and old != change.new:
                changes.append(replace(change, path=path, old=old))
        if len(changes) < 2:
            return None
        self.tries += 1
        input_ = applied(node.input, changes)
        found = _Node(input_, (*node.changes, *changes), self.state(input_))
        if self._done(found.state):
            return _Node(input_, self._least(found), found.state)
        return found if self._promising(node.state, found.state) else None

    def _done(self, state: State) -> bool:
        return not state.failed and bool(state.findings) == (self.goal == "something")

    def _promising(self, old: State, new: State) -> bool:
        if new.failed:
            return False
        if self.goal == "something":
            return any(b > a for a, b in zip(old.reached, new.reached, strict=True))
        # Findings that become the same are no fewer.
        return new.held < old.held or (new.held == old.held and new.findings != old.findings)

    def _distance(self, state: State) -> float:
        if self.goal == "nothing":
            return state.held
        left = [len(e.expressions) - r for e, r in zip(self.entries, state.reached, strict=True)]
        return min(left, default=0)

    def _least(self, node: _Node) -> tuple[Change, ...]:
        """The changes without those that turn out not to be needed."""
        changes = list(node.changes)
        for change in node.changes:
            rest = [c for c in changes if c is not change]
            if not rest or self._over:
                continue
            self.tries += 1
            try:
                state = self.state(applied(self.ground.input, rest))
            except (KeyError, IndexError, TypeError):
                continue
            if self._done(state):
                changes = rest
        return tuple(changes)


def _reached(entry: Entry, outcome: Outcome, found: bool) -> int:
    """How far an entry got: the expression, or for a rule that is run as a whole, how much it
    read."""
    if entry.group.kind != "set":
        return sum(len(s.reads) for s in outcome.solutions) + len(outcome.reads)
    places = entry.expressions
    if found:
        return len(places)
    return places.index(outcome.reached) if outcome.reached in places else 0


def _samples(reads: Iterable[Read]) -> Iterator[Read]:
    """A few of the reads at the same place of different elements: what holds for one of a
    thousand components mostly holds for its likes."""
    seen: Counter[Path] = Counter()
    for read in reads:
        kind = tuple(None if isinstance(step, int) else step for step in read.path)
        seen[kind] += 1
        if seen[kind] <= SAMPLES:
            yield read


def _undoes(new: Path, old: Path) -> bool:
    """Whether a change at one path replaces what an earlier one made; what stands within that
    may be changed further."""
    if len(new) == len(old) and isinstance(new[-1], int):
        return False  # elements of one list may go one after the other
    return old[: len(new)] == new

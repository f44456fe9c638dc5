"""A recorded decision in, the same judgement made again out: identical, or what differs.

And the question before policies are changed: which decisions that were taken would a candidate
take otherwise?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from adjudge.decision.model import Decision, RuleResult
from adjudge.documents.model import join
from adjudge.errors import AdjudgeError
from adjudge.evaluation import Judge, evaluate
from adjudge.gate.recording import Recording, Recordings
from adjudge.policyset.model import PolicySet
from adjudge.version import __version__

MAX_DIFFERENCES: Final = 200
"""Differences that are listed of one decision."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of the record in which the two disagree; what is missing is None."""

    pointer: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision and the judgement made again."""

    recorded: Decision
    replayed: Decision
    differences: tuple[Difference, ...]
    notes: tuple[str, ...] = ()
    """What is no difference in the decision but may explain one."""

    @property
    def identical(self) -> bool:
        """Whether both have the same digest."""
        return self.recorded.digest == self.replayed.digest


def replay(recording: Recording, decision: Decision | None = None) -> Replay:
    """Judge again what was recorded, and compare with ``decision`` (None: the recorded one)."""
    wanted = decision or recording.decision
    judge = Judge(recording.policies)
    again = _judge(judge, recording, wanted)
    found = list(_differences("", _members(wanted), _members(again)))
    notes = []
    if wanted.engine.version != __version__:
        notes.append(f"decided by adjudge {wanted.engine.version}, replayed by {__version__}")
    if wanted.engine.backend != "embedded":
        notes.append(f"decided by the engine {wanted.engine.backend}, replayed by the embedded one")
    return Replay(wanted, again, tuple(found[:MAX_DIFFERENCES]), tuple(notes))


def _judge(judge: Judge, recording: Recording, decision: Decision | None) -> Decision:
    made = evaluate(judge, recording.case, recording.settings).decision
    if decision is None:
        return made
    # The id is the one thing that is random.
    return Decision.model_validate(
        {**made.model_dump(by_alias=True), "decision_id": decision.decision_id}
    )


def _members(decision: Decision) -> dict[str, Any]:
    return decision.model_dump(mode="json", by_alias=True, exclude={"timings"})


def _differences(pointer: str, recorded: Any, replayed: Any) -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(replayed, dict):
        for key in sorted({*recorded, *replayed}):
            yield from _differences(join(pointer, key), recorded.get(key), replayed.get(key))
    elif isinstance(recorded, list) and isinstance(replayed, list):
        for n in range(max(len(recorded), len(replayed))):
            left = recorded[n] if n < len(recorded) else None
            right = replayed[n] if n < len(replayed) else None
            yield from _differences(join(pointer, n), left, right)
    elif recorded != replayed or type(recorded) is not type(replayed):
        yield Difference(pointer, recorded, replayed)


# --- a candidate against what was decided --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What two policy sets make of one recorded case.

    ``added`` and ``removed`` are the findings that block under only one of them.
    """

    decision_id: str
    subject: str
    time: str
    old: str
    new: str
    added: tuple[RuleResult, ...] = ()
    removed: tuple[RuleResult, ...] = ()

    @property
    def flipped(self) -> bool:
        """Whether the outcome differs."""
        return self.old != self.new


@dataclass
class Comparison:
    """All changes, and how many cases were judged.  ``unrecorded`` decisions have no recording,
    ``unusable`` recordings could not be read, with the reason."""

    judged: int = 0
    unrecorded: int = 0
    changes: list[Change] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def flipped(self) -> list[Change]:
        """The changes in which the outcome differs."""
        return [c for c in self.changes if c.flipped]


def compare(
    recordings: Recordings, ids: Iterable[str], old: PolicySet | None, new: PolicySet
) -> Comparison:
    """Judge every recorded case by both sets; ``old`` None stands for what was decided."""
    before = Judge(old) if old is not None else None
    after = Judge(new)
    out = Comparison()
    for decision_id in ids:
        try:
            recording = recordings.load(decision_id)
        except AdjudgeError as error:
            if error.code == "recording_not_found":
                out.unrecorded += 1
                continue
            out.unusable.append((decision_id, str(error)))
            continue
        out.judged += 1
        was = recording.decision if before is None else _judge(before, recording, None)
        change = _change(recording, was, _judge(after, recording, None))
        if change.flipped or change.added or change.removed:
            out.changes.append(change)
    return out


def _change(recording: Recording, old: Decision, new: Decision) -> Change:
    subject = next((s for s in old.subject if s.kind == "release"), None)
    mine, theirs = _blocking(old), _blocking(new)
    return Change(
        decision_id=recording.decision.decision_id,
        subject=subject.name if subject else "",
        time=recording.decision.time,
        old=old.outcome,
        new=new.outcome,
        added=tuple(r for k, r in theirs.items() if k not in mine),
        removed=tuple(r for k, r in mine.items() if k not in theirs),
    )


def _blocking(decision: Decision) -> dict[tuple[str, str | None, str | None, str], RuleResult]:
    outcomes = {"fail", "error"} | ({"warn"} if decision.context.fail_on == "warn" else set())
    return {
        (r.rule_id, r.artifact, r.pointer, r.message): r
        for r in decision.results
        if r.outcome in outcomes
    }
